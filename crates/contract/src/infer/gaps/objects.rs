//! Lines about objects, structures, callbacks, and what comes out through pointers.

use hotcell_model::interface::{Direction, Role};
use hotcell_model::types::{CType, Signature, Type};

use crate::infer::begun::Begun;
use crate::infer::endings::{Ending, ending};
use crate::infer::gaps::{Line, NULL, lists, pointed};
use crate::infer::names::words;
use crate::infer::objects::{kept, named};
use crate::infer::view::{View, decided};
use crate::infer::words::objects::COLLECTS;
use crate::infer::words::{ENDS, PLACES};
use crate::infer::{Draft, documented, results, texts};
use crate::type_names::unqualified;

/// What to write about a parameter, when it is one of these.
pub(super) fn line(view: &View<'_>, draft: &Draft, index: usize, ty: &CType) -> Option<Line> {
    if view.handle(index).is_some() {
        return Some(Line::says(object(view, draft, index)));
    }
    if let Type::FunctionPointer { signature } = &ty.kind {
        return Some(callback(view, draft, signature));
    }
    let (pointee, constant) = ty.pointee()?;
    match &pointee.kind {
        Type::Pointer { .. } if constant => texts(view, draft, index, pointee),
        _ => of_pointer(view, draft, index, ty).map(Line::says),
    }
}

fn of_pointer(view: &View<'_>, draft: &Draft, index: usize, ty: &CType) -> Option<String> {
    let (pointee, constant) = ty.pointee()?;
    match &pointee.kind {
        Type::Record { name } => Some(match view.known.structs.begun(name) {
            Some(begun) if !constant => resident(view, index, begun),
            Some(_) if let Some(keeper) = kept::keeper(view, draft, index) => {
                kept_line("inout = \"struct\"", &keeper.until(view, draft))
            }
            _ => one_structure(view, name, constant),
        }),
        Type::Pointer { .. } if !constant => match view.known.handles.of_pointer(pointee) {
            Some(handle) => handed_out(view, handle),
            None => lists::handed_out(view, index).or_else(|| memory_out(view, draft, index, pointee)),
        },
        _ => None,
    }
}

/// An object that goes in. A wrong `consumed` is refused at the second use, a wrong `handle` releases twice.
fn object(view: &View<'_>, draft: &Draft, index: usize) -> String {
    let constant =
        view.param(index).and_then(|param| param.ty.pointee()).is_some_and(|(_, constant)| constant);
    let ends = ending(&view.function.name).is_some_and(|(ending, _)| ending == Ending::Releases);
    let taken = index > 0 && view.function_has_word(COLLECTS);
    if let Some(keeper) = kept::keeper(view, draft, index).filter(|_| constant && !ends && !taken) {
        return kept_line("in = \"handle\"", &keeper.until(view, draft));
    }
    let line = match ends || !constant && named::is_stored(view, index) {
        true => r#"{ in = "consumed" } # or { in = "handle" } when it lives on"#,
        false => r#"{ in = "handle" } # or { in = "consumed" } when it is taken over"#,
    };
    line.to_owned()
}

/// What to write about an object that something may go on using, or take over, where that is why it is asked for. What a name
/// says is stored is taken over as often as not: a wrong `consumed` is refused at the second use. Where it does not say which of two is, no
/// container is to be taken over first.
pub(super) fn put(view: &View<'_>, draft: &Draft, index: usize, asked: &str) -> Option<Line> {
    let says = if view.handle(index).is_some() { "in = \"handle\"" } else { "inout = \"struct\"" };
    if named::is_put(view) == Some(index) && named::reason_target(view, index) == asked {
        // `bufferevent_add_to_rate_limit_group(bev, group)`: the group must be there as long as the event.
        let first = view.name(0);
        return Some(Line::says(format!(
            "{{ {says} }} # or {{ {says}, until = \"{first}\" }} when `{first}` goes on using it"
        )));
    }
    let keepers =
        [kept::taker(view, draft, index), kept::comes_out(view, draft, index), Some(kept::Keeper::Library)];
    let keeper =
        keepers.into_iter().flatten().find(|keeper| keeper.reason_put(view, draft, index) == asked)?;
    let until = keeper.until(view, draft);
    let constant =
        view.param(index).and_then(|param| param.ty.pointee()).is_some_and(|(_, constant)| constant);
    let kept = format!("{{ {says}, until = \"{until}\" }}");
    let used = format!("or {{ {says} }} when nothing goes on using it");
    // Nothing would ever release what only the worker's end lets go.
    if keeper == kept::Keeper::Library && view.function.params.len() == 1 {
        return Some(Line::says(format!(
            "{{ {says} }} # or {kept} when the library goes on using it; or {{ in = \"consumed\" }} when it is taken over"
        )));
    }
    if index == 0 && named::is_put(view).is_some() {
        return Some(Line::says(format!(
            "{kept} # {used}; or {{ in = \"consumed\" }} when it is taken over"
        )));
    }
    let taken = view.handle(index).is_some() && !constant && named::is_stored(view, index);
    Some(Line::says(match taken {
        true => format!(
            "{{ in = \"consumed\" }} # or {kept} when it stays the caller's, and is used later; {used}"
        ),
        false => format!("{kept} # or {{ in = \"consumed\" }} when it is taken over; {used}"),
    }))
}

