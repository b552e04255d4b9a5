//! What a method gives back, and the statements that read it from the reply.

use hotcell_model::expr::Expr;
use hotcell_model::interface::{
    Capacity, Encoding, Function, Ownership, Param, ResultLength, ResultRole, Role,
};
use hotcell_model::layout::Carries;
use hotcell_model::types::CType;

use crate::Error;
use crate::rust::arguments::Arguments;
use crate::rust::context::Context;
use crate::rust::format;
use crate::rust::function::element;
use crate::rust::names::{self, Scope};
use crate::rust::texts as texts_of;
use crate::rust::types::{self, Number};
use crate::shape::{comes_out, offset, unsupported};

/// Something a method gives back.
pub(crate) struct Outcome {
    /// Its name in the output structure.
    pub(crate) name: String,
    pub(crate) about: String,
    pub(crate) ty: String,
    /// Whether it can stay where the library wrote it.
    pub(crate) shareable: bool,
    /// The parameter that it comes out of, if any.
    pub(crate) param: Option<usize>,
    reading: Reading,
}

/// The type of a result that stays where the library wrote it.
pub(crate) const SHARED: &str = "hotcell::SharedBuf";

/// How a result is read.
enum Reading {
    /// An expression that cannot fail.
    Plain(String),
    /// A call that may fail: what stands before the arguments, and they.
    Fallible(String, Vec<String>),
    /// As `Fallible`, for a handle that becomes this type. The variable `parent` is set before, if there is one.
    Object { head: String, args: Vec<String>, ty: String, nullable: bool, parent: Option<String> },
}

type Read = (String, Reading);

/// What a method gives back: the returned value, then the out-parameters in order.
pub(crate) fn outcomes(
    context: &Context<'_>,
    function: &Function,
    arguments: &Arguments,
) -> Result<Vec<Outcome>, Error> {
    let mut scope = Scope::default();
    let mut outcomes = Vec::new();
    if let Some((ty, reading)) = returned(context, function, arguments)? {
        let name = scope.take("returned".into());
        let about = "What the function returned.".into();
        outcomes.push(Outcome { name, about, ty, shareable: false, param: None, reading });
    }
    for (index, param) in function.params.iter().enumerate().filter(|(_, param)| comes_out(param)) {
        let (ty, reading) = parameter(context, function, (index, param), arguments)?;
        let about = format!("What `{}` holds.", param.name);
        let shareable = is_shareable(context, param);
        let name = scope.take(names::snake(&param.name));
        outcomes.push(Outcome { name, about, ty, shareable, param: Some(index), reading });
    }
    Ok(outcomes)
}

/// Whether what a parameter holds can be more than a few bytes, and C writes it where it comes out.
fn is_shareable(context: &Context<'_>, param: &Param) -> bool {
    let (big, result) = match &param.role.value {
        Role::BufferOut { capacity: Capacity::Caller, result, .. } | Role::BufferInOut { result, .. } => {
            (true, result)
        }
        Role::BufferOut { capacity: Capacity::Elements { size }, result, .. } => (varies(size), result),
        _ => return false,
    };
    big && param.structures().is_none() && *result != ResultLength::Text && element(context, param) == "u8"
}

/// Whether the caller can lend the memory that a parameter points to.
pub(crate) fn is_lendable(context: &Context<'_>, param: &Param) -> bool {
    let whole = matches!(&param.role.value, Role::BufferOut { capacity: Capacity::Elements { .. }, .. });
    is_shareable(context, param) && !whole
}

fn varies(size: &Expr) -> bool {
    let mut varies = false;
    size.walk(&mut |part| varies |= matches!(part, Expr::Param { .. } | Expr::Call { .. }));
    varies
}

impl Outcome {
    /// The same, where the library wrote it.
    pub(crate) fn shared(self) -> Outcome {
        let Outcome { shareable: true, reading: Reading::Fallible(_, args), .. } = self else { return self };
        Outcome { ty: SHARED.into(), reading: Reading::Fallible("reply.shared_buffer".into(), args), ..self }
    }

    /// The same, where it comes out in a buffer that goes by this name: how much of it.
    pub(crate) fn filled(self, buffer: &str) -> Outcome {
        let Outcome { reading: Reading::Fallible(_, mut args), .. } = self else { return self };
        args.push(buffer.to_owned());
        Outcome { ty: "usize".into(), reading: Reading::Fallible("reply.filled".into(), args), ..self }
    }
}

