//! Functions of the application: their types, and what runs them.

use hotcell_model::interface::{
    Callback, CallbackParam, CallbackRole, CallbackScope, CallbackStream, CallbackThreads, Function,
};
use hotcell_model::layout::Carries;
use hotcell_model::types::Type;

use crate::Error;
use crate::go::context::Context;
use crate::go::names::{self, Scope};
use crate::go::types::Number;
use crate::go::{texts, types};
use crate::shape::inconsistent;

/// A function of the application that is passed.
pub(crate) struct Passed {
    /// Its Go type.
    pub(crate) ty: String,
    /// Statements of what the runtime calls, without indentation.
    pub(crate) body: Vec<String>,
    /// Bytes of its argument block.
    pub(crate) size: u32,
    pub(crate) nullable: bool,
    /// Position of the object that ends it, where the library keeps it.
    pub(crate) until: Option<usize>,
    /// On which threads the library may call it.
    pub(crate) threads: CallbackThreads,
    /// Whether it is a stream.
    pub(crate) stream: Option<CallbackStream>,
}

/// What happens when a function of the application is called.
#[derive(Default)]
struct Run {
    /// Its parameters.
    params: Vec<String>,
    /// Statements that read them.
    reads: Vec<String>,
    /// Whether reading can fail.
    fallible: bool,
    /// The arguments, as expressions.
    args: Vec<String>,
    /// The statement behind it that has filled in what it has filled.
    fills: Option<String>,
    /// The memory of which it says how much it has filled.
    room: Option<String>,
}

/// The callback in the parameter `local`.
pub(crate) fn passed(
    context: &Context<'_>,
    function: &Function,
    callback: &Callback,
    (local, nullable): (&str, bool),
) -> Result<Passed, Error> {
    let result = match &callback.result.kind {
        Type::Void => None,
        _ => Some(context.number(&callback.result).ok_or_else(|| Error::Unsupported {
            function: function.name.clone(),
            what: format!("a callback that returns `{}`", callback.result.written),
        })?),
    };
    let until = match callback.scope {
        CallbackScope::Call => None,
        CallbackScope::Handle { param } => Some(param),
    };
    let (size, threads, stream) = (callback.args.size, callback.threads, callback.stream);
    if let Some(stream) = stream {
        let (ty, body) = streamed(function, callback, (stream, local), result.as_ref())?;
        return Ok(Passed {
            ty: ty.to_owned(),
            body: vec![body],
            size,
            nullable,
            until,
            threads,
            stream: Some(stream),
        });
    }
    let mut run = Run::default();
    let mut scope = names::locals(local);
    ["value"].iter().for_each(|name| drop(scope.take((*name).to_owned())));
    for (index, param) in callback.params.iter().enumerate() {
        if matches!(param.role, CallbackRole::LengthOf { .. } | CallbackRole::UserData) {
            continue;
        }
        let offset = place(function, callback, (local, index))?;
        let variable = variable(context, function, (index, param), &mut scope)?;
        run.read(context, function, param, (offset, &variable))?;
    }
    let params: Vec<String> =
        ["ctx context.Context".to_owned()].into_iter().chain(run.params.clone()).collect();
    let results = match &result {
        None => "error".to_owned(),
        Some(number) => format!("({}, error)", number.name),
    };
    Ok(Passed {
        ty: format!("func({}) {results}", params.join(", ")),
        body: run.body(local, result.as_ref()),
        size,
        nullable,
        until,
        threads,
        stream,
    })
}

/// Where in its arguments a parameter of a callback lies.
fn place(function: &Function, callback: &Callback, (local, index): (&str, usize)) -> Result<u32, Error> {
    let field = callback.args.field(Carries::Param { index });
    field.map(|field| field.offset).ok_or_else(|| {
        let name = callback.params.get(index).map_or("?", |param| &param.name);
        inconsistent(function, format!("the callback `{local}` has no place for `{name}`"))
    })
}

/// A callback that is a stream: its type, and the statement that moves the next bytes.
fn streamed(
    function: &Function,
    callback: &Callback,
    (stream, local): (CallbackStream, &str),
    result: Option<&Number>,
) -> Result<(&'static str, String), Error> {
    let moves = |param: &CallbackParam| match stream {
        CallbackStream::Read => matches!(param.role, CallbackRole::Room { .. }),
        CallbackStream::Write => matches!(param.role, CallbackRole::Buffer { .. }),
    };
    let index = callback.params.iter().position(moves).ok_or_else(|| {
        inconsistent(function, format!("the stream `{local}` has nowhere to read from or write to"))
    })?;
    let at = place(function, callback, (local, index))?;
    if result.is_some() && !callback.result.is_integer() {
        return Err(inconsistent(function, format!("the stream `{local}` counts its bytes in no integer")));
    }
    // What is returned is how many bytes there were; without a result it is all of them.
    let (method, most) = match (stream, result) {
        (CallbackStream::Read, Some(number)) => ("ReadFrom", format!(", {}", number.most())),
        (CallbackStream::Read, None) => ("ReadFull", String::new()),
        (CallbackStream::Write, Some(number)) => ("WriteTo", format!(", {}", number.most())),
        (CallbackStream::Write, None) => ("WriteAll", String::new()),
    };
    let ty = match stream {
        CallbackStream::Read => "io.Reader",
        CallbackStream::Write => "io.Writer",
    };
    Ok((ty, format!("return in.{method}({at}, {local}{most})")))
}

