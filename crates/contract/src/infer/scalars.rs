//! What types prove: numbers by value are numbers.
//!
//! An integer that is called like a file descriptor is asked for: it means a file of the process that has opened it, and
//! the library is in another one.

use hotcell_model::Fact;
use hotcell_model::interface::Role;

use crate::infer::names::function_words;
use crate::infer::view::View;
use crate::infer::words::numbers::DESCRIPTORS;
use crate::infer::{Draft, Notes};

/// Fills what is left of the numbers by value.
pub(super) fn apply(view: &View<'_>, draft: &mut Draft, notes: &mut Notes) {
    for (index, param) in view.function.params.iter().enumerate() {
        if !param.ty.is_scalar() || draft.params[index].is_some() {
            continue;
        }
        if param.ty.is_integer() && !param.ty.is_byte() && is_descriptor(view, index) {
            notes.add(
                index,
                format!("`{}` may be a descriptor of the process that has opened it", view.name(index)),
            );
        } else {
            draft.params[index] = Some(Fact::proven(Role::Value));
        }
    }
}

/// Whether a number is called like a descriptor, or is the only one of a function that is, and has no name that says something else:
/// `magic_descriptor(magic_t, int)`, `modbus_set_socket(ctx, int s)`.
fn is_descriptor(view: &View<'_>, index: usize) -> bool {
    let number = |other: &usize| view.param(*other).is_some_and(|param| param.ty.is_integer());
    let only = (0..view.function.params.len()).filter(number).eq([index]);
    let unnamed = view.words(index).concat().len() < 2;
    // `json_dumpfd(json, int output, flags)`.
    let side = view.called(index, &["in", "input", "out", "output"]);
    view.called(index, DESCRIPTORS)
        || only && unnamed && view.function_has_last_word(DESCRIPTORS)
        || side && function_words(&view.function.name).last().is_some_and(|last| last.ends_with("fd"))
}