/// What something may go on using: a wrong `until` keeps it longer than is needed, and a missing one is a use of what has gone.
fn kept_line(says: &str, until: &str) -> String {
    format!(r#"{{ {says}, until = "{until}" }} # or {{ {says} }} when nothing goes on using it"#)
}

/// An object that comes out through a pointer.
fn handed_out(view: &View<'_>, handle: &str) -> Option<String> {
    let (owned, lent) = ways(view, handle);
    if view.known.handles.says_makers(handle) {
        return Some(format!("{{ {lent} }} # or name the function in `made_by`"));
    }
    Some(match owned {
        Some(owned) => format!("{{ {owned} }} # or {{ {lent} }} when it stays the library's"),
        None => format!("{{ {lent} }} # or {{ out = \"owned\" }} with a release in [handle]"),
    })
}

/// How an object that comes out is owned, where its type has a release, and how it is lent.
fn ways(view: &View<'_>, handle: &str) -> (Option<String>, String) {
    let known = view.known.handles.get(handle);
    let objects: Vec<usize> =
        (0..view.function.params.len()).filter(|&index| view.handle(index).is_some()).collect();
    let parent = |candidates: &[usize]| match candidates {
        [_] => String::new(),
        [first, ..] => format!(", parent = \"{}\"", view.name(*first)),
        [] => ", parent = \"none\"".to_owned(),
    };
    let release = known.is_some_and(|known| known.release.is_some());
    let owned = release.then(|| {
        let of_type = known.and_then(|known| known.parent.as_deref()).map(|parent| {
            let of = |index: &&usize| view.handle(**index) == Some(parent);
            objects.iter().filter(of).copied().collect::<Vec<_>>()
        });
        format!("out = \"owned\"{}", of_type.map(|candidates| parent(&candidates)).unwrap_or_default())
    });
    (owned, format!("out = \"borrowed\"{}", parent(&objects)))
}

/// A structure that one function begins and another one ends.
fn resident(view: &View<'_>, index: usize, begun: &Begun) -> String {
    match begun.end().filter(|_| documented::comes_out(view, index)) {
        Some(end) => format!(
            r#"{{ inout = "struct", starts = "{end}" }} # or {{ inout = "struct" }} of one that is there"#
        ),
        None => r#"{ inout = "struct" } # or { in = "consumed" } when it is taken over"#.to_owned(),
    }
}

/// A structure behind a pointer.
fn one_structure(view: &View<'_>, record: &str, constant: bool) -> String {
    let structs = view.known.structs;
    let goes = |direction| structs.against(record, direction).is_none();
    match (constant, goes(Direction::In), goes(Direction::Out)) {
        (true, true, _) => r#"{ in = "struct" } # when it is one"#.into(),
        (true, false, _) => NULL.into(),
        (false, _, true) => r#"{ inout = "struct" } # or { out = "struct" }"#.into(),
        (false, _, false) => r#"{ inout = "struct" } # when it is one"#.into(),
    }
}

/// The structure behind a pointer, or behind a pointer to one, of which nothing says what it is to callers: it is no
/// handle type, and its fields cannot travel.
pub(super) fn open<'a>(view: &View<'_>, ty: &'a CType) -> Option<&'a str> {
    let (pointee, _) = ty.pointee()?;
    let record = match &pointee.kind {
        Type::Record { name } => name,
        Type::Pointer { pointee, .. } => match &pointee.kind {
            Type::Record { name } => name,
            _ => return None,
        },
        _ => return None,
    };
    let known = view.known.handles.of_record(record).is_some() || view.known.structs.get(record).is_some();
    (!known).then_some(record)
}

/// What is said of such a structure.
const WAITS: &str = "of which nothing says what it is to callers";

/// Why what points to such a structure is open.
pub(super) fn waits(what: &str, ty: &CType) -> String {
    let name = unqualified(pointed(ty));
    format!("{what} points to `{name}`, {WAITS}")
}

/// Whether a function is open for nothing but such structures.
pub(crate) fn only_waits(reason: &str) -> bool {
    reason.split("; ").all(|reason| reason.ends_with(WAITS))
}

/// Why what points to a structure is open, although its fields could travel.
pub(super) fn structure(name: &str, element: &CType, constant: bool) -> String {
    if constant {
        let structure = unqualified(&element.written);
        return format!("`{name}` may be one `{structure}`, or several, or the beginning of more");
    }
    format!("nothing says whether `{name}` is read or written, and how many it points to")
}

/// A text or data that comes out through a pointer.
fn memory_out(view: &View<'_>, draft: &Draft, index: usize, pointer: &CType) -> Option<String> {
    let (element, constant) = pointer.pointee()?;
    let place = view.called(index, ENDS) || view.called(index, PLACES) || view.called(index, &["rest"]);
    let text = (0..view.function.params.len()).find(|&other| {
        let same = view.param(other).and_then(|param| param.ty.pointee());
        same.is_some_and(|(ty, _)| element.element_size().is_some() && ty.kind == element.kind)
    });
    if let Some(text) = text.filter(|_| place) {
        return Some(format!(r#"{{ out = "offset", of = "{}" }}"#, view.name(text)));
    }
    if element.kind == Type::Char {
        let release = release(view).filter(|_| !constant);
        let owned = release.map(|release| {
            format!(r#" # or {{ out = "text", release = "{release}" }} when the caller owns it"#)
        });
        return Some(format!(r#"{{ out = "text" }}{}"#, owned.unwrap_or_default()));
    }
    element.element_size()?;
    let length = length_pointer(view, draft, index);
    Some(match length {
        Some(length) => format!(r#"{{ out = "data", length = "{}" }}"#, view.name(length)),
        None => NULL.into(),
    })
}

/// An array of texts that goes in.
fn texts(view: &View<'_>, draft: &Draft, index: usize, pointer: &CType) -> Option<Line> {
    let (element, _) = pointer.pointee()?;
    if element.kind != Type::Char {
        return None;
    }
    let next = index + 1;
    let open = matches!(draft.params.get(next), Some(Some(fact)) if fact.value == Role::Value);
    let counts =
        open && view.param(next).is_some_and(|param| param.ty.is_integer()) && view.may_be_length(next);
    if !counts {
        return Some(Line::says(r#"{ in = "texts" } # when a NULL ends them"#));
    }
    let says = format!(r#"{{ in = "texts", length = "{}" }} # or without `length`"#, view.name(next));
    Some(Line { size: Some((next, true)), ..Line::says(says) })
}

/// A pointer to an integer that may hold how much came out.
fn length_pointer(view: &View<'_>, draft: &Draft, index: usize) -> Option<usize> {
    let integer = |other: &usize| {
        let pointee = view.param(*other).and_then(|param| param.ty.pointee());
        pointee.is_some_and(|(ty, constant)| ty.is_integer() && !ty.is_byte() && !constant)
    };
    let named = || view.length_pointer(index).filter(integer);
    let next = || Some(index + 1).filter(integer);
    named().or_else(next).filter(|&other| {
        let known = draft.params.get(other).and_then(|fact| fact.as_ref());
        // What is open gets a line of its own, which says whether it is one number.
        let ty = view.param(other).map(|param| &param.ty);
        let says = ty.and_then(|ty| super::line(view, draft, other, ty).says);
        let number = says.is_some_and(|says| says.starts_with(r#"{ out = "value""#));
        known.map_or(number, |fact| matches!(fact.value, Role::ValueOut { .. } | Role::ValueInOut { .. }))
    })
}

/// Words of functions that give an object a function to call later.
const HANDS_OVER: &[&str] = &[
    "add", "callback", "cb", "func", "function", "handler", "hook", "install", "listen", "on", "register",
    "set",
];

/// A function of the application, when the library hands its user data back; else none is passed.
fn callback(view: &View<'_>, draft: &Draft, signature: &Signature) -> Line {
    let given = given_back(view, signature);
    let void = |ty: &CType| matches!(ty.pointee(), Some((CType { kind: Type::Void, .. }, _)));
    let on_failure = match &signature.result.kind {
        Type::Void => Some(""),
        Type::Int { signed: true, .. } => Some(", on_failure = -1"),
        Type::Bool | Type::Int { .. } => Some(", on_failure = 0"),
        _ => None,
    };
    // `void (*)(void *)` releases what the library kept.
    let releases = signature.result.kind == Type::Void && signature.params.len() == 1;
    let mut data = (0..view.function.params.len()).filter(|&other| {
        let open = !decided(draft, other) && view.handle(other).is_none();
        open && view.param(other).is_some_and(|param| void(&param.ty))
    });
    match (data.next(), data.next(), on_failure) {
        (Some(data), None, Some(on_failure)) if !releases && !signature.variadic && given.is_some() => {
            let (name, params) = (view.name(data), given.unwrap_or_default());
            let objects =
                (0..view.function.params.len()).filter(|&other| view.handle(other).is_some()).count();
            let line = |until: &str| {
                format!(r#"{{ callback = "{until}", user_data = "{name}"{on_failure}{params} }}"#)
            };
            let says = match objects == 1 && view.function_has_word(HANDS_OVER) {
                true => format!(r#"{} # or "call" when it is over with the call, or {NULL}"#, line("kept")),
                false => format!("{} # or {NULL}", line("call")),
            };
            Line { pointer: Some(data), ..Line::says(says) }
        }
        _ => Line::says(NULL),
    }
}

/// What to write about the parameters of a function that the library calls, of which one is its user data: nothing about numbers and objects;
/// `None` where something is neither, nor a text, nor data with its length behind it.
fn given_back(view: &View<'_>, signature: &Signature) -> Option<String> {
    let name = |at: usize| -> Option<String> {
        let (name, _) = signature.params.get(at)?;
        Some(name.clone().unwrap_or_else(|| format!("arg{}", at + 1)))
    };
    let (mut items, mut user_data, mut at) = (Vec::new(), 0, 0);
    while let Some((_, ty)) = signature.params.get(at) {
        let length =
            signature.params.get(at + 1).filter(|(_, ty)| ty.is_integer()).and_then(|_| name(at + 1));
        let length = length.filter(|length| {
            words(length)
                .iter()
                .any(|word: &String| ["count", "len", "length", "n", "size"].contains(&word.as_str()))
        });
        at += 1;
        match (ty.pointee(), length) {
            _ if ty.is_scalar() || view.known.handles.of_pointer(ty).is_some() => {}
            (Some((pointee, true)), Some(length)) if pointee.is_byte() || pointee.kind == Type::Void => {
                items.push(format!(r#"{} = {{ in = "buffer", length = "{length}" }}"#, name(at - 1)?));
                at += 1;
            }
            (Some((CType { kind: Type::Char, .. }, true)), None) => {
                items.push(format!(r#"{} = {{ string = "utf-8" }}"#, name(at - 1)?));
            }
            (Some((CType { kind: Type::Void, .. }, _)), _) => user_data += 1,
            _ => return None,
        }
    }
    let params =
        if items.is_empty() { String::new() } else { format!(", params = {{ {} }}", items.join(", ")) };
    (user_data == 1).then_some(params)
}

/// What to write about the returned value.
pub(super) fn result(view: &View<'_>, ty: &CType) -> Option<String> {
    if let Some(handle) = view.known.handles.of_pointer(ty) {
        return handed_out(view, handle);
    }
    let (pointee, constant) = ty.pointee()?;
    if let Type::Record { name } = &pointee.kind {
        let known = view.known.structs.get(name).is_some();
        return known.then(|| r#"{ out = "struct", nullable = true } # when it is one"#.into());
    }
    if !pointee.is_byte() || pointee.kind == Type::Void {
        return None;
    }
    let place = |index: usize| {
        let same = view.param(index).is_some_and(|param| {
            param.ty.canonical.replace("const ", "") == ty.canonical.replace("const ", "")
        });
        same && !view.words(index).is_empty() && texts::range(view, index).is_some()
    };
    // A place in what goes in: `step_back(start, s, n)`; or one that has an end, or is it: `onig_get_callout_tag_end(regex, n)`.
    if results::place(view).is_some() || (0..view.function.params.len()).any(place) {
        return None;
    }
    let text = r#"{ string = "utf-8" }"#;
    let owned = release(view).filter(|_| !constant && pointed(ty).contains("char")).map(|release| {
        format!(r#" # or {{ string = "utf-8", release = "{release}" }} when the caller owns it"#)
    });
    Some(format!("{text}{}", owned.unwrap_or_default()))
}

/// A function that takes back memory of any kind: `cJSON_free(void *)`, `sqlite3_free(void *)`.
fn release(view: &View<'_>) -> Option<String> {
    let functions = view.known.api.functions.iter().filter(|function| function.location.primary);
    let takes_memory = |ty: &CType| {
        let byte = |ty: &CType| matches!(ty.kind, Type::Void | Type::Char);
        ty.pointee().is_some_and(|(pointee, constant)| byte(pointee) && !constant)
    };
    let mut found = functions.filter(|function| {
        let alone = matches!(&function.params[..], [only] if takes_memory(&only.ty));
        let void = function.result.kind == Type::Void;
        alone
            && void
            && ending(&function.name)
                .is_some_and(|(ending, rest)| ending == Ending::Releases && rest.len() <= 1)
    });
    let first = found.next().map(|function| function.name.clone());
    match (first, found.next()) {
        (Some(name), None) => Some(name),
        (None, _) => Some("free".into()),
        _ => None,
    }
}
