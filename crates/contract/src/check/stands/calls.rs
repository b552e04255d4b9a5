//! What the functions of a prelude call, as far as its text says.

/// A function or a macro of a prelude.
struct Definition<'t> {
    name: &'t str,
    body: &'t str,
}

/// The text that runs when one of these functions is called: its body, and those of what is mentioned there. All of the
/// prelude where none of them is defined in words.
pub(super) fn text_of(prelude: &str, is_it: impl Fn(&str) -> bool) -> String {
    let bare = bare(prelude);
    let (code, macros) = directives(&bare);
    let mut rest = macros;
    rest.extend(functions(&code));
    let (mut reached, mut open): (Vec<_>, Vec<_>) = rest.into_iter().partition(|one| is_it(one.name));
    if reached.is_empty() {
        return bare;
    }
    let mut at = 0;
    while let Some(body) = reached.get(at).map(|one| one.body) {
        let (more, others) = open.into_iter().partition(|one| has_word(body, one.name));
        (open, at) = (others, at + 1);
        reached.extend::<Vec<_>>(more);
    }
    reached.iter().map(|one| one.body).collect::<Vec<_>>().join("\n")
}

/// Whether a text calls a function.
pub(super) fn calls(text: &str, name: &str) -> bool {
    words(text, name).any(|(before, behind)| {
        let (before, behind) = (before.trim_end(), behind.trim_start());
        let inner = before.ends_with('(').then(|| behind.strip_prefix(')')).flatten();
        inner.map_or(behind, str::trim_start).starts_with('(')
    })
}

fn has_word(text: &str, word: &str) -> bool {
    words(text, word).next().is_some()
}

/// What is before and behind a word, wherever it stands.
fn words<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = (&'t str, &'t str)> {
    let found = text.match_indices(word).map(|(at, _)| (&text[..at], &text[at + word.len()..]));
    found.filter(|(before, behind)| !before.ends_with(is_letter) && !behind.starts_with(is_letter))
}

fn is_letter(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The text with spaces in place of comments and literals.
fn bare(text: &str) -> String {
    let (mut bare, mut rest) = (String::new(), text);
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '/' if rest.starts_with("/*") => rest[2..].find("*/").map_or(rest.len(), |end| end + 4),
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '"' | '\'' => literal(rest, first),
            other => {
                bare.push(other);
                rest = &rest[other.len_utf8()..];
                continue;
            }
        };
        bare.push(' ');
        rest = &rest[length..];
    }
    bare
}

/// Bytes of the literal at the start, to its end or that of its line.
fn literal(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\n' => return at,
            _ if letter == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// What is no directive, and the macros.
fn directives(text: &str) -> (String, Vec<Definition<'_>>) {
    let (mut code, mut macros, mut rest) = (String::new(), Vec::new(), text);
    while !rest.is_empty() {
        let (line, behind) = rest.split_at(end_of_line(rest));
        rest = behind;
        let Some(directive) = line.trim_start().strip_prefix('#') else {
            code.push_str(line);
            continue;
        };
        if let Some(define) = directive.trim_start().strip_prefix("define") {
            let define = define.trim_start();
            let (name, body) = define.split_at(define.find(|c| !is_letter(c)).unwrap_or(define.len()));
            macros.push(Definition { name, body });
        }
    }
    (code, macros)
}

/// Where a line ends that goes on behind a backslash.
fn end_of_line(text: &str) -> usize {
    let mut ends = text.match_indices('\n').map(|(at, _)| at);
    let end = ends.find(|&at| !text[..at].trim_end_matches('\r').ends_with('\\'));
    end.map_or(text.len(), |at| at + 1)
}

/// The functions that a text without directives defines.
fn functions(code: &str) -> Vec<Definition<'_>> {
    let (mut found, mut depth, mut start, mut open) = (Vec::new(), 0_usize, 0, 0);
    for (at, letter) in code.char_indices() {
        match letter {
            '{' => {
                open = if depth == 0 { at } else { open };
                depth += 1;
            }
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    let name = name_of(&code[start..open.max(start)]);
                    found.extend(name.map(|name| Definition { name, body: &code[open..at] }));
                    start = at + 1;
                }
            }
            ';' if depth == 0 => start = at + 1,
            _ => {}
        }
    }
    found
}

/// The name of what a head declares: the last word before parentheses that are not in others, and no attribute.
fn name_of(head: &str) -> Option<&str> {
    let (mut depth, mut name) = (0_usize, None);
    for (at, letter) in head.char_indices() {
        match letter {
            '(' => {
                let before = head[..at].trim_end();
                let word = &before[before.rfind(|c| !is_letter(c)).map_or(0, |end| end + 1)..];
                if depth == 0 && !word.is_empty() && word != "__attribute__" {
                    name = Some(word);
                }
                depth += 1;
            }
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    name
}

#[test]
fn what_is_called_is_in_the_text_of_the_function() {
    let prelude = r#"
        #include "z.h" /* in_comment( */
        #define TWICE(n) \
            by_macro(n)
        int declared(int n);
        static const char *text = "in_text(";
        struct pair { int (*in_structure)(int); };
        static int inner(int n) { return by_inner (n) + '"'; } // in_line(
        static int other(int n) { return by_other(n); }
        __attribute__((unused)) static inline int whole(int n)
        {
            if (n > 0) { (by_parentheses)(n); }
            char *s = "in_literal(\"", *pointer = (char *)passed;
            return inner(n) + TWICE(n) + last(n);
        }
    "#;
    let text = text_of(prelude, |name| name == "whole");
    for name in ["by_macro", "by_inner", "by_parentheses", "inner", "last"] {
        assert!(calls(&text, name), "{name}: {text}");
    }
    for name in
        ["in_comment", "declared", "in_text", "in_structure", "in_line", "by_other", "in_literal", "passed"]
    {
        assert!(!calls(&text, name), "{name}: {text}");
    }
    // One that a macro defines: there is no saying where it ends.
    assert!(calls(&text_of(prelude, |name| name == "made"), "by_other"));
}
