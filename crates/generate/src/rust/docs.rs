//! Header comments as rustdoc.

/// The lines of a comment, escaped so that rustdoc shows what the header's author typed. Indented text
/// becomes a code block.
pub(crate) fn from_header(text: &str) -> Vec<String> {
    let text = text.replace('\t', "    ");
    let lines: Vec<&str> = text
        .trim_matches('\n')
        .trim_end()
        .lines()
        .map(str::trim_end)
        .collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    // A comment's first line often stands alone behind its mark, so the others decide.
    let rest = lines.iter().skip(1).filter(|line| !line.is_empty());
    let least = rest.map(|line| indent(line)).min().unwrap_or(0);
    let mut out = Vec::new();
    let mut code: Vec<String> = Vec::new();
    for (position, line) in lines.iter().enumerate() {
        let depth = if position == 0 {
            0
        } else {
            indent(line).saturating_sub(least)
        };
        // Only behind an empty line: else it is a paragraph's continuation or an item of a list.
        let starts = out.last().is_some_and(String::is_empty);
        if !line.is_empty() && depth >= 4 && (starts || !code.is_empty()) {
            code.push(line[least..].to_owned());
        } else if line.is_empty() && !code.is_empty() {
            code.push(String::new());
        } else {
            flush(&mut code, &mut out);
            out.push(escape(line.trim_start()));
        }
    }
    flush(&mut code, &mut out);
    out
}

fn flush(code: &mut Vec<String>, out: &mut Vec<String>) {
    let mut trailing = 0;
    while code.last().is_some_and(String::is_empty) {
        code.pop();
        trailing += 1;
    }
    if code.is_empty() {
        return;
    }
    let fence = if code.iter().any(|line| line.contains("```")) {
        "~~~~~~"
    } else {
        "```"
    };
    out.push(format!("{fence}text"));
    out.append(code);
    out.push(fence.to_owned());
    out.extend(std::iter::repeat_n(String::new(), trailing));
}

/// A line of prose without Markdown in it.
pub(crate) fn escape(line: &str) -> String {
    let mut out = String::new();
    let marks = !line.is_empty()
        && line
            .chars()
            .all(|c| matches!(c, '=' | '-' | '#' | '~' | '|' | ':' | ' '));
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
    let end = rest
        .find(['<', '>', '"', '\'', ')', ']', '`'])
        .unwrap_or(rest.len());
    let address = rest[..end].trim_end_matches(['.', ',', ';', ':', '!', '?']);
    Some((before, address, &rest[address.len()..]))
}

fn plain(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let inside = |position: usize| {
        let word = |other: Option<usize>| {
            other
                .and_then(|other| letters.get(other))
                .is_some_and(|letter| letter.is_alphanumeric())
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
    fn what_rustdoc_would_misread_is_escaped() {
        check("Sets buf[n] to <none>.", &["Sets buf\\[n\\] to \\<none>."]);
        check("a*b and `c`, Z_OK, _x", &["a\\*b and \\`c\\`, Z_OK, \\_x"]);
        check("# define", &["\\# define"]);
        check("-----", &["\\-----"]);
        check("- item", &["- item"]);
        check(
            "see http://zlib.net/a_b.html.",
            &["see <http://zlib.net/a_b.html>."],
        );
        check("(https://x.org)", &["(<https://x.org>)"]);
    }

    #[test]
    fn indented_text_is_a_block() {
        let text = "\n     Usage example:\n\n       first\n     second\n\n         uLong crc = crc32(0L, Z_NULL, 0);\n\n         while (1) {\n           x[0];\n         }\n\n     end\n";
        check(
            text,
            &[
                "Usage example:",
                "",
                "first",
                "second",
                "",
                "```text",
                "    uLong crc = crc32(0L, Z_NULL, 0);",
                "",
                "    while (1) {",
                "      x[0];",
                "    }",
                "```",
                "",
                "end",
            ],
        );
    }

    #[test]
    fn the_first_line_may_stand_further_left() {
        check(
            "First line\n   second line.\n   third",
            &["First line", "second line.", "third"],
        );
        check("", &[]);
    }
}
