//! Functions of the application as closures, and the statements that run them.

use hotcell_model::interface::{Callback, CallbackParam, CallbackRole, CallbackScope, Encoding, Function};
use hotcell_model::layout::Carries;
use hotcell_model::types::Type;

use crate::Error;
use crate::rust::context::Context;
use crate::rust::format;
use crate::rust::names::{self, Scope};
use crate::rust::{texts as texts_of, types};

/// The parameter and the result of what the runtime calls.
const OPENING: &str = "invocation: &mut rt::Invocation<'_>| -> hotcell::Result<u64>";

/// A function of the application.
pub(crate) struct Closure {
    /// Its Rust type in the signature, with `mut` in front where the variable is.
    pub(crate) ty: String,
    /// What it is called with, for the documentation.
    pub(crate) note: Option<String>,
    /// Statements that make the closure the runtime calls.
    pub(crate) lines: Vec<String>,
    /// What that closure goes by.
    pub(crate) name: String,
}

/// What happens when a function of the application is called.
struct Run {
    /// The types of its arguments.
    types: Vec<String>,
    /// Statements that read them.
    reads: Vec<String>,
    /// The arguments, as expressions.
    args: Vec<String>,
    /// What it is called with.
    told: Vec<String>,
    /// The type it returns, if any, and what the library gets of a `returned`.
    result: Option<(String, String)>,
    /// The statement behind it that has filled in what it has filled.
    fills: Option<String>,
}

/// The closure for a callback in the parameter `local`; arguments are indented by `outer`.
pub(crate) fn closure(
    context: &Context<'_>,
    function: &Function,
    callback: &Callback,
    (local, nullable, outer): (&str, bool, usize),
    scope: &mut Scope,
) -> Result<Closure, Error> {
    let name = scope.take("run".into());
    let kept = callback.scope != CallbackScope::Call;
    // What the library keeps is made among the arguments, and what is lent to it before the call is sent.
    let indent = match (kept, nullable) {
        (true, true) => outer + 8,
        (true, false) => outer + 4,
        (false, _) => 12,
    };
    let run = Run::of(context, function, callback, local, indent)?;
    let result = run.result.as_ref().map_or("()", |(ty, _)| ty);
    let ty = format!("FnMut({}) -> hotcell::Answer<{result}>", run.types.join(", "));
    let note = (!run.told.is_empty()).then(|| format!("`{local}` is called with {}.", run.told.join(", ")));
    let ty = match (kept, nullable) {
        (false, false) => format!("mut impl {ty}"),
        (false, true) => format!("mut Option<&mut dyn {ty}>"),
        (true, false) => format!("mut impl {ty} + Send + 'static"),
        // With `impl` behind `Option`, `None` would be of no known type.
        (true, true) => format!("Option<Box<dyn {ty} + Send>>"),
    };
    let lines =
        if kept { run.kept(indent, &name, local, nullable) } else { run.lent(&name, local, nullable) };
    Ok(Closure { ty, note, lines, name })
}

impl Run {
    fn of(
        context: &Context<'_>,
        function: &Function,
        callback: &Callback,
        local: &str,
        indent: usize,
    ) -> Result<Run, Error> {
        let unsupported = |what: String| Error::Unsupported { function: function.name.clone(), what };
        let result = match &callback.result.kind {
            Type::Void => None,
            _ => {
                let number = context.number(&callback.result).ok_or_else(|| {
                    unsupported(format!("a callback that returns `{}`", callback.result.written))
                })?;
                Some((number.name.clone(), number.widen("returned")))
            }
        };
        let (types, reads, args, told) = Default::default();
        let mut run = Run { types, reads, args, told, result, fills: None };
        let mut inner = Scope::with(names::LOCALS);
        inner.take(local.to_owned());
        inner.take("function".into());
        for (index, param) in callback.params.iter().enumerate() {
            if matches!(param.role, CallbackRole::LengthOf { .. } | CallbackRole::UserData) {
                continue;
            }
            let Some(field) = callback.args.field(Carries::Param { index }) else {
                let what = format!("the callback `{local}` has no place for `{}`", param.name);
                return Err(Error::Inconsistent { function: function.name.clone(), what });
            };
            let variable = inner.take(variable(context, function, index, param)?);
            run.told.push(format!("`{variable}`"));
            run.read(context, function, param, (field.offset, &variable), indent)?;
        }
        Ok(run)
    }

