//! Whether a comment says that what goes in is copied during the call.
//!
//! It says so in one form only, and of what it names: `The name is copied.`, `dict content will be copied internally, so it can be freed.`
//! A place, a time, a condition or another subject make another statement of it (`is copied to the device by ctx_run()`, `on demand`), and
//! what says that something else is kept, or how it would be, makes it doubtful. Whoever reads more into a comment has nothing but a guess.

use hotcell_model::api::Function;

use crate::infer::names::words;

/// Words that may stand behind the name of what is copied.
const CONTENTS: &[&str] = &["buffer", "bytes", "content", "contents", "data", "string", "text"];

/// How it is copied where that is during the call.
const NOW: &[&str] = &["immediately", "internally"];

/// What may be done with it then.
const FREED: &[&str] = &[
    "changed",
    "deallocated",
    "destroyed",
    "discarded",
    "freed",
    "go",
    "modified",
    "overwritten",
    "released",
    "reused",
];

/// Beginnings of words of a comment that speaks of what stays or of another case, wherever they stand.
const DOUBTS: &[&str] = &[
    "alias",
    "alive",
    "asynch",
    "background",
    "borrow",
    "by_ref",
    "byref",
    "defer",
    "except",
    "hold",
    "keep",
    "kept",
    "later",
    "lazily",
    "lazy",
    "lifetime",
    "no_copy",
    "nocopy",
    "outlive",
    "persist",
    "refer",
    "remain",
    "retain",
    "shallow",
    "share",
    "static",
    "unless",
    "until",
    "zero_copy",
    "zerocopy",
];

/// Whether the comment says that what is called so is copied. Names are in lower case, their words apart.
pub(in crate::infer) fn copied(function: &Function, called: &[String]) -> bool {
    let doc = function.doc.as_deref().unwrap_or_default().to_lowercase().replace('-', "_");
    let mut said = sentences(&doc);
    said.retain(|words| !is_of_variant(words, &function.name));
    let doubted = |word: &str| {
        let doubt = |doubt: &&str| word.starts_with(*doubt) || word.contains(&format!("_{doubt}"));
        word.ends_with("n't") || DOUBTS.iter().any(doubt)
    };
    let parts = |word: &str| -> Vec<String> {
        word.split(|c: char| !c.is_alphanumeric() && c != '\'' && c != '_').map(str::to_owned).collect()
    };
    // What stands beside it may say when it is not so: `With LIB_NOW it is not.`
    let beside = |at: usize| said[at.saturating_sub(1)..].iter().take(3).any(|words| denies(words));
    let about = |words: &&Vec<String>| words.iter().any(|word| word.starts_with("cop"));
    let verbs = words(&function.name);
    let follows = |at: usize| said[at + 1..].iter().all(|words| is_apart(words, called));
    (0..said.len()).any(|at| is_said(&said[at], called, &verbs) && !beside(at) && follows(at))
        && !said.iter().flatten().flat_map(|word| parts(word)).any(|word| doubted(&word))
        && !said.iter().filter(about).any(|words| denies(words) || !is_said(words, called, &verbs))
}

/// Whether a sentence behind the one that says it is about something else: what is returned, another parameter, a note with a number, or what may be done
/// with what has been copied. Any other may take it back: `This may change.`, `Direct devices read the caller's memory.`
fn is_apart(words: &[String], called: &[String]) -> bool {
    let all: Vec<&str> = words.iter().map(String::as_str).collect();
    let takes_back = ["change", "changes", "else", "it", "may", "mode", "these", "this", "those", "version"];
    let speaks = |list: &[&str]| all.iter().any(|word| list.contains(word));
    let tagged = matches!(
        all[..],
        [
            "@param"
                | "\\param"
                | "@return"
                | "\\return"
                | "@returns"
                | "\\returns"
                | "@retval"
                | "\\retval"
                | "return"
                | "returns",
            ..
        ]
    );
    let note = matches!(all[..], ["note", number, ..] if number.chars().all(|c| c.is_ascii_digit()));
    let freed = || {
        let behind = called.iter().find_map(|name| {
            let name: Vec<&str> = name.split(' ').collect();
            all.strip_prefix(&["the"]).unwrap_or(&all).strip_prefix(&name[..])
        });
        let behind = all.strip_prefix(&["it"]).or(behind);
        matches!(behind, Some(["can" | "may", "be", verb] | ["can" | "may", "be", verb, "afterwards" | "immediately"] | ["can" | "may", "be", verb, "after", "the" | "this", "call"]) if FREED.contains(verb))
    };
    tagged && !speaks(&takes_back) || note && !speaks(&takes_back[..3]) || freed()
}

/// Whether a sentence is about another function that is called after this one: `Use lib_load_by_reference() to refer to it instead.`
fn is_of_variant(words: &[String], function: &str) -> bool {
    let [verb, other, ..] = words else { return false };
    let longer = other.strip_prefix(&function.to_lowercase()).is_some_and(|rest| rest.starts_with('_'));
    verb == "use" && longer
}

/// Whether a sentence denies something, or says it for some cases.
fn denies(words: &[String]) -> bool {
    let denied = ["cannot", "if", "instead", "never", "no", "not", "only", "otherwise", "when", "without"];
    words.iter().any(|word| denied.contains(&word.as_str()))
}

