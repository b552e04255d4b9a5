//! `cargo dev coverage`: docs/coverage.md, and what `hotcell check` says of each example.

use std::path::Path;

use anyhow::Result;

use crate::process::{cargo, show, step};
use crate::setup;

/// Writes what a test of the command line compares.
pub(crate) fn run(root: &Path) -> Result<()> {
    step("setup", setup::run)?;
    step("coverage", || {
        let mut test = cargo(root, ["test", "--quiet", "-p", "hotcell-cli", "coverage"]);
        show(test.env("HOTCELL_UPDATE_GOLDEN", "1"))
    })
}
