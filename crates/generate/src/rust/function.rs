//! A function's part of a package: its method and its output structure.

use hotcell_model::interface::{Function, Param, Role};
use serde::Serialize;

use crate::Error;
use crate::rust::arguments::Arguments;
use crate::rust::context::Context;
use crate::rust::names::{self, Scope};
use crate::rust::results::{Outcome, SHARED, Waits, finish, is_lendable, outcomes};
use crate::rust::{again, docs, format, types};
use crate::shape::owner::Owner;
use crate::shape::{fails, signature};

/// What `method.rs.j2` prints.
#[derive(Serialize)]
pub(crate) struct Method {
    pub(crate) docs: Vec<String>,
    pub(crate) opening: Vec<String>,
    pub(crate) body: Vec<String>,
    /// Where it may make its call again, the method that makes it once: its opening and body.
    pub(crate) once: Option<(Vec<String>, Vec<String>)>,
    pub(crate) output: Option<Output>,
}

/// The structure a method with several results returns.
#[derive(Serialize)]
pub(crate) struct Output {
    pub(crate) name: String,
    /// The method's path.
    method: String,
    /// Whether some of it can stay where the library wrote it: then its type is a parameter, `B`.
    shareable: bool,
    fields: Vec<(String, String, String)>,
}

impl Method {
    /// Whether it names types of the runtime.
    pub(crate) fn names_runtime(&self) -> bool {
        let once = self.once.iter().flat_map(|(_, body)| body);
        self.body.iter().chain(once).any(|line| names_runtime(line))
    }
}

/// Whether a line names something in `rt`, which is no type whose name only ends so.
fn names_runtime(line: &str) -> bool {
    let is_whole =
        |at: usize| !line[..at].ends_with(|letter: char| letter.is_alphanumeric() || letter == '_');
    line.match_indices("rt::").any(|(at, _)| is_whole(at))
}

/// The methods of one function: where something can stay where the library wrote it, there is one that leaves it there.
pub(crate) fn methods<'a>(context: &mut Context<'a>, index: usize) -> Result<Vec<Method>, Error> {
    let interface = context.interface;
    let function = &interface.functions[index];
    let name = context.names.methods[index].clone();
    let owner = Owner::of(function);
    let mut scope = Scope::with(names::LOCALS);
    let arguments = Arguments::of(context, function, owner, &mut scope)?;
    let outcomes = outcomes(context, function, &arguments)?;
    let path = owner.key().map_or(&context.names.library, |key| &context.names.objects[key]);
    let path = format!("{path}::{name}");
    let shared: Vec<&str> = outcomes.iter().filter(|it| it.shareable).map(|it| it.name.as_str()).collect();
    let twin = (!shared.is_empty()).then(|| context.take_twin(index));
    let (ty, output) = match outcomes.as_slice() {
        [] => ("()".to_owned(), None),
        [one] => (one.ty.clone(), None),
        many => {
            let ty = context.take_output(index);
            let field = |it: &Outcome| {
                let ty = if it.shareable { "B".into() } else { it.ty.clone() };
                (it.about.clone(), it.name.clone(), ty)
            };
            let fields = many.iter().map(field).collect();
            let output =
                Output { name: ty.clone(), method: path.clone(), shareable: !shared.is_empty(), fields };
            (ty, Some(output))
        }
    };
    let lending = lends(context, function, &outcomes).map(|changes| context.take_lending(index, changes));
    let (once, once_shared) = match again::is_repeated(function, owner, &arguments) {
        true => (Some(context.take_once(&name)), twin.as_ref().map(|twin| context.take_once(twin))),
        false => (None, None),
    };
    let made = |name: &str,
                docs,
                outcomes: &[Outcome],
                whole: &str,
                output,
                (arguments, mut scope, once): (&Arguments, Scope, Option<&String>)| {
        let locals = scope.clone();
        let objects = arguments.objects(context, function, &mut scope, true);
        let mut body = start(context, index, (owner, objects), !arguments.puts.is_empty());
        body.extend(arguments.puts.iter().cloned());
        let waits = (function.error.is_some(), Waits::Thread);
        finish(&mut body, outcomes, &ty, arguments, waits, &mut scope);
        let result = format!("hotcell::Result<{whole}>");
        let opening = |head: String| format::signature(4, &head, &arguments.params, &result);
        let method = Method { docs, opening: opening(format!("pub fn {name}")), body, once: None, output };
        match once {
            None => method,
            Some(once) => {
                let constant = &context.names.indices[index];
                method.again(
                    again::body(once, constant, &arguments.params, locals),
                    opening(format!("fn {once}")),
                )
            }
        }
    };
    let docs = documentation(function, &arguments.notes, once.is_some());
    let own = (&arguments, scope.clone(), once.as_ref());
    let mut methods = vec![made(&name, docs, &outcomes, &ty, output, own)];
    let several = outcomes.len() > 1;
    let generic = |of: &str| if several { format!("{ty}<{of}>") } else { of.to_owned() };
    let lent = lending.map(|name| -> Result<_, Error> {
        let mut scope = Scope::with(names::LOCALS);
        let arguments = Arguments::lending(context, function, owner, &mut scope)?;
        let outcomes = self::outcomes(context, function, &arguments)?.into_iter().map(|it| {
            let buffer = it.param.filter(|_| it.shareable).and_then(|param| arguments.locals[param].clone());
            match buffer {
                Some(buffer) => it.filled(&buffer),
                None => it,
            }
        });
        let outcomes: Vec<Outcome> = outcomes.collect();
        let docs = documentation_of_lending(&path, &shared);
        Ok(made(&name, docs, &outcomes, &generic("usize"), None, (&arguments, scope, None)))
    });
    if let Some(name) = twin {
        let docs = documentation_of_twin(&path, &shared);
        let outcomes: Vec<Outcome> = outcomes.into_iter().map(Outcome::shared).collect();
        let shared = (&arguments, scope, once_shared.as_ref());
        methods.push(made(&name, docs, &outcomes, &generic(SHARED), None, shared));
    }
    methods.extend(lent.transpose()?);
    Ok(methods)
}

