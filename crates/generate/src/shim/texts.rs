//! Texts: how the helpers of the shim are called for an encoding; and texts in an array, whose references become
//! pointers in reply memory, with a NULL behind the last.

use hotcell_model::interface::{Encoding, Param};

use crate::Error;
use crate::shim::body::Body;
use crate::shim::expr::Scope;
use crate::shim::types::{declare, literal};

/// The helper that reads a text of the host.
pub(crate) fn reader(encoding: Encoding) -> &'static str {
    if encoding == Encoding::Utf16 { "hotcell_text16_in" } else { "hotcell_text_in" }
}

/// The C expression of the bytes of a text of the library.
pub(crate) fn length(encoding: Encoding, text: &str) -> String {
    match encoding {
        Encoding::Utf16 => format!("hotcell_length16({text})"),
        _ => format!("hotcell_length({text}, UINT64_MAX)"),
    }
}

/// The C condition that a text of the library is copied into a reference.
pub(crate) fn give(encoding: Encoding, text: &str, to: &str) -> String {
    let (length, align) = (length(encoding, text), encoding.unit());
    format!("hotcell_give(hc_ctx, {text}, {length}, {align}, &{to})")
}

/// Why texts in this encoding do not lie there, for errors.
pub(crate) fn misfit(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Utf16 => "a text that does not consist of 16-bit units",
        _ => "a text that does not consist of bytes",
    }
}

/// Writes the array of pointers.
pub(crate) fn argument(
    scope: &Scope<'_>,
    param: &Param,
    (encoding, nullable): (Encoding, bool),
    body: &mut Body,
) -> Result<(), Error> {
    let text = param.ty.pointee().and_then(|(pointer, _)| pointer.pointee());
    let Some((_, constant)) = text.filter(|(text, _)| encoding.lies_in(text)) else {
        return Err(scope.refused(misfit(encoding), param));
    };
    let (ty, name) = (scope.spelled(&param.ty, param)?, &param.name);
    let (about, nullable, writable) = (literal(name), u8::from(nullable), u8::from(!constant));
    let flags = format!("{}, {nullable}, {writable}", encoding.unit());
    let read = format!("hotcell_texts(hc_ctx, &hc_in.arg_{name}, {about}, {flags}, &hc_bad)");
    body.line(format!("{} = {read};", declare(ty, &format!("arg_{name}"))));
    body.leave_when("hc_bad");
    Ok(())
}
