//! What a comment says of who has an object when the call is over.
//!
//! What ends an object, hands it on or goes on with it is said in more words than a list has: *wraps up the job*, *the pool now has the job*, *the
//! job dies*. So what a comment says is done to the object itself has to be a verb that leaves it where it was, and so has what the object
//! does by itself. What else ends something, or goes on, is heard by words of it.

use hotcell_model::api::Function;

use super::{is_about_another, sentences, words_of};

/// Phrases of a comment by which an object is gone, or about to go.
const GONE: &[&str] = &[
    "a member of the",
    "assumes control",
    "be the last call",
    "becomes a member",
    "becomes a part",
    "becomes part",
    "be considered freed",
    "be considered gone",
    "be considered invalid",
    "be considered released",
    "dangling",
    "for deletion",
    "for destruction",
    "for the last time",
    "is an error then",
    "is dead",
    "is stale",
    "is then an error",
    "last call for",
    "last use of",
    "looks after",
    "made the child",
    "made the owner",
    "made the parent",
    "may only be closed",
    "may only be destroyed",
    "may only be freed",
    "must no longer",
    "must not call",
    "need to free it",
    "need to release it",
    "no further call",
    "no longer exist",
    "no other call",
    "not be used any",
    "off your hands",
    "part of the scene",
    "reclaim",
    "responsib",
    "self destruct",
    "t touch",
    "takes charge",
    "takes control",
    "used anymore",
];

/// Beginnings of verbs by which a count of who holds an object gets less.
const LOWERS: &[&str] = &[
    "decr", "drop", "giv", "lose", "loses", "lower", "reduc", "releas", "remov", "return", "sink",
    "subtract", "take", "takes", "unref",
];

/// What is counted.
const COUNTED: &[&str] = &["ref", "refcount", "reference", "references", "refs", "usecount"];

/// Phrases of a comment by which something goes on with an object when the function has returned.
const LATER: &[&str] = &[
    "in another thread",
    "asynchronously",
    "in background",
    "in the background",
    "from time to time",
    "in a separate thread",
    "in a thread",
    "in its own thread",
    "in the main loop",
    "is queued",
    "main loop runs",
    "must not be freed before",
    "must not be freed until",
    "must not free",
    "on a thread",
    "on another thread",
    "to a queue",
    "to the loop",
    "to the pool",
    "to the queue",
    "until it is over",
    "when it is idle",
    "whenever data",
    "worker thread",
    "works on it later",
];

/// Beginnings of verbs that leave an object where it was.
const LEAVES: &[&str] = &[
    "acquir",
    "activat",
    "adjust",
    "advanc",
    "alloc",
    "align",
    "analys",
    "analyz",
    "appl",
    "ask",
    "assert",
    "authent",
    "begin",
    "bind",
    "block",
    "build",
    "calcul",
    "call",
    "chang",
    "check",
    "clear",
    "clip",
    "clon",
    "compar",
    "compil",
    "comput",
    "configur",
    "connect",
    "construct",
    "continu",
    "convert",
    "cop",
    "count",
    "creat",
    "custom",
    "deactivat",
    "decod",
    "decrypt",
    "defin",
    "deflat",
    "describ",
    "determin",
    "disabl",
    "display",
    "draw",
    "dump",
    "duplicat",
    "edit",
    "emit",
    "empt",
    "enabl",
    "encod",
    "encrypt",
    "enumerat",
    "eras",
    "evaluat",
    "examin",
    "execut",
    "expand",
    "explain",
    "export",
    "extend",
    "extract",
    "fetch",
    "fill",
    "filter",
    "find",
    "fit",
    "fix",
    "flip",
    "flush",
    "forc",
    "format",
    "freez",
    "gather",
    "generat",
    "get",
    "grab",
    "grow",
    "hash",
    "hide",
    "import",
    "increas",
    "increment",
    "indent",
    "inflat",
    "inform",
    "init",
    "inquir",
    "inspect",
    "instruct",
    "interrupt",
    "invert",
    "invok",
    "iterat",
    "let",
    "limit",
    "link",
    "list",
    "load",
    "lock",
    "look",
    "loop",
    "lower",
    "map",
    "mark",
    "match",
    "measur",
    "modif",
    "multipl",
    "mut",
    "name",
    "negat",
    "normal",
    "notif",
    "obtain",
    "open",
    "optim",
    "order",
    "overwrit",
    "paint",
    "pars",
    "paus",
    "perform",
    "pol",
    "popul",
    "position",
    "prepar",
    "prevent",
    "print",
    "process",
    "prob",
    "prun",
    "quer",
    "rais",
    "read",
    "rebuild",
    "receiv",
    "redraw",
    "reduc",
    "refresh",
    "reinit",
    "reload",
    "renam",
    "render",
    "reorder",
    "report",
    "reset",
    "resiz",
    "resolv",
    "restart",
    "restor",
    "resum",
    "retriev",
    "return",
    "revers",
    "rewind",
    "rewrit",
    "rol",
    "rotat",
    "round",
    "run",
    "sampl",
    "sav",
    "scal",
    "scan",
    "scrol",
    "search",
    "seek",
    "select",
    "serializ",
    "set",
    "shift",
    "show",
    "shrink",
    "shuffl",
    "sign",
    "simpl",
    "siz",
    "skip",
    "solv",
    "sort",
    "split",
    "step",
    "stor",
    "stretch",
    "sub",
    "suspend",
    "swap",
    "switch",
    "sync",
    "tell",
    "test",
    "toggl",
    "touch",
    "trac",
    "train",
    "transform",
    "translat",
    "transpos",
    "travers",
    "trim",
    "truncat",
    "turn",
    "unlock",
    "unmut",
    "unset",
    "updat",
    "upgrad",
    "us",
    "valid",
    "verif",
    "visit",
    "wait",
    "wak",
    "walk",
    "wip",
    "writ",
    "zero",
    "retain",
    "ref",
    "reopen",
    "probe",
];

