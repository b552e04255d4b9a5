//! What a proposed line may say: the readings that its comment names, and the ways that memory may go.

/// A value, and when it is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) value: String,
    /// Empty where nothing is said.
    pub(super) when: String,
}

impl Reading {
    pub(super) fn of(value: &str) -> Reading {
        Reading { value: value.to_owned(), when: String::new() }
    }

    fn when(value: &str, when: &str) -> Reading {
        Reading { value: value.to_owned(), when: when.trim_matches([' ', ',', ';']).to_owned() }
    }
}

/// The readings of a line, and what else its comment says that is no value: `VALUE # or VALUE when WHEN; without …`.
pub(super) fn of(value: &str, comment: &str) -> (Vec<Reading>, Option<String>) {
    let mut readings = vec![Reading::of(value)];
    let mut besides = None;
    let said = comment.trim_start_matches('#').trim();
    for clause in said.split(';').map(str::trim).filter(|clause| !clause.is_empty()) {
        let other = clause.strip_prefix("or ");
        if let Some((other, when)) = other.and_then(self::value)
            && other.starts_with(['{', '[', '"'])
        {
            readings.push(Reading::when(other, when));
            continue;
        }
        let without = other.unwrap_or(clause).strip_prefix("without `").and_then(|rest| rest.split_once('`'));
        match without.and_then(|(key, when)| Some((without_key(value, key)?, when))) {
            Some((shorter, when)) => readings.push(Reading::when(&shorter, when)),
            None if other.is_none() && readings[0].when.is_empty() => {
                readings[0] = Reading::when(value, clause)
            }
            None => besides = Some(other.unwrap_or(clause).to_owned()),
        }
    }
    (readings, besides)
}

/// An inline table without one of its keys.
fn without_key(value: &str, key: &str) -> Option<String> {
    let mut table = inline(value)?;
    table.remove(key)?;
    table.fmt();
    Some(table.to_string().trim().to_owned())
}

/// Whether the readings say different ways of memory.
pub(super) fn differ_in_direction(readings: &[Reading]) -> bool {
    let ways: Vec<String> =
        readings.iter().filter_map(|it| Some(way(&inline(&it.value)?)?.0.to_owned())).collect();
    ways.iter().any(|way| *way != ways[0])
}

/// Which way an inline table says that something goes, and as what.
fn way(table: &toml_edit::InlineTable) -> Option<(&'static str, String)> {
    ["in", "out", "inout"].into_iter().find_map(|way| Some((way, table.get(way)?.as_str()?.to_owned())))
}

/// Adds the ways that are not among the readings, with the same length where there is one.
pub(super) fn add_directions(readings: &mut Vec<Reading>) {
    let Some(table) = readings.first().and_then(|first| inline(&first.value)) else { return };
    let Some((direction, what)) = way(&table) else { return };
    let length = match direction {
        "out" => table.get("size").or_else(|| table.get("capacity")).or_else(|| table.get("length")),
        _ => table.get("length"),
    };
    // What the function says afterwards is no length that goes in.
    let length = length.filter(|length| !length.as_str().is_some_and(|it| ["result", "text"].contains(&it)));
    let length = length.map(|length| length.to_string().trim().to_owned());
    let ways = match (what.as_str(), length) {
        ("value", _) => vec![
            ("{ in = \"buffer\", length = \"1\" }".to_owned(), "when it is one number that is only read"),
            ("{ out = \"value\" }".to_owned(), ""),
            ("{ inout = \"value\" }".to_owned(), ""),
        ],
        ("struct", _) => vec![
            ("{ in = \"struct\" }".to_owned(), "when it is only read"),
            ("{ out = \"struct\" }".to_owned(), ""),
            ("{ inout = \"struct\" }".to_owned(), ""),
        ],
        ("buffer", Some(length)) => {
            // An integer parameter as the length of what comes out is told how much is wanted.
            let told = if table.contains_key("capacity") { "capacity" } else { "length" };
            vec![
                (format!("{{ in = \"buffer\", length = {length} }}"), "when it is only read"),
                (format!("{{ out = \"buffer\", {told} = {length} }}"), "when it is only written"),
                (format!("{{ inout = \"buffer\", length = {length} }}"), "when it is read and written"),
            ]
        }
        _ => return,
    };
    for (value, when) in ways {
        let direction = |value: &str| inline(value).and_then(|table| way(&table)).map(|(way, _)| way);
        if !readings.iter().any(|there| direction(&there.value) == direction(&value)) {
            readings.push(Reading::when(&value, when));
        }
    }
}

