//! Types of objects: handles, and structures that live in the worker.

use hotcell_model::interface::{CallbackRole, Function, Handle, Ownership, Param, ResultRole, Role};
use serde::Serialize;

use crate::Error;
use crate::go::context::Context;
use crate::go::docs;
use crate::go::function::Method;
use crate::go::names::receiver;
use crate::go::structs::Record;
use crate::shape::missing;
use crate::shape::owner::Owner;

/// What `object.go.j2` and `resident.go.j2` print.
#[derive(Serialize)]
pub(crate) struct Object {
    pub(crate) name: String,
    pub(crate) file: String,
    /// The constant with the number of its type.
    pub(crate) kind: String,
    /// What it goes by in its methods.
    receiver: String,
    comment: Vec<String>,
    /// The function that releases it, if any.
    release: Option<String>,
    /// Whether it is made anew when its worker has ended.
    restores: bool,
    /// Whether a method begins with objects that are.
    begins_with: bool,
    pub(crate) methods: Vec<Method>,
    /// The fields, when it is a structure that lives in the worker.
    pub(crate) record: Option<Record>,
    /// Whether it has methods that call.
    is_receiver: bool,
    /// How one begins, behind "is not there yet: " or "is nil: ".
    beginnings: String,
}

/// How many methods are named at most that give an object.
const FEW: usize = 3;

/// The type of the object `key`; `methods` are its functions.
pub(crate) fn object(
    context: &Context<'_>,
    key: &str,
    methods: Vec<Method>,
    record: Option<Record>,
) -> Result<Object, Error> {
    let handle = context.interface.handles.get(key).ok_or_else(|| missing(key, "handle type", key))?;
    let names = context.names.borrow();
    let name = names.objects[key].clone();
    Ok(Object {
        file: names.files[key].clone(),
        kind: names.kind(key),
        receiver: receiver(&name),
        comment: docs::comment(&documentation(context, key, handle, (&name, record.is_some()))),
        release: handle.release.clone(),
        restores: handle.restore.is_some(),
        begins_with: methods.iter().any(|method| method.begins_with),
        is_receiver: !methods.is_empty(),
        methods,
        beginnings: match record {
            Some(_) => beginnings(context, key),
            None => givers(context, key),
        },
        record,
        name,
    })
}

/// The methods with which an object begins, as advice.
fn beginnings(context: &Context<'_>, key: &str) -> String {
    let begins = |function: &Function| {
        function.params.iter().any(|param| {
            matches!(&param.role.value, Role::Resident { record, starts: Some(_), .. } if record == key)
        })
    };
    let names = context.names.borrow();
    let functions = context.interface.functions.iter().zip(&names.methods);
    let methods: Vec<&str> =
        functions.filter(|(function, _)| begins(function)).map(|(_, name)| name.as_str()).collect();
    match methods.join(" or ").as_str() {
        "" => "no function of the contract begins one".into(),
        methods => format!("call {methods} first"),
    }
}

/// The methods that give one, as advice: those that give one that is the caller's, if there are such, and some of them where there are many.
fn givers(context: &Context<'_>, key: &str) -> String {
    let functions = &context.interface.functions;
    let all = |owned: bool| -> Vec<usize> {
        (0..functions.len()).filter(|&index| gives(&functions[index], key, owned)).collect()
    };
    let mut found = all(true);
    if found.is_empty() {
        found = all(false);
    }
    let names = context.names.borrow();
    let method = |&index: &usize| {
        let of = Owner::of(&functions[index]).key().and_then(|key| names.objects.get(key));
        format!("{}.{}", of.map_or("Library", String::as_str), names.methods[index])
    };
    let methods: Vec<String> = found.iter().take(FEW).map(method).collect();
    match methods.as_slice() {
        [] if functions.iter().any(|function| lends(function, key)) => {
            "the library passes one to callbacks, and no method gives one".into()
        }
        [] => "no method gives one".into(),
        [one] => format!("{one} gives one"),
        _ if found.len() > FEW => format!("{} and others give one", methods.join(", ")),
        [others @ .., last] => format!("{} and {last} give one", others.join(", ")),
    }
}

/// Whether a function hands an object of this type out: one that is the caller's then, or any.
fn gives(function: &Function, key: &str, owned: bool) -> bool {
    let fits = |handle: &str, ownership: &Ownership| {
        handle == key && (!owned || matches!(ownership, Ownership::Owned { .. }))
    };
    let returned = match &function.result.value {
        ResultRole::Handle { handle, ownership, .. } => fits(handle, ownership),
        _ => false,
    };
    let hands_out = |param: &Param| match &param.role.value {
        Role::HandleOut { handle, ownership, .. } => fits(handle, ownership),
        _ => false,
    };
    returned || function.params.iter().any(hands_out)
}

/// Whether a callback of a function is passed one.
fn lends(function: &Function, key: &str) -> bool {
    let of = |role: &CallbackRole| match role {
        CallbackRole::Handle { handle, .. } | CallbackRole::Handles { handle, .. } => handle == key,
        _ => false,
    };
    function.params.iter().any(|param| match &param.role.value {
        Role::Callback { callback, .. } => callback.params.iter().any(|param| of(&param.role)),
        _ => false,
    })
}

fn documentation(
    context: &Context<'_>,
    key: &str,
    handle: &Handle,
    (name, resident): (&str, bool),
) -> Vec<String> {
    let doc = match context.interface.structs.get(key) {
        Some(record) => record.doc.as_deref().or(handle.doc.as_deref()),
        None => handle.doc.as_deref(),
    };
    let what = if resident { "a structure that lives in the worker" } else { "an object of the library" };
    let mut lines = vec![format!("{name} is {what}: {} in C.", handle.c_type)];
    docs::paragraph(&mut lines, doc.map(docs::from_header).unwrap_or_default());
    let mut life = Vec::new();
    if resident {
        life.push("Its fields are here, and go there and back with each call.".to_owned());
    }
    if let Some(release) = &handle.release {
        life.push(format!(
            "Close releases one that is the caller's, by {release}; what nobody closes is released when it is garbage."
        ));
    }
    if let Some(restore) = &handle.restore {
        let also =
            if restore.configure.is_empty() { "" } else { ", and behind it those that have configured it" };
        life.push(format!(
            "When its worker has ended, the next call that waits makes it anew: the call that made it ({}) is made again{also}. Everything else that the library knew of it is lost; Restored counts that.",
            restore.by.join(", ")
        ));
    }
    let names = context.names.borrow();
    if let Some(parent) = handle.parent.as_ref().and_then(|parent| names.objects.get(parent)) {
        life.push(format!("It keeps the [{parent}] that it belongs to."));
    }
    docs::paragraph(&mut lines, life);
    lines
}
