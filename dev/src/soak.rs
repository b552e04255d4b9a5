//! `cargo dev soak`: clients under load, faults at random, and an account of every error, for as long as one likes.
//!
//! Six seconds of it are in `cargo dev test` (`tests/e2e/tests/soak.rs`).

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::bench::target;
use crate::demo;
use crate::process::show;

pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<()> {
    demo::build(root)?;
    let folder = target(root);
    // Its own: what is left there is the soak's.
    let temporary = folder.join("soak").join(std::process::id().to_string());
    fs::create_dir_all(&temporary).with_context(|| format!("making {}", temporary.display()))?;
    let mut soak = Command::new(folder.join("release/hotcell-soak"));
    // No step line around it: its output may be JSON.
    let soaked = show(soak.args(arguments).env("TMPDIR", &temporary));
    let removed = fs::remove_dir_all(&temporary);
    soaked?;
    removed.with_context(|| format!("removing {}", temporary.display()))
}