fn inline(value: &str) -> Option<toml_edit::InlineTable> {
    value.parse::<toml_edit::Value>().ok()?.as_inline_table().cloned()
}

/// The value at the beginning of a text, and what is behind it.
pub(super) fn value(text: &str) -> Option<(&str, &str)> {
    let mut depth = 0_usize;
    let mut quote = None;
    for (at, character) in text.char_indices() {
        match (quote, character) {
            (Some(open), _) if character == open => {
                quote = None;
                if depth == 0 {
                    return Some(text.split_at(at + 1));
                }
            }
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(character),
            (None, '{' | '[') => depth += 1,
            (None, '}' | ']') => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(text.split_at(at + 1));
                }
            }
            (None, '#') if depth == 0 => return nonempty(text.split_at(at)),
            _ => {}
        }
    }
    if depth == 0 && quote.is_none() { nonempty((text, "")) } else { None }
}

fn nonempty<'a>((value, rest): (&'a str, &'a str)) -> Option<(&'a str, &'a str)> {
    let value = value.trim_end();
    (!value.is_empty()).then_some((value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values of a line's readings with their conditions.
    fn readings(line: &str) -> Vec<String> {
        let (value, comment) = value(line).unwrap();
        let (readings, besides) = of(value, comment.trim());
        let said = readings.iter().map(|it| format!("{} {}", it.value, it.when).trim_end().to_owned());
        said.chain(besides.map(|it| format!("or {it}"))).collect()
    }

    #[test]
    fn a_comment_names_readings() {
        for (line, expect) in [
            (r#"{ out = "owned" }"#, &[r#"{ out = "owned" }"#][..]),
            (r#"{ a = 1 } # or { b = 2 } when it is"#, &["{ a = 1 }", "{ b = 2 } when it is"]),
            (r#"{ a = 1 } # or "never", when it is"#, &["{ a = 1 }", r#""never" when it is"#]),
            (r#"{ a = 1 } # when it is"#, &["{ a = 1 } when it is"]),
            (r#"{ a = 1 } # or name it in `b`"#, &["{ a = 1 }", "or name it in `b`"]),
            (r#"{ a = 1, b = "x" } # or without `b`"#, &[r#"{ a = 1, b = "x" }"#, "{ a = 1 }"]),
            (
                r#"{ a = 1, b = "x" } # or { c = 2 }; without `b` when it is"#,
                &[r#"{ a = 1, b = "x" }"#, "{ c = 2 }", "{ a = 1 } when it is"],
            ),
            (
                r#"{ a = 1, b = "x" } # without `b` when it is"#,
                &[r#"{ a = 1, b = "x" }"#, "{ a = 1 } when it is"],
            ),
            (r#"{ a = 1 } # to be released?"#, &["{ a = 1 } to be released?"]),
        ] {
            assert_eq!(readings(line), expect, "{line}");
        }
    }

    #[test]
    fn all_ways_have_the_same_length() {
        let check = |first: &str, expect: &[&str]| {
            let mut readings = vec![Reading::of(first)];
            add_directions(&mut readings);
            let values: Vec<&str> = readings[1..].iter().map(|reading| reading.value.as_str()).collect();
            assert_eq!(values, expect, "{first}");
        };
        let read = r#"{ in = "buffer", length = "n" }"#;
        let both = r#"{ inout = "buffer", length = "n" }"#;
        check(r#"{ out = "buffer", size = "n", length = "result" }"#, &[read, both]);
        check(r#"{ out = "buffer", capacity = "n" }"#, &[read, both]);
        check(read, &[r#"{ out = "buffer", length = "n" }"#, both]);
        check(r#"{ out = "buffer", length = "n" }"#, &[read, both]);
        check(r#"{ out = "value" }"#, &[r#"{ in = "buffer", length = "1" }"#, r#"{ inout = "value" }"#]);
        check(r#"{ inout = "struct" }"#, &[r#"{ in = "struct" }"#, r#"{ out = "struct" }"#]);
        check(r#"{ out = "buffer", length = "result" }"#, &[]);
        check(r#"{ fixed = 0 }"#, &[]);
        check(r#"{ string = "utf-8" }"#, &[]);
    }
}
