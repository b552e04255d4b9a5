//! The JSON Schema of a contract, for editors and for whoever writes contracts by program.
//!
//! It is made of the tables that files are read by, so that both know the same keys.

use serde_json::{Map, Value, json};

use crate::contract::keys::{self, Key, Keys, Shape};

/// The schema, draft 2020-12.
pub fn schema() -> Value {
    let mut definitions = Map::new();
    let top = place(&keys::TOP, &mut definitions);
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "bind.toml",
        "description": "A contract of Hotcell: what a C header cannot say about its library.",
    });
    if let (Some(schema), Value::Object(top)) = (schema.as_object_mut(), top) {
        schema.extend(top);
        definitions.insert("expression".into(), expression());
        schema.insert("$defs".into(), Value::Object(definitions));
    }
    schema
}

/// The schema of a table; the tables within go to `definitions`.
fn place(keys: &'static Keys, definitions: &mut Map<String, Value>) -> Value {
    if keys.kinds.is_empty() {
        return closed(keys, &keys.names(), keys.needs, definitions);
    }
    let branches: Vec<Value> = keys
        .kinds
        .iter()
        .map(|kind| {
            let mut needs = vec![kind.key];
            needs.extend(kind.needs);
            let mut names = vec![kind.key];
            names.extend(kind.with);
            let mut branch = closed(keys, &names, &needs, definitions);
            branch["description"] = json!(kind.says);
            let key = keys.now.iter().find(|key| key.name == kind.key);
            branch["properties"][kind.key] = match (kind.word, key.map(|key| key.shape)) {
                (Some(word), _) => json!({"const": word}),
                (None, Some(Shape::Flag)) => json!({"const": true}),
                (None, shape) => value(shape.unwrap_or(Shape::Text), definitions),
            };
            branch
        })
        .collect();
    json!({"description": sentence(keys.of), "oneOf": branches})
}

/// A table that has these of a place's keys and no other.
fn closed(
    keys: &'static Keys,
    names: &[&str],
    needs: &[&str],
    definitions: &mut Map<String, Value>,
) -> Value {
    let mut properties = Map::new();
    for Key { name, shape, says } in keys.now.iter().filter(|key| names.contains(&key.name)) {
        let mut property = value(*shape, definitions);
        property["description"] = json!(format!("{says}."));
        properties.insert((*name).to_owned(), property);
    }
    let mut schema = json!({"type": "object", "properties": properties, "additionalProperties": false});
    if !needs.is_empty() {
        schema["required"] = json!(needs);
    }
    schema
}

/// The schema of what is written behind a key.
fn value(shape: Shape, definitions: &mut Map<String, Value>) -> Value {
    match shape {
        Shape::Version => json!({"const": 1}),
        Shape::Text | Shape::Kind => json!({"type": "string"}),
        Shape::Texts => json!({"type": "array", "items": {"type": "string"}}),
        Shape::Flag => json!({"type": "boolean"}),
        Shape::Size => json!({"anyOf": [{"type": "integer"}, {"$ref": "#/$defs/expression"}]}),
        Shape::Expression => json!({"$ref": "#/$defs/expression"}),
        Shape::Start => json!({"anyOf": [{"const": true}, {"type": "string"}]}),
        Shape::Starts => {
            json!({"type": "object", "additionalProperties": value(Shape::Start, definitions)})
        }
        Shape::TextLists => {
            json!({"type": "object", "additionalProperties": value(Shape::Texts, definitions)})
        }
        Shape::NamedTexts => {
            json!({"type": "object", "additionalProperties": value(Shape::Text, definitions)})
        }
        Shape::Duration => json!({"type": "string", "pattern": "^[0-9]+(ms|s|m)$"}),
        Shape::Count => json!({"type": "integer", "minimum": 1}),
        Shape::Bytes => json!({"anyOf": [
            {"type": "integer", "minimum": 1},
            {"type": "string", "pattern": "^[0-9]+(KiB|MiB|GiB)$"},
        ]}),
        Shape::Words(words) => json!({"type": "array", "items": {"enum": words}}),
        Shape::Word { now, .. } => json!({"enum": now}),
        Shape::Fails(words) => json!({"anyOf": [{"enum": words}, {"$ref": "#/$defs/expression"}]}),
        Shape::Ports => {
            json!({"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": u16::MAX}})
        }
        Shape::WordOr(words, keys) => {
            json!({"anyOf": [value(*words, definitions), reference(keys, definitions)]})
        }
        Shape::Table(keys) => reference(keys, definitions),
        Shape::Lines(keys) => {
            json!({"type": "object", "additionalProperties": reference(keys, definitions)})
        }
    }
}

fn reference(keys: &'static Keys, definitions: &mut Map<String, Value>) -> Value {
    let name = keys.of.trim_start_matches("an ").trim_start_matches("a ").replace(' ', "-");
    if !definitions.contains_key(&name) {
        definitions.insert(name.clone(), Value::Null);
        let schema = place(keys, definitions);
        definitions.insert(name.clone(), schema);
    }
    json!({"$ref": format!("#/$defs/{name}")})
}

fn expression() -> Value {
    json!({
        "type": "string",
        "minLength": 1,
        "description": "Integers, names, fields, calls, sizeof(type), result, errno, + - * / == != < <= > >= && || and \
                        parentheses, as in C.",
    })
}

/// "a handle" as a sentence.
fn sentence(of: &str) -> String {
    let mut letters = of.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    format!("{}.", first.into_iter().chain(letters).collect::<String>())
}

#[cfg(test)]
mod tests;
