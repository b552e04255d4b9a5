//! `cargo dev demo` and `cargo dev bench`: from a fresh clone to a program of the lab in one command.

use std::path::Path;

use anyhow::Result;

use crate::process::{cargo, show, step};
use crate::setup;

/// Builds everything for release and runs a program with these arguments.
pub(crate) fn run(root: &Path, package: &str, arguments: &[String]) -> Result<()> {
    step("setup", setup::run)?;
    step("build", || show(&mut cargo(root, ["build", "--release", "--bins"])))?;
    // No step line around the program: its own output is what the user came for.
    let run = ["run", "--quiet", "--release", "-p", package, "--"];
    show(&mut cargo(root, run.iter().copied().chain(arguments.iter().map(String::as_str))))
}
