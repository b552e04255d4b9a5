//! The same programs in Python, of examples that have one: `program.py`, with a package that `hotcell build` makes now.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::{Example, all_print};
use crate::process::{show, step};
use crate::python;

/// What the program is called in the folder of its example.
const PROGRAM: &str = "program.py";

/// Builds the packages in `target/examples/python/NAME`, and runs the programs.
pub(super) fn run(root: &Path, built: &Path, examples: &[Example]) -> Result<()> {
    let examples: Vec<&Example> = examples.iter().filter(|it| it.other(PROGRAM).is_some()).collect();
    if examples.is_empty() {
        return Ok(());
    }
    let workspace = root.join("target/examples/python");
    let folders: Vec<PathBuf> = examples.iter().map(|it| workspace.join(&it.name)).collect();
    step("build the packages in Python", || {
        for (example, folder) in examples.iter().zip(&folders) {
            let mut build = Command::new(built.join("debug/hotcell"));
            build.arg("build").arg(example.folder.join("bind.toml")).args(["--lang", "python", "--out"]);
            show(build.arg(folder).arg("--force"))?;
        }
        Ok(())
    })?;
    step("run the programs in Python", || {
        let python = python::with_packages(root, &folders)?;
        all_print(&examples, |it| {
            let mut program = python();
            it.compare(program.arg(it.folder.join(PROGRAM)), &format!("{}/{PROGRAM}", it.name))
        })
    })
}
