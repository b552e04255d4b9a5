//! What is said of the ends of a range, and of bytes: a place in a text is no text, and neither are bytes that nothing calls so.

use hotcell_model::types::{CType, Type};

use crate::infer::view::{View, decided, is_letter, plain_text};
use crate::infer::words::{ENDS, NAMES};
use crate::infer::{Draft, texts};
use crate::type_names::unqualified;

/// Names of texts, whatever they are made of.
const TEXTS: &[&str] = &["str", "string", "text", "txt", "utf8"];

/// The parameter right behind a pointer that is named as the end of what begins there: `pattern` and `pattern_end`.
pub(super) fn end(view: &View<'_>, draft: &Draft, index: usize) -> Option<usize> {
    let end = index + 1;
    let (own, other) = (view.param(index)?, view.param(end)?);
    let same = own.ty.canonical == other.ty.canonical
        && view.buffer(index)?.1
        && view.buffer(index)?.0.kind != Type::Void;
    let is_end = texts::ends(view, end, index) && !view.called(index, ENDS);
    let further = view.param(end + 1).is_some_and(|_| texts::ends(view, end + 1, index));
    (same && is_end && !further && !decided(draft, end)).then_some(end)
}

/// Whether a pointer is an end of a range, or a place in one: `start` in `search(str, end, start, range)`. Where pointers have no
/// names it may be a text as well.
pub(super) fn is_end(view: &View<'_>, index: usize) -> bool {
    let named = !view.words(index).is_empty() && !view.called(index, NAMES);
    named && texts::range(view, index).is_some()
}

/// Whether a `const` pointer may be to a text: of characters, or of bytes that the type or the name calls one. `const unsigned char *k`
/// is a key, and its bytes may be zero.
pub(super) fn is_text(view: &View<'_>, index: usize, element: &CType) -> bool {
    let written = unqualified(&element.written).to_ascii_lowercase();
    let plain =
        ["uchar", "u_char", "guchar", "gu_char", "schar", "s_char", "gschar"].contains(&written.as_str());
    let of_letters = !plain && !written.contains(' ') && written.contains("char");
    let called = view.called(index, NAMES) || view.called(index, TEXTS);
    let text = view.param(index).is_some_and(|param| plain_text(&param.ty));
    let byte = element.is_byte() && element.kind != Type::Void;
    text || byte && (is_letter(element) || of_letters || called)
}
