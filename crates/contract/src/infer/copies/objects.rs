//! The rule `kept-object`: an object that goes in by `const T *`, which another one may go on reading, where that is all that is open.
//!
//! No header says whether `compressor_ref_dictionary(compressor, const dictionary)` notes the address. A dictionary that is released behind
//! the compressor at the earliest is right whether it does or not: what is `const` is not taken over.

use hotcell_model::evidence::Fact;
use hotcell_model::interface::{Keeps, ResultRole, Role, Until};

use crate::infer::lent::walks;
use crate::infer::view::{View, decided};
use crate::infer::{Draft, objects};

/// The rule's name.
const KEPT: &str = "kept-object";

/// Concludes what is kept until another object goes.
pub(super) fn apply(view: &View<'_>, draft: &mut Draft) -> Vec<Keeps> {
    let mut keeps = Vec::new();
    for index in 0..view.function.params.len() {
        let Some(handle) = view.handle(index).filter(|_| !decided(draft, index)) else { continue };
        let Some(keeper) = keeper(view, draft, index) else { continue };
        let role = Role::Handle {
            handle: handle.to_owned(),
            consumed: false,
            on_success: false,
            nullable: false,
            invalidates: false,
        };
        draft.params[index] = Some(Fact::inferred(role, KEPT));
        keeps.push(Keeps { param: index, until: Until::Param { param: keeper }, replaced: false });
    }
    keeps
}

/// The only object that may keep the other one: it is of another type, stays when the call returns, and nothing else comes out.
fn keeper(view: &View<'_>, draft: &Draft, index: usize) -> Option<usize> {
    let role = |at: usize| draft.params.get(at).and_then(|fact| fact.as_ref()).map(|fact| &fact.value);
    let made = (0..view.function.params.len()).any(|at| matches!(role(at), Some(Role::HandleOut { .. })));
    let returned = matches!(draft.result.as_ref().map(|fact| &fact.value), Some(ResultRole::Handle { .. }));
    if made || returned || walks::counts_any(view) || super::is_taken(view, index) {
        return None;
    }
    let mut others = super::changed(view).into_iter().filter(|&at| at != index);
    let (Some(keeper), None) = (others.next(), others.next()) else { return None };
    let stays = matches!(
        role(keeper),
        Some(Role::Handle { consumed: false, nullable: false, .. } | Role::Resident { consumed: false, .. })
    );
    let other = view.handle(keeper) != view.handle(index);
    (stays && other && objects::may_be_kept(view, draft, index)).then_some(keeper)
}
