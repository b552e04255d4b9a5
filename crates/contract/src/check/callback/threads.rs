//! Callbacks that come from threads of the library's own.

use hotcell_model::interface::{CallbackParam, CallbackRole, CallbackThreads};

use crate::check::decide::Site;
use crate::contract::Item;
use crate::diagnostic::Diagnostic;

/// Where the library may call a callback, which `inside` is, with these parameters.
pub(super) fn of(
    inside: Site<'_>,
    item: &Item,
    params: &[CallbackParam],
    wrong: &mut Vec<Diagnostic>,
) -> CallbackThreads {
    let Some(place) = &item.any_thread else { return CallbackThreads::Calls };
    let is_object = |param: &&CallbackParam| {
        matches!(param.role, CallbackRole::Handle { .. } | CallbackRole::Handles { .. })
    };
    if let Some(param) = params.iter().find(is_object) {
        let message = format!(
            "`{}` gets objects (`{}`), and objects are lent inside of calls only",
            inside.function.name, param.name
        );
        let help = "leave `threads` out if the library makes no thread that calls it, or write `{ fixed = \"NULL\" }`";
        wrong.push(Diagnostic::error(message).at(place.clone()).help(help.to_owned()));
    }
    if let Some(param) = params.iter().find(|param| matches!(param.role, CallbackRole::Room { .. })) {
        let message = format!(
            "`{}` fills memory (`{}`), which a callback does inside of calls only",
            inside.function.name, param.name
        );
        let help = "leave `threads` out if the library makes no thread that calls it, or write `{ fixed = \"NULL\" }`";
        wrong.push(Diagnostic::error(message).at(place.clone()).help(help.to_owned()));
    }
    CallbackThreads::Any
}
