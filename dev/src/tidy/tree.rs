//! The files that are or would be committed, read once for all rules.

use std::cell::OnceCell;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::code::without_comments_and_literals;
use crate::process::output;

pub(crate) struct Tree {
    /// Where it lies on this machine.
    pub(crate) root: String,
    files: Vec<File>,
}

pub(crate) struct File {
    /// Relative to the root, with `/` between its parts.
    pub(crate) path: String,
    /// Empty when the file is no UTF-8 text: then no rule has anything to say about its contents.
    pub(crate) text: String,
    code: OnceCell<String>,
}

impl Tree {
    pub(crate) fn load(root: &Path) -> Result<Self> {
        let listing = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
        let listing = output(Command::new("git").args(listing).current_dir(root))?;
        let mut files = Vec::new();
        for path in listing.split_terminator('\0') {
            let file = root.join(path);
            // Git still lists what was just deleted, and a link's target has its own entry.
            if !fs::symlink_metadata(&file).is_ok_and(|it| it.is_file()) {
                continue;
            }
            let bytes = fs::read(&file).with_context(|| format!("reading {path}"))?;
            files.push(File::new(path, String::from_utf8(bytes).unwrap_or_default()));
        }
        Ok(Self { root: root.display().to_string(), files })
    }

    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| File::new(path, (*text).to_owned())).collect();
        Self { root: "/made/up".to_owned(), files }
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = &File> {
        self.files.iter()
    }

    pub(crate) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|it| it.path == path)
    }

    /// The Rust files, without templates: those are Rust only after the generator filled them.
    pub(crate) fn rust(&self) -> impl Iterator<Item = &File> {
        self.files()
            .filter(|it| it.extension() == "rs" && !it.path.split('/').any(|part| part == "templates"))
    }

    /// Whether there is such a file, or a folder with files in it.
    pub(crate) fn has(&self, path: &str) -> bool {
        let inside = |file: &File| file.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
        path.is_empty() || self.files().any(|it| it.path == path || inside(it))
    }
}

impl File {
    fn new(path: &str, text: String) -> Self {
        Self { path: path.to_owned(), text, code: OnceCell::new() }
    }

    /// A Rust file's text without comments and literals, made once for all rules.
    pub(crate) fn code(&self) -> &str {
        self.code.get_or_init(|| without_comments_and_literals(&self.text))
    }

    /// What stands behind the last dot of the name.
    pub(crate) fn extension(&self) -> &str {
        self.name().rsplit_once('.').map_or("", |it| it.1)
    }

    /// The last part of the path.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// Its lines with their numbers, which start at 1.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.lines())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    fn git(root: &Path, arguments: &[&str]) {
        output(Command::new("git").args(arguments).current_dir(root)).unwrap();
    }

    #[test]
    fn new_files_count_and_ignored_and_deleted_ones_do_not() {
        let scratch = Scratch::new();
        git(scratch.path(), &["init", "--quiet"]);
        scratch.write(".gitignore", "/target\n");
        scratch.write("target/out", "");
        scratch.write("known.rs", "");
        scratch.write("deleted.rs", "");
        git(scratch.path(), &["add", "."]);
        fs::remove_file(scratch.path().join("deleted.rs")).unwrap();
        scratch.write("folder/new file.rs", "text");
        let tree = Tree::load(scratch.path()).unwrap();
        let mut paths: Vec<_> = tree.files().map(|it| it.path.as_str()).collect();
        paths.sort_unstable();
        assert_eq!(paths, [".gitignore", "folder/new file.rs", "known.rs"]);
        assert_eq!(tree.file("folder/new file.rs").unwrap().text, "text");
    }

    #[test]
    fn parts_of_a_path() {
        let tree = Tree::of(&[("a/b/c.rs", ""), ("x/templates/d.rs", "")]);
        assert!(tree.has("a/b/c.rs") && tree.has("a/b") && tree.has("a") && tree.has(""));
        assert!(!tree.has("a/b/c") && !tree.has("b"));
        assert_eq!(tree.rust().map(File::name).collect::<Vec<_>>(), ["c.rs"]);
        assert_eq!(tree.file("a/b/c.rs").unwrap().extension(), "rs");
    }
}
