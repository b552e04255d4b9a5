//! `cargo dev evidence`: what each inference rule concludes over the header sets of dev/corpus.toml.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::process::{cargo, output, show, step};

/// The keys of a contract that say which functions there are, and nothing about one.
const SELECTS: &[&str] = &["headers", "link", "include", "exclude", "include_dirs", "defines", "prelude"];

/// What a rule concluded.
#[derive(Debug, Default, PartialEq, Eq)]
struct Support {
    functions: usize,
    sets: usize,
}

/// Prints the table: for each rule how many functions, of how many header sets; and for each set how much is bound.
/// With `--update` it writes the table of docs/reference/support.md instead.
pub(crate) fn run(root: &Path, only: &[String]) -> Result<()> {
    if only == ["--update"] {
        return step("evidence", || {
            let mut test = cargo(root, ["test", "--quiet", "-p", "hotcell-cli", "evidence"]);
            show(test.env("HOTCELL_UPDATE_GOLDEN", "1"))
        });
    }
    let text = fs::read_to_string(root.join("dev/corpus.toml")).context("reading dev/corpus.toml")?;
    let corpus: toml::Table = text.parse().context("dev/corpus.toml")?;
    let folder = root.join("target/evidence");
    fs::create_dir_all(&folder).context("making target/evidence")?;
    step("build", || output(&mut cargo(root, ["build", "--quiet", "-p", "hotcell-cli"])).map(drop))?;
    let mut rules: BTreeMap<String, Support> = BTreeMap::new();
    let mut sets = Vec::new();
    for (name, entry) in corpus.iter().filter(|(name, _)| only.is_empty() || only.contains(name)) {
        let example = root.join("examples").join(name).join("bind.toml");
        let selected = match fs::read_to_string(&example) {
            Ok(text) => text.parse().with_context(|| example.display().to_string())?,
            Err(_) => entry.as_table().cloned().unwrap_or_default(),
        };
        let contract = folder.join(format!("{name}.toml"));
        fs::write(&contract, bare(name, &selected)).with_context(|| contract.display().to_string())?;
        let check = ["run", "--quiet", "-p", "hotcell-cli", "--", "check", "--format", "json"];
        let report = output(cargo(root, check).arg(&contract)).with_context(|| format!("checking {name}"))?;
        let report: Value = serde_json::from_str(&report).with_context(|| format!("the report of {name}"))?;
        count(&report, &mut rules);
        sets.push(share(name, &report));
    }
    println!("{}", table(&rules));
    println!("{}", sets.join("\n"));
    Ok(())
}

/// A contract that selects functions and decides nothing.
fn bare(name: &str, selected: &toml::Table) -> String {
    let mut contract = toml::Table::new();
    contract.insert("hotcell".into(), toml::Value::Integer(1));
    contract.insert("library".into(), toml::Value::String(name.into()));
    let keys = selected.iter().filter(|(key, _)| SELECTS.contains(&key.as_str()));
    contract.extend(keys.map(|(key, value)| (key.clone(), value.clone())));
    // The version stands first.
    format!("hotcell = 1\n{}", contract.to_string().replacen("hotcell = 1\n", "", 1))
}

/// Adds what the rules concluded in one header set.
fn count(report: &Value, rules: &mut BTreeMap<String, Support>) {
    let mut own: BTreeMap<&str, usize> = BTreeMap::new();
    for function in report["functions"].as_array().into_iter().flatten() {
        for rule in function["rules"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            *own.entry(rule).or_default() += 1;
        }
    }
    for (rule, functions) in own {
        let support = rules.entry(rule.to_owned()).or_default();
        support.functions += functions;
        support.sets += 1;
    }
}

/// How many functions of a set are bound, of those the library exports.
fn share(name: &str, report: &Value) -> String {
    let summary = |key: &str| report["summary"][key].as_u64().unwrap_or_default();
    let exported = summary("total") - summary("not_exported");
    let percent = 100 * summary("bound") / exported.max(1);
    format!("{name:<12} {:>5} of {exported:>5} bound, {percent} %", summary("bound"))
}

fn table(rules: &BTreeMap<String, Support>) -> String {
    let mut text = format!("{:<32} {:>9} {:>5}\n", "rule", "functions", "sets");
    for (rule, Support { functions, sets }) in rules {
        text.push_str(&format!("{rule:<32} {functions:>9} {sets:>5}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_contract_for_evidence_selects_and_decides_nothing() {
        let example =
            "hotcell = 1\nlibrary = \"z\"\nheaders = [\"zlib.h\"]\nexclude = [\"gz*\"]\nhandle.gzFile = {}\n";
        let text = bare("zlib", &example.parse().unwrap());
        assert!(text.starts_with("hotcell = 1\n"), "{text}");
        let table: toml::Table = text.parse().unwrap();
        let keys: Vec<&str> = table.keys().map(String::as_str).collect();
        assert_eq!(keys, ["exclude", "headers", "hotcell", "library"]);
    }

    #[test]
    fn functions_and_sets_are_counted_by_rule() {
        let report = json!({ "functions": [{ "rules": ["a", "b"] }, { "rules": ["a"] }, {}] });
        let mut rules = BTreeMap::new();
        count(&report, &mut rules);
        count(&report, &mut rules);
        assert_eq!(rules["a"], Support { functions: 4, sets: 2 });
        assert_eq!(rules["b"], Support { functions: 2, sets: 2 });
    }
}
