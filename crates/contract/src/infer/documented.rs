//! The rules `documented-output`, `@param[out] count` in the comment of a function for a pointer to one number, and
//! `documented-structure`, the same of a structure of numbers.
//!
//! Comments say which way a parameter goes, and seldom how much is behind it: `opus_decode` documents `pcm` as
//! `[out]` too. So it is concluded only where nothing counts numbers, and neither the name nor the text behind it
//! speaks of several.

use hotcell_model::Fact;
use hotcell_model::api::Function;
use hotcell_model::interface::Role;
use hotcell_model::types::Type;

use crate::infer::documented::said::Way;
use crate::infer::view::{View, decided};
use crate::infer::words::{COMPOSITE, RAW, SEQUENCES};
use crate::infer::{Draft, Notes, comments, getters, keeping};

mod nulls;
mod said;
mod structures;

pub(super) use nulls::{apply as nulls, may_be_null};

/// Words about memory that is more than one number.
const SEVERAL: &[&str] = &[
    "array",
    "arrays",
    "block",
    "buffer",
    "buffers",
    "bytes",
    "coefficients",
    "coordinates",
    "each",
    "elements",
    "entries",
    "interleaved",
    "items",
    "list",
    "matrix",
    "memory",
    "pixels",
    "samples",
    "sequence",
    "string",
    "table",
    "values",
    "vector",
];

/// Names of one number that end like a plural.
const SINGLE: &[&str] = &["channels", "dims", "flags", "microseconds", "pos", "radius", "seconds", "status"];

/// Finds numbers and structures of which comments say which way they go.
pub(super) fn apply(view: &View<'_>, draft: &mut Draft, notes: &mut Notes) {
    let Some(doc) = &view.function.doc else { return };
    for (index, param) in view.function.params.iter().enumerate() {
        let Some(name) = param.name.as_deref().filter(|_| !decided(draft, index)) else { continue };
        let Some((way, text)) = said::of(doc, name) else { continue };
        let found = match view.buffer(index) {
            Some((element, false)) if element.is_scalar() && !element.is_byte() => {
                number(view, draft, index, way, &text)
            }
            Some(_) => None,
            None => structures::one(view, draft, index, way, &text),
        };
        match found {
            Some(Ok(fact)) => draft.params[index] = Some(fact),
            Some(Err(reason)) => notes.add(index, reason),
            None => {}
        }
    }
}

/// Whether the comment says that a parameter is filled, whatever was there before.
pub(super) fn comes_out(view: &View<'_>, index: usize) -> bool {
    is_out(view.function, index)
}

/// Whether the comment says that a parameter goes in and comes out.
pub(super) fn goes_both_ways(view: &View<'_>, index: usize) -> bool {
    let name = view.param(index).and_then(|param| param.name.as_deref());
    let way = name.zip(view.function.doc.as_deref()).and_then(|(name, doc)| said::of(doc, name));
    way.is_some_and(|(way, _)| way == Way::InOut)
}

/// Whether the comment says of a length that it counts something else than `bytes`, or than elements.
pub(super) fn counts_other(view: &View<'_>, index: usize, bytes: bool) -> bool {
    let Some(name) = view.param(index).and_then(|param| param.name.as_deref()) else { return false };
    let about = view.function.doc.as_deref().and_then(|doc| said::text(doc, name));
    comments::counts_other(view.function, name, about.as_deref(), bytes)
}

/// The same of a function.
pub(super) fn is_out(function: &Function, index: usize) -> bool {
    let name = function.params.get(index).and_then(|param| param.name.as_deref());
    let way = name.zip(function.doc.as_deref()).and_then(|(name, doc)| said::of(doc, name));
    way.is_some_and(|(way, _)| way == Way::Out)
}

/// What a number is that comes out, or goes both ways.
fn number(
    view: &View<'_>,
    draft: &Draft,
    index: usize,
    way: Way,
    text: &str,
) -> Option<Result<Fact<Role>, String>> {
    let role = match way {
        Way::In => return None,
        Way::Out => Role::ValueOut { valid_on_error: false },
        Way::InOut => Role::ValueInOut { valid_on_error: false },
    };
    let kept = || {
        if way == Way::InOut { keeping::of_structure(view, draft, index, true) } else { None }
    };
    match doubt(view, draft, index, text).or_else(kept) {
        Some(reason) => Some(Err(reason)),
        None => Some(Ok(Fact::inferred(role, "documented-output"))),
    }
}

/// Why a pointer may be to something else than one number that comes out. `text` is what its documentation says.
pub(super) fn doubt(view: &View<'_>, draft: &Draft, index: usize, text: &str) -> Option<String> {
    let name = view.name(index);
    if view.param(index).is_some_and(|param| param.open_array || param.array_length.is_some()) {
        return Some(format!("`{name}` is an array"));
    }
    let words = || text.split(|c: char| !c.is_alphanumeric());
    // `in 16.16 fractional points` says how fine it is.
    let fine = |word: &str| {
        let parts: Vec<&str> = word.trim_matches(['(', ')', ',']).split('.').collect();
        parts.len() == 2 && parts.iter().all(|part| part.parse::<u32>().is_ok())
    };
    let numbers = text.split_whitespace().filter(|word| !fine(word));
    let numbers = numbers.flat_map(|word| word.split(|c: char| !c.is_alphanumeric()));
    let counted = numbers.into_iter().any(|word| word.parse::<u32>().is_ok_and(|number| number > 1));
    let plural =
        |word: &String| word.ends_with('s') && !word.ends_with("ss") && !SINGLE.contains(&word.as_str());
    let several = counted
        || words().any(|word| SEVERAL.contains(&word))
        || view.words(index).last().is_some_and(plural)
        || [COMPOSITE, RAW, SEQUENCES].iter().any(|list| several_by_name(view, index, list));
    if several {
        return Some(format!("`{name}` may be several numbers"));
    }
    let counts = view.open_integers(draft).into_iter().find(|&other| view.may_be_length(other));
    if let Some(count) = counts {
        return Some(format!("`{}` may say how many numbers `{name}` is", view.name(count)));
    }
    // The capacity of a buffer goes in.
    let buffers = (0..view.function.params.len()).filter(|&other| other != index);
    let filled = buffers
        .into_iter()
        .find(|&other| view.buffer(other).is_some_and(|(element, constant)| !constant && element.is_byte()));
    match filled {
        Some(other) if view.length_name(index).is_some() => {
            Some(format!("`{name}` may tell the function how big `{}` is", view.name(other)))
        }
        _ => None,
    }
}

/// Whether a name is of several numbers; coordinates have names of one letter, or one behind what they are of: `offset_x`.
fn several_by_name(view: &View<'_>, index: usize, list: &[&str]) -> bool {
    let Some((element, _)) = view.buffer(index) else { return false };
    let float = matches!(element.kind, Type::Float { .. });
    let letter = view.words(index).last().is_some_and(|word| word.len() == 1);
    let coordinate = float || getters::beside(view, index, element);
    view.called(index, list) && !(coordinate && letter && view.function.params.len() > 1)
}
