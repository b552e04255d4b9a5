//! The runtime that packages carry: its module, from clients/go, as this library was built with it.

use std::path::{Path, PathBuf};

/// The folder of a package with it. It is a module of its own.
pub const FOLDER: &str = "hotcell";

/// Paths within it, and texts.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/go_runtime.rs"));

/// Its files, as a package has them.
pub(super) fn files() -> impl Iterator<Item = (PathBuf, String)> {
    FILES.iter().map(|(path, text)| (Path::new(FOLDER).join(path), (*text).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_is_all_that_is_built_and_nothing_else() {
        let has = |name: &str| FILES.iter().any(|(path, _)| *path == name);
        for name in ["go.mod", "session.go", "rt/call.go", "internal/shm/ahead_amd64.s", "LICENSE-MIT"] {
            assert!(has(name), "{name}");
        }
        let foreign = ["_test.go", "README.md", "go.sum"];
        for (path, text) in FILES {
            let is_foreign = foreign.iter().any(|end| path.ends_with(end));
            assert!(!is_foreign && !path.starts_with("e2e/") && !path.starts_with("tools/"), "{path}");
            assert!(!text.is_empty(), "{path}");
        }
    }

    /// Nothing is fetched for it, by a path that somebody else might publish something at.
    #[test]
    fn a_runtime_needs_the_standard_library_alone() {
        let (_, module) = FILES.iter().find(|(path, _)| *path == "go.mod").expect("a module has go.mod");
        assert!(module.starts_with("module hotcell\n") && !module.contains("require"), "{module}");
        for (path, text) in FILES.iter().filter(|(path, _)| path.ends_with(".go")) {
            let imports = text.lines().filter_map(|line| line.trim().strip_prefix('"')?.strip_suffix('"'));
            for import in imports.filter(|import| import.contains('/')) {
                let first = import.split('/').next().unwrap_or_default();
                assert!(!first.contains('.'), "{path} imports {import}");
            }
        }
    }
}
