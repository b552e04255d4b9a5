//! The library that targets call through (`yard/`): its contract has a function for each way in which values cross, and it
//! stands whatever it is called with.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use hotcell_bind::{Bound, Job, Source, bind};
use tempfile::TempDir;

/// The library, compiled and bound once for the process.
pub(crate) fn bound() -> &'static Bound {
    static BOUND: OnceLock<(TempDir, Bound)> = OnceLock::new();
    &BOUND.get_or_init(compile).1
}

fn compile() -> (TempDir, Bound) {
    let (here, folder) = (source(), tempfile::tempdir().expect("there is room for a folder"));
    let library = folder.path().join("libyard.so");
    let status = Command::new("cc")
        .args(["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-Wl,-soname,libyard.so", "-o"])
        .arg(&library)
        .arg(here.join("yard.c"))
        .status();
    assert!(status.expect("the C compiler starts").success(), "the library compiles");
    let job = Job {
        source: Source::Contract(here.join("bind.toml")),
        only: None,
        include_dirs: Vec::new(),
        defines: Vec::new(),
        library_dirs: vec![folder.path().to_owned()],
    };
    let bound = bind(&job).unwrap_or_else(|error| panic!("the library is not bound: {error}"));
    (folder, bound)
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/yard")
}
