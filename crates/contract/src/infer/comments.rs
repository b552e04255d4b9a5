//! What the comment of a function says that its declaration does not: who owns, what is kept, where a text ends.
//!
//! Comments stop rules here, but for one thing: what is copied is not kept. What else they promise is another matter: see
//! `documented-output`.

use hotcell_model::api::Function;

mod copied;
mod ends;
mod freed;
mod hands;
mod later;
mod made;
mod memory;
mod units;

pub(super) use ends::{calls, is_end_of, is_for_others, is_more_than_freeing, is_no_end, uncounted};
pub(super) use freed::{FreedBy, freed_by};
pub(super) use hands::{goes, noted};
pub(super) use later::{goes_on, lasts, works_on};
pub(super) use made::{makes, shallow};
pub(super) use memory::{settles, takes_memory};
pub(super) use units::counts_other;

/// That an object is gone, or somebody else's, after the call.
const OWNERSHIP: &[&str] = &[
    "back to the pool",
    "cease",
    "hands it back",
    "is stolen",
    "is stored in",
    "loses the",
    "torn down",
    "becomes the property of",
    "consumes the",
    "consumes this",
    "invalid after",
    "ownership",
    "takes over",
];

/// The same, of something that ends: until then another thing may be valid.
const ENDINGS: &[&str] = &[
    "be used afterwards",
    "becomes invalid",
    "is gone",
    "is invalid then",
    "not be touched",
    "not be used after",
    "touch it again",
    "is destroyed",
    "no longer be used",
    "no longer usable",
    "no longer valid",
    "not usable",
];

/// Verbs by which a comment says what the function does that ends something.
const ENDS: &[&str] = &["deallocates", "destroys", "disposes", "ends", "frees", "releases"];

