//! Functions that look at what they are given and leave it alone: `X509_verify(certificate, key)`, `X509_print(out, certificate)`.

use hotcell_model::types::Type;

use crate::infer::may_make;
use crate::infer::names::words;
use crate::infer::objects::{named, object_pointer};
use crate::infer::view::View;
use crate::infer::words::objects::{COLLECTS, COMPARES, KEEPS_OBJECT, STORES};

/// Words of functions that only look.
const ONLY_LOOKS: &[&str] =
    &["check", "cmp", "compare", "equal", "equals", "intersects", "matches", "print", "same", "verify"];

/// Words of functions that keep what they are told to look at, or begin something: `verify_init(ctx, key)`.
const GOES_ON: &[&str] =
    &["begin", "context", "ctx", "init", "job", "prepare", "queue", "recover", "setup", "start"];

/// Whether a function is called like one that only looks at this object, returns a number or nothing, and hands out no object. What is printed by
/// something else may stand in its queue: `spooler_print(spooler, doc)`.
pub(super) fn only(view: &View<'_>, index: usize) -> bool {
    let function = view.function;
    let number = function.result.kind == Type::Void || function.result.is_scalar();
    let out = |index: usize| {
        let behind = view.param(index).and_then(|param| param.ty.pointee());
        behind.is_some_and(|(pointer, _)| object_pointer(view, pointer))
    };
    let other = [COLLECTS, GOES_ON, KEEPS_OBJECT, STORES].iter().any(|list| view.function_has_word(list));
    // In a type's name it says what is set: `monitor_check(monitor, check *)`. What compares does so with one of its kind.
    let objects: Vec<usize> = (0..function.params.len()).filter(|&at| view.handle(at).is_some()).collect();
    let own = |word: &str| objects.iter().any(|&at| named::own_words(view, at).iter().any(|own| own == word));
    let alike = objects.windows(2).all(|pair| view.handle(pair[0]) == view.handle(pair[1]));
    let name = words(&function.name);
    let after = named::own_words(view, index);
    let of_it = index == 0 || (0..after.len()).any(|at| name.starts_with(&after[at..]));
    let looks = |word: &&str| {
        view.function_has_word(&[*word])
            && !own(word)
            && (alike || !COMPARES.contains(word))
            && (of_it || *word != "print")
    };
    number
        && ONLY_LOOKS.iter().any(looks)
        && !other
        && !may_make(function)
        && !(0..function.params.len()).any(out)
}
