//! Whether a function that is called like an end is one by its comment.
//!
//! A verb of a name says that something ends, and not what: `cache_free(cache)` may free its oldest entry, and `line_terminate(line)` writes a
//! CR and an LF. A comment that says so says of what: `Frees the cache.`, `Discard a given face object`, `all of it is freed`. Where there is one it has to say
//! it of what the function takes.

use hotcell_model::api::Function;
use hotcell_model::types::Type;

use super::{sentences, words_of};
use crate::infer::names::words;
use crate::infer::words::abbreviations::whole;
use crate::infer::words::objects::GIVES_UP;

/// First words of a comment that says what is asked: `Whether the iteration is over`.
const QUESTIONS: &[&str] = &[
    "ask", "asks", "check", "checks", "is", "nonzero", "return", "returns", "test", "tests", "true",
    "whether",
];

/// Endings of names that say as often that something else ends: what an object does, or a question whether it has.
const WEAK: &[&str] = &["clear", "close", "delete", "done", "drop", "end", "finish", "release"];

/// Those of them that are nouns and adjectives as well, in the name of a function that returns a number.
const NOUNS: &[&str] = &["done", "end", "finish"];

/// Last words of names that say what an object does no longer: one that they say it of is there as before, as far as nothing else is said.
const HALTS: &[&str] = &["discard", "exit", "halt", "put", "quit", "stop"];

/// Words of names by which something outside of the process may go.
const DELETES: &[&str] = &["del", "delete", "discard", "drop", "release"];

/// Parts of names that say that nothing is left.
const STRONG: &[&str] =
    &["dealloc", "decref", "deinit", "destroy", "dispose", "finali", "free", "uninit", "unref"];

/// Beginnings of verbs by which a comment says that something ends.
const VERBS: &[&str] = &[
    "clean", "clos", "dealloc", "delet", "destr", "discard", "dispos", "drop", "end", "finali", "finish",
    "free", "releas", "shut", "tear", "terminat",
];

/// What such a comment calls the object, or all that it has.
const THINGS: &[&str] = &[
    "all",
    "allocated",
    "data",
    "down",
    "everything",
    "it",
    "itself",
    "memory",
    "one",
    "resource",
    "resources",
    "storage",
    "them",
    "this",
    "up",
];

/// What it calls one whose type stands before that: *a given face object*.
const KINDS: &[&str] = &[
    "class",
    "context",
    "descriptor",
    "entity",
    "handle",
    "instance",
    "object",
    "pointer",
    "state",
    "struct",
    "structure",
    "structures",
    "objects",
];

/// Those of them that are several.
const PLURALS: &[&str] = &["objects", "structures"];

/// What is outside of the process, or is locked and let go: that it is deleted or released says nothing of the memory that stands for it.
const OUTSIDE: &[&str] = &[
    "account",
    "bookmark",
    "bucket",
    "button",
    "channel",
    "circuit",
    "collection",
    "column",
    "contour",
    "database",
    "db",
    "directory",
    "door",
    "element",
    "entry",
    "field",
    "file",
    "folder",
    "gate",
    "group",
    "index",
    "key",
    "latch",
    "lock",
    "loop",
    "message",
    "mouse",
    "mutex",
    "namespace",
    "paragraph",
    "path",
    "polygon",
    "privileges",
    "process",
    "record",
    "row",
    "rule",
    "semaphore",
    "shutter",
    "snapshot",
    "spinlock",
    "store",
    "subpath",
    "table",
    "tag",
    "tenant",
    "thread",
    "topic",
    "trigger",
    "user",
    "valve",
    "view",
    "volume",
];

/// What is shut and opened, drawn or written to its end, which says as little.
const SHUT: &[&str] = &[
    "bracket",
    "button",
    "circuit",
    "contour",
    "door",
    "element",
    "gate",
    "group",
    "latch",
    "loop",
    "mouse",
    "paragraph",
    "path",
    "polygon",
    "shutter",
    "subpath",
    "tag",
    "valve",
];

