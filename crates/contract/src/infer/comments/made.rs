//! Whether what makes an object, by its name, does so by its comment, and whether a copy is one of all.

use hotcell_model::api::Function;

use super::{sentences, words_of};

/// Beginnings of words of a comment on a copy that has parts of what it was made of.
const SHALLOW: &[&str] = &["cow", "lazily", "lazy", "refer", "shallow", "share", "sharing"];

/// Whether the comment says that a copy is none of all: `A shallow copy`, `copy-on-write`, `shares all pages with s`.
pub(in crate::infer) fn shallow(function: &Function) -> bool {
    sentences(function).iter().any(|sentence| {
        let part = sentence.contains("copy on write")
            || sentence.contains("copied on write")
            || sentence.contains("when written");
        part || words_of(sentence).any(|word| SHALLOW.iter().any(|begin| word.starts_with(begin)))
    })
}

/// Beginnings of words of a comment on what makes an object.
const MAKES: &[&str] = &[
    "alloc",
    "begin",
    "build",
    "built",
    "clon",
    "compil",
    "connect",
    "construct",
    "constructor",
    "convert",
    "cop",
    "creat",
    "decod",
    "duplic",
    "establish",
    "generat",
    "import",
    "init",
    "instantiat",
    "launch",
    "load",
    "mak",
    "new",
    "open",
    "pars",
    "prepar",
    "read",
    "set",
    "start",
];

/// Phrases of such a comment by which the object is not, or not always, the caller's alone.
const NOT_OWN: &[&str] = &[
    "already exist",
    "already open",
    "already there",
    "always the same",
    "are cached",
    "as long as the",
    "at exit",
    "attaches to",
    "caches contexts",
    "caches instances",
    "caches objects",
    "calling thread",
    "closed automatically",
    "collected auto",
    "count of the",
    "created if",
    "current thread",
    "default one",
    "dies with",
    "do not call",
    "do not close",
    "do not delete",
    "do not destroy",
    "do not free",
    "do not release",
    "do not unref",
    "don't own",
    "ensures that",
    "equal arguments",
    "every call gives",
    "every call returns",
    "existing",
    "first call",
    "first use",
    "freed automatically",
    "from a cache",
    "from the cache",
    "further call",
    "get or create",
    "gets or creates",
    "gets the current",
    "gets the global",
    "gives it back",
    "gives the",
    "gives the global",
    "global instance",
    "goes with",
    "hands out",
    "if missing",
    "if necessary",
    "if needed",
    "if one exists",
    "if there is one",
    "in static",
    "increases the reference",
    "increases the use count",
    "increments the reference",
    "increments the use count",
    "interned",
    "is cached",
    "is global",
    "is open",
    "is static",
    "it is there",
    "later call",
    "lives in",
    "looks for",
    "managed by",
    "may not free",
    "must not be",
    "must not close",
    "must not delete",
    "must not destroy",
    "must not free",
    "must not release",
    "need not be closed",
    "need not be destroyed",
    "need not be freed",
    "need not be released",
    "never close",
    "never delete",
    "never destroy",
    "never free",
    "never release",
    "new one else",
    "no need to",
    "not need to be",
    "not own",
    "of this thread",
    "one and only",
    "one per process",
    "one per thread",
    "only instance",
    "or a new one",
    "or gives",
    "or the handle",
    "owned by",
    "owns it",
    "per process",
    "process wide",
    "reference counted by",
    "returns the current",
    "returns the global",
    "same context",
    "same handle",
    "same instance",
    "same object",
    "same one",
    "second call",
    "should not be freed",
    "shouldn't be freed",
    "shouldn't free",
    "single instance",
    "statically",
    "subsequent calls return",
    "the default context",
    "the default instance",
    "the default object",
    "the running",
    "the static",
    "the thread's",
    "there is one",
    "transfer none",
    "transfer: none",
    "valid until",
    "weak reference",
    "when there is one",
];

/// Beginnings of first words of a comment on what is there already.
const GETS: &[&str] = &[
    "access", "acquir", "attach", "fetch", "find", "get", "giv", "hand", "join", "liv", "look", "obtain",
    "retriev", "return", "shar",
];

/// Whether the comment on a function that is called like one that makes an object says so, and nothing that denies it: what it returns may be there already, or
/// somebody else's.
pub(in crate::infer) fn makes(function: &Function) -> bool {
    let all = sentences(function);
    let words = || all.iter().flat_map(|sentence| words_of(sentence)).filter(|word| !word.is_empty());
    let said = words().any(|word| MAKES.iter().any(|makes| word.starts_with(makes)));
    let first = words().find(|word| !["brief", "function", "this", "it", "will"].contains(word));
    let gets = first.is_some_and(|first| GETS.iter().any(|gets| first.starts_with(gets)));
    let denied = |sentence: &String| NOT_OWN.iter().any(|phrase| sentence.contains(phrase));
    (said || !gets) && !all.iter().any(denied)
}
