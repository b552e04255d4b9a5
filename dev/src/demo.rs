//! `cargo dev demo`: from a fresh clone to a program at work in one command.

use std::path::Path;

use anyhow::Result;

use crate::process::{cargo, show, step};
use crate::setup;

/// The demonstration.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<()> {
    build(root)?;
    // No step line around the program: its own output is what the user came for.
    let run = ["run", "--quiet", "--release", "-p", "hotcell-demo", "--"];
    show(&mut cargo(root, run.into_iter().chain(arguments.iter().map(String::as_str))))
}

/// Everything of the workspace, for release.
pub(crate) fn build(root: &Path) -> Result<()> {
    step("setup", setup::run)?;
    step("build", || show(&mut cargo(root, ["build", "--release", "--bins"])))
}
