//! The rule `out-buffer-with-length-pointer`: `compress(Bytef *dest, uLongf *destLen, …)`.
//!
//! Strict, because in general the pair says little: with `data, data_len` the memory is often changed in place,
//! and zeroes would be changed instead of the caller's data. So the pointer must be named as one that
//! receives a result (`dest`, `out`, `output`, `compressed`), the length right behind it must carry exactly
//! that name, and no other parameter may be the capacity.
//!
//! Some libraries only write the length and never look at the capacity. A result that fits is right all the
//! same; one that does not claims more than the capacity, and then the host refuses the reply: the call
//! fails, it is not wrong. `void *` is left out: its length may be counted in elements.

use hotcell_model::Fact;
use hotcell_model::interface::{Capacity, ResultLength, Role, Unit};
use hotcell_model::types::Type;

use crate::infer::names::{Measure, stem};
use crate::infer::view::{View, decided, shown};
use crate::infer::words::OUTPUTS;
use crate::infer::words::functions::OF_BITS;
use crate::infer::{Draft, Notes, documented, keeping};

/// Finds out buffers with a pointer to their length.
pub(super) fn apply(view: &View<'_>, draft: &mut Draft, notes: &mut Notes) {
    const RULE: &str = "out-buffer-with-length-pointer";
    for (pointer, param) in view.function.params.iter().enumerate() {
        let Some((element, false)) = view.buffer(pointer) else {
            continue;
        };
        let measures = |length: usize| {
            let name = view.length_name(length)?;
            let bytes = matches!(name.measure, Measure::Bytes | Measure::Length | Measure::Size);
            bytes.then_some(name.of)
        };
        let behind = measures(pointer + 1).is_some_and(|of| of.concat() == view.words(pointer).concat());
        // `encoded_size, encoded_buffer`.
        let before = pointer.checked_sub(1).filter(|&before| {
            measures(before).is_some_and(|of| !of.is_empty() && of == stem(view.words(pointer)))
        });
        let length = if behind { pointer + 1 } else { before.unwrap_or(pointer + 1) };
        let named = behind || before.is_some();
        let pointed = view.param(length).and_then(|param| param.ty.pointee());
        let integer = pointed
            .is_some_and(|(ty, constant)| !constant && matches!(ty.kind, Type::Int { bits: 16.., .. }));
        let unclaimed = view.open_buffer(draft, pointer) && !decided(draft, length);
        if !element.is_byte() || !named || !integer || !unclaimed || !shown(&param.ty) {
            continue;
        }
        let name = view.name(pointer);
        if element.kind == Type::Void || param.array_length.is_some() || !is_output(view, pointer) {
            notes.add(pointer, format!("`{name}` may be filled, or changed in place"));
            continue;
        }
        // `rd_kafka_conf_get(conf, name, dest, dest_size)`: a text with its NUL, or only its size.
        let other = |index: usize| index != pointer && view.buffer(index).is_some_and(|(ty, _)| ty.is_byte());
        let counted =
            |index: usize| (0..view.function.params.len()).any(|size| view.sizes_by_name(size, index));
        if element.kind == Type::Char
            && !(0..view.function.params.len()).any(|index| other(index) && counted(index))
        {
            notes.add(pointer, format!("`{name}` may be filled with a text, whose NUL counts or does not"));
            continue;
        }
        if documented::counts_other(view, length, true) {
            notes.add(
                pointer,
                format!("`{}` may count something else than the bytes of `{name}`", view.name(length)),
            );
            continue;
        }
        if view.function_has_word(OF_BITS) {
            notes.add(pointer, format!("`{}` may count the bits of `{name}`", view.name(length)));
            continue;
        }
        let capacity = view.open_integers(draft).into_iter().find(|&other| {
            view.may_be_length(other)
                && (view.sizes_by_name(other, pointer) || !view.owned_by_other(other, pointer))
        });
        if let Some(capacity) = capacity {
            notes.add(pointer, format!("`{}` may be the capacity of `{name}`", view.name(capacity)));
            continue;
        }
        if let Some(reason) = keeping::of_memory(view, draft, pointer, false) {
            notes.add(pointer, reason);
            continue;
        }
        let role = Role::BufferOut {
            capacity: Capacity::Caller,
            result: ResultLength::Pointer { param: length },
            valid_on_error: false,
        };
        draft.params[pointer] = Some(Fact::inferred(role, RULE));
        let role = Role::LengthPointerOf { param: pointer, unit: Unit::Bytes };
        draft.params[length] = Some(Fact::inferred(role, RULE));
    }
}

/// Whether memory is called like what comes out: `dest`, `encoded_buffer`.
fn is_output(view: &View<'_>, pointer: usize) -> bool {
    view.called(pointer, OUTPUTS)
        || stem(view.words(pointer)).last().is_some_and(|word| OUTPUTS.contains(&word.as_str()))
}
