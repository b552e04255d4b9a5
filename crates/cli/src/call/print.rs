//! Results for people and for programs.

use std::path::PathBuf;

use hotcell::dynamic::{Outcome, Value};
use hotcell_model::interface::{Function, ResultRole};
use serde_json::{Map, Value as Json, json};

use crate::args::Format;

/// Bytes shown of a buffer.
const SHOWN: usize = 32;

pub(super) fn outcome(function: &Function, outcome: &Outcome, written: &[(String, PathBuf)], format: Format) {
    match format {
        Format::Text => text(function, outcome, written),
        Format::Json => println!("{:#}", to_json(function, outcome, written)),
    }
}

fn text(function: &Function, outcome: &Outcome, written: &[(String, PathBuf)]) {
    let mut rows: Vec<(&str, String)> = Vec::new();
    match (&outcome.returned, &function.result.value) {
        (Some(value), _) => rows.push(("return", shown("return", value, written))),
        (None, ResultRole::Void) if outcome.outs.is_empty() => rows.push(("return", "nothing".into())),
        (None, ResultRole::Status) if outcome.outs.is_empty() => rows.push(("return", "success".into())),
        (None, _) => {}
    }
    rows.extend(outcome.outs.iter().map(|(name, value)| (name.as_str(), shown(name, value, written))));
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, text) in rows {
        println!("{name:width$}  {text}");
    }
}

fn shown(name: &str, value: &Value, written: &[(String, PathBuf)]) -> String {
    let file = written.iter().find(|(out, _)| out == name).map(|(_, path)| path);
    match (value, file) {
        (Value::Bytes(bytes), Some(path)) => format!("{} bytes, written to {}", bytes.len(), path.display()),
        (Value::Text(text), Some(path)) => format!("{} bytes, written to {}", text.len(), path.display()),
        (value, _) => plain(value),
    }
}

/// A value on one line.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(truth) => truth.to_string(),
        Value::Int(number) if *number > 9 => format!("{number} ({number:#x})"),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Text(text) => format!("{text:?}"),
        Value::Bytes(bytes) => {
            let hex: Vec<String> = bytes.iter().take(SHOWN).map(|byte| format!("{byte:02x}")).collect();
            let more = if bytes.len() > SHOWN { " …" } else { "" };
            let colon = if bytes.is_empty() { "" } else { ": " };
            format!("{} bytes{colon}{}{more}", bytes.len(), hex.join(" "))
        }
        Value::List(values) => {
            let shown: Vec<String> = values.iter().take(SHOWN).map(plain).collect();
            let more = if values.len() > SHOWN { ", …" } else { "" };
            format!("[{}{more}]", shown.join(", "))
        }
    }
}

fn to_json(function: &Function, outcome: &Outcome, written: &[(String, PathBuf)]) -> Json {
    let entry = |name: &str, value: &Value| {
        let mut json = json_of(value);
        let file = written.iter().find(|(out, _)| out == name);
        if let (Json::Object(fields), Some((_, path))) = (&mut json, file) {
            fields.insert("file".into(), json!(path));
        }
        json
    };
    let outs: Map<String, Json> =
        outcome.outs.iter().map(|(name, value)| (name.clone(), entry(name, value))).collect();
    json!({
        "function": function.name,
        "return": outcome.returned.as_ref().map(|value| entry("return", value)),
        "out": outs,
    })
}

fn json_of(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(truth) => json!(truth),
        // Between i64::MIN and u64::MAX, as every C integer here.
        Value::Int(number) => match i64::try_from(*number) {
            Ok(number) => json!(number),
            Err(_) => json!(u64::try_from(*number).unwrap_or(u64::MAX)),
        },
        Value::Float(number) if number.is_finite() => json!(number),
        Value::Float(number) => json!(number.to_string()),
        Value::Text(text) => json!(text),
        Value::Bytes(bytes) => {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            json!({ "bytes": bytes.len(), "hex": hex })
        }
        Value::List(values) => values.iter().map(json_of).collect(),
    }
}
