//! The guard against lengths that several pointers share: `memcmp(s1, s2, n)`, `memcpy(dest, src, n)`.

use hotcell_model::types::Type;

use crate::infer::view::{View, plain_text};
use crate::infer::words::NAMES;
use crate::infer::{Draft, code};

/// A pointer other than `pointer` that this length may be meant for too. None is one whose length is written
/// in the header, that has another length, that a contract decides, that is a text which names something
/// (unless it follows the length, as in `glObjectPtrLabel(ptr, length, label)`), or of which the library's code shows that a NUL ends it.
pub(super) fn sharer(view: &View<'_>, draft: &Draft, pointer: usize, length: usize) -> Option<usize> {
    (0..view.function.params.len()).filter(|&other| other != pointer).find(|&other| {
        let Some(param) = view.param(other) else {
            return false;
        };
        view.open_buffer(draft, other)
            && param.array_length.is_none()
            && !(other != length + 1 && plain_text(&param.ty) && view.called(other, NAMES))
            && !view.has_own_length(other, length)
            && view.length_pointer(other).is_none()
            && !is_length_pointer(view, other)
            && !is_error(view, other)
            && !code::is_text(view, other)
    })
}

/// Whether a pointer to an integer is the length of some buffer.
fn is_length_pointer(view: &View<'_>, index: usize) -> bool {
    (0..view.function.params.len())
        .any(|pointer| view.buffer(pointer).is_some() && view.length_pointer(pointer) == Some(index))
}

/// Whether a pointer is to the code of an error, which nothing counts: `BZ2_bzRead(bzerror, b, buf, len)`. It is called so in the
/// words of the library; an `error` alone may be one of each element: `dither_line(err, src, len)`.
pub(super) fn is_error(view: &View<'_>, index: usize) -> bool {
    let number = view.buffer(index).is_some_and(|(element, constant)| {
        !constant && !element.is_byte() && (element.is_integer() || matches!(element.kind, Type::Enum { .. }))
    });
    let words = view.words(index);
    let last = words.last().map(String::as_str).unwrap_or_default();
    let function = view.function.name.to_ascii_lowercase();
    let own = last.strip_suffix("error").filter(|prefix| !prefix.is_empty() && words.len() == 1);
    let object = |other: usize| {
        let pointee = view.param(other).and_then(|param| param.ty.pointee());
        view.handle(other).is_some() || pointee.is_some_and(|(ty, _)| matches!(ty.kind, Type::Record { .. }))
    };
    let called_after =
        own.is_some_and(|own| function.starts_with(own)) && (0..view.function.params.len()).any(object);
    number && (["errcode", "errno", "errnum"].contains(&last) || called_after)
}
