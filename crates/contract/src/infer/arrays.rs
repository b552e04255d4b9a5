//! The rule `array-parameter`: `const unsigned char key[32]` is read up to the length in brackets.
//!
//! Not concluded: an array that is written to, one with a length parameter besides, `[0]` and `[1]` (which
//! stand for "some"), and arrays of anything but bytes and numbers.

use hotcell_model::Fact;
use hotcell_model::expr::Expr;
use hotcell_model::interface::Role;
use hotcell_model::types::Type;

use crate::infer::view::View;
use crate::infer::{Draft, Notes, keeping};

/// Finds arrays whose length the header writes.
pub(super) fn apply(view: &View<'_>, draft: &mut Draft, notes: &mut Notes) {
    for (index, param) in view.function.params.iter().enumerate() {
        let (Some(length), Some((element, true))) = (param.array_length, view.buffer(index)) else {
            continue;
        };
        if !view.open_buffer(draft, index) {
            continue;
        }
        let name = view.name(index);
        if view.has_own_length(index, index) || view.length_pointer(index).is_some() {
            notes.add(
                index,
                format!("`{name}` has a length in brackets and a parameter that may be its length"),
            );
            continue;
        }
        if let Some(reason) = keeping::of_data(view, draft, index) {
            notes.add(index, reason);
            continue;
        }
        let Some(value) = i64::try_from(length).ok().filter(|&length| length > 1).map(i128::from) else {
            notes.add(index, format!("`{name}[{length}]` may be longer than it says"));
            continue;
        };
        if element.kind != Type::Void {
            let role = Role::BufferIn { nullable: false, length: Some(Expr::Int { value }) };
            draft.params[index] = Some(Fact::inferred(role, "array-parameter"));
        }
    }
}
