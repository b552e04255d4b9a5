//! Functions of the application as closures, and the statements that run them.

use hotcell_model::interface::{Callback, CallbackRole, CallbackScope, Encoding, Function};
use hotcell_model::layout::Carries;
use hotcell_model::types::Type;

use crate::Error;
use crate::rust::context::Context;
use crate::rust::format;
use crate::rust::names::{self, Scope};
use crate::rust::types;

/// A function of the application.
pub(crate) struct Closure {
    /// Its Rust type in the signature.
    pub(crate) ty: String,
    /// What it is called with, for the documentation.
    pub(crate) note: Option<String>,
    /// Statements that make the closure the runtime calls.
    pub(crate) lines: Vec<String>,
    /// What that closure goes by.
    pub(crate) name: String,
}

/// The closure for a callback in the parameter `local`.
pub(crate) fn closure(
    context: &Context<'_>,
    function: &Function,
    callback: &Callback,
    local: &str,
    nullable: bool,
    scope: &mut Scope,
) -> Result<Closure, Error> {
    let unsupported = |what: String| Error::Unsupported { function: function.name.clone(), what };
    if callback.scope != CallbackScope::Call {
        return Err(unsupported(format!("a callback that outlives its call (`{local}`)")));
    }
    let name = scope.take("run".into());
    let mut inner = Scope::with(names::LOCALS);
    inner.take(local.to_owned());
    inner.take("function".into());
    let (mut types, mut reads, mut args, mut told) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (index, param) in callback.params.iter().enumerate() {
        let Some(field) = callback.args.field(Carries::Param { index }) else {
            if matches!(param.role, CallbackRole::LengthOf { .. } | CallbackRole::UserData) {
                continue;
            }
            let what = format!("the callback `{local}` has no place for `{}`", param.name);
            return Err(Error::Inconsistent { function: function.name.clone(), what });
        };
        let variable = inner.take(names::snake(&param.name));
        told.push(format!("`{variable}`"));
        let offset = field.offset;
        let (method, ty, argument) = match &param.role {
            CallbackRole::Value => {
                let number = context.number(&param.ty);
                let number =
                    number.ok_or_else(|| unsupported(format!("a callback with `{}`", param.name)))?;
                let value = format!("invocation.get_{}({offset})", types::primitive(number.kind));
                reads.push(format!("let {variable} = {};", number.decode(&value)));
                types.push(number.name);
                args.push(variable);
                continue;
            }
            CallbackRole::Text { encoding, nullable } => text(*encoding, *nullable, &variable),
            CallbackRole::Texts { encoding, nullable, .. } => texts(*encoding, *nullable, &variable),
            CallbackRole::Buffer { .. } => {
                let pointee = param.ty.pointee().map(|(pointee, _)| pointee);
                let element = pointee.map_or("u8", |ty| types::element(ty, &context.interface.target));
                let method = if element == "u8" { "buffer" } else { "elements" };
                (method, format!("&[{element}]"), format!("&{variable}"))
            }
            CallbackRole::Handle { .. } | CallbackRole::Handles { .. } => {
                return Err(unsupported(format!("a callback with an object, `{}`,", param.name)));
            }
            CallbackRole::LengthOf { .. } | CallbackRole::UserData => continue,
        };
        reads.push(format!("let {variable} = invocation.{method}({offset})?;"));
        types.push(ty);
        args.push(argument);
    }
    let result =
        match &callback.result.kind {
            Type::Void => None,
            _ => Some(context.number(&callback.result).ok_or_else(|| {
                unsupported(format!("a callback that returns `{}`", callback.result.written))
            })?),
        };
    let lines =
        lines(&name, local, nullable, &reads, &args, result.as_ref().map(|number| number.widen("returned")));
    let arrow = result.map_or(String::new(), |number| format!(" -> {}", number.name));
    let ty = format!("FnMut({}){arrow}", types.join(", "));
    let note = (!told.is_empty()).then(|| format!("`{local}` is called with {}.", told.join(", ")));
    Ok(Closure {
        ty: if nullable { format!("Option<&mut dyn {ty}>") } else { format!("impl {ty}") },
        note,
        lines,
        name,
    })
}

fn lines(
    name: &str,
    local: &str,
    nullable: bool,
    reads: &[String],
    args: &[String],
    result: Option<String>,
) -> Vec<String> {
    let unused = if reads.is_empty() { "_" } else { "invocation" };
    let head = format!("let mut {name} = |{unused}: &mut rt::Invocation<'_>| -> hotcell::Result<u64> {{");
    let mut lines = vec![format!("        {head}")];
    if nullable {
        lines.push(format!("            let Some(function) = {local}.as_mut() else {{"));
        lines.push("                return Ok(0);".into());
        lines.push("            };".into());
    }
    let function = if nullable { "function" } else { local };
    lines.extend(reads.iter().map(|read| format!("            {read}")));
    match result {
        None => {
            lines.extend(format::call(12, function, args, ";"));
            lines.push("            Ok(0)".into());
        }
        Some(value) => {
            lines.extend(format::assign(12, "let returned", function, args, ";"));
            lines.push(format!("            Ok({value})"));
        }
    }
    lines.push("        };".into());
    lines
}

fn text(encoding: Encoding, nullable: bool, variable: &str) -> (&'static str, String, String) {
    let (method, inner) = match (encoding, nullable) {
        (Encoding::Utf8, false) => ("text", "&str"),
        (Encoding::Utf8, true) => ("opt_text", "&str"),
        (_, false) => ("text_bytes", "&[u8]"),
        (_, true) => ("opt_text_bytes", "&[u8]"),
    };
    if nullable {
        return (method, format!("Option<{inner}>"), format!("{variable}.as_deref()"));
    }
    (method, inner.into(), format!("&{variable}"))
}

fn texts(encoding: Encoding, nullable: bool, variable: &str) -> (&'static str, String, String) {
    let (method, ty) = match (encoding, nullable) {
        (Encoding::Utf8, false) => ("texts", "&[String]"),
        (Encoding::Utf8, true) => ("opt_texts", "&[Option<String>]"),
        (_, false) => ("texts_bytes", "&[Vec<u8>]"),
        (_, true) => ("opt_texts_bytes", "&[Option<Vec<u8>>]"),
    };
    (method, ty.into(), format!("&{variable}"))
}
