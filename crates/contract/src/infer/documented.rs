//! The rule `documented-output`: `@param[out] count` in the comment of a function, for a pointer to one number.
//!
//! Comments say which way a parameter goes, and seldom how much is behind it: `opus_decode` documents `pcm` as
//! `[out]` too. So it is concluded only where nothing counts numbers, and neither the name nor the text behind it
//! speaks of several.

use hotcell_model::Fact;
use hotcell_model::interface::Role;
use hotcell_model::types::Type;

use crate::infer::view::View;
use crate::infer::words::{COMPOSITE, RAW, SEQUENCES};
use crate::infer::{Draft, Notes, getters};

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

/// Finds numbers that comments say come out.
pub(super) fn apply(view: &View<'_>, draft: &mut Draft, notes: &mut Notes) {
    let Some(doc) = &view.function.doc else { return };
    for (index, param) in view.function.params.iter().enumerate() {
        let Some((element, false)) = view.buffer(index) else { continue };
        let number = element.is_scalar() && !element.is_byte();
        let Some(name) = param.name.as_deref().filter(|_| number && view.open_buffer(draft, index)) else {
            continue;
        };
        let Some(text) = output(doc, name) else { continue };
        match doubt(view, draft, index, &text) {
            Some(reason) => notes.add(index, reason),
            None => {
                let role = Role::ValueOut { valid_on_error: false };
                draft.params[index] = Some(Fact::inferred(role, "documented-output"));
            }
        }
    }
}

/// What the comment says of a parameter that it calls an output: `@param[out] name text`.
fn output(doc: &str, name: &str) -> Option<String> {
    let mut rest = doc;
    while let Some(at) = rest.find("param") {
        let marked = rest[..at].ends_with(['@', '\\']);
        rest = &rest[at + "param".len()..];
        let Some((direction, said)) =
            rest.trim_start().strip_prefix('[').and_then(|text| text.split_once(']'))
        else {
            continue;
        };
        let (said, ends) = (said.trim_start().trim_start_matches('*'), |c: char| c.is_whitespace());
        let (word, text) = said.split_once(ends).unwrap_or((said, ""));
        let same = word.trim_matches('_') == name.trim_matches('_');
        if marked && same {
            let text = text.split(['@', '\\']).next().unwrap_or_default();
            let text = text.split("\n\n").next().unwrap_or_default().to_lowercase();
            return (direction.trim() == "out").then_some(text);
        }
    }
    None
}

/// Why a pointer may be to something else than one number that comes out. `text` is what its documentation says.
pub(super) fn doubt(view: &View<'_>, draft: &Draft, index: usize, text: &str) -> Option<String> {
    let name = view.name(index);
    if view.param(index).is_some_and(|param| param.open_array || param.array_length.is_some()) {
        return Some(format!("`{name}` is an array"));
    }
    let words = || text.split(|c: char| !c.is_alphanumeric());
    let counted = words().any(|word| word.parse::<u32>().is_ok_and(|number| number > 1));
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
