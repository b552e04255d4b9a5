//! Texts: how the helpers of the shim are called for an encoding; and texts in arrays. On the way in references become
//! pointers in reply memory, with a NULL behind the last; on the way out pointers become references.

use hotcell_model::expr::Expr;
use hotcell_model::interface::{Encoding, Param, Role};
use hotcell_model::types::CType;

use crate::Error;
use crate::shim::body::Body;
use crate::shim::expr::Scope;
use crate::shim::memory::given;
use crate::shim::types::{declare, literal};

/// The helper that reads a text of the host.
pub(crate) fn reader(encoding: Encoding) -> &'static str {
    match encoding.unit() {
        2 => "hotcell_text16_in",
        4 => "hotcell_text32_in",
        _ => "hotcell_text_in",
    }
}

/// The C expression of the bytes of a text of the library.
pub(crate) fn length(encoding: Encoding, text: &str) -> String {
    match encoding {
        Encoding::Utf16 => format!("hotcell_length16({text})"),
        Encoding::Utf32 => format!("hotcell_length32({text})"),
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
        Encoding::Utf32 => "a text that does not consist of 32-bit units",
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

/// Copies the texts that came out through a pointer.
pub(crate) fn out(scope: &Scope<'_>, param: &Param, body: &mut Body) -> Result<(), Error> {
    let Role::TextsOut { length, encoding, .. } = &param.role.value else {
        return Err(scope.refused("a role", param));
    };
    let array = param.ty.pointee().and_then(|(array, _)| array.pointee()).map(|(element, _)| element);
    if !array.is_some_and(|element| are_texts(element, *encoding)) {
        return Err(scope.refused(misfit(*encoding), param));
    }
    let (value, to) = (format!("val_{}", param.name), format!("hc_out.arg_{}", param.name));
    let count = scope.length(length)?;
    body.when(&format!("{value} != NULL"), |body| {
        let texts = Texts { value: &value, count: &count, encoding: *encoding, about: &param.name, to: &to };
        texts.give(body);
    });
    Ok(())
}

/// Copies the returned texts.
pub(crate) fn returned(
    scope: &Scope<'_>,
    length: Option<&Expr>,
    encoding: Encoding,
    body: &mut Body,
) -> Result<(), Error> {
    let ty = &scope.function.result_type;
    if !ty.pointee().is_some_and(|(element, _)| are_texts(element, encoding)) {
        return Err(scope.unsupported(format!("{} (the result, {})", misfit(encoding), ty.written)));
    }
    let count = match length {
        Some(length) => scope.length(length)?,
        None => "hotcell_count(hc_result)".into(),
    };
    body.when(given(scope), |body| {
        let (value, to) = ("hc_result", "hc_out.returned");
        Texts { value, count: &count, encoding, about: "result", to }.give(body);
    });
    Ok(())
}

/// Whether an element of an array points to a text.
fn are_texts(element: &CType, encoding: Encoding) -> bool {
    element.pointee().is_some_and(|(text, _)| encoding.lies_in(text))
}

/// Texts of the library on their way into the reply.
struct Texts<'a> {
    /// The C expression of the array.
    value: &'a str,
    /// The C expression of their number.
    count: &'a str,
    encoding: Encoding,
    /// What an error calls them.
    about: &'a str,
    /// Where the reference goes.
    to: &'a str,
}

impl Texts<'_> {
    fn give(&self, body: &mut Body) {
        let Texts { value, count, encoding, about, to } = self;
        // A number that cannot be computed is none, and says nothing about what is computed behind it.
        let bad = count.contains("&hc_bad");
        body.line(format!("hotcell_wide count_{about} = {count};"));
        let flag = if bad { "hc_bad" } else { "0" };
        let (unit, name) = (encoding.unit(), literal(about));
        let give =
            format!("hotcell_hand_texts(hc_ctx, {value}, count_{about}, {flag}, {unit}, {name}, &{to})");
        body.leave_when(&format!("!{give}"));
        if bad {
            body.line("hc_bad = 0;");
        }
    }
}