/// Verbs by which that is said, and an object may end as well: a file that is closed is one.
const SHUTS: &[&str] = &["clos", "end", "finish", "shut"];

/// Verbs that are said of such things as well as of memory.
const OUTWARD: &[&str] = &["clos", "delet", "drop", "discard", "end", "finish", "releas", "shut", "terminat"];

/// Words of a comment that say that it is about memory all the same.
const OF_MEMORY: &[&str] = &[
    "allocated",
    "created",
    "dealloc",
    "destr",
    "dispos",
    "free",
    "handle",
    "instance",
    "invalid",
    "memory",
    "object",
    "pointer",
    "resource",
    "struct",
    "context",
    "opened",
];

/// Adjectives by which not all ends.
const SOME: &[&str] = &[
    "cached",
    "current",
    "idle",
    "last",
    "oldest",
    "pending",
    "previous",
    "spare",
    "temporary",
    "unneeded",
    "unused",
];

/// Phrases of a comment by which what has ended is there for another round, or only asked to end.
const AFRESH: &[&str] = &[
    "afresh",
    "any number of times",
    "asks for the",
    "asks that the",
    "but not if",
    "call before",
    "call this before",
    "can be started",
    "can be used",
    "close callback",
    "collector",
    "filled again",
    "for another",
    "for the next",
    "fresh one",
    "if its reference count",
    "if the reference count",
    "in the callback",
    "may be called any",
    "may be started",
    "next request",
    "no effect on the object",
    "reopens",
    "request that",
    "requests that",
    "requests the",
    "restart",
    "schedul",
    "unless it has a parent",
];

/// Words that may stand before it.
const ARTICLES: &[&str] = &[
    "a",
    "all",
    "also",
    "an",
    "any",
    "dynamically",
    "entire",
    "existing",
    "given",
    "its",
    "previously",
    "some",
    "that",
    "the",
    "whole",
];

/// Words with which it is over.
const BEHIND: &[&str] = &[
    "after",
    "and",
    "as",
    "associated",
    "at",
    "before",
    "by",
    "created",
    "for",
    "from",
    "if",
    "in",
    "including",
    "obtained",
    "occupied",
    "of",
    "on",
    "opened",
    "or",
    "previously",
    "returned",
    "so",
    "that",
    "to",
    "unless",
    "used",
    "using",
    "via",
    "when",
    "which",
    "with",
];

/// Those of the verbs that are said of memory.
const FREES: &[&str] = &["clean", "dealloc", "destr", "free", "releas"];

/// Beginnings of words of a comment by which what it speaks of is there afterwards.
const STAYS: &[&str] = &["again", "keep", "reopen", "reus", "remain", "stay"];

/// Words that stand behind the object of such a sentence where somebody else does it, or another time.
const OTHERS: &[&str] = &["automatically", "by", "later", "once", "when", "whenever", "with"];

/// Whether a function that is called like an end of its only object is none by its comment: that asks, says that the object goes on, or
/// speaks of what is on a disk; or speaks of another thing. What only halts something is none where nothing is said.
pub(in crate::infer) fn is_no_end(function: &Function) -> bool {
    let name = words(&function.name);
    // `finish` says less than `fini`.
    let strong = name.iter().any(|word| word == "fini" || STRONG.iter().any(|part| word.contains(part)));
    let halts = name.last().is_some_and(|last| HALTS.iter().any(|halt| last.ends_with(halt)));
    if is_other_end(function) || function.doc.is_none() && halts && !strong {
        return true;
    }
    if function.doc.is_none() || gives_up(function) {
        return false;
    }
    match said(function) {
        Said::It => false,
        Said::Other => true,
        Said::Nothing => !strong || function.result.is_scalar(),
    }
}

/// Whether the comment of a function that is seen to free what it is given says that this stays, is asked to end or is begun again, or that something
/// outside of the process is deleted, which nobody wants who only lets go of the object.
pub(in crate::infer) fn is_more_than_freeing(function: &Function) -> bool {
    let name = words(&function.name);
    let outward = name.iter().any(|word| DELETES.contains(&word.as_str()))
        && !name.iter().any(|word| word.contains("free"));
    let own = own(function);
    let outside = |word: &str| OUTSIDE.contains(&word) && !own.iter().any(|own| own == word);
    let text = sentences(function).join(". ");
    outward && words_of(&text).any(outside)
        || stays(function)
        || AFRESH.iter().any(|phrase| text.contains(phrase))
}