/// What begins so and does not.
const LEAVES_NOT: &[&str] = &["handl", "orphan", "retir", "steal", "subm", "surrend"];

/// First words that are no verbs.
const NO_VERBS: &[&str] = &[
    "a",
    "about",
    "above",
    "across",
    "after",
    "all",
    "also",
    "an",
    "and",
    "any",
    "around",
    "as",
    "at",
    "because",
    "before",
    "behind",
    "below",
    "beside",
    "between",
    "but",
    "by",
    "can",
    "during",
    "each",
    "either",
    "every",
    "except",
    "for",
    "from",
    "has",
    "have",
    "how",
    "if",
    "in",
    "inside",
    "into",
    "is",
    "its",
    "like",
    "may",
    "must",
    "next",
    "no",
    "not",
    "of",
    "off",
    "on",
    "once",
    "one",
    "only",
    "onto",
    "or",
    "otherwise",
    "out",
    "outside",
    "over",
    "param",
    "per",
    "same",
    "shall",
    "should",
    "since",
    "so",
    "some",
    "than",
    "that",
    "the",
    "their",
    "them",
    "then",
    "there",
    "these",
    "this",
    "those",
    "through",
    "to",
    "toward",
    "under",
    "unless",
    "until",
    "up",
    "upon",
    "via",
    "was",
    "were",
    "what",
    "when",
    "where",
    "whether",
    "which",
    "while",
    "who",
    "whose",
    "why",
    "will",
    "with",
    "within",
    "without",
    "you",
    "your",
    "both",
    "note",
    "see",
    "number",
    "instead",
    "whatever",
    "are",
    "be",
    "does",
    "given",
    "used",
    "parameters",
    "inout",
    "input",
    "output",
    "method",
    "args",
    "arguments",
    "details",
    "hence",
    "however",
    "perhaps",
    "therefore",
    "thus",
    "usually",
];

/// Words that may stand between a verb and its object.
const ARTICLES: &[&str] = &[
    "a",
    "all",
    "an",
    "any",
    "current",
    "down",
    "entire",
    "given",
    "off",
    "out",
    "over",
    "specified",
    "that",
    "the",
    "this",
    "up",
    "whole",
    "away",
    "back",
];

/// What may stand behind the object of a verb.
const BEHIND: &[&str] = &[
    "a", "after", "and", "as", "at", "back", "before", "by", "for", "from", "if", "in", "into", "off", "on",
    "once", "or", "out", "over", "so", "that", "the", "then", "to", "until", "up", "using", "via", "when",
    "which", "while", "with", "without",
];

/// What a thing is or does that says nothing of where it goes.
const STATES: &[&str] = &[
    "allows", "can", "cannot", "contains", "could", "does", "doesn't", "had", "has", "have", "holds", "is",
    "isn't", "are", "may", "might", "must", "needs", "owns", "remains", "requires", "shall", "should",
    "stays", "supports", "to", "used", "uses", "was", "which", "whose", "will", "with", "would", "that",
    "of", "and", "or", "in", "on", "for", "from", "as", "at", "itself", "keeps", "retains", "stores",
    "after", "before", "if", "when",
];

