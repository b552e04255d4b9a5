//! The rule `default-allocator`: functions that allocate, where the comment says that NULL means the library's own.
//!
//! `BrotliEncoderCreateInstance(alloc_func, free_func, opaque)`: "In the case they are both zero, default memory allocators are
//! used". `lzma_index_append(i, allocator, …)`: "Set to NULL to use malloc() and free()". What a worker allocates with must be
//! in the worker, so that no caller has anything else to pass.
//!
//! What the comments of three functions say of a structure under one name holds for those that say nothing of it:
//! `lzma_index_end(i, allocator)`.

use hotcell_model::Fact;
use hotcell_model::api::{Api, Function, Param};
use hotcell_model::interface::Role;
use hotcell_model::types::{CType, Type};

use crate::infer::Draft;
use crate::infer::names::words;
use crate::infer::view::{View, decided};

/// Parts of the names of functions that allocate or release.
const ALLOCATES: &[&str] = &["alloc", "free"];

/// Names of what the library hands back to them.
const HANDED_BACK: &[&str] = &["arg", "context", "ctx", "data", "opaque", "priv", "userdata"];

/// Functions that must say of a structure that it may be NULL until the others need not.
const SAYINGS: usize = 3;

/// Finds allocators that are NULL.
pub(super) fn apply(view: &View<'_>, draft: &mut Draft) {
    let all = || 0..view.function.params.len();
    let mut found: Vec<usize> = Vec::new();
    if view.function.doc.as_deref().is_some_and(says_default) {
        // All functions that it takes allocate, or none of them is known to.
        let functions: Vec<usize> = all().filter(|&index| is_function(view, index)).collect();
        let allocates = |&index: &usize| {
            let name = view.words(index).concat();
            ALLOCATES.iter().any(|part| name.contains(part))
        };
        if functions.len() > 1 && functions.iter().all(allocates) {
            found.extend(handed_back(view, &functions));
            found.extend(functions);
        }
    }
    let structure = |index: &usize| {
        let param = view.param(*index).filter(|_| view.handle(*index).is_none());
        param.is_some_and(|param| is_default(view.known.api, view.function, param))
    };
    found.extend(all().filter(structure));
    for index in found.into_iter().filter(|&index| !decided(draft, index)).collect::<Vec<_>>() {
        let role = Role::Fixed { c: "NULL".into() };
        draft.params[index] = Some(Fact::inferred(role, "default-allocator"));
    }
}

/// Whether a parameter is a structure that allocates, and NULL stands for the library's own: the function's comment says so, or it is silent
/// about it and those of others say so.
pub(super) fn is_default(api: &Api, function: &Function, param: &Param) -> bool {
    let Some(structure) = allocator(param) else { return false };
    let said = |other: &Function| {
        other.doc.as_deref().is_some_and(|doc| doc.contains("allocator") && says_default(doc))
    };
    if said(function) {
        return true;
    }
    let silent = !function.doc.as_deref().is_some_and(|doc| doc.to_lowercase().contains("allocator"));
    let takes = |other: &&Function| other.params.iter().any(|param| allocator(param) == Some(structure));
    silent && api.functions.iter().filter(takes).filter(|other| said(other)).count() >= SAYINGS
}

/// The structure of functions that allocate which a parameter points to, by its name.
fn allocator(param: &Param) -> Option<&str> {
    let last = words(param.name.as_deref()?).pop()?;
    match param.ty.pointee()? {
        (CType { kind: Type::Record { name }, .. }, _) if ["alloc", "allocator"].contains(&last.as_str()) => {
            Some(name)
        }
        _ => None,
    }
}

fn is_function(view: &View<'_>, index: usize) -> bool {
    view.param(index).is_some_and(|param| matches!(param.ty.kind, Type::FunctionPointer { .. }))
}

/// What the library hands back to functions: the only pointer to `void`, right beside them, of which nothing says how much is there.
fn handed_back(view: &View<'_>, functions: &[usize]) -> Option<usize> {
    let void = |index: &usize| {
        let pointee = view.param(*index).and_then(|param| param.ty.pointee());
        pointee.is_some_and(|(ty, constant)| ty.kind == Type::Void && !constant)
    };
    let mut all = (0..view.function.params.len()).filter(void);
    let (only, None) = (all.next()?, all.next()) else { return None };
    let beside = functions.iter().any(|&function| function.abs_diff(only) == 1);
    let counted = view.param(only + 1).is_some_and(|param| param.ty.is_integer());
    (beside && !counted && view.called(only, HANDED_BACK)).then_some(only)
}

/// Whether a sentence of the comment says that there is an allocator where NULL is passed.
fn says_default(doc: &str) -> bool {
    let text = doc.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    text.split('.').any(|sentence| {
        let words: Vec<&str> = sentence.split(|c: char| !c.is_alphanumeric()).collect();
        let any = |list: &[&str]| words.iter().any(|word| list.contains(word));
        let own = any(&["malloc"]) || any(&["default"]) && any(&["allocator", "allocators"]);
        own && any(&["null", "zero"])
            && any(&["are", "is", "or", "set"])
            && any(&["use", "used", "uses"])
            && (any(&["both", "if", "when"]) || ["null to use", "to null", "to zero", "zero to use"].iter().any(|to| sentence.contains(to)))
            && !any(&["cannot", "never", "not", "unless", "without"])
            // `Returns memory of malloc, or NULL if it is used up`.
            && !any(&["fails", "failure", "return", "returned", "returns"])
    })
}
