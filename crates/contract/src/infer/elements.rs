//! The rule `elements-then-count`: `mean(const double *values, size_t count)`.
//!
//! It asks for three things: a pointer to numbers wider than a byte whose name is of a plain sequence
//! (`values`, `items`, not `points`, which are two numbers each), right behind it a count (`count`,
//! `num_values`, `nmemb`), and nothing else that could be part of a size.
//!
//! Bare `n` is not a count: `det(const double *a, int n)` reads n*n numbers, `polyval(c, n)` one more,
//! `fft(data, n)` twice as many. `len` and `size` may be bytes.

use hotcell_model::Fact;
use hotcell_model::interface::{Role, Unit};

use crate::infer::names::{LengthName, Measure};
use crate::infer::view::View;
use crate::infer::words::SEQUENCES;
use crate::infer::words::functions::{STRUCTURED, STRUCTURED_PARTS};
use crate::infer::{Draft, Notes, documented, keeping, sharing};

/// Finds counted arrays of numbers.
pub(super) fn apply(view: &View<'_>, draft: &mut Draft, notes: &mut Notes) {
    for (pointer, param) in view.function.params.iter().enumerate() {
        let numbers = view.buffer(pointer).is_some_and(|(element, constant)| constant && !element.is_byte());
        let integer = pointer + 1;
        if !numbers
            || param.array_length.is_some()
            || !view.open_buffer(draft, pointer)
            || !view.open_integer(draft, integer)
        {
            continue;
        }
        let Some(length) = view.length_name(integer) else {
            continue;
        };
        let kept = || keeping::of_data(view, draft, pointer);
        match objection(view, draft, pointer, integer, &length).or_else(kept) {
            Some(reason) => notes.add(pointer, reason),
            None => {
                let rule = "elements-then-count";
                let data = Role::BufferIn { nullable: false, length: None };
                draft.params[pointer] = Some(Fact::inferred(data, rule));
                let count = Role::LengthOf { param: pointer, unit: Unit::Elements };
                draft.params[integer] = Some(Fact::inferred(count, rule));
            }
        }
    }
}

fn objection(
    view: &View<'_>,
    draft: &Draft,
    pointer: usize,
    integer: usize,
    length: &LengthName,
) -> Option<String> {
    let (name, count) = (view.name(pointer), view.name(integer));
    let plain = ["elem", "elements", "elems", "items", "values"];
    let of_it = length.of.is_empty()
        || view.named_after(length, pointer)
        || length.of.iter().all(|word| plain.contains(&word.as_str()));
    match length.measure {
        Measure::Bytes | Measure::Length | Measure::Size => {
            return Some(format!("`{count}` may count the bytes of `{name}` or its elements"));
        }
        Measure::Number => {
            return Some(format!(
                "`{count}` may count the elements of `{name}` or say its order, as of a matrix"
            ));
        }
        Measure::Count if !of_it => {
            return Some(format!("`{count}` may count something else than the elements of `{name}`"));
        }
        Measure::Count => {}
    }
    if documented::counts_other(view, integer, false) {
        return Some(format!("`{count}` may count something else than the elements of `{name}`"));
    }
    let structured = view.function_has_word(STRUCTURED) || view.function_contains(STRUCTURED_PARTS);
    let textual = view.buffer(pointer).is_some_and(|(element, _)| element.written.contains("char"));
    if structured || textual || !view.called(pointer, SEQUENCES) {
        return Some(format!("each of what `{count}` counts may be several elements of `{name}`"));
    }
    let part = view
        .open_integers(draft)
        .into_iter()
        .find(|&other| other != integer && !view.harmless(other) && !view.owned_by_other(other, pointer));
    if let Some(part) = part {
        let part = view.name(part);
        return Some(format!("`{count}` and `{part}` may make up the length of `{name}` together"));
    }
    let other = sharing::sharer(view, draft, pointer, integer)?;
    Some(format!("`{count}` may be the length of `{}` as well as of `{name}`", view.name(other)))
}
