//! The rule `elements-in-place`: `TIFFSwabArrayOfShort(uint16_t *wp, tmsize_t n)`.
//!
//! A function that is called after an array, and takes nothing but a pointer to numbers and a number right behind it, does something
//! with each of so many. What else it may be keeps it open in `elements-then-count` too: an `n` may say the order of a matrix.

use hotcell_model::Fact;
use hotcell_model::interface::{ResultLength, Role, Unit};

use crate::infer::names::Measure;
use crate::infer::view::View;
use crate::infer::words::COMPOSITE;
use crate::infer::words::functions::{STRUCTURED, STRUCTURED_PARTS};
use crate::infer::words::objects::{CONSTRUCTORS, KEEPS_DATA};
use crate::infer::{Draft, comments};

const RULE: &str = "elements-in-place";

/// Finds arrays that a function is called after.
pub(super) fn apply(view: &View<'_>, draft: &mut Draft) {
    if view.function.params.len() == 2
        && view.open_buffer(draft, 0)
        && view.open_integer(draft, 1)
        && is_of_array(view)
    {
        let (length, result) = (None, ResultLength::Full);
        let role = Role::BufferInOut { nullable: false, length, result, valid_on_error: false };
        draft.params[0] = Some(Fact::inferred(role, RULE));
        let role = Role::LengthOf { param: 0, unit: Unit::Elements };
        draft.params[1] = Some(Fact::inferred(role, RULE));
    }
}

/// Whether a function does something with each number of an array, and with nothing else.
pub(super) fn is_of_array(view: &View<'_>) -> bool {
    let [pointer, count] = &view.function.params[..] else { return false };
    let Some((element, false)) = view.buffer(0) else { return false };
    let open = pointer.array_length.is_none() && count.ty.is_integer();
    let counts = view.length_name(1).is_some_and(|length| {
        length.of.is_empty() && matches!(length.measure, Measure::Count | Measure::Number)
    });
    let named = view.function_has_word(&["array", "arrays"]);
    let other = view.function_has_word(STRUCTURED)
        || view.function_contains(STRUCTURED_PARTS)
        || view.function_has_word(KEEPS_DATA)
        || view.function_has_word(CONSTRUCTORS)
        || view.called(0, COMPOSITE)
        || comments::kept(view.function);
    open && counts && named && !other && !element.is_byte() && view.function.result.pointee().is_none()
}
