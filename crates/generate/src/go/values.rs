//! Enumerations as types, constants, and the library's own errors.

use std::collections::HashSet;

use hotcell_model::Interface;
use hotcell_model::api::ConstantValue;
use hotcell_model::layout::WireKind;
use serde::Serialize;

use crate::go::names::Names;
use crate::go::{docs, types};

/// An enumeration as a type of its own: what `enums.go.j2` prints.
#[derive(Serialize)]
pub(crate) struct Enumeration {
    pub(crate) name: String,
    integer: &'static str,
    /// How `strconv` writes one: the function and the type that it takes.
    format: (&'static str, &'static str),
    comment: Vec<String>,
    values: Vec<Value>,
    /// Those whose names show.
    shown: Vec<(String, String)>,
}

/// A named value.
#[derive(Serialize)]
pub(crate) struct Value {
    c_name: String,
    name: String,
    value: String,
}

/// The type of an enumeration.
pub(crate) fn enumeration(interface: &Interface, names: &Names, key: &str, kind: WireKind) -> Enumeration {
    let item = &interface.enums[key];
    let enumerators: Vec<_> = item.enumerators.iter().zip(&names.enumerators[key]).collect();
    let value = |((c_name, value), name): &(&(String, i64), &String)| Value {
        c_name: c_name.clone(),
        name: (*name).clone(),
        value: value.to_string(),
    };
    // Of several names for one value the first shows.
    let mut seen = HashSet::new();
    let shown = enumerators.iter().filter(|((_, value), _)| seen.insert(*value));
    let name = names.enums[key].clone();
    let mut lines =
        vec![format!("{name} is {}. The library may use values that its header does not name.", item.c_name)];
    docs::paragraph(&mut lines, item.doc.as_deref().map(docs::from_header).unwrap_or_default());
    Enumeration {
        integer: types::primitive(kind),
        format: if types::is_signed(kind) { ("FormatInt", "int64") } else { ("FormatUint", "uint64") },
        comment: docs::comment(&lines),
        values: enumerators.iter().map(value).collect(),
        shown: shown.map(|((c_name, _), name)| ((*name).clone(), c_name.clone())).collect(),
        name,
    }
}

/// The constants that belong to no type. They have none either, so that they fit every number.
pub(crate) fn constants(interface: &Interface, names: &Names) -> Vec<Value> {
    let constants = names.constants.iter().map(|(c_name, name)| {
        let value = match &interface.constants[c_name].value {
            ConstantValue::Int(value) => value.to_string(),
            ConstantValue::Uint(value) => value.to_string(),
            ConstantValue::Float(value) => float(*value),
            ConstantValue::Text(value) => text(value),
        };
        Value { c_name: c_name.clone(), name: name.clone(), value }
    });
    constants.collect()
}

/// Values that no constant of Go can have.
pub(crate) fn is_variable(value: &Value) -> bool {
    value.value.starts_with("math.")
}

fn float(value: f64) -> String {
    if value.is_nan() {
        "math.NaN()".into()
    } else if value.is_infinite() {
        format!("math.Inf({})", if value > 0.0 { "1" } else { "-1" })
    } else if value == 0.0 && value.is_sign_negative() {
        "math.Copysign(0, -1)".into()
    } else {
        format!("{value:?}")
    }
}

/// A text as a literal.
pub(crate) fn text(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            letter if letter.is_control() || letter == '\u{feff}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(letter)))
            }
            letter => out.push(letter),
        }
    }
    out.push('"');
    out
}

/// The errors of the library, by code: what `errors.go.j2` prints.
#[derive(Serialize)]
pub(crate) struct Failure {
    name: String,
    code: i64,
    c_name: String,
}

/// Those of all sets.
pub(crate) fn failures(interface: &Interface, names: &Names) -> Vec<Failure> {
    let sets = interface.symbols.iter();
    let failure = |((code, c_name), name): (&(i64, String), &String)| Failure {
        name: name.clone(),
        code: *code,
        c_name: c_name.clone(),
    };
    let all = sets.flat_map(|(key, codes)| codes.iter().zip(&names.errors[key]).map(failure));
    // What is 0 is none.
    all.filter(|failure| failure.code != 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_literals_of_go() {
        assert_eq!(text("say \"x\"\n\\\u{1}é"), r#""say \"x\"\n\\\u0001é""#);
    }

    #[test]
    fn numbers_are_literals_of_go() {
        assert_eq!(float(1.25), "1.25");
        assert_eq!(float(1e300), "1e300");
        assert_eq!(float(f64::NEG_INFINITY), "math.Inf(-1)");
        assert_eq!(float(-0.0), "math.Copysign(0, -1)");
    }
}
