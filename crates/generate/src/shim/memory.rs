//! Memory and places the library hands out: pointers it fills, and returned texts and buffers.
//!
//! Everything is copied, then what the caller owns is released: once, at the entry's only end behind the call, also
//! when the call failed or the copy found no space.

use hotcell_model::expr::Expr;
use hotcell_model::interface::{Encoding, Fails, Function, Ownership, Param, ResultRole, Role};

use crate::Error;
use crate::shim::arguments::unit_of;
use crate::shim::body::Body;
use crate::shim::expr::Scope;
use crate::shim::texts;
use crate::shim::types::declare;

/// The pointer that the function fills: NULL until then.
pub(crate) fn pointer(scope: &Scope<'_>, param: &Param, body: &mut Body) -> Result<(), Error> {
    let pointee = param.ty.pointee().filter(|(pointee, _)| pointee.pointee().is_some());
    let (pointee, _) = pointee.ok_or_else(|| scope.refused("a pointer to no pointer", param))?;
    let ty = scope.spelled(pointee, param)?;
    body.line(format!("{} = NULL;", declare(ty, &format!("val_{}", param.name))));
    Ok(())
}

/// Copies a text or data that came out through a pointer, or measures a place.
pub(crate) fn out(scope: &Scope<'_>, param: &Param, body: &mut Body) -> Result<(), Error> {
    let (value, field) = (format!("val_{}", param.name), format!("hc_out.arg_{}", param.name));
    let inner = param.ty.pointee().and_then(|(pointer, _)| pointer.pointee()).map(|(inner, _)| inner);
    let inner = inner.ok_or_else(|| scope.refused("a pointer to no pointer", param))?;
    let size = inner.element_size();
    let size = size.ok_or_else(|| scope.refused("memory of things that are no numbers", param))?;
    match &param.role.value {
        Role::TextOut { encoding, .. } if !encoding.lies_in(inner) => {
            return Err(scope.refused(texts::misfit(*encoding), param));
        }
        Role::TextOut { encoding, .. } => {
            body.when(&format!("{value} != NULL"), |body| text(*encoding, &value, &field, body));
        }
        Role::DataOut { length, valid_on_error, .. } => {
            let elements = scope.length(length)?;
            let lenient = *valid_on_error && scope.function.error.is_some();
            body.when(&format!("{value} != NULL"), |body| {
                data(&value, &field, &elements, (size, lenient), &param.name, body);
            });
        }
        Role::OffsetOut { param: of, .. } => {
            let of = scope.function.params.get(*of);
            let of = of.ok_or_else(|| scope.refused("a place in nothing", param))?;
            if of.structures().is_some() {
                return Err(scope.refused("a place in an array of structures", param));
            }
            let size = unit_of(scope, of)?;
            let start = format!("arg_{}, hc_in.arg_{}.length, {size}", of.name, of.name);
            body.line(format!("{field} = hotcell_offset({start}, {value});"));
        }
        _ => return Err(scope.refused("a role", param)),
    }
    Ok(())
}

/// Copies the returned text or buffer.
pub(crate) fn returned(scope: &Scope<'_>, body: &mut Body) -> Result<(), Error> {
    let guard = given(scope);
    let (length, size, encoding) = match &scope.function.result.value {
        ResultRole::Text { length, encoding, .. } => (length.as_ref(), 1, *encoding),
        ResultRole::Buffer { length, .. } => {
            let ty = &scope.function.result_type;
            let size = ty.pointed_elements().and_then(|(element, _)| element.element_size());
            let size =
                size.ok_or_else(|| scope.unsupported(format!("a result buffer of `{}`", ty.written)))?;
            (Some(length), size, Encoding::Bytes)
        }
        _ => return Ok(()),
    };
    let elements = length.map(|length| scope.length(length)).transpose()?;
    body.when(guard, |body| match elements {
        None => text(encoding, "hc_result", "hc_out.returned", body),
        Some(elements) => {
            data("hc_result", "hc_out.returned", &elements, (size, false), "result", body);
        }
    });
    Ok(())
}

