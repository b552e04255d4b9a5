//! `cargo dev demo`: from a fresh clone to the demo in one command.

use std::path::Path;

use anyhow::Result;

use crate::process::{cargo, show, step};
use crate::setup;

pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<()> {
    step("setup", setup::run)?;
    step("build", || show(&mut cargo(root, ["build", "--release", "--bins"])))?;
    // No step line around the demo: its own output is what the user came for.
    let run = ["run", "--quiet", "--release", "-p", "hotcell-demo", "--"];
    show(&mut cargo(root, run.iter().copied().chain(arguments.iter().map(String::as_str))))
}
