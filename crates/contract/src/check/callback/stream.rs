//! Callbacks that move the next bytes of a stream.

use hotcell_model::interface::{CallbackParam, CallbackRole, CallbackStream};
use hotcell_model::types::{CType, Type};

use crate::check::decide::Site;
use crate::contract::Item;
use crate::diagnostic::Diagnostic;

/// What a callback, which `inside` is, with these parameters and this result, does with a stream.
pub(super) fn of(
    inside: Site<'_>,
    item: &Item,
    params: &[CallbackParam],
    result: &CType,
    wrong: &mut Vec<Diagnostic>,
) -> Option<CallbackStream> {
    let (stream, place) = item.stream.clone()?;
    // What is wrong with the parameters is said already.
    if params.len() < inside.names.len() {
        return Some(stream);
    }
    let name = &inside.function.name;
    let mut refuse = |message: String, help: &str| {
        wrong.push(Diagnostic::error(message).at(place.clone()).help(help.to_owned()));
    };
    let moves = |role: &CallbackRole| match stream {
        CallbackStream::Read => matches!(role, CallbackRole::Room { .. }),
        CallbackStream::Write => matches!(role, CallbackRole::Buffer { .. }),
    };
    let mut moved = params.iter().filter(|param| moves(&param.role));
    let (what, line) = match stream {
        CallbackStream::Read => {
            ("memory to be filled", r#"params.… = { out = "buffer", capacity = "…", length = "result" }"#)
        }
        CallbackStream::Write => ("data", r#"params.… = { in = "buffer", length = "…" }"#),
    };
    match (moved.next(), moved.next()) {
        (None, _) => refuse(format!("`{name}` has no {what}"), &format!("add `{line}` inside of the item")),
        (_, Some(second)) => {
            let message = format!("`{name}` has {what} twice: `{}` too", second.name);
            refuse(message, "leave `stream` out: a stream has its next bytes in one place");
        }
        (Some(param), None) if param.ty.pointee().and_then(|(ty, _)| ty.element_size()) != Some(1) => {
            let message = format!("`{}` (`{}`) is not bytes, and a stream is", param.name, param.ty.written);
            refuse(message, "leave `stream` out");
        }
        (Some(_), None)
            if stream == CallbackStream::Write && !(result.is_integer() || result.kind == Type::Void) =>
        {
            let message = format!("the callback returns `{}`, which is no number of bytes", result.written);
            refuse(
                message,
                "leave `stream` out: what is written returns how many bytes there were, or nothing",
            );
        }
        (Some(_), None) => {}
    }
    let beside = params.iter().find(|param| {
        let is_shown = !matches!(
            param.role,
            CallbackRole::LengthOf { .. } | CallbackRole::UserData | CallbackRole::Handle { .. }
        );
        is_shown && !moves(&param.role)
    });
    if let Some(param) = beside {
        let message = format!("`{name}` gets `{}` besides, which a stream knows nothing of", param.name);
        refuse(message, "leave `stream` out");
    }
    Some(stream)
}
