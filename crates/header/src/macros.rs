//! The text of macro definitions: parameters, and whether a body can be tried as a constant.

use std::collections::{HashMap, HashSet};

/// Parameters of a function-like macro, from its definition: `MAX(a, b) ((a) > (b) ? (a) : (b))`.
pub(crate) fn parameters(definition: &str) -> Vec<String> {
    let definition = plain(definition);
    let list = definition.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
    let Some((list, _)) = list else { return Vec::new() };
    list.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
}

/// Whether the body of an object-like macro may be a constant expression. Text that could end or extend a
/// declaration around it is not tried.
pub(crate) fn may_be_constant(name: &str, definition: &str) -> bool {
    let definition = plain(definition);
    let Some(body) = definition.strip_prefix(name).map(str::trim) else {
        return false;
    };
    let bare = without_literals(body);
    let mut depth = 0_i32;
    for c in bare.chars() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            '{' | '}' | ';' | '#' => return false,
            ',' if depth == 0 => return false,
            _ => {}
        }
        if depth < 0 {
            return false;
        }
    }
    // These change from use to use.
    let moving = ["__LINE__", "__FILE__", "__COUNTER__", "__DATE__", "__TIME__", "__TIMESTAMP__"];
    depth == 0 && !body.is_empty() && !moving.iter().any(|word| bare.contains(word))
}

/// The initial values in braces that an object-like macro is: `{ NULL, 0, 0 }`.
pub(crate) fn initializer(name: &str, definition: &str) -> Option<String> {
    let definition = plain(definition);
    let body = definition.strip_prefix(name)?.trim();
    let braces = body.starts_with('{') && body.ends_with('}');
    braces.then(|| escaped(&body.split_whitespace().collect::<Vec<_>>().join(" ")))
}

/// Signs of control as C has words for them in texts: elsewhere there are none.
fn escaped(text: &str) -> String {
    let escaped =
        |c: char| if c.is_ascii_control() { format!("\\{:03o}", u32::from(c)) } else { c.to_string() };
    text.chars().map(escaped).collect()
}

/// How long macros are when each macro in them stands for its words. What a macro is given is counted once.
#[derive(Debug, Default)]
pub(crate) struct Lengths {
    /// Words of the definitions that are names, and how many others there are.
    bodies: HashMap<String, (Vec<String>, u64)>,
    known: HashMap<String, u64>,
}

impl Lengths {
    /// At its last definition.
    pub(crate) fn add(&mut self, name: &str, definition: &str) {
        let bare = without_literals(&plain(definition));
        let body = bare.strip_prefix(name).unwrap_or(&bare);
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let names = body.split(|c| !is_word(c)).filter(|word| !word.is_empty());
        let names = names.map(str::to_owned).collect();
        let others = body.chars().filter(|&c| !is_word(c) && !c.is_whitespace()).count() as u64;
        self.bodies.insert(name.to_owned(), (names, others));
    }

    /// Words and signs of a macro. Macros that lead back to themselves by way of others have no end.
    pub(crate) fn of(&mut self, name: &str) -> u64 {
        // Not by calls: a chain may be as long as a header.
        let mut open = vec![(name, 0, 0_u64)];
        let mut within: HashSet<&str> = [name].into();
        while let Some((macro_name, next, sum)) = open.pop() {
            let Some((names, others)) = self.bodies.get(macro_name) else { return 1 };
            let Some(word) = names.get(next) else {
                within.remove(macro_name);
                self.known.insert(macro_name.to_owned(), sum.saturating_add(*others));
                continue;
            };
            let length = match self.known.get(word) {
                // One that names itself is that name.
                _ if word == macro_name => 1,
                Some(&length) => length,
                None if within.contains(word.as_str()) => u64::MAX,
                None if self.bodies.contains_key(word) => {
                    open.push((macro_name, next, sum));
                    within.insert(word);
                    open.push((word, 0, 0));
                    continue;
                }
                None => 1,
            };
            open.push((macro_name, next + 1, sum.saturating_add(length)));
        }
        self.known.get(name).copied().unwrap_or(1)
    }
}

