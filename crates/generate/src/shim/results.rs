//! The statements behind the call: what failed, the message, and every result.
//!
//! A library that claims to have filled more than there was has already overwritten memory: such a length is
//! written as one that the host is sure to refuse.

use hotcell_model::expr::Expr;
use hotcell_model::interface::{Fails, Param, ResultLength, ResultRole, Role, Unit};
use hotcell_model::layout::Carries;
use hotcell_model::types::Type;

use crate::Error;
use crate::shim::arguments::element;
use crate::shim::body::Body;
use crate::shim::expr::{Moment, Scope};
use crate::shim::types::wire;
use crate::shim::{arrays, callbacks, handles, jumps, keeps, memory, structs, texts};

/// Writes everything between `errno` and the entry's end.
///
/// The order: whether it failed, and what that means for the handles that went in; the code and the message; copies
/// of everything; handles; the result block. Then, however that went, what the caller owns and did not get is
/// released.
pub(crate) fn write(scope: Scope<'_>, body: &mut Body) -> Result<(), Error> {
    let made = handles::made(&scope)?;
    let mut exit = body.part();
    structs::settle(&scope, &mut exit);
    memory::releases(scope.function, &mut exit);
    handles::releases(&made, &mut exit);

    let mut inner = if exit.is_empty() { body.part() } else { Body::leaving_by(&["goto hc_release;"]) };
    keeps::tie(&scope, &mut inner)?;
    failed(&scope, &mut inner)?;
    keeps::keep_objects(&scope, &mut inner)?;
    handles::settle(scope, &mut inner)?;
    callbacks::refused(&scope, &mut inner);
    told(&scope, &mut inner)?;
    returned(&scope, &mut inner)?;
    outs(&scope, &mut inner)?;
    handles::put(&made, &mut inner);
    keeps::tie_to_made(&scope, &mut inner)?;
    if scope.function.layout.result.size > 0 {
        inner.line("__builtin_memcpy(hc_rp->result, &hc_out, sizeof hc_out);");
    }

    let several = exit.mentions("hc_given");
    if several {
        body.line("int hc_given = 0;");
        inner.line("hc_given = 1;");
    }
    let early = inner.mentions("goto hc_release;");
    body.append(inner);
    if early {
        body.line("hc_release:");
    }
    body.append(exit);
    Ok(())
}

/// Whether the call failed.
fn failed(scope: &Scope<'_>, body: &mut Body) -> Result<(), Error> {
    let Some(rule) = &scope.function.error else { return Ok(()) };
    let condition = failure(scope, &rule.value.fails)?;
    body.line(match jumps::of(scope.interface, scope.function).is_empty() {
        true => format!("int hc_failed = {condition};"),
        // After a jump nothing is asked of what the call has left.
        false => format!("int hc_failed = hotcell_jumped || {condition};"),
    });
    if condition.contains("&hc_bad") {
        // An expression that overflows proves nothing good.
        body.line("hc_failed = hc_failed || hc_bad;");
        body.line("hc_bad = 0;");
    }
    Ok(())
}

/// What the library says about a failure.
fn told(scope: &Scope<'_>, body: &mut Body) -> Result<(), Error> {
    let Some(rule) = &scope.function.error else { return Ok(()) };
    let scope = &Scope { moment: Moment::Failed, ..*scope };
    let code = rule.value.code.as_ref().map(|expr| scope.wide(expr)).transpose()?;
    let own = rule.value.told_by.map(|index| Expr::Param { index });
    let mut texts = Vec::new();
    for expr in own.iter().chain(&rule.value.message) {
        texts.push(memory::message(scope, expr)?);
    }
    body.when("hc_failed", |body| {
        body.line("hc_rp->state = HOTCELL_REPLY_STATE_LIBRARY_ERROR;");
        if let Some(code) = code {
            body.line(format!("hc_out.code = (int64_t){code};"));
        }
        if let Some((text, limit)) = texts.first() {
            body.line(format!("const void *hc_message = {text};"));
            body.line(format!("uint64_t hc_most = {limit};"));
            if let Some((text, limit)) = texts.get(1) {
                body.when("hc_message == NULL", |body| {
                    body.line(format!("hc_message = {text};"));
                    body.line(format!("hc_most = {limit};"));
                });
            }
            body.when("hc_message != NULL", |body| {
                let length = "hotcell_length(hc_message, hc_most)";
                body.leave_when(&format!("!hotcell_give(hc_ctx, hc_message, {length}, 1, &hc_out.message)"));
            });
        }
        if body.mentions("&hc_bad") {
            body.line("hc_bad = 0;"); // what was said about a failure decides nothing else
        }
    });
    Ok(())
}

