//! What the comment of a function says that its declaration does not: who owns, what is kept, where a text ends.
//!
//! Comments stop rules here, but for one thing: what is copied is not kept. What else they promise is another matter: see
//! `documented-output`.

use hotcell_model::api::Function;

mod copied;

/// That an object is gone, or somebody else's, after the call.
const OWNERSHIP: &[&str] =
    &["becomes the property of", "consumes the", "consumes this", "invalid after", "ownership", "takes over"];

/// The same, of something that ends: until then another thing may be valid.
const ENDINGS: &[&str] = &[
    "becomes invalid",
    "is destroyed",
    "no longer be used",
    "no longer usable",
    "no longer valid",
    "not usable",
];

/// That a returned object is not the caller's.
const LENT: &[&str] = &[
    "do not free",
    "not be freed",
    "not to be freed",
    "owned by",
    "borrowed",
    "garbage",
    "floating",
    "must not free",
    "should not free",
];

/// That returned memory is the caller's.
const OWNED: &[&str] = &[
    "be freed by the caller",
    "be freed with",
    "be freed using",
    "caller must free",
    "caller should free",
    "free the returned",
    "free the string",
    "must be freed",
    "must free",
    "need to be freed",
    "needs to be freed",
    "new allocated",
    "newly allocated",
    "should be freed",
    "should free",
    "to be freed by",
];

/// That what goes in is still needed after the call.
const KEPT: &[&str] = &[
    "does not copy",
    "doesn't copy",
    "is not copied",
    "isn't copied",
    "make no copy",
    "makes no copy",
    "at the memory position",
    "must be a static",
    "must be a string literal",
    "must be static",
    "must live",
    "must outlive",
    "must persist",
    "must remain",
    "must stay",
    "no copy is made",
    "not be copied",
    "not make a copy",
    "pointer is stored",
    "remain accessible",
    "remain available",
    "remain in-place",
    "remain present",
    "remain unmodified",
    "same address",
    "should remain",
    "without copying",
];

/// The same of an object.
const KEPT_OBJECT: &[&str] = &[
    "be kept alive",
    "for the lifetime",
    "hold a reference",
    "holds a pointer",
    "holds a reference",
    "keep a pointer",
    "keep a reference",
    "keep alive",
    "keeps a pointer",
    "keeps a reference",
    "kept alive",
    "must be valid",
    "must not be destroyed",
    "must not be freed",
    "not copied",
    "only the pointer",
    "only the reference",
    "retains",
    "shallow",
    "stores a pointer",
    "stores a reference",
    "stores the pointer",
    "stores the reference",
];

/// That what is returned is another one, or gone, later.
const PASSING: &[&str] = &[
    "be changed by",
    "changed with",
    "as long as",
    "invalidated",
    "overwritten",
    "remains valid",
    "replaced",
    "set by",
    "set with",
    "stays valid",
    "until",
    "valid as long",
    "valid while",
];

/// That what a function ends is still to be released.
const OUTLIVED: &[&str] = &[
    "does not deallocate",
    "does not destroy",
    "does not free",
    "does not release",
    "doesn't deallocate",
    "doesn't destroy",
    "doesn't free",
    "doesn't release",
    "is not destroyed",
    "is not freed",
    "still be destroyed",
    "still be freed",
    "still be released",
    "without destroying",
    "without freeing",
];

/// That no NUL ends a text.
const UNENDED: &[&str] = &[
    "need not be nul",
    "non nul terminated",
    "not 0 terminated",
    "not a string",
    "not be nul terminated",
    "not necessarily nul",
    "not nul terminated",
    "not terminated",
    "not zero terminated",
    "unterminated",
];

/// Whether the comment begins with that: `Initialize raw decoder`, not `Initialized by the decoder`.
pub(super) fn initializes(function: &Function) -> bool {
    let doc = function.doc.as_deref().unwrap_or_default();
    let mut words = doc.split(|c: char| !c.is_alphanumeric() && c != '\\' && c != '@');
    let first = words.find(|word| !word.is_empty() && !word.starts_with(['\\', '@'])).unwrap_or_default();
    let first = first.to_ascii_lowercase();
    ["initialise", "initialises", "initialize", "initializes"].contains(&first.as_str())
}

