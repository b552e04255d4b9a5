//! Returned data that another function counts: `counted-result`.
//!
//! `sqlite3_column_blob(statement, column)` and `sqlite3_column_bytes(statement, column)`: the one returns what is there, the
//! other how many bytes that has. A name alone does not say so: `parser_bytes` may count what was parsed so far, and
//! `stream_next_bytes` goes on to the next. So the header must have the whole family of a value that can be of several types,
//! `…_type`, `…_blob`, `…_text` and `…_bytes`, all of which take the same object and the same numbers. The count is asked for
//! behind the call, with the same arguments.

use hotcell_model::Fact;
use hotcell_model::api::{Attribute, Function};
use hotcell_model::expr::Expr;
use hotcell_model::interface::{Encoding, Ownership, ResultRole, Role};
use hotcell_model::types::{CType, Type};

use crate::infer::view::{View, shown};
use crate::infer::{Draft, Known, comments};

/// What says that a function does something, or that its object does: asked twice, it may answer otherwise.
const DOES: &[&str] = &[
    "advance",
    "consume",
    "drain",
    "fetch",
    "gen",
    "generate",
    "iter",
    "iterator",
    "make",
    "new",
    "next",
    "parse",
    "parser",
    "peek",
    "pop",
    "prev",
    "pull",
    "rand",
    "random",
    "read",
    "reader",
    "receive",
    "recv",
    "scan",
    "scanner",
    "shift",
    "step",
    "stream",
    "take",
    "token",
    "tokenizer",
];

/// Finds the length of returned data that nobody has decided about.
pub(super) fn apply(view: &View<'_>, draft: &mut Draft) {
    if draft.result.is_none()
        && let Some(length) = length(view, draft)
    {
        let ownership = Ownership::Library;
        let result = match encoding(view) {
            Some(encoding) => ResultRole::Text { encoding, length: Some(length), nullable: true, ownership },
            None => ResultRole::Buffer { length, nullable: true, ownership },
        };
        draft.result = Some(Fact::inferred(result, "counted-result"));
    }
}

/// Whether another function counts what this one returns.
pub(super) fn counts(function: &Function, known: Known<'_>) -> bool {
    is_data(&function.result) && counting(known, function).is_some()
}

/// What a text is in where the library has it in two encodings: `…_text16` consists of 16-bit units, so that `…_text`
/// does not. What is no UTF-8 there is an error of the call.
fn encoding(view: &View<'_>) -> Option<Encoding> {
    let (value, content) = view.function.name.rsplit_once('_')?;
    let also = |name: &str| {
        let name = format!("{value}_{name}");
        let found = view.known.api.functions.iter().find(|other| other.name == name);
        found.is_some_and(|found| is_data(&found.result))
    };
    match content {
        "text" if also("text16") => Some(Encoding::Utf8),
        "text16" => Some(Encoding::Utf16),
        _ => None,
    }
}

/// The call that counts what the function returns.
fn length(view: &View<'_>, draft: &Draft) -> Option<Expr> {
    let function = view.function;
    let fresh = function.attributes.contains(&Attribute::Malloc) || comments::owned(function);
    if !is_data(&function.result) || fresh || view.known.handles.of_pointer(&function.result).is_some() {
        return None;
    }
    let args = 0..function.params.len();
    let same_again = |index: usize| {
        let role = draft.params[index].as_ref().map(|fact| &fact.value);
        matches!(role, Some(Role::Value | Role::Handle { consumed: false, invalidates: false, .. }))
    };
    let of_object = args.clone().any(|index| view.handle(index).is_some());
    if !of_object || !args.clone().all(same_again) || view.function_has_word(DOES) {
        return None;
    }
    let counting = counting(view.known, function)?;
    Some(Expr::Call {
        function: counting.name.clone(),
        args: args.map(|index| Expr::Param { index }).collect(),
    })
}

/// Whether this is a `const` pointer to bytes of no particular kind.
fn is_data(ty: &CType) -> bool {
    let Some((pointee, true)) = ty.pointee() else { return false };
    let plain = ["void", "unsigned char", "uint8_t"].iter().any(|name| pointee.written.ends_with(name));
    shown(ty) && plain && matches!(pointee.kind, Type::Void | Type::Int { bits: 8, .. })
}

/// The function that counts the bytes of what this one returns.
fn counting<'a>(known: Known<'a>, function: &Function) -> Option<&'a Function> {
    let (value, content) = function.name.rsplit_once('_')?;
    let (pointee, _) = function.result.pointee()?;
    let bytes = match content {
        "blob" => "bytes",
        // A `void *` would be a text of wider letters, which are counted otherwise.
        "text" if pointee.kind != Type::Void => "bytes",
        "text16" => "bytes16",
        _ => return None,
    };
    let beside = |name: &str| {
        let name = format!("{value}_{name}");
        let found = known.api.functions.iter().find(|other| other.name == name)?;
        let is_there = found.inline || known.exports.is_none_or(|exports| exports.contains(&name));
        let shadowed = known.shadowed.is_some_and(|shadowed| shadowed.contains(&name)) && !found.inline;
        let same = found.params.len() == function.params.len()
            && found.params.iter().zip(&function.params).all(|(a, b)| a.ty.canonical == b.ty.canonical);
        let usable = found.location.primary && found.prototyped && !found.variadic && is_there && !shadowed;
        (usable && same).then_some(found)
    };
    let gives_data = |name| beside(name).is_some_and(|found| is_data(&found.result));
    let says_type =
        beside("type").is_some_and(|found| matches!(found.result.kind, Type::Int { .. } | Type::Enum { .. }));
    let counting = beside(bytes)?;
    let counts = matches!(counting.result.kind, Type::Int { bits: 32 | 64, .. });
    (says_type && gives_data("blob") && gives_data("text") && beside("bytes").is_some() && counts)
        .then_some(counting)
}
