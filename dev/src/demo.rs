//! `cargo dev demo` and `cargo dev bench`: from a fresh clone to a program at work in one command.

use std::path::Path;

use anyhow::Result;

use crate::process::{cargo, show, step};
use crate::setup;

/// The demonstration.
pub(crate) fn demo(root: &Path, arguments: &[String]) -> Result<()> {
    run(root, "hotcell-demo", &[], arguments)
}

/// What contained calls cost on this machine.
pub(crate) fn bench(root: &Path, arguments: &[String]) -> Result<()> {
    run(root, "hotcell-cli", &["bench"], arguments)
}

/// Builds everything for release and runs a program.
fn run(root: &Path, package: &str, words: &[&str], arguments: &[String]) -> Result<()> {
    step("setup", setup::run)?;
    step("build", || show(&mut cargo(root, ["build", "--release", "--bins"])))?;
    // No step line around the program: its own output is what the user came for.
    let run = ["run", "--quiet", "--release", "-p", package, "--"];
    show(&mut cargo(root, run.iter().chain(words).copied().chain(arguments.iter().map(String::as_str))))
}
