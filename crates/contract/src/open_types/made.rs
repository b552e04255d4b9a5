//! Whether callers get a structure from the library, or make it themselves; and then what begins and what ends one.

use hotcell_model::api::{Api, Function};
use hotcell_model::types::{CType, Type};

use crate::infer;

/// Whether a function gives callers a pointer to such a structure.
pub(super) fn is_given(api: &Api, key: &str) -> bool {
    api.functions.iter().any(|function| {
        leads(&function.result, key) || function.params.iter().any(|param| out(&param.ty, key))
    })
}

/// Whether a callback gives callers one, or another structure has a pointer to one, or a function that is given one.
pub(super) fn is_in_another(api: &Api, key: &str) -> bool {
    let in_callback = |function: &Function| function.params.iter().any(|param| calls_with(&param.ty, key));
    api.functions.iter().any(in_callback)
        || api.records.iter().filter(|(own, _)| own.as_str() != key).any(|(_, record)| {
            let fields = record.layout.iter().flat_map(|layout| &layout.fields);
            { fields }.any(|field| leads(&field.ty, key) || calls_with(&field.ty, key))
        })
}

/// The lines that have such a structure stay in the worker: of the functions that wait for it, one that takes nothing else ends it, and
/// others are called like ones that begin it.
pub(super) fn resident(api: &Api, waiting: &[String], key: &str, name: &str) -> Option<String> {
    let there = |function: &&Function| waiting.contains(&function.name);
    let takes = |function: &&Function| {
        let own = function.params.iter().filter(|param| leads(&param.ty, key));
        own.count() == 1
            && function.params.iter().all(|param| {
                !leads(&param.ty, key) || param.ty.pointee().is_some_and(|(_, constant)| !constant)
            })
    };
    let functions: Vec<&Function> = api.functions.iter().filter(there).filter(takes).collect();
    let begins = |function: &Function| {
        let at = function.params.iter().position(|param| leads(&param.ty, key));
        at.is_some_and(|at| infer::may_begin(function, at))
    };
    let is_end = |function: &&&Function| {
        function.params.len() == 1 && infer::may_end(&function.name) && !begins(function)
    };
    let mut ends = functions.iter().filter(is_end);
    let (Some(end), None) = (ends.next(), ends.next()) else { return None };
    let others = || functions.iter().filter(|function| function.name != end.name && begins(function));
    // Beside `ds_init` no `ds_open` begins one: it is called behind that.
    let initialized = others().any(|function| infer::initializes(&function.name));
    let starts: Vec<String> = others()
        .filter(|function| !initialized || infer::initializes(&function.name))
        .map(|function| format!("\"{}\" = \"{}\"", function.name, end.name))
        .collect();
    let layout = api.records.get(key).filter(|record| !record.union)?.layout.as_ref()?;
    let own = |ty: &CType| !ty.is_scalar() && ty.array().is_none_or(|(element, _)| !element.is_scalar());
    let own: Vec<&str> = layout
        .fields
        .iter()
        .filter(|field| own(&field.ty))
        .filter_map(|field| field.name.as_deref())
        .collect();
    let fields = match &own[..] {
        [] => String::new(),
        [one] => format!("\nfields.{one} = {{ own = true }}"),
        several => format!("\nfields.\"{{{}}}\" = {{ own = true }}", several.join(",")),
    };
    let starts = starts.join(", ");
    (!starts.is_empty())
        .then(|| format!("[struct.{name}]\nresident = true\nstarted_by = {{ {starts} }}{fields}"))
}

/// Whether a type is a pointer to the structure.
fn leads(ty: &CType, key: &str) -> bool {
    ty.pointee().and_then(|(pointee, _)| pointee.record()) == Some(key)
}

/// Whether one comes out through a pointer.
fn out(ty: &CType, key: &str) -> bool {
    ty.pointee().is_some_and(|(pointer, constant)| !constant && leads(pointer, key))
}

/// Whether a function of the caller's is given one.
fn calls_with(ty: &CType, key: &str) -> bool {
    match &ty.kind {
        Type::FunctionPointer { signature } => signature.params.iter().any(|(_, ty)| leads(ty, key)),
        _ => false,
    }
}
