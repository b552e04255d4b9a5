//! What is left open: the reason, and the line that would decide it.

use hotcell_model::interface::Role;
use hotcell_model::types::{CType, Type};

use crate::infer::view::{View, decided, plain_text, shown};
use crate::infer::words::{BINARY, DATA, OUTPUTS};
use crate::infer::{Draft, Gap, Notes, documented, keeping, lengths, texts, unsupported};
use crate::type_names::unqualified;

mod lists;
mod objects;
mod ranges;

pub(crate) use objects::only_waits;

const NULL: &str = r#"{ fixed = "NULL" }"#;

/// About a number that is called like a descriptor: all other numbers need no line.
const DESCRIPTOR: &str =
    r#"{ in = "value" } # descriptors are the worker's: data goes by a form with `in = "descriptor"`"#;

/// Every fact that is missing. A pointer whose line decides its length too stands for both.
pub(super) fn find(view: &View<'_>, draft: &Draft, notes: &Notes) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let mut settled = Vec::new();
    let mut sizes = Vec::new();
    for (index, param) in view.function.params.iter().enumerate() {
        if decided(draft, index) || settled.contains(&index) {
            continue;
        }
        if unsupported::is_stream(view, &param.ty) {
            gaps.push(stream(view, draft, index));
            continue;
        }
        if let Some(record) = objects::open(view, &param.ty) {
            let reason = objects::waits(&format!("`{}`", view.name(index)), &param.ty);
            gaps.push(Gap { open_type: Some(record.to_owned()), ..Gap::of_param(index, reason) });
            continue;
        }
        let mut line = line(view, draft, index, &param.ty);
        if line.pointer.is_some_and(|pointer| settled.contains(&pointer)) {
            let function = matches!(param.ty.kind, Type::FunctionPointer { .. });
            line = if function { Line::says(NULL) } else { Line::default() };
        }
        let reason = notes.of(index).unwrap_or_else(|| reason(view, index, &param.ty));
        line = objects::put(view, draft, index, &reason).unwrap_or(line);
        let holder = keeping::holder(view, draft, index, &reason)
            .or_else(|| texts::kept(view, index).map(|_| "none".to_owned()));
        // A range is there during the call only.
        if holder.is_some() && line.is_range() {
            line = Line::default();
        }
        settled.extend(line.pointer);
        // Several inputs may have one length; a capacity is of one buffer, and no length besides.
        if line.size.is_some_and(|(size, out)| {
            sizes.iter().any(|&(other, other_out)| other == size && (out || other_out))
        }) {
            (line.says, line.returns_length) = (None, false);
        } else {
            sizes.extend(line.size);
        }
        // What the header calls `const` and the function fills cannot be said.
        let fetched =
            view.buffer(index).is_some_and(|(_, constant)| constant) && lengths::fetches(view, index);
        if fetched || keeping::fills_later(view, draft, index) {
            line.says = None;
        }
        // A copy that nobody needs costs memory, and one that is missing is memory that later calls write.
        if let (Some(says), Some(holder)) = (&line.says, holder) {
            line.says = keeps(says, &holder).or(line.says);
        }
        if documented::may_be_null(view, index) {
            line.says = line.says.map(nullable);
        }
        let help = line.says.map(|says| format!("params.{} = {says}", view.name(index)));
        gaps.push(Gap { help, returns_length: line.returns_length, ..Gap::of_param(index, reason) });
    }
    // A length pointer may stand before its buffer.
    gaps.retain(|gap| gap.param.is_none_or(|index| !settled.contains(&index)));
    if draft.result.is_none() {
        gaps.push(result(view, notes));
    }
    gaps
}

/// What to write about a stream: nothing where an object may go on with it, since it is there during the call only.
fn stream(view: &View<'_>, draft: &Draft, index: usize) -> Gap {
    let name = view.name(index);
    if keeping::goes_on(view, draft, index) {
        return Gap::of_param(
            index,
            format!("`{name}` is a stream, which the library may keep after the call"),
        );
    }
    let reason = format!("`{name}` is a stream, and nothing says whether it is read or written to");
    let help = format!("params.{name} = {{ in = \"file\" }} # or {{ out = \"file\" }} when it is written to");
    Gap { help: Some(help), ..Gap::of_param(index, reason) }
}