impl Run {
    /// Adds what reads a parameter into a variable from an offset.
    fn read(
        &mut self,
        context: &Context<'_>,
        function: &Function,
        param: &CallbackParam,
        (offset, variable): (u32, &str),
    ) -> Result<(), Error> {
        let at = offset.to_string();
        let pointee = param.ty.pointee().map(|(pointee, _)| pointee);
        let element = types::element(pointee, &context.interface.target);
        self.args.push(variable.to_owned());
        self.fallible |= !matches!(param.role, CallbackRole::Value);
        let (ty, value) = match &param.role {
            CallbackRole::Value => {
                let number = context.number(&param.ty).ok_or_else(|| Error::Unsupported {
                    function: function.name.clone(),
                    what: format!("a callback with `{}`", param.name),
                })?;
                (number.name.clone(), number.get("in", &at))
            }
            CallbackRole::Text { encoding, nullable } => {
                let ty = if *nullable { texts::optional(*encoding) } else { texts::ty(*encoding) };
                (ty.to_owned(), texts::read("in", *encoding, *nullable, &at))
            }
            CallbackRole::Texts { encoding, nullable, .. } => {
                let value = texts::read_list("in", *encoding, (!nullable, false), &at);
                (texts::list(*encoding, !nullable).to_owned(), value)
            }
            CallbackRole::Buffer { .. } if element == "byte" => ("[]byte".into(), format!("in.Bytes({at})")),
            CallbackRole::Buffer { .. } => {
                (format!("[]{element}"), format!("rt.Elements[{element}](in, {at})"))
            }
            CallbackRole::Room { returned, .. } => {
                let filled = match returned {
                    true => format!("{variable}[:max(int(value), 0)]"),
                    false => variable.to_owned(),
                };
                self.room = returned.then(|| variable.to_owned());
                self.fills = Some(match element {
                    "byte" => format!("in.Fill({filled})"),
                    _ => format!("rt.FillElements(in, {filled})"),
                });
                let bytes = format!("in.Room({at})");
                let count = match types::size(element) {
                    1 => bytes,
                    size => format!("{bytes}/{size}"),
                };
                (format!("[]{element}"), format!("make([]{element}, {count})"))
            }
            CallbackRole::Handle { handle, nullable } => {
                let (name, kind) = object(context, function, param, handle)?;
                let opt = if *nullable { "Opt" } else { "" };
                (format!("*{name}"), format!("new_{name}(in.{opt}Handle({at}, {kind}))"))
            }
            CallbackRole::Handles { handle, .. } => {
                let (name, kind) = object(context, function, param, handle)?;
                self.params.push(format!("{variable} []*{name}"));
                self.reads.extend([
                    format!("var {variable} []*{name}"),
                    format!("for _, handle := range in.Handles({at}, {kind}) {{"),
                    format!("\t{variable} = append({variable}, new_{name}(handle))"),
                    "}".into(),
                ]);
                return Ok(());
            }
            CallbackRole::LengthOf { .. } | CallbackRole::UserData => return Ok(()),
        };
        self.params.push(format!("{variable} {ty}"));
        self.reads.push(format!("{variable} := {value}"));
        Ok(())
    }

    /// What the runtime calls.
    fn body(&self, function: &str, result: Option<&Number>) -> Vec<String> {
        let mut lines = self.reads.clone();
        if self.fallible {
            lines.extend(["if err := in.Err(); err != nil {", "\treturn 0, err", "}"].map(str::to_owned));
        }
        let args: Vec<&str> = ["ctx"].into_iter().chain(self.args.iter().map(String::as_str)).collect();
        let called = format!("{function}({})", args.join(", "));
        let returned = match result {
            None if self.fills.is_none() => {
                lines.push(format!("return 0, {called}"));
                return lines;
            }
            None => {
                lines.push(format!("err := {called}"));
                "0".to_owned()
            }
            Some(number) => {
                lines.push(format!("value, err := {called}"));
                if let Some(room) = &self.room {
                    let wide = if number.is_signed() { "int64" } else { "uint64" };
                    lines.push(format!("if err == nil && {wide}(value) > {wide}(len({room})) {{"));
                    let text = format!("\"{room} has room for %d elements, and %d are filled\"");
                    lines.push(format!("\treturn 0, fmt.Errorf({text}, len({room}), value)"));
                    lines.push("}".into());
                    lines.push("if err != nil {".into());
                    lines.push("\treturn 0, err".into());
                    lines.push("}".into());
                }
                if number.is_bool() {
                    let truth = ["if value {", "\treturn 1, err", "}"].map(str::to_owned);
                    lines.extend(self.fills.iter().cloned().chain(truth));
                    lines.push("return 0, err".into());
                    return lines;
                }
                number.widen("value")
            }
        };
        lines.extend(self.fills.iter().cloned());
        lines.push(format!("return {returned}, err"));
        lines
    }
}

/// What a parameter goes by: its name, or what it is where the header gives none.
fn variable(
    context: &Context<'_>,
    function: &Function,
    (index, param): (usize, &CallbackParam),
    scope: &mut Scope,
) -> Result<String, Error> {
    let name = match &param.role {
        CallbackRole::Handle { handle, .. } if names::is_made_up(&param.name, index) => {
            names::lower(&object(context, function, param, handle)?.0)
        }
        CallbackRole::Handles { handle, .. } if names::is_made_up(&param.name, index) => {
            format!("{}s", names::lower(&object(context, function, param, handle)?.0))
        }
        _ => names::lower(&param.name),
    };
    Ok(scope.take(name))
}

/// The type of an object that is handed to a callback, and the constant with its number.
fn object(
    context: &Context<'_>,
    function: &Function,
    param: &CallbackParam,
    key: &str,
) -> Result<(String, String), Error> {
    let object = context.object(&function.name, key)?;
    if context.interface.structs.contains_key(key) {
        let what = format!(
            "a callback with `{}`, a `{}`, which is a structure that lives in the worker,",
            param.name, object.0
        );
        return Err(Error::Unsupported { function: function.name.clone(), what });
    }
    Ok(object)
}
