//! A function's part of a package: its method and its output structure.

use hotcell_model::interface::{Fails, Function, Param};
use hotcell_model::layout::{Block, Carries};
use serde::Serialize;

use crate::Error;
use crate::rust::arguments::Arguments;
use crate::rust::context::Context;
use crate::rust::names::{self, Scope};
use crate::rust::owner::Owner;
use crate::rust::results::{finish, outcomes};
use crate::rust::{docs, format, types};

/// What `method.rs.j2` prints.
#[derive(Serialize)]
pub(crate) struct Method {
    pub(crate) docs: Vec<String>,
    pub(crate) opening: Vec<String>,
    pub(crate) body: Vec<String>,
    pub(crate) output: Option<Output>,
}

/// The structure a method with several results returns.
#[derive(Serialize)]
pub(crate) struct Output {
    pub(crate) name: String,
    /// The method's path.
    method: String,
    fields: Vec<(String, String, String)>,
}

impl Method {
    /// Whether it names types of the runtime.
    pub(crate) fn names_runtime(&self) -> bool {
        self.body.iter().any(|line| line.contains("rt::"))
    }
}

/// The method of one function, on the type `owner`.
pub(crate) fn method<'a>(context: &mut Context<'a>, index: usize) -> Result<Method, Error> {
    let interface = context.interface;
    let function = &interface.functions[index];
    let name = context.names.methods[index].clone();
    let owner = Owner::of(function);
    let mut scope = Scope::with(names::LOCALS);
    let arguments = Arguments::of(context, function, owner, &mut scope)?;
    let outcomes = outcomes(context, function, &arguments)?;
    let (ty, output) = match outcomes.as_slice() {
        [] => ("()".to_owned(), None),
        [one] => (one.ty.clone(), None),
        many => {
            let ty = context.take_output(index);
            let fields = many.iter().map(|o| (o.about.clone(), o.name.clone(), o.ty.clone())).collect();
            let owner = owner.key().map_or(&context.names.library, |key| &context.names.objects[key]);
            let method = format!("{owner}::{name}");
            (ty.clone(), Some(Output { name: ty, method, fields }))
        }
    };
    let mut body = start(context, index, owner, !arguments.puts.is_empty());
    body.extend(arguments.puts.iter().cloned());
    finish(&mut body, &outcomes, &ty, &arguments, function.error.is_some(), &mut scope);
    let result = format!("hotcell::Result<{ty}>");
    Ok(Method {
        docs: documentation(function, &arguments.notes),
        opening: format::signature(4, &format!("pub fn {name}"), &arguments.params, &result),
        body,
        output,
    })
}

/// The statements that begin a call.
fn start(context: &Context<'_>, index: usize, owner: Owner<'_>, puts: bool) -> Vec<String> {
    let constant = format!("table::{}", context.names.indices[index]);
    let variable = if puts { "mut call" } else { "call" };
    let session = match owner {
        Owner::Library => return format::start(8, variable, ("session", "call"), &constant),
        Owner::Object { key, .. } if context.interface.structs.contains_key(key) => "self.session.clone()",
        Owner::Object { .. } => "self.0.session()",
    };
    let mut lines = vec![format!("        let session = {session};")];
    lines.extend(format::assign(8, &format!("let {variable}"), "session.call", &[constant], "?;"));
    lines
}

pub(crate) fn element(context: &Context<'_>, param: &Param) -> &'static str {
    param.ty.pointee().map_or("u8", |(ty, _)| types::element(ty, &context.interface.target))
}

pub(crate) fn offset(function: &Function, block: &Block, carries: Carries) -> Result<u32, Error> {
    block.field(carries).map(|field| field.offset).ok_or_else(|| missing(function))
}

fn missing(function: &Function) -> Error {
    let what = "its layout is not the one its roles demand".into();
    Error::Inconsistent { function: function.name.clone(), what }
}

pub(crate) fn unsupported(function: &Function, param: &Param) -> Error {
    let what = format!("parameter `{}` ({})", param.name, param.ty.written);
    Error::Unsupported { function: function.name.clone(), what }
}

fn documentation(function: &Function, notes: &[String]) -> Vec<String> {
    let mut lines = function.doc.as_deref().map(docs::from_header).unwrap_or_default();
    if !lines.is_empty() {
        lines.push(String::new());
    }
    lines.push(format!("C: `{}`", function.signature.split_whitespace().collect::<Vec<_>>().join(" ")));
    for text in notes {
        lines.extend([String::new(), text.clone()]);
    }
    lines.extend([String::new(), "# Errors".into(), String::new()]);
    let fails = match function.error.as_ref().map(|rule| &rule.value.fails) {
        None => None,
        Some(Fails::Nonzero) => Some("the result is not 0"),
        Some(Fails::Zero) => Some("the result is 0"),
        Some(Fails::Negative) => Some("the result is negative"),
        Some(Fails::Null) => Some("the result is NULL"),
        Some(Fails::When { .. }) => Some("the contract says that the call failed"),
    };
    lines.push(match fails {
        Some(when) => format!("The library's own when {when}; else faults of the worker."),
        None => "Faults of the worker; the library reports none here.".into(),
    });
    lines
}
