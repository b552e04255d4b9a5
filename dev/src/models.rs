//! `cargo dev loom`: the models of a channel, its hand-overs and deaths, of turns and of releases, through every interleaving.

use std::path::Path;

use anyhow::Result;

use crate::process::{cargo, show};

/// In a target folder of its own: the flag would rebuild everything, here and again afterwards.
pub(crate) fn run(root: &Path) -> Result<()> {
    let packages = ["-p", "hotcell-shm", "-p", "hotcell"];
    let words = ["test", "--release", "--lib", "--target-dir", "target/loom"].into_iter().chain(packages);
    show(cargo(root, words.chain(["model"])).env("RUSTFLAGS", "--cfg loom"))
}
