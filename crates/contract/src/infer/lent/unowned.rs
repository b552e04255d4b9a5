//! The rule `unowned-object`: `config_setting_get_member(setting, name)` returns a setting, and nothing in the library ends a setting.
//!
//! Who owned one could never let go of it. So what a function finds, gets or adds is inside of the only object that goes in, and lent by that as an
//! `internal-object` is. Nothing is concluded of types that some function makes by its name, or ends, be it one that only the library's file
//! shows; of several, of what comes next in turn, which may take the place of what came before, nor of libraries that count who holds an object.

use hotcell_model::api::Function;
use hotcell_model::types::{CType, Type};

use crate::infer::endings::{Ending, ending};
use crate::infer::functions::Named;
use crate::infer::lent::only_object;
use crate::infer::names::words;
use crate::infer::view::plain_text;
use crate::infer::words::objects::{CONSTRUCTORS, COPIES, ENDS_BESIDES, FINDS, LOOKS, MAKES};
use crate::infer::{Known, code, comments, has_word};

pub(super) const RULE: &str = "unowned-object";

/// Words of functions that give back what another one has handed out, besides ends.
const GIVES_BACK: &[&str] =
    &["ack", "checkin", "hangup", "logout", "requeue", "unlock", "unmount", "unwatch"];

/// Words of functions whose result may be gone with the next call, or be the caller's.
const PASSING: &[&str] = &[
    "accept", "advance", "dequeue", "extract", "fetch", "generate", "iterate", "next", "read", "receive",
    "recv", "ref", "render", "result", "run", "scan", "step", "temp", "tmp", "wait",
];

/// Words of functions that find what is there, besides [`FINDS`] and [`LOOKS`].
const FINDS_BESIDES: &[&str] = &["elem", "member"];

/// Whether a function takes back memory of any kind: `wx_free(void *)`.
fn takes_memory(function: &Function) -> bool {
    let void = |ty: &CType| matches!(ty.pointee(), Some((CType { kind: Type::Void, .. }, false)));
    matches!(&function.params[..], [only] if void(&only.ty))
        && ending(&function.name).is_some_and(|(ending, _)| ending == Ending::Releases)
}

/// Whether a function is called like one that adds something: `curl_mime_addpart(mime)`, not `host_address(host)`.
fn says_adds(function: &Function) -> bool {
    words(&function.name).iter().any(|word| word.starts_with("add") && !word.starts_with("addr"))
}

/// Whether a function is called like one that finds, gets or adds something; not `get1`, which hands out what is the caller's, nor what says where it adds.
fn says_inside(function: &Function) -> bool {
    let name = words(&function.name);
    let found = [FINDS, LOOKS, FINDS_BESIDES].iter().any(|list| has_word(function, list));
    (found || says_adds(function)) && !name.iter().any(|word| ["get1", "to", "up"].contains(&word.as_str()))
}

/// The object inside of which what a function returns is.
pub(in crate::infer) fn lender(function: &Function, known: Known<'_>) -> Option<usize> {
    let handle = known.handles.of_pointer(&function.result)?;
    let made = [CONSTRUCTORS, COPIES, MAKES, PASSING].iter().any(|list| has_word(function, list));
    let last = words(&function.name).pop()?;
    let plural = last.ends_with('s') && !last.ends_with("ss");
    let constant = |ty: &CType| ty.pointee().is_some_and(|(_, constant)| constant);
    if made
        || !says_inside(function)
        || plural
        || ending(&function.name).is_some()
        || comments::owned(function)
        || comments::lasting(function)
        || known.uses.counts()
        || known.handles.get(handle).is_some_and(|known| known.release.is_some())
        || known.uses.is_ended(handle)
        || is_ended_elsewhere(handle, known)
        || is_of_numbers(function, known)
        // A handle does not know that its object is `const`.
        || constant(&function.result) && known.uses.is_changed(handle)
    {
        return None;
    }
    let index = only_object(function, known)?;
    let holder = known.handles.of_pointer(&function.params[index].ty)?;
    // What is deep inside may go with what is between.
    let nested = holder != handle && known.uses.is_nested(handle);
    // `element_set_inner(element, markup)` frees what is inside of it, whoever was lent that.
    let changes = holder != handle
        && known.uses.first(handle).iter().any(|named| {
            let changed = named.function.params.first().is_some_and(|param| !constant(&param.ty));
            changed && !code::leaves_inside(named.function, known.against, 0)
        });
    // Memory of any kind is taken back.
    let taken_back = !constant(&function.result)
        && !says_adds(function)
        && known.functions.iter().any(|named| takes_memory(named.function));
    // `page_cache_get(cache, key)` may give up another one for it.
    let gives_up = code::seen(function, known.against, index).releases_inner;
    (!nested && !changes && !taken_back && !gives_up).then_some(index)
}

/// Whether the library exports something that is called like the end of a type, and that these headers do not declare.
fn is_ended_elsewhere(handle: &str, known: Known<'_>) -> bool {
    let mut own = words(handle);
    own.retain(|word| !["ptr", "st", "struct", "t"].contains(&word.as_str()));
    let ends = |name: &String| {
        let ends = ending(name).filter(|(ending, _)| *ending >= Ending::Closes);
        ends.is_some_and(|(_, rest)| own.last().is_some_and(|last| rest.contains(last)))
    };
    let exports = known.exports.into_iter().flatten();
    exports.filter(|name| known.functions.get(name).is_none()).any(ends)
}

/// Whether what a function returns is a structure of numbers, which callers want and not the object.
fn is_of_numbers(function: &Function, known: Known<'_>) -> bool {
    let record = function.result.pointee().and_then(|(ty, _)| ty.record());
    let layout = record.and_then(|record| known.api.records.get(record)?.layout.as_ref());
    layout.is_some_and(|layout| layout.fields.iter().all(|field| field.ty.is_scalar()))
}

/// Whether a function may end the object that it takes at a position, or makes such objects by its name.
pub(in crate::infer) fn ends(named: &Named<'_>, index: usize) -> bool {
    let Named { function, name } = named;
    let ends = name.ending.is_some() || name.has(ENDS_BESIDES) || name.has(GIVES_BACK);
    // `config_setting_remove(parent, name)`.
    let part = |other: usize| {
        let ty = &function.params[other].ty;
        other != index && (ty.is_integer() || plain_text(ty))
    };
    let removes = name.has(&["clear", "del", "delete", "erase", "remove", "rm", "unset"]);
    let of_part = removes && index == 0 && (0..function.params.len()).any(part);
    ends && !of_part
}
