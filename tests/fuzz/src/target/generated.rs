//! What must hold of everything that is generated of an interface.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use hotcell_generate::rust::RustOptions;
use hotcell_generate::{rust, shim};
use hotcell_header::{ErrorKind, Job};
use hotcell_model::Interface;
use tempfile::TempDir;

/// A folder for the files of this process.
pub(crate) fn folder() -> &'static Path {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    FOLDER.get_or_init(|| tempfile::tempdir().expect("there is room for a folder")).path()
}

/// Generates shim and package. Comes with the shim, if there is one: some roles have no generator.
///
/// # Panics
///
/// Where the interface is not the same when it has been written and read.
pub(crate) fn check(interface: &Interface) -> Option<shim::ShimSource> {
    let text = serde_json::to_string(interface).expect("an interface is data");
    let again: Interface = serde_json::from_str(&text).expect("what was written can be read");
    assert_eq!(&again, interface, "an interface is the same when it was written and read");
    let options =
        RustOptions { crate_name: "fuzzed".into(), runtime: "\"0.1\"".into(), libraries: Vec::new() };
    let (source, package) = (shim::render(interface).ok()?, rust::render(interface, &options));
    if let Ok(files) = package {
        let mut paths: Vec<&PathBuf> = files.iter().map(|(path, _)| path).collect();
        paths.sort();
        assert!(
            paths.windows(2).all(|pair| pair[0] != pair[1]),
            "two files of a package have one name: {paths:?}"
        );
    }
    Some(source)
}

/// Has the parser read a shim: it compiles, and holds its own assertions about the header.
///
/// # Panics
///
/// Where it does not.
pub(crate) fn check_shim(source: &shim::ShimSource, include: &[PathBuf]) {
    let folder = folder().join(format!("shim-{:?}", std::thread::current().id()));
    fs::create_dir_all(&folder).expect("the folder is ours");
    for (name, text) in &source.files {
        fs::write(folder.join(name), text).expect("the folder is ours");
    }
    let mut job = Job::new([folder.join("shim.c").display().to_string()]);
    job.include_dirs = [&[folder][..], include].concat();
    if let Err(error) = hotcell_header::parse(&job)
        && error.kind != ErrorKind::ParserFailed
    {
        panic!("the shim is no C: {error}\n{}", source.c());
    }
}

/// A number that is as good as any other for an input, to choose by it.
pub(crate) fn sum(input: &[u8]) -> u64 {
    input.iter().fold(0, |sum: u64, &byte| sum.wrapping_mul(31).wrapping_add(byte.into())) >> 3
}
