//! Functions that look at what they are given and leave it alone: `X509_verify(certificate, key)`, `X509_print(out, certificate)`.

use hotcell_model::types::Type;

use crate::infer::may_make;
use crate::infer::objects::object_pointer;
use crate::infer::view::View;
use crate::infer::words::objects::{COLLECTS, KEEPS_OBJECT, STORES};

/// Words of functions that only look.
const ONLY_LOOKS: &[&str] =
    &["check", "cmp", "compare", "equal", "equals", "intersects", "matches", "print", "same", "verify"];

/// Words of functions that keep what they are told to look at, or begin something: `verify_init(ctx, key)`.
const GOES_ON: &[&str] =
    &["begin", "context", "ctx", "init", "job", "prepare", "queue", "recover", "setup", "start"];

/// Whether a function is called like one that only looks at objects, returns a number or nothing, and hands out no object.
pub(super) fn only(view: &View<'_>) -> bool {
    let function = view.function;
    let number = function.result.kind == Type::Void || function.result.is_scalar();
    let out = |index: usize| {
        let behind = view.param(index).and_then(|param| param.ty.pointee());
        behind.is_some_and(|(pointer, _)| object_pointer(view, pointer))
    };
    let other = [COLLECTS, GOES_ON, KEEPS_OBJECT, STORES].iter().any(|list| view.function_has_word(list));
    number
        && view.function_has_word(ONLY_LOOKS)
        && !other
        && !may_make(function)
        && !(0..function.params.len()).any(out)
}