/// Whether an object that is called so may be gone, somebody else's, or gone on with after the call, by what is said to be done to it. `alone`: nothing else goes in of
/// which that could be said.
pub(in crate::infer) fn goes(function: &Function, called: &[String], alone: bool) -> bool {
    let own = |word: &str| {
        called
            .iter()
            .filter_map(|called| called.split(' ').next_back())
            .any(|own| own == word || own.len() > 2 && word.starts_with(own) && !word.contains('\''))
            || called.iter().any(|called| is_short_for(called, word))
            || alone && function.result.pointee().is_none() && ["it", "itself"].contains(&word)
    };
    let all = sentences(function);
    all.iter().filter(|sentence| !is_about_another(sentence, function)).any(|sentence| {
        if sentence.contains("thread saf")
            || sentence.starts_with("@return")
            || sentence.starts_with("\\return")
        {
            return false;
        }
        let words: Vec<&str> = words_of(sentence).filter(|word| !word.is_empty()).collect();
        let any = |list: &[&str]| list.iter().any(|phrase| sentence.contains(phrase));
        words == ["garbage"]
            || any(GONE) && !sentence.contains("caller")
            || alone && any(LATER)
            || lowers(&words)
            || is_done(&words, &own, function.params.len() == 1)
            || does(&words, &own)
            || had(&words, &own)
    })
}

/// Whether a name is a word without its vowels, an `x` for what it stands for: `txn` of a transaction, `xfer` of a transfer.
fn is_short_for(name: &str, word: &str) -> bool {
    let mut letters = word.chars();
    let behind = name.strip_prefix('x').is_some_and(|rest| rest.len() > 2 && word.ends_with(rest));
    behind
        || name.len() > 1
            && word.len() > name.len() + 2
            && !name.contains(['a', 'e', 'i', 'o', 'u', ' '])
            && name.chars().next() == word.chars().next()
            && name.chars().filter(|own| *own != 'x').all(|own| letters.any(|letter| letter == own))
}

/// Verbs of something else that has the object from then on: `The pool now has the job`.
const HAS: &[&str] =
    &["acquires", "adopts", "gets", "has", "inherits", "keeps", "owns", "receives", "stores"];

/// Whether another thing has the object, or it ends beside what is said first: `Exits, freeing j`.
fn had(words: &[&str], own: &dyn Fn(&str) -> bool) -> bool {
    let plain: Vec<&str> =
        words.iter().filter(|word| !["a", "the", "this", "that"].contains(word)).copied().collect();
    plain.windows(2).enumerate().any(|(at, pair)| {
        let ends =
            ["deleting", "destroying", "disposing", "ending", "freeing", "releasing"].contains(&pair[0]);
        let has = at > 0
            && HAS.contains(&pair[0])
            && !own(plain[at - 1])
            && !["function", "it"].contains(&plain[at - 1]);
        own(pair[1])
            && pair[1] != "it"
            && (ends || has)
            && plain.get(at + 2).is_none_or(|next| BEHIND.contains(next))
    })
}

/// Whether fewer hold something then: `Decrements the refcount`, `Drops the caller's reference`, `The reference count of the job is decremented`.
fn lowers(words: &[&str]) -> bool {
    let lowered = |word: &&str| LOWERS.iter().any(|lowers| word.starts_with(lowers));
    let counted = |at: usize| COUNTED.contains(&words[at]);
    (0..words.len()).filter(|&at| counted(at)).any(|at| {
        let before = words[..at].iter().rev().take(3).any(lowered);
        let behind = || words[at + 1..].iter().take(7).any(|word| word.ends_with("ed") && lowered(word));
        let verb = || words[..at].iter().rev().take(4).any(|word| word.ends_with("s") && lowered(word));
        before && (at < 5 || verb()) || behind()
    })
}

