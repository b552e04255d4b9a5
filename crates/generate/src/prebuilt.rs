//! Shims that are compiled before their package is built: where they lie in it, and the stamp that says whose they are.
//!
//! The build script of a package in Rust takes such a shim in place of a C compiler, once the stamp fits; what it compares is
//! written here and in `templates/rust/build.rs.j2`. A package in Go has it as it is.

use std::path::{Path, PathBuf};

use hotcell_model::Interface;

use crate::checksum::checksum;
use crate::shim::ShimSource;

/// The files that make a package one with a compiled shim: the shim and its stamp, in this folder of the package.
pub fn files(
    folder: &Path,
    interface: &Interface,
    source: &ShimSource,
    shim: Vec<u8>,
) -> [(PathBuf, Vec<u8>); 2] {
    let machine = interface.target.triple.split('-').next().unwrap_or_default();
    let stamp = format!(
        "interface {}\nmachine {machine}\nsource {}\nshim {}\n",
        interface.fingerprint,
        checksum(source.c().as_bytes()),
        checksum(&shim)
    );
    [(folder.join("shim.so"), shim), (folder.join("shim.stamp"), stamp.into_bytes())]
}
