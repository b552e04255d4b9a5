//! A function's part of a package: its method.

use hotcell_model::interface::{Function, Param, ResultRole, Role};
use serde::Serialize;

use crate::Error;
use crate::go::arguments::Arguments;
use crate::go::context::Context;
use crate::go::names::{self, Scope};
use crate::go::results::{Outcome, is_lendable, lends, outcomes};
use crate::go::{docs, types};
use crate::shape::owner::Owner;
use crate::shape::{fails, is_batched, signature, takes_numbers};

/// What a method gives back by itself; more comes in a structure.
const FEW: usize = 3;

/// What `method.go.j2` prints.
#[derive(Serialize)]
pub(crate) struct Method {
    /// Its documentation, with the marks of a comment.
    pub(crate) comment: Vec<String>,
    /// What stands between `func` and the brace.
    pub(crate) opening: String,
    pub(crate) body: Vec<String>,
    pub(crate) result: Option<ResultType>,
    /// Whether its call begins with objects that may have to be made anew.
    pub(crate) begins_with: bool,
}

/// The structure with several results.
#[derive(Serialize)]
pub(crate) struct ResultType {
    name: String,
    method: String,
    /// Documentation, name and type of each field.
    fields: Vec<(String, String, String)>,
}

/// What a method belongs to.
pub(crate) struct Receiver {
    /// What it goes by in methods.
    pub(crate) name: String,
    /// Its type, with a star in front.
    ty: String,
    /// The expression that begins a call, up to the function's index, and of one that begins with objects that may have to be made anew.
    begin: String,
    begin_with: String,
}

impl Receiver {
    /// That of a function.
    fn of(context: &Context<'_>, owner: Owner<'_>) -> Receiver {
        let Owner::Object { key, .. } = owner else {
            return Receiver {
                name: "lib".into(),
                ty: "*Library".into(),
                begin: "lib.s().Begin(ctx, ".into(),
                begin_with: "lib.s().BeginWith(ctx, ".into(),
            };
        };
        let ty = context.names.borrow().objects[key].clone();
        let name = names::receiver(&ty);
        let (begin, begin_with) = (format!("{name}.call(ctx, "), format!("{name}.callWith(ctx, "));
        Receiver { name, ty: format!("*{ty}"), begin, begin_with }
    }

    /// The statement that begins a call of a function by its index: with those of its objects that may have to be made anew.
    fn begins(
        &self,
        context: &Context<'_>,
        function: &Function,
        arguments: &Arguments,
        index: &str,
    ) -> String {
        match arguments.restorable(context, function) {
            Some(objects) => format!("\tcall := {}{index}, {objects})", self.begin_with),
            None => format!("\tcall := {}{index})", self.begin),
        }
    }
}

/// The method of a function.
pub(crate) fn method(context: &Context<'_>, index: usize) -> Result<Method, Error> {
    let interface = context.interface;
    let function = &interface.functions[index];
    let owner = Owner::of(function);
    let receiver = Receiver::of(context, owner);
    let mut scope = names::locals(&receiver.name);
    let arguments = Arguments::of(context, function, (owner, &receiver.name), &mut scope)?;
    let outcomes = outcomes(context, function, &arguments, &mut scope)?;
    let name = context.method(index);
    let constant = context.index(index);
    let repeats = is_repeated(function, owner);
    // Where each is given back by itself, a batch and what calls again need them together all the same.
    let together = outcomes.len() > FEW || outcomes.len() > 1 && (is_batched(function) || repeats);
    let result = together.then(|| result_type(context, index, &outcomes));

    let begins_with = interface.uses_restorable(function);
    let mut body =
        vec![receiver.begins(context, function, &arguments, &constant), "\tdefer call.End()".into()];
    body.extend(arguments.puts.iter().cloned());
    let results = Results::of(context, index, &outcomes);
    match repeats {
        false => {
            body.extend(finish(&arguments, &outcomes, results.kind()));
        }
        true => {
            body.extend(finish(&arguments, &outcomes, results.once()));
            body = again(&results, body, &outcomes);
        }
    }
    let params = [("ctx".to_owned(), "context.Context".to_owned())].into_iter().chain(arguments.params);
    let opening =
        format!("({} {}) {name}({}) {}", receiver.name, receiver.ty, parameters(params), results.signature());
    let docs = documentation(function, &name, &arguments.notes, repeats);
    Ok(Method { comment: docs::comment(&docs), opening, body, result, begins_with })
}

