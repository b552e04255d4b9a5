//! Memory of the caller's that may be written goes in and comes out: `bytes-in-place`, `array-in-place`, `number-in-place` and
//! `structure-in-place`.
//!
//! A header seldom says whether what a pointer without `const` leads to is read, written or both. It need not: what is passed
//! both ways is right in each case, as in C, where the caller's own memory is what the function sees. What remains to be
//! shown is how much is there, and that nobody keeps the pointer when the call is over.

use hotcell_model::Fact;
use hotcell_model::expr::Expr;
use hotcell_model::interface::{Direction, ResultLength, Role, Unit};
use hotcell_model::types::{CType, Type};

use crate::infer::endings::{Ending, ending};
use crate::infer::names::words;
use crate::infer::view::{View, decided};
use crate::infer::words::objects::CONSTRUCTORS;
use crate::infer::words::{COMPOSITE, ONES, ONES_TOGETHER, SEQUENCES};
use crate::infer::{Draft, Notes, documented, getters, keeping, lengths, sharing};
use crate::structs::is_standard;
use crate::type_names::unqualified;

mod elements;
mod places;
mod singles;

/// Names like plurals of one structure, which has several numbers.
const SETS: &[&str] = &[
    "args",
    "bounds",
    "flags",
    "limits",
    "options",
    "opts",
    "params",
    "preferences",
    "prefs",
    "settings",
    "stats",
    "status",
];

/// Names of a structure of which a function has one.
const WHOLES: &[&str] = &["cfg", "config", "header", "info", "opt", "res", "result"];

/// Words of functions that give a structure its first values, or look at them.
const SETTLES: &[&str] = &["default", "init", "preset", "reset", "validate"];

/// Parts of the names of structures that are known by where they are.
pub(super) const KNOWN_BY_PLACE: &[&str] = &[
    "atomic", "barrier", "cond", "event", "lock", "mutex", "once", "queue", "sem", "signal", "task",
    "thread", "timer", "watch",
];

/// Finds data, arrays, numbers and structures that may be written. Lengths come first: what is one is no number beside it.
pub(super) fn apply(view: &View<'_>, draft: &mut Draft, notes: &mut Notes) {
    let writable = |draft: &Draft, index: usize| {
        view.open_buffer(draft, index) && view.buffer(index).is_some_and(|(_, constant)| !constant)
    };
    elements::apply(view, draft);
    for index in 0..view.function.params.len() {
        if !writable(draft, index) {
            continue;
        }
        match array(view, index) {
            Some(role) => match kept(view, draft, index, true) {
                Some(reason) => notes.add(index, reason),
                None => draft.params[index] = Some(Fact::inferred(role, "array-in-place")),
            },
            None => bytes(view, draft, index, notes),
        }
    }
    for (index, param) in view.function.params.iter().enumerate() {
        if writable(draft, index) && is_one(view, draft, index) {
            match keeping::of_number(view, draft, index) {
                Some(reason) => notes.add(index, reason),
                None => {
                    let role = Role::ValueInOut { valid_on_error: false };
                    draft.params[index] = Some(Fact::inferred(role, "number-in-place"));
                }
            }
        } else if !decided(draft, index) {
            structure(view, draft, index, &param.ty, notes);
        }
    }
}

/// Data in bytes with its length behind it, or the room in it under its own name.
fn bytes(view: &View<'_>, draft: &mut Draft, index: usize, notes: &mut Notes) {
    match lengths::writable(view, draft, index) {
        Err(reason) => notes.add(index, reason),
        Ok(None) => {}
        Ok(Some(length)) => match kept(view, draft, index, false) {
            Some(reason) => notes.add(index, reason),
            None => {
                let rule = "bytes-in-place";
                let role = in_place(None);
                draft.params[index] = Some(Fact::inferred(role, rule));
                let role = Role::LengthOf { param: index, unit: Unit::Bytes };
                draft.params[length] = Some(Fact::inferred(role, rule));
            }
        },
    }
}

fn in_place(length: Option<Expr>) -> Role {
    Role::BufferInOut { nullable: false, length, result: ResultLength::Full, valid_on_error: false }
}

