//! Callbacks that move the next bytes of a stream.

use hotcell_model::api::Function;
use hotcell_model::interface::{CallbackParam, CallbackRole, CallbackStream};
use hotcell_model::types::Type;

use crate::check::decide::Site;
use crate::contract::Item;
use crate::diagnostic::Diagnostic;

/// What a callback, which `inside` is, with these parameters does with a stream.
pub(super) fn of(
    inside: Site<'_>,
    item: &Item,
    params: &[CallbackParam],
    wrong: &mut Vec<Diagnostic>,
) -> Option<CallbackStream> {
    let (stream, place) = item.stream.clone()?;
    // What is wrong with the parameters is said already.
    if params.len() == inside.names.len()
        && let Some((message, help)) = refusal(inside.function, stream, params)
    {
        wrong.push(Diagnostic::error(message).at(place).help(help));
    }
    Some(stream)
}

/// Why a callback is no stream, and what to do.
fn refusal(
    callback: &Function,
    stream: CallbackStream,
    params: &[CallbackParam],
) -> Option<(String, String)> {
    let (name, result) = (&callback.name, &callback.result);
    let (what, line) = match stream {
        CallbackStream::Read => {
            ("memory to be filled", r#"params.… = { out = "buffer", capacity = "…", length = "result" }"#)
        }
        CallbackStream::Write => ("data", r#"params.… = { in = "buffer", length = "…" }"#),
    };
    let leave_out = |message: String| Some((message, "leave `stream` out".to_owned()));
    let moves = |param: &&CallbackParam| match stream {
        CallbackStream::Read => matches!(param.role, CallbackRole::Room { .. }),
        CallbackStream::Write => matches!(param.role, CallbackRole::Buffer { .. }),
    };
    let hides = |param: &&CallbackParam| {
        matches!(
            param.role,
            CallbackRole::LengthOf { .. } | CallbackRole::UserData | CallbackRole::Handle { .. }
        )
    };
    let mut moved = params.iter().filter(moves);
    let Some(bytes) = moved.next() else {
        return Some((format!("`{name}` has no {what}"), format!("add `{line}` inside of the item")));
    };
    if let Some(second) = moved.next() {
        return leave_out(format!("`{name}` has {what} twice: `{}` too", second.name));
    }
    if bytes.ty.pointee().and_then(|(ty, _)| ty.element_size()) != Some(1) {
        return leave_out(format!("`{}` (`{}`) is not bytes, and a stream is", bytes.name, bytes.ty.written));
    }
    if let Some(beside) = params.iter().find(|param| !moves(param) && !hides(param)) {
        return leave_out(format!(
            "`{name}` gets `{}` besides, which a stream knows nothing of",
            beside.name
        ));
    }
    // Of one that reads, that was seen with the memory to be filled.
    let counts = result.is_integer() || result.kind == Type::Void || stream == CallbackStream::Read;
    (!counts).then(|| {
        let message = format!("`{name}` returns `{}`, which is no number of bytes", result.written);
        (message, "leave `stream` out".to_owned())
    })
}
