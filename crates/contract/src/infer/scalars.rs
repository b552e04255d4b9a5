//! What types prove: numbers by value are numbers.

use hotcell_model::Fact;
use hotcell_model::interface::Role;

use crate::infer::Draft;
use crate::infer::view::View;

/// Fills what is left of the numbers by value.
pub(super) fn apply(view: &View<'_>, draft: &mut Draft) {
    for (param, fact) in view.function.params.iter().zip(&mut draft.params) {
        if param.ty.is_scalar() && fact.is_none() {
            *fact = Some(Fact::proven(Role::Value));
        }
    }
}