/// Whether a sentence has the form that says it: of its words, a comma is one.
fn is_said(words: &[String], called: &[String], verbs: &[String]) -> bool {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let words = noted(&words);
    let words = words.strip_prefix(&["the"]).unwrap_or(words);
    called.iter().any(|name| {
        let name: Vec<&str> = name.split(' ').collect();
        words.strip_prefix(&name[..]).is_some_and(|behind| {
            let behind = match behind {
                [contents, rest @ ..] if CONTENTS.contains(contents) => rest,
                _ => behind,
            };
            is_copied(behind, &name, verbs)
        })
    })
}

/// A sentence without the number of the note that it is, or the parameter that it is about.
fn noted<'a, 'b>(words: &'a [&'b str]) -> &'a [&'b str] {
    let digits = |word: &str| word.chars().all(|c| c.is_ascii_digit());
    match words {
        ["note" | "@note" | "\\note", number, ":", rest @ ..] if digits(number) => rest,
        ["note", ":" | "that", rest @ ..] | ["@note" | "\\note", rest @ ..] => rest,
        _ => words,
    }
}

/// What follows the name: `is internally copied, so that it may be freed`.
fn is_copied(words: &[&str], name: &[&str], verbs: &[String]) -> bool {
    let rest = match words {
        ["is" | "are" | "gets", rest @ ..] | ["will", "be", rest @ ..] => rest,
        _ => return false,
    };
    let rest = match rest {
        ["copied", now, rest @ ..] if NOW.contains(now) => rest,
        [now, "copied", rest @ ..] if NOW.contains(now) => rest,
        ["copied", rest @ ..] => rest,
        _ => return false,
    };
    match rest {
        [] | ["before", "the", "call" | "function", "returns"] => true,
        [",", "so" | "and", rest @ ..] | ["so" | "and", rest @ ..] => is_free(rest, name, verbs),
        _ => false,
    }
}

/// Whether nothing follows but that it may be freed: `it can be freed after the call`; by its name, or after what the function does.
fn is_free(words: &[&str], name: &[&str], verbs: &[String]) -> bool {
    let words = words.strip_prefix(&["that"]).unwrap_or(words);
    let words = words.strip_prefix(name).unwrap_or(words);
    let (may, rest) = match words {
        ["it" | "they", may, rest @ ..] | [may, rest @ ..] => (*may, rest),
        [] => return false,
    };
    let rest = rest.strip_prefix(&["be"]).unwrap_or(rest);
    let rest = rest.strip_prefix(&["safely"]).unwrap_or(rest);
    let [verb, behind @ ..] = rest else { return false };
    let done = match behind {
        [] | ["afterwards" | "immediately"] | ["after", "the" | "this", "call"] => true,
        ["after", doing] => {
            doing.strip_suffix("ing").is_some_and(|doing| verbs.iter().any(|verb| verb == doing))
        }
        _ => false,
    };
    ["can", "may"].contains(&may) && FREED.contains(verb) && done
}

/// The sentences of a comment, as words and marks. Only a full stop before a space, or an empty line, ends one.
fn sentences(doc: &str) -> Vec<Vec<String>> {
    let mut all = vec![Vec::new()];
    for paragraph in doc.split("\n\n").flat_map(notes) {
        for word in paragraph.split_whitespace() {
            let ends = word.ends_with(['.', '!', '?']) && !["e.g.", "i.e.", "etc.", "cf."].contains(&word);
            let plain = word.trim_end_matches(['.', '!', '?']);
            let mark = plain.chars().next_back().filter(|c| [',', ':', ';'].contains(c));
            let bare =
                plain.trim_matches(|c: char| ['`', '\'', '"', ',', ':', ';', '*', '(', ')'].contains(&c));
            let colon = (plain.len() > 1 && plain.starts_with(':')).then(|| ":".to_owned());
            // A bracket says more than the sentence: it is kept as a word.
            let bracket = plain.contains(['(', ')', '[', ']']).then(|| "(".to_owned());
            if let Some(last) = all.last_mut() {
                let words = [colon, Some(bare.to_owned()).filter(|bare| !bare.is_empty()), bracket];
                last.extend(words.into_iter().flatten());
                last.extend(mark.map(|mark| mark.to_string()));
            }
            if ends {
                all.push(Vec::new());
            }
        }
        // `In this mode:` goes on behind an empty line.
        if all.last().and_then(|words| words.last()).is_none_or(|last| ![",", ":"].contains(&last.as_str())) {
            all.push(Vec::new());
        }
    }
    all.retain(|words| !words.is_empty());
    for words in &mut all {
        words.retain(|word| !["@c", "\\c", "@p", "\\p", "@a", "\\a"].contains(&word.as_str()));
    }
    all
}

/// The notes of a paragraph, each a sentence of its own: `… the cost   Note 2 : dict is copied internally`.
fn notes(paragraph: &str) -> Vec<String> {
    let words: Vec<&str> = paragraph.split_whitespace().collect();
    let is_note = |at: usize| {
        let number = words.get(at + 1).is_some_and(|word| word.starts_with(|c: char| c.is_ascii_digit()));
        let colon = (at + 1..at + 3).any(|at| words.get(at).is_some_and(|word| word.ends_with(':')));
        words[at] == "note" && number && colon
    };
    let mut parts = vec![String::new()];
    for (at, word) in words.iter().enumerate() {
        if is_note(at) {
            parts.push(String::new());
        }
        if let Some(last) = parts.last_mut() {
            last.push_str(word);
            last.push(' ');
        }
    }
    parts
}
