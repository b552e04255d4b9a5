//! What a method gives back, and the expressions that read it from the reply.

use hotcell_model::expr::Expr;
use hotcell_model::interface::{
    Capacity, Encoding, Function, Ownership, Param, ResultLength, ResultRole, Role,
};
use hotcell_model::layout::Carries;

use crate::Error;
use crate::go::arguments::Arguments;
use crate::go::context::Context;
use crate::go::function::element;
use crate::go::names::{self, Scope};
use crate::go::{texts, types};
use crate::shape::{comes_out, offset, unsupported};

/// Something a method gives back.
pub(crate) struct Outcome {
    /// What it goes by among the results of a method.
    pub(crate) local: String,
    /// What it goes by in a structure.
    pub(crate) field: String,
    pub(crate) about: String,
    pub(crate) ty: String,
    /// The expression that reads it.
    pub(crate) read: String,
    /// Whether it is a number, whose reading cannot fail.
    pub(crate) plain: bool,
}

/// Type and expression of a result.
struct Read {
    ty: String,
    value: String,
    plain: bool,
}

/// What a method gives back: the returned value, then the out-parameters in order. Their names are none of `scope`.
pub(crate) fn outcomes(
    context: &Context<'_>,
    function: &Function,
    arguments: &Arguments,
    scope: &mut Scope,
) -> Result<Vec<Outcome>, Error> {
    let (mut outcomes, mut fields) = (Vec::new(), Scope::default());
    let mut add = |name: &str, about, Read { ty, value, plain }: Read| {
        let lower = names::lower(name);
        let local = match scope.taken.contains(&lower) {
            true => scope.take(format!("{lower}Out")),
            false => scope.take(lower),
        };
        let field = fields.take_type(names::camel(name));
        outcomes.push(Outcome { local, field, about, ty, read: value, plain });
    };
    if let Some(read) = returned(context, function, arguments)? {
        add("returned", "What the function returned.".to_owned(), read);
    }
    for (index, param) in function.params.iter().enumerate().filter(|(_, param)| comes_out(param)) {
        let read = parameter(context, function, (index, param), arguments)?;
        add(&param.name, format!("What {} holds.", param.name), read);
    }
    Ok(outcomes)
}

fn parameter(
    context: &Context<'_>,
    function: &Function,
    (index, param): (usize, &Param),
    arguments: &Arguments,
) -> Result<Read, Error> {
    let offset = offset(function, &function.layout.result, Carries::Param { index })?;
    if let Some(buffer) =
        arguments.locals[index].as_ref().filter(|_| arguments.lends && is_lendable(context, param))
    {
        return Ok(read("int", format!("reply.Filled({offset}, {buffer})")));
    }
    Ok(match &param.role.value {
        Role::ValueOut { .. } | Role::ValueInOut { .. } => {
            let number = param.ty.pointee().and_then(|(pointee, _)| context.number(pointee));
            let number = number.ok_or_else(|| unsupported(function, param))?;
            plain(number.name.clone(), number.get("reply", &offset.to_string()))
        }
        Role::BufferOut { .. } | Role::BufferInOut { .. } if param.structures().is_some() => {
            structures(context, function, param.structures().unwrap_or_default(), (Null::Empty, offset))?
        }
        Role::BufferOut { .. } | Role::BufferInOut { .. } => {
            elements(element(context, param), offset, Null::Empty)
        }
        Role::TextOut { encoding, .. } => text(*encoding, true, offset),
        Role::TextsOut { encoding, .. } => list(*encoding, (false, true), offset),
        Role::DataOut { .. } => {
            let pointee = param.ty.pointee().and_then(|(pointee, _)| pointee.pointee());
            let element = types::element(pointee.map(|(ty, _)| ty), &context.interface.target);
            elements(element, offset, Null::Opt)
        }
        Role::OffsetOut { param, .. } => read("int", arguments.place(context, function, (*param, offset))?),
        Role::Struct { record, valid_on_error, .. } => {
            if *valid_on_error && function.error.is_some() {
                let what = format!("the structure `{}`, which comes out of a failed call,", param.name);
                return Err(Error::Unsupported { function: function.name.clone(), what });
            }
            structure(context, function, record, (false, offset))?
        }
        Role::HandleOut { handle, ownership, parent, nullable, .. } => {
            let parent = parent.map(|index| arguments.parent(function, index)).transpose()?;
            object(context, function, (handle, ownership, parent), (*nullable, offset))?
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
            plain(number.name.clone(), number.get("reply", &offset.to_string()))
        }
        ResultRole::Text { encoding, nullable, .. } => text(*encoding, *nullable, offset),
        ResultRole::Texts { encoding, length, nullable, .. } => {
            list(*encoding, (length.is_none(), *nullable), offset)
        }
        ResultRole::Buffer { nullable, .. } => {
            let null = if *nullable { Null::Opt } else { Null::Promised };
            match function.returned_structures() {
                Some(record) => structures(context, function, record, (null, offset))?,
                None => {
                    let element = ty.pointed_elements().map(|(ty, _)| ty);
                    elements(types::element(element, &context.interface.target), offset, null)
                }
            }
        }
        ResultRole::Struct { record, nullable, .. } => {
            structure(context, function, record, (*nullable, offset))?
        }
        ResultRole::Handle { handle, ownership, parent, nullable } => {
            let parent = parent.map(|index| arguments.parent(function, index)).transpose()?;
            object(context, function, (handle, ownership, parent), (*nullable, offset))?
        }
    }))
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
    big && param.structures().is_none() && *result != ResultLength::Text && element(context, param) == "byte"
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

