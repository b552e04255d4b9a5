//! The text of macro definitions: parameters, and whether a body can be tried as a constant.

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
    braces.then(|| body.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// A definition without comments and line continuations.
fn plain(definition: &str) -> String {
    let joined = definition.replace("\\\r\n", " ").replace("\\\n", " ");
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
        ] {
            assert_eq!(parameters(definition), expect, "{definition}");
        }
    }

    #[test]
    fn initial_values_are_in_braces() {
        for (definition, expect) in [
            ("STREAM_INIT \\\n\t{ NULL, 0, \\\n\t0 }", Some("{ NULL, 0, 0 }")),
            ("STREAM_INIT { 0 } /* nothing yet */", Some("{ 0 }")),
            ("STREAM_INIT(x) { x }", None),
            ("STREAM_INIT 0", None),
            ("LOOP { do_it(); } while (0)", None),
        ] {
            let name = definition.split([' ', '(']).next().unwrap();
            assert_eq!(initializer(name, definition).as_deref(), expect, "{definition}");
        }
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
