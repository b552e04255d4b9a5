//! The data of a package: a row for each function and for each type of object.

use hotcell_model::Interface;
use hotcell_model::interface::{Encoding, Function, Input, LeftKind, Repeated};
use hotcell_model::layout::{Carries, WireKind};
use serde::Serialize;

use crate::Error;
use crate::go::names::Names;
use crate::go::values::text;
use crate::go::{texts, types};
use crate::shape::libraries::{LibraryFile, library_variable};
use crate::shape::releases::{self, Release};

/// What `table.go.j2` prints.
#[derive(Serialize)]
pub(crate) struct Table {
    /// Constants for the functions, in the order of their indices.
    indices: Vec<String>,
    /// Constants for the types of objects, in the order of their numbers.
    kinds: Vec<String>,
    functions: Vec<String>,
    handles: Vec<String>,
    /// Names of error codes: a variable, and its rows.
    symbols: Vec<(String, Vec<String>)>,
    /// The variable with the folders of the library's files, and their names.
    variable: String,
    files: Vec<String>,
}

/// The rows of an interface.
pub(crate) fn table(interface: &Interface, names: &Names, libraries: &[LibraryFile]) -> Result<Table, Error> {
    let variable = |position: usize| format!("symbols{}", position + 1);
    let sets = interface.symbols.values().enumerate().map(|(position, codes)| {
        let row = |(code, name): &(i64, String)| format!("{{Code: {code}, Name: {}}},", text(name));
        (variable(position), codes.iter().map(row).collect())
    });
    let set = |key: &str| interface.symbols.keys().position(|name| name == key).map(variable);
    let functions = interface.functions.iter().map(|function| row(interface, names, function, &set));
    let handles = interface.handles.iter().map(|(key, handle)| {
        let by = releases::optional(interface, key, handle.release.as_ref())?;
        let restore = restore(interface, names, key).unwrap_or_default();
        Ok(format!("{{Name: {}{}{restore}}},", text(key), release(names, by)))
    });
    Ok(Table {
        indices: names.indices.clone(),
        kinds: interface.handles.keys().map(|key| names.kind(key)).collect(),
        functions: functions.collect::<Result<_, Error>>()?,
        handles: handles.collect::<Result<_, Error>>()?,
        symbols: sets.collect(),
        variable: library_variable(&interface.library),
        files: libraries.iter().map(|file| text(&file.name)).collect(),
    })
}

/// The row of a function.
fn row(
    interface: &Interface,
    names: &Names,
    function: &Function,
    set: &impl Fn(&str) -> Option<String>,
) -> Result<String, Error> {
    let (args, result) = (function.layout.args.size, function.layout.result.size);
    let mut parts = vec![format!("Name: {}, Args: {args}, Results: {result}", text(&function.name))];
    if let Some(time) = function.deadline_ms {
        parts.push(format!("Deadline: {time} * time.Millisecond"));
    }
    if function.is_repeatable() {
        parts.push("Idempotent: true".into());
    }
    let inputs: Vec<String> = function.inputs().into_iter().map(input).collect();
    if !inputs.is_empty() {
        parts.push(format!("Inputs: []rt.Input{{{}}}", inputs.join(", ")));
    }
    if let Some(fails) = failure(interface, function, set) {
        parts.push(fails);
    }
    let owned = releases::owned(interface, function)?.into_iter().map(|owned| {
        let image = if owned.image == 0 { String::new() } else { format!(", Image: {}", owned.image) };
        format!("{{Offset: {}, Kind: {}{image}{}}}", owned.offset, owned.kind, release(names, owned.release))
    });
    let owned: Vec<String> = owned.collect();
    if !owned.is_empty() {
        parts.push(format!("Owned: []rt.Owned{{{}}}", owned.join(", ")));
    }
    Ok(format!("{{{}}},", parts.join(", ")))
}

/// What tells one input from another.
fn input(input: Input) -> String {
    let (kind, offset, bytes) = match input {
        Input::Numbers { offset, bytes } => ("Numbers", offset, bytes),
        Input::Room { offset } => ("Room", offset, 0),
        Input::Presence { offset } => ("Presence", offset, 0),
        Input::Objects { offset } => ("Objects", offset, 0),
        Input::Data { offset } => ("Data", offset, 0),
        Input::References { offset } => ("References", offset, 0),
        Input::Images { offset, handle } => ("Images", offset, handle),
    };
    let bytes = if bytes == 0 { String::new() } else { format!(", Bytes: {bytes}") };
    format!("{{Kind: rt.Input{kind}, Offset: {offset}{bytes}}}")
}