/// A definition without comments and line continuations.
fn plain(definition: &str) -> String {
    // What is on both sides of it may be one word.
    let joined = definition.replace("\\\r\n", "").replace("\\\n", "");
    let mut out = String::new();
    let mut rest = joined.as_str();
    while let Some(c) = rest.chars().next() {
        if rest.starts_with("/*") {
            out.push(' ');
            rest = rest[2..].split_once("*/").map_or("", |(_, after)| after);
        } else if rest.starts_with("//") {
            rest = rest.split_once('\n').map_or("", |(_, after)| after);
        } else {
            let length = if c == '"' || c == '\'' { literal(rest) } else { c.len_utf8() };
            out.push_str(&rest[..length]);
            rest = &rest[length..];
        }
    }
    out
}

fn without_literals(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = if c == '"' || c == '\'' {
            literal(rest)
        } else {
            out.push(c);
            c.len_utf8()
        };
        rest = &rest[length..];
    }
    out
}

/// Bytes of the string or character literal that a text begins with.
fn literal(text: &str) -> usize {
    let mut chars = text.char_indices();
    let quote = chars.next().map(|(_, c)| c);
    while let Some((at, c)) = chars.next() {
        if c == '\\' {
            chars.next();
        } else if Some(c) == quote {
            return at + c.len_utf8();
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read() {
        for (definition, expect) in [
            ("MAX(a, b) ((a) > (b) ? (a) : (b))", vec!["a", "b"]),
            ("NONE() 1", vec![]),
            ("LOG(fmt, ...) printf(fmt, __VA_ARGS__)", vec!["fmt", "..."]),
            ("GNU(args...) f(args)", vec!["args..."]),
            ("LONG(a, /* first */ \\\n b) a b", vec!["a", "b"]),
            ("SPLIT(a\\\nb) ab", vec!["ab"]),
        ] {
            assert_eq!(parameters(definition), expect, "{definition}");
        }
    }

    #[test]
    fn initial_values_are_in_braces() {
        for (definition, expect) in [
            ("STREAM_INIT \\\n\t{ NULL, 0, \\\n\t0 }", Some("{ NULL, 0, 0 }")),
            ("STREAM_INIT { 0 } /* nothing yet */", Some("{ 0 }")),
            ("STREAM_INIT { \"\u{1b}[0m\" }", Some("{ \"\\033[0m\" }")),
            ("STREAM_INIT(x) { x }", None),
            ("STREAM_INIT 0", None),
            ("LOOP { do_it(); } while (0)", None),
        ] {
            let name = definition.split([' ', '(']).next().unwrap();
            assert_eq!(initializer(name, definition).as_deref(), expect, "{definition}");
        }
    }

    #[test]
    fn macros_are_as_long_as_what_they_stand_for() {
        let mut lengths = Lengths::default();
        lengths.add("A0", "A0 1");
        for n in 1..200 {
            lengths.add(&format!("A{n}"), &format!("A{n} A{0}+A{0}", n - 1));
        }
        for (name, body) in [
            ("SELF", "SELF"),
            ("TO", "FRO"),
            ("FRO", "TO"),
            ("BOTH", "(SELF | 2) /* A199 */"),
            ("TEXT", "\"A199 A199\""),
            ("CALL", "OR(a, b)"),
            ("OR(x, y)", "((x) | (y))"),
        ] {
            let plain = name.split('(').next().unwrap();
            lengths.add(plain, &format!("{name} {body}"));
        }
        let expected = [("A0", 1), ("A1", 3), ("A11", 4095), ("A199", u64::MAX), ("SELF", 1), ("BOTH", 5)];
        for (name, length) in expected {
            assert_eq!(lengths.of(name), length, "{name}");
        }
        assert_eq!((lengths.of("TO"), lengths.of("FRO"), lengths.of("TEXT")), (u64::MAX, u64::MAX, 0));
        assert!((10..30).contains(&lengths.of("CALL")));
        // As long as a header may be.
        (0..100_000).for_each(|n| lengths.add(&format!("C{n}"), &format!("C{n} C{}", n + 1)));
        assert_eq!(lengths.of("C0"), 1);
    }

    #[test]
    fn only_expressions_are_tried() {
        for (body, expect) in [
            ("1", true),
            ("(1 << 3)", true),
            ("\"a;{,\"", true),
            ("';'", true),
            ("sizeof(char[4])", true),
            ("F(1, 2)", true),
            ("1 /* one; */", true),
            ("1 // one;", true),
            ("", false),
            ("/* nothing */", false),
            ("1, y = 2", false),
            ("1; int y", false),
            ("{ 0 }", false),
            (") + (", false),
            ("(1", false),
            ("__LINE__", false),
        ] {
            assert_eq!(may_be_constant("X", &format!("X {body}")), expect, "{body}");
        }
    }
}