/// Whether a comment says that what ends is there afterwards: `Closes the file, keeping the object`, `It can be run again`.
fn stays(function: &Function) -> bool {
    clauses(function).iter().any(|clause| {
        let mut all = words_of(clause);
        let denied = words_of(clause).any(|word| ["cannot", "never", "no", "not"].contains(&word));
        !denied && all.any(|word| STAYS.iter().any(|stays| word.starts_with(stays)))
    })
}

/// Whether the comment says that callers are to call something else, or nothing: `do not call json_delete directly`.
pub(in crate::infer) fn is_for_others(function: &Function) -> bool {
    const TOLD: &[&str] = &[
        "deprecated",
        "do not call",
        "do not use",
        "don't call",
        "don't use",
        "instead of",
        "internal",
        "must not call",
        "never call",
        "not be called",
        "not to be called",
        "obsolete",
        "only called",
        "only for",
        "private",
        "should call",
        "use instead",
    ];
    sentences(function).iter().any(|sentence| TOLD.iter().any(|told| sentence.contains(told)))
}

/// Whether comments say that the one function begins and the other one frees the same thing, each in one sentence and in the same words: `init a bignum`
/// and `free a bignum`. What they call so is then what both functions take, whatever its type is called.
pub(in crate::infer) fn is_end_of(end: &Function, begin: &Function) -> bool {
    let freed = spoken_of(end, &["dealloc", "destr", "free"]);
    freed.is_some() && freed == spoken_of(begin, &["alloc", "construct", "creat", "init", "set up"])
}

/// What is behind the verb in a comment that says no more than a verb and one thing: not which of several, where or when.
fn spoken_of(function: &Function, verbs: &[&str]) -> Option<Vec<String>> {
    let sentences = sentences(function);
    let mut said = sentences.iter().filter(|sentence| !sentence.is_empty());
    let (Some(sentence), None) = (said.next(), said.next()) else { return None };
    let plain = |c: char| c.is_alphanumeric() || c == ' ' || c == '_';
    if !verbs.iter().any(|verb| sentence.starts_with(verb)) || !sentence.chars().all(plain) {
        return None;
    }
    let thing: Vec<&str> =
        words_of(sentence).skip(1).skip_while(|word| ["a", "an", "the", "up"].contains(word)).collect();
    let other = |word: &&str| {
        [SOME, OUTSIDE, SHUT, THINGS, ARTICLES, BEHIND, OTHERS].iter().any(|list| list.contains(word))
    };
    (matches!(thing.len(), 1 | 2) && !thing.iter().any(other))
        .then(|| thing.into_iter().map(str::to_owned).collect())
}

/// What a comment says of an end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Said {
    /// That what the function takes ends.
    It,
    /// That another thing does.
    Other,
    /// Nothing.
    Nothing,
}

