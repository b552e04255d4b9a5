//! Callbacks: a C function of the shim's own for each, that asks the runtime to run the application's.
//!
//! What the library hands back as user data is a record on the entry's stack, one for all callbacks of a call: the
//! context, the numbers the host passed, and whether one has failed. From then on all of them return the
//! contract's default at once.

use hotcell_model::interface::{
    Callback, CallbackParam, CallbackRole, CallbackScope, Function, Param, Role, Unit,
};
use hotcell_model::layout::{Block, Carries, WireKind};
use hotcell_model::types::{CType, Type};

use crate::Error;
use crate::shim::body::Body;
use crate::shim::expr::{Scope, int};
use crate::shim::types::{declare, literal, spell, wire};

fn callbacks(function: &Function) -> impl Iterator<Item = (&Param, &Callback, bool)> {
    function.params.iter().filter_map(|param| match &param.role.value {
        Role::Callback { callback, nullable } => Some((param, &**callback, *nullable)),
        _ => None,
    })
}

/// Names of the block of a callback's arguments.
pub(crate) fn blocks(function: &Function) -> impl Iterator<Item = (String, &Callback)> {
    callbacks(function).map(|(param, callback, _)| (format!("back_args_{}", param.name), callback))
}

/// The record and the functions that stand before an entry.
pub(crate) fn definitions(scope: &Scope<'_>) -> Result<Vec<String>, Error> {
    let name = &scope.function.name;
    let mut lines = Vec::new();
    if callbacks(scope.function).next().is_none() {
        return Ok(lines);
    }
    lines.push(format!("struct hotcell_calling_{name} {{"));
    lines.extend(["    hotcell_ctx *ctx;".into(), "    int failed;".into()]);
    lines.extend(callbacks(scope.function).map(|(param, ..)| format!("    uint64_t number_{};", param.name)));
    lines.push("};".into());
    for (param, callback, _) in callbacks(scope.function) {
        check(scope, param, callback)?;
        lines.push(String::new());
        lines.extend(Back { scope, param, callback }.lines()?);
    }
    Ok(lines)
}

/// The record of a call.
pub(crate) fn record(function: &Function, body: &mut Body) {
    let numbers: String =
        callbacks(function).map(|(param, ..)| format!(", hc_in.arg_{}", param.name)).collect();
    if !numbers.is_empty() {
        body.line(format!("struct hotcell_calling_{} hc_calling = {{hc_ctx, 0{numbers}}};", function.name));
    }
}

/// What the library gets for a callback: 0 stands for NULL.
pub(crate) fn argument(
    scope: &Scope<'_>,
    param: &Param,
    nullable: bool,
    body: &mut Body,
) -> Result<(), Error> {
    let (ty, name) = (scope.spelled(&param.ty, param)?, &param.name);
    let back = format!("hotcell_back_{}_{name}", scope.function.name);
    let none = format!("hc_in.arg_{name} == 0");
    let value = if nullable {
        format!("{none} ? NULL : {back}")
    } else {
        body.refuse_when(&none, "NULL_ARGUMENT", name);
        back
    };
    body.line(format!("{} = {value};", declare(ty, &format!("arg_{name}"))));
    Ok(())
}

/// The user data, which must be that of its callback.
pub(crate) fn user_data(scope: &Scope<'_>, param: &Param, of: usize, body: &mut Body) -> Result<(), Error> {
    let position = scope.function.params.iter().position(|other| other.name == param.name);
    let callback = scope.function.params.get(of).map(|callback| &callback.role.value);
    let theirs = matches!(callback, Some(Role::Callback { callback, .. }) if callback.user_data == position);
    if !theirs {
        return Err(inconsistent(scope, format!("`{}` is user data of something else", param.name)));
    }
    if param.ty.pointee().is_none() {
        return Err(scope.refused("user data that is no pointer", param));
    }
    let ty = scope.spelled(&param.ty, param)?;
    body.line(format!("{} = (void *)&hc_calling;", declare(ty, &format!("arg_{}", param.name))));
    Ok(())
}

/// Ends the entry when a callback found no place for its arguments: the reply is a refusal since then.
pub(crate) fn refused(function: &Function, body: &mut Body) {
    if callbacks(function).next().is_some() {
        body.leave_when("hc_rp->state == HOTCELL_REPLY_STATE_REFUSED");
    }
}

