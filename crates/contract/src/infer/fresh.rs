//! The rules `documented-text`, `code-text` and `code-data`.
//!
//! *documented-text*: a `char *` of which the comment says that the caller frees it, and with what.
//!
//! What frees it is a function of the headers that takes nothing but memory, and that the comment names; the only such function, where
//! the comment says that the text is newly allocated and names none; or C's `free()`, where it says so.
//!
//! *code-text*: a `char *` of which the library's code shows that the call has made it by C's functions, with a NUL in it, and that nobody else has it: C's `free()` frees it.
//!
//! *code-data*: the same of bytes, where one pointer is to a number that is called a length, and that the code only writes.

use std::rc::Rc;

use hotcell_code::Code;
use hotcell_model::api::Function;
use hotcell_model::evidence::{Evidence, Fact};
use hotcell_model::expr::Expr;
use hotcell_model::interface::{Encoding, Ownership, ResultRole, Role};
use hotcell_model::types::{CType, Type};

use crate::infer::endings::{Ending, ending};
use crate::infer::names::{Measure, function_words};
use crate::infer::view::View;
use crate::infer::words::functions::DATA_RESULTS;
use crate::infer::words::{BINARY, OUTPUTS, RAW};
use crate::infer::{Draft, Known, code, comments, results};

/// The rule's name by which the code shows that a text is the caller's.
const MADE: &str = "code-text";

/// The same of data.
const DATA: &str = "code-data";

/// Words of functions that return letters which are no text, or more than one.
const NO_TEXTS: &[&str] = &[
    "cipher", "compress", "crypt", "decrypt", "deflate", "encrypt", "magic", "multi", "pack", "packed",
    "random", "xor",
];

/// Finds texts and data that the caller owns.
pub(super) fn apply(view: &View<'_>, draft: &mut Draft) {
    let function = view.function;
    if let Some(length) = data(view, draft) {
        draft.params[length] = Some(Fact::inferred(Role::ValueOut { valid_on_error: false }, DATA));
        let length = Expr::Param { index: length };
        let ownership = Ownership::Owned { release: "free".into() };
        draft.result = Some(Fact::inferred(ResultRole::Buffer { length, nullable: true, ownership }, DATA));
        return;
    }
    let text = matches!(function.result.pointee(), Some((CType { kind: Type::Char, .. }, false)));
    if !text || draft.result.is_some() || view.known.handles.of_pointer(&function.result).is_some() {
        return;
    }
    if is_made(view, draft, view.known.code) {
        draft.result = Some(Fact::inferred(owned("free".into()), MADE));
        return;
    }
    let memory =
        (0..function.params.len()).any(|index| view.buffer(index).is_some_and(|(_, constant)| !constant));
    let doubt = memory
        || comments::lent(function)
        || comments::unended(function)
        || view.function_has_last_word(DATA_RESULTS);
    let Some(release) = release(view).filter(|_| !doubt) else { return };
    draft.result = Some(Fact::inferred(owned(release), "documented-text"));
}

fn owned(release: String) -> ResultRole {
    ResultRole::Text {
        encoding: Encoding::Utf8,
        length: None,
        nullable: true,
        ownership: Ownership::Owned { release },
    }
}

/// Says of a text of which nothing said whose it is that it is the caller's, where the library's code shows that.
pub(crate) fn made(function: &Function, names: &[String], known: Known<'_>, draft: &mut Draft) {
    let unknown = matches!(
        draft.result.as_ref().map(|fact| &fact.value),
        Some(ResultRole::Text { ownership: Ownership::Unknown, .. })
    );
    let inferred =
        draft.result.as_ref().is_some_and(|fact| matches!(fact.evidence, Evidence::Inferred { .. }));
    let view = View::new(function, names, known, draft);
    if unknown && inferred && is_made(&view, draft, known.against) {
        draft.result = Some(Fact::inferred(owned("free".into()), MADE));
    }
}

/// Whether a returned `char *` is a text, as far as its name says, that the code shows to be made by the call and nobody else's.
fn is_made(view: &View<'_>, draft: &Draft, code: &[Rc<Code>]) -> bool {
    let function = view.function;
    // A pointer that hides in a name may be to anything: `sds`.
    let shown = function.result.written.contains('*');
    let raw = function_words(&function.name).iter().any(|word| {
        [BINARY, RAW, DATA_RESULTS, NO_TEXTS].iter().any(|list| list.contains(&word.as_str()))
            || word.ends_with("alloc")
    });
    // What only a name says to be a text is one that is copied anyway.
    let said = draft.result.is_some();
    let made = code::makes_text(function, code) || said && code::makes(function, code);
    shown && !raw && !comments::lent(function) && results::unended(view, draft).is_none() && made
}

/// Where the length comes out of bytes that the code shows to be made by the call and nobody else's. There is one pointer to a number that is
/// called a length, and of nothing but what comes out. Where it is not written it is zero.
fn data(view: &View<'_>, draft: &Draft) -> Option<usize> {
    let function = view.function;
    let (element, constant) = function.result.pointee()?;
    let bytes = element.is_byte() && element.kind != Type::Char && function.result.written.contains('*');
    if !bytes
        || constant
        || draft.result.is_some()
        || view.known.handles.of_pointer(&function.result).is_some()
    {
        return None;
    }
    let params = || 0..function.params.len();
    let number = |index: &usize| {
        let pointee = view.buffer(*index);
        pointee.is_some_and(|(ty, constant)| !constant && ty.is_integer() && !ty.is_byte())
    };
    let mut numbers = params().filter(number);
    let (length, None) = (numbers.next()?, numbers.next()) else { return None };
    let name = view.length_name(length).filter(|name| name.measure != Measure::Count)?;
    // `consumed_len`, `original_size` and `row_size` are of something else.
    let of_output = name.of.iter().all(|word| OUTPUTS.contains(&word.as_str()) || word == "ret");
    let inferred =
        draft.params[length].as_ref().is_none_or(|fact| matches!(fact.evidence, Evidence::Inferred { .. }));
    (inferred
        && of_output
        && !comments::lent(function)
        && code::fills_number(view, length)
        && code::makes(function, view.known.code))
    .then_some(length)
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
