//! Structures of which the headers have the initial value: `lzma_stream strm = LZMA_STREAM_INIT;`, a part of `begun-and-ended`.
//!
//! The macro is called after the structure, and all that is in it is zero, as is the memory in which a worker begins one. Exactly one
//! function is called after the library or the structure and a word for the end, and takes nothing else. What begins one says so in
//! its comment: by the macro, or by a structure that is prepared. Any other function uses one that has begun.

use std::collections::BTreeMap;

use hotcell_model::api::{Api, ConstantValue, Function};

use crate::infer::begun::{Begun, ends, letters};
use crate::infer::names::words;

/// What comments say of a structure with which something begins, besides the macro's name.
const BEGINS_WITH: &[&str] =
    &["properly prepared", "uninitialised", "uninitialized", "zero initialised", "zero initialized"];

/// Words of functions that take a structure back to its beginning, show it, or make another one like it.
const AGAIN: &[&str] = &[
    "check", "clear", "clone", "compare", "copy", "dump", "dup", "get", "is", "print", "reset", "show",
    "size", "swap", "zero",
];

/// The macros with initial values that are zero, by the letters of the structure that they are called after.
pub(super) fn macros(api: &Api) -> BTreeMap<String, &str> {
    let found = api.initializers.iter().filter(|(_, values)| is_zero(api, values)).filter_map(|(name, _)| {
        let all = letters(name);
        let of = ["initializer", "initialiser", "init"].iter().find_map(|end| all.strip_suffix(end))?;
        (!of.is_empty()).then(|| (of.to_owned(), name.as_str()))
    });
    found.collect()
}

/// The functions between which a structure lives that a macro gives its first value: those whose first parameter it is.
pub(super) fn begun(record: &str, initializer: &str, functions: &[&Function]) -> Begun {
    let own = letters(record);
    let end = |function: &&&Function| {
        let stem = ends::stem(function, functions);
        stem.is_some_and(|stem| !stem.is_empty() && own.starts_with(&stem))
    };
    let mut ends = functions.iter().filter(end);
    let (Some(end), None) = (ends.next(), ends.next()) else { return Begun::default() };
    let begins = |function: &&&Function| {
        let doc = function.doc.as_deref().unwrap_or_default();
        let text = doc.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase().replace('-', " ");
        let macro_name = initializer.to_lowercase();
        let with = ["initialised", "initialized"].map(|done| format!("{done} with {macro_name}"));
        let again = words(&function.name).iter().any(|word| AGAIN.contains(&word.as_str()));
        !again
            && (with.iter().any(|with| text.contains(with.as_str()))
                || BEGINS_WITH.iter().any(|phrase| text.contains(phrase)))
    };
    let starts = functions.iter().filter(|function| function.name != end.name).filter(begins);
    let starts: BTreeMap<String, Option<String>> =
        starts.map(|function| (function.name.clone(), Some(end.name.clone()))).collect();
    let stems = ends::stem(end, functions).into_iter().collect();
    Begun { starts, ends: [end.name.clone()].into(), stems, ..Begun::default() }
}

/// Whether initial values in braces are all zero.
fn is_zero(api: &Api, values: &str) -> bool {
    let designated = values.replace(". ", ".");
    let mut words = designated.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '.');
    words.all(|word| {
        let number = word.trim_end_matches(['u', 'U', 'l', 'L', 'f', 'F']).trim_end_matches('.');
        let constant = api.constants.get(word).map(|constant| &constant.value);
        word.is_empty()
            || word == "NULL"
            || word.starts_with('.') && !word[1..].starts_with(|c: char| c.is_ascii_digit())
            || number.parse::<f64>().is_ok_and(|number| number == 0.0)
            || matches!(constant, Some(ConstantValue::Int(0)))
    })
}
