//! Aligned columns for people; what is too long for the terminal goes on below, in its column.

use clap::builder::styling::{AnsiColor, Style};

/// Columns between columns.
const GAP: usize = 2;

/// Fewer columns than that are not worth a paragraph: the terminal wraps then.
const NARROWEST: usize = 24;

pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const OPEN: Style = AnsiColor::Yellow.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
pub(crate) const FAINT: Style = Style::new().dimmed();
pub(crate) const STRONG: Style = Style::new().bold();

/// One cell: text, and how it looks.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    pub(crate) fn new(text: impl Into<String>, style: Style) -> Cell {
        Cell { text: text.into(), style }
    }

    /// Text without a style.
    pub(crate) fn plain(text: impl Into<String>) -> Cell {
        Cell::new(text, Style::new())
    }
}

/// The text in this style.
pub(crate) fn styled(text: &str, style: Style) -> String {
    if text.is_empty() { String::new() } else { format!("{style}{text}{style:#}") }
}

/// Rows with their cells below each other. The last cell of a row may have several lines; each is wrapped
/// between words to fit into `width`.
pub(crate) fn columns(rows: &[Vec<Cell>], width: Option<usize>) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let broad = |column: usize| {
        let cells = rows.iter().filter(|row| column + 1 < row.len()).filter_map(|row| row.get(column));
        cells.map(|cell| cell.text.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..count).map(broad).collect();
    let mut out = String::new();
    for row in rows {
        let Some((last, before)) = row.split_last() else { continue };
        let mut indent = 0;
        for (cell, width) in before.iter().zip(&widths) {
            out.push_str(&styled(&cell.text, cell.style));
            out.push_str(&" ".repeat(width - cell.text.chars().count() + GAP));
            indent += width + GAP;
        }
        let room = width.and_then(|width| width.checked_sub(indent)).filter(|room| *room >= NARROWEST);
        let lines = last.text.lines().flat_map(|line| wrapped(line, room));
        let lines: Vec<String> = lines.map(|line| styled(&line, last.style)).collect();
        out.push_str(&lines.join(&format!("\n{}", " ".repeat(indent))));
        out.truncate(out.trim_end_matches(' ').len());
        out.push('\n');
    }
    out
}

/// A line as lines of at most so many columns, as far as its words allow. Its own indent is kept.
pub(crate) fn wrapped(line: &str, width: Option<usize>) -> Vec<String> {
    let Some(width) = width.filter(|width| line.chars().count() > *width) else {
        return vec![line.to_owned()];
    };
    let indent = &line[..line.len() - line.trim_start().len()];
    let mut lines = vec![String::new()];
    for word in line.split_whitespace() {
        let current = lines.last_mut().expect("there is one line at least");
        match current.is_empty() {
            true => current.push_str(&format!("{indent}{word}")),
            false if current.chars().count() + 1 + word.chars().count() <= width => {
                current.push_str(&format!(" {word}"));
            }
            false => lines.push(format!("{indent}{word}")),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_go_on_below_between_words() {
        let check = |line, width, expect: &[&str]| assert_eq!(wrapped(line, Some(width)), expect, "{line}");
        check("one two three", 13, &["one two three"]);
        check("one two three", 8, &["one two", "three"]);
        check("  one two three", 9, &["  one two", "  three"]);
        check("unbreakable", 4, &["unbreakable"]);
        check("", 4, &[""]);
        assert_eq!(wrapped("one two", None), ["one two"]);
    }

    #[test]
    fn cells_stand_below_each_other() {
        let row = |cells: [&str; 3]| cells.map(Cell::plain).to_vec();
        let rows =
            [row(["a", "long name", "x\ny"]), row(["état", "b", "words that do not fit into this line"])];
        let expect = "a     long name  x\n                 y\nétat  b          words that do not fit\n                 into this line\n";
        assert_eq!(columns(&rows, Some(42)), expect);
        assert!(columns(&rows, None).ends_with("words that do not fit into this line\n"));
        assert!(columns(&rows, Some(20)).ends_with("words that do not fit into this line\n"));
        assert_eq!(columns(&[row(["a", "b", ""])], None), "a  b\n");
    }

    #[test]
    fn styles_end_where_their_text_ends() {
        assert_eq!(styled("a", GOOD), "\u{1b}[32ma\u{1b}[0m");
        assert_eq!(styled("", GOOD), "");
    }
}
