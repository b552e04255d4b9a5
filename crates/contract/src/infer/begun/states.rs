//! States that nothing ends: `sha256_init(sha256_ctx *)`, `sha256_update`, `sha256_final`, a part of `begun-and-ended`.
//!
//! The structure is called a state or a context, and has nothing but numbers in it, so that nothing in it could have to be released; no function takes it
//! alone that is called like an end. Who calls `init` makes one, and all others use it, be they called `finish`.

use std::rc::Rc;

use hotcell_code::Code;
use hotcell_model::api::{Api, Field, Function, Record};
use hotcell_model::types::{CType, Type};

use crate::infer::begun::{Begun, Memory, ends, letters, pointed};
use crate::infer::code;
use crate::infer::endings::ending;
use crate::infer::names::{unnumbered, words};
use crate::infer::words::objects::{BEGINS, RELEASES};

/// Last words of the names of such structures.
const STATES: &[&str] = &["context", "ctx", "state"];

/// Whether a structure may be a state: by its name, and since it holds nothing but numbers, and an array of them.
pub(super) fn is_state(api: &Api, key: &str) -> bool {
    let named = |name: &str| {
        let all = words(name);
        all.iter().rfind(|word| *word != "t").is_some_and(|last| STATES.contains(&unnumbered(last)))
    };
    let Some(record) = api.records.get(key) else { return false };
    let Some(layout) = record.layout.as_ref().filter(|_| !record.union) else { return false };
    // `float twiddles[1]` is the beginning of more.
    let open = layout
        .fields
        .last()
        .is_some_and(|field| matches!(field.ty.kind, Type::Array { length: None | Some(0 | 1), .. }));
    !open
        && (named(key) || named(&record.c_name))
        && layout.fields.iter().any(|field| has_array(api, &field.ty))
        && all_numbers(api, record)
}

/// Whether an array is there, also in a structure inside.
fn has_array(api: &Api, ty: &CType) -> bool {
    let within = |name: &str| api.records.get(name)?.layout.as_ref();
    match &ty.kind {
        Type::Array { .. } => true,
        Type::Record { name } => {
            within(name).is_some_and(|layout| layout.fields.iter().any(|field| has_array(api, &field.ty)))
        }
        _ => false,
    }
}

/// Whether a structure has nothing in it but numbers that stand for nothing elsewhere.
fn all_numbers(api: &Api, record: &Record) -> bool {
    let number = |field: &Field| is_numbers(api, &field.ty) && !leads_on(field);
    !record.union && record.layout.as_ref().is_some_and(|layout| layout.fields.iter().all(number))
}

fn is_numbers(api: &Api, ty: &CType) -> bool {
    match &ty.kind {
        Type::Array { element, .. } => is_numbers(api, element),
        Type::Record { name } => api.records.get(name).is_some_and(|record| all_numbers(api, record)),
        _ => ty.is_scalar(),
    }
}

/// Parts of the names of numbers that stand for what is elsewhere.
const ELSEWHERE: &[&str] = &["addr", "fd", "handle", "id", "next", "prev", "priv", "ptr", "slot"];

/// Whether a number says that it stands for something elsewhere.
fn leads_on(field: &Field) -> bool {
    let written = field.ty.written.to_ascii_lowercase();
    let elsewhere = |name: &str| words(name).iter().any(|word| ELSEWHERE.contains(&word.as_str()));
    written.contains("ptr") || field.name.as_deref().is_some_and(elsewhere)
}

/// What begins such a structure, of the functions that take it first. None where the library's code shows that one of them releases something to which
/// what is in it leads, or notes where it is.
pub(super) fn begun(functions: &[&Function], code: &[Rc<Code>]) -> Begun {
    let hides = |function: &&Function| {
        code::seen(function, code, 0).releases_inner || code::stores(function, code, 0)
    };
    if functions.iter().any(hides) {
        return Begun::default();
    }
    // `sha1_done(ctx, digest)` says what comes of it, `rng_free(rng, device)` that something is given back.
    let end = |function: &&&Function| {
        let gives_back = words(&function.name).iter().any(|word| {
            let finalizes = word == "finalize" && function.params.len() > 1;
            !finalizes && (RELEASES.contains(&word.as_str()) || ["cleanup", "close"].contains(&word.as_str()))
        });
        gives_back || function.params.len() == 1 && ending(&function.name).is_some()
    };
    let own = functions
        .first()
        .and_then(|function| pointed(&function.params.first()?.ty))
        .map(|(record, _)| record);
    // `hash_init(dst, const src)` copies.
    let begins = |function: &&&Function| {
        let mut others = function.params.iter().skip(1);
        ends::begins(function) && !others.any(|param| pointed(&param.ty).map(|(record, _)| record) == own)
    };
    let (starts, others): (Vec<&Function>, Vec<&Function>) =
        functions.iter().partition(|function| begins(function));
    if functions.iter().any(|function| end(&function)) || others.is_empty() {
        return Begun::default();
    }
    let stem = |function: &&Function| {
        let name = letters(&function.name);
        BEGINS.iter().find_map(|begins| name.find(begins)).map(|at| name[..at].to_owned())
    };
    Begun {
        stems: starts.iter().filter_map(stem).filter(|stem| !stem.is_empty()).collect(),
        starts: starts.into_iter().map(|function| (function.name.clone(), None)).collect(),
        memory: Memory::Own,
        ..Begun::default()
    }
}
