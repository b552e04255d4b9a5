//! Header comments as documentation of Go, in the form that gofmt leaves as it is.

use crate::shape::comments::{Block, blocks};

/// The lines of a comment, without the `//` in front. What Go would take for a heading, a list or the target of a link
/// is set off, so that it is shown as the header's author typed it.
pub(crate) fn from_header(text: &str) -> Vec<String> {
    let blocks = blocks(&printable(text));
    let is_indented = |block: &Block| match block {
        Block::Code(_) => true,
        Block::Prose(lines) => !matches!(kind(lines), Kind::Prose),
    };
    let indented: Vec<bool> = blocks.iter().map(is_indented).collect();
    let mut out: Vec<String> = Vec::new();
    for (at, block) in blocks.iter().enumerate() {
        // What is indented in a row is one to Go: then it is no list. In front of all stands a declaration.
        let alone = at > 0 && !indented[at - 1] && !indented.get(at + 1).copied().unwrap_or_default();
        let part = match block {
            Block::Code(lines) => set_off(lines),
            Block::Prose(lines) => match kind(lines) {
                Kind::Prose => prose(lines),
                Kind::Items if alone => items(lines),
                Kind::Items | Kind::Other => set_off(lines),
            },
        };
        if !out.is_empty() {
            out.push(String::new());
        }
        out.extend(part);
    }
    out
}

/// What a paragraph is.
enum Kind {
    Prose,
    /// A list, whose first line begins an item.
    Items,
    /// What has a meaning of its own where it stands at the margin.
    Other,
}

fn kind(lines: &[String]) -> Kind {
    let odd = |line: &String| {
        line.starts_with(['#', '[']) || !line.is_empty() && line.chars().all(|c| !c.is_alphanumeric())
    };
    if lines.iter().any(odd) {
        return Kind::Other;
    }
    if lines.first().is_some_and(|line| item(line).is_some()) {
        return Kind::Items;
    }
    // Go looks for items in the lines behind, too.
    if lines.iter().any(|line| item(line).is_some() || is_numbered(line)) { Kind::Other } else { Kind::Prose }
}

/// The text of an item of a list.
fn item(line: &str) -> Option<&str> {
    let rest = line.strip_prefix(['-', '*', '+', '•'])?;
    rest.strip_prefix(' ').map(str::trim_start).filter(|text| !text.is_empty())
}

/// A paragraph. A line by itself gets a full stop: Go would take it for a heading.
fn prose(lines: &[String]) -> Vec<String> {
    let mut out: Vec<String> = lines.iter().map(|line| plain(line)).collect();
    if let [line] = out.as_mut_slice()
        && line.ends_with(char::is_alphanumeric)
    {
        line.push('.');
    }
    out
}

/// Whether it begins an item with a number.
fn is_numbered(line: &str) -> bool {
    let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
    rest.len() < line.len() && rest.starts_with(['.', ')']) && rest[1..].starts_with(' ')
}

/// A list as gofmt has it.
fn items(lines: &[String]) -> Vec<String> {
    let line = |line: &String| match item(line) {
        Some(text) => format!("  - {}", plain(text)),
        None => format!("    {}", plain(line)),
    };
    lines.iter().map(line).collect()
}

/// Lines that are shown as they are. They do not begin as a list does: what stands behind the mark is no space to Go.
fn set_off(lines: &[String]) -> Vec<String> {
    let line = |(at, line): (usize, &String)| match line.as_str() {
        "" => String::new(),
        line if at == 0 && (item(line).is_some() || is_numbered(line)) => {
            format!("\t{}", line.replacen(' ', "\u{a0}", 1))
        }
        line => format!("\t{line}"),
    };
    lines.iter().enumerate().map(line).collect()
}

/// Prose in which gofmt finds no quotes to change.
fn plain(line: &str) -> String {
    line.replace("``", "\"").replace("''", "\"")
}

