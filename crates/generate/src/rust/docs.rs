//! Header comments as rustdoc.

use crate::shape::comments::{Block, blocks};

/// The lines of a comment, escaped so that rustdoc shows what the header's author typed. Indented
/// paragraphs become code blocks.
pub(crate) fn from_header(text: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for block in blocks(text) {
        if !out.is_empty() {
            out.push(String::new());
        }
        match block {
            Block::Prose(lines) => out.extend(lines.iter().map(|line| escape(line))),
            Block::Code(lines) => {
                let fence = if lines.iter().any(|line| line.contains("```")) { "~~~~~~" } else { "```" };
                out.push(format!("{fence}text"));
                out.extend(lines);
                out.push(fence.to_owned());
            }
        }
    }
    out
}

/// A line of prose without Markdown in it.
pub(crate) fn escape(line: &str) -> String {
    let mut out = String::new();
    let marks =
        !line.is_empty() && line.chars().all(|c| matches!(c, '=' | '-' | '#' | '~' | '|' | ':' | ' '));
    if marks || line.starts_with(['#', '>', '+', '-', '|']) && !line.starts_with("- ") {
        out.push('\\');
    }
    for (position, word) in line.split(' ').enumerate() {
        if position > 0 {
            out.push(' ');
        }
        match address(word) {
            Some((before, address, after)) => {
                out.push_str(&format!("{}<{address}>{}", plain(before), plain(after)));
            }
            None => out.push_str(&plain(word)),
        }
    }
    out
}

/// Splits a word that holds a web address.
fn address(word: &str) -> Option<(&str, &str, &str)> {
    let start = word.find("https://").or_else(|| word.find("http://"))?;
    let (before, rest) = word.split_at(start);
    let end = rest.find(['<', '>', '"', '\'', ')', ']', '`']).unwrap_or(rest.len());
    let address = rest[..end].trim_end_matches(['.', ',', ';', ':', '!', '?']);
    Some((before, address, &rest[address.len()..]))
}

fn plain(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let inside = |position: usize| {
        let word = |other: Option<usize>| {
            other.and_then(|other| letters.get(other)).is_some_and(|letter| letter.is_alphanumeric())
        };
        word(position.checked_sub(1)) && word(position.checked_add(1))
    };
    let mut out = String::new();
    for (position, &letter) in letters.iter().enumerate() {
        let mark = matches!(letter, '[' | ']' | '<' | '*' | '`' | '~' | '\\' | '&');
        // Inside a word `_` means nothing to Markdown.
        if mark || letter == '_' && !inside(position) {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &[&str]) {
        assert_eq!(from_header(text), expect);
    }

    #[test]
    fn commands_of_doxygen_are_prose() {
        check(
            "@brief Adds.\n@param a_b the \\c NULL\n@return the sum\n@code\nadd(1);\n\n  add(2);\n@endcode",
            &[
                "Adds.",
                "",
                "- a_b: the NULL",
                "",
                "Returns: the sum",
                "",
                "```text",
                "add(1);",
                "",
                "  add(2);",
                "```",
            ],
        );
    }

    #[test]
    fn what_rustdoc_would_misread_is_escaped() {
        check("Sets buf[n] to <none>.", &["Sets buf\\[n\\] to \\<none>."]);
        check("a*b and `c`, Z_OK, _x", &["a\\*b and \\`c\\`, Z_OK, \\_x"]);
        check("# define", &["\\# define"]);
        check("-----", &["\\-----"]);
        check("- item", &["- item"]);
        check("see http://zlib.net/a_b.html.", &["see <http://zlib.net/a_b.html>."]);
        check("(https://x.org)", &["(<https://x.org>)"]);
    }

    #[test]
    fn indented_paragraphs_are_blocks() {
        check(
            "     Prose starts further right\n   than it goes on.\n\n     So does this.\n\n     int x;\n\n\n     \
             while (x) {\n       y[0];\n     }\n\n   - an item\n     of two lines\n\n       far right\n",
            &[
                "Prose starts further right",
                "than it goes on.",
                "",
                "So does this.",
                "",
                "```text",
                "int x;",
                "",
                "while (x) {",
                "  y[0];",
                "}",
                "```",
                "",
                "- an item",
                "of two lines",
                "",
                "```text",
                "far right",
                "```",
            ],
        );
    }

    #[test]
    fn the_first_line_may_stand_further_left() {
        check("First line\n   second line.\n   third", &["First line", "second line.", "third"]);
        check("", &[]);
    }
}
