//! Header comments, as prose and as what is set off from it.

use super::doxygen::{self, Piece};

/// A part of a comment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Block {
    /// Lines of a paragraph, as they were broken.
    Prose(Vec<String>),
    /// What is indented as a whole: lines, without what all of them are indented by.
    Code(Vec<String>),
}

/// The parts of a comment, without the commands of Doxygen. Indented paragraphs that follow each other are one.
pub(crate) fn blocks(text: &str) -> Vec<Block> {
    let pieces = doxygen::pieces(&text.replace('\t', "    "));
    let of_piece = |piece| match piece {
        Piece::Words(text) => paragraphs(&text),
        Piece::Code(lines) => vec![Block::Code(lines)],
    };
    pieces.into_iter().flat_map(of_piece).collect()
}

/// The parts of prose.
fn paragraphs(text: &str) -> Vec<Block> {
    let lines: Vec<&str> = text.trim_matches('\n').trim_end().lines().map(str::trim_end).collect();
    // A comment's first line often stands alone behind its mark, so the others decide.
    let rest = lines.iter().skip(1).filter(|line| !line.is_empty());
    let margin = rest.map(|line| indent(line)).min().unwrap_or(0);
    let mut out: Vec<Block> = Vec::new();
    let mut code: Vec<&str> = Vec::new();
    let paragraphs = lines.split(|line| line.is_empty()).filter(|lines| !lines.is_empty());
    for (position, paragraph) in paragraphs.enumerate() {
        if position > 0 && is_code(paragraph, margin) {
            if !code.is_empty() {
                code.push("");
            }
            code.extend(paragraph);
            continue;
        }
        out.extend(set_off(&mut code));
        out.push(Block::Prose(paragraph.iter().map(|line| line.trim_start().to_owned()).collect()));
    }
    out.extend(set_off(&mut code));
    out
}

/// Whether a paragraph is set off as a whole. A single line may be the indented start of prose, unless it
/// ends as statements do.
fn is_code(paragraph: &[&str], margin: usize) -> bool {
    let Some(depth) = paragraph.iter().map(|line| indent(line).saturating_sub(margin)).min() else {
        return false;
    };
    let item = paragraph[0].trim_start().starts_with(['-', '*', '+', 'o', '.', '('])
        && paragraph[0].trim_start().chars().nth(1) == Some(' ');
    let statement = paragraph.iter().any(|line| line.ends_with([';', '{', '}']));
    !item && (depth >= 4 || depth >= 2 && (paragraph.len() > 1 || statement))
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The code read so far.
fn set_off(code: &mut Vec<&str>) -> Option<Block> {
    let margin = code.iter().filter(|line| !line.is_empty()).map(|line| indent(line)).min()?;
    // A space may be several bytes, of which the margin is some.
    let lines = code.drain(..).map(|line| line.get(margin..).unwrap_or(line.trim_start()).to_owned());
    Some(Block::Code(lines.collect()))
}
