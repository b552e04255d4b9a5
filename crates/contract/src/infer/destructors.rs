//! The rule `user-data-destructor`: `create_function_v2(…, void *pApp, …, void (*xDestroy)(void *))`.
//!
//! What a library would release there is the user data of a callback, and callers have none to release: it belongs to
//! their runtime, which ends it with the callback. Libraries take NULL for "nothing is to be done" there.

use hotcell_model::Fact;
use hotcell_model::interface::Role;
use hotcell_model::types::{CType, Type};

use crate::infer::Draft;
use crate::infer::view::{View, decided};

/// Last words of what releases user data.
const DESTRUCTORS: &[&str] =
    &["cleanup", "deleter", "destroy", "destroyer", "destructor", "dtor", "free", "freer", "release"];

/// Finds the destructors of user data that a line decided.
pub(super) fn apply(view: &View<'_>, draft: &mut Draft) {
    let is_user_data = |index: usize| {
        let fact = draft.params.get(index).and_then(|fact| fact.as_ref());
        fact.is_some_and(|fact| matches!(fact.value, Role::UserData { .. }))
    };
    let all: Vec<usize> = (0..view.function.params.len()).filter(|&index| is_user_data(index)).collect();
    let &[user_data] = all.as_slice() else { return };
    let releases = |index: &usize| view.param(*index).is_some_and(|param| releases(&param.ty));
    let found: Vec<usize> =
        (0..view.function.params.len()).filter(|&index| !decided(draft, index)).filter(releases).collect();
    let &[destructor] = found.as_slice() else { return };
    let called = match view.words(destructor).is_empty() {
        true => destructor == user_data + 1,
        false => view.called(destructor, DESTRUCTORS),
    };
    if called {
        let none = Role::Fixed { c: "NULL".into() };
        draft.params[destructor] = Some(Fact::inferred(none, "user-data-destructor"));
    }
}

/// `void (*)(void *)`, under whatever name.
fn releases(ty: &CType) -> bool {
    let Type::FunctionPointer { signature } = &ty.kind else { return false };
    let [(_, only)] = signature.params.as_slice() else { return false };
    let pointer = matches!(only.pointee(), Some((CType { kind: Type::Void, .. }, false)));
    pointer && signature.result.kind == Type::Void && !signature.variadic
}
