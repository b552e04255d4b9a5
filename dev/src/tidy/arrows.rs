//! Rules about who may depend on whom.

use std::path::Path;

use anyhow::Result;

use super::Finding;
use super::tree::{File, Tree};
use crate::process::{cargo, output};

/// Each crate below `crates/` and `clients/` and the crates of this workspace it may use. Tests may use more.
const ALLOWED: &[(&str, &[&str])] = &[
    ("hotcell-model", &[]),
    ("hotcell-protocol", &[]),
    ("hotcell-code", &[]),
    ("hotcell-elf", &[]),
    ("hotcell-sandbox", &[]),
    ("hotcell-bench", &["hotcell", "hotcell-generate", "hotcell-measured", "hotcell-model", "hotcell-shm"]),
    ("hotcell-lab", &["hotcell", "hotcell-faulty", "hotcell-generate", "hotcell-sandbox", "hotcell-shm"]),
    (
        "hotcell-bind",
        &[
            "hotcell-code",
            "hotcell",
            "hotcell-contract",
            "hotcell-generate",
            "hotcell-header",
            "hotcell-model",
        ],
    ),
    ("hotcell-contract", &["hotcell-code", "hotcell-model"]),
    ("hotcell-header", &["hotcell-elf", "hotcell-model"]),
    ("hotcell-generate", &["hotcell-model", "hotcell-protocol"]),
    ("hotcell-python", &["hotcell", "hotcell-bind", "hotcell-generate", "hotcell-model"]),
    ("hotcell-shm", &["hotcell-protocol"]),
    ("hotcell-worker", &["hotcell-protocol", "hotcell-shm", "hotcell-sandbox"]),
    ("hotcell-supervisor", &["hotcell-elf", "hotcell-protocol", "hotcell-shm", "hotcell-sandbox"]),
    (
        "hotcell",
        &["hotcell-protocol", "hotcell-sandbox", "hotcell-shm", "hotcell-supervisor", "hotcell-model"],
    ),
];

/// Glue: may use everything.
const GLUE: &[&str] = &["hotcell-cli"];

/// What must not reach the process that holds the library, by the start of the name: runtimes, clang, gRPC,
/// and the serialisation they bring along.
const NOT_IN_WORKER: &[&str] = &["tokio", "async-", "clang", "tonic", "serde"];

/// Arrows point one way only.
pub(crate) fn between_crates(tree: &Tree) -> Vec<Finding> {
    let manifest = |it: &&File| {
        let mut parts = it.path.split('/');
        let folder = matches!(parts.next(), Some("crates" | "clients"));
        folder && (parts.nth(1), parts.next()) == (Some("Cargo.toml"), None)
    };
    tree.files().filter(manifest).flat_map(check_manifest).collect()
}

fn check_manifest(file: &File) -> Vec<Finding> {
    let manifest: toml::Table = match file.text.parse() {
        Ok(manifest) => manifest,
        Err(error) => return vec![Finding::file(&file.path, error.to_string())],
    };
    let name = manifest.get("package").and_then(|it| it.get("name")).and_then(|it| it.as_str());
    let name = name.unwrap_or_default();
    if GLUE.contains(&name) {
        return Vec::new();
    }
    let Some((_, allowed)) = ALLOWED.iter().find(|it| it.0 == name) else {
        let message = format!("add a row for `{name}` to ALLOWED in dev/src/tidy/arrows.rs");
        return vec![Finding::file(&file.path, message)];
    };
    let used = dependencies(&manifest);
    let own = used.into_iter().filter(|it| it == "hotcell" || it.starts_with("hotcell-"));
    own.filter(|it| !allowed.contains(&it.as_str()))
        .map(|it| {
            Finding::file(&file.path, format!("`{name}` must not depend on `{it}`: arrows point one way"))
        })
        .collect()
}

