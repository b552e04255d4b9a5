//! What comments say of NULL: `@param[in] anchor The anchor value or @c NULL.` Callers may pass none then.

use hotcell_model::Evidence;
use hotcell_model::interface::Role;

use crate::infer::Draft;
use crate::infer::documented::said;
use crate::infer::view::View;

/// That a parameter may be NULL.
const NULLABLE: &[&str] = &[
    "(nullable)",
    "can be null",
    "may also be null",
    "may be null",
    "null for",
    "null if",
    "null to",
    "or null",
];

/// Words shortly before that, after which it says something else: `must not be 0 or NULL`, `returns the text or NULL`.
const DENIED: &[&str] = &["cannot", "never", "no", "non", "not", "nor", "only"];

/// Beginnings of words of a sentence that says what becomes of NULL, or of another function's.
const STOPS: &[&str] = &[
    "abort",
    "absent",
    "assert",
    "behavio",
    "crash",
    "disallow",
    "einval",
    "empty",
    "error",
    "fail",
    "forbid",
    "freed",
    "gives",
    "illegal",
    "invalid",
    "reject",
    "refuse",
    "segfault",
    "undefined",
    "unknown",
    "yield",
];

/// How many words before it are looked at.
const NEAR: usize = 6;

/// Texts and data that go in, and that no line is about, may be NULL where the comment says so. Not objects: what a line says that one
/// keeps needs one that is there.
pub(in crate::infer) fn apply(view: &View<'_>, draft: &mut Draft) {
    for (index, fact) in draft.params.iter_mut().enumerate() {
        let Some(fact) = fact.as_mut().filter(|fact| matches!(fact.evidence, Evidence::Inferred { .. }))
        else {
            continue;
        };
        let (Role::Text { nullable, .. } | Role::BufferIn { nullable, .. }) = &mut fact.value else {
            continue;
        };
        *nullable |= may_be_null(view, index);
    }
}

/// Whether the comment of the function says that a parameter may be NULL.
pub(in crate::infer) fn may_be_null(view: &View<'_>, index: usize) -> bool {
    let name = view.param(index).and_then(|param| param.name.as_deref());
    let text = name.zip(view.function.doc.as_deref()).and_then(|(name, doc)| said::text(doc, name));
    text.is_some_and(|text| is_said(&text))
}

/// Whether a text says it, in lower case. A NUL that ends something is another matter.
fn is_said(text: &str) -> bool {
    let text =
        text.split_whitespace().collect::<Vec<_>>().join(" ").replace('-', " ").replace("%null", "null");
    let text = text.replace("null terminated ", "");
    text.split(['.', ';']).any(|sentence| {
        let at = NULLABLE.iter().filter_map(|phrase| found(sentence, phrase)).min();
        at.is_some_and(|at| {
            let words: Vec<&str> =
                sentence[..at].split(|c: char| !c.is_alphanumeric() && c != '\'').collect();
            let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
            let near = &words[words.len().saturating_sub(NEAR)..];
            let denied = near.iter().any(|word| DENIED.contains(word) || word.ends_with("n't"));
            let mut all = sentence.split(|c: char| !c.is_alphanumeric());
            let stopped = all.any(|word| word == "1" || STOPS.iter().any(|stop| word.starts_with(stop)))
                || sentence.contains("set to")
                || sentence.contains("()");
            let about_other = stopped
                || words.iter().any(|word| ["return", "returned", "returns", "terminated"].contains(word));
            !denied && !about_other
        })
    })
}

/// Where a sentence has a phrase, in whole words.
fn found(sentence: &str, phrase: &str) -> Option<usize> {
    let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let whole = |at: &usize| {
        let (before, behind) = (&sentence[..*at], &sentence[*at + phrase.len()..]);
        !is_letter(before.chars().next_back()) && !is_letter(behind.chars().next())
    };
    sentence.match_indices(phrase).map(|(at, _)| at).find(whole)
}

#[cfg(test)]
mod tests {
    use super::is_said;

    #[test]
    fn phrases_say_that_null_may_be_passed() {
        for text in [
            "the anchor value or null.",
            "a name, or null if not needed",
            "may be null, then the default is used",
            "(nullable): a name",
            "a null-terminated name, or null",
            "how it is called. it can be\n null.",
        ] {
            assert!(is_said(text), "{text}");
        }
        for text in [
            "must not be 0 or null",
            "may not be empty or null.",
            "this cannot be null",
            "it returns a copy, or null if there is no memory",
            "a text terminated by a newline or null",
            "a null-terminated name",
            "the name; never null if it was set",
            "a pointer or nullable thing",
            "it is null or not",
            "set to null to use malloc() and free().",
            "the key; the lookup yields null if it is absent.",
            "the key. crashes if it is null or null if freed.",
            "path. behaviour is undefined for empty or null paths.",
            "path. it is an error to pass an empty string or null.",
            "path. aborts when given \"\" or null.",
            "key. dev_get() gives the value, or null.",
            "the name or null, which fails with einval",
            "the name; it asserts on an invalid name or null",
            "a name, or null, which is rejected",
            "an unknown name or null is refused",
            "the name or null gives -1",
            "the slot, set to a text or null",
        ] {
            assert!(!is_said(text), "{text}");
        }
    }
}
