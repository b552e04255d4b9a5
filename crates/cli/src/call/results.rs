//! Results for people and for programs.

use std::path::PathBuf;

use hotcell::Heap;
use hotcell::dynamic::{Outcome, Value};
use hotcell_model::interface::{Function, ResultRole};
use serde_json::{Map, Value as Json, json};

use crate::args::Format;
use crate::print;

/// Bytes shown of a buffer.
const SHOWN: usize = 32;

pub(super) fn outcome(
    function: &Function,
    outcome: &Outcome,
    written: &[(String, PathBuf)],
    format: Format,
    heap: Option<&Heap>,
) -> String {
    match format {
        Format::Text => {
            let heap = heap.map_or_else(String::new, |heap| format!("{heap}\n"));
            text(function, outcome, written) + &heap
        }
        Format::Json => {
            let mut json = to_json(function, outcome, written);
            if let Some(heap) = heap {
                json["heap"] = heap.to_json();
            }
            print::json(&json)
        }
    }
}

fn text(function: &Function, outcome: &Outcome, written: &[(String, PathBuf)]) -> String {
    let mut rows: Vec<(&str, String)> = Vec::new();
    match (&outcome.returned, &function.result.value) {
        (Some(value), _) => rows.push(("return", shown("return", value, written))),
        (None, ResultRole::Void) if outcome.outs.is_empty() => rows.push(("return", "nothing".into())),
        (None, ResultRole::Status) if outcome.outs.is_empty() => rows.push(("return", "success".into())),
        (None, _) => {}
    }
    rows.extend(outcome.outs.iter().map(|(name, value)| (name.as_str(), shown(name, value, written))));
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    rows.iter().map(|(name, text)| format!("{name:width$}  {text}\n")).collect()
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
fn plain(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(truth) => truth.to_string(),
        Value::Int(number) if *number > 9 => format!("{number} ({number:#x})"),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => float(*number),
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
        Value::Handle(handle) => format!("handle {}", handle.type_name()),
        Value::Struct(fields) => {
            let shown = fields.iter().map(|(name, value)| match name.as_str() {
                "" => plain(value),
                name => format!("{name}: {}", plain(value)),
            });
            format!("{{{}}}", shown.collect::<Vec<_>>().join(", "))
        }
        Value::Callback | Value::Kept(_) => "callback".into(),
    }
}

/// All digits that tell the number from its neighbours, and no row of zeros: `2`, `0.1`, `5e-324`.
fn float(number: f64) -> String {
    let text = format!("{number:?}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

pub(super) fn to_json(function: &Function, outcome: &Outcome, written: &[(String, PathBuf)]) -> Json {
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

/// A value as JSON, whole.
pub(super) fn json_of(value: &Value) -> Json {
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
        Value::Handle(handle) => json!({ "handle": handle.type_name() }),
        Value::Struct(fields) => {
            let fields = fields.iter().map(|(name, value)| (name.clone(), json_of(value)));
            Json::Object(fields.collect())
        }
        Value::Callback | Value::Kept(_) => json!("callback"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_short_and_whole() {
        let check = |number, expect| assert_eq!(float(number), expect);
        check(2.0, "2");
        check(-0.0, "-0");
        check(0.1, "0.1");
        check(5e-324, "5e-324");
        check(1e300, "1e300");
        check(f64::NEG_INFINITY, "-inf");
        check(f64::NAN, "NaN");
    }
}