/// A comment without what Go refuses in its files, and without what gofmt takes for a line about building.
fn printable(text: &str) -> String {
    let known = |c: &char| matches!(c, '\n' | '\t') || !c.is_control() && *c != '\u{feff}';
    let text: String = text.chars().filter(known).collect();
    text.replace("+build", "+\u{a0}build")
}

/// A comment of these lines.
pub(crate) fn comment(lines: &[String]) -> Vec<String> {
    let lines = lines.iter().flat_map(|line| line.split('\n')).map(str::to_owned);
    let lines: Vec<String> = lines.collect();
    let line = |line: &String| match line.as_str() {
        "" => "//".to_owned(),
        line if line.starts_with('\t') => format!("//{line}"),
        line => format!("// {line}"),
    };
    lines.iter().map(line).collect()
}

/// Words about something, without what marks code in them: Go has no such mark.
pub(crate) fn unmarked(text: &str) -> String {
    text.replace('`', "")
}

/// Adds a paragraph.
pub(crate) fn paragraph(lines: &mut Vec<String>, more: impl IntoIterator<Item = String>) {
    let mut more = more.into_iter().peekable();
    if more.peek().is_some() && !lines.is_empty() {
        lines.push(String::new());
    }
    lines.extend(more);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &[&str]) {
        assert_eq!(from_header(text), expect, "{text}");
    }

    #[test]
    fn prose_stays_prose() {
        check("Sets buf[n] to <none>.\n  And *more*.", &["Sets buf[n] to <none>.", "And *more*."]);
        check("As ``this'' says", &["As \"this\" says."]);
        check("Sets it\nat once", &["Sets it", "at once"]);
        check("", &[]);
        check("+build ignore\n\u{feff}and\0 so on", &["+\u{a0}build ignore", "and so on"]);
    }

    #[test]
    fn what_go_would_take_for_something_else_is_set_off() {
        check("# define", &["\t# define"]);
        check("[link]: http://example.org", &["\t[link]: http://example.org"]);
        check("-----", &["\t-----"]);
        check("Values:\n1. one\n2. two", &["\tValues:", "\t1. one", "\t2. two"]);
    }

    #[test]
    fn lists_are_as_gofmt_has_them() {
        check("It is:\n\n- one\n  and more\n- two", &["It is:", "", "  - one", "    and more", "  - two"]);
        check("It is:\n\n* one\n\nSo be it.", &["It is:", "", "  - one", "", "So be it."]);
        // Beside what is set off it would be part of that.
        check("It is:\n\n- one\n- two\n\n# x", &["It is:", "", "\t-\u{a0}one", "\t- two", "", "\t# x"]);
        check("- one", &["\t-\u{a0}one"]);
        check("1. one\n2. two", &["\t1.\u{a0}one", "\t2. two"]);
    }

    #[test]
    fn commands_of_doxygen_are_prose() {
        check(
            "@brief Adds.\n@param[out] a the first\n  of two\n@param b the other\n@return the sum\n@code\n  add(1);\n@endcode",
            &[
                "Adds.",
                "",
                "  - a (out): the first",
                "    of two",
                "  - b: the other",
                "",
                "Returns: the sum.",
                "",
                "\tadd(1);",
            ],
        );
        check("@deprecated Use\nsum().", &["Deprecated: Use", "sum()."]);
    }

    #[test]
    fn code_is_indented() {
        check(
            "Do:\n\n      x = 1;\n        y();\n\nand go",
            &["Do:", "", "\tx = 1;", "\t  y();", "", "and go."],
        );
    }

    #[test]
    fn a_space_of_several_bytes_costs_no_text() {
        check(
            "Do:\n\n      x = 1;\n     \u{a0}y();\n\nand go",
            &["Do:", "", "\tx = 1;", "\ty();", "", "and go."],
        );
    }

    #[test]
    fn comments_have_no_spaces_at_their_ends() {
        let lines = ["A b.", "", "\tcode"].map(str::to_owned);
        assert_eq!(comment(&lines), ["// A b.", "//", "//\tcode"]);
    }
}
