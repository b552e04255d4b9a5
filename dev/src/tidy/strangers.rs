//! Rules about what belongs to one person's machine or network and not into the repository.

use super::Finding;
use super::tree::Tree;

/// Hosts of package registries. Which registry serves the packages is each machine's own setting. Split, so
/// that this file keeps its own rule.
const REGISTRIES: &[&str] = &[
    concat!("crates", ".io"),
    concat!("pypi", ".org"),
    concat!("python", "hosted.org"),
    concat!("npm", "js.org"),
    concat!("npm", "js.com"),
    concat!("proxy.", "golang.org"),
    concat!("sum.", "golang.org"),
    concat!("maven", ".org"),
    concat!("repo.maven.", "apache.org"),
    concat!("ruby", "gems.org"),
];

/// Settings that name a registry, whichever it is.
const SETTINGS: &[&str] = &[
    concat!("replace", "-with"),
    concat!("[regis", "tries"),
    concat!("index", "-url"),
    concat!("GO", "PROXY="),
    concat!("npm_config_", "registry"),
];

/// Folders that hold somebody's own files.
const PERSONAL: &[&str] =
    &[concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/Us", "ers/"), concat!("/t", "mp/")];

/// The only source a lock file may name: every cargo writes it, whatever serves the packages.
const LOCK_SOURCE: &str = concat!("registry+https://github.com/rust-lang/crates", ".io-index");

/// No host of a package registry, and no setting that would name one.
pub(crate) fn registries(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files().filter(|it| it.name() != "Cargo.lock") {
        for (number, line) in file.lines() {
            for word in REGISTRIES.iter().chain(SETTINGS).filter(|it| line.contains(**it)) {
                let message = format!("`{word}`: which registry is used is not this repository's to say");
                findings.push(Finding::line(&file.path, number, message));
            }
        }
    }
    findings
}

/// No absolute path below a home or temporary folder, or of this very clone.
pub(crate) fn machine_paths(tree: &Tree) -> Vec<Finding> {
    let clone = format!("{}/", tree.root);
    // A clone right below the root is no sign: its name may well be a folder of every machine.
    let own = (clone.matches('/').count() > 2).then_some(clone.as_str());
    let folders: Vec<&str> = PERSONAL.iter().copied().chain(own).collect();
    let mut findings = Vec::new();
    for file in tree.files() {
        for (number, line) in file.lines().filter(|(_, line)| !quotes_a_header(&file.path, line)) {
            for folder in folders.iter().filter(|it| names_a_file_in(line, it)) {
                let message = format!("a path below `{folder}` exists on one machine only");
                findings.push(Finding::line(&file.path, number, message));
            }
        }
    }
    findings
}

/// Whether a line of an example's package is what the comment of a C header says.
fn quotes_a_header(path: &str, line: &str) -> bool {
    let comment = |line: &str| ["///", "\"doc\":"].iter().any(|start| line.starts_with(start));
    path.starts_with("examples/") && comment(line.trim_start())
}

/// Lock files name the default registry, not what a machine has in its place.
pub(crate) fn lock_file(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files().filter(|it| it.name() == "Cargo.lock") {
        for (number, line) in file.lines() {
            let source = line.strip_prefix("source = \"").map(|it| it.trim_end_matches('"'));
            if source.is_some_and(|it| it != LOCK_SOURCE) {
                let message = "not the default registry; write the lock file again without the setting";
                findings.push(Finding::line(&file.path, number, message));
            }
        }
    }
    findings
}

/// Whether an absolute path into `folder` is in the line: the folder starts it, and a name follows.
fn names_a_file_in(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + folder.len()..].chars().next();
        // In `./tmp/x`, `$DIR/tmp/x`, `{root}/tmp/x` or an address the folder is a part in the middle.
        let starts = !before.is_some_and(|c| c.is_alphanumeric() || "._-/~}>)*".contains(c));
        starts && after.is_some_and(|c| c.is_alphanumeric() || "._-".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;

    #[test]
    fn registries_are_found() {
        let host = format!("see https://{}/x", REGISTRIES[0]);
        let setting = format!("[source.x]\n{} = \"y\"", SETTINGS[0]);
        check(
            registries,
            &[
                (&[("README.md", "see https://example.org"), ("Cargo.lock", &host)], ""),
                (&[("README.md", &host)], "README.md:1: `crates"),
                (&[(".cargo/config.toml", &setting)], ".cargo/config.toml:2: `replace"),
            ],
        );
    }

    #[test]
    fn paths_of_one_machine_are_found() {
        for (folder, rest, expect) in [
            (0, "me/x", "a.md:1: a path below"),
            (1, ".ssh/x", "a path below"),
            (3, "x", "a path below"),
            (3, "", ""),
            (0, "<name>", ""),
            (0, "$USER/x", ""),
        ] {
            let text = format!("at {}{rest} it lies", PERSONAL[folder]);
            check(machine_paths, &[(&[("a.md", &text)], expect)]);
        }
        let inside = format!(".{0}a $DIR{0}a {{root}}{0}a https://example.org{0}a", PERSONAL[3]);
        check(machine_paths, &[(&[("a.md", &inside)], "")]);
        let quoted = format!("/// As in {}fred/data.db", PERSONAL[0]);
        check(
            machine_paths,
            &[(&[("examples/a/rust/src/lib.rs", &quoted)], ""), (&[("a.rs", &quoted)], "a path below")],
        );
        // Where a tree of a test lies.
        check(machine_paths, &[(&[("a.md", "in /made/up/src it lies")], "a path below `/made/up/`")]);
    }

    #[test]
    fn lock_files_name_the_default_registry() {
        let good = format!("name = \"a\"\nsource = \"{LOCK_SOURCE}\"\n");
        check(
            lock_file,
            &[
                (&[("Cargo.lock", &good)], ""),
                (
                    &[("Cargo.lock", "source = \"sparse+https://mirror.example/index/\"")],
                    "Cargo.lock:1: not the default",
                ),
            ],
        );
    }
}
