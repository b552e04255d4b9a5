//! The rule `documented-text`: a `char *` of which the comment says that the caller frees it, and with what.
//!
//! What frees it is a function of the headers that takes nothing but memory, and that the comment names; the only such function, where
//! the comment says that the text is newly allocated and names none; or C's `free()`, where it says so.

use hotcell_model::Fact;
use hotcell_model::api::Function;
use hotcell_model::interface::{Encoding, Ownership, ResultRole};
use hotcell_model::types::{CType, Type};

use crate::infer::endings::{Ending, ending};
use crate::infer::view::View;
use crate::infer::words::functions::DATA_RESULTS;
use crate::infer::{Draft, comments};

/// Finds texts that the caller owns.
pub(super) fn apply(view: &View<'_>, draft: &mut Draft) {
    let function = view.function;
    let text = matches!(function.result.pointee(), Some((CType { kind: Type::Char, .. }, false)));
    if !text || draft.result.is_some() || view.known.handles.of_pointer(&function.result).is_some() {
        return;
    }
    let memory =
        (0..function.params.len()).any(|index| view.buffer(index).is_some_and(|(_, constant)| !constant));
    let doubt = memory
        || comments::lent(function)
        || comments::unended(function)
        || view.function_has_last_word(DATA_RESULTS);
    let Some(release) = release(view).filter(|_| !doubt) else { return };
    let text = ResultRole::Text {
        encoding: Encoding::Utf8,
        length: None,
        nullable: true,
        ownership: Ownership::Owned { release },
    };
    draft.result = Some(Fact::inferred(text, "documented-text"));
}

/// What frees the text: the function that the sentence names which says so, or the only one where the comment says that the text is newly allocated.
fn release(view: &View<'_>) -> Option<String> {
    let takes = |function: &&Function| takes_memory(view, function);
    let all: Vec<&str> =
        view.known.api.functions.iter().filter(takes).map(|function| function.name.as_str()).collect();
    match comments::freed_by(view.function)? {
        comments::FreedBy::Function(name) if name == "free" => Some(name),
        comments::FreedBy::Function(name) => all.into_iter().find(|other| *other == name).map(str::to_owned),
        comments::FreedBy::Any => match &all[..] {
            [only] => Some((*only).to_owned()),
            _ => None,
        },
    }
}

/// Whether a function takes memory back and does nothing else: `curl_free(void *)`.
fn takes_memory(view: &View<'_>, function: &Function) -> bool {
    let [only] = &function.params[..] else { return false };
    let memory = matches!(
        only.ty.pointee(),
        Some((CType { kind: Type::Void | Type::Char, .. }, false)) if view.known.handles.of_pointer(&only.ty).is_none()
    );
    let exported = view.known.exports.is_none_or(|exports| exports.contains(&function.name));
    let releases = ending(&function.name).is_some_and(|(ending, _)| ending == Ending::Releases);
    memory && releases && exported && function.result.kind == Type::Void && !function.variadic
}