/// How results are given back.
#[derive(Clone, Copy)]
enum Form<'a> {
    /// Each by itself.
    Each,
    /// By names of the method's.
    Named,
    /// In a structure of this type.
    Whole(&'a str),
}

/// The results of a method.
struct Results<'a> {
    outcomes: &'a [Outcome],
    /// The type of all of them together.
    whole: String,
}

impl<'a> Results<'a> {
    fn of(context: &Context<'_>, index: usize, outcomes: &'a [Outcome]) -> Results<'a> {
        let whole = match outcomes {
            [] => "struct{}".to_owned(),
            [one] => one.ty.clone(),
            _ => context.result(index),
        };
        Results { outcomes, whole }
    }

    fn kind(&self) -> Form<'_> {
        match self.outcomes.len() {
            0 | 1 => Form::Each,
            2..=FEW => Form::Named,
            _ => Form::Whole(&self.whole),
        }
    }

    /// How what makes the call once gives them back.
    fn once(&self) -> Form<'_> {
        if self.outcomes.len() == 1 { Form::Each } else { Form::Whole(&self.whole) }
    }

    fn signature(&self) -> String {
        match (self.kind(), self.outcomes) {
            (_, []) => "error".into(),
            (Form::Named, many) => {
                let named = many.iter().map(|it| (it.local.clone(), it.ty.clone()));
                format!("({})", parameters(named.chain([("err".to_owned(), "error".to_owned())])))
            }
            _ => format!("({}, error)", self.whole),
        }
    }
}

/// The statements that send a call and give its results back.
fn finish(arguments: &Arguments, outcomes: &[Outcome], form: Form<'_>) -> Vec<String> {
    let method = if arguments.settles { "Settle" } else { "Finish" };
    if outcomes.is_empty() && arguments.updates.is_empty() {
        let error = format!("call.{method}().Err()");
        return vec![match form {
            Form::Whole(whole) => format!("\treturn {whole}{{}}, {error}"),
            _ => format!("\treturn {error}"),
        }];
    }
    let mut lines = vec![format!("\treply := call.{method}()")];
    lines.extend(arguments.updates.iter().cloned());
    let error = "reply.Err()";
    match (form, outcomes) {
        (Form::Whole(whole), outcomes) => {
            lines.push(format!("\treturn {}, {error}", literal(whole, outcomes)));
        }
        (_, []) => lines.push(format!("\treturn {error}")),
        (Form::Each, [one, ..]) => lines.push(format!("\treturn {}, {error}", one.read)),
        (Form::Named, many) => {
            lines.extend(many.iter().map(|it| format!("\t{} = {}", it.local, it.read)));
            let locals: Vec<&str> = many.iter().map(|it| it.local.as_str()).collect();
            lines.push(format!("\treturn {}, {error}", locals.join(", ")));
        }
    }
    lines
}

/// A structure with these results.
fn literal(whole: &str, outcomes: &[Outcome]) -> String {
    let fields: Vec<String> = outcomes.iter().map(|it| format!("{}: {}", it.field, it.read)).collect();
    format!("{whole}{{{}}}", fields.join(", "))
}