/// The condition under which a returned pointer is copied.
pub(crate) fn given(scope: &Scope<'_>) -> &'static str {
    match scope.function.error {
        Some(_) => "!hc_failed && hc_result != NULL",
        None => "hc_result != NULL",
    }
}

fn text(encoding: Encoding, value: &str, field: &str, body: &mut Body) {
    body.leave_when(&format!("!{}", texts::give(encoding, value, field)));
}

/// Copies data of so many elements of a size. Where this is `lenient`, a length that cannot be lies only when the call
/// did not fail: otherwise there are no data.
fn data(
    value: &str,
    field: &str,
    elements: &str,
    (size, lenient): (u32, bool),
    about: &str,
    body: &mut Body,
) {
    // A number that cannot be computed is none, and says nothing about what is computed behind it.
    let bad = elements.contains("&hc_bad");
    body.line(format!("hotcell_wide count_{about} = {elements};"));
    let flag = if bad { "hc_bad" } else { "0" };
    let hand = |body: &mut Body| {
        body.leave_when(&format!("!hotcell_hand(hc_ctx, {value}, count_{about}, {flag}, {size}, &{field})"));
    };
    match lenient {
        true => {
            let some = if bad { "!hc_bad && " } else { "" };
            body.line(format!("uint64_t bytes_{about} = 0;"));
            let there = format!("{some}hotcell_bytes(count_{about}, {size}, &bytes_{about})");
            body.when(&format!("!hc_failed || ({there})"), hand);
        }
        false => hand(body),
    }
    if bad {
        body.line("hc_bad = 0;");
    }
}

/// The releases of memory that the caller owns. A pointer that means nothing after a failure is not touched then.
pub(crate) fn releases(function: &Function, exit: &mut Body) {
    let mut release = |condition: &str, value: &str, ownership: &Ownership| {
        if let Ownership::Owned { release } = ownership {
            exit.when(condition, |exit| exit.line(format!("{release}((void *){value});")));
        }
    };
    for param in &function.params {
        if let Role::TextOut { ownership, valid_on_error, .. }
        | Role::TextsOut { ownership, valid_on_error, .. }
        | Role::DataOut { ownership, valid_on_error, .. } = &param.role.value
        {
            let value = format!("val_{}", param.name);
            release(&filled(function, &value, *valid_on_error), &value, ownership);
        }
    }
    if let ResultRole::Text { ownership, .. }
    | ResultRole::Texts { ownership, .. }
    | ResultRole::Buffer { ownership, .. }
    | ResultRole::Struct { ownership, .. } = &function.result.value
    {
        release(there(function), "hc_result", ownership);
    }
}

/// The condition under which a returned pointer is one. A result that means failure by not being NULL is memory
/// too; under any other rule a failed call's pointer may be anything and is left alone.
pub(crate) fn there(function: &Function) -> &'static str {
    match function.error.as_ref().map(|rule| &rule.value.fails) {
        None | Some(Fails::Nonzero) => "hc_result != NULL",
        Some(_) => "!hc_failed && hc_result != NULL",
    }
}

/// The condition under which the function has filled a pointer.
pub(crate) fn filled(function: &Function, pointer: &str, valid_on_error: bool) -> String {
    let always = valid_on_error || function.error.is_none();
    if always { format!("{pointer} != NULL") } else { format!("!hc_failed && {pointer} != NULL") }
}

/// How far a message may be read when the expression is a parameter that holds a text, with the pointer.
pub(crate) fn message(scope: &Scope<'_>, expr: &Expr) -> Result<(String, String), Error> {
    let text = scope.native(expr)?;
    let param = match expr {
        Expr::Param { index } => scope.function.params.get(*index),
        _ => None,
    };
    let limit = match param.map(|param| (&param.role.value, &param.name)) {
        Some((Role::BufferOut { .. }, name)) => format!("size_{name}"),
        Some((Role::BufferInOut { .. }, name)) => format!("hc_in.arg_{name}.length"),
        Some((Role::Text { encoding, .. } | Role::TextOut { encoding, .. }, name))
            if encoding.is_converted() =>
        {
            return Err(scope.unsupported(format!("`{name}`, a text in another encoding, as a message")));
        }
        None | Some((Role::Text { .. } | Role::TextOut { .. }, _)) => "UINT64_MAX".into(),
        Some((_, name)) => return Err(scope.unsupported(format!("`{name}` as a message"))),
    };
    Ok((text, limit))
}