/// Whether there is a method that lends the library buffers, and whether it changes what is in them. All that could be lent must be.
pub(crate) fn lends(context: &Context<'_>, function: &Function) -> Option<bool> {
    let params: Vec<&Param> = function.params.iter().filter(|it| is_shareable(context, it)).collect();
    let all = !params.is_empty() && params.iter().all(|param| is_lendable(context, param));
    all.then(|| params.iter().any(|param| matches!(param.role.value, Role::BufferInOut { .. })))
}

/// What NULL in place of data is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Null {
    /// No data.
    Empty,
    /// nil.
    Opt,
    /// A lie.
    Promised,
}

impl Null {
    fn word(self) -> &'static str {
        match self {
            Null::Empty => "",
            Null::Opt => "Opt",
            Null::Promised => "Promised",
        }
    }
}

fn plain(ty: String, value: String) -> Read {
    Read { ty, value, plain: true }
}

fn read(ty: impl Into<String>, value: String) -> Read {
    Read { ty: ty.into(), value, plain: false }
}

fn text(encoding: Encoding, nullable: bool, offset: u32) -> Read {
    let ty = if nullable { texts::optional(encoding) } else { texts::ty(encoding) };
    read(ty, texts::read("reply", encoding, nullable, &offset.to_string()))
}

fn list(encoding: Encoding, (ended, nullable): (bool, bool), offset: u32) -> Read {
    let value = texts::read_list("reply", encoding, (ended, nullable), &offset.to_string());
    read(texts::list(encoding, ended), value)
}

fn elements(element: &str, offset: u32, null: Null) -> Read {
    let word = null.word();
    let value = match element {
        "byte" => format!("reply.{word}Bytes({offset})"),
        _ => format!("rt.{word}Elements[{element}](reply, {offset})"),
    };
    read(format!("[]{element}"), value)
}

fn structure(
    context: &Context<'_>,
    function: &Function,
    record: &str,
    (nullable, offset): (bool, u32),
) -> Result<Read, Error> {
    let name = context.structure(&function.name, record, |deeds| {
        deeds.take |= !nullable;
        deeds.take_nullable |= nullable;
    })?;
    let (opt, star) = if nullable { ("Opt", "*") } else { ("", "") };
    Ok(read(format!("{star}{name}"), format!("take{opt}_{name}(reply, {offset})")))
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
    Ok(read(format!("[]{name}"), format!("take{}List_{name}(reply, {offset})", null.word())))
}

/// An object: its handle type, who owns it, and its parent as an expression.
fn object(
    context: &Context<'_>,
    function: &Function,
    (key, ownership, parent): (&str, &Ownership, Option<String>),
    (nullable, offset): (bool, u32),
) -> Result<Read, Error> {
    let (name, kind) = context.object(&function.name, key)?;
    if context.interface.structs.contains_key(key) {
        let what = format!("a result that is a `{name}`, a structure that lives in the worker,");
        return Err(Error::Unsupported { function: function.name.clone(), what });
    }
    let owned = matches!(ownership, Ownership::Owned { .. });
    let parent = parent.unwrap_or_else(|| "nil".into());
    let opt = if nullable { "Opt" } else { "" };
    let handle = format!("reply.{opt}Handle({offset}, {kind}, {owned}, {parent})");
    Ok(read(format!("*{name}"), format!("new_{name}({handle})")))
}
