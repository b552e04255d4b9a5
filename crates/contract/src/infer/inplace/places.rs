//! A number that says where in memory beside it a function goes on: `in_pos` of `in` and `in_size`, a part of `number-in-place`.

use crate::infer::names::Measure;
use crate::infer::view::View;

/// Last words of such names.
const PLACES: &[&str] = &["offset", "pos", "position"];

/// Whether a pointer to a number is called like a place in bytes that the function takes, of which another number says how much there is.
///
/// There is one place in each memory. A `row_pos` of `rows` with `n_rows` may be one of each row, so that the number counts bytes.
pub(super) fn is_place(view: &View<'_>, index: usize) -> bool {
    let name = view.words(index);
    let Some((_, of)) = name.split_last().filter(|(last, _)| PLACES.contains(&last.as_str())) else {
        return false;
    };
    let all = || 0..view.function.params.len();
    let sized = |memory: usize| {
        all().any(|number| {
            let bytes = view.length_name(number).is_some_and(|length| {
                matches!(length.measure, Measure::Bytes | Measure::Length | Measure::Size)
            });
            let integer = view.param(number).is_some_and(|param| param.ty.is_integer());
            bytes && integer && view.sizes_by_name(number, memory)
        })
    };
    let memory = |other: usize| {
        let bytes = view.buffer(other).is_some_and(|(element, _)| element.is_byte());
        bytes && view.is_named(of, other) && sized(other)
    };
    all().any(|other| other != index && memory(other))
}
