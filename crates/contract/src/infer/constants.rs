//! The rule `library-constant`: `const EVP_MD *EVP_sha256(void)`.
//!
//! A library that has a table of objects has a function for each of them: it takes nothing, and what it returns is `const`.
//! One such function may return what is current, or what was set last, and that may be gone later. So there must be several
//! of one type, none of which is called like one that finds, makes or asks, and nothing ends an object of the type that is
//! `const`. Since a handle does not know that it is `const`, functions that may change such an object are asked about.

use std::collections::BTreeMap;

use hotcell_model::Fact;
use hotcell_model::api::{Api, Function};
use hotcell_model::interface::{Ownership, ResultRole};
use hotcell_model::types::Type;

use crate::infer::endings::{Ending, ending};
use crate::infer::names::{function_words, words};
use crate::infer::view::{View, shown};
use crate::infer::words::objects::{CONSTRUCTORS, COPIES, FINDS, LOOKS, MAKES, SHARES};
use crate::infer::{Draft, comments};

/// How many functions make a table.
const TABLE: usize = 5;

/// Words of functions whose object is another one tomorrow.
const CHANGES: &[&str] = &[
    "active",
    "cached",
    "chosen",
    "config",
    "context",
    "effective",
    "errno",
    "error",
    "focus",
    "focused",
    "foreground",
    "latest",
    "locale",
    "main",
    "newest",
    "now",
    "oldest",
    "own",
    "pending",
    "preferred",
    "primary",
    "recent",
    "scratch",
    "secondary",
    "selected",
    "session",
    "settings",
    "state",
    "status",
    "temp",
    "temporary",
    "that",
    "theme",
    "this",
    "thread",
    "tmp",
    "top",
    "user",
    "who",
];

/// The types of which the library has a table of objects, by their records, each with a function that returns one.
pub(crate) fn families(api: &Api) -> impl Iterator<Item = (&str, &str)> {
    let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for function in &api.functions {
        if let Some(record) = constant(function).filter(|_| !is_set(api, function)) {
            found.entry(record).or_default().push(&function.name);
        }
    }
    let table = move |record: &str| {
        let opaque = api.records.get(record).is_some_and(|record| record.layout.is_none());
        opaque && !api.functions.iter().any(|function| ends(function, record))
    };
    let families = found.into_iter().filter(move |(record, names)| names.len() >= TABLE && table(record));
    families.map(|(record, names)| (record, names[0]))
}

/// Finds results that are the library's own.
pub(super) fn apply(view: &View<'_>, draft: &mut Draft) {
    let handle = view.known.handles.of_pointer(&view.function.result);
    let Some(handle) =
        handle.filter(|handle| draft.result.is_none() && !view.known.handles.says_makers(handle))
    else {
        return;
    };
    if constant(view.function).is_some()
        && !is_set(view.known.api, view.function)
        && view.known.handles.constant_of(handle).is_some()
    {
        let role = ResultRole::Handle {
            handle: handle.to_owned(),
            ownership: Ownership::Library,
            parent: None,
            nullable: true,
        };
        draft.result = Some(Fact::inferred(role, "library-constant"));
    }
}

/// The structure of which a function seems to return a constant.
fn constant(function: &Function) -> Option<&str> {
    let (pointee, true) = function.result.pointee()? else { return None };
    let Type::Record { name } = &pointee.kind else { return None };
    let said = [CHANGES, CONSTRUCTORS, COPIES, FINDS, LOOKS, MAKES, SHARES];
    let words = function_words(&function.name);
    let changes = words.iter().any(|word| said.iter().any(|list| list.contains(&word.as_str())));
    let plain = function.params.is_empty() && function.prototyped && shown(&function.result);
    let passes = comments::passes(function) || comments::lent(function) || comments::owner(function);
    (plain && !changes && !passes && ending(&function.name).is_none()).then_some(name)
}

/// Whether another function sets what this one returns: `set_unit(unit)` beside `unit(void)`.
fn is_set(api: &Api, function: &Function) -> bool {
    let own = words(&function.name);
    api.functions.iter().any(|other| {
        let name = words(&other.name);
        let sets = name
            .iter()
            .any(|word| ["change", "choose", "select", "set", "switch", "use"].contains(&word.as_str()));
        sets && own.iter().all(|word| name.contains(word))
    })
}

/// Whether a function may end an object of this kind that is `const`.
fn ends(function: &Function, record: &str) -> bool {
    let takes = function.params.iter().any(|param| match param.ty.pointee() {
        Some((pointee, true)) => matches!(&pointee.kind, Type::Record { name } if name == record),
        _ => false,
    });
    takes && ending(&function.name).is_some_and(|(ending, _)| ending >= Ending::Closes)
}