    /// Adds what reads a parameter into a variable from an offset.
    fn read(
        &mut self,
        context: &Context<'_>,
        function: &Function,
        param: &CallbackParam,
        (offset, variable): (u32, &str),
        indent: usize,
    ) -> Result<(), Error> {
        let pad = " ".repeat(indent);
        let (method, ty, argument) = match &param.role {
            CallbackRole::Value => {
                let number = context.number(&param.ty).ok_or_else(|| {
                    let what = format!("a callback with `{}`", param.name);
                    Error::Unsupported { function: function.name.clone(), what }
                })?;
                let value = format!("invocation.get_{}({offset})", types::primitive(number.kind));
                self.reads.push(format!("{pad}let {variable} = {};", number.decode(&value)));
                self.types.push(number.name);
                self.args.push(variable.to_owned());
                return Ok(());
            }
            CallbackRole::Text { encoding, nullable } => text(*encoding, *nullable, variable),
            CallbackRole::Texts { encoding, nullable, .. } => texts(*encoding, *nullable, variable),
            CallbackRole::Buffer { .. } => {
                let pointee = param.ty.pointee().map(|(pointee, _)| pointee);
                let element = pointee.map_or("u8", |ty| types::element(ty, &context.interface.target));
                let method = if element == "u8" { "buffer" } else { "elements" };
                (method.to_owned(), format!("&[{element}]"), format!("&{variable}"))
            }
            CallbackRole::Room { returned, .. } => {
                let pointee = param.ty.pointee().map(|(pointee, _)| pointee);
                let element = pointee.map_or("u8", |ty| types::element(ty, &context.interface.target));
                self.reads
                    .push(format!("{pad}let mut {variable} = invocation.room::<{element}>({offset})?;"));
                self.types.push(format!("&mut [{element}]"));
                self.args.push(format!("&mut {variable}"));
                self.fills = Some(match returned {
                    true => format!("invocation.fill_to(&{variable}, returned);"),
                    false => format!("invocation.fill(&{variable});"),
                });
                return Ok(());
            }
            CallbackRole::Handle { handle, nullable } => {
                let name = object(context, function, param, handle)?;
                let method = if *nullable { "invocation.opt_handle" } else { "invocation.handle" };
                let made = format!("let {variable}");
                let place = [offset.to_string(), format!("{name}::TYPE")];
                self.reads.extend(format::assign(indent, &made, method, &place, "?;"));
                let (wrap, inner) = match nullable {
                    true => (format!("{variable}.map"), name.clone()),
                    false => (name.clone(), variable.to_owned()),
                };
                self.reads.extend(format::assign(indent, &made, &wrap, &[inner], ";"));
                self.types.push(if *nullable { format!("Option<&{name}>") } else { format!("&{name}") });
                self.args.push(match nullable {
                    true => format!("{variable}.as_ref()"),
                    false => format!("&{variable}"),
                });
                return Ok(());
            }
            CallbackRole::Handles { handle, .. } => {
                let name = object(context, function, param, handle)?;
                let parts = [
                    format!("let {variable} = invocation"),
                    format!("    .handles({offset}, {name}::TYPE)?"),
                    "    .into_iter()".into(),
                    format!("    .map({name})"),
                    "    .collect::<Vec<_>>();".into(),
                ];
                self.reads.extend(parts.map(|part| format!("{pad}{part}")));
                self.types.push(format!("&[{name}]"));
                self.args.push(format!("&{variable}"));
                return Ok(());
            }
            CallbackRole::LengthOf { .. } | CallbackRole::UserData => return Ok(()),
        };
        self.reads.push(format!("{pad}let {variable} = invocation.{method}({offset})?;"));
        self.types.push(ty);
        self.args.push(argument);
        Ok(())
    }

