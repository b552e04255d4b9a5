//! What a failed call gave all the same.

use std::fmt;

use serde_json::{Map, Value, json};

/// A value that a failed call left in an out parameter.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Output {
    /// NULL, or nowhere.
    Null,
    /// A truth value.
    Bool(bool),
    /// Any integer, enumerators included.
    Int(i128),
    /// A floating-point number.
    Float(f64),
    /// A text.
    Text(String),
    /// Raw data, or a text that is not in its encoding.
    Bytes(Vec<u8>),
    /// The elements of a buffer of numbers, or texts.
    List(Vec<Output>),
    /// The fields of a structure, by name.
    Struct(Vec<(String, Output)>),
}

/// How much is shown of data and lists.
const SHOWN: usize = 32;

impl Output {
    /// As JSON, whole. Data are `{"bytes": n, "hex": "…"}`.
    pub(super) fn to_json(&self) -> Value {
        match self {
            Output::Null => Value::Null,
            Output::Bool(truth) => json!(truth),
            // Between i64::MIN and u64::MAX, as every C integer here.
            Output::Int(number) => match i64::try_from(*number) {
                Ok(number) => json!(number),
                Err(_) => json!(u64::try_from(*number).unwrap_or(u64::MAX)),
            },
            Output::Float(number) if number.is_finite() => json!(number),
            Output::Float(number) => json!(number.to_string()),
            Output::Text(text) => json!(text),
            Output::Bytes(bytes) => {
                let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                json!({ "bytes": bytes.len(), "hex": hex })
            }
            Output::List(values) => values.iter().map(Output::to_json).collect(),
            Output::Struct(fields) => named(fields),
        }
    }
}

/// Named values as a JSON object.
pub(super) fn named(values: &[(String, Output)]) -> Value {
    Value::Object(values.iter().map(|(name, value)| (name.clone(), value.to_json())).collect::<Map<_, _>>())
}

impl fmt::Display for Output {
    /// On one line, long data cut.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Output::Null => f.write_str("null"),
            Output::Bool(truth) => write!(f, "{truth}"),
            Output::Int(number) => write!(f, "{number}"),
            Output::Float(number) => write!(f, "{number:?}"),
            Output::Text(text) => write!(f, "{text:?}"),
            Output::Bytes(bytes) => {
                write!(f, "{} bytes", bytes.len())?;
                for (position, byte) in bytes.iter().take(SHOWN).enumerate() {
                    write!(f, "{}{byte:02x}", if position == 0 { ": " } else { " " })?;
                }
                f.write_str(if bytes.len() > SHOWN { " …" } else { "" })
            }
            Output::List(values) => {
                f.write_str("[")?;
                for (position, value) in values.iter().take(SHOWN).enumerate() {
                    write!(f, "{}{value}", if position == 0 { "" } else { ", " })?;
                }
                f.write_str(if values.len() > SHOWN { ", …]" } else { "]" })
            }
            Output::Struct(fields) => {
                f.write_str("{")?;
                for (position, (name, value)) in fields.iter().enumerate() {
                    write!(f, "{}{name}: {value}", if position == 0 { "" } else { ", " })?;
                }
                f.write_str("}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_as_text_and_as_json() {
        for (value, text, json) in [
            (Output::Null, "null", "null"),
            (Output::Int(u64::MAX.into()), "18446744073709551615", "18446744073709551615"),
            (Output::Float(f64::NAN), "NaN", "\"NaN\""),
            (Output::Text("a\nb".into()), "\"a\\nb\"", "\"a\\nb\""),
            (Output::Bytes(vec![0, 255]), "2 bytes: 00 ff", r#"{"bytes":2,"hex":"00ff"}"#),
            (Output::List(vec![Output::Bool(true), Output::Int(-2)]), "[true, -2]", "[true,-2]"),
            (Output::Struct(vec![("x".into(), Output::Int(1))]), "{x: 1}", r#"{"x":1}"#),
        ] {
            assert_eq!((value.to_string().as_str(), value.to_json().to_string().as_str()), (text, json));
        }
        assert!(Output::Bytes(vec![7; 100]).to_string().ends_with("07 …"));
        assert!(Output::List(vec![Output::Null; 100]).to_string().ends_with("null, …]"));
    }
}
