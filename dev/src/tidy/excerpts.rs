//! The rule that code in a page, which names the file that it is from, is as it is there.

use super::Finding;
use super::tree::{File, Tree};

/// Every block of a Markdown page that begins with a language and a file, ` ```go examples/zlib/program.go `, is found in that file:
/// its lines one behind the other, wherever it is indented. A line of nothing but `…`, perhaps in a comment, stands for those that are left out.
pub(crate) fn as_in_their_files(tree: &Tree) -> Vec<Finding> {
    let pages = tree.files().filter(|it| it.extension() == "md");
    pages.flat_map(|page| others(tree, page)).collect()
}

/// A block of a page.
struct Block<'a> {
    line: usize,
    file: &'a str,
    lines: Vec<&'a str>,
}

fn others(tree: &Tree, page: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for Block { line, file, lines } in blocks(page) {
        let message = match tree.file(file) {
            None => format!("no such file: {file}"),
            Some(of) => match missing(&lines, &of.text) {
                None => continue,
                Some(missing) => format!("{file} has no such lines behind those before: `{missing}`"),
            },
        };
        findings.push(Finding::line(&page.path, line, message));
    }
    findings
}

fn blocks(page: &File) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut open: Option<Option<Block<'_>>> = None;
    for (number, text) in page.lines() {
        let fence = text.trim_start().strip_prefix("```");
        open = match (open, fence) {
            (None, Some(words)) => {
                let file = words.split_whitespace().nth(1).filter(|it| it.contains('/'));
                Some(file.map(|file| Block { line: number, file, lines: Vec::new() }))
            }
            (Some(block), Some(_)) => {
                blocks.extend(block);
                None
            }
            (Some(Some(mut block)), None) => {
                block.lines.push(text);
                Some(Some(block))
            }
            (other, None) => other,
        };
    }
    blocks
}

/// The first line of the first part that a text does not have behind the parts before it.
fn missing<'a>(lines: &[&'a str], text: &str) -> Option<&'a str> {
    let text: Vec<&str> = text.lines().collect();
    let mut from = 0;
    for part in lines.split(|line| is_gap(line)) {
        let part = shifted(part);
        if part.is_empty() {
            continue;
        }
        let found = (from..text.len()).find(|&at| {
            let there = text.get(at..at + part.len());
            there.is_some_and(|there| shifted(there) == part)
        });
        match found {
            Some(at) => from = at + part.len(),
            None => return Some(part[0]),
        }
    }
    None
}

fn is_gap(line: &str) -> bool {
    matches!(line.trim().trim_start_matches(['/', '#', '*', ' ']), "…")
}

/// Lines without what all of them are indented by, and without empty ones before and behind.
fn shifted<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    let indented = |line: &str| line.len() - line.trim_start().len();
    let by = lines.iter().filter(|it| !it.trim().is_empty()).map(|it| indented(it)).min().unwrap_or(0);
    let mut lines: Vec<&str> = lines.iter().map(|it| it.get(by..).unwrap_or_default().trim_end()).collect();
    let behind = lines.iter().rposition(|it| !it.is_empty()).map_or(0, |at| at + 1);
    lines.truncate(behind);
    let before = lines.iter().position(|it| !it.is_empty()).unwrap_or(0);
    lines.split_off(before)
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;

    #[test]
    fn code_is_as_it_is_in_its_file() {
        const FILE: (&str, &str) = ("a/b.go", "package b\n\nfunc f() {\n\tg()\n\th()\n\n\tk()\n}\n");
        for (block, expect) in [
            ("```go a/b.go\npackage b\n```", ""),
            ("```go a/b.go\ng()\nh()\n\nk()\n```", ""),
            ("```go a/b.go\nfunc f() {\n\t// …\n\tk()\n}\n```", ""),
            ("```go\nwhatever\n```\n```\nelse\n```", ""),
            ("```go a/b.go\ng()\nk()\n```", "page.md:2: a/b.go has no such lines behind those before: `g()`"),
            ("```go a/b.go\nk()\n// …\ng()\n```", "a/b.go has no such lines behind those before: `g()`"),
            ("```go a/b.go\nfunc f() {\n\t\tg()\n```", "`func f() {`"),
            ("```go a/c.go\npackage c\n```", "page.md:2: no such file: a/c.go"),
        ] {
            let text = format!("# Page\n{block}\n");
            check(as_in_their_files, &[(&[("docs/page.md", text.as_str()), FILE], expect)]);
        }
    }
}
