//! What a comment says of a time behind the call.

use hotcell_model::api::Function;

use super::{says, sentences, words_of};

/// Beginnings of words of a comment that speaks of what goes on when the function has returned.
const LATER: &[&str] = &[
    "_cb()",
    "_cb() is invoked",
    "address is",
    "after this one",
    "afterwards",
    "again by",
    "all messages",
    "alone until",
    "alternates",
    "another thread",
    "answered out",
    "appends to it",
    "are answered",
    "are checked against",
    "are described in",
    "are performed when",
    "are put in",
    "are saved in",
    "are shown",
    "are taken from",
    "are there so far",
    "as data come",
    "as it comes",
    "as long as",
    "as packets come",
    "as samples come",
    "as soon as",
    "as they come",
    "async",
    "asynch",
    "at any time",
    "at every",
    "at leisure",
    "at the next",
    "background",
    "be global",
    "be repeated",
    "be touched",
    "becomes readable",
    "becomes writable",
    "before all",
    "before it has been",
    "before the transfer",
    "behind the scenes",
    "belongs to",
    "bound column",
    "busy",
    "by a thread",
    "by an interrupt",
    "by reference",
    "by the callback",
    "by the device",
    "by the driver",
    "by the hardware",
    "by the interrupt",
    "by the time",
    "by x_poll",
    "call again",
    "callback fires",
    "callback is",
    "callback is invoked",
    "callback runs",
    "callback will be",
    "called again",
    "cancels",
    "child exited",
    "client side array",
    "column each",
    "coming frame",
    "completes",
    "completion",
    "concurrently with",
    "connects two",
    "continuous",
    "counts its",
    "counts the frames",
    "counts there",
    "daemon",
    "defer",
    "delayed",
    "dma",
    "dma mode",
    "do not change",
    "does not block",
    "does not wait",
    "don't change",
    "double buffer",
    "draw time",
    "draws it",
    "driven by",
    "driver until",
    "each call of",
    "each event",
    "each fetch",
    "each frame",
    "each packet",
    "each row",
    "each sample",
    "each second",
    "each tick",
    "each time",
    "each time a",
    "each time the",
    "elapses",
    "every frame",
    "every packet",
    "every sample",
    "every tick",
    "every time a",
    "every time the",
    "fifo",
    "filled by a",
    "filled by the",
    "finished job",
    "fire and forget",
    "following call",
    "following frame",
    "following packet",
    "following read",
    "following write",
    "follows",
    "for future",
    "for pulls",
    "for the following",
    "frame after frame",
    "from an interrupt",
    "from here on",
    "from now on",
    "from then on",
    "from time to time",
    "further",
    "future call",
    "future read",
    "gets told",
    "gives the buffer",
    "go away",
    "go on",
    "go through",
    "go to the same",
    "go to this",
    "goes back to",
    "goes on",
    "goes through",
    "goes to this",
    "handed to",
    "handler is invoked",
    "hands buf",
    "hands the buffer",
    "hardware",
    "hardware fills",
    "has arrived",
    "has ended",
    "has to be repeated",
    "henceforth",
    "history of",
    "if it is finished",
    "immediately returns",
    "in a loop",
    "in a thread",
    "in one or more steps",
    "in order of",
    "in parallel",
    "in place",
    "in steps",
    "in threads",
    "in which the hash counts",
    "incremented for",
    "interrupt",
    "interrupt mode",
    "into the peer",
    "is active",
    "is called at the end",
    "is called on completion",
    "is called when",
    "is fed from",
    "is finished",
    "is in use",
    "is on the wire",
    "is parsed into",
    "is performed when",
    "is ready when",
    "is running",
    "is started",
    "is submitted",
    "is told of",
    "isr",
    "keeps filling",
    "keeps reading",
    "keeps writing",
    "kept",
    "kicks off",
    "later",
    "lazily",
    "leave buf",
    "lent to",
    "letter by letter",
    "linked into",
    "loops over",
    "mapped",
    "maps buf",
    "mixer",
    "must be global",
    "next call",
    "next frame",
    "next interrupt",
    "next tick",
    "next vsync",
    "no copy of",
    "non block",
    "non blocking mode",
    "nonblock",
    "not be changed",
    "not be modified",
    "not done when",
    "not modify",
    "not reuse",
    "not touch",
    "noted",
    "obtains the address",
    "on a crash",
    "on demand",
    "on every event",
    "on exit",
    "once ",
    "one at a time",
    "only the pointer",
    "other thread",
    "over with the next",
    "page by page",
    "peer may",
    "periodic",
    "picked up",
    "pinned",
    "played",
    "pointer to it is",
    "points into",
    "points the",
    "poll ",
    "polled",
    "polling",
    "polls ",
    "pushed to the",
    "queued",
    "receives the progress",
    "references buf",
    "references the",
    "refreshes",
    "relative to the last",
    "requests a",
    "resampler thread",
    "returns at once",
    "returns immediately",
    "ring ",
    "runs",
    "scheduled",
    "scratch memory",
    "send queue",
    "sender thread",
    "served from",
    "sets the area",
    "sets the buffer",
    "sets the memory",
    "shared with",
    "signal is raised",
    "spool",
    "static storage",
    "step by step",
    "subsequent call",
    "subsequent frame",
    "subsequent read",
    "subsequent write",
    "supplies the",
    "the interrupt",
    "the option sets",
    "there when",
    "thread of its own",
    "till",
    "timer tick",
    "to wait for",
    "transfer is going",
    "triggers a",
    "triggers a transfer",
    "triggers the",
    "until",
    "up to date",
    "updated by",
    "updated each",
    "updated from",
    "updated when",
    "uses it from",
    "vsync",
    "wait()",
    "what comes",
    "when all is sent",
    "when done",
    "when finished",
    "when it has",
    "when it is sent",
    "when parsed",
    "when sent",
    "when the transfer",
    "when touched",
    "whenever a",
    "whenever data",
    "whenever it",
    "whenever the",
    "whenever x",
    "while ",
    "will be filled when",
    "with each call",
    "with each event",
    "with each frame",
    "with each packet",
    "with each row",
    "with each tick",
    "with each transfer",
    "without copying",
    "without waiting",
    "worker thread",
    "write behind",
    "zero copy",
];

