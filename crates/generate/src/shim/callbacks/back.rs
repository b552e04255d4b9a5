//! The function that the library calls for a callback.
//!
//! It takes a mark, writes the arguments into reply memory, has the application's function run, and gives back the
//! memory and the objects it lent. Once a callback has failed, all of the call return the contract's default at once.

use hotcell_model::evidence::Fact;
use hotcell_model::expr::Expr;
use hotcell_model::interface::{
    Callback, CallbackParam, CallbackRole, CallbackThreads, Function, Param, Role, Unit,
};
use hotcell_model::layout::{Carries, WireKind};
use hotcell_model::types::{CType, Type};

use super::{inconsistent, is_kept, number};
use crate::Error;
use crate::shim::body::Body;
use crate::shim::expr::{Moment, Scope, int};
use crate::shim::handles;
use crate::shim::texts;
use crate::shim::types::{declare, literal, spell, wire};

/// The lines of the function.
pub(super) fn definition(
    scope: &Scope<'_>,
    param: &Param,
    callback: &Callback,
) -> Result<Vec<String>, Error> {
    Back { scope, param, callback }.lines()
}

struct Back<'a> {
    scope: &'a Scope<'a>,
    param: &'a Param,
    callback: &'a Callback,
}

impl Back<'_> {
    fn lines(&self) -> Result<Vec<String>, Error> {
        let mut params = Vec::new();
        for param in &self.callback.params {
            params.push(declare(self.spelled(&param.ty)?, &format!("arg_{}", param.name)));
        }
        let params = if params.is_empty() { "void".into() } else { params.join(", ") };
        let result = self.spelled(&self.callback.result)?;
        let head = format!("hotcell_back_{}({params})", number(self.scope, self.param));
        let mut lines = vec![format!("static {}", declare(result, &head)), "{".into()];
        lines.extend(self.body()?.into_lines());
        lines.push("}".into());
        Ok(lines)
    }

    fn body(&self) -> Result<Body, Error> {
        let name = &self.param.name;
        let failed = match (self.callback.on_failure, &self.callback.failure_call) {
            (Some(value), _) if self.callback.result.kind != Type::Void => {
                format!("return {};", int(value.into()))
            }
            (_, Some(call)) => format!("(void){}; errno = hc_errno; return;", self.evaluated(call)?),
            _ => "return;".into(),
        };
        let mut body = Body::leaving_by(&["errno = hc_errno;", &failed]);
        body.line("int hc_errno = errno; /* of the library, not of the runtime */");
        self.record(&mut body)?;
        body.line("uint64_t hc_mark = hc_ctx->mark(hc_ctx);");
        body.line("uint64_t hc_place = HOTCELL_PLACE_NULL;");
        body.line("uint64_t hc_value = 0;");
        body.before_leaving("hc_ctx->rewind(hc_ctx, hc_mark);".into());
        let size = self.callback.args.size;
        if size > 0 {
            body.line(format!("struct hotcell_back_args_{} hc_args;", number(self.scope, self.param)));
            body.line("__builtin_memset(&hc_args, 0, sizeof hc_args);");
        }
        body.line("hotcell_progress.failed = 1; /* unless all goes well */");
        self.callback
            .params
            .iter()
            .enumerate()
            .try_for_each(|(index, param)| self.argument(index, param, &mut body))?;
        body.line(format!("void *hc_block = hc_ctx->space(hc_ctx, {}, 8, &hc_place);", size.max(8)));
        body.leave_when("hc_block == NULL");
        if size > 0 {
            body.line("__builtin_memcpy(hc_block, &hc_args, sizeof hc_args);");
        }
        let run = format!("hc_ctx->callback(hc_ctx, hc_record->number_{name}, hc_place, {size}, &hc_value)");
        body.leave_when(&format!("!{run}"));
        self.filled(&mut body)?;
        body.line("hotcell_progress.failed = 0;");
        body.undo();
        self.result(&mut body)?;
        Ok(body)
    }

    /// Finds the record and the context, or does not go on.
    fn record(&self, body: &mut Body) -> Result<(), Error> {
        let (function, name) = (&self.scope.function.name, &self.param.name);
        let found = format!("(hotcell_mark_{function}, {})", self.user_data()?);
        let about = format!("{}, {}", literal(function), literal(name));
        let (record, wrong) = match is_kept(self.callback) {
            true => ("keeping", "foreign"),
            false => ("calling", "astray"),
        };
        let from_threads = self.callback.threads == CallbackThreads::Any;
        if is_kept(self.callback) && !from_threads {
            body.when("hotcell_progress.ctx == NULL", |body| {
                body.line(format!("hotcell_outside({about});"));
                body.leave();
            });
        }
        body.line(format!(
            "const struct hotcell_{record}_{function} *hc_record = hotcell_is_{record}{found};"
        ));
        body.when("hc_record == NULL", |body| body.line(format!("hotcell_{wrong}({about});")));
        if from_threads {
            body.line("int hc_turn = hotcell_progress.ctx == NULL; /* a thread of the library's own */");
            body.line("hotcell_ctx *hc_ctx = hc_turn ? hotcell_take_turn() : hotcell_progress.ctx;");
            body.leave_when("hc_ctx == NULL");
            body.before_leaving("if (hc_turn) { hotcell_end_turn(hc_ctx); }".into());
            body.leave_when("hotcell_progress.failed");
            return Ok(());
        }
        body.leave_when("hotcell_progress.failed");
        body.line("hotcell_ctx *hc_ctx = hotcell_progress.ctx;");
        Ok(())
    }

    /// The C expression of what the registering call passed.
    fn user_data(&self) -> Result<String, Error> {
        let user = self.callback.params.iter().find(|param| param.role == CallbackRole::UserData);
        if self.callback.user_data.is_none() {
            // The call in progress is the only one that it can be of.
            let calling = "hotcell_progress.calling";
            return Ok(format!("{calling} == NULL ? NULL : {calling}->user"));
        }
        match (user, &self.callback.user_data_from) {
            (Some(user), _) => Ok(format!("arg_{}", user.name)),
            (None, Some(expr)) => self.evaluated(expr),
            (None, None) => {
                let what = format!("`{}` has no way to its user data", self.param.name);
                Err(inconsistent(self.scope, what))
            }
        }
    }

    /// An expression over the callback's own parameters.
    fn evaluated(&self, expr: &Expr) -> Result<String, Error> {
        let params = self.callback.params.iter().map(|param| Param {
            name: param.name.clone(),
            ty: param.ty.clone(),
            role: Fact::proven(Role::Value),
        });
        let function = Function { params: params.collect(), ..self.scope.function.clone() };
        let scope = Scope { function: &function, moment: Moment::Before, ..*self.scope };
        scope.native(expr)
    }

    fn argument(&self, index: usize, param: &CallbackParam, body: &mut Body) -> Result<(), Error> {
        let arg = format!("arg_{}", param.name);
        let to = format!("hc_args.{arg}");
        let reference =
            |body: &mut Body| body.line(format!("{to} = (hotcell_ref){{HOTCELL_PLACE_NULL, 0}};"));
        match &param.role {
            CallbackRole::Value => {
                let kind = self.callback.args.field(Carries::Param { index }).map(|field| wire(field.kind));
                let kind = kind.ok_or_else(|| self.refused("a value without a field", param))?;
                body.line(format!("{to} = ({kind}){arg};"));
            }
            CallbackRole::Text { encoding, .. } => {
                if !param.ty.pointee().is_some_and(|(ty, _)| encoding.lies_in(ty)) {
                    return Err(self.refused(texts::misfit(*encoding), param));
                }
                reference(body);
                let give = texts::give(*encoding, &arg, &to);
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
            CallbackRole::Room { capacity, unit, .. } => {
                let size = param.ty.pointee().and_then(|(ty, _)| ty.element_size());
                let size =
                    size.ok_or_else(|| self.refused("memory for things that are no numbers", param))?;
                let (count, room) = (self.count(*capacity, param)?, format!("size_{}", param.name));
                let counted = if *unit == Unit::Bytes { 1 } else { size };
                body.line(format!("uint64_t {room} = 0;"));
                let overflow = format!("!hotcell_bytes({count}, {counted}, &{room})");
                body.refuse_when(&overflow, "SIZE_OVERFLOW", &param.name);
                body.line(format!("{to} = {arg} == NULL ? 0 : {room};"));
            }
            CallbackRole::Texts { length, encoding, .. } => {
                let text = param.ty.pointee().and_then(|(pointer, _)| pointer.pointee());
                if !text.is_some_and(|(ty, _)| encoding.lies_in(ty)) {
                    return Err(self.refused(texts::misfit(*encoding), param));
                }
                let count = match length {
                    Some(length) => self.count(*length, param)?,
                    None => format!("hotcell_count({arg})"),
                };
                reference(body);
                let about = format!("{}, {}", encoding.unit(), literal(&param.name));
                let give = format!("hotcell_give_texts(hc_ctx, {arg}, {count}, {about}, &{to})");
                body.leave_when(&format!("!{give}"));
            }
            CallbackRole::Handle { handle, .. } => {
                if param.ty.pointee().is_none() {
                    return Err(self.refused("an object that is no pointer", param));
                }
                let number = handles::number(self.scope.interface, self.scope.function, handle)?;
                body.before_leaving(format!("hc_ctx->forget(hc_ctx, {to});"));
                let lent = format!("{to} = hc_ctx->lend_for_now(hc_ctx, {number}, (void *){arg})");
                body.leave_when(&format!("{arg} != NULL && ({lent}) == 0"));
            }
            CallbackRole::Handles { length, handle } => {
                let object = param.ty.pointee().and_then(|(pointer, _)| pointer.pointee());
                object.ok_or_else(|| self.refused("objects that are no pointers", param))?;
                let number = handles::number(self.scope.interface, self.scope.function, handle)?;
                let count = self.count(*length, param)?;
                let lent = format!("lent_{}", param.name);
                reference(body);
                body.line(format!("struct hotcell_lent {lent} = {{NULL, 0}};"));
                body.before_leaving(format!("hotcell_forget_all(hc_ctx, &{lent});"));
                let about = literal(&param.name);
                let lend =
                    format!("hotcell_lend_all(hc_ctx, {number}, {arg}, {count}, {about}, &{lent}, &{to})");
                body.leave_when(&format!("!{lend}"));
            }
            CallbackRole::LengthOf { .. } | CallbackRole::UserData => {}
        }
        Ok(())
    }

    /// Copies what the application filled in, which the host's answer points to, as far as there is room for it.
    fn filled(&self, body: &mut Body) -> Result<(), Error> {
        let room = self.callback.params.iter().find_map(|param| match param.role {
            CallbackRole::Room { capacity, returned, .. } => Some((param, capacity, returned)),
            _ => None,
        });
        let Some((param, capacity, returned)) = room else { return Ok(()) };
        let (name, size) =
            (&param.name, param.ty.pointee().and_then(|(ty, _)| ty.element_size()).unwrap_or(1));
        body.line("uint64_t hc_filled = 0;");
        let fill = format!("!hotcell_fill(hc_ctx, arg_{name}, hc_args.arg_{name}, &hc_value, &hc_filled)");
        body.refuse_when(&fill, "BAD_REFERENCE", name);
        if returned {
            let (ty, kind) = self.returned()?;
            body.line(format!("hotcell_wide hc_said = (hotcell_wide)({ty})HOTCELL_LOAD({kind}, &hc_value);"));
            let count = self.count(capacity, param)?;
            let short =
                format!("hc_said >= 0 && hc_said <= {count} && (uint64_t)hc_said * {size} != hc_filled");
            body.refuse_when(&short, "BAD_REFERENCE", name);
            // The library would take it for what is there. What is returned on failure, it knows.
            let known =
                self.callback.on_failure.map(|value| format!(" && hc_said != ({ty}){}", int(value.into())));
            let beyond = format!("hc_said > {count}{}", known.unwrap_or_default());
            body.refuse_when(&beyond, "SHORT_BUFFER", name);
        } else {
            body.refuse_when(&format!("hc_filled != hc_args.arg_{name}"), "BAD_REFERENCE", name);
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
        let (ty, kind) = self.returned()?;
        // In the low bits, which come first.
        body.line(format!("return ({ty})HOTCELL_LOAD({kind}, &hc_value);"));
        Ok(())
    }

    /// The type of the returned number, and how it travels.
    fn returned(&self) -> Result<(&str, &'static str), Error> {
        let ty = &self.callback.result;
        let kind = WireKind::of_scalar(ty, &self.scope.interface.target);
        let kind = kind.ok_or_else(|| {
            let what = format!("a callback that returns `{}`", ty.written);
            self.scope.refused(&what, self.param)
        })?;
        Ok((self.spelled(ty)?, wire(kind)))
    }

    fn spelled<'t>(&self, ty: &'t CType) -> Result<&'t str, Error> {
        spell(ty).ok_or_else(|| self.scope.refused("a callback with a type without a name", self.param))
    }

    fn refused(&self, what: &str, param: &CallbackParam) -> Error {
        self.scope.refused(&format!("{what} (its `{}`, {})", param.name, param.ty.written), self.param)
    }
}