/// Whether something is done to the object itself by a verb that may not leave it where it was: `Finishes this job`, `Gives up the job`.
fn is_done(words: &[&str], own: &dyn Fn(&str) -> bool, single: bool) -> bool {
    (0..words.len()).any(|at| {
        let verb = words[at];
        let first = words[..at].iter().all(|word| {
            ["also", "brief", "function", "it", "this", "can", "be", "used", "to"].contains(word)
        });
        let letters = verb.len() > 2 && verb.chars().all(char::is_alphabetic);
        if !letters
            || NO_VERBS.contains(&verb)
            || !(first || ["and", "then", "will"].contains(&words[at - 1]))
        {
            return false;
        }
        let skipped = words[at + 1..]
            .iter()
            .take_while(|word| ARTICLES.contains(word) || verb.starts_with("start") && word.ends_with("ing"))
            .count();
        let object = at + 1 + skipped;
        // Where nothing else goes in what a verb is done to is the object, whatever it is called there.
        let the = words[at + 1..object].last().is_some_and(|word| ["the", "this"].contains(word));
        let is_it = words.get(object).is_some_and(|word| own(word) || the && first && single);
        // `Gets the stream position`.
        let whole = words.get(object + 1).is_none_or(|next| BEHIND.contains(next));
        let particle = words[at + 1..object]
            .iter()
            .any(|word| ["away", "down", "off", "out", "up", "over", "back"].contains(word))
            || ["in", "over", "up", "off", "out", "back"]
                .iter()
                .any(|word| words.get(object + 1) == Some(word) && words.len() == object + 2);
        let elsewhere = verb.starts_with("return") && words.get(object + 1) == Some(&"to");
        // `This puts back the handle to the same state as it was in.`
        let restores = verb.starts_with("put") && words.get(at + 1) == Some(&"back");
        is_it && whole && !restores && (particle || elsewhere || !leaves(verb))
    })
}

/// Whether the object does something by itself, or something is done to it, after which it may be another's: `The job dies`, `j is invalidated`.
fn does(words: &[&str], own: &dyn Fn(&str) -> bool) -> bool {
    let words = words.strip_prefix(&["the"]).or(words.strip_prefix(&["this"])).unwrap_or(words);
    let [subject, verb, rest @ ..] = words else { return false };
    if !own(subject) || *subject == "it" {
        return false;
    }
    let passive = match *verb {
        "is" | "are" | "gets" => rest.first(),
        "will" if rest.first() == Some(&"be") => rest.get(1),
        "now" | "then" => {
            return rest
                .first()
                .is_some_and(|verb| verb.ends_with('s') && !leaves(verb) && !STATES.contains(verb));
        }
        _ => None,
    };
    match passive {
        Some(done) if ["dead", "finished", "gone", "over"].contains(done) => true,
        Some(done) => done.len() > 4 && done.ends_with("ed") && !leaves(done) && !SAID.contains(done),
        None => verb.ends_with('s') && !leaves(verb) && !STATES.contains(verb),
    }
}

/// What is said to be done to an object that says what it is.
const SAID: &[&str] = &[
    "associated",
    "assumed",
    "based",
    "expected",
    "ignored",
    "intended",
    "needed",
    "obsoleted",
    "opened",
    "required",
    "supposed",
    "deprecated",
];

fn leaves(verb: &str) -> bool {
    LEAVES.iter().any(|stem| verb.starts_with(stem)) && !LEAVES_NOT.iter().any(|stem| verb.starts_with(stem))
}

/// Phrases of a comment by which what is `const`, or stands beside the object that a function is about, is used after the call.
const NOTED: &[&str] = &[
    "all further",
    "are drawn in",
    "are drawn with",
    "are shown in",
    "as long as",
    "be static",
    "before the bus",
    "by address",
    "by each",
    "do not free",
    "each frame",
    "each transfer",
    "following calls",
    "further calls",
    "further frames",
    "further use",
    "has to be valid",
    "henceforth",
    "from here on",
    "in a thread",
    "is now current",
    "is now the",
    "is now used",
    "is read by",
    "keeps pointer",
    "later call",
    "next frame",
    "noted",
    "once set",
    "only free",
    "outlast",
    "outlive",
    "refer to",
    "refers to",
    "stores the address",
    "subsequent call",
    "subsequently",
    "until replaced",
    "until the",
    "valid as long",
    "when laid out",
    "when the printer",
    "with each",
];

/// Whether the comment says that something uses an object after the call, besides what is heard of all objects.
pub(in crate::infer) fn noted(function: &Function) -> bool {
    let said = |sentence: &String| NOTED.iter().chain(LATER).any(|phrase| sentence.contains(phrase));
    sentences(function).iter().any(|sentence| {
        said(sentence)
            && !sentence.contains("return")
            && !(function.result.pointee().is_some() && sentence.contains("free"))
    })
}
