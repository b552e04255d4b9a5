//! What a comment says about who frees a returned text, and with what.
//!
//! It says so in a few forms, each of which is a whole sentence about what is returned: `The returned string must be freed with lib_free().`,
//! `The caller must free it using free().`, `Use lib_free() to free the text.`, `Returns a newly allocated string.` Any other sentence
//! that speaks of freeing may be about an argument, an error, an element of a list or another case.

use hotcell_model::api::Function;

/// What frees a returned text.
pub(in crate::infer) enum FreedBy {
    /// This function.
    Function(String),
    /// Nothing is named: it has been allocated by this call.
    Any,
}

/// Names of what is returned.
const TEXTS: &[&str] = &["buffer", "message", "name", "result", "string", "text", "value"];

/// Words that say which of them is meant.
const RETURNED: &[&str] = &["allocated", "new", "newly", "result", "resulting", "returned"];

/// What the comment says of it, where nothing else in it speaks of freeing.
pub(in crate::infer) fn freed_by(function: &Function) -> Option<FreedBy> {
    let doc = function.doc.as_deref()?;
    let text = doc.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut found = None;
    for sentence in text.split(". ").flat_map(|part| part.split([';', '!', '?'])) {
        let all: Vec<&str> = sentence
            .split(|c: char| !c.is_alphanumeric() && c != '_' && c != '\'')
            .filter(|word| !word.is_empty())
            .collect();
        // `free(3)`.
        let all = match &all[..] {
            [rest @ .., last] if last.chars().all(|c| c.is_ascii_digit()) => rest,
            all => all,
        };
        let lower: Vec<String> = all.iter().map(|word| word.to_lowercase()).collect();
        let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
        if let Some(at) = said(&lower) {
            let name = all[at].to_owned();
            match &found {
                Some(FreedBy::Function(other)) if *other != name => return None,
                _ => found = Some(FreedBy::Function(name)),
            }
        } else if is_new(&lower) {
            found = found.or(Some(FreedBy::Any));
        } else if lower.iter().any(|word| {
            ["alloc", "dispos", "free", "releas"].iter().any(|begin| word.starts_with(begin))
                || *word == "owned"
        }) {
            return None;
        }
    }
    found
}

/// Where the function stands that frees what is returned, of the last word of such a sentence, or behind `use`.
fn said(words: &[&str]) -> Option<usize> {
    let last = words.len().checked_sub(1)?;
    if let ["use", _, "to", "free", rest @ ..] = words {
        return (object(rest)?.is_empty()).then_some(1);
    }
    let freed = match words {
        ["free", rest @ ..] | ["the", "caller", "must" | "should" | "shall", "free", rest @ ..] => {
            object(rest)?
        }
        ["the", "caller", "has" | "needs" | "is", "to", "free", rest @ ..] => object(rest)?,
        _ => {
            let behind = subject(words)?;
            match behind {
                ["must" | "should" | "shall", "be", "freed", rest @ ..]
                | ["has" | "needs" | "is", "to", "be", "freed", rest @ ..] => rest,
                _ => return None,
            }
        }
    };
    let freed = freed.strip_prefix(&["by", "the", "caller"]).unwrap_or(freed);
    match freed {
        ["with" | "using" | "by" | "via", _] | ["by", "calling", _] => Some(last),
        _ => None,
    }
}

/// What follows what is returned: `the returned string`, `it`, `returns a newly allocated string, which`.
fn subject<'a, 'b>(words: &'a [&'b str]) -> Option<&'a [&'b str]> {
    if let ["returns" | "return", "a" | "an" | "the", rest @ ..] = words {
        return match text(rest)? {
            ["which" | "that", rest @ ..] => Some(rest),
            _ => None,
        };
    }
    object(words)
}

/// What follows `it`, or `the returned text`.
fn object<'a, 'b>(words: &'a [&'b str]) -> Option<&'a [&'b str]> {
    match words {
        ["it", rest @ ..] => Some(rest),
        ["the", rest @ ..] => text(rest),
        _ => None,
    }
}

/// What follows a name of what is returned.
fn text<'a, 'b>(words: &'a [&'b str]) -> Option<&'a [&'b str]> {
    let which = words.iter().take_while(|word| RETURNED.contains(word)).count();
    match &words[which..] {
        [noun, rest @ ..] if TEXTS.contains(noun) => Some(rest),
        // `The result must be freed.`
        rest if which > 0 && words[which - 1] == "result" => Some(rest),
        _ => None,
    }
}

/// Whether a sentence says no more than that what is returned is new: `Returns a newly allocated string`.
fn is_new(words: &[&str]) -> bool {
    let words = words.strip_prefix(&["this", "function"]).unwrap_or(words);
    let words = match words {
        ["returns" | "return", "a" | "an" | "the", rest @ ..] | ["a", rest @ ..] => rest,
        _ => words,
    };
    // `… or NULL if an error occurred.`
    let alone = |rest: &[&str]| matches!(rest, [] | ["or", "null"] | ["or", "null", "if" | "on", ..]);
    matches!(words, ["new" | "newly", "allocated", noun, rest @ ..] if TEXTS.contains(noun) && alone(rest))
}