/// First words of a sentence that says what the function does, by which something begins or is handed over.
const BEGINS: &[&str] = &[
    "arms", "arm ", "attach", "begin", "enqueu", "initiat", "install", "launch", "posts", "queu", "regist",
    "schedul", "spawn", "start", "submit", "subscrib",
];

/// What stands behind *until* where that is what the function does itself: `until len-1 bytes are read, or end-of-file is encountered`.
const READ: &[&str] = &["are read", "bytes read", "end of file", "is encountered", "is read", "newline"];

/// Whether a comment speaks of what goes on behind the call, or of another time.
pub(in crate::infer) fn goes_on(function: &Function) -> bool {
    let said = |sentence: &str, phrase: &str| {
        let mut places = sentence.match_indices(phrase);
        places.any(|(at, _)| {
            let begins = !sentence[..at].chars().next_back().is_some_and(char::is_alphanumeric);
            let behind: Vec<&str> = sentence[at + phrase.len()..].split_whitespace().take(8).collect();
            let behind = behind.join(" ");
            let before = &sentence[..at];
            let itself = !["not ", "n't ", "keep", "stay", "remain"].iter().any(|word| before.contains(word))
                && !behind.contains(" by ")
                && !behind.contains("with ");
            // The function itself reads: no port, and no interrupt.
            let does = sentence
                .trim_start_matches(|c: char| !c.is_alphabetic())
                .split_whitespace()
                .next()
                .is_some_and(|first| {
                    ["fetch", "get", "read", "receiv", "this"].iter().any(|verb| first.starts_with(verb))
                });
            let reads = phrase == "until" && itself && does && READ.iter().any(|read| behind.contains(read));
            // `Runs it.` says no more; `runs faster` compares, and `while (` is code.
            let other = match phrase {
                "runs" => {
                    at == 0 && behind == "it" || behind.starts_with("faster") && !behind.contains("thread")
                }
                "while " => behind.starts_with('('),
                _ => false,
            };
            begins && !reads && !other
        })
    };
    let all = sentences(function);
    let at_first = |sentence: &String| all.first() == Some(sentence);
    all.iter().any(|sentence| {
        let words: Vec<&str> = words_of(sentence).filter(|word| !word.is_empty()).collect();
        let place = |at: usize| {
            let first =
                words[..at].iter().all(|word| ["also", "brief", "function", "it", "this"].contains(word));
            first || ["and", "then", "will"].contains(&words[at - 1])
        };
        let verb = |at: usize| {
            let noun = ["beginning", "position"].contains(&words[at]);
            place(at) && !noun && BEGINS.iter().any(|begin| words[at].starts_with(begin))
        };
        let general = at_first(sentence) && is_general(&words);
        general
            || sentence.contains("_cb()")
            || is_of_another(sentence, function)
            || (0..words.len()).any(verb)
            || LATER.iter().any(|phrase| said(sentence, phrase))
    })
}

