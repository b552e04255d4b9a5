//! Enumerations as types, and constants.

use std::collections::HashSet;

use hotcell_model::Interface;
use hotcell_model::api::ConstantValue;
use serde::Serialize;

use crate::rust::names::Names;
use crate::rust::{docs, format};

/// An enumeration as a type of its own: what `enum.rs.j2` prints.
#[derive(Serialize)]
pub(crate) struct Enumeration {
    pub(crate) name: String,
    integer: &'static str,
    docs: Vec<String>,
    c_name: String,
    values: Vec<Value>,
    /// Arms of a match that give values their names.
    names: Vec<String>,
}

/// A named value.
#[derive(Serialize)]
pub(crate) struct Value {
    c_name: String,
    /// Whether its Rust name has small letters.
    lower: bool,
    lines: Vec<String>,
}

impl Value {
    fn new(indent: usize, c_name: &str, name: &str, ty: &str, value: &str) -> Self {
        let lower = name.contains(|letter: char| letter.is_lowercase());
        let lines = format::constant(indent, &format!("pub const {name}: {ty}"), value);
        Value { c_name: c_name.to_owned(), lower, lines }
    }
}

/// The type of an enumeration.
pub(crate) fn enumeration(
    interface: &Interface,
    names: &Names,
    key: &str,
    integer: &'static str,
) -> Enumeration {
    let item = &interface.enums[key];
    let enumerators = || item.enumerators.iter().zip(&names.enumerators[key]);
    let value = |((c_name, value), name): (&(String, i64), &String)| {
        Value::new(4, c_name, name, "Self", &format!("Self({value})"))
    };
    // Of several names for one value the first shows.
    let mut seen = HashSet::new();
    let first = |((_, value), _): &(&(String, i64), &String)| seen.insert(*value);
    let arm = |((_, value), name): (&(String, i64), &String)| format!("{value} => f.write_str({name:?}),");
    Enumeration {
        name: names.enums[key].clone(),
        integer,
        docs: item.doc.as_deref().map(docs::from_header).unwrap_or_default(),
        c_name: item.c_name.clone(),
        values: enumerators().map(value).collect(),
        names: enumerators().filter(first).map(arm).collect(),
    }
}

/// The constants that belong to no type, in the smaller of `i32` and `i64` where they are integers.
pub(crate) fn constants(interface: &Interface, names: &Names) -> Vec<Value> {
    let constants = names.constants.iter().map(|(c_name, name)| {
        let (ty, value) = match &interface.constants[c_name].value {
            ConstantValue::Int(value) if i32::try_from(*value).is_ok() => ("i32", value.to_string()),
            ConstantValue::Int(value) => ("i64", value.to_string()),
            ConstantValue::Uint(value) => ("u64", value.to_string()),
            ConstantValue::Float(value) => ("f64", float(*value)),
            ConstantValue::Text(value) => ("&str", format!("{value:?}")),
        };
        Value::new(0, c_name, name, ty, &value)
    });
    constants.collect()
}

fn float(value: f64) -> String {
    if value.is_nan() {
        "f64::NAN".into()
    } else if value.is_infinite() {
        if value > 0.0 { "f64::INFINITY".into() } else { "f64::NEG_INFINITY".into() }
    } else {
        format!("{value:?}")
    }
}
