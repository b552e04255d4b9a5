//! The lines that are proposed for a function, and what may stand there instead.

/// A line `KEY = VALUE`, perhaps with a second reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// `params.NAME`, `result`, `error`.
    pub(super) key: String,
    /// What stands behind `=`.
    pub(super) value: String,
    /// What may stand there instead, and when.
    pub(super) other: Option<(String, String)>,
}

impl Line {
    /// One line of a proposal, or of what somebody types; `None` for what is none.
    pub(super) fn parse(text: &str) -> Option<Line> {
        let (key, rest) = text.split_once('=')?;
        let key = key.trim();
        let names_one = key == "result" || key == "error" || key == "deadline" || key == "idempotent";
        if !names_one && !key.starts_with("params.") {
            return None;
        }
        let (value, comment) = value(rest.trim())?;
        let other = comment.trim_start().strip_prefix("# or ").and_then(|or| {
            let (item, when) = self::value(or)?;
            Some((item.to_owned(), when.trim().to_owned()))
        });
        Some(Line { key: key.to_owned(), value: value.to_owned(), other })
    }

    /// Takes the second reading; the first is the second now.
    pub(super) fn turn(&mut self) -> bool {
        let Some((other, when)) = self.other.take() else { return false };
        self.other = Some((std::mem::replace(&mut self.value, other), when));
        true
    }
}

/// The value at the beginning of a text, and what is behind it.
fn value(text: &str) -> Option<(&str, &str)> {
    let mut depth = 0_usize;
    let mut quote = None;
    for (at, character) in text.char_indices() {
        match (quote, character) {
            (Some(open), _) if character == open => quote = None,
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

/// The lines below the name of the function.
pub(super) fn of(help: &str) -> Vec<Line> {
    help.lines().filter_map(Line::parse).collect()
}

/// The lines as a text of a contract.
pub(super) fn text(function: &str, lines: &[Line]) -> String {
    let body: String = lines.iter().map(|line| format!("{} = {}\n", line.key, line.value)).collect();
    format!("[function.{function}]\n{body}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_a_key_a_value_and_perhaps_another() {
        let line = Line::parse("params.a = { out = \"a # } b\" } # or { inout = \"value\" } when it is read")
            .unwrap();
        assert_eq!((line.key.as_str(), line.value.as_str()), ("params.a", "{ out = \"a # } b\" }"));
        assert_eq!(line.other, Some(("{ inout = \"value\" }".into(), "when it is read".into())));
        let line = Line::parse("result = { out = \"texts\" } # to be released?").unwrap();
        assert_eq!(line.other, None);
        assert_eq!(Line::parse("deadline = \"1s\"").unwrap().value, "\"1s\"");
        for wrong in
            ["", "y", "[function.f]", "params.a =", "params.a = { out", "library = \"z\"", "result = }"]
        {
            assert_eq!(Line::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn readings_change_places() {
        let mut line = Line::parse("result = { out = \"owned\" } # or { out = \"borrowed\" }").unwrap();
        assert!(line.turn());
        assert_eq!(line.value, "{ out = \"borrowed\" }");
        assert!(line.turn());
        assert_eq!(line.value, "{ out = \"owned\" }");
        assert!(!Line::parse("error = { fails = \"null\" }").unwrap().turn());
    }
}