/// That a returned object is not the caller's.
const LENT: &[&str] = &[
    "do not free",
    "don't free",
    "freed by the library",
    "never be freed",
    "never free",
    "not be passed to",
    "not be freed",
    "not to be freed",
    "owned by",
    "belongs to",
    "borrowed",
    "garbage",
    "property of",
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

/// The same, but of what is returned.
const NOTED: &[&str] = &[
    "does not duplicate",
    "doesn't duplicate",
    "for the lifetime",
    "has to live",
    "has to remain",
    "has to stay",
    "have to live",
    "have to remain",
    "have to stay",
    "holds a pointer",
    "is not duplicated",
    "isn't duplicated",
    "keep a pointer",
    "keeps a pointer",
    "keeps the pointer",
    "kept alive",
    "must be kept",
    "must be valid until",
    "must not be changed until",
    "must not be freed before",
    "must not be freed until",
    "must not be modified until",
    "need to remain",
    "need to stay",
    "needs to live",
    "needs to remain",
    "needs to stay",
    "should stay",
    "stores a pointer",
    "stores the pointer",
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
    ") 1 on failure",
    "1 on error",
    "\\0\\0",
    "always 4",
    "always 8",
    "an empty one",
    "an empty string at the end",
    "argv style",
    "array of names",
    "array of strings",
    "binary data",
    "blank padded",
    "bytes received",
    "double nul",
    "embedded nul",
    "ended by two",
    "exactly 16",
    "fixed width",
    "four cc",
    "four character code",
    "fourcc",
    "length byte",
    "length prefixed",
    "letters have no",
    "like strncpy",
    "list of strings",
    "may contain nul",
    "may hold nul",
    "need not be nul",
    "need not be terminated",
    "need not end",
    "no nul",
    "no terminator",
    "no trailing nul",
    "non nul terminated",
    "not 0 terminated",
    "not a string",
    "not be nul terminated",
    "not be terminated",
    "not end in a",
    "not end in nul",
    "not end with",
    "not ended by",
    "not followed by a nul",
    "not necessarily nul",
    "not nul terminated",
    "not terminated",
    "not zero ended",
    "not zero terminated",
    "nul separated",
    "of fixed length",
    "padded with",
    "pascal string",
    "pixel data",
    "raw bytes",
    "separated by nul",
    "space padded",
    "two nul",
    "unterminated",
    "wide string",
    "without a nul",
    "without a terminating",
    "without a terminator",
    "without nul",
    "without terminat",
    "zero padded",
];

/// Verbs of a comment that says what a function does to what it begins.
const INITIALIZES: &[&str] = &[
    "init",
    "initialise",
    "initialises",
    "initialising",
    "initialize",
    "initializes",
    "initializing",
    "inits",
    "reinitialise",
    "reinitialises",
    "reinitialize",
    "reinitializes",
];

/// The same of what was done, which says as often what something is.
const INITIALIZED: &[&str] = &["initialised", "initialized", "reinitialised", "reinitialized"];

/// Words behind which a sentence says what is done before, after or without this call: `Must be called before you initialize it`.
const ANOTHER: &[&str] = &[
    "after", "before", "cannot", "if", "must", "never", "no", "not", "once", "should", "until", "when",
    "who", "without", "you",
];

/// Words behind *initialized* that say by what, where or how something is.
const STATE: &[&str] = &[
    "after", "and", "as", "at", "before", "by", "during", "from", "if", "in", "on", "only", "or", "through",
    "to", "using", "via", "when", "with", "without",
];

/// Whether the comment says first that the function initializes something: `Initialize raw decoder`, `This function initializes …`,
/// `Allocates and initializes …`, `Initialized the flow for decoding`; not `Initialized by the decoder`.
pub(super) fn initializes(function: &Function) -> bool {
    let doc = function.doc.as_deref().unwrap_or_default().to_lowercase();
    let text = doc
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace("(re-)", "re")
        .replace("(re)", "re")
        .replace("re-", "re");
    let first = text.split(". ").next().unwrap_or_default();
    let words: Vec<&str> = first
        .split(|c: char| !c.is_alphanumeric() && !['\\', '@', '\'', '_', '('].contains(&c))
        .map(|word| word.trim_start_matches('('))
        .filter(|word| !word.is_empty() && !word.starts_with(['\\', '@']))
        .collect();
    let done = words.first().is_some_and(|word| INITIALIZED.contains(word))
        && words.get(1).is_some_and(|word| !STATE.contains(word));
    let does = words.iter().position(|word| INITIALIZES.contains(word));
    let about_this =
        |at: usize| !words[..at].iter().any(|word| ANOTHER.contains(word) || word.ends_with("n't"));
    done || does.is_some_and(about_this)
}

/// Whether an object changes hands or ends.
pub(super) fn owner(function: &Function) -> bool {
    sentences(function).iter().any(|sentence| {
        if words_of(sentence).next().is_some_and(|word| ENDS.contains(&word)) {
            return true;
        }
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

/// Verbs of a comment by which an object that goes in ends, or is somebody else's.
const MAY_END: &[&str] = &[
    "closes",
    "consumes",
    "deallocates",
    "deletes",
    "destroys",
    "disposes",
    "drops",
    "frees",
    "keeps",
    "releases",
    "takes",
];

/// The same of what is done to it.
const ENDED: &[&str] =
    &["closed", "consumed", "deallocated", "deleted", "destroyed", "disposed", "freed", "kept", "released"];

/// Beginnings of the same verbs, in the form in which a comment tells what to do.
const STEMS: &[&str] = &[
    "ceas",
    "clos",
    "consum",
    "delet",
    "destroy",
    "dispos",
    "free",
    "invalidat",
    "recycl",
    "releas",
    "shut",
    "steal",
    "tear",
    "transfer",
    "unref",
];

/// Beginnings of verbs by which somebody else has an object behind the call: *the pool owns the connection*.
const OWNS: &[&str] = &["belong", "own"];

/// The same of what it is put into, handed to, or stored in.
const PUTS: &[&str] = &[
    "attach", "enqueu", "handed", "handing", "hands", "insert", "push", "put", "queu", "regist", "sav",
    "stor",
];

/// What stands behind it there.
const INTO: &[&str] = &["back", "by", "in", "into", "on", "onto", "over", "to", "until", "with"];

/// What ends or stays so often that it says nothing of an object: texts, data, and what an object has.
const MEMORY: &[&str] = &[
    "blobs",
    "strings",
    "file",
    "files",
    "buffer",
    "bytes",
    "data",
    "memory",
    "message",
    "number",
    "output",
    "resources",
    "result",
    "returned",
    "space",
    "string",
    "text",
    "value",
];

/// Whether an object that goes in may be gone, or somebody else's, by what the comment says, whatever it calls the object: of a `req` it speaks as
/// of *the request*. What it says of memory, or of another parameter, is about that. `called` is what the object is called, `others` are what these are. That
/// something is kept is about the object where it is `alone`.
pub(super) fn may_end(function: &Function, called: &[String], others: &[String], alone: bool) -> bool {
    sentences(function).iter().filter(|sentence| !is_about_another(sentence, function)).any(|sentence| {
        // `NULL to use malloc() and free()` names functions.
        let said = sentence.split_whitespace().filter(|word| !word.contains("()"));
        let words: Vec<&str> = said.flat_map(words_of).filter(|word| !word.is_empty()).collect();
        let other = |word: &&str| {
            MEMORY.contains(word) || others.iter().any(|other| other.split(' ').next_back() == Some(word))
        };
        let denied = words.iter().any(|word| ["never", "not"].contains(word) || word.ends_with("n't"));
        let used = ["afterwards", "after this call", "used after", "use after"]
            .iter()
            .any(|it| sentence.contains(it));
        // `It must be freed with lib_free()` is another call's doing.
        let passive = |at: usize| {
            let before = &words[..at];
            before.last().is_some_and(|word| ["are", "been", "gets", "is"].contains(word))
                || before.ends_with(&["will", "be"])
        };
        // A `conn` is a connection.
        let own = |word: &str| {
            called
                .iter()
                .filter_map(|called| called.split(' ').next_back())
                .any(|own| own == word || own.len() > 2 && word.starts_with(own))
        };
        let it = |word: &&str| ["it", "itself", "this", "object"].contains(word) || own(word);
        // `will be added in future releases`, `keeps the same name`, `a function that takes a limit`.
        let verb = |at: usize| {
            let (before, behind) = (at.checked_sub(1).map(|at| words[at]), words.get(at + 1).copied());
            match words[at] {
                "releases" => !before
                    .is_some_and(|word| ["all", "future", "later", "new", "next", "older"].contains(&word)),
                "keeps" => alone && words.get(at + 1..at + 3) != Some(&["the", "same"]),
                "takes" => behind.is_none_or(|word| {
                    !["a", "an", "place"].contains(&word) && word.parse::<u32>().is_err() && !other(&word)
                }),
                word => MAY_END.contains(&word),
            }
        };
        // `Destroy the connection after sending.`, `Will free the connection.`
        let place = |at: usize| {
            let first =
                words[..at].iter().all(|word| ["also", "brief", "function", "it", "this"].contains(word));
            first || ["and", "may", "shall", "then", "will"].contains(&words[at - 1])
        };
        // `Free slots are counted.`
        let adjective = |at: usize| words[at + 1..].iter().take(3).any(|word| ["are", "is"].contains(word));
        let does = |at: usize| {
            place(at)
                && !adjective(at)
                && function.result.pointee().is_none()
                && !words[at].ends_with("ed")
                && STEMS.iter().any(|stem| words[at].starts_with(stem))
                // `FreeType doesn't use it.`
                && (!words[at].starts_with("free") || ["free", "freeing", "frees"].contains(&words[at]))
        };
        // `valid until the statement is destroyed`.
        let until = |at: usize| words[..at].iter().rev().take(8).any(|word| *word == "until");
        let said = |at: usize| {
            MAY_END.contains(&words[at]) && words[at + 1..].iter().take(6).any(it)
                || ENDED.contains(&words[at]) && passive(at) && words[at.saturating_sub(4)..at].iter().any(it)
        };
        let begin = |at: usize, list: &[&str]| list.iter().any(|begin| words[at].starts_with(begin));
        // Of what comes out a comment says *it* as well.
        let this = |word: &&str| own(word) || function.result.pointee().is_none() && it(word);
        let near = |at: usize| words[at + 1..].iter().take(3).position(this).map(|it_at| at + 1 + it_at);
        let into = |at: usize| words[at + 1..].iter().take(3).any(|word| INTO.contains(word));
        let had = |at: usize| {
            let by = passive(at) && words[at.saturating_sub(4)..at].iter().any(this);
            begin(at, OWNS) && (by || ["own", "owns"].contains(&words[at]) && near(at).is_some())
                || words[at] == "belongs" && words[..at].iter().any(this)
                || begin(at, PUTS) && (by && into(at) || place(at) && near(at).is_some_and(into))
        };
        let ends = |at: usize| {
            alone && had(at)
                || ["ends", "terminates"].contains(&words[at]) && near(at).is_some()
                || words[at] != "keeps" && words[at] != "kept" && said(at)
                || words[at] == "takes" && verb(at)
                || (verb(at) || does(at)) && !words[at + 1..].iter().take(4).any(other)
                || ENDED.contains(&words[at])
                    && (alone || words[at] != "kept")
                    && passive(at)
                    && !until(at)
                    && !words[at.saturating_sub(4)..at].iter().any(other)
        };
        denied && used || !denied && (0..words.len()).any(ends)
    })
}

/// Words of a comment by which what comes out ends by itself, is released by somebody, or is what others have.
const SHARED: &[&str] = &[
    "cache",
    "cached",
    "destroyed",
    "destroys",
    "freed",
    "frees",
    "managed",
    "recycled",
    "released",
    "releases",
    "reused",
    "share",
    "shared",
    "shares",
    "singleton",
];

/// Whether a sentence says what another function does: `The sqlite3_value_free(V) interface frees a value`.
fn is_about_another(sentence: &str, function: &Function) -> bool {
    let begins = sentence.trim_start_matches(['^', ' ']);
    let begins = begins.strip_prefix("the ").unwrap_or(begins).trim_start_matches("::");
    let name = begins.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
    !name.is_empty() && begins[name.len()..].starts_with('(') && name != function.name.to_lowercase()
}

/// Whether the comment speaks of an object that comes out so. What it says of what goes in is about that.
pub(super) fn shared(function: &Function, release: &str) -> bool {
    let names: Vec<String> =
        function.params.iter().filter_map(|param| param.name.as_deref()).map(str::to_lowercase).collect();
    // `It should then be destroyed with lib_destroy(), it cannot be reused`; `shared by several threads`.
    let with = ["with", "using", "calling"].map(|with| format!("{with} {}", release.to_lowercase()));
    let other = |sentence: &&String| {
        let plain = sentence.replace("::", "");
        with.iter().any(|with| plain.contains(with.as_str()))
            || sentence.contains("thread")
            || is_about_another(sentence, function)
    };
    sentences(function).iter().filter(|sentence| !other(sentence)).any(|sentence| {
        let words: Vec<&str> = sentence.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        let about_param = words.iter().any(|word| names.iter().any(|name| name.len() > 1 && name == word));
        let said = sentence.contains("only one")
            || sentence.contains("return the same")
            || sentence.contains("same pointer is returned")
            || sentence.contains("same object is returned")
            || sentence.contains("returns the same")
            || words.iter().any(|word| SHARED.contains(word));
        said && !about_param
    })
}

/// Whether a returned object is not the caller's, or the comment speaks of whose something is: `owned by the caller` is said of parts, of some
/// cases, and where it is denied.
pub(super) fn lent(function: &Function) -> bool {
    // `A floating point number.`
    let numbers =
        ["arithmetic", "coordinates", "format", "number", "numbers", "precision", "value", "values"];
    let is_number = |behind: &str| {
        let mut words = words_of(behind.trim_start());
        words.next() == Some("point") && words.next().is_some_and(|word| numbers.contains(&word))
    };
    sentences(function).iter().any(|sentence| {
        let found = |phrase: &&str| {
            let mut places = sentence.match_indices(phrase);
            places.any(|(at, _)| *phrase != "floating" || !is_number(&sentence[at + phrase.len()..]))
        };
        LENT.iter().any(found)
    })
}

fn words_of(sentence: &str) -> impl Iterator<Item = &str> {
    sentence.split(|c: char| !c.is_alphanumeric() && c != '\'')
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
        let before = places(sentence, phrase).next().map(|at| &sentence[..at]);
        before.is_some_and(|before| !denied(before) && !of_another(before))
    };
    sentences(function).iter().any(|sentence| OWNED.iter().any(|phrase| said(sentence, phrase)))
}

/// Beginnings of words of a comment that speaks of memory which is new, or has to be given back.
const GIVEN_BACK: &[&str] = &[
    "allocated",
    "allocates",
    "dealloc",
    "dispos",
    "free",
    "heap",
    "malloc",
    "owner",
    "owns",
    "releas",
    "responsib",
    "stol",
    "steal",
    "transfer",
    "unref",
    "recycl",
    "fresh",
    "newly",
];

/// Whether returned memory may be the caller's, in words that do not say so of it alone: any that speak of freeing and deny nothing.
pub(super) fn may_be_owned(function: &Function) -> bool {
    sentences(function).iter().any(|sentence| {
        let denied =
            words_of(sentence).any(|word| ["never", "no", "not"].contains(&word) || word.ends_with("n't"));
        let noun = |word: &str| ["freedom", "freely", "freeze", "freetype", "releases"].contains(&word);
        // `to be passed to item_str_free()`.
        let frees =
            |word: &str| ["_free", "_release", "_dispose", "_unref"].iter().any(|end| word.ends_with(end));
        let speaks =
            |word: &str| frees(word) || GIVEN_BACK.iter().any(|begin| word.starts_with(begin)) && !noun(word);
        let mut words = sentence.split(|c: char| !c.is_alphanumeric() && !['_', '\''].contains(&c));
        !denied
            && !sentence.contains("automatically freed")
            && !sentence.contains("automatically released")
            && words.any(speaks)
    })
}

/// Whether what goes in is still needed after the call.
pub(super) fn kept(function: &Function) -> bool {
    let noted = |sentence: &String| NOTED.iter().any(|phrase| sentence.contains(phrase));
    says(function, KEPT)
        || sentences(function).iter().any(|sentence| noted(sentence) && !is_about_result(sentence))
}

fn is_about_result(sentence: &str) -> bool {
    sentence.contains("return") || sentence.contains("result")
}

/// Whether the function has a copy of what goes in under one of these names, and nothing it speaks of is needed any longer.
pub(super) fn copied(function: &Function, called: &[String]) -> bool {
    !kept(function) && copied::copied(function, called)
}

/// Whether something may go on using an object that goes in: what is said of what is returned is about that.
pub(super) fn keeps_object(function: &Function) -> bool {
    let said = |sentence: &String| {
        let any = |phrases: &[&str]| phrases.iter().any(|phrase| sentence.contains(phrase));
        any(&["must not free", "not be freed"]) && any(&["in use", "is used", "being used"])
            || any(KEPT_OBJECT)
    };
    kept(function) || sentences(function).iter().any(|sentence| said(sentence) && !is_about_result(sentence))
}

/// Whether the function has a copy of an object that is called so: not of the pointer to it, or of what it is called.
pub(super) fn copies_object(function: &Function, called: &[String]) -> bool {
    !keeps_object(function) && copied::copied(function, called)
}

/// Whether what is returned may be another one later, or gone.
pub(super) fn passes(function: &Function) -> bool {
    says(function, PASSING)
}

/// Words of a comment by which an object is there for a time that somebody else decides, or as long as it is counted.
const LASTING: &[&str] =
    &["as long as", "counted", "life time", "lifetime", "ref count", "refcount", "reference count", "until"];

/// Whether a comment speaks of how long something is there.
pub(super) fn lasting(function: &Function) -> bool {
    says(function, LASTING)
}

/// Whether what a function ends is there afterwards.
pub(super) fn outlived(function: &Function) -> bool {
    says(function, OUTLIVED)
}

/// Whether a text may be without a NUL at its end.
pub(super) fn unended(function: &Function) -> bool {
    // `id: 16 bytes`, `Returns 16 bytes`.
    let bytes = |sentence: &String| {
        let words: Vec<&str> = words_of(sentence).filter(|word| !word.is_empty()).collect();
        let number = |word: &str| word.chars().all(|c| c.is_ascii_digit());
        matches!(words[..], [_, count, "bytes"] | [count, "bytes"] | ["returns" | "return" | "the", count, "bytes", ..] if number(count))
    };
    says(function, UNENDED) || sentences(function).iter().any(bytes)
}

/// Whether something is said that stops a rule: words that begin so say it, too.
fn says(function: &Function, phrases: &[&str]) -> bool {
    sentences(function).iter().any(|sentence| phrases.iter().any(|phrase| sentence.contains(phrase)))
}

/// Where a sentence has a phrase in whole words: `must free`, but not `must freeze`. Words that end with one are of its kind: `g_strdup`.
fn places<'a>(sentence: &'a str, phrase: &'a str) -> impl Iterator<Item = usize> + 'a {
    let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    sentence.match_indices(phrase).map(|(at, _)| at).filter(move |&at| {
        let (before, behind) = (&sentence[..at], &sentence[at + phrase.len()..]);
        let begins = phrase == "strdup" || !is_letter(before.chars().next_back());
        begins && !is_letter(behind.chars().next())
    })
}

/// The sentences of a function's comment in lower case, without hyphens, and with one spelling of NUL.
fn sentences(function: &Function) -> Vec<String> {
    let Some(doc) = &function.doc else {
        return Vec::new();
    };
    let words: Vec<&str> = doc.split_whitespace().collect();
    // `… the cost   Note 2 : dict is copied internally`: each note begins a sentence.
    let is_note = |at: usize| {
        let number = words.get(at + 1).is_some_and(|word| word.starts_with(|c: char| c.is_ascii_digit()));
        let colon = (at + 1..at + 3).any(|at| words.get(at).is_some_and(|word| word.contains(':')));
        words[at].eq_ignore_ascii_case("note") && number && colon
    };
    let separated = |at: usize| if is_note(at) { format!(". {}", words[at]) } else { words[at].to_owned() };
    let text = (0..words.len()).map(separated).collect::<Vec<_>>().join(" ").to_lowercase();
    let text = text.replace('-', " ").replace("null", "nul");
    text.split(['.', ';']).map(|sentence| sentence.trim().to_owned()).collect()
}

/// First words of a comment that says what a function is asked for: `How many there are.`, `Whether it is open.`
const ANSWERS: &[&str] = &[
    "count", "gets", "how", "its", "nonzero", "number", "returns", "the", "true", "what", "whether", "which",
];

/// Whether a comment begins with what is asked for, and not with what is done.
pub(super) fn answers(function: &Function) -> bool {
    let all = sentences(function);
    let first = all.iter().flat_map(|sentence| words_of(sentence)).find(|word| !word.is_empty());
    first.is_some_and(|word| ANSWERS.contains(&word))
}

/// Whether a comment begins with a verb that the function is called by: `Compiles it.` of `theme_compile`.
pub(super) fn says_verb(function: &Function) -> bool {
    let all = sentences(function);
    let marks = ["brief", "function", "it", "routine", "simply", "this", "will"];
    let first = all
        .iter()
        .flat_map(|sentence| words_of(sentence))
        .find(|word| word.len() > 1 && !marks.contains(word));
    let verbs = crate::infer::names::words(&function.name);
    first.is_some_and(|first| {
        verbs.iter().any(|verb| {
            let stem = verb.strip_suffix('e').unwrap_or(verb);
            stem.len() > 2 && first.starts_with(stem)
        })
    })
}
