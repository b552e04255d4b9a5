//! The comment of a declaration, without comment marks.

use clang::Entity;
use clang::source::SourceLocation;
use hotcell_model::spelling::is_line;

use crate::origin::Origins;

/// The text of the comment that libclang attaches to a declaration.
pub(crate) fn doc(entity: &Entity<'_>, origins: &Origins<'_>) -> Option<String> {
    let text = origins.text(entity.get_comment_range()?)?;
    Some(clean(&text)).filter(|text| !text.is_empty())
}

/// The comment of a structure, a union or an enumeration. A heading of what comes, with an empty line behind it, is none. Of functions all is kept: what
/// comments say of NULL, and of who keeps what, is read there.
pub(crate) fn doc_of_type(entity: &Entity<'_>, origins: &Origins<'_>) -> Option<String> {
    let range = entity.get_comment_range()?;
    let line = |place: SourceLocation<'_>| place.get_file_location().line;
    let apart = entity.get_range().is_some_and(|own| line(own.get_start()) > line(range.get_end()) + 1);
    let is_heading = || origins.text(range).is_some_and(|text| is_heading(&text));
    if apart && is_heading() { None } else { doc(entity, origins) }
}

/// Whether a comment is a heading: its only line of words stands between rules, or below one, and is no sentence.
fn is_heading(comment: &str) -> bool {
    let lines: Vec<&str> = comment.trim().lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let mut of_words = lines.iter().filter(|line| !is_rule(inside(line)));
    let (Some(line), None) = (of_words.next(), of_words.next()) else { return false };
    let ends = |c: char| RULES.contains(&c) || matches!(c, '<' | '>') || c.is_whitespace();
    let words = inside(line).trim_matches(ends);
    let is_sentence = words.contains(['.', ',', ':', ';', '(']) || words.split_whitespace().count() > 6;
    let says_more = words.to_ascii_lowercase().contains("deprecated");
    let is_boxed = || lines.iter().any(|line| is_rule(inside(line)) && inside(line).chars().count() > 3);
    (is_framed(line) || is_boxed()) && !is_sentence && !says_more
}

/// What stands between the marks of a comment, or of a line of one.
fn inside(line: &str) -> &str {
    let line = line.strip_prefix("/*").or_else(|| line.strip_prefix("//")).unwrap_or(line);
    line.strip_suffix("*/").unwrap_or(line).trim()
}

/// Whether a line is nothing but a rule.
fn is_rule(line: &str) -> bool {
    line.chars().all(|c| RULES.contains(&c))
}

/// What rules are drawn with.
const RULES: [char; 6] = ['*', '-', '=', '/', '#', '~'];

/// Whether a line of words has a rule at both ends, `---- Types ----`, or a long one at one of them.
fn is_framed(line: &str) -> bool {
    let words = inside(line);
    let run = |letters: &mut dyn Iterator<Item = char>| {
        let first = letters.next().filter(|c| RULES.contains(c))?;
        Some((first, 1 + letters.take_while(|c| *c == first).count()))
    };
    let ends = (run(&mut words.chars()), run(&mut words.chars().rev()));
    // Marks of comments are stars and strokes: two of them are no rule.
    let least = |of: char| if matches!(of, '*' | '/') { 3 } else { 2 };
    let long = |(of, length): (char, usize)| length >= 4 && !matches!(of, '*' | '/');
    match ends {
        (Some((a, first)), Some((b, last))) => first >= least(a) && last >= least(b),
        (Some(end), None) | (None, Some(end)) => long(end),
        (None, None) => false,
    }
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

/// The text in a comment, or in several that stand together, with its paragraphs. A heading above another comment is not of it.
pub(crate) fn clean(comment: &str) -> String {
    let comment = comment.replace("\r\n", "\n");
    // A page's end, for example.
    let comment = comment.replace(|c: char| c != '\n' && !is_line(c.encode_utf8(&mut [0; 4])), " ");
    let parts = parts(&comment);
    let headings = parts.iter().take(parts.len() - 1).take_while(|part| is_heading(part)).count();
    let texts = parts[headings..].iter().map(|part| clean_one(part)).filter(|text| !text.is_empty());
    texts.collect::<Vec<_>>().join("\n")
}

/// The comments that stand in one range: what begins with `/*` ends with the first `*/` behind it; what is behind these is one. There is one at
/// least.
fn parts(comment: &str) -> Vec<&str> {
    let mut rest = comment.trim();
    let mut parts = Vec::new();
    while let Some(end) = rest.strip_prefix("/*").and_then(|inner| inner.find("*/")) {
        let (part, behind) = rest.split_at("/*".len() + end + "*/".len());
        parts.push(part);
        rest = behind.trim_start();
    }
    if !rest.is_empty() || parts.is_empty() {
        parts.push(rest);
    }
    parts
}

/// The text in one comment, or in several `//` comments.
fn clean_one(comment: &str) -> String {
    let block = comment.strip_prefix("/*").map(|inner| inner.strip_suffix("*/").unwrap_or(inner));
    // `/*-` keeps tools of BSD from filling the lines.
    let block = block.map(|inner| match inner.strip_prefix('-') {
        Some(rest) if rest.starts_with(char::is_whitespace) => rest,
        _ => inner,
    });
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
    use super::{behind, clean, is_heading};

    #[test]
    fn headings_are_told_from_sentences() {
        for text in [
            "/* ---- Types ---- */",
            "/* -- Types -- */",
            "/**** Types ****/",
            "/* === Types of the parser === */",
            "/* Types ------------------------ */",
            "/* ------------------------ Types */",
            "// ---- Types ----",
            "///// Types /////",
            "/*****************\n *  Types         *\n *****************/",
            "/* ----------\n   ~~ Types ~~\n ---------- */",
            "// ------\n// Types\n// ------",
        ] {
            assert!(is_heading(text), "{text}");
        }
        for text in [
            "/* Types */",
            "/** A point. **/",
            "/*** A point. ***/",
            "/**** Adds one to a number. ****/",
            "/*---- Returns -1 if a is negative, or 0 ----*/",
            "/* ==== Frees the thing; text may be NULL ==== */",
            "/* --------- local; not part of encoding --------- */",
            "// --- DEPRECATED ---",
            "/* __init__ */",
            "/* - one - */",
            "/* --flag takes a value */",
            "/* -1 on failure, -- or 0 */",
            "/***** A type. */",
            "/* ===== Types =====\n * Two lines are told. */",
            "/*\n * A point.\n */",
            "/*\n * A point\n */",
            "/**\n * A point\n **/",
            "/*****\n * A point.\n *****/",
            "/*****\n * What is long enough to be a sentence\n *****/",
            "/* */",
            "/* ---- */",
            "",
        ] {
            assert!(!is_heading(text), "{text}");
        }
    }

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
            ("/*-\n * BSD style.\n */", "BSD style."),
            ("/*-1 is a failure. */", "-1 is a failure."),
            ("/* */", ""),
            ("/*/", "/"),
            ("", ""),
            // What stands above another one.
            ("/* ---> making numbers <--- */\n/* make a number */", "make a number"),
            ("/* ---- Numbers ---- */\n/* ---- Makers ---- */\n\n/* make a number */", "make a number"),
            ("/* make a number */\n   /** ... from nothing */", "make a number\n... from nothing"),
            ("/* make a number */\n// from nothing\n// at all", "make a number\nfrom nothing\nat all"),
            ("/* NULL is an error. */ /* ---- Numbers ---- */", "NULL is an error.\n---- Numbers ----"),
        ] {
            assert_eq!(clean(input), expect, "{input:?}");
        }
    }
}
