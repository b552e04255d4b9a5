//! Calls for tasks: for each method one that is awaited, on a view of the library or of an object.

use serde::Serialize;

use crate::Error;
use crate::rust::arguments::Arguments;
use crate::rust::context::Context;
use crate::rust::function::Method;
use crate::rust::methods::Part;
use crate::rust::names::{self, AIO, Scope};
use crate::rust::results::{Outcome, SHARED, Waits, finish, outcomes};
use crate::rust::{again, docs, format};
use crate::shape::owner::Owner;

/// What the object of a view goes by in its methods.
const OWN: &str = "own";

/// The calls of one type for tasks, in a file of their own.
#[derive(Serialize)]
pub(crate) struct Tasks {
    /// The type.
    name: String,
    /// The file's module.
    pub(crate) module: String,
    /// The view of a type whose calls change it: of a structure that lives in the worker.
    is_changed: bool,
    /// Calls that leave the object to the caller.
    lent: Part,
    /// Calls that take it over.
    taken: Part,
    /// Imports.
    uses: Vec<String>,
    /// Whether they name types of the runtime.
    runtime: bool,
}

impl Tasks {
    /// The calls of these functions, which belong to the same type. Their own methods were made before.
    pub(crate) fn of(context: &mut Context<'_>, functions: &[usize]) -> Result<Tasks, Error> {
        let owner = |index: usize| Owner::of(&context.interface.functions[index]);
        let key = functions.first().and_then(|&first| owner(first).key());
        let (taken, lent): (Vec<usize>, Vec<usize>) = functions
            .iter()
            .partition(|&&index| matches!(owner(index), Owner::Object { consumed: true, .. }));
        let (name, module) = match key {
            None => (context.names.library.clone(), names::LIBRARY_CALLS.to_owned()),
            Some(key) => (context.names.objects[key].clone(), context.names.modules[key].clone()),
        };
        let part = |context: &mut Context<'_>, functions: &[usize]| {
            Part::of(context, ("", String::new()), &name, (functions, methods))
        };
        let (lent, taken) = (part(context, &lent)?, part(context, &taken)?);
        let mut used: Vec<String> = lent.mentioned.iter().chain(&taken.mentioned).cloned().collect();
        used.extend([name.clone(), AIO.to_owned()]);
        used.sort();
        used.dedup();
        let is_changed = key.is_some_and(|key| context.interface.structs.contains_key(key));
        let (uses, runtime) = (super::imports(&used), lent.runtime || taken.runtime);
        Ok(Tasks { name, module, is_changed, lent, taken, uses, runtime })
    }

    /// The type, whether its calls change it, and whether some take it over.
    pub(crate) fn view(&self) -> (String, bool, bool) {
        (self.name.clone(), self.is_changed, !self.taken.is_empty())
    }
}

/// The calls of a function for tasks.
fn methods(context: &mut Context<'_>, index: usize) -> Result<Vec<Method>, Error> {
    let function = &context.interface.functions[index];
    let (name, owner) = (context.names.methods[index].clone(), Owner::of(function));
    let mut scope = Scope::with(names::LOCALS);
    let mut arguments = Arguments::indented(context, function, (owner, OWN, 12), &mut scope)?;
    arguments.params[0] = "self".into();
    arguments.params.iter_mut().for_each(|param| *param = sent(std::mem::take(param)));
    let outcomes = outcomes(context, function, &arguments)?;
    let ty = match outcomes.as_slice() {
        [] => "()".to_owned(),
        [one] => one.ty.clone(),
        _ => context.output(index),
    };
    let path = owner.key().map_or(&context.names.library, |key| &context.names.objects[key]).clone();
    let summary = function.doc.as_deref().map(docs::from_header).unwrap_or_default();
    let repeats = again::is_repeated(function, owner, &arguments);
    let once = repeats.then(|| context.take_once(&name));
    let once_shared = context.twin(index).cloned().filter(|_| repeats).map(|twin| context.take_once(&twin));
    let made = |(name, once): (&str, Option<&String>),
                outcomes: &[Outcome],
                whole: &str,
                summary: &[String],
                mut scope: Scope| {
        let locals = scope.clone();
        let mut docs: Vec<String> = summary.iter().take_while(|line| !line.is_empty()).cloned().collect();
        if !docs.is_empty() {
            docs.push(String::new());
        }
        docs.push(format!("As [`{path}::{name}`](crate::{path}::{name}), awaited."));
        docs.extend(arguments.notes.iter().flat_map(|note| [String::new(), note.replace("`own`", "`self`")]));
        docs.extend([String::new(), "# Errors".into(), String::new(), "As there.".into()]);
        let objects = arguments.objects(context, function, &mut scope, false);
        let (mut body, begin) = start(context, index, owner, objects);
        body.extend(arguments.before.iter().cloned());
        let waits = (function.error.is_some(), Waits::Task(begin));
        finish(&mut body, outcomes, &ty, &arguments, waits, &mut scope);
        let result = format!("hotcell::Result<{whole}>");
        let opening = |head: String| format::signature(4, &head, &arguments.params, &result);
        let named = opening(format!("pub async fn {name}"));
        let method = Method { docs, opening: named, body, once: None, output: None };
        let Some(once) = once else { return method };
        let (constant, params) = (&context.names.indices[index], &arguments.params);
        let body = again::body_awaited((once, constant), &context.names.library, params, locals);
        method.again(body, opening(format!("async fn {once}")))
    };
    let mut methods = vec![made((&name, once.as_ref()), &outcomes, &ty, &summary, scope.clone())];
    if let Some(name) = context.twin(index) {
        let several = outcomes.len() > 1;
        let outcomes: Vec<Outcome> = outcomes.into_iter().map(Outcome::shared).collect();
        let whole = if several { format!("{ty}<{SHARED}>") } else { SHARED.to_owned() };
        methods.push(made((name, once_shared.as_ref()), &outcomes, &whole, &[], scope));
    }
    Ok(methods)
}

/// The statements in front of a call, and what it is begun with.
fn start(
    context: &Context<'_>,
    index: usize,
    owner: Owner<'_>,
    objects: Option<(String, Vec<String>)>,
) -> (Vec<String>, (&'static str, Vec<String>)) {
    let session = match owner {
        Owner::Library => "&self.of.session",
        Owner::Object { key, .. } if context.interface.structs.contains_key(key) => "own.session.clone()",
        Owner::Object { .. } => "own.0.session()",
    };
    let mut lines = vec![format!("        let session = {session};")];
    if owner != Owner::Library {
        lines.insert(0, format!("        let {OWN} = self.of;"));
    }
    let mut args = vec![format!("table::{}", context.names.indices[index]), "self.call_site".into()];
    let Some((name, statement)) = objects else { return (lines, ("call_awaited", args)) };
    lines.extend(statement);
    args.insert(1, format!("&{name}"));
    (lines, ("call_awaited_of", args))
}

/// A parameter of a call that is to go from thread to thread: functions of the application must, too.
fn sent(param: String) -> String {
    match param.split_once("Option<&mut dyn FnMut(") {
        Some((name, function)) => {
            let function = function.strip_suffix('>').unwrap_or(function);
            format!("{name}Option<&mut (dyn FnMut({function} + Send)>")
        }
        None if param.contains("impl FnMut(") && !param.ends_with("'static") => format!("{param} + Send"),
        None => param,
    }
}