fn inconsistent(scope: &Scope<'_>, what: String) -> Error {
    Error::Inconsistent { function: scope.function.name.clone(), what }
}

/// Refuses a callback that contradicts itself or that no record reaches.
fn check(scope: &Scope<'_>, param: &Param, callback: &Callback) -> Result<(), Error> {
    let name = &param.name;
    if callback.scope != CallbackScope::Call {
        return Err(scope.refused("a callback that the library keeps", param));
    }
    let Some(user_data) = callback.user_data else {
        return Err(scope.refused("a callback without user data", param));
    };
    let holder = scope.function.params.get(user_data).map(|holder| &holder.role.value);
    if !matches!(holder, Some(Role::UserData { .. })) {
        return Err(inconsistent(scope, format!("the user data of `{name}` is no user data")));
    }
    let block = Block::of_callback(&callback.params, &scope.interface.target);
    if block.map_err(|what| inconsistent(scope, format!("`{name}`: {what}")))? != callback.args {
        let what = format!("the argument block of `{name}` is not the one its roles demand");
        return Err(inconsistent(scope, what));
    }
    let users = callback.params.iter().filter(|param| param.role == CallbackRole::UserData);
    if users.count() != 1 {
        return Err(inconsistent(scope, format!("`{name}` has not one parameter for its user data")));
    }
    if callback.on_failure.is_none() && callback.result.kind != Type::Void {
        return Err(inconsistent(scope, format!("`{name}` does not say what it returns when it failed")));
    }
    Ok(())
}

struct Back<'a> {
    scope: &'a Scope<'a>,
    param: &'a Param,
    callback: &'a Callback,
}

