//! The statements behind the call: what failed, the message, and every result.
//!
//! A library that claims to have filled more than there was has already overwritten memory: such a length is
//! written as one that the host is sure to refuse.

use hotcell_model::expr::Expr;
use hotcell_model::interface::{Fails, Ownership, Param, ResultLength, ResultRole, Role, Unit};
use hotcell_model::layout::Carries;
use hotcell_model::types::Type;

use crate::Error;
use crate::shim::arguments::element;
use crate::shim::body::Body;
use crate::shim::expr::Scope;
use crate::shim::types::wire;

/// Writes everything between `errno` and the result block.
pub(crate) fn write(scope: Scope<'_>, body: &mut Body) -> Result<(), Error> {
    let function = scope.function;
    if let Some(rule) = &function.error {
        let condition = failure(&scope, &rule.value.fails)?;
        body.line(format!("int hc_failed = {condition};"));
        if condition.contains("&hc_bad") {
            // An expression that overflows proves nothing good.
            body.line("hc_failed = hc_failed || hc_bad;");
            body.line("hc_bad = 0;");
        }
        let message = rule.value.message.as_ref().map(|expr| message(&scope, expr)).transpose()?;
        body.when("hc_failed", |body| {
            body.line("hc_rp->state = HOTCELL_REPLY_STATE_LIBRARY_ERROR;");
            if let Some((text, limit)) = message {
                body.line(format!("const void *hc_message = {text};"));
                body.when("hc_message != NULL", |body| {
                    let length = format!("hotcell_length(hc_message, {limit})");
                    let give = format!("hotcell_give(hc_ctx, hc_message, {length}, 1, &hc_out.message)");
                    body.when(&format!("!{give}"), |body| {
                        release_on_error(&scope, body);
                        body.line("return;");
                    });
                });
            }
            release_on_error(&scope, body);
        });
    }
    returned(&scope, body)?;
    let (mut always, mut on_success) = (Vec::new(), Vec::new());
    for (index, param) in function.params.iter().enumerate() {
        let valid_on_error = match &param.role.value {
            Role::BufferInOut { valid_on_error, .. }
            | Role::BufferOut { valid_on_error, .. }
            | Role::ValueOut { valid_on_error }
            | Role::ValueInOut { valid_on_error } => *valid_on_error,
            _ => continue,
        };
        let lines = out(&scope, index, param)?;
        let group = if valid_on_error || function.error.is_none() { &mut always } else { &mut on_success };
        group.extend(lines);
    }
    always.iter().for_each(|line| body.line(line));
    if !on_success.is_empty() {
        body.when("!hc_failed", |body| on_success.iter().for_each(|line| body.line(line)));
    }
    Ok(())
}

/// The condition that means failure.
fn failure(scope: &Scope<'_>, fails: &Fails) -> Result<String, Error> {
    let ty = &scope.function.result_type;
    let pointer = matches!(ty.kind, Type::Pointer { .. } | Type::FunctionPointer { .. });
    let zero = if pointer { "NULL" } else { "0" };
    let signed = match &ty.kind {
        Type::Int { signed, .. } | Type::Enum { signed, .. } => *signed,
        Type::Char => scope.interface.target.char_signed,
        Type::Float { .. } => true,
        _ => false,
    };
    if !matches!(fails, Fails::When { .. }) && !pointer && !ty.is_scalar() {
        return Err(scope.unsupported(format!("a rule over the result, which is `{}`,", ty.written)));
    }
    Ok(match fails {
        Fails::Nonzero => format!("hc_result != {zero}"),
        Fails::Zero => format!("hc_result == {zero}"),
        Fails::Negative if signed => "hc_result < 0".into(),
        Fails::Negative => {
            return Err(scope.unsupported(format!("a negative result of type `{}`", ty.written)));
        }
        Fails::Null if pointer => "hc_result == NULL".into(),
        Fails::Null => return Err(scope.unsupported(format!("a NULL result of type `{}`", ty.written))),
        Fails::When { condition } => scope.truth(condition)?,
    })
}

/// The pointer to a message and how far it may be read.
fn message(scope: &Scope<'_>, expr: &Expr) -> Result<(String, String), Error> {
    if let Expr::Param { index } = expr
        && let Some(param) = scope.function.params.get(*index)
    {
        return match &param.role.value {
            Role::BufferOut { .. } => Ok((scope.native(expr)?, format!("size_{}", param.name))),
            Role::BufferInOut { .. } => Ok((scope.native(expr)?, format!("hc_in.arg_{}.length", param.name))),
            Role::Text { .. } => Ok((scope.native(expr)?, "UINT64_MAX".into())),
            _ => Err(scope.unsupported(format!("`{}` as a message", param.name))),
        };
    }
    Ok((scope.native(expr)?, "UINT64_MAX".into()))
}

