//! What the same programs are without Hotcell, of examples that have that: by cgo, ctypes and cffi, in the folder `direct`.
//!
//! [The pages for those who come from there](../../docs/guide) show parts of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::{Example, all_print, write};
use crate::process::step;
use crate::python;

const IN_GO: &str = "direct/with_cgo.go";
const IN_PYTHON: [&str; 2] = ["direct/with_ctypes.py", "direct/with_cffi.py"];

/// Runs them.
pub(super) fn run(root: &Path, examples: &[Example]) -> Result<()> {
    let in_go: Vec<&Example> = examples.iter().filter(|it| it.other(IN_GO).is_some()).collect();
    if !in_go.is_empty() {
        let workspace = root.join("target/examples/cgo");
        step("run the programs by cgo", || all_print(&in_go, |it| it.check_cgo(&workspace)))?;
    }
    let both = examples.iter().flat_map(|it| IN_PYTHON.map(|file| (it, file)));
    let in_python: Vec<(&Example, &str, PathBuf)> =
        both.filter_map(|(it, file)| Some((it, file, it.other(file)?))).collect();
    if in_python.is_empty() {
        return Ok(());
    }
    step("run the programs by ctypes and cffi", || {
        let python = python::with_packages(root, &[])?;
        all_print(&in_python, |(example, name, file)| {
            example.compare(python().arg(file), &format!("{}/{name}", example.name))
        })
    })
}

impl Example {
    /// Builds and runs its program by cgo, as a module of its own.
    fn check_cgo(&self, workspace: &Path) -> Result<()> {
        let module = workspace.join(&self.name);
        fs::create_dir_all(&module).with_context(|| format!("making {}", module.display()))?;
        let file = self.folder.join(IN_GO);
        let text = fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        write(&module.join("main.go"), &text)?;
        write(&module.join("go.mod"), &format!("module {}-direct\n\ngo 1.26.0\n", self.name))?;
        let mut go = Command::new("go");
        go.args(["run", "."]).current_dir(&module).env("CGO_ENABLED", "1").env("GOWORK", "off");
        self.compare(&mut go, &format!("{}/{IN_GO}", self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_program_without_hotcell_is_run() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut found = 0;
        for example in Example::all(root).unwrap() {
            for entry in fs::read_dir(example.folder.join("direct")).into_iter().flatten() {
                let name = format!("direct/{}", entry.unwrap().file_name().to_string_lossy());
                assert!(name == IN_GO || IN_PYTHON.contains(&name.as_str()), "{}: {name}", example.name);
                assert!(example.other(&name).is_some(), "{}: {name} is no file", example.name);
                found += 1;
            }
        }
        assert!(found >= 4, "{found} programs");
    }
}