impl Back<'_> {
    fn lines(&self) -> Result<Vec<String>, Error> {
        let (function, name) = (&self.scope.function.name, &self.param.name);
        let mut params = Vec::new();
        for param in &self.callback.params {
            params.push(declare(self.spelled(&param.ty)?, &format!("arg_{}", param.name)));
        }
        let result = self.spelled(&self.callback.result)?;
        let head = format!("hotcell_back_{function}_{name}({})", params.join(", "));
        let mut lines = vec![format!("static {}", declare(result, &head)), "{".into()];
        lines.extend(self.body()?.into_lines());
        lines.push("}".into());
        Ok(lines)
    }

    fn body(&self) -> Result<Body, Error> {
        let (function, name) = (&self.scope.function.name, &self.param.name);
        let failed = match self.callback.on_failure {
            Some(value) if self.callback.result.kind != Type::Void => format!("return {};", int(value)),
            _ => "return;".into(),
        };
        let mut body = Body::leaving_by(&["errno = hc_errno;", &failed]);
        let users = self.callback.params.iter().filter(|param| param.role == CallbackRole::UserData);
        for user in users {
            let record = format!("struct hotcell_calling_{function} *");
            body.line(format!("{} = (void *)arg_{};", declare(&record, "hc_calling"), user.name));
        }
        body.when("hc_calling->failed", |body| body.line(&failed));
        body.line("hotcell_ctx *hc_ctx = hc_calling->ctx;");
        body.line("int hc_errno = errno; /* of the library, not of the runtime */");
        body.line("uint64_t hc_mark = hc_ctx->mark(hc_ctx);");
        body.line("uint64_t hc_place = HOTCELL_PLACE_NULL;");
        body.line("uint64_t hc_value = 0;");
        let size = self.callback.args.size;
        if size > 0 {
            body.line(format!("struct hotcell_back_args_{name}_{function} hc_args;"));
            body.line("memset(&hc_args, 0, sizeof hc_args);");
        }
        body.line("hc_calling->failed = 1; /* unless all goes well */");
        self.callback
            .params
            .iter()
            .enumerate()
            .try_for_each(|(index, param)| self.argument(index, param, &mut body))?;
        body.line(format!("void *hc_block = hc_ctx->space(hc_ctx, {}, 8, &hc_place);", size.max(8)));
        body.leave_when("hc_block == NULL");
        if size > 0 {
            body.line("memcpy(hc_block, &hc_args, sizeof hc_args);");
        }
        let run = format!("hc_ctx->callback(hc_ctx, hc_calling->number_{name}, hc_place, {size}, &hc_value)");
        body.leave_when(&format!("!{run}"));
        body.line("hc_ctx->rewind(hc_ctx, hc_mark);");
        body.line("hc_calling->failed = 0;");
        body.line("errno = hc_errno;");
        self.result(&mut body)?;
        Ok(body)
    }

    fn argument(&self, index: usize, param: &CallbackParam, body: &mut Body) -> Result<(), Error> {
        let arg = format!("arg_{}", param.name);
        let to = format!("hc_args.{arg}");
        let reference =
            |body: &mut Body| body.line(format!("{to} = (hotcell_ref){{HOTCELL_PLACE_NULL, 0}};"));
        match &param.role {
            CallbackRole::Handle { .. } | CallbackRole::Handles { .. } => {
                return Err(self.refused("an object", param));
            }
            CallbackRole::Value => {
                let kind = self.callback.args.field(Carries::Param { index }).map(|field| wire(field.kind));
                let kind = kind.ok_or_else(|| self.refused("a value without a field", param))?;
                body.line(format!("{to} = ({kind}){arg};"));
            }
            CallbackRole::Text { .. } => {
                if !param.ty.pointee().is_some_and(|(ty, _)| ty.is_byte()) {
                    return Err(self.refused("a text that does not consist of bytes", param));
                }
                reference(body);
                let give =
                    format!("hotcell_give(hc_ctx, {arg}, hotcell_length({arg}, UINT64_MAX), 1, &{to})");
                body.leave_when(&format!("{arg} != NULL && !{give}"));
            }
            CallbackRole::Buffer { length, unit } => {
                let size = param.ty.pointee().and_then(|(ty, _)| ty.element_size());
                let size =
                    size.ok_or_else(|| self.refused("a buffer of things that are no numbers", param))?;
                let count = self.count(*length, param)?;
                let counted = if *unit == Unit::Bytes { 1 } else { size };
                reference(body);
                body.when(&format!("{arg} != NULL"), |body| {
                    let bytes = format!("size_{}", param.name);
                    body.line(format!("uint64_t {bytes} = 0;"));
                    let overflow = format!("!hotcell_bytes({count}, {counted}, &{bytes})");
                    body.refuse_when(&overflow, "SIZE_OVERFLOW", &param.name);
                    body.leave_when(&format!("!hotcell_give(hc_ctx, {arg}, {bytes}, {size}, &{to})"));
                });
            }
            CallbackRole::Texts { length, .. } => {
                let text = param.ty.pointee().and_then(|(pointer, _)| pointer.pointee());
                if !text.is_some_and(|(ty, _)| ty.is_byte()) {
                    return Err(self.refused("texts that are no pointers to bytes", param));
                }
                let count = self.count(*length, param)?;
                reference(body);
                let about = literal(&param.name);
                let give = format!("hotcell_give_texts(hc_ctx, {arg}, {count}, {about}, &{to})");
                body.leave_when(&format!("!{give}"));
            }
            CallbackRole::LengthOf { .. } | CallbackRole::UserData => {}
        }
        Ok(())
    }

    /// The number in another parameter.
    fn count(&self, length: usize, param: &CallbackParam) -> Result<String, Error> {
        let of = self.callback.params.get(length).filter(|of| of.ty.is_integer());
        let of = of.ok_or_else(|| self.refused("a length that is no integer", param))?;
        Ok(format!("(hotcell_wide)arg_{}", of.name))
    }

    fn result(&self, body: &mut Body) -> Result<(), Error> {
        let ty = &self.callback.result;
        if ty.kind == Type::Void {
            return Ok(());
        }
        let kind = WireKind::of_scalar(ty, &self.scope.interface.target);
        let kind = kind.ok_or_else(|| {
            let what = format!("a callback that returns `{}`", ty.written);
            self.scope.refused(&what, self.param)
        })?;
        // In the low bits, which come first.
        body.line(format!("return ({})HOTCELL_LOAD({}, &hc_value);", self.spelled(ty)?, wire(kind)));
        Ok(())
    }

    fn spelled<'t>(&self, ty: &'t CType) -> Result<&'t str, Error> {
        spell(ty).ok_or_else(|| self.scope.refused("a callback with a type without a name", self.param))
    }

    fn refused(&self, what: &str, param: &CallbackParam) -> Error {
        self.scope.refused(&format!("{what} (its `{}`, {})", param.name, param.ty.written), self.param)
    }
}
