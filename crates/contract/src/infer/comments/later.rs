//! What a comment says of a time behind the call.

use hotcell_model::api::Function;

use super::{says, sentences, words_of};

/// Beginnings of words of a comment that speaks of what goes on when the function has returned.
const LATER: &[&str] = &[
    "afterwards",
    "another thread",
    "as long as",
    "as soon as",
    "async",
    "asynch",
    "at every",
    "at the next",
    "background",
    "be touched",
    "before it has been",
    "before the transfer",
    "behind the scenes",
    "by a thread",
    "by an interrupt",
    "by the callback",
    "by the device",
    "by the driver",
    "by the hardware",
    "by the interrupt",
    "cancels",
    "completes",
    "completion",
    "concurrently with",
    "continuous",
    "defer",
    "do not change",
    "does not block",
    "don't change",
    "each event",
    "each second",
    "each tick",
    "each time a",
    "each time the",
    "every tick",
    "every time a",
    "every time the",
    "filled by a",
    "filled by the",
    "follows",
    "from an interrupt",
    "from now on",
    "from then on",
    "hardware fills",
    "has ended",
    "immediately returns",
    "in a thread",
    "in parallel",
    "in place",
    "in threads",
    "incremented for",
    "interrupt",
    "is in use",
    "is running",
    "is started",
    "kept",
    "later",
    "mapped",
    "next interrupt",
    "next tick",
    "non block",
    "nonblock",
    "not be changed",
    "not be modified",
    "not modify",
    "not reuse",
    "not touch",
    "once ",
    "other thread",
    "over with the next",
    "periodic",
    "played",
    "pointer to it is",
    "polled",
    "polling",
    "pushed to the",
    "queued",
    "references buf",
    "references the",
    "refreshes",
    "returns at once",
    "returns immediately",
    "ring ",
    "runs",
    "scheduled",
    "send queue",
    "sender thread",
    "signal is raised",
    "the interrupt",
    "thread of its own",
    "timer tick",
    "until",
    "up to date",
    "updated by",
    "updated each",
    "updated from",
    "updated when",
    "wait()",
    "when done",
    "when finished",
    "when it has",
    "when the transfer",
    "whenever a",
    "whenever it",
    "whenever the",
    "whenever x",
    "while ",
    "with each tick",
    "without waiting",
    "worker thread",
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
            let reads = phrase == "until" && itself && READ.iter().any(|read| behind.contains(read));
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
    sentences(function).iter().any(|sentence| {
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
        (0..words.len()).any(verb) || LATER.iter().any(|phrase| said(sentence, phrase))
    })
}

/// Whether a comment says that something is used from now on, whatever the function is called.
pub(in crate::infer) fn lasts(function: &Function) -> bool {
    says(function, &["from now on", "from then on", "whenever it", "whenever the"])
}

/// Whether a comment says that something begins which goes on by itself: `Starts a worker thread that compiles it.`
pub(in crate::infer) fn works_on(function: &Function) -> bool {
    const BY_ITSELF: &[&str] = &["asynchron", "background", "thread that", "worker thread"];
    sentences(function).iter().any(|sentence| {
        let first = sentence.trim_start_matches(|c: char| !c.is_alphabetic());
        BEGINS.iter().any(|begin| first.starts_with(begin))
            || BY_ITSELF.iter().any(|phrase| sentence.contains(phrase))
    })
}