/// Names of the packages a manifest depends on, those only for tests left out.
fn dependencies(manifest: &toml::Table) -> Vec<String> {
    let targets = manifest.get("target").and_then(|it| it.as_table());
    let targets = targets.into_iter().flat_map(|it| it.values().filter_map(|it| it.as_table()));
    let tables = std::iter::once(manifest).chain(targets);
    let sections = tables.flat_map(|it| [it.get("dependencies"), it.get("build-dependencies")]);
    let entries = sections.flatten().filter_map(|it| it.as_table()).flatten();
    // A dependency may have another name here than the package has.
    entries.map(|(key, it)| it.get("package").and_then(|it| it.as_str()).unwrap_or(key).to_owned()).collect()
}

/// The worker's list of dependencies, all the way down, is short and stays so.
pub(crate) fn of_the_worker(root: &Path) -> Result<Vec<Finding>> {
    let arguments = ["tree", "--quiet", "-p", "hotcell-worker", "-e", "normal", "--prefix", "none"];
    Ok(check_closure(&output(&mut cargo(root, arguments))?))
}

/// `closure` is what `cargo tree --prefix none` prints: a line `name vN.N.N …` for each package.
fn check_closure(closure: &str) -> Vec<Finding> {
    let mut names: Vec<&str> = closure.lines().filter_map(|it| it.split_whitespace().next()).collect();
    names.sort_unstable();
    names.dedup();
    let path = "crates/worker/Cargo.toml";
    let unwanted = names.iter().filter(|name| NOT_IN_WORKER.iter().any(|it| name.starts_with(it)));
    let mut findings: Vec<Finding> =
        unwanted.map(|it| Finding::file(path, format!("`{it}` must not reach the worker"))).collect();
    if !names.contains(&"hotcell-worker") {
        // Then the rule looks at nothing, and would hold for ever.
        findings.push(Finding::file(path, "cargo tree does not list hotcell-worker itself"));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;

    fn manifest(name: &str, rest: &str) -> String {
        format!("[package]\nname = \"{name}\"\n{rest}")
    }

    #[test]
    fn arrows_point_one_way() {
        let path = "crates/a/Cargo.toml";
        let refused = "must not depend on `hotcell-shm`";
        for (name, rest, expect) in [
            ("hotcell-shm", "[dependencies]\nhotcell-protocol.workspace = true\nlibc = \"1\"", ""),
            ("hotcell-model", "[dependencies]\nhotcell-shm.workspace = true", refused),
            ("hotcell-model", "[build-dependencies]\nhotcell-shm = { path = \"x\" }", refused),
            ("hotcell-model", "[target.'cfg(unix)'.dependencies]\nhotcell-shm = \"1\"", refused),
            ("hotcell-model", "[dependencies]\nshm = { package = \"hotcell-shm\", path = \"x\" }", refused),
            (
                "hotcell-supervisor",
                "[dependencies]\nhotcell.workspace = true",
                "must not depend on `hotcell`",
            ),
            ("hotcell-model", "[dev-dependencies]\nhotcell-shm.workspace = true", ""),
            ("hotcell-cli", "[dependencies]\nhotcell-shm.workspace = true", ""),
            ("hotcell-new", "", "add a row for `hotcell-new`"),
        ] {
            check(between_crates, &[(&[(path, &manifest(name, rest))], expect)]);
        }
        // Only crates/<name>/Cargo.toml: a program of an example may use what it likes.
        let other = manifest("hotcell-model", "[dependencies]\nhotcell-shm.workspace = true");
        check(
            between_crates,
            &[(&[("examples/a/Cargo.toml", &other), ("crates/a/b/Cargo.toml", &other)], "")],
        );
    }

    #[test]
    fn the_worker_stays_small() {
        let good = "hotcell-worker v0.1.0 (x)\nlibc v0.2.0\nlibc v0.2.0 (*)\n";
        assert_eq!(check_closure(good), []);
        for name in ["tokio", "async-io", "clang-sys", "tonic", "serde", "serde_json"] {
            let found = check_closure(&format!("{good}{name} v1.0.0\n"));
            assert!(found.len() == 1 && found[0].message.contains(name), "{found:?}");
        }
        assert_eq!(check_closure("").len(), 1, "an empty list is no proof");
    }
}
