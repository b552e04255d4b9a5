//! The rule `kept-memory`: memory that goes in, and that an object may go on reading, where that is all that is open.
//!
//! No header says whether `curve_set_points(curve, const double *points, int n)` notes the address. A copy that goes with the curve is right
//! whether it does or not, since nobody but the library reads it, and it ends at a wall as other memory of which nobody says how much there
//! is. It is concluded where a function gives an object something, or makes one: what is done with memory again and again would be copied as
//! often.

use hotcell_model::evidence::{Evidence, Fact};
use hotcell_model::interface::{ResultRole, Role, Unit, Until};
use hotcell_model::types::{CType, Type};

use crate::infer::endings::{Ending, ending};
use crate::infer::lent::walks;
use crate::infer::names::{function_words, unnumbered};
use crate::infer::view::{View, is_letter};
use crate::infer::words::NAMES;
use crate::infer::words::functions::CONTROLS;
use crate::infer::{Draft, comments, keeping, lengths};

/// The rule's name.
pub(crate) const KEPT: &str = "kept-memory";

/// Words of functions that give an object something to have. What is done with memory in any other function may be done a million times, and
/// a copy of each would stay.
const GIVES: &[&str] = &[
    "assign",
    "attach",
    "bind",
    "define",
    "enable",
    "init",
    "initialise",
    "initialize",
    "install",
    "load",
    "ref",
    "reference",
    "register",
    "set",
    "use",
];

/// Words of functions that go through memory and are given the next piece.
const FED: &[&str] = &[
    "append", "continue", "feed", "next", "parse", "process", "push", "put", "queue", "read", "receive",
    "recv", "scan", "submit", "upload",
];

/// What ends a copy that is right whether the library keeps what a parameter points to or not.
pub(super) fn until(view: &View<'_>, draft: &Draft, index: usize) -> Option<Until> {
    let function = view.function;
    let ends = ending(&function.name).is_some_and(|(ending, _)| ending >= Ending::Closes);
    if ends
        || view.function_has_word(FED)
        || view.function_has_last_word(CONTROLS)
        || keeping::is_requested(view)
        || comments::takes_memory(function)
        || !is_counted(view, index)
    {
        return None;
    }
    if walks::counts_any(view) {
        return None;
    }
    let gives = is_given(view, index);
    let role = |at: usize| draft.params.get(at).and_then(|fact| fact.as_ref()).map(|fact| &fact.value);
    let changed: Vec<usize> =
        (0..function.params.len()).filter(|&at| at != index && changes(view, at)).collect();
    match changed[..] {
        [] if matches!(draft.result.as_ref().map(|fact| &fact.value), Some(ResultRole::Handle { .. })) => {
            Some(Until::Result)
        }
        [] => {
            let made =
                (0..function.params.len()).find(|&at| matches!(role(at), Some(Role::HandleOut { .. })));
            made.map(|param| Until::Param { param })
        }
        [keeper] if gives => {
            let there = matches!(
                role(keeper),
                Some(
                    Role::Handle { consumed: false, nullable: false, .. }
                        | Role::Resident { consumed: false, .. }
                )
            );
            there.then_some(Until::Param { param: keeper })
        }
        // Each of them may keep it, or none does.
        _ => None,
    }
}

/// Whether a function gives an object what a parameter points to: by a word, or since it is called after that.
fn is_given(view: &View<'_>, index: usize) -> bool {
    let words = function_words(&view.function.name);
    // `curl_mime_data(part, data, datasize)`.
    words.iter().any(|word| GIVES.contains(&unnumbered(word)))
        || words.last().is_some_and(|last| view.words(index).last() == Some(last))
}

/// Has callers pass data without its length, where that is known: then it needs no wall.
pub(super) fn count(view: &View<'_>, draft: &mut Draft, index: usize) {
    let mut open = draft.clone();
    open.params[index] = None;
    for fact in &mut open.params {
        *fact = fact
            .take()
            .filter(|fact| fact.value != Role::Value || matches!(fact.evidence, Evidence::Decided { .. }));
    }
    if let Some(length) = lengths::of_kept(view, &open, index) {
        let role = Role::LengthOf { param: index, unit: Unit::Bytes };
        draft.params[length] = Some(Fact::inferred(role, KEPT));
    }
}

/// Whether letters are data: a number right behind them, or one that is named after them, is their length. Else they may be a text, which a
/// NUL ends.
fn is_counted(view: &View<'_>, index: usize) -> bool {
    let letters = view.buffer(index).is_some_and(|(element, _)| is_letter(element));
    let integer = |at: usize| view.param(at).is_some_and(|param| param.ty.is_integer());
    let own = view.words(index).concat();
    // `dictSize` of a `dictionary`; `nArg` is of something else.
    let behind = integer(index + 1)
        && !view.called(index, NAMES)
        && view.length_name(index + 1).is_some_and(|length| own.starts_with(&length.of.concat()));
    let named = || (0..view.function.params.len()).any(|at| integer(at) && view.sizes_by_name(at, index));
    !letters || behind || named()
}

/// Whether a function can change what a parameter points to, and note something there: an object, or a structure with more than numbers.
fn changes(view: &View<'_>, at: usize) -> bool {
    let Some((pointee, false)) = view.param(at).and_then(|param| param.ty.pointee()) else { return false };
    let record = |ty: &CType| ty.record().is_some_and(|record| !view.known.structs.is_plain(record));
    view.handle(at).is_some() || record(pointee) && !matches!(pointee.kind, Type::Pointer { .. })
}