/// The statements of a method whose calls may be made again, which is the library's; `once` are those that make one.
fn again(results: &Results<'_>, once: Vec<String>, outcomes: &[Outcome]) -> Vec<String> {
    let head = format!("rt.Retried(ctx, lib.s(), func(ctx context.Context) ({}, error) {{", results.whole);
    let left = match outcomes.len() {
        0 => "_, err := ",
        2..=FEW => "result, err := ",
        _ => "return ",
    };
    let mut lines = vec![format!("\t{left}{head}")];
    lines.extend(once.into_iter().map(|line| format!("\t{line}")));
    lines.push("\t})".into());
    match outcomes.len() {
        0 => lines.push("\treturn err".into()),
        2..=FEW => {
            let fields: Vec<String> = outcomes.iter().map(|it| format!("result.{}", it.field)).collect();
            lines.push(format!("\treturn {}, err", fields.join(", ")));
        }
        _ => {}
    }
    lines
}

/// Whether calls by a method are made again: what it is given must be there for that.
fn is_repeated(function: &Function, owner: Owner<'_>) -> bool {
    let is_changed = |param: &Param| {
        matches!(&param.role.value, Role::Struct { direction, .. }
            if direction.goes_out() && param.role.value.is_argument())
    };
    function.is_repeatable() && owner == Owner::Library && !function.params.iter().any(is_changed)
}

/// Parameters as they are declared: those of one type in a row have it once.
fn parameters(params: impl Iterator<Item = (String, String)>) -> String {
    let params: Vec<(String, String)> = params.collect();
    let next = params.iter().skip(1).map(|(_, ty)| Some(ty)).chain([None]);
    let one = |((name, ty), next): (&(String, String), Option<&String>)| match next {
        Some(next) if next == ty => name.clone(),
        _ => format!("{name} {ty}"),
    };
    params.iter().zip(next).map(one).collect::<Vec<_>>().join(", ")
}

/// The type of what a method gives back, and its documentation.
fn result_type(context: &Context<'_>, index: usize, outcomes: &[Outcome]) -> ResultType {
    let field = |it: &Outcome| (it.about.clone(), it.field.clone(), it.ty.clone());
    let fields = outcomes.iter().map(field).collect();
    ResultType { name: context.result(index), method: context.method(index), fields }
}

/// The method that puts a call of a function into a batch.
pub(crate) fn batched(context: &Context<'_>, index: usize) -> Result<Method, Error> {
    let function = &context.interface.functions[index];
    let name = context.names.borrow().batch[index].clone();
    let mut scope = names::locals("batch");
    scope.taken.extend(["stamp".into(), "begun".into()]);
    let arguments = Arguments::of(context, function, (Owner::Library, "batch"), &mut scope)?;
    let outcomes = outcomes(context, function, &arguments, &mut Scope::default())?;
    let results = Results::of(context, index, &outcomes);
    let index_of = context.index(index);
    let plain = outcomes.iter().all(|it| it.plain);
    let numbers = plain && takes_numbers(function);
    let mut body = match numbers {
        true => {
            vec!["\tbegun := batch.b()".into(), format!("\tcall, stamp := begun.BeginNumbers({index_of})")]
        }
        false => vec![format!("\tcall := batch.b().Begin({index_of})"), "\tdefer call.Leave()".into()],
    };
    body.extend(arguments.puts);
    let whole = &results.whole;
    let (add, read) = match (numbers, plain) {
        (true, _) => ("Added(begun, stamp", "reply rt.Numbers"),
        (false, true) => ("Values(call", "reply rt.Numbers"),
        (false, false) => ("Read(call", "reply *rt.Reply"),
    };
    body.push(format!("\treturn rt.{add}, func({read}) {whole} {{"));
    body.push(format!("\t\treturn {}", all_of(whole, &outcomes)));
    body.push("\t})".into());
    let params = parameters(arguments.params.into_iter());
    let opening = format!("(batch *calls) {name}({params}) rt.Ticket[{whole}]");
    let own = Receiver::of(context, Owner::of(function)).ty.replace('*', "");
    let mut docs =
        vec![format!("{name} puts a call of [{own}.{}] into the batch, or sends it.", context.method(index))];
    docs::paragraph(&mut docs, arguments.notes);
    Ok(Method { comment: docs::comment(&docs), opening, body, result: None, begins_with: false })
}