/// Whether an object changes hands or ends.
pub(super) fn owner(function: &Function) -> bool {
    sentences(function).iter().any(|sentence| {
        let said = |phrase: &str| {
            sentence.match_indices(phrase).any(|(at, _)| {
                // `The string is valid until the statement is destroyed, …` is about another end.
                let clause = sentence[..at].rsplit([',', ':']).next().unwrap_or_default();
                !(ENDINGS.contains(&phrase) && clause.contains("until "))
            })
        };
        OWNERSHIP.iter().chain(ENDINGS).copied().any(said)
    })
}

/// Whether a returned object is not the caller's.
pub(super) fn lent(function: &Function) -> bool {
    says(function, LENT)
}

/// Whether returned memory is the caller's.
pub(super) fn owned(function: &Function) -> bool {
    // `It must not be freed by the caller.`, `The string returned by expanded_sql(), however, must be freed.`
    let denied = |before: &str| {
        let words: Vec<&str> = before.split_whitespace().collect();
        let near = &words[words.len().saturating_sub(3)..];
        near.iter().any(|word| ["not", "never"].contains(word) || word.ends_with("n't"))
    };
    let name = function.name.to_lowercase();
    let of_another = |before: &str| {
        [" of ", " by ", " from "].iter().any(|by| {
            let called = before.rsplit_once(by).and_then(|(_, rest)| rest.split_once('('));
            called.is_some_and(|(called, _)| called != name && !called.contains(' '))
        })
    };
    let said = |sentence: &str, phrase: &str| {
        sentence.split_once(phrase).is_some_and(|(before, _)| !denied(before) && !of_another(before))
    };
    sentences(function).iter().any(|sentence| OWNED.iter().any(|phrase| said(sentence, phrase)))
}

/// Whether returned memory has been allocated by this call.
pub(super) fn allocated(function: &Function) -> bool {
    says(function, &["new allocated", "newly allocated"])
}

/// Whether what goes in is still needed after the call.
pub(super) fn kept(function: &Function) -> bool {
    says(function, KEPT)
}

/// Whether the function has a copy of what goes in under one of these names, and nothing it speaks of is needed any longer.
pub(super) fn copied(function: &Function, called: &[String]) -> bool {
    !kept(function) && copied::copied(function, called)
}

/// Whether something may go on using an object that goes in: what is said of what is returned is about that.
pub(super) fn keeps_object(function: &Function) -> bool {
    let said = |sentence: &String| {
        let frees = sentence.contains("must not free") || sentence.contains("not be freed");
        let used =
            sentence.contains("in use") || sentence.contains("is used") || sentence.contains("being used");
        frees && used || KEPT_OBJECT.iter().any(|phrase| sentence.contains(phrase))
    };
    let returned = |sentence: &String| sentence.contains("return") || sentence.contains("result");
    kept(function) || sentences(function).iter().any(|sentence| said(sentence) && !returned(sentence))
}

/// Whether the function has a copy of an object that is called so: not of the pointer to it, or of what it is called.
pub(super) fn copies_object(function: &Function, called: &[String]) -> bool {
    !keeps_object(function) && copied::copied(function, called)
}

/// Whether what is returned may be another one later, or gone.
pub(super) fn passes(function: &Function) -> bool {
    says(function, PASSING)
}

/// Whether what a function ends is there afterwards.
pub(super) fn outlived(function: &Function) -> bool {
    says(function, OUTLIVED)
}

/// Whether a text may be without a NUL at its end.
pub(super) fn unended(function: &Function) -> bool {
    says(function, UNENDED)
}

fn says(function: &Function, phrases: &[&str]) -> bool {
    sentences(function).iter().any(|sentence| phrases.iter().any(|phrase| sentence.contains(phrase)))
}

/// The sentences of a function's comment in lower case, without hyphens, and with one spelling of NUL.
fn sentences(function: &Function) -> Vec<String> {
    let Some(doc) = &function.doc else {
        return Vec::new();
    };
    let text = doc.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let text = text.replace('-', " ").replace("null", "nul");
    text.split(['.', ';']).map(|sentence| sentence.trim().to_owned()).collect()
}