/// An array whose length the header writes in brackets.
fn array(view: &View<'_>, index: usize) -> Option<Role> {
    let length = view.param(index)?.array_length.filter(|&length| length > 1)?;
    let (element, _) = view.buffer(index)?;
    if element.kind == Type::Void || view.has_own_length(index, index) || view.length_pointer(index).is_some()
    {
        return None;
    }
    let value = i64::try_from(length).ok().map(i128::from)?;
    Some(in_place(Some(Expr::Int { value })))
}

/// Whether this is one number, by its name.
fn is_one(view: &View<'_>, draft: &Draft, index: usize) -> bool {
    let Some((element, _)) = view.buffer(index) else { return false };
    let error = view.words(index).last().is_some_and(|word| word.ends_with("error"));
    if (error || view.called(index, &["err"])) && !sharing::is_error(view, index) && view.has_lengths() {
        return false;
    }
    // `float *pos`: coordinates.
    let exact = element.is_integer() || matches!(element.kind, Type::Enum { .. });
    let named = error
        || exact
            && (view.called(index, ONES)
                || together(view, index)
                || asked_for(view, element)
                || places::is_place(view, index))
        || getters::gets_one(view, index, element)
        || singles::beside_array(view);
    let one = element.is_scalar() && !element.is_byte() && named;
    let array = view.param(index).is_some_and(|param| param.array_length.is_some());
    one && !array && documented::doubt(view, draft, index, "").is_none()
}

/// Whether a function is called after the type of one number that it gets: `ASN1_INTEGER_get_int64(int64_t *pr, a)`.
fn asked_for(view: &View<'_>, element: &CType) -> bool {
    let name = words(&view.function.name);
    let [.., verb, what] = &name[..] else { return false };
    let own = unqualified(&element.written).trim_end_matches("_t").to_ascii_lowercase();
    let pointers = view
        .function
        .params
        .iter()
        .filter(|param| param.ty.pointee().is_some_and(|(ty, constant)| !constant && ty.is_scalar()));
    // `sf_read_int(file, int *ptr, sf_count_t items)`.
    let numbers = view.function.params.iter().any(|param| param.ty.is_integer());
    let verbs = ["get", "lookup", "query", "read"];
    verbs.contains(&verb.as_str()) && *what == own && pointers.count() == 1 && !numbers
}

/// Whether another pointer to a number is called like what belongs to this one: `width` and `height`.
fn together(view: &View<'_>, index: usize) -> bool {
    let number = |other: &usize| {
        let buffer = view.buffer(*other).filter(|(_, constant)| !constant);
        *other != index && buffer.is_some_and(|(element, _)| element.is_scalar())
    };
    let group = ONES_TOGETHER.iter().find(|group| view.called(index, group));
    let others = || (0..view.function.params.len()).filter(number);
    group.is_some_and(|group| others().any(|other| view.called(other, group)))
}

/// A structure of numbers that callers have one of.
fn structure(view: &View<'_>, draft: &mut Draft, index: usize, ty: &CType, notes: &mut Notes) {
    let Some((CType { kind: Type::Record { name: record }, .. }, constant)) = ty.pointee() else { return };
    if !view.known.structs.is_single(record) {
        return;
    }
    let direction = if constant { Direction::In } else { Direction::InOut };
    if view.known.structs.against(record, direction).is_some() {
        return;
    }
    let kept = || if settles(view, index) { None } else { kept(view, draft, index, true) };
    if let Some(reason) = several(view, index).or_else(kept) {
        return notes.add(index, reason);
    }
    let role = Role::Struct { record: record.clone(), direction, nullable: false, valid_on_error: false };
    draft.params[index] = Some(Fact::inferred(role, "structure-in-place"));
}

/// Whether a function is called after the structure that it gives its first values, or looks at, and takes nothing but numbers besides:
/// `WebPConfigInit(config)`, `WebPValidateConfig(config)`. What others wait for or watch is known by its address.
fn settles(view: &View<'_>, index: usize) -> bool {
    let letters = |name: &str| name.replace('_', "").to_ascii_lowercase();
    let pointee = view.param(index).and_then(|param| param.ty.pointee());
    let Some(own) = pointee.map(|(record, _)| letters(unqualified(&record.written))) else { return false };
    let own = own.strip_prefix("struct ").unwrap_or(&own).trim_end_matches('t');
    let name = letters(&view.function.name);
    let called =
        SETTLES.iter().any(|verb| name.contains(verb) && name.replacen(verb, "", 1).starts_with(own));
    let numbers = view.function.params.iter().enumerate();
    let alone = numbers.into_iter().all(|(other, param)| other == index || param.ty.is_scalar());
    called && alone && own.len() > 3 && !KNOWN_BY_PLACE.iter().any(|part| own.contains(part))
}

