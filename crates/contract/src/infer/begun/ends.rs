//! What ends a structure that is begun, and what only ends something that it does: `yaml_emitter_delete`, but not `yaml_emitter_close`
//! beside `yaml_emitter_open`, after which the emitter is there as before.

use hotcell_model::api::Function;

use crate::infer::begun::letters;
use crate::infer::comments;
use crate::infer::endings::{Ending, ending};
use crate::infer::names::{unnumbered, words};
use crate::infer::words::objects::{BEGINS, ENDS_BEGUN, LOOKS, UNDOES};

/// What a function that takes the structure and nothing else is called before the word for the end. None where the structure may go on:
/// another function begins again what this one ends, or its comment says what else frees the structure. `all` are the functions of it.
pub(super) fn stem(function: &Function, all: &[&Function]) -> Option<String> {
    let (name, stem) = called(function)?;
    (!undoes(&name, &stem, all)
        && !comments::outlived(function)
        && (!comments::is_no_end(function)
            || is_of_verb(function, &stem, all)
            || is_of_begin(function, &stem, all))
        && other(function, function, all).is_none())
    .then_some(stem)
}

/// Whether the end is that of what another function does: `BZ2_bzCompressEnd` beside `BZ2_bzCompress`. Else an `end` that returns a number is
/// a place as often.
fn is_of_verb(function: &Function, stem: &str, all: &[&Function]) -> bool {
    function.doc.is_none() && all.iter().any(|other| letters(&other.name) == stem)
}

/// Whether what begins the structure speaks of the same thing as this end, by names and by comments.
fn is_of_begin(end: &Function, stem: &str, all: &[&Function]) -> bool {
    let begins = |name: &str| BEGINS.contains(&name);
    let is_it = |other: &&Function| {
        other.params.len() == 1 && letters(&other.name).strip_prefix(stem).is_some_and(begins)
    };
    all.iter().filter(|other| is_it(other)).any(|begin| comments::is_end_of(end, begin))
}

/// Whether a function is called like the end of a structure, which goes on.
pub(super) fn pauses(function: &Function, all: &[&Function]) -> bool {
    called(function).is_some() && stem(function, all).is_none()
}

/// Words behind the one by which a function begins something that say how, with what, or which form of it this is: `mpz_init_set_si`, `x_init_with_file`. What stands
/// there besides is begun, asked or done: `ctx_init_state(ctx)`, `ctx_init_complete`, `ctx_init_once`.
const BEGUN: &[&str] = &[
    "alloc", "array", "base", "buf", "buffer", "bytes", "clear", "copy", "custom", "d", "data", "default",
    "defaults", "empty", "ex", "f", "fd", "file", "from", "full", "i", "in", "internal", "l", "len", "mem",
    "memory", "multi", "path", "q", "r", "random", "set", "si", "size", "static", "str", "string", "u", "ui",
    "using", "v", "value", "with", "z", "zero",
];

/// Whether a function is called like one that begins something, and not like one that asks whether that has begun: `ctx_initialized(ctx)`.
pub(super) fn begins(function: &Function) -> bool {
    let name = words(&function.name);
    let plain = |word: &String| unnumbered(word).to_owned();
    let verb = name.iter().position(|word| BEGINS.iter().any(|begins| plain(word).ends_with(begins)));
    verb.is_some_and(|verb| {
        let asked = name[..verb].iter().any(|word| LOOKS.contains(&word.as_str()));
        // `gmp_randinit_mt(state)` begins what it is called after.
        let glued = name[verb].len() > 6
            && !["de", "pre", "re", "un"].iter().any(|before| name[verb].starts_with(before))
            && !BEGINS.contains(&plain(&name[verb]).as_str());
        let behind = || name[verb + 1..].iter().map(plain);
        !asked && (glued || behind().all(|word| word.is_empty() || BEGUN.contains(&word.as_str())))
    })
}

/// Whether the comment of what begins a structure says that something else ends it.
pub(super) fn told_otherwise(start: &Function, end: &Function, all: &[&Function]) -> bool {
    other(start, end, all).is_some()
}

/// A function's name in letters, and what stands in it before the word for the end.
fn called(function: &Function) -> Option<(String, String)> {
    let name = letters(&function.name);
    let stem = ENDS_BEGUN.iter().find_map(|end| name.strip_suffix(end)).map(str::to_owned);
    stem.filter(|_| function.params.len() == 1).map(|stem| (name, stem))
}

/// Whether there is a function that begins what this one ends, and not the structure: `open` beside `close`.
fn undoes(name: &str, stem: &str, all: &[&Function]) -> bool {
    // `arr_clear` beside `arr_dispose` takes out what is in it.
    let empties = name.strip_prefix(stem) == Some("clear");
    let ends = |other: &&Function| {
        let rest = letters(&other.name);
        let rest = rest.strip_prefix(stem).unwrap_or_default();
        rest != "clear"
            && (ENDS_BEGUN.contains(&rest) || ["dealloc", "deallocate", "dispose", "kill"].contains(&rest))
    };
    if empties && all.iter().any(ends) {
        return true;
    }
    let pair = UNDOES.iter().find(|(end, _)| name.strip_prefix(stem) == Some(*end));
    pair.is_some_and(|(_, begins)| {
        let is_it = |other: &&Function| {
            letters(&other.name).strip_prefix(stem).is_some_and(|rest| begins.contains(&rest))
        };
        all.iter().any(is_it)
    })
}

/// The function besides `end` that a comment names, and that is called like one that ends the structure.
fn other<'a>(told: &Function, end: &Function, all: &[&'a Function]) -> Option<&'a Function> {
    let doc = told.doc.as_deref()?;
    let named = |name: &str| doc.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name);
    let ends = |function: &Function| {
        called(function).is_some()
            && ending(&function.name).is_some_and(|(ending, _)| ending >= Ending::Closes)
    };
    let mut others = all.iter().filter(|other| other.name != end.name && other.name != told.name);
    others.find(|other| ends(other) && named(&other.name)).copied()
}
