//! `cargo dev loom`: the models of a channel, its hand-overs and deaths, through every interleaving.

use std::path::Path;

use anyhow::Result;

use crate::process::{cargo, show};

/// In a target folder of its own: the flag would rebuild everything, here and again afterwards.
pub(crate) fn run(root: &Path) -> Result<()> {
    let words = ["test", "--release", "-p", "hotcell-shm", "--lib", "--target-dir", "target/loom", "model"];
    show(cargo(root, words).env("RUSTFLAGS", "--cfg loom"))
}
