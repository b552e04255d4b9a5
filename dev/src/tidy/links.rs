//! The rule that links between pages lead somewhere.

use super::Finding;
use super::tree::{File, Tree};

/// Every relative link of a Markdown page points to a file or folder of this tree.
pub(crate) fn relative(tree: &Tree) -> Vec<Finding> {
    let pages = tree.files().filter(|it| it.extension() == "md");
    pages.flat_map(|page| broken(tree, page)).collect()
}

fn broken(tree: &Tree, page: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut in_code = false;
    for (number, line) in page.lines() {
        let fence = line.trim_start();
        if fence.starts_with("```") || fence.starts_with("~~~") {
            in_code = !in_code;
            continue;
        }
        // A line indented by four is code too, except within lists; a link in such code is as good as none.
        if in_code {
            continue;
        }
        let text = without_code_spans(line);
        for target in targets(&text) {
            match resolve(&page.path, target) {
                Some(path) if tree.has(&path) => {}
                Some(path) => {
                    findings.push(Finding::line(&page.path, number, format!("no such file: {path}")))
                }
                None => {
                    let message = format!("`{target}` leads out of the repository");
                    findings.push(Finding::line(&page.path, number, message));
                }
            }
        }
    }
    findings
}

/// The line without what stands between backticks; an open backtick is text.
fn without_code_spans(line: &str) -> String {
    let parts: Vec<&str> = line.split('`').collect();
    let outside = parts.iter().enumerate().filter(|(at, _)| at % 2 == 0 || at + 1 == parts.len());
    outside.map(|it| *it.1).collect()
}

/// Targets of `[text](target)` and `[name]: target` that are paths.
fn targets(line: &str) -> Vec<&str> {
    let inline = line.match_indices("](").filter_map(|(at, _)| {
        let rest = &line[at + 2..];
        rest.find(')').map(|end| &rest[..end])
    });
    let definition =
        line.trim_start().strip_prefix('[').and_then(|it| it.split_once("]:")).map(|it| it.1.trim());
    inline.chain(definition).filter_map(path_of).collect()
}

/// The path in a link's target, without title and anchor; `None` for addresses and anchors of the page itself.
fn path_of(target: &str) -> Option<&str> {
    let target = target.trim();
    let target = match target.strip_prefix('<') {
        Some(rest) => rest.split('>').next()?,
        None => target.split_whitespace().next()?,
    };
    let is_address = target.contains("://") || target.starts_with("mailto:");
    let path = target.split(['#', '?']).next()?;
    (!is_address && !path.is_empty()).then_some(path)
}

/// The path from the root that `target` means on `page`; `None` when it is outside.
fn resolve(page: &str, target: &str) -> Option<String> {
    let folder = page.rsplit_once('/').map_or("", |it| it.0);
    let (start, target) = match target.strip_prefix('/') {
        Some(from_root) => ("", from_root),
        None => (folder, target),
    };
    let mut parts: Vec<&str> = start.split('/').filter(|it| !it.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;

    #[test]
    fn links_lead_somewhere() {
        for (text, expect) in [
            ("[a](other.md) and [b](../../README.md#top)", ""),
            ("[a](/README.md), [b](../guide), [c](<other.md> \"title\")", ""),
            ("[a](https://example.org/x.md) [b](mailto:a@example.org) [c](#here)", ""),
            ("`[a](gone.md)`\n```\n[a](gone.md)\n```", ""),
            ("one\n[a](gone.md)", "docs/guide/page.md:2: no such file: docs/guide/gone.md"),
            ("```\n```\n[a](gone.md#part)", "page.md:3: no such file: docs/guide/gone.md"),
            ("![picture](gone.png)", "docs/guide/gone.png"),
            ("[a]: gone.md", "docs/guide/gone.md"),
            ("[a](other.md), [b](gone.md)", "docs/guide/gone.md"),
            ("[a](../../../x.md)", "leads out of the repository"),
            ("it's a ` and [a](gone.md)", "docs/guide/gone.md"),
        ] {
            let page = ("docs/guide/page.md", text);
            check(relative, &[(&[page, ("docs/guide/other.md", ""), ("README.md", "")], expect)]);
        }
    }
}
