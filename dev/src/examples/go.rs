//! The same programs in Go, of examples that have one: `program.go`, with a package that `hotcell build` makes now.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::{Example, all_print, write};
use crate::process::{show, step};

/// What the program is called in the folder of its example.
const PROGRAM: &str = "program.go";

/// Where a package in `target/examples/go/NAME` finds the runtime.
const RUNTIME: &str = "../../../../clients/go";

/// The modules of a workspace in `target/examples/go`, in front of the packages and programs.
const WORK: &str = "go 1.24.0\n\nuse ../../../clients/go\n";

/// Builds and runs them.
pub(super) fn run(root: &Path, built: &Path, examples: &[Example]) -> Result<()> {
    let examples: Vec<&Example> = examples.iter().filter(|it| it.other(PROGRAM).is_some()).collect();
    if examples.is_empty() {
        return Ok(());
    }
    let workspace = root.join("target/examples/go");
    step("build the packages in Go", || {
        for example in &examples {
            let mut build = Command::new(built.join("debug/hotcell"));
            build.arg("build").arg(example.folder.join("bind.toml")).args(["--lang", "go", "--out"]);
            build.arg(workspace.join(&example.name)).args(["--runtime", RUNTIME, "--force"]);
            show(&mut build)?;
        }
        write_workspace(&workspace, &examples)
    })?;
    step("run the programs in Go", || all_print(&examples, |it| it.check_go(&workspace, built)))
}

/// Writes a module for each program, and the workspace that joins them with their packages.
fn write_workspace(workspace: &Path, examples: &[&Example]) -> Result<()> {
    let mut work = WORK.to_owned();
    for example in examples {
        let name = &example.name;
        let program = workspace.join("programs").join(name);
        fs::create_dir_all(&program).with_context(|| format!("making {}", program.display()))?;
        let file = example.folder.join(PROGRAM);
        let text = fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        write(&program.join("main.go"), &text)?;
        write(&program.join("go.mod"), &format!("module {name}-example\n\ngo 1.24.0\n"))?;
        work.push_str(&format!("use ./{name}\nuse ./programs/{name}\n"));
    }
    write(&workspace.join("go.work"), &work)
}

impl Example {
    /// Runs its program in Go.
    fn check_go(&self, workspace: &Path, built: &Path) -> Result<()> {
        let mut go = Command::new("go");
        go.args(["run", "."]).current_dir(workspace.join("programs").join(&self.name));
        go.env("CGO_ENABLED", "0").env("HOTCELL", built.join("debug/hotcell"));
        self.compare(&mut go, &format!("{}/{PROGRAM}", self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn programs_and_packages_are_one_workspace() {
        let scratch = Scratch::new();
        for (file, text) in [
            ("examples/a/bind.toml", ""),
            ("examples/a/program.go", "package main\n"),
            ("examples/b/bind.toml", ""),
        ] {
            scratch.write(file, text);
        }
        let all = Example::all(scratch.path()).unwrap();
        let examples: Vec<&Example> = all.iter().filter(|it| it.other(PROGRAM).is_some()).collect();
        let workspace = scratch.path().join("work");
        write_workspace(&workspace, &examples).unwrap();
        let work = fs::read_to_string(workspace.join("go.work")).unwrap();
        assert_eq!(work, format!("{WORK}use ./a\nuse ./programs/a\n"));
        assert_eq!(fs::read_to_string(workspace.join("programs/a/main.go")).unwrap(), "package main\n");
    }
}