fn returned(scope: &Scope<'_>, body: &mut Body) -> Result<(), Error> {
    let function = scope.function;
    let failed = function.error.as_ref();
    match &function.result.value {
        ResultRole::Void => Ok(()),
        ResultRole::Value | ResultRole::Status | ResultRole::LengthOf { .. } => {
            let kind = function.layout.result.field(Carries::Returned).map(|field| wire(field.kind));
            let kind = kind.ok_or_else(|| scope.unsupported("a result without a field"))?;
            body.line(format!("hc_out.returned = ({kind})hc_result;"));
            Ok(())
        }
        ResultRole::Text { ownership, .. } => {
            let guard =
                if failed.is_some() { "!hc_failed && hc_result != NULL" } else { "hc_result != NULL" };
            body.when(guard, |body| {
                let length = "hotcell_length(hc_result, UINT64_MAX)";
                give(body, length, 1, ownership);
            });
            Ok(())
        }
        ResultRole::Buffer { length, ownership } => {
            let size = function.result_type.pointee().and_then(|(pointee, _)| pointee.element_size());
            let Some(size) = size else {
                return Err(
                    scope.unsupported(format!("a result buffer of `{}`", function.result_type.written))
                );
            };
            let elements = scope.wide(length)?;
            let guard =
                if failed.is_some() { "!hc_failed && hc_result != NULL" } else { "hc_result != NULL" };
            body.when(guard, |body| {
                body.line("uint64_t hc_length = 0;");
                body.when(&format!("!hotcell_bytes({elements}, {size}, &hc_length) || hc_bad"), |body| {
                    release(body, ownership);
                    body.line("hc_ctx->refuse(hc_ctx, HOTCELL_REFUSAL_SIZE_OVERFLOW, \"result\");");
                    body.line("return;");
                });
                give(body, "hc_length", size, ownership);
            });
            Ok(())
        }
        ResultRole::Handle { .. } | ResultRole::Struct { .. } => {
            Err(scope.unsupported("a handle as the result"))
        }
    }
}

/// Copies the returned memory, then gives it back to the library.
fn give(body: &mut Body, length: &str, align: u32, ownership: &Ownership) {
    let give = format!("hotcell_give(hc_ctx, hc_result, {length}, {align}, &hc_out.returned)");
    if let Ownership::Owned { .. } = ownership {
        body.line(format!("int hc_given = {give};"));
        release(body, ownership);
        body.return_when("!hc_given");
    } else {
        body.return_when(&format!("!{give}"));
    }
}

fn release(body: &mut Body, ownership: &Ownership) {
    if let Ownership::Owned { release } = ownership {
        body.line(format!("{release}((void *)hc_result);"));
    }
}

/// A result that means failure by not being NULL is memory too. Under any other rule a failed call's pointer
/// may be anything and is left alone.
fn release_on_error(scope: &Scope<'_>, body: &mut Body) {
    let nonzero = scope.function.error.as_ref().is_some_and(|rule| rule.value.fails == Fails::Nonzero);
    if let ResultRole::Text { ownership, .. } | ResultRole::Buffer { ownership, .. } =
        &scope.function.result.value
        && nonzero
    {
        release(body, ownership);
    }
}

/// The statements that fill an out-parameter's field.
fn out(scope: &Scope<'_>, index: usize, param: &Param) -> Result<Vec<String>, Error> {
    let name = &param.name;
    let (result, capacity) = match &param.role.value {
        Role::BufferInOut { result, .. } => (result, format!("hc_in.arg_{name}.length")),
        Role::BufferOut { result, .. } => (result, format!("size_{name}")),
        _ => {
            let kind = scope.function.layout.result.field(Carries::Param { index }).map(|f| wire(f.kind));
            let kind = kind.ok_or_else(|| scope.unsupported("a result without a field"))?;
            return Ok(vec![format!("hc_out.arg_{name} = ({kind})val_{name};")]);
        }
    };
    let (size, pointee, _) = element(scope, param)?;
    let length = match result {
        ResultLength::Full => capacity,
        ResultLength::Pointer { param: pointer } => {
            let size = match scope.function.params.get(*pointer).map(|p| &p.role.value) {
                Some(Role::LengthPointerOf { unit: Unit::Bytes, .. }) => 1,
                _ => size,
            };
            format!("hotcell_claim({}, {size}, {capacity})", scope.wide(&Expr::Param { index: *pointer })?)
        }
        ResultLength::Returned => {
            format!("hotcell_claim_result({}, {size}, {capacity})", scope.wide(&Expr::Result)?)
        }
        ResultLength::Text if pointee.is_byte() => format!("hotcell_length(arg_{name}, {capacity})"),
        ResultLength::Text => return Err(scope.unsupported(format!("a text in `{}`", param.ty.written))),
        ResultLength::Elements { size: elements } => {
            let elements = scope.wide(elements)?;
            if elements.contains("&hc_bad") {
                let claim = format!("uint64_t claim_{name} = hotcell_claim({elements}, {size}, {capacity});");
                let length = format!("hc_bad ? UINT64_MAX : claim_{name}");
                return Ok(vec![claim, refer(param, &length), "hc_bad = 0;".into()]);
            }
            format!("hotcell_claim({elements}, {size}, {capacity})")
        }
    };
    Ok(vec![refer(param, &length)])
}

fn refer(param: &Param, length: &str) -> String {
    let name = &param.name;
    let length = match &param.role.value {
        // NULL went in: nothing comes out.
        Role::BufferInOut { nullable: true, .. } => format!("arg_{name} == NULL ? 0 : {length}"),
        _ => length.to_owned(),
    };
    format!("hc_out.arg_{name} = (hotcell_ref){{place_{name}, {length}}};")
}
