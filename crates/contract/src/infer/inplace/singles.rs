//! One number, beside a function that takes an array of them, a part of `number-in-place`: `TIFFSwabShort(uint16_t *)` beside
//! `TIFFSwabArrayOfShort(uint16_t *, tmsize_t)`.

use hotcell_model::api::Function;

use crate::infer::names::words;
use crate::infer::view::View;

/// Whether another function is called as this one is but for `array`, and takes the same with a number behind it that counts.
pub(super) fn beside_array(view: &View<'_>) -> bool {
    let function = view.function;
    let [only] = &function.params[..] else { return false };
    let name = words(&function.name);
    let array = |other: &Function| {
        let other_name = words(&other.name);
        let [pointer, count] = &other.params[..] else { return false };
        let rest: Vec<String> =
            other_name.iter().filter(|word| !["array", "of"].contains(&word.as_str())).cloned().collect();
        rest == name
            && other_name.iter().any(|word| word == "array")
            && pointer.ty.canonical == only.ty.canonical
            && count.ty.is_integer()
    };
    view.known.api.functions.iter().any(array)
}