/// What a function gives back as one value, which is of type `whole`.
fn all_of(whole: &str, outcomes: &[Outcome]) -> String {
    match outcomes {
        [one] => one.read.clone(),
        many => literal(whole, many),
    }
}

/// The method that lends the library the buffers of a function, where it could leave what it writes in them.
pub(crate) fn lending(context: &Context<'_>, index: usize) -> Result<Option<Method>, Error> {
    let function = &context.interface.functions[index];
    let Some(changes) = lends(context, function) else { return Ok(None) };
    let owner = Owner::of(function);
    let receiver = Receiver::of(context, owner);
    let mut scope = names::locals(&receiver.name);
    let arguments = Arguments::passed(context, function, (owner, &receiver.name), true, &mut scope)?;
    let outcomes = outcomes(context, function, &arguments, &mut scope)?;
    if outcomes.len() > FEW {
        return Ok(None);
    }
    let method = context.method(index);
    let name = context.names.borrow_mut().take_lending(&method, changes);
    let results = Results::of(context, index, &outcomes);
    let begins_with = context.interface.uses_restorable(function);
    let begins = receiver.begins(context, function, &arguments, &context.index(index));
    let mut body = vec![begins, "\tdefer call.End()".into()];
    body.extend(arguments.puts.iter().cloned());
    body.extend(finish(&arguments, &outcomes, results.kind()));
    let lent = function.params.iter().enumerate().filter(|(_, param)| is_lendable(context, param));
    let lent: Vec<String> = lent.filter_map(|(index, _)| arguments.locals[index].clone()).collect();
    let (is, comes) = match lent.len() {
        1 => ("is", "It gives how many of its bytes are filled."),
        _ => ("are", "Of each it gives how many bytes are filled."),
    };
    let docs = [format!(
        "{name} is as [{}.{method}], but {} {is} lent to the library, which writes there: nothing is copied. {comes}",
        receiver.ty.replace('*', ""),
        lent.join(" and ")
    )];
    let params = [("ctx".to_owned(), "context.Context".to_owned())].into_iter().chain(arguments.params);
    let opening =
        format!("({} {}) {name}({}) {}", receiver.name, receiver.ty, parameters(params), results.signature());
    Ok(Some(Method { comment: docs::comment(&docs), opening, body, result: None, begins_with }))
}

/// Names in the body of a method that calls by columns.
const IN_ROWS: &[&str] = &["all", "columns", "row", "rows"];

