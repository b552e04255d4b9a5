//! One number, beside a function that takes an array of them, a part of `number-in-place`: `TIFFSwabShort(uint16_t *)` beside
//! `TIFFSwabArrayOfShort(uint16_t *, tmsize_t)`.

use hotcell_model::api::Function;

use super::elements;
use crate::infer::names::words;
use crate::infer::view::View;
use crate::type_names::unqualified;

/// Whether another function is called as this one is but for `array`, and takes the same with a number behind it that counts. Of
/// what is several numbers there are arrays too: `quat_normalize_array(float *, int n)`. So it is called after one number, where
/// that is not an integer.
pub(super) fn beside_array(view: &View<'_>) -> bool {
    let function = view.function;
    let [only] = &function.params[..] else { return false };
    let Some((element, false)) = view.buffer(0) else { return false };
    let name = words(&function.name);
    let own = unqualified(&element.written).trim_end_matches("_t").to_ascii_lowercase();
    let is_one = element.is_integer() || name.last().is_some_and(|word| *word == own);
    let array = |other: &Function| {
        let other_name = words(&other.name);
        let [pointer, _] = &other.params[..] else { return false };
        let rest: Vec<String> =
            other_name.iter().filter(|word| !["array", "of"].contains(&word.as_str())).cloned().collect();
        rest == name
            && other_name.iter().any(|word| word == "array")
            && pointer.ty.canonical == only.ty.canonical
            && elements::is_of_array(&view.beside(other))
    };
    is_one && view.known.api.functions.iter().any(array)
}
