//! The data of a package: a row for each function and for each type of object.

use std::collections::BTreeMap;

use hotcell_model::Interface;
use hotcell_model::interface::{
    Encoding, Function, GuardWord, Input, LeftKind, Repeated, SandboxLines, SandboxProfile, SandboxRequire,
    Threads,
};
use hotcell_model::layout::Carries;
use serde::Serialize;

use crate::Error;
use crate::rust::names::{Names, Scope, screaming};
use crate::rust::types;
use crate::shape::inconsistent;
use crate::shape::releases::{self, Owned, Release};

/// What `table.rs.j2` prints.
#[derive(Serialize)]
pub(crate) struct Table {
    /// Constants for the functions, with their indices.
    indices: Vec<(String, usize)>,
    functions: Vec<String>,
    handles: Vec<String>,
    symbols: Vec<Symbols>,
    /// What the contract says of the sandbox; nothing where it says nothing.
    sandbox: Vec<String>,
    /// What it says of guarded memory.
    guard: &'static str,
    /// What it says of worn workers; nothing where it says nothing.
    recycle: Vec<String>,
    /// How often calls are made that may be made again, where it says so.
    tries: Option<u32>,
    /// What it lets the library leave changed of its process's state.
    leaves: Vec<String>,
    /// What it says of threads, where that is more than yes or no.
    rules: Option<String>,
    /// What it says of objects that are made anew.
    restores: Vec<String>,
    /// Whether a row uses it.
    number: bool,
}

/// Names of error codes.
#[derive(Serialize)]
struct Symbols {
    constant: String,
    rows: Vec<String>,
}

/// The rows of an interface.
pub(crate) fn table(interface: &Interface, names: &Names) -> Result<Table, Error> {
    let mut scope = Scope::default();
    let constant = |key: &String| (key.clone(), scope.take(format!("{}_SYMBOLS", screaming(key))));
    let constants: BTreeMap<String, String> = interface.symbols.keys().map(constant).collect();
    let rows =
        |codes: &[(i64, String)]| codes.iter().map(|(code, name)| format!("({code}, {name:?}),")).collect();
    let symbols = interface
        .symbols
        .iter()
        .map(|(key, codes)| Symbols { constant: constants[key].clone(), rows: rows(codes) });
    let functions = interface.functions.iter().map(|function| row(interface, names, function, &constants));
    let functions: Vec<String> = functions.collect::<Result<_, _>>()?;
    let handles = interface.handles.iter().map(|(key, handle)| {
        let release = release(names, releases::optional(interface, key, handle.release.as_ref())?);
        Ok(format!("rt::HandleType {{ name: {key:?}, release: {release} }},"))
    });
    Ok(Table {
        indices: names.indices.iter().cloned().zip(0..).collect(),
        number: functions.iter().any(|row| row.contains("number(")),
        functions,
        handles: handles.collect::<Result<_, Error>>()?,
        symbols: symbols.collect(),
        sandbox: sandbox(&interface.sandbox),
        rules: rules(interface),
        restores: interface.handles.keys().filter_map(|key| restore(interface, names, key)).collect(),
        recycle: interface.recycle.said().map(|(name, value)| format!("{name}: Some({value}),")).collect(),
        tries: interface.tries,
        leaves: interface.leaves.iter().map(|part| format!("hotcell::StatePart::{part:?},")).collect(),
        guard: match interface.guard {
            GuardWord::None => "None",
            GuardWord::Sampled => "Sampled",
            GuardWord::All => "All",
        },
    })
}

/// The fields of the rules for threads.
fn rules(interface: &Interface) -> Option<String> {
    let (per_handle, bound) = (interface.threads == Threads::PerHandle, interface.affine_handles());
    interface.has_thread_rules().then(|| format!("per_handle: {per_handle}, bound: &{bound:?}"))
}

/// How objects of a type are made anew.
fn restore(interface: &Interface, names: &Names, key: &str) -> Option<String> {
    let times = interface.handles.get(key)?.restore.as_ref()?.times;
    let (kind, (by, configure)) = (interface.handle_number(key)?, interface.repeated(key)?);
    let all = |all: &[Repeated]| {
        let all: Vec<String> = all.iter().map(|it| repeated(names, it)).collect();
        all.join(", ")
    };
    let (by, configure) = (all(&by), all(&configure));
    Some(format!("rt::Restore {{ kind: {kind}, times: {times}, by: &[{by}], configure: &[{configure}] }},"))
}

/// A function whose calls are kept.
fn repeated(names: &Names, it: &Repeated) -> String {
    let inputs = |all: &[Input]| all.iter().copied().map(input).collect::<Vec<_>>().join(", ");
    let (function, object) = (&names.indices[usize::from(it.function)], it.object);
    let (parent, inputs, key) = (it.parent, inputs(&it.inputs), inputs(&it.key));
    let place = format!("function: {function}, object: {object}, parent: {parent:?}");
    format!("rt::Repeated {{ {place}, inputs: &[{inputs}], key: &[{key}] }}")
}

/// The fields that are not as in a contract that says nothing.
fn sandbox(lines: &SandboxLines) -> Vec<String> {
    let profile = match lines.profile {
        SandboxProfile::Basic => "Basic",
        SandboxProfile::Compute => "Compute",
        SandboxProfile::Files => "Files",
        SandboxProfile::Network => "Network",
        SandboxProfile::Custom => "Custom",
    };
    let mut fields = Vec::new();
    if lines.profile != SandboxProfile::default() {
        fields.push(format!("profile: rt::Profile::{profile},"));
    }
    let texts = [
        ("read", &lines.read),
        ("write", &lines.write),
        ("allow", &lines.allow),
        ("refuse", &lines.refuse),
        ("load", &lines.load),
    ];
    for (name, list) in texts.into_iter().filter(|(_, list)| !list.is_empty()) {
        fields.push(format!("{name}: &{list:?},"));
    }
    for (name, list) in [("connect", &lines.connect), ("bind", &lines.bind)] {
        if !list.is_empty() {
            fields.push(format!("{name}: &{list:?},"));
        }
    }
    if lines.write_xor_execute {
        fields.push("write_xor_execute: true,".into());
    }
    let require = match lines.require {
        SandboxRequire::Offered => None,
        SandboxRequire::Strict => Some("Strict"),
        SandboxRequire::Namespaces => Some("Namespaces"),
    };
    fields.extend(require.map(|require| format!("require: rt::Require::{require},")));
    fields
}

