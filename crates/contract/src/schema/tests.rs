//! The schema against contracts that can be read and contracts that cannot.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::schema;
use crate::contract::Contract;
use crate::contract::keys::{Keys, Shape, TOP};

const HEAD: &str = "hotcell = 1\nlibrary = \"z\"\nheaders = [\"zlib.h\"]\n";

/// Why a value does not fit, for the words of JSON Schema that this schema uses.
fn misfit(root: &Value, schema: &Value, value: &Value) -> Option<String> {
    for (word, arg) in schema.as_object().unwrap() {
        let wrong = match word.as_str() {
            "$schema" | "title" | "description" | "$defs" => None,
            "$ref" => {
                let name = arg.as_str().unwrap().strip_prefix("#").unwrap();
                misfit(root, root.pointer(name).unwrap(), value)
            }
            "const" => (arg != value).then(|| format!("{value} is not {arg}")),
            "enum" => (!arg.as_array().unwrap().contains(value)).then(|| format!("{value} is none of {arg}")),
            "type" => {
                let fits = match arg.as_str().unwrap() {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "integer" => value.is_i64(),
                    "boolean" => value.is_boolean(),
                    other => panic!("a type {other}"),
                };
                (!fits).then(|| format!("{value} is no {arg}"))
            }
            "minLength" => (value.as_str() == Some("")).then(|| "empty".to_owned()),
            "minimum" => {
                let least = arg.as_i64().unwrap();
                value.as_i64().filter(|number| *number < least).map(|number| format!("{number} is less"))
            }
            "pattern" => {
                let units: &[&str] = match arg.as_str().unwrap() {
                    "^[0-9]+(ms|s|m)$" => &["ms", "s", "m"],
                    "^[0-9]+(KiB|MiB|GiB)$" => &["KiB", "MiB", "GiB"],
                    other => panic!("a pattern {other}"),
                };
                let number =
                    |text: &str| units.iter().find_map(|unit| text.strip_suffix(unit)?.parse::<u64>().ok());
                let misses = value.as_str().is_some_and(|text| number(text).is_none());
                misses.then(|| format!("{value} does not match"))
            }
            "items" => value.as_array().unwrap().iter().find_map(|item| misfit(root, arg, item)),
            "required" => {
                let names = arg.as_array().unwrap().iter().map(|name| name.as_str().unwrap());
                let mut missing = names.filter(|name| value.get(name).is_none());
                missing.next().map(|name| format!("{name} is missing"))
            }
            "properties" => arg
                .as_object()
                .unwrap()
                .iter()
                .find_map(|(name, schema)| value.get(name).and_then(|value| misfit(root, schema, value))),
            "additionalProperties" => {
                let named =
                    |name: &String| schema.get("properties").is_some_and(|all| all.get(name).is_some());
                let more = value.as_object().into_iter().flatten().filter(|(name, _)| !named(name));
                more.into_iter().find_map(|(name, value)| match arg {
                    Value::Bool(false) => Some(format!("{name} is not known")),
                    schema => misfit(root, schema, value),
                })
            }
            "anyOf" | "oneOf" => {
                let all: Vec<_> =
                    arg.as_array().unwrap().iter().map(|one| misfit(root, one, value)).collect();
                let fitting = all.iter().filter(|wrong| wrong.is_none()).count();
                let fits = if word == "oneOf" { fitting == 1 } else { fitting > 0 };
                (!fits).then(|| format!("{value} fits {fitting} of {} ways", all.len()))
            }
            other => panic!("the schema uses {other}"),
        };
        if wrong.is_some() {
            return wrong;
        }
    }
    None
}

fn json_of(text: &str) -> Value {
    serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap()).unwrap()
}

fn fits(text: &str) -> Option<String> {
    let schema = schema();
    misfit(&schema, &schema, &json_of(text))
}

#[test]
fn contracts_that_can_be_read_fit() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut texts = Vec::new();
    for example in fs::read_dir(root.join("examples")).unwrap() {
        let path = example.unwrap().path().join("bind.toml");
        texts.extend(fs::read_to_string(path));
    }
    let page = |name: &str| fs::read_to_string(root.join("docs/reference").join(name)).unwrap();
    let pages = [
        "contract.md",
        "added.md",
        "adapted.md",
        "families.md",
        "fields.md",
        "structures.md",
        "supervision.md",
        "state.md",
    ];
    let page = pages.map(page).concat();
    let blocks = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    for block in blocks {
        match block.chars().next() {
            Some('h') if block.starts_with("hotcell") => texts.push(block.to_owned()),
            Some('[') => texts.push(format!("{HEAD}{block}")),
            _ => {
                let items = block.lines().filter(|line| {
                    ["params.", "result =", "error ="].iter().any(|key| line.starts_with(key))
                });
                texts.extend(items.map(|line| format!("{HEAD}[function.f]\n{line}\n")));
            }
        }
    }
    assert!(texts.len() > 60, "{}", texts.len());
    for text in texts {
        assert!(Contract::parse(&text, "bind.toml").is_ok());
        assert_eq!(fits(&text), None, "{text}");
    }
}