/// What a comment says ends first: `Closes it.`, `Frees memory`, `Destroys the item`, `all of it is freed`, `a destructor`. `Closes the current tag` is about something
/// else, and `the number of free slots` about nothing that is done.
fn said(function: &Function) -> Said {
    let own = own(function);
    let is_own = |word: &str| {
        own.iter().any(|own| own == word || word.strip_prefix(own.as_str()).is_some_and(|rest| rest == "s"))
    };
    // `Close the cipher handle H`.
    let named = |word: &str| {
        word.len() < 3
            && function
                .params
                .iter()
                .any(|param| param.name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(word)))
    };
    // The head of what is spoken of stands last.
    let is_it = |phrase: &[&str]| {
        let phrase = match phrase {
            [before @ .., last] if !before.is_empty() && named(last) => before,
            all => all,
        };
        match phrase {
            [] => true,
            [.., last] if THINGS.contains(last) || is_own(last) => true,
            [before @ .., last] => {
                // `Destroys the objects of the scene.`
                (!PLURALS.contains(last) || before.iter().any(|word| is_own(word)))
                    && KINDS.contains(last)
                    && (before.is_empty() || before.iter().any(|word| is_own(word)))
            }
        }
    };
    let clauses = clauses(function);
    let stays = stays(function);
    let text = sentences(function).join(". ");
    let afresh = AFRESH.iter().any(|phrase| text.contains(phrase));
    if afresh {
        return Said::Other;
    }
    let of_memory = clauses
        .iter()
        .any(|clause| words_of(clause).any(|word| OF_MEMORY.iter().any(|begin| word.starts_with(begin))));
    // `the pool itself is freed with its arena`.
    let goes_on = clauses.iter().any(|clause| {
        let mut words = words_of(clause).skip_while(|word| *word != "itself");
        words.next().is_some() && words.any(|word| OTHERS.contains(&word))
    });
    for clause in &clauses {
        let all: Vec<&str> = words_of(clause).filter(|word| !word.is_empty()).collect();
        let asks = ["how", "if", "number", "what", "when", "whether", "which", "why"];
        if all.iter().take(2).any(|word| asks.contains(word)) {
            continue;
        }
        if all.iter().any(|word| word.starts_with("destructor")) || calls_it(function, clause) {
            return Said::It;
        }
        let verb = |at: usize| VERBS.iter().any(|verb| all[at].starts_with(verb));
        for at in (0..all.len()).filter(|&at| verb(at)) {
            let (before, behind) = (&all[..at], &all[at + 1..]);
            let denied =
                before.iter().any(|word| ["never", "no", "not"].contains(word) || word.ends_with("n't"));
            if denied || all[at] == "end" && before.last() == Some(&"the") {
                continue;
            }
            if before.last().is_some_and(|word| ["are", "be", "is"].contains(word)) {
                let whose = before
                    .iter()
                    .rev()
                    .take(8)
                    .any(|word| THINGS.contains(word) || KINDS.contains(word) || is_own(word));
                let now = !behind.first().is_some_and(|word| OTHERS.contains(word));
                if all[at].ends_with("ed") && whose && now {
                    return Said::It;
                }
                continue;
            }
            let first = before.iter().all(|word| {
                ["also", "brief", "function", "it", "routine", "simply", "this", "just"].contains(word)
                    || word.contains(&function.name.to_lowercase())
            });
            let place = first
                || before
                    .last()
                    .is_some_and(|word| ["and", "may", "must", "or", "then", "to", "will"].contains(word))
                || all[at].ends_with('s');
            if !place {
                continue;
            }
            // `Disposes of the list's items.`
            let behind = if all[at].starts_with("dispos") {
                behind.strip_prefix(&["of"]).unwrap_or(behind)
            } else {
                behind
            };
            let object: Vec<&str> = behind
                .iter()
                .skip_while(|word| {
                    ARTICLES.contains(word) && **word != "all"
                        || VERBS.iter().any(|verb| word.starts_with(verb))
                        || ["and", "or"].contains(word)
                })
                .take_while(|word| !BEHIND.contains(word))
                .copied()
                .filter(|word| !ARTICLES.contains(word) || *word == "all")
                .collect();
            // `Frees the memory of the buffer`, `all of it`.
            let of = behind.iter().position(|word| *word == "of").map(|of| {
                behind[of + 1..]
                    .iter()
                    .filter(|word| !ARTICLES.contains(word))
                    .take_while(|word| !BEHIND.contains(word))
                    .copied()
                    .collect::<Vec<_>>()
            });
            let whole = object.last().is_none_or(|last| !THINGS.contains(last))
                || of.as_ref().is_none_or(|of| is_it(of));
            // `Frees up memory`, `Free memory in bytes`, `Delete one`, `Closes the door to the yard`.
            let head = object.last().copied().unwrap_or_default();
            let next = behind.iter().skip_while(|word| **word != head).nth(1).copied().unwrap_or_default();
            let memory = ["memory", "resources", "storage"].contains(&head);
            // `Frees all memory used by the pool's blocks`, `allocated for cached results`, `allocated by ctx_load()`.
            let whose =
                behind.iter().position(|word| ["allocated", "held", "occupied", "used"].contains(word));
            let of_parts = object.iter().any(|word| ["memory", "resources", "storage"].contains(word))
                && whose.is_some_and(|at| {
                    let phrase: Vec<&str> = behind[at + 1..]
                        .iter()
                        .skip_while(|word| {
                            ["by", "for", "in", "to"].contains(word) || ARTICLES.contains(word)
                        })
                        .take_while(|word| !BEHIND.contains(word))
                        .copied()
                        .collect();
                    let made = phrase.iter().any(|word| {
                        ["alloc", "creat", "init", "new", "open"].iter().any(|begin| word.starts_with(begin))
                            || word.ends_with("init")
                            || word.ends_with("alloc")
                    });
                    !is_it(&phrase) && !made
                });
            let shuts = SHUTS.iter().any(|verb| all[at].starts_with(verb));
            let things = if shuts { SHUT } else { OUTSIDE };
            let outside = OUTWARD.iter().any(|verb| all[at].starts_with(verb))
                && (things.contains(&head)
                    || head == "everything"
                    || object.last().is_some_and(|last| things.contains(last)))
                && !of_memory;
            // `Closes the path by drawing a line.`
            let how = behind.windows(2).any(|pair| {
                pair[0] == "by"
                    && pair[1].ends_with("ing")
                    && !["freeing", "releasing", "calling", "closing", "deallocating"].contains(&pair[1])
            });
            let part = object.iter().any(|word| SOME.contains(word));
            let some = of_parts
                || outside
                || how
                || part
                || ["data", "ones"].contains(&head)
                || head == "one" && next != "that"
                || head == "all" && of.is_none();
            let other = some
                || memory
                    && (object.contains(&"up")
                        || next == "in"
                        || !FREES.iter().any(|verb| all[at].starts_with(verb)))
                || ["from", "to"].contains(&next);
            return if is_it(&object) && whole && !goes_on && !stays && !other {
                Said::It
            } else {
                Said::Other
            };
        }
    }
    Said::Nothing
}

