//! How objects of the library come about, for who has passed something else.

use hotcell_generate::python::{NamedFunction, Names};
use hotcell_model::Interface;
use hotcell_model::interface::{Function, Ownership, ResultRole, Role};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::numbers::takes;

/// Functions that are named.
const MOST: usize = 3;

/// What a parameter takes that takes objects.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    /// `a Stmt`.
    pub(crate) what: String,
    /// `.prepare(…) of a Sqlite3 gives one`.
    pub(crate) how: String,
}

impl Wanted {
    /// That something else was passed.
    #[cold]
    pub(crate) fn instead_of(&self, object: &Bound<'_, PyAny>, what: &dyn Fn() -> String) -> PyErr {
        let error = takes(object, &self.what, what);
        match self.how.as_str() {
            "" => error,
            how => PyTypeError::new_err(format!("{}; {how}", error.value(object.py()))),
        }
    }
}

/// What takes objects of a type.
pub(crate) fn of_objects(interface: &Interface, names: &Names, key: &str) -> Wanted {
    let Some(named) = names.objects.get(key) else {
        return Wanted { what: "an object of the library".to_owned(), how: String::new() };
    };
    // One that somebody keeps already is a second best.
    let owned = calls(interface, names, key, |function| gives(function, key, true));
    let found = if owned.is_empty() {
        calls(interface, names, key, |function| gives(function, key, false))
    } else {
        owned
    };
    let how = match found.as_slice() {
        [] => "no function that can be called gives one".to_owned(),
        [one] => format!("{one} gives one"),
        several => format!("{} give one", several.join(" or ")),
    };
    Wanted { what: format!("{} {}", article(&named.name), named.name), how }
}

/// What takes structures that stay in the worker.
pub(crate) fn of_structures(names: &Names, key: &str) -> Wanted {
    let Some(named) = names.structs.get(key) else { return Wanted::default() };
    let name = &named.name;
    Wanted { what: format!("{} {name}", article(name)), how: format!("make one with {name}(library)") }
}

/// How one of those begins, of which the library has none yet.
pub(crate) fn beginning(interface: &Interface, names: &Names, key: &str) -> String {
    let starts = |function: &Function| {
        let starts =
            |role: &Role| matches!(role, Role::Resident { record, starts: Some(_), .. } if record == key);
        function.params.iter().any(|param| starts(&param.role.value))
    };
    let functions = interface.functions.iter().zip(&names.functions);
    let calls = functions.filter(|(function, _)| starts(function));
    let calls: Vec<String> = calls.take(MOST).map(|(_, named)| format!(".{}(…)", named.name)).collect();
    match calls.as_slice() {
        [] => "no function that can be called begins one".to_owned(),
        calls => format!("call its {} first", calls.join(" or ")),
    }
}

/// Functions for which this holds, as they are called. Those that need an object of the same type come last.
fn calls(interface: &Interface, names: &Names, key: &str, holds: impl Fn(&Function) -> bool) -> Vec<String> {
    let functions = interface.functions.iter().zip(&names.functions);
    let mut found: Vec<&NamedFunction> =
        functions.filter(|(function, _)| holds(function)).map(|(_, named)| named).collect();
    found.sort_by_key(|named| (named.owner.as_deref() == Some(key), named.owner.is_some()));
    found.truncate(MOST);
    found.iter().map(|named| call(names, named)).collect()
}

fn call(names: &Names, named: &NamedFunction) -> String {
    let name = &named.name;
    let class = named.owner.as_ref().map(|owner| {
        let object = names.objects.get(owner).map(|of| &of.name);
        object.or_else(|| names.structs.get(owner).map(|of| &of.name))
    });
    match class {
        Some(Some(class)) => format!(".{name}(…) of {} {class}", article(class)),
        _ => format!("library.{name}(…)"),
    }
}

/// Whether a function hands out an object of the type: one that is the caller's then, or any.
fn gives(function: &Function, key: &str, owned: bool) -> bool {
    let fits = |handle: &str, ownership: &Ownership| {
        handle == key && (!owned || matches!(ownership, Ownership::Owned { .. }))
    };
    let returned = match &function.result.value {
        ResultRole::Handle { handle, ownership, .. } => fits(handle, ownership),
        _ => false,
    };
    let hands_out = |role: &Role| match role {
        Role::HandleOut { handle, ownership, .. } => fits(handle, ownership),
        _ => false,
    };
    returned || function.params.iter().any(|param| hands_out(&param.role.value))
}

pub(crate) fn article(name: &str) -> &'static str {
    if name.starts_with(['A', 'E', 'I', 'O', 'U']) { "an" } else { "a" }
}