/// Why there may be more than one structure.
fn several(view: &View<'_>, index: usize) -> Option<String> {
    let name = view.name(index);
    let last = view.words(index).pop().unwrap_or_default();
    let plural = last.ends_with('s') && !last.ends_with("ss") && !SETS.contains(&last.as_str());
    let list = ["array", "list", "table", "vector"].contains(&last.as_str());
    if plural
        || list
        || view.param(index).is_some_and(|param| param.open_array || param.array_length.is_some())
    {
        return Some(format!("`{name}` may be several"));
    }
    let own = own_name(view, index);
    let one = WHOLES.contains(&own.as_str()) || SETS.contains(&own.as_str());
    let record = view.param(index).and_then(|param| param.ty.pointee()).map(|(record, _)| record);
    let standard = record.is_some_and(|record| is_standard(unqualified(&record.written)));
    if !one
        && !standard
        && (view.called(index, COMPOSITE)
            || view.called(index, SEQUENCES)
            || record.is_some_and(|it| is_element(view, it)))
    {
        return Some(format!("`{name}` may be several"));
    }
    let counts = |&number: &usize| {
        let integer = view.param(number).is_some_and(|param| param.ty.is_integer());
        let behind = number == index + 1 && view.may_be_length(number);
        let sized = view.sizes_by_name(number, index) || behind;
        integer && (sized || !view.harmless(number) && (!one || may_count(view, number, &own)))
    };
    let number = (0..view.function.params.len()).find(counts)?;
    Some(format!("`{}` may say how many `{name}` is", view.name(number)))
}

/// The last word of a pointer's name that says more than that it is one: `preferencesPtr`. A `buffer` is of several.
fn own_name(view: &View<'_>, index: usize) -> String {
    let mut words = view.words(index);
    if words.len() > 1 && view.called(index, &["p", "ptr"]) {
        words.pop();
    }
    words.pop().unwrap_or_default()
}

/// Whether a number may say how many there are even of what is called like one: `get_cpu(stats, ncpus)`. The order of a function of
/// which the result comes out is called `n` as well: `bessel_jn(n, x, result)`.
fn may_count(view: &View<'_>, number: usize, own: &str) -> bool {
    let words = view.words(number);
    let count = |word: &String| ["cnt", "count", "max", "nr", "num", "number"].contains(&word.as_str());
    let glued =
        |word: &String| ["max", "num"].iter().any(|first| word.starts_with(first)) || word.ends_with("count");
    let plural =
        words.last().is_some_and(|word| word.len() > 2 && word.ends_with('s') && !word.ends_with("ss"));
    let n = words.first().is_some_and(|word| word == "n");
    let order = words.len() == 1 && ["res", "result"].contains(&own);
    plural || n && !order || words.iter().any(|word| count(word) || glued(word))
}

/// Whether a structure is as small and even as an element of many: a point, a colour, a complex number.
fn is_element(view: &View<'_>, record: &CType) -> bool {
    let Type::Record { name } = &record.kind else { return false };
    let fields = view.known.api.records.get(name).and_then(|record| record.layout.as_ref());
    let Some([first, rest @ ..]) = fields.map(|layout| &layout.fields[..]) else { return true };
    rest.len() < 4 && rest.iter().all(|field| field.ty.kind == first.ty.kind)
}

/// Why a function may still need what a pointer leads to when it has returned, or takes the memory itself.
fn kept(view: &View<'_>, draft: &Draft, index: usize, array: bool) -> Option<String> {
    let name = view.name(index);
    if ending(&view.function.name).is_some_and(|(ending, _)| ending == Ending::Releases) {
        return Some(format!("the function is called like one that releases `{name}`"));
    }
    if view.function_has_word(CONSTRUCTORS) {
        return Some(format!("what the function makes may lie in `{name}`"));
    }
    keeping::of_memory(view, draft, index, array)
}