/// Whether the comment of what makes an object says that nobody has a reference yet: `Makes an object with a count of zero.`
pub(in crate::infer) fn uncounted(function: &Function) -> bool {
    const NOBODY: &[&str] = &[
        "count is 0",
        "count is zero",
        "count of 0",
        "count of zero",
        "floating",
        "no reference",
        "not yet referenced",
        "unreferenced",
        "without a reference",
        "zero reference",
    ];
    sentences(function).iter().any(|sentence| NOBODY.iter().any(|nobody| sentence.contains(nobody)))
}

/// Whether the comment of a function says that it calls another one.
pub(in crate::infer) fn calls(function: &Function, other: &str) -> bool {
    let other = other.to_lowercase();
    clauses(function).iter().any(|clause| {
        let mut words = clause.split_whitespace();
        let not = words.clone().any(|word| ["never", "no", "not"].contains(&word) || word.ends_with("n't"));
        !not && words.any(|word| word == "calls") && words.any(|word| word == other)
    })
}

/// Whether a clause says that a function calls another one that is called like itself, but for how: `archive_free` *calls archive_read_free()*.
fn calls_it(function: &Function, clause: &str) -> bool {
    let own = words(&function.name);
    let called = |word: &str| {
        let all = words(word);
        word != function.name.to_lowercase() && own.iter().all(|own| all.contains(own))
    };
    let all: Vec<&str> = clause.split_whitespace().collect();
    let not = |word: &&str| ["each", "every", "never", "no", "not"].contains(word) || word.ends_with("n't");
    let strong = |name: &[String]| name.iter().any(|word| STRONG.iter().any(|part| word.contains(part)));
    strong(&own) && all.windows(2).any(|pair| pair[0] == "calls" && called(pair[1])) && !all.iter().any(not)
}