fn parameter(
    context: &Context<'_>,
    function: &Function,
    (index, param): (usize, &Param),
    arguments: &Arguments,
) -> Result<Read, Error> {
    let offset = offset(function, &function.layout.result, Carries::Param { index })?;
    Ok(match &param.role.value {
        Role::ValueOut { .. } | Role::ValueInOut { .. } => {
            let number = param.ty.pointee().and_then(|(pointee, _)| context.number(pointee));
            number_at(&number.ok_or_else(|| unsupported(function, param))?, offset)
        }
        Role::BufferOut { .. } | Role::BufferInOut { .. } if param.structures().is_some() => {
            structures(context, function, param.structures().unwrap_or_default(), (Null::Empty, offset))?
        }
        Role::BufferOut { .. } | Role::BufferInOut { .. } => elements(element(context, param), offset, false),
        Role::TextOut { encoding, .. } => text(*encoding, true, offset),
        Role::TextsOut { encoding, .. } => texts(*encoding, false, true, offset),
        Role::DataOut { .. } => {
            let pointee = param.ty.pointee().and_then(|(pointee, _)| pointee.pointee());
            elements(element_of(context, pointee), offset, true)
        }
        Role::OffsetOut { param, .. } => {
            let (method, of) = arguments.place(context, function, *param)?;
            ("Option<usize>".into(), Reading::Fallible(method.into(), vec![offset.to_string(), of]))
        }
        Role::Struct { record, valid_on_error, .. } => {
            if *valid_on_error && function.error.is_some() {
                let what = format!("the structure `{}`, which comes out of a failed call,", param.name);
                return Err(Error::Unsupported { function: function.name.clone(), what });
            }
            structure(context, function, record, false, offset)?
        }
        Role::HandleOut { handle, ownership, parent, nullable, .. } => {
            let parent = parent.map(|index| arguments.parent(function, index)).transpose()?;
            object(context, function, (handle, ownership, parent), *nullable, offset)?
        }
        _ => return Err(unsupported(function, param)),
    })
}

fn returned(
    context: &Context<'_>,
    function: &Function,
    arguments: &Arguments,
) -> Result<Option<Read>, Error> {
    let ty = &function.result_type;
    let role = &function.result.value;
    if matches!(role, ResultRole::Void | ResultRole::Status | ResultRole::LengthOf { .. }) {
        return Ok(None);
    }
    let offset = offset(function, &function.layout.result, Carries::Returned)?;
    Ok(Some(match role {
        ResultRole::Void | ResultRole::Status | ResultRole::LengthOf { .. } => return Ok(None),
        ResultRole::Value => {
            let number = context.number(ty).ok_or_else(|| Error::Unsupported {
                function: function.name.clone(),
                what: format!("a result of type `{}`", ty.written),
            })?;
            number_at(&number, offset)
        }
        ResultRole::Text { encoding, nullable, .. } => text(*encoding, *nullable, offset),
        ResultRole::Texts { encoding, length, nullable, .. } => {
            texts(*encoding, length.is_none(), *nullable, offset)
        }
        ResultRole::Buffer { nullable, .. } if function.returned_structures().is_some() => {
            let record = function.returned_structures().unwrap_or_default();
            let null = if *nullable { Null::Opt } else { Null::Promised };
            structures(context, function, record, (null, offset))?
        }
        ResultRole::Buffer { nullable: true, .. } => {
            elements(element_of(context, ty.pointed_elements()), offset, true)
        }
        ResultRole::Buffer { .. } => match element_of(context, ty.pointed_elements()) {
            "u8" => fallible("Vec<u8>", "promised_buffer", offset),
            element => fallible(format!("Vec<{element}>"), "promised_elements", offset),
        },
        ResultRole::Struct { record, nullable, .. } => {
            structure(context, function, record, *nullable, offset)?
        }
        ResultRole::Handle { handle, ownership, parent, nullable } => {
            let parent = parent.map(|index| arguments.parent(function, index)).transpose()?;
            object(context, function, (handle, ownership, parent), *nullable, offset)?
        }
    }))
}