/// The method that calls a function by columns, if it is passed and gives numbers alone.
pub(crate) fn by_columns(context: &Context<'_>, index: usize) -> Result<Option<Method>, Error> {
    let function = &context.interface.functions[index];
    if !takes_numbers(function) || !is_batched(function) {
        return Ok(None);
    }
    let mut scope = names::locals("lib");
    scope.taken.extend(IN_ROWS.iter().map(|&name| name.to_owned()));
    let arguments = Arguments::of(context, function, (Owner::Library, "lib"), &mut scope)?;
    let outcomes = outcomes(context, function, &arguments, &mut Scope::default())?;
    if !outcomes.iter().all(|it| it.plain) {
        return Ok(None);
    }
    let (name, method) = (context.names.borrow().rows[index].clone(), context.method(index));
    let whole = Results::of(context, index, &outcomes).whole;
    let locals: Vec<&str> = arguments.params.iter().map(|(local, _)| local.as_str()).collect();
    let columns: Vec<String> =
        locals.iter().map(|local| format!("{{Name: \"{local}\", Rows: len({local})}}")).collect();
    let each = |form: fn(&str) -> String| locals.iter().map(|it| form(it)).collect::<Vec<_>>().join(", ");
    let mut body = vec![
        format!("\tcolumns := []rt.Column{{{}}}", columns.join(", ")),
        format!(
            "\t{} rt.CallRows(ctx, lib.s(), {}, columns, func(rows rt.RowArguments) {{",
            if outcomes.is_empty() { "_, err :=" } else { "return" },
            context.index(index)
        ),
        format!("\t\t{} := {}", locals.join(", "), each(|it| format!("{it}[rows.First:]"))),
        "\t\tfor row := range rows.Count {".to_owned(),
        format!("\t\t\tcall, {} := rows.At(row), {}", locals.join(", "), each(|it| format!("{it}[row]"))),
    ];
    body.extend(arguments.puts.iter().map(|line| format!("\t\t{line}")));
    body.push("\t\t}".into());
    let opening = match outcomes.is_empty() {
        true => {
            body.push("\t}, func(rt.RowResults, []struct{}) {})".into());
            body.push("\treturn err".into());
            "error".to_owned()
        }
        false => {
            body.push(format!("\t}}, func(rows rt.RowResults, all []{whole}) {{"));
            body.push("\t\tfor row := range all {".into());
            body.push("\t\t\treply := rows.At(row)".into());
            body.push(format!("\t\t\tall[row] = {}", all_of(&whole, &outcomes)));
            body.push("\t\t}".into());
            body.push("\t})".into());
            format!("([]{whole}, error)")
        }
    };
    let context_param = ("ctx".to_owned(), "context.Context".to_owned());
    let slices = arguments.params.iter().map(|(local, ty)| (local.clone(), format!("[]{ty}")));
    let params = parameters([context_param].into_iter().chain(slices));
    let opening = format!("(lib *Library) {name}({params}) {opening}");
    let docs = [
        format!("{name} is [Library.{method}] for each row of columns, which are equally long, in order: a wake for 1024 of them."),
        String::new(),
        if outcomes.is_empty() {
            "The error of a row that fails is a *hotcell.RowError. Some behind it may have been called, too."
        } else {
            "The error of a row that fails is a *hotcell.RowError. Results of the rows in front of it come with it, but for those whose worker has ended with it; some behind it may have been called, too."
        }
        .to_owned(),
    ];
    Ok(Some(Method { comment: docs::comment(&docs), opening, body, result: None, begins_with: false }))
}

/// The type of a buffer's elements.
pub(crate) fn element(context: &Context<'_>, param: &Param) -> &'static str {
    types::element(param.ty.pointee().map(|(ty, _)| ty), &context.interface.target)
}

/// Whether a call that succeeds may give no object.
fn gives_none(function: &Function) -> bool {
    let hands_out = |param: &Param| matches!(param.role.value, Role::HandleOut { nullable: true, .. });
    matches!(function.result.value, ResultRole::Handle { nullable: true, .. })
        || function.params.iter().any(hands_out)
}

fn documentation(function: &Function, name: &str, notes: &[String], repeats: bool) -> Vec<String> {
    let mut lines =
        vec![format!("{name} calls {}:", function.name), String::new(), format!("\t{}", signature(function))];
    docs::paragraph(&mut lines, function.doc.as_deref().map(docs::from_header).unwrap_or_default());
    for note in notes {
        docs::paragraph(&mut lines, [note.clone()]);
    }
    if gives_none(function) {
        docs::paragraph(
            &mut lines,
            ["An object that it gives may be nil, without an error: NULL in C.".into()],
        );
    }
    if repeats {
        docs::paragraph(&mut lines, ["It is idempotent: a call whose worker ends may be made again.".into()]);
    }
    if let Some(cancel) = &function.cancel {
        let text = &cancel.text;
        let text = format!("At its deadline, and when its context is done, {text} stops it.");
        docs::paragraph(&mut lines, [docs::unmarked(&text)]);
    }
    docs::paragraph(
        &mut lines,
        [match fails(function) {
            Some(when) => {
                format!(
                    "The error is a hotcell.LibraryError when {when}, or tells what became of the worker."
                )
            }
            None => "The error tells what became of the worker; the library reports none here.".into(),
        }],
    );
    lines
}