/// The same line about data and texts that an object may keep.
fn keeps(says: &str, holder: &str) -> Option<String> {
    let (item, rest) = says.split_once(" }")?;
    let kept = item.starts_with("{ in = \"buffer\"") || item.starts_with("{ string");
    let rest = if rest.is_empty() { " #".to_owned() } else { format!("{rest};") };
    kept.then(|| format!("{item}, until = \"{holder}\" }}{rest} without `until` when the library copies it"))
}

/// The same line about what may be NULL.
fn nullable(says: String) -> String {
    let may =
        ["{ string", "{ in = \"buffer\"", "{ in = \"handle\""].iter().any(|begin| says.starts_with(begin));
    match says.split_once(" }").filter(|_| may) {
        Some((item, rest)) => format!("{item}, nullable = true }}{rest}"),
        None => says,
    }
}

/// What to say about a parameter, and the pointer (to its length, or the user data) that this decides too.
#[derive(Default)]
struct Line {
    says: Option<String>,
    pointer: Option<usize>,
    /// The integer that it says is the length, and whether of memory that is filled.
    size: Option<(usize, bool)>,
    /// Whether it says that the returned number is the length.
    returns_length: bool,
}

impl Line {
    fn says(text: impl Into<String>) -> Self {
        Line { says: Some(text.into()), ..Line::default() }
    }

    fn is_range(&self) -> bool {
        self.says.as_ref().is_some_and(|says| says.starts_with("{ in = \"range\""))
    }
}