/// What is not as in most functions, around what every function has.
fn row(
    interface: &Interface,
    names: &Names,
    function: &Function,
    symbols: &BTreeMap<String, String>,
) -> Result<String, Error> {
    let (args, result) = (&function.layout.args, &function.layout.result);
    let mut parts = Vec::new();
    if let Some(time) = function.deadline_ms {
        parts.push(format!("deadline_ms: {time}"));
    }
    if function.is_repeatable() {
        parts.push("idempotent: true".into());
    }
    let inputs: Vec<String> = function.inputs().into_iter().map(input).collect();
    if !inputs.is_empty() {
        parts.push(format!("inputs: &[{}]", inputs.join(", ")));
    }
    if function.lets_go() {
        parts.push("lets_go: true".into());
    }
    if let Some(rule) = &function.error {
        if let Some(field) = function.returned_number()
            && let Some(kind) = types::runtime(field.kind)
        {
            parts.push(format!("returned: number({}, rt::Kind::{kind})", field.offset));
        }
        if let Some(field) = result.field(Carries::Message) {
            parts.push(format!("message: Some({})", field.offset));
        }
        if let Some(field) = result.field(Carries::Code) {
            parts.push(format!("code: Some({})", field.offset));
        }
        if let Some(key) = &rule.value.symbols {
            let name =
                symbols.get(key).ok_or_else(|| inconsistent(function, format!("no symbols `{key}`")))?;
            parts.push(format!("symbols: &{name}"));
        }
    }
    let owned = owned(interface, names, function)?;
    if !owned.is_empty() {
        parts.push(format!("owned: &[{}]", owned.join(", ")));
    }
    let outputs = outputs(interface, function);
    if !outputs.is_empty() {
        parts.push(format!("outputs: &[{}]", outputs.join(", ")));
    }
    let base = format!("function({:?}, {}, {})", function.name, args.size, result.size);
    if parts.is_empty() {
        return Ok(format!("{base},"));
    }
    Ok(format!("rt::Function {{ {}, ..{base} }},", parts.join(", ")))
}

/// What tells one input from another.
fn input(input: Input) -> String {
    match input {
        Input::Numbers { offset, bytes } => format!("rt::Input::Numbers({offset}, {bytes})"),
        Input::Room { offset } => format!("rt::Input::Room({offset})"),
        Input::Presence { offset } => format!("rt::Input::Presence({offset})"),
        Input::Objects { offset } => format!("rt::Input::Objects({offset})"),
        Input::Data { offset } => format!("rt::Input::Data({offset})"),
        Input::References { offset } => format!("rt::Input::References({offset})"),
        Input::Images { offset, handle } => format!("rt::Input::Images({offset}, {handle})"),
    }
}

/// What comes with the error of a failed call.
fn outputs(interface: &Interface, function: &Function) -> Vec<String> {
    let left = function.left(&interface.target).into_iter().filter_map(|left| {
        let kind = match left.kind {
            LeftKind::Bool => "Bool".to_owned(),
            LeftKind::Number(number) => format!("Number(rt::Kind::{})", types::runtime(number)?),
            LeftKind::Text => "Text".into(),
            LeftKind::Converted(Encoding::Utf32) => "Utf32Text".into(),
            LeftKind::Converted(Encoding::Latin1) => "Latin1Text".into(),
            LeftKind::Converted(_) => "WideText".into(),
            LeftKind::Bytes => "Bytes".into(),
            LeftKind::Texts(Encoding::Utf8) => "Texts".into(),
            LeftKind::Texts(Encoding::Utf16) => "WideTexts".into(),
            LeftKind::Texts(Encoding::Utf32) => "Utf32Texts".into(),
            LeftKind::Texts(Encoding::Latin1) => "Latin1Texts".into(),
            LeftKind::Texts(Encoding::Bytes) => "ByteTexts".into(),
            LeftKind::Bools => "Bools".into(),
            LeftKind::Elements(number) => format!("Elements(rt::Kind::{})", types::runtime(number)?),
            LeftKind::Offset { of, size } => format!("Offset {{ of: {of}, size: {size} }}"),
        };
        let name = &function.params[left.param].name;
        let place = format!("name: {name:?}, offset: {}", left.offset);
        Some(format!("rt::OutputField {{ {place}, kind: rt::OutputKind::{kind} }}"))
    });
    left.collect()
}

/// The objects in the results that are the caller's.
fn owned(interface: &Interface, names: &Names, function: &Function) -> Result<Vec<String>, Error> {
    let field = |Owned { offset, kind, image, release: by }| {
        let (place, by) = (format!("offset: {offset}, kind: {kind}, image: {image}"), release(names, by));
        format!("rt::OwnedField {{ {place}, release: {by} }}")
    };
    Ok(releases::owned(interface, function)?.into_iter().map(field).collect())
}

fn release(names: &Names, release: Option<Release>) -> String {
    let Some(Release { function, offset, image }) = release else { return "None".into() };
    let function = &names.indices[function];
    format!("Some(rt::Release {{ function: {function}, offset: {offset}, image: {image} }})")
}
