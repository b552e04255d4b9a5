//! Values of a call, wherever it is made: in this process, or in a program in another language.

use std::sync::Arc;

use hotcell::dynamic;
use hotcell::rt::Handle;
use serde_json::{Value as Json, json};

use crate::via::driver::{Driver, Lent};

/// A value of an argument or result.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    List(Vec<Value>),
    /// The callback that is given with the call.
    Callback,
    Object(Object),
}

/// An object of the library.
#[derive(Debug, Clone)]
pub(crate) enum Object {
    Here(Handle),
    There(Arc<Lent>),
}

/// A function of the caller's for the library to call, with its arguments.
pub(crate) type Callback<'a> = dyn FnMut(&[Value]) -> Result<Value, String> + 'a;

/// A text of more bytes, all the same letter of ASCII, is said by that and their number.
const LONG: usize = 4096;

/// What a call gave back: the returned value first, where there is one, then what parameters were filled with.
#[derive(Debug, Clone)]
pub(crate) struct Outcome(pub(crate) Vec<Value>);

impl Outcome {
    /// Of a call that was made by name.
    pub(crate) fn of(outcome: dynamic::Outcome) -> Outcome {
        let outs = outcome.outs.into_iter().map(|(_, value)| value);
        Outcome(outcome.returned.into_iter().chain(outs).map(Value::from).collect())
    }
}

impl Value {
    /// As a call by name takes it.
    pub(crate) fn dynamic(&self) -> dynamic::Value {
        match self {
            // An object of another program is none of this one's: no row passes one.
            Value::Null | Value::Object(Object::There(_)) => dynamic::Value::Null,
            Value::Bool(truth) => dynamic::Value::Bool(*truth),
            Value::Int(number) => dynamic::Value::Int(*number),
            Value::Float(number) => dynamic::Value::Float(*number),
            Value::Text(text) => dynamic::Value::Text(text.clone()),
            Value::Bytes(bytes) => dynamic::Value::Bytes(bytes.clone()),
            Value::List(values) => dynamic::Value::List(values.iter().map(Value::dynamic).collect()),
            Value::Callback => dynamic::Value::Callback,
            Value::Object(Object::Here(handle)) => dynamic::Value::Handle(handle.clone()),
        }
    }

    /// As a driver takes it: the values of the conformance grid.
    pub(crate) fn json(&self) -> Json {
        match self {
            Value::Null | Value::Object(Object::Here(_)) => Json::Null,
            Value::Bool(truth) => json!(truth),
            Value::Int(number) => json!({ "int": number.to_string() }),
            Value::Float(number) => json!({ "float": number.to_string() }),
            // Megabytes need not go through a pipe.
            Value::Text(text) if text.len() > LONG && text.bytes().all(|byte| byte == text.as_bytes()[0]) => {
                json!({ "repeat": text[..1], "times": text.len() })
            }
            Value::Text(text) => json!(text),
            Value::Bytes(bytes) => {
                json!({ "bytes": bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>() })
            }
            Value::List(values) => values.iter().map(Value::json).collect(),
            Value::Callback => json!({ "callback": true }),
            Value::Object(Object::There(object)) => json!({ "object": object.id() }),
        }
    }

    /// What a driver says; `None` where that is no value.
    pub(crate) fn said(driver: &Arc<Driver>, said: &Json) -> Option<Value> {
        let of_map = |name: &str, said: &Json| match name {
            "int" => said.as_str()?.parse().ok().map(Value::Int),
            "float" => said.as_str()?.parse().ok().map(Value::Float),
            "bytes" => bytes(said.as_str()?).map(Value::Bytes),
            "object" => Some(Value::Object(Object::There(Arc::new(Lent::of(driver, said.as_u64()?))))),
            _ => None,
        };
        match said {
            Json::Null => Some(Value::Null),
            Json::Bool(truth) => Some(Value::Bool(*truth)),
            Json::String(text) => Some(Value::Text(text.clone())),
            Json::Array(items) => {
                items.iter().map(|item| Value::said(driver, item)).collect::<Option<_>>().map(Value::List)
            }
            Json::Object(fields) => fields.iter().next().and_then(|(name, said)| of_map(name, said)),
            Json::Number(_) => None,
        }
    }
}

/// Bytes that were written in hexadecimal.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok());
    pairs.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect()
}

impl From<dynamic::Value> for Value {
    fn from(value: dynamic::Value) -> Value {
        match value {
            dynamic::Value::Bool(truth) => Value::Bool(truth),
            dynamic::Value::Int(number) => Value::Int(number),
            dynamic::Value::Float(number) => Value::Float(number),
            dynamic::Value::Text(text) => Value::Text(text),
            dynamic::Value::Bytes(bytes) => Value::Bytes(bytes),
            dynamic::Value::List(values) => Value::List(values.into_iter().map(Value::from).collect()),
            dynamic::Value::Handle(handle) => Value::Object(Object::Here(handle)),
            // No row looks at others.
            dynamic::Value::Null
            | dynamic::Value::Struct(_)
            | dynamic::Value::Callback
            | dynamic::Value::Kept(_) => Value::Null,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_in_pairs() {
        assert_eq!(bytes("00ff7f"), Some(vec![0, 255, 127]));
        assert_eq!(bytes(""), Some(vec![]));
        assert_eq!(bytes("0g"), None);
    }

    #[test]
    fn values_are_said_as_the_conformance_grid_says_them() {
        let list = Value::List(vec![Value::Int(-5), Value::Null, Value::Bytes(vec![1, 255])]);
        assert_eq!(list.json(), json!([{ "int": "-5" }, null, { "bytes": "01ff" }]));
        assert_eq!(Value::Text("x".repeat(5000)).json(), json!({ "repeat": "x", "times": 5000 }));
        assert_eq!(Value::Text("xx".into()).json(), json!("xx"));
        assert_eq!(Value::Float(1.5).json(), json!({ "float": "1.5" }));
        assert_eq!(Value::Float(f64::NAN).json(), json!({ "float": "NaN" }));
    }
}