fn line(view: &View<'_>, draft: &Draft, index: usize, ty: &CType) -> Line {
    if let Some(line) = objects::line(view, draft, index, ty) {
        return line;
    }
    let Some((element, constant)) = view.buffer(index) else {
        return Line::says(if ty.is_integer() { DESCRIPTOR } else { NULL });
    };
    let name = |index: usize| view.name(index);
    if let Some(pointer) = view.length_pointer(index).filter(|&pointer| !decided(draft, pointer)) {
        let direction = if constant { "in" } else { "out" };
        let says = format!(r#"{{ {direction} = "buffer", length = "{}" }}"#, name(pointer));
        return Line { pointer: Some(pointer), ..Line::says(says) };
    }
    if let Some(end) = ranges::end(view, draft, index) {
        let says = format!(r#"{{ in = "range", end = "{}" }}"#, name(end));
        return Line { pointer: Some(end), ..Line::says(says) };
    }
    let length = length(view, draft, index);
    if let Some(length) = view.param(index).and_then(|param| param.array_length) {
        let size = length.to_string();
        return Line::says(match constant {
            true => format!(r#"{{ in = "buffer", length = "{size}" }}"#),
            false => format!(
                r#"{{ out = "buffer", capacity = "{size}" }} # or {{ inout = "buffer", length = "{size}" }}"#
            ),
        });
    }
    match (constant, length) {
        (true, Some(length)) if ranges::is_end(view, index) && !view.sizes_by_name(length, index) => {
            Line::default()
        }
        (true, Some(length)) => {
            let text = if plain_text(ty) { r#" # or { string = "utf-8" }"# } else { "" };
            let says = format!(r#"{{ in = "buffer", length = "{}" }}{text}"#, name(length));
            Line { size: Some((length, false)), ..Line::says(says) }
        }
        (false, Some(integer)) => {
            let length = name(integer);
            if element.is_byte() && view.called(index, DATA) {
                let says = format!(r#"{{ in = "buffer", length = "{length}" }} # when it is only read"#);
                return Line { size: Some((integer, false)), ..Line::says(says) };
            }
            let returned =
                view.function.result.is_integer() && !view.names.iter().any(|name| name == "result");
            let filled = if returned { r#", length = "result""# } else { "" };
            let says = format!(
                r#"{{ out = "buffer", size = "{length}"{filled} }} # or {{ inout = "buffer", length = "{length}" }}"#
            );
            Line { size: Some((integer, true)), returns_length: returned, ..Line::says(says) }
        }
        (true, None) if ranges::is_end(view, index) => Line::default(),
        (true, None) if ranges::is_text(view, index, element) => {
            let raw = view.called(index, BINARY);
            Line::says(format!(r#"{{ string = "utf-8" }}{}"#, if raw { " # when a NUL ends it" } else { "" }))
        }
        (true, None) if element.is_scalar() && !element.is_byte() => {
            Line::says(r#"{ in = "buffer", length = "1" } # when it points to one number"#)
        }
        (false, None) if element.kind == Type::Char && !view.called(index, OUTPUTS) => {
            Line::says(r#"{ string = "utf-8" } # when it is only read"#)
        }
        (false, None) if element.is_scalar() && !element.is_byte() => {
            Line::says(r#"{ out = "value" } # or { inout = "value" }"#)
        }
        // An opaque context, perhaps; where there are lengths it is data.
        _ if element.kind == Type::Void && !view.has_lengths() => Line::says(NULL),
        _ => Line::default(),
    }
}

/// The integer by value that may be a pointer's length: by name, else by place.
fn length(view: &View<'_>, draft: &Draft, pointer: usize) -> Option<usize> {
    let free = |&index: &usize| match draft.params.get(index).and_then(|fact| fact.as_ref()) {
        Some(fact) => fact.value == Role::Value,
        None => true,
    };
    let integers = || {
        let all = 0..view.function.params.len();
        all.filter(|&index| view.param(index).is_some_and(|param| param.ty.is_integer())).filter(free)
    };
    let named = integers().find(|&index| view.sizes_by_name(index, pointer));
    let next = || integers().find(|&index| index == pointer + 1 && view.may_be_length(index));
    let only = || {
        let candidates: Vec<usize> = integers()
            .filter(|&index| view.may_be_length(index) && !view.owned_by_other(index, pointer))
            .collect();
        candidates.first().copied().filter(|_| candidates.len() == 1)
    };
    named.or_else(next).or_else(only)
}

fn reason(view: &View<'_>, index: usize, ty: &CType) -> String {
    let name = view.name(index);
    let Some((element, constant)) = ty.pointee() else {
        return match ty.kind {
            Type::FunctionPointer { .. } => format!("`{name}` is a function that the library calls"),
            _ => format!("nothing says what `{name}` is for"),
        };
    };
    match &element.kind {
        Type::Void if hidden(ty, element) => {
            format!("`{name}` is a `{}`: `[handle]` names the type when it is an object", ty.written)
        }
        Type::Record { .. } => objects::structure(&name, element, constant),
        Type::Pointer { .. } => format!("nothing says what `{name}` is, or what comes out of it"),
        Type::Array { .. } | Type::FunctionPointer { .. } => {
            format!("`{name}` points to `{}`, which no rule understands", element.written)
        }
        _ if constant => format!("nothing says how much data is behind `{name}`"),
        Type::Void => format!("nothing says what is behind `{name}`, or whether it is read or written"),
        _ if element.is_byte() => format!("nothing says whether `{name}` is read or written, and how much"),
        _ => format!("nothing says whether `{name}` is read or written, and how many numbers it points to"),
    }
}

fn result(view: &View<'_>, notes: &Notes) -> Gap {
    let ty = &view.function.result;
    if let Some(record) = objects::open(view, ty) {
        let reason = objects::waits("the result", ty);
        return Gap { open_type: Some(record.to_owned()), ..Gap::of_result(reason) };
    }
    let reason = notes.of_result().unwrap_or_else(|| match ty.pointee().map(|(ty, _)| &ty.kind) {
        Some(Type::Char) => "nothing says who owns the returned memory".into(),
        Some(_) => "nothing says what the returned pointer points to".into(),
        None => "nothing says what the result means".into(),
    });
    let help = objects::result(view, ty).map(|says| format!("result = {says}"));
    Gap { help, ..Gap::of_result(reason) }
}

/// Whether `void` or the pointer to it has a name of its own.
fn hidden(ty: &CType, element: &CType) -> bool {
    let own = unqualified(&element.written) != "void" || !shown(ty);
    own && element.kind == Type::Void
}

fn pointed(ty: &CType) -> &str {
    ty.pointee().map_or(ty.written.as_str(), |(pointee, _)| pointee.written.as_str())
}