/// Who waits for a call.
pub(crate) enum Waits {
    Thread,
    /// A task, whose call is begun by this method, with these.
    Task((&'static str, Vec<String>)),
}

impl Waits {
    /// The statements that send a call, wait for it, and have its reply in `left`, if anywhere. A task's call is begun with
    /// them, and is gone before it waits: it would not go from thread to thread.
    fn finish(&self, method: &str, left: &str, callbacks: &[String], puts: &[String]) -> Vec<String> {
        let with = if callbacks.is_empty() { "" } else { "_with" };
        let assigns = if left.is_empty() { String::new() } else { format!("{left} = ") };
        let (begin, args) = match self {
            Waits::Thread => {
                let list = callbacks.join(", ");
                let list = if list.is_empty() { list } else { format!("&mut [{list}]") };
                return vec![format!("        {assigns}call.{method}{with}({list})?;")];
            }
            Waits::Task((begin, args)) => (*begin, args),
        };
        let mut lines = Vec::new();
        if !callbacks.is_empty() {
            let ty = format!("[&mut rt::TaskCallback<'_>; {}]", callbacks.len());
            let value = format!("[{}]", callbacks.join(", "));
            lines.extend(format::constant(8, &format!("let mut callbacks: {ty}"), &value));
        }
        let variable = if puts.is_empty() { "let call" } else { "let mut call" };
        lines.push("        let sent = {".into());
        lines.extend(format::awaited(12, variable, ("session", begin), args));
        lines.extend(puts.iter().cloned());
        let list = if callbacks.is_empty() { "" } else { "&mut callbacks" };
        lines.push(format!("            call.{method}{with}_awaited({list})"));
        lines.push("        };".into());
        lines.push(format!("        {assigns}sent.await?;"));
        lines
    }
}

/// Adds what stands behind the last argument.
pub(crate) fn finish(
    body: &mut Vec<String>,
    outcomes: &[Outcome],
    ty: &str,
    arguments: &Arguments,
    (fallible, waits): (bool, Waits),
    scope: &mut Scope,
) {
    for closure in &arguments.closures {
        body.extend(closure.lines.iter().cloned());
    }
    let callbacks: Vec<String> =
        arguments.closures.iter().map(|closure| format!("&mut {}", closure.name)).collect();
    // Without a rule, only a callback can make it fail.
    let settles = !arguments.always.is_empty() && (fallible || !callbacks.is_empty());
    let method = if settles { "settle" } else { "finish" };
    let finish = |left: &str| waits.finish(method, left, &callbacks, &arguments.puts);
    let updates = !arguments.always.is_empty() || !arguments.updates.is_empty();
    if outcomes.is_empty() && !updates {
        body.extend(finish(""));
        body.push("        Ok(())".into());
        return;
    }
    let changes = updates || outcomes.iter().any(Outcome::is_read);
    body.extend(finish(if changes { "let mut reply" } else { "let reply" }));
    body.extend(arguments.always.iter().cloned());
    if settles {
        body.push("        reply.succeeded()?;".into());
    }
    give(body, 8, outcomes, (ty, &arguments.updates), scope);
}

/// Adds the statements that read results from `reply` and give them back. The updates come when all objects are held.
fn give(
    body: &mut Vec<String>,
    indent: usize,
    outcomes: &[Outcome],
    (ty, updates): (&str, &[String]),
    scope: &mut Scope,
) {
    let pad = " ".repeat(indent);
    // Objects first: what can fail comes when all of them are held.
    let objects: Vec<Option<String>> =
        outcomes.iter().map(|outcome| outcome.reading.wrap(body, indent, scope, &outcome.name)).collect();
    body.extend(updates.iter().cloned());
    match outcomes {
        [] => body.push(format!("{pad}Ok(())")),
        [one] => match (&one.reading, &objects[0]) {
            (_, Some(object)) => body.push(format!("{pad}Ok({object})")),
            (Reading::Fallible(head, args), _) => body.extend(format::call(indent, head, args, "")),
            (Reading::Plain(value), _) => body.push(format!("{pad}Ok({value})")),
            (Reading::Object { .. }, None) => {}
        },
        many => {
            let mut fields = Vec::new();
            for (outcome, object) in many.iter().zip(objects) {
                let name = &outcome.name;
                let value = match (&outcome.reading, object) {
                    (_, Some(object)) => object,
                    (Reading::Fallible(head, args), _) => {
                        let inline = format::call(indent + 4, &format!("{name}: {head}"), args, "?,");
                        if inline.len() == 1 {
                            format!("{head}({})?", args.join(", "))
                        } else {
                            let local = scope.take(name.clone());
                            body.extend(format::assign(indent, &format!("let {local}"), head, args, "?;"));
                            local
                        }
                    }
                    (Reading::Plain(value), _) => value.clone(),
                    (Reading::Object { .. }, None) => continue,
                };
                fields.push(field(name, &value));
            }
            body.extend(format::literal(indent, &format!("Ok({ty}"), &fields, ")"));
        }
    }
}

/// Adds the statement that adds a call to a batch, with what reads its results.
pub(crate) fn add(body: &mut Vec<String>, mut outcomes: Vec<Outcome>, ty: &str, scope: &mut Scope) {
    if !outcomes.iter().any(Outcome::is_read) {
        let values = outcomes.iter().filter_map(|outcome| match &outcome.reading {
            Reading::Plain(value) => Some((outcome.name.as_str(), value.as_str())),
            _ => None,
        });
        match values.collect::<Vec<_>>().as_slice() {
            [] => body.push("        Ok(call.values(|_| ()))".into()),
            [(_, value)] => body.push(format!("        Ok(call.values(|reply| {value}))")),
            many => {
                let fields: Vec<String> = many.iter().map(|(name, value)| field(name, value)).collect();
                body.extend(format::literal(8, &format!("Ok(call.values(|reply| {ty}"), &fields, "))"));
            }
        }
        return;
    }
    // What reads them runs later: it has its own of what it needs.
    let before = body.len();
    for outcome in &mut outcomes {
        outcome.reading.keep(body, scope);
    }
    let closure = if body.len() > before { "move |reply|" } else { "|reply|" };
    match outcomes.as_slice() {
        [Outcome { reading: Reading::Fallible(head, args), .. }] => {
            body.push(format!("        Ok(call.read({closure} {head}({})))", args.join(", ")));
        }
        outcomes => {
            body.push(format!("        Ok(call.read({closure} {{"));
            give(body, 12, outcomes, (ty, &[]), scope);
            body.push("        }))".into());
        }
    }
}

/// A field of a literal.
fn field(name: &str, value: &str) -> String {
    if name == value { value.to_owned() } else { format!("{name}: {value}") }
}

impl Outcome {
    /// Whether reading it can fail.
    fn is_read(&self) -> bool {
        !matches!(self.reading, Reading::Plain(_))
    }
}

impl Reading {
    /// Makes it independent of the arguments, and of whether the reply is behind a reference: adds the variables that it
    /// takes along.
    fn keep(&mut self, body: &mut Vec<String>, scope: &mut Scope) {
        match self {
            Reading::Fallible(head, args) if head == "reply.offset" => {
                let length = scope.take("length".into());
                body.push(format!("        let {length} = {};", args[1]));
                args[1] = length;
            }
            Reading::Fallible(_, args) => {
                args.iter_mut().filter(|arg| *arg == "&mut reply").for_each(|arg| *arg = "reply".into());
            }
            Reading::Object { args, parent, .. } => {
                let (value, given): (_, fn(&str) -> String) = match (parent.take(), args[3].as_str()) {
                    (None, "None") => return,
                    (Some(parent), _) => {
                        (parent.replace("&parent.0", "parent.0.clone()"), |owner| format!("{owner}.as_ref()"))
                    }
                    (None, given) => {
                        let parent = given.trim_start_matches("Some(&").trim_end_matches(')');
                        (format!("{parent}.clone()"), |owner| format!("Some(&{owner})"))
                    }
                };
                let owner = scope.take("owner".into());
                body.push(format!("        let {owner} = {value};"));
                args[3] = given(&owner);
            }
            Reading::Plain(_) => {}
        }
    }

    /// Adds the statements that read an object into a variable; the expression for it. Nothing for what is no object.
    fn wrap(&self, body: &mut Vec<String>, indent: usize, scope: &mut Scope, name: &str) -> Option<String> {
        let Reading::Object { head, args, ty, nullable, parent } = self else { return None };
        let local = scope.take(name.to_owned());
        if let Some(parent) = parent {
            body.push(format!("{}let parent = {parent};", " ".repeat(indent)));
        }
        let left = format!("let {local}");
        body.extend(format::assign(indent, &left, head, args, "?;"));
        let (head, arg) = match nullable {
            true => (format!("{local}.map"), ty.clone()),
            false => (ty.clone(), local.clone()),
        };
        // An expression within another breaks earlier than a statement does.
        let value = format!("{head}({arg})");
        if value.len() <= 40 {
            return Some(value);
        }
        body.extend(format::assign(indent, &left, &head, &[arg], ";"));
        Some(local)
    }
}

fn number_at(number: &Number, offset: u32) -> Read {
    let value = format!("reply.get_{}({offset})", types::primitive(number.kind));
    (number.name.clone(), Reading::Plain(number.decode(&value)))
}

fn fallible(ty: impl Into<String>, method: &str, offset: u32) -> Read {
    (ty.into(), Reading::Fallible(format!("reply.{method}"), vec![offset.to_string()]))
}

fn text(encoding: Encoding, nullable: bool, offset: u32) -> Read {
    let owned = texts_of::owned(encoding);
    let ty = if nullable { format!("Option<{owned}>") } else { owned.to_owned() };
    fallible(ty, &texts_of::read(encoding, nullable), offset)
}

/// Texts of an array; `ended` is whether a NULL ends it, so that none of them is NULL.
fn texts(encoding: Encoding, ended: bool, nullable: bool, offset: u32) -> Read {
    let (kind, text) = (texts_of::kind(encoding), texts_of::owned(encoding));
    let list = if ended { format!("Vec<{text}>") } else { format!("Vec<Option<{text}>>") };
    let method = format!(
        "{}{}text_list::<rt::{kind}>",
        if nullable { "opt_" } else { "" },
        if ended { "ended_" } else { "" }
    );
    let ty = if nullable { format!("Option<{list}>") } else { list };
    fallible(ty, &method, offset)
}

fn elements(element: &str, offset: u32, nullable: bool) -> Read {
    let method = match (element, nullable) {
        ("u8", false) => "buffer",
        ("u8", true) => "opt_buffer",
        (_, false) => "elements",
        (_, true) => "opt_elements",
    };
    let ty = if nullable { format!("Option<Vec<{element}>>") } else { format!("Vec<{element}>") };
    fallible(ty, method, offset)
}

fn structure(
    context: &Context<'_>,
    function: &Function,
    record: &str,
    nullable: bool,
    offset: u32,
) -> Result<Read, Error> {
    let name = context.structure(&function.name, record, |deeds| {
        deeds.take |= !nullable;
        deeds.take_nullable |= nullable;
    })?;
    let method = if nullable { "take_nullable" } else { "take_from" };
    let ty = if nullable { format!("Option<{name}>") } else { name.clone() };
    Ok((ty, Reading::Fallible(format!("{name}::{method}"), vec!["&mut reply".into(), offset.to_string()])))
}

/// What NULL in place of structures is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Null {
    /// No structures.
    Empty,
    /// Nothing.
    Opt,
    /// A lie.
    Promised,
}

/// Several structures.
fn structures(
    context: &Context<'_>,
    function: &Function,
    record: &str,
    (null, offset): (Null, u32),
) -> Result<Read, Error> {
    let name = context.structure(&function.name, record, |deeds| match null {
        Null::Empty => deeds.take_list = true,
        Null::Opt => deeds.take_opt_list = true,
        Null::Promised => deeds.take_promised_list = true,
    })?;
    let method = match null {
        Null::Empty => "take_images",
        Null::Opt => "take_opt_images",
        Null::Promised => "take_promised_images",
    };
    let ty = if null == Null::Opt { format!("Option<Vec<{name}>>") } else { format!("Vec<{name}>") };
    Ok((ty, Reading::Fallible(format!("{name}::{method}"), vec!["&mut reply".into(), offset.to_string()])))
}

/// An object: its handle type, who owns it, and its parent as an expression.
fn object(
    context: &Context<'_>,
    function: &Function,
    (key, ownership, parent): (&str, &Ownership, Option<(String, Option<String>)>),
    nullable: bool,
    offset: u32,
) -> Result<Read, Error> {
    let name = context.object(&function.name, key)?;
    if context.interface.structs.contains_key(key) {
        let what = format!("a result that is a `{name}`, a structure that lives in the worker,");
        return Err(Error::Unsupported { function: function.name.clone(), what });
    }
    let owned = matches!(ownership, Ownership::Owned { .. });
    let (given, parent) = parent.unwrap_or_else(|| ("None".into(), None));
    let args = vec![offset.to_string(), format!("{name}::TYPE"), owned.to_string(), given];
    let (whole, method) = match nullable {
        true => (format!("Option<{name}>"), "opt_handle"),
        false => (name.clone(), "handle"),
    };
    Ok((whole, Reading::Object { head: format!("reply.{method}"), args, ty: name, nullable, parent }))
}

fn element_of(context: &Context<'_>, pointee: Option<(&CType, bool)>) -> &'static str {
    pointee.map_or("u8", |(ty, _)| types::element(ty, &context.interface.target))
}