/// How a function reports a failure.
fn failure(
    interface: &Interface,
    function: &Function,
    set: &impl Fn(&str) -> Option<String>,
) -> Option<String> {
    let rule = function.error.as_ref()?;
    let own = function.layout.result.field(Carries::Code);
    let code = own.or_else(|| function.returned_number()).map_or(String::new(), |field| {
        format!("Code: rt.Field{{Offset: {}, Kind: rt.{}}}, ", field.offset, types::kind(field.kind))
    });
    let message = function.layout.result.field(Carries::Message);
    let message = message.map_or("rt.None".to_owned(), |field| field.offset.to_string());
    let symbols = rule.value.symbols.as_deref().and_then(set);
    let symbols = symbols.map_or(String::new(), |name| format!(", Symbols: {name}"));
    let left = function.left(&interface.target).into_iter().filter_map(|left| {
        let (name, form) = (text(&function.params[left.param].name), form(left.kind)?);
        Some(format!("{{Name: {name}, Offset: {}, {form}}}", left.offset))
    });
    let outputs: Vec<String> = left.collect();
    let outputs = match outputs.is_empty() {
        true => String::new(),
        false => format!(", Outputs: []rt.Output{{{}}}", outputs.join(", ")),
    };
    Some(format!("Fails: &rt.Failure{{{code}Message: {message}{symbols}{outputs}}}"))
}

/// What comes with an error, as the runtime calls it. A place in an argument does not come: the runtime has no word for it.
fn form(kind: LeftKind) -> Option<String> {
    let number =
        |form: &str, kind: WireKind| format!("Form: rt.Form{form}, Number: rt.{}", types::kind(kind));
    let texts = |form: &str, encoding: Encoding| match encoding {
        Encoding::Bytes => format!("Form: rt.Form{form}Bytes"),
        _ => format!("Form: rt.Form{form}, Encoding: {}", texts::name(encoding)),
    };
    Some(match kind {
        LeftKind::Bool => "Form: rt.FormBool".into(),
        LeftKind::Number(kind) => number("Number", kind),
        LeftKind::Text => texts("Text", Encoding::Utf8),
        LeftKind::Converted(encoding) => texts("Text", encoding),
        LeftKind::Bytes => "Form: rt.FormBytes".into(),
        LeftKind::Texts(encoding) => texts("Texts", encoding),
        LeftKind::Bools => "Form: rt.FormBools".into(),
        LeftKind::Elements(kind) => number("Numbers", kind),
        LeftKind::Offset { .. } => return None,
    })
}

/// How objects of a type are made anew, behind other fields.
fn restore(interface: &Interface, names: &Names, key: &str) -> Option<String> {
    let times = interface.handles.get(key)?.restore.as_ref()?.times;
    let (by, configure) = interface.repeated(key)?;
    let all = |all: &[Repeated]| all.iter().map(|it| repeated(names, it)).collect::<Vec<_>>().join(", ");
    let mut parts = vec![format!("Times: {times}, By: []rt.Repeated{{{}}}", all(&by))];
    if !configure.is_empty() {
        parts.push(format!("Configure: []rt.Repeated{{{}}}", all(&configure)));
    }
    Some(format!(", Restore: &rt.Restore{{{}}}", parts.join(", ")))
}

/// A function whose calls are kept.
fn repeated(names: &Names, it: &Repeated) -> String {
    let mut parts =
        vec![format!("Function: {}, Object: {}", names.indices[usize::from(it.function)], it.object)];
    if let Some((offset, kind)) = it.parent {
        parts.push(format!("Parent: &rt.Owned{{Offset: {offset}, Kind: {kind}}}"));
    }
    for (name, inputs) in [("Inputs", &it.inputs), ("Key", &it.key)] {
        let inputs: Vec<String> = inputs.iter().copied().map(input).collect();
        if !inputs.is_empty() {
            parts.push(format!("{name}: []rt.Input{{{}}}", inputs.join(", ")));
        }
    }
    format!("{{{}}}", parts.join(", "))
}

/// How an object is released, behind other fields.
fn release(names: &Names, release: Option<Release>) -> String {
    let Some(Release { function, offset, image }) = release else { return String::new() };
    let image = if image == 0 { String::new() } else { format!(", Image: {image}") };
    let function = &names.indices[function];
    format!(", Release: &rt.Release{{Function: {function}, Offset: {offset}{image}}}")
}
