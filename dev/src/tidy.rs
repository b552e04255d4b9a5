//! `cargo dev tidy`: the rules of this repository that no compiler knows.

use std::fmt;
use std::path::Path;

use anyhow::{Result, bail};

mod arrows;
mod code;
mod excerpts;
mod links;
mod sources;
mod specification;
mod strangers;
mod tree;
mod unsafe_code;

use tree::Tree;

/// One breach of a rule, with what to do instead.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    path: String,
    /// `None` when it is about the file as a whole.
    line: Option<usize>,
    message: String,
}

impl Finding {
    fn file(path: &str, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: None, message: message.into() }
    }

    fn line(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: Some(line), message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.path, self.message),
            None => write!(f, "{}: {}", self.path, self.message),
        }
    }
}

/// A rule looks at the whole tree, since some are about how files belong together.
type Rule = fn(&Tree) -> Vec<Finding>;

const RULES: &[Rule] = &[
    sources::length,
    sources::first_line,
    sources::file_names,
    sources::unfinished,
    unsafe_code::forbidden,
    unsafe_code::confined,
    unsafe_code::confined_in_go,
    arrows::between_crates,
    links::relative,
    excerpts::as_in_their_files,
    specification::named_tests,
    strangers::registries,
    strangers::machine_paths,
    strangers::lock_file,
];

/// Applies every rule to the files git knows or would add.
pub(crate) fn run(root: &Path) -> Result<()> {
    let tree = Tree::load(root)?;
    let mut findings: Vec<Finding> = RULES.iter().flat_map(|rule| rule(&tree)).collect();
    findings.extend(arrows::of_the_worker(root)?);
    if !findings.is_empty() {
        let lines: Vec<String> = findings.iter().map(Finding::to_string).collect();
        bail!("{} findings\n{}", findings.len(), lines.join("\n"));
    }
    Ok(())
}

/// What a rule finds in a tree of these files, one finding a line.
#[cfg(test)]
fn findings(rule: Rule, files: &[(&str, &str)]) -> String {
    let lines: Vec<String> = rule(&Tree::of(files)).iter().map(Finding::to_string).collect();
    lines.join("\n")
}

/// Checks a rule: each tree with a part of what it finds there, "" for nothing.
#[cfg(test)]
fn check(rule: Rule, cases: &[(&[(&str, &str)], &str)]) {
    for (files, expect) in cases {
        let found = findings(rule, files);
        let fits = if expect.is_empty() { found.is_empty() } else { found.contains(expect) };
        assert!(fits, "in {files:?}\nexpected {expect:?}\nfound    {found:?}");
    }
}
