//! Objects that callers could have made as well: what fills their memory asks nobody what was in it.
//!
//! A structure that the headers define is an object where inline functions make and end one. Functions of the library that copy or decode
//! into such a structure take it for memory: what the object had before would be lost, and never freed.

use crate::infer::view::View;

/// Words of functions that fill a structure.
const FILLS: &[&str] = &["copy", "decode", "fill", "init", "initialize", "load", "parse", "read", "setup"];

/// Whether a function of the library may fill an object that only inline functions make and end.
pub(super) fn fills_callers(view: &View<'_>, index: usize) -> bool {
    let Some((structure, constant)) = view.param(index).and_then(|param| param.ty.pointee()) else {
        return false;
    };
    // Of what the headers do not define nobody has memory.
    let record = structure.record().and_then(|key| view.known.api.records.get(key));
    if record.is_some_and(|record| record.layout.is_none()) {
        return false;
    }
    let release = view.handle(index).and_then(|handle| view.known.handles.get(handle)?.release.as_deref());
    let inline =
        |name: &str| view.known.api.functions.iter().any(|function| function.inline && function.name == name);
    !view.function.inline && !constant && view.function_has_word(FILLS) && release.is_some_and(inline)
}