/// Whether a sentence says in general what is done: `Traces are saved in buf`, `Writes go to this memory`.
fn is_general(words: &[&str]) -> bool {
    let several = |word: &str| word.len() > 3 && word.ends_with('s') && !word.ends_with("ss");
    let verb = words.iter().take(4).position(|word| ["are", "go"].contains(word));
    verb.is_some_and(|verb| {
        verb > 0 && several(words[verb - 1]) && !["the", "these", "two"].contains(&words[0])
    })
}

/// What is said of other functions besides what they do with what goes in here.
const MADE_BY: &[&str] = &[
    "allocated",
    "automatically",
    "called",
    "closed",
    "computed",
    "created",
    "defined",
    "described",
    "destroyed",
    "determined",
    "disposed",
    "filled",
    "freed",
    "gained",
    "generated",
    "given",
    "initialised",
    "initialized",
    "invoked",
    "listed",
    "made",
    "obtained",
    "opened",
    "produced",
    "provided",
    "released",
    "reported",
    "retrieved",
    "returned",
    "set",
    "specified",
];

/// Whether a sentence says that another function does something with what goes in here, or of a time at which that is called: `is consulted by lib_next()`,
/// `belongs to the caller again after lib_finish()`.
fn is_of_another(sentence: &str, function: &Function) -> bool {
    let own = function.name.to_lowercase();
    let words: Vec<&str> = sentence.split_whitespace().collect();
    words.windows(2).enumerate().any(|(at, pair)| {
        let called = pair[1].trim_start_matches(['#', '@', ':', '[', '`', '(']);
        let name = called.split('(').next().unwrap_or_default();
        let is_call = called.contains('(') && name.contains('_') && name != own;
        let made = at > 0 && MADE_BY.iter().any(|made| words[at - 1].trim_end_matches(',') == *made);
        is_call && ["after", "before", "by"].contains(&pair[0]) && !made
    })
}

/// Whether a comment says that something is used from now on, whatever the function is called.
pub(in crate::infer) fn lasts(function: &Function) -> bool {
    says(function, &["from now on", "from then on", "whenever it", "whenever the"])
}

/// Whether a comment says that something begins which goes on by itself: `Starts a worker thread that compiles it.`
pub(in crate::infer) fn works_on(function: &Function) -> bool {
    const BY_ITSELF: &[&str] = &["asynchron", "background", "thread that", "worker thread"];
    let all = sentences(function);
    if all.first().is_some_and(|first| {
        is_general(&words_of(first).filter(|word| !word.is_empty()).collect::<Vec<_>>())
            || first.starts_with("all that")
    }) {
        return true;
    }
    all.iter().any(|sentence| {
        let first = sentence.trim_start_matches(|c: char| !c.is_alphabetic());
        BEGINS.iter().any(|begin| first.starts_with(begin))
            || BY_ITSELF.iter().any(|phrase| sentence.contains(phrase))
    })
}
