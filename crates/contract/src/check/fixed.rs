//! `fixed`: what a parameter always is, an expression of C that is compiled against the header.

use crate::check::decide::Site;
use crate::contract::Item;
use crate::diagnostic::Diagnostic;

/// What is wrong with an expression: it names a parameter of the function, which the header does not know where it is compiled.
pub(super) fn wrong(site: Site<'_>, item: &Item) -> Option<Diagnostic> {
    // What a macro makes of what it is given is not known: types, members and words are given to some.
    if words(&item.c).into_iter().any(|word| site.api.function_macros.contains_key(word)) {
        return None;
    }
    let named = |name: &str| site.names.iter().any(|param| param == name) && !is_declared(site, name);
    let name = free_names(&item.c).into_iter().find(|name| named(name))?;
    let message =
        format!("`{name}` is a parameter of `{}`, and nothing that the header declares", site.function.name);
    let help = "`fixed` is compiled against the header alone: write a macro, a number, `sizeof(…)` or `NULL`; what callers pass is \
                `{ in = \"value\" }`";
    Some(Diagnostic::error(message).at(item.span.clone()).help(help.to_owned()))
}

fn is_declared(site: Site<'_>, name: &str) -> bool {
    let api = site.api;
    api.constants.contains_key(name)
        || api.enums.contains_key(name)
        || api.records.contains_key(name)
        || api.function_macros.contains_key(name)
        || api.initializers.contains_key(name)
        || api.functions.iter().any(|function| function.name == name)
        || api.variables.iter().any(|variable| variable.name == name)
}

/// Names in an expression that can only be those of values: no members, no tags, and none that may be a type.
fn free_names(c: &str) -> Vec<&str> {
    let words = words(c);
    let at = |index: usize| words.get(index).copied().unwrap_or_default();
    let mut free = Vec::new();
    let is_name = |word: &str| word.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    for (index, word) in words.iter().enumerate().filter(|(_, word)| is_name(word)) {
        let (before, behind) = (index.checked_sub(1).map_or("", at), at(index + 1));
        let is_member = matches!(before, "." | "->");
        // `struct name`, `(name)`, `(name *)`, `(const name)`, `sizeof(name[2])`.
        let is_type = is_name(before)
            || is_name(behind)
            || behind == "*"
            || before == "(" && matches!(behind, ")" | "[");
        if !is_member && !is_type {
            free.push(*word);
        }
    }
    // Its second argument is a member.
    if free.iter().any(|name| matches!(*name, "offsetof" | "__builtin_offsetof")) { Vec::new() } else { free }
}

/// Names, numbers, and what stands between them; texts are left out.
fn words(c: &str) -> Vec<&str> {
    let of_name = |letter: char| letter.is_alphanumeric() || letter == '_';
    let mut words = Vec::new();
    let mut rest = c.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '"' | '\'' => end_of_text(rest, first),
            '-' if rest.starts_with("->") => 2,
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            first if first.is_ascii_digit() => {
                rest.find(|letter: char| !of_name(letter) && letter != '.').unwrap_or(rest.len())
            }
            first if of_name(first) => rest.find(|letter: char| !of_name(letter)).unwrap_or(rest.len()),
            first => first.len_utf8(),
        };
        let (word, behind) = rest.split_at(end);
        if !word.starts_with("/*") {
            words.push(if matches!(first, '"' | '\'') { "\"\"" } else { word });
        }
        rest = behind.trim_start();
    }
    words
}

/// Whether brackets, texts and comments of an expression end in it: else what stands behind it is a part of it.
pub(crate) fn is_whole(c: &str) -> bool {
    let mut open = Vec::new();
    let mut rest = c;
    while let Some(first) = rest.chars().next() {
        let mut length = first.len_utf8();
        match first {
            '"' | '\'' => match ended_text(rest, first) {
                Some(end) => length = end,
                None => return false,
            },
            '/' if rest.starts_with("//") => return false,
            '/' if rest.starts_with("/*") => match rest[2..].find("*/") {
                Some(end) => length = end + 4,
                None => return false,
            },
            '(' => open.push(')'),
            '[' => open.push(']'),
            '{' => open.push('}'),
            ')' | ']' | '}' if open.pop() != Some(first) => return false,
            '\\' => return false,
            _ => {}
        }
        rest = &rest[length..];
    }
    open.is_empty()
}

/// Bytes of a text, or of a letter, with its quotes; all where it does not end.
fn end_of_text(text: &str, quote: char) -> usize {
    ended_text(text, quote).unwrap_or(text.len())
}

/// The same, of one that ends.
fn ended_text(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            letter if letter == quote => return Some(at + letter.len_utf8()),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_ends_where_its_text_does() {
        for c in ["x + 1", "f(\")\", ')')", "(int[]){1, 2}[0]", "1 /* ( */ + 2", "\"a\\\"b\"", "a / b"] {
            assert!(is_whole(c), "{c}");
        }
        for c in ["(x", "x)", "x) + (1", "f(]", "\"a", "'", "\"a\\\"", "1 /* x", "1 // x", "/*/", "1 \\"] {
            assert!(!is_whole(c), "{c}");
        }
    }

    #[test]
    fn names_of_values_are_told_from_members_types_and_texts() {
        for (c, expect) in [
            ("x + 1", &["x"][..]),
            ("f(x, -y)", &["f", "x", "y"]),
            ("s.x + p->y", &["s", "p"]),
            ("(struct x *)NULL", &["NULL"]),
            ("(x *)NULL", &["NULL"]),
            ("(const x)NULL", &["NULL"]),
            ("sizeof(x[2])", &["sizeof"]),
            ("2 * x", &["x"]),
            ("(x)0", &[]),
            ("(x + 1)", &["x"]),
            ("offsetof(struct s, x)", &[]),
            ("\"x \\\" y\" 'z'", &[]),
            ("0x1f + 1e5 + 3ul", &[]),
            ("1 /* x + y */ + 2", &[]),
            ("1.x", &[]),
            ("", &[]),
        ] {
            assert_eq!(free_names(c), expect, "{c}");
        }
    }
}
