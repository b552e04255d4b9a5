//! What says that a call is not over when it returns: heard here, for all rules by which memory is used during the call alone.
//!
//! `read_nonblocking(buf, len)`, `job_submit(const job_args *)`, *fills `buf` in the background*, *is valid until the next call*: where the name of a
//! function or its comment says so, no name of memory, no verb and no length shows the contrary. What another rule has concluded of such
//! memory is taken back, and what would be concluded later is not.

use hotcell_model::evidence::{Evidence, Fact};
use hotcell_model::interface::Role;

use crate::infer::names::{function_words, unnumbered};
use crate::infer::view::View;
use crate::infer::{Draft, Notes, code, comments, keeping};

/// Words of functions that begin something, hand it over or leave it for later.
const WORDS: &[&str] = &[
    "aio",
    "arm",
    "async",
    "background",
    "dma",
    "defer",
    "deferred",
    "enqueue",
    "hook",
    "ibsend",
    "imrecv",
    "iread",
    "irecv",
    "irsend",
    "isend",
    "issend",
    "iwrite",
    "later",
    "launch",
    "nb",
    "nonblock",
    "nonblocking",
    "nowait",
    "observe",
    "overlapped",
    "post",
    "prefetch",
    "queue",
    "register",
    "schedule",
    "spawn",
    "submit",
    "subscribe",
    "watch",
];

/// Words of functions that move data to or from somewhere, which is over with the call or not.
const TRANSFERS: &[&str] = &["read", "receive", "recv", "send", "transmit", "write"];

/// What may stand behind such a word where it says what is moved, and how much: what says when, or who does it, is on no list.
const MOVED: &[&str] = &[
    "a", "all", "array", "ascii", "at", "be", "bin", "binary", "block", "blocks", "buf", "buffer", "byte",
    "bytes", "char", "chars", "chunk", "data", "double", "doubles", "entropy", "exact", "exactly", "file",
    "float", "floats", "frame", "frames", "from", "full", "fully", "header", "image", "in", "input", "int",
    "integer", "ints", "le", "line", "lines", "long", "mem", "memory", "message", "msg", "n", "next",
    "number", "packet", "pixels", "random", "raw", "record", "records", "row", "rows", "sample", "samples",
    "scanline", "sector", "sectors", "short", "shorts", "some", "str", "string", "text", "to", "u",
    "unlocked", "value", "values", "word", "words",
];

/// The same of data and numbers; what begins with a name is over with that as often.
const BEGINS: &[&str] = &["begin", "start"];

/// Why what a parameter points to may be needed after the call, whatever else is said of it.
pub(super) fn heard(view: &View<'_>, index: usize) -> Option<String> {
    let over = || match view.handle(index) {
        Some(_) => code::leaves(view, index),
        None => code::is_over(view, index),
    };
    said(view, index).filter(|_| !over())
}

/// The same by names and comments alone.
fn said(view: &View<'_>, index: usize) -> Option<String> {
    let name = view.name(index);
    if comments::kept(view.function) {
        return Some(format!(
            "the documentation says that something must outlive the call; it may be `{name}`"
        ));
    }
    if comments::goes_on(view.function) {
        return Some(format!("the documentation speaks of what goes on; it may be about `{name}`"));
    }
    if comments::takes_memory(view.function) {
        return Some(format!(
            "the documentation says what memory has to be, or who frees it; it may be about `{name}`"
        ));
    }
    is_called(view, index).then(|| format!("the function is called like one that goes on with `{name}`"))
}

/// Whether the function is called like one that is not over when it returns.
fn is_called(view: &View<'_>, index: usize) -> bool {
    let text = view.param(index).is_some_and(|param| crate::infer::view::plain_text(&param.ty));
    let words = function_words(&view.function.name);
    let said = |list: &[&str]| words.iter().any(|word| list.contains(&unnumbered(word)));
    said(WORDS) || view.function_contains(&["async", "nonblock"]) || !text && said(BEGINS)
}

/// Whether a word says what is moved, and no more.
pub(super) fn is_moved(word: &str) -> bool {
    MOVED.contains(&word)
}

/// Whether a function moves data in a way of which its name says more than what is moved: `spi_send_bg(data, length)`, `write_behind`.
pub(super) fn transfers_somehow(view: &View<'_>) -> bool {
    let words = function_words(&view.function.name);
    let verb = words.iter().position(|word| TRANSFERS.contains(&unnumbered(word)));
    verb.is_some_and(|verb| {
        words[verb + 1..].iter().map(|word| unnumbered(word)).any(|word| !word.is_empty() && !is_moved(word))
    })
}

/// Takes back what was concluded of memory that may be needed after the call, with the lengths that go with it.
pub(super) fn apply(view: &View<'_>, draft: &mut Draft, notes: &mut Notes) {
    for index in 0..view.function.params.len() {
        let Some(fact) = inferred(&draft.params[index]) else { continue };
        if !of_call(&fact.value) || keeping::copied(view, index) {
            continue;
        }
        let Some(reason) = heard(view, index) else { continue };
        notes.set(index, reason);
        take_back(draft, index);
    }
}

/// Takes back what was concluded of a parameter, with the lengths that go with it.
pub(super) fn take_back(draft: &mut Draft, index: usize) {
    draft.params[index] = None;
    for fact in &mut draft.params {
        let of_it = inferred(fact).is_some_and(|fact| {
            matches!(
                fact.value,
                Role::LengthOf { param, .. } | Role::CapacityOf { param, .. } | Role::LengthPointerOf { param, .. }
                    if param == index
            )
        });
        if of_it {
            *fact = None;
        }
    }
}

fn inferred(fact: &Option<Fact<Role>>) -> Option<&Fact<Role>> {
    fact.as_ref().filter(|fact| matches!(fact.evidence, Evidence::Inferred { .. }))
}

/// Whether a role says that memory is used during the call, and not after.
pub(super) fn of_call(role: &Role) -> bool {
    matches!(
        role,
        Role::Text { .. }
            | Role::BufferIn { .. }
            | Role::BufferOut { .. }
            | Role::BufferInOut { .. }
            | Role::ValueOut { .. }
            | Role::ValueInOut { .. }
            | Role::Struct { .. }
    )
}