/// The out-parameters that are copied.
fn outs(scope: &Scope<'_>, body: &mut Body) -> Result<(), Error> {
    let (mut always, mut on_success) = (body.part(), body.part());
    for (index, param) in scope.function.params.iter().enumerate() {
        let valid_on_error = match &param.role.value {
            Role::BufferInOut { valid_on_error, .. }
            | Role::BufferOut { valid_on_error, .. }
            | Role::ValueOut { valid_on_error }
            | Role::ValueInOut { valid_on_error }
            | Role::TextOut { valid_on_error, .. }
            | Role::TextsOut { valid_on_error, .. }
            | Role::DataOut { valid_on_error, .. }
            | Role::OffsetOut { valid_on_error, .. } => *valid_on_error,
            Role::Struct { direction, valid_on_error, .. } if direction.goes_out() => *valid_on_error,
            _ => continue,
        };
        let unconditional = valid_on_error || scope.function.error.is_none();
        let part = if unconditional { &mut always } else { &mut on_success };
        match &param.role.value {
            Role::TextsOut { .. } => texts::out(scope, param, part)?,
            Role::TextOut { .. } | Role::DataOut { .. } | Role::OffsetOut { .. } => {
                memory::out(scope, param, part)?;
            }
            Role::Struct { record, nullable, .. } => {
                structs::out(scope, param, record, *nullable, part);
            }
            _ => {
                out(scope, index, param)?.into_iter().for_each(|line| part.line(line));
                if let Some(record) = param.structures() {
                    arrays::out(scope, param, record, part)?;
                }
            }
        }
    }
    structs::residents_out(scope, body);
    body.append(always);
    if !on_success.is_empty() {
        body.when("!hc_failed", |body| body.append(on_success));
    }
    Ok(())
}

/// The condition that means failure.
pub(crate) fn failure(scope: &Scope<'_>, fails: &Fails) -> Result<String, Error> {
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

fn returned(scope: &Scope<'_>, body: &mut Body) -> Result<(), Error> {
    let function = scope.function;
    match &function.result.value {
        ResultRole::Void | ResultRole::Handle { .. } => Ok(()),
        ResultRole::Value | ResultRole::Status | ResultRole::LengthOf { .. } => {
            let kind = function.layout.result.field(Carries::Returned).map(|field| wire(field.kind));
            let kind = kind.ok_or_else(|| scope.unsupported("a result without a field"))?;
            body.line(format!("hc_out.returned = ({kind})hc_result;"));
            Ok(())
        }
        ResultRole::Texts { length, encoding, .. } => {
            texts::returned(scope, length.as_ref(), *encoding, body)
        }
        ResultRole::Buffer { length, .. } if function.returned_structures().is_some() => {
            arrays::returned(scope, length, body)
        }
        ResultRole::Text { .. } | ResultRole::Buffer { .. } => memory::returned(scope, body),
        ResultRole::Struct { .. } => structs::returned(scope, body),
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
            let told = format!("({}, {size}, {capacity})", scope.wide(&Expr::Param { index: *pointer })?);
            claim(scope, param, "hotcell_claim", &told)
        }
        ResultLength::Returned => {
            let told = format!("({}, {size}, {capacity})", scope.wide(&Expr::Result)?);
            match scope.function.result.value {
                // Callers see the number themselves.
                ResultRole::Value => claim(scope, param, "hotcell_claim_result", &told),
                _ => claim(scope, param, "hotcell_claim", &told),
            }
        }
        ResultLength::Text if pointee.is_byte() => format!("hotcell_length(arg_{name}, {capacity})"),
        ResultLength::Text => return Err(scope.unsupported(format!("a text in `{}`", param.ty.written))),
        ResultLength::Elements { size: elements } => {
            let elements = scope.length(elements)?;
            if elements.contains("&hc_bad") {
                let told = format!("({elements}, {size}, {capacity})");
                let claim = claim(scope, param, "hotcell_claim", &told);
                let claim = format!("uint64_t claim_{name} = {claim};");
                let length = match may_have_failed(scope, param) {
                    true => format!("!hc_bad ? claim_{name} : hc_failed ? 0 : HOTCELL_LENGTH_IMPOSSIBLE"),
                    false => format!("hc_bad ? HOTCELL_LENGTH_IMPOSSIBLE : claim_{name}"),
                };
                return Ok(vec![claim, refer(param, &length), "hc_bad = 0;".into()]);
            }
            claim(scope, param, "hotcell_claim", &format!("({elements}, {size}, {capacity})"))
        }
    };
    Ok(vec![refer(param, &length)])
}

/// How much a buffer is said to hold. What a failed call says need not be a length.
fn claim(scope: &Scope<'_>, param: &Param, helper: &str, told: &str) -> String {
    match may_have_failed(scope, param) {
        true => format!("hc_failed ? hotcell_claim_failed{told} : {helper}{told}"),
        false => format!("{helper}{told}"),
    }
}

/// Whether a buffer is told about when the call failed, too.
fn may_have_failed(scope: &Scope<'_>, param: &Param) -> bool {
    let valid_on_error = match &param.role.value {
        Role::BufferInOut { valid_on_error, .. } | Role::BufferOut { valid_on_error, .. } => *valid_on_error,
        _ => false,
    };
    valid_on_error && scope.function.error.is_some()
}

fn refer(param: &Param, length: &str) -> String {
    let name = &param.name;
    let length = match &param.role.value {
        // NULL went in: nothing comes out.
        Role::BufferInOut { nullable: true, .. } => format!("arg_{name} == NULL ? 0 : {length}"),
        _ => length.to_owned(),
    };
    if param.structures().is_some() {
        return format!("uint64_t filled_{name} = {length};");
    }
    format!("hc_out.arg_{name} = (hotcell_ref){{place_{name}, {length}}};")
}