    /// The statement that makes a closure for the time of the call.
    fn lent(&self, name: &str, local: &str, nullable: bool) -> Vec<String> {
        let mut lines = vec![format!("        let mut {name} = |{OPENING} {{")];
        if nullable {
            lines.push(format!("            let Some(function) = {local}.as_mut() else {{"));
            lines.push("                return Ok(0);".into());
            lines.push("            };".into());
        }
        lines.extend(self.body(12, if nullable { "function" } else { local }));
        lines.push("        };".into());
        lines
    }

    /// The statement that makes a closure for the library to keep; it calls `function` where it may be NULL.
    fn kept(&self, indent: usize, name: &str, local: &str, nullable: bool) -> Vec<String> {
        let pad = " ".repeat(indent - 4);
        let mut lines = vec![format!("{pad}let {name} = move |{OPENING} {{")];
        lines.extend(self.body(indent, if nullable { "function" } else { local }));
        lines.push(format!("{pad}}};"));
        lines
    }

    fn body(&self, indent: usize, function: &str) -> Vec<String> {
        let mut lines = self.reads.clone();
        let pad = " ".repeat(indent);
        lines.extend(format::assign(indent, "let answer", function, &self.args, ";"));
        let returned = match &self.result {
            None => {
                lines.push(format!("{pad}invocation.answer(answer)?;"));
                "0"
            }
            Some((_, value)) => {
                lines.push(format!("{pad}let returned = invocation.answer(answer)?;"));
                value
            }
        };
        lines.extend(self.fills.iter().map(|fills| format!("{pad}{fills}")));
        lines.push(format!("{pad}Ok({returned})"));
        lines
    }
}

/// What a parameter goes by: its name, or what it is where the header gives none.
fn variable(
    context: &Context<'_>,
    function: &Function,
    index: usize,
    param: &CallbackParam,
) -> Result<String, Error> {
    Ok(match &param.role {
        CallbackRole::Handle { handle, .. } if names::is_made_up(&param.name, index) => {
            names::snake(&object(context, function, param, handle)?)
        }
        CallbackRole::Handles { handle, .. } if names::is_made_up(&param.name, index) => {
            format!("{}s", names::snake(&object(context, function, param, handle)?))
        }
        _ => names::snake(&param.name),
    })
}

/// The type of an object that is handed to a callback.
fn object(
    context: &Context<'_>,
    function: &Function,
    param: &CallbackParam,
    key: &str,
) -> Result<String, Error> {
    let name = context.object(&function.name, key)?;
    if context.interface.structs.contains_key(key) {
        let what = format!(
            "a callback with `{}`, a `{name}`, which is a structure that lives in the worker,",
            param.name
        );
        return Err(Error::Unsupported { function: function.name.clone(), what });
    }
    Ok(name)
}

fn text(encoding: Encoding, nullable: bool, variable: &str) -> (String, String, String) {
    let (method, inner) = (texts_of::read(encoding, nullable), format!("&{}", texts_of::lent(encoding)));
    if nullable {
        return (method, format!("Option<{inner}>"), format!("{variable}.as_deref()"));
    }
    (method, inner, format!("&{variable}"))
}

fn texts(encoding: Encoding, nullable: bool, variable: &str) -> (String, String, String) {
    let owned = texts_of::owned(encoding);
    let ty = if nullable { format!("&[Option<{owned}>]") } else { format!("&[{owned}]") };
    (texts_of::read_list(encoding, nullable), ty, format!("&{variable}"))
}