/// Whether a function is called like one that gives up a reference, and its comment says so: `Decrements the reference count of the icalattach.`
fn gives_up(function: &Function) -> bool {
    let less = |sentence: &String| {
        let mut all = words_of(sentence).filter(|word| !word.is_empty() && *word != "brief");
        all.next().is_some_and(|verb| ["decreas", "decrement"].iter().any(|less| verb.starts_with(less)))
            && all.any(|word| ["ref", "refcount", "reference", "references"].contains(&word))
    };
    let denied = |sentence: &String| sentence.contains("not free") || sentence.contains("not release");
    !sentences(function).iter().any(denied)
        && words(&function.name).iter().any(|word| GIVES_UP.contains(&word.as_str()))
        && sentences(function).iter().any(less)
}

/// What a comment may call what the function takes: its names, and those of its types.
fn own(function: &Function) -> Vec<String> {
    let named = |name: &str| {
        let mut all = words(name);
        all.push(name.to_lowercase());
        all
    };
    function
        .params
        .iter()
        .filter_map(|param| {
            Some((param.name.clone(), param.ty.pointee()?.0.written.clone(), param.ty.written.clone()))
        })
        .flat_map(|(name, pointee, ty)| name.into_iter().chain([pointee, ty]))
        .flat_map(|name| named(name.trim_end_matches([' ', '*']).rsplit(' ').next().unwrap_or_default()))
        .filter(|word| {
            word.len() > 2 || word.len() == 2 && function.name.to_lowercase().starts_with(word.as_str())
        })
        .flat_map(|word| whole(&word).map(str::to_owned).chain([word.clone()]).collect::<Vec<_>>())
        .collect()
}

/// The sentences of a comment, without what marks their parts: `@function: FT_Done_Face @description: Discard a given face object`.
fn clauses(function: &Function) -> Vec<String> {
    let plain = |sentence: &String| sentence.replace([',', ':', '(', ')'], " and ");
    let mut found = Vec::new();
    for sentence in sentences(function) {
        let mut clause: Vec<&str> = Vec::new();
        for word in sentence.split_whitespace() {
            let marks = word.starts_with('@') && word.ends_with(':') || ["@brief", "\\brief"].contains(&word);
            if marks {
                found.push(clause.join(" "));
                clause.clear();
            } else {
                clause.push(word);
            }
        }
        found.push(clause.join(" "));
    }
    found.iter().map(plain).collect()
}

/// Whether the comment asks, or says that the object goes on.
fn is_other_end(function: &Function) -> bool {
    let last = words(&function.name).pop().unwrap_or_default();
    if !WEAK.iter().any(|weak| last.ends_with(weak)) {
        return false;
    }
    let all = sentences(function);
    let number = function.result.is_scalar();
    let Some(first) = all.first().and_then(|sentence| words_of(sentence).find(|word| !word.is_empty()))
    else {
        // `int xfer_done(xfer *)` and `bool job_finish(job *)` ask, `int list_end(list *)` gets.
        let asks = function.result.kind == Type::Bool;
        return number
            && (["done", "end"].contains(&last.as_str()) || asks && NOUNS.contains(&last.as_str()));
    };
    let said = |words: &[&str]| {
        all.iter()
            .any(|sentence| words_of(sentence).any(|word| words.iter().any(|begin| word.starts_with(begin))))
    };
    let frees = said(&["dealloc", "destroy", "dispos", "free", "releas"]);
    let ends = frees
        || said(&["clean", "clos", "destr", "discard", "shut", "tear"])
        || all.iter().any(|sentence| ["ends it", "ends this"].contains(&sentence.as_str()));
    QUESTIONS.contains(&first) && number && !frees
        || NOUNS.contains(&last.as_str()) && number && !ends
        || last == "clear" && !ends
        || said(&["again", "disk", "reopen", "reus", "simulat"])
        || all.iter().any(|sentence| sentence.contains("can be used") || sentence.contains("can be begun"))
        || last == "drop" && !frees && !said(&["delet", "drop", "end"])
}
