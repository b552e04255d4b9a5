//! What a comment says of memory that goes in: who frees it, and what it has to be.

use hotcell_model::api::Function;

use super::{is_about_another, sentences, words_of};

/// Phrases of a comment by which memory that goes in is taken over, or has to be of the library's own.
const TAKEN: &[&str] = &[
    "adopted",
    "adopts",
    "allocated by",
    "allocated on",
    "allocated using",
    "allocated with",
    "are released",
    "by malloc",
    "calloc",
    "consumed by",
    "consumes",
    "dealloc",
    "delete it",
    "deletes it",
    "disposed",
    "disposes",
    "does free",
    "freed",
    "freeing it",
    "frees",
    "from malloc",
    "from the heap",
    "g_malloc",
    "given back",
    "gives away",
    "goes with the",
    "handed over",
    "hands over",
    "has to be allocated",
    "have been allocated",
    "heap allocated",
    "heap memory",
    "heap string",
    "is released",
    "malloc'",
    "malloc()ed",
    "malloced",
    "must be allocated",
    "must come from",
    "must come out of",
    "needs to be allocated",
    "on the heap",
    "owned by",
    "ownership",
    "property of",
    "realloc",
    "released by it",
    "released by the",
    "relinquish",
    "should be allocated",
    "steal",
    "stolen",
    "take over",
    "takes over",
    "transfer full",
    "transfer: full",
    "unmaps",
    "using malloc",
    "will free it",
    "will release",
    "with malloc",
];

/// Phrases of a comment by which it is known by where it is, and a copy would be another one.
const BY_PLACE: &[&str] = &[
    "aligned to",
    "be a literal",
    "be a string literal",
    "be aligned",
    "be literals",
    "be obtained",
    "be static",
    "be string literals",
    "been obtained",
    "before buf",
    "before data",
    "behind buf",
    "bounce",
    "buffer returned by",
    "by address",
    "by its address",
    "by pointer",
    "by reference",
    "compile time constant",
    "constant memory",
    "constant storage",
    "data obtained",
    "data returned by",
    "dma",
    "forever",
    "gives back",
    "got by",
    "got from",
    "got with",
    "headroom",
    "immortal",
    "in flash",
    "in front of",
    "in rom",
    "in static",
    "in the buffer",
    "in the text of",
    "inside of the",
    "interned",
    "interns",
    "library's atoms",
    "library's own",
    "library's strings",
    "memory returned by",
    "name returned by",
    "names returned by",
    "one of the names",
    "one of the strings",
    "one of the values returned",
    "page aligned",
    "permanent memory",
    "permanent storage",
    "permanent string",
    "point into",
    "pointer comparison",
    "pointer into",
    "pointer itself",
    "pointer obtained",
    "pointer returned by",
    "pointers returned by",
    "points behind",
    "points into",
    "points to the end",
    "position in the buffer",
    "position in the text",
    "pushes text back",
    "puts the string back",
    "read only memory",
    "read only section",
    "same address",
    "same pointer",
    "same string that",
    "shared memory",
    "static array",
    "static buffer",
    "static duration",
    "static lifetime",
    "static memory",
    "static storage",
    "static string",
    "static text",
    "string constant",
    "string obtained",
    "string returned by",
    "strings returned by",
    "text obtained",
    "text returned by",
    "that was added",
];

/// Whether memory that goes in may be taken over, or must be what the library, or the compiler, has made, by what the comment says of anything but the result.
pub(in crate::infer) fn takes_memory(function: &Function) -> bool {
    let result = function.result.pointee().is_some();
    let of_result = |sentence: &str| {
        let begins = sentence.trim_start_matches(['@', '\\', ' ', '^']);
        result && sentence.contains("return") || begins.starts_with("return") || begins.starts_with("retval")
    };
    let said = |sentence: &String| {
        TAKEN.iter().chain(BY_PLACE).any(|phrase| {
            sentence.match_indices(phrase).any(|(at, _)| {
                let begins =
                    !sentence[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_');
                let whole =
                    phrase.len() > 4 || !sentence[at + phrase.len()..].starts_with(char::is_alphabetic);
                // `allocated by the user with a size of n bytes`, `re-initialized or freed`.
                let behind = &sentence[at + phrase.len()..];
                let callers = ["the user", "the caller", "the application", "you"]
                    .iter()
                    .any(|who| behind.trim_start().starts_with(who));
                begins && whole && !callers && !sentence[..at].ends_with(" or ")
            })
        })
    };
    let names: Vec<String> =
        function.params.iter().filter_map(|param| param.name.as_deref()).map(str::to_lowercase).collect();
    // Of what comes out it is said without a name.
    let of_param = |sentence: &str| {
        sentence
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .any(|word| word.len() > 1 && names.iter().any(|name| name == word))
    };
    // `The words of a text, freed with lib_free()` come out.
    let out = |sentence: &str| {
        let handed = function.params.iter().filter(|param| {
            param.ty.pointee().is_some_and(|(pointer, constant)| !constant && pointer.pointee().is_some())
        });
        handed
            .filter_map(|param| param.name.as_deref())
            .any(|name| name.len() > 1 && words_of(sentence).any(|word| word == name.to_lowercase()))
    };
    sentences(function).iter().any(|sentence| {
        (!result || of_param(sentence))
            && !out(sentence)
            && said(sentence)
            && !of_result(sentence)
            && !is_about_another(sentence, function)
    })
}

/// Whether a comment says first that something is set, or what it is from then on: `Makes text the prompt`, `The domain for messages`. It is so when the function
/// has returned.
pub(in crate::infer) fn settles(function: &Function) -> bool {
    let all = sentences(function);
    let Some(first) = all.first() else { return false };
    let word = words_of(first).find(|word| !word.is_empty()).unwrap_or_default();
    let sets = ["chang", "choos", "configur", "defin", "install", "mak", "select", "sets", "use"];
    let is_set = word == "set" || sets.iter().any(|begin| word.starts_with(begin));
    let noun = word == "the" && !first.contains(" is ") && !first.contains(" are ");
    is_set
        || noun
        || ["becomes", "is prepended", "is used for all", "part of the environment"]
            .iter()
            .any(|it| first.contains(it))
}