/// Whether there is a method that lends the library buffers, and whether it changes what is in them. All that can stay where
/// the library wrote it must be lent.
fn lends(context: &Context<'_>, function: &Function, outcomes: &[Outcome]) -> Option<bool> {
    let shareable = outcomes.iter().filter(|it| it.shareable).filter_map(|it| it.param);
    let params: Vec<&Param> = shareable.map(|index| &function.params[index]).collect();
    let all = !params.is_empty() && params.iter().all(|param| is_lendable(context, param));
    all.then(|| params.iter().any(|param| matches!(param.role.value, Role::BufferInOut { .. })))
}

/// The documentation of the method that lends these buffers.
fn documentation_of_lending(path: &str, lent: &[&str]) -> Vec<String> {
    let names: Vec<String> = lent.iter().map(|name| format!("`{name}`")).collect();
    let (is, they, comes) = match names.len() {
        1 => ("is", "it", "It gives how many of its bytes are filled."),
        _ => ("are", "them", "Of each it gives how many bytes are filled."),
    };
    vec![
        format!(
            "As [`{path}`], but {} {is} lent to the library: nothing of {they} is copied.",
            names.join(" and ")
        ),
        comes.into(),
        String::new(),
        "# Errors".into(),
        String::new(),
        "As there.".into(),
    ]
}

/// The documentation of the method that leaves these results where they are.
fn documentation_of_twin(path: &str, shared: &[&str]) -> Vec<String> {
    let names: Vec<String> = shared.iter().map(|name| format!("`{name}`")).collect();
    let (verb, they) = if names.len() > 1 { ("stay", "they are") } else { ("stays", "it is") };
    vec![
        format!(
            "As [`{path}`], but {} {verb} where the library wrote it: {they} not copied.",
            names.join(" and ")
        ),
        String::new(),
        "# Errors".into(),
        String::new(),
        "As there.".into(),
    ]
}

/// The statements that begin a call.
fn start(
    context: &Context<'_>,
    index: usize,
    (owner, objects): (Owner<'_>, Option<(String, Vec<String>)>),
    puts: bool,
) -> Vec<String> {
    let constant = format!("table::{}", context.names.indices[index]);
    let variable = if puts { "mut call" } else { "call" };
    let (mut lines, method, args) = match objects {
        Some((name, lines)) => (lines, "call_of", vec![constant, format!("&{name}")]),
        None => (Vec::new(), "call", vec![constant]),
    };
    let session = match owner {
        Owner::Library => {
            lines.extend(format::start(8, variable, ("session", method), &args.join(", ")));
            return lines;
        }
        Owner::Object { key, .. } if context.interface.structs.contains_key(key) => "self.session.clone()",
        Owner::Object { .. } => "self.0.session()",
    };
    lines.push(format!("        let session = {session};"));
    let (left, head) = (format!("let {variable}"), format!("session.{method}"));
    lines.extend(format::assign(8, &left, &head, &args, "?;"));
    lines
}

pub(crate) fn element(context: &Context<'_>, param: &Param) -> &'static str {
    param.ty.pointee().map_or("u8", |(ty, _)| types::element(ty, &context.interface.target))
}

fn documentation(function: &Function, notes: &[String], repeats: bool) -> Vec<String> {
    let mut lines = function.doc.as_deref().map(docs::from_header).unwrap_or_default();
    if !lines.is_empty() {
        lines.push(String::new());
    }
    lines.push(format!("C: `{}`", signature(function)));
    for text in notes {
        lines.extend([String::new(), text.clone()]);
    }
    if repeats {
        lines.extend([String::new(), "Idempotent: a call whose worker ends may be made again.".into()]);
    }
    if let Some(cancel) = &function.cancel {
        let text = format!(
            "At its deadline, and when it is given up, `{}` stops it.",
            cancel.text.replace('`', "'")
        );
        lines.extend([String::new(), text]);
    }
    lines.extend([String::new(), "# Errors".into(), String::new()]);
    lines.push(match fails(function) {
        Some(when) => format!("The library's own when {when}; else faults of the worker."),
        None => "Faults of the worker; the library reports none here.".into(),
    });
    lines
}

#[test]
fn a_type_that_ends_like_the_runtime_is_none_of_it() {
    assert!(names_runtime("let mut image = rt::Image::new(8);"));
    assert!(names_runtime("call.image(&rt::NONE, Part::TYPE)"));
    assert!(!names_runtime("let handle = reply.handle(0, Mimepart::TYPE)?;"));
}
