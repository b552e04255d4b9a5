//! The comment of a declaration, without comment marks.

use clang::Entity;
use hotcell_model::spelling::is_line;

use crate::origin::Origins;

/// The text of the comment that libclang attaches to a declaration.
pub(crate) fn doc(entity: &Entity<'_>, origins: &Origins<'_>) -> Option<String> {
    let text = origins.text(entity.get_comment_range()?)?;
    Some(clean(&text)).filter(|text| !text.is_empty())
}

/// The comment of a function. Some headers, zlib's for one, comment a function behind it; libclang then
/// takes the comment of the function before. So a comment that begins on the line behind the declaration
/// and is followed by an empty line wins over one that an empty line separates from the declaration.
pub(crate) fn doc_of_function(entity: &Entity<'_>, origins: &Origins<'_>) -> Option<String> {
    let before = || doc(entity, origins);
    let Some(range) = entity.get_range() else {
        return before();
    };
    let Some((text, end)) = origins.file_at(range.get_end()) else {
        return before();
    };
    let touches = entity.get_comment_range().is_some_and(|comment| {
        let (end, start) = (comment.get_end(), range.get_start());
        end.get_file_location().line + 1 >= start.get_file_location().line
    });
    if touches {
        return before();
    }
    let behind = text.get(end..).and_then(behind).map(|comment| clean(&comment));
    behind.filter(|text| !text.is_empty()).or_else(before)
}

/// The comment on the line behind a declaration, in the text from the declaration's end.
fn behind<'a>(text: &'a [u8]) -> Option<String> {
    let text = &text[..text.len().min(64 << 10)];
    let split = |text: &'a [u8], at: u8| {
        let place = text.iter().position(|byte| *byte == at)?;
        Some((&text[..place], &text[place + 1..]))
    };
    let (rest, text) = split(text, b';')?;
    let own_line =
        String::from_utf8_lossy(rest).lines().count() <= 3 && !rest.contains(&b'{') && !rest.contains(&b'}');
    let (line, text) = split(text, b'\n')?;
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let comment = &text[text.iter().take_while(|byte| blank(byte)).count()..];
    if !own_line || !line.trim_ascii().is_empty() || !comment.starts_with(b"/*") {
        return None;
    }
    let comment = String::from_utf8_lossy(comment);
    let (comment, after) = comment.split_once("*/")?;
    let mut after = after.lines();
    let alone = after.next().is_none_or(|line| line.trim().is_empty())
        && after.next().is_none_or(|line| line.trim().is_empty());
    alone.then(|| format!("{comment}*/"))
}

/// The text in a comment, or in several `//` comments, with its paragraphs.
pub(crate) fn clean(comment: &str) -> String {
    let comment = comment.trim().replace("\r\n", "\n");
    // A page's end, for example.
    let comment = comment.replace(|c: char| c != '\n' && !is_line(c.encode_utf8(&mut [0; 4])), " ");
    let block = comment.strip_prefix("/*").map(|inner| inner.strip_suffix("*/").unwrap_or(inner));
    let lines: Vec<&str> = match block {
        // `/**<`, `/*!` and boxes of stars.
        Some(inner) => inner.trim_start_matches(['*', '!']).trim_start_matches('<').lines().collect(),
        None => comment.lines().collect(),
    };
    let lines: Vec<&str> = lines
        .into_iter()
        .enumerate()
        .map(|(index, line)| match block {
            Some(_) if index == 0 => line.trim(),
            Some(_) => without_stars(line),
            None => without_slashes(line),
        })
        .collect();
    layout(&lines)
}

fn without_stars(line: &str) -> &str {
    let trimmed = line.trim_start();
    let bare = trimmed.trim_start_matches('*');
    // `*p` in running text is not a mark, ` * p` is; a line of a comment without marks keeps its indent.
    let marked = trimmed.len() != bare.len() && (bare.is_empty() || bare.starts_with([' ', '\t', '/']));
    if marked { bare.trim_end() } else { line.trim_end() }
}

fn without_slashes(line: &str) -> &str {
    let bare = line.trim().trim_start_matches('/').trim_start_matches('!').trim_start_matches('<');
    bare.trim_end()
}

/// Removes what all lines are indented by, and empty lines around and in excess.
fn layout(lines: &[&str]) -> String {
    let rule = |line: &str| {
        let line = line.trim();
        line.len() > 3 && line.chars().all(|c| matches!(c, '*' | '-' | '=' | '/' | '#'))
    };
    let lines: Vec<&str> = lines.iter().map(|line| if rule(line) { "" } else { *line }).collect();
    let indent = |line: &&str| line.len() - line.trim_start().len();
    let rest = lines.iter().skip(1).filter(|line| !line.trim().is_empty());
    let common = rest.map(indent).min().unwrap_or(0);
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        let line = if index == 0 { line.trim_start() } else { line.get(common..).unwrap_or("") };
        if line.trim().is_empty() {
            if !text.is_empty() && !text.ends_with("\n\n") {
                text.push('\n');
            }
        } else {
            text.push_str(line.trim_end());
            text.push('\n');
        }
    }
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{behind, clean};

    #[test]
    fn a_comment_behind_stands_alone() {
        for (text, expect) in [
            (";\n/* Behind. */\n\nint g(void);", Some("/* Behind. */")),
            (" OF((int));\n  /*\n a\n */\n", Some("/*\n a\n */")),
            (";\n\n/* Next one's. */\n", None),
            (";\n/* Next one's. */\nint g(void);", None),
            ("; int g(void);\n/* ? */\n\n", None),
            (" { return 1; }\n/* ? */\n\n", None),
            ("", None),
        ] {
            assert_eq!(behind(text.as_bytes()).as_deref(), expect, "{text:?}");
        }
    }

    #[test]
    fn marks_go_and_paragraphs_stay() {
        for (input, expect) in [
            ("/* One line. */", "One line."),
            ("/** Doxygen. */", "Doxygen."),
            ("/**< After a member. */", "After a member."),
            ("/*!< Qt style. */", "Qt style."),
            ("/// Rust style.\n/// Two lines.", "Rust style.\nTwo lines."),
            ("//!< After.", "After."),
            ("// a\n//\n// b", "a\n\nb"),
            ("/*\n * A.\n *\n * B:\n *   indented\n */", "A.\n\nB:\n  indented"),
            ("/*\n** SQLite style.\n**\n** {F10} More.\n*/", "SQLite style.\n\n{F10} More."),
            ("/*\n     zlib style, indented\n   by three.\n*/", "zlib style, indented\nby three."),
            ("/*\r\n * DOS.\r\n */", "DOS."),
            ("/*********\n * Boxed.\n *********/", "Boxed."),
            ("/* First\n   *p points */", "First\n*p points"),
            ("/* */", ""),
        ] {
            assert_eq!(clean(input), expect, "{input:?}");
        }
    }
}