#[test]
fn contracts_that_cannot_be_read_do_not_fit() {
    for wrong in [
        "includes = []",
        "link = \"z\"",
        "isolation = \"inline\"",
        "deadline = \"2 minutes\"",
        "leaves = [\"signals\"]",
        "leaves = \"locale\"",
        "[recycle]\ncalls = 0",
        "[recycle]\nmemory = \"1 MB\"",
        "[recycle]\nresident = 1",
        "[handle]\na = { relase = \"f\" }",
        "[struct.a]\nfields.b = { in = \"buffer\" }",
        "[struct.a]\nfields.b = { own = false }",
        "[function.f]\nidempotent = 1",
        "[function.f]\nerror = { message = \"f()\" }",
        "[function.f]\nresult = { out = \"value\", nullable = true }",
        "[function.f]\nresult = { out = \"buffer\" }",
        "[function.f]\nparams.x = { }",
        "[function.f]\nparams.x = { in = \"value\", out = \"value\" }",
        "[function.f]\nparams.x = { in = \"buffr\" }",
        "[function.f]\nparams.x = { string = \"utf8\" }",
        "[function.f]\nparams.x = { in = \"buffer\", capacity = \"n\" }",
        "nullable = [true]",
        "[handle]\ndb = { message = 1 }",
        "[function.f]\nparams.x = { callback = \"call\", user_data = \"u\", params = { a = { in = \"value\" } } }",
        "[function.f]\nparams.x = 7",
    ] {
        let text = format!("{HEAD}{wrong}\n");
        assert!(Contract::parse(&text, "bind.toml").is_err(), "{wrong} can be read");
        assert!(fits(&text).is_some(), "{wrong} fits");
    }
    assert!(fits("library = \"z\"\nheaders = [\"zlib.h\"]\n").is_some());
    assert!(fits(&HEAD.replace('1', "2")).is_some());
    assert_eq!(fits(HEAD), None);
}

/// All places that can be reached from one.
fn places(keys: &'static Keys, found: &mut Vec<&'static Keys>) {
    if found.iter().any(|other| std::ptr::eq(*other, keys)) {
        return;
    }
    found.push(keys);
    for key in keys.now {
        if let Shape::Table(inner) | Shape::Lines(inner) | Shape::WordOr(_, inner) = key.shape {
            places(inner, found);
        }
    }
}

#[test]
fn every_key_is_in_the_schema() {
    let schema = schema();
    let mut all = Vec::new();
    places(&TOP, &mut all);
    assert_eq!(all.len(), 12, "{:?}", all.iter().map(|keys| keys.of).collect::<Vec<_>>());
    for keys in all {
        let name = keys.of.trim_start_matches("an ").trim_start_matches("a ").replace(' ', "-");
        let place = if keys.of == TOP.of { &schema } else { &schema["$defs"][&name] };
        let branches = place["oneOf"].as_array().cloned().unwrap_or_else(|| vec![place.clone()]);
        for key in keys.now {
            let there = branches.iter().any(|branch| branch["properties"].get(key.name).is_some());
            assert!(there, "`{}` of {}", key.name, keys.of);
            assert!(!key.says.is_empty() && !key.says.ends_with('.'), "`{}` of {}", key.name, keys.of);
        }
        for kind in keys.kinds {
            let known = |name: &str| keys.now.iter().any(|key| key.name == name);
            assert!(kind.with.iter().copied().all(known), "{}", kind.written());
            assert!(kind.needs.iter().all(|need| kind.with.contains(need)), "{}", kind.written());
            assert!(known(kind.key), "{}", kind.written());
        }
        let sorted = |names: &[&str]| {
            let mut names = names.to_vec();
            names.sort_unstable();
            names.windows(2).all(|pair| pair[0] != pair[1])
        };
        assert!(sorted(&keys.names()) && sorted(keys.later), "{} has a key twice", keys.of);
        assert!(!keys.later.iter().any(|later| keys.names().contains(later)), "{}", keys.of);
    }
    assert_eq!(schema["$schema"], json!("https://json-schema.org/draft/2020-12/schema"));
}
