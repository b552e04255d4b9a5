//! The rule `library-constant`: `const EVP_MD *EVP_sha256(void)`.
//!
//! A library that has a table of objects has a function for each of them: it takes nothing, and what it returns is `const`.
//! One such function may return what is current, or what was set last, and that may be gone later. So there must be several
//! of one type, none of which is called like one that finds, makes or asks, and nothing ends an object of the type that is
//! `const`. Since a handle does not know that it is `const`, functions that may change such an object are asked about.

use std::collections::{BTreeMap, BTreeSet};

use hotcell_model::Fact;
use hotcell_model::api::{Api, Function};
use hotcell_model::interface::{Ownership, ResultRole};
use hotcell_model::types::CType;

use crate::infer::functions::{Functions, Name, Named};
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
pub(crate) fn families<'a>(
    api: &'a Api,
    functions: &Functions<'a>,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut ended: BTreeSet<&str> = BTreeSet::new();
    for Named { function, name } in functions.iter() {
        if let Some(record) = constant(function, name).filter(|_| !is_set(functions, name)) {
            found.entry(record).or_default().push(&function.name);
        }
        if name.closes() {
            ended.extend(function.params.iter().filter_map(|param| constant_record(&param.ty)));
        }
    }
    let table = move |record: &str| {
        let opaque = api.records.get(record).is_some_and(|record| record.layout.is_none());
        opaque && !ended.contains(record)
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
    let name = view.function_name();
    if constant(view.function, name).is_some()
        && view.known.handles.constant_of(handle).is_some()
        && !is_set(view.known.functions, name)
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
fn constant<'a>(function: &'a Function, name: &Name) -> Option<&'a str> {
    let record = constant_record(&function.result)?;
    let said = [CHANGES, CONSTRUCTORS, COPIES, FINDS, LOOKS, MAKES, SHARES];
    let changes = said.iter().any(|list| name.says(list));
    let plain = function.params.is_empty() && function.prototyped && shown(&function.result);
    let passes = comments::passes(function) || comments::lent(function) || comments::owner(function);
    (plain && !changes && !passes && name.ending.is_none()).then_some(record)
}

/// Whether another function sets what this one returns: `set_unit(unit)` beside `unit(void)`.
fn is_set(functions: &Functions<'_>, name: &Name) -> bool {
    let sets = ["change", "choose", "select", "set", "switch", "use"];
    functions.with_all(&name.words).any(|other| other.name.has(&sets))
}

/// The structure behind a pointer to what is `const`.
fn constant_record(ty: &CType) -> Option<&str> {
    match ty.pointee()? {
        (pointee, true) => pointee.record(),
        _ => None,
    }
}
