//! Shims that are compiled before their package is built: where they lie in it, and the stamp that says whose they are.
//!
//! The package's build script takes such a shim in place of a C compiler, once the stamp fits; what it compares is
//! written here and in `templates/rust/build.rs.j2`.

use std::path::PathBuf;

use hotcell_model::Interface;

use crate::shim::ShimSource;

/// The files that make a package one with a compiled shim: the shim and its stamp, within the package.
pub fn files(interface: &Interface, source: &ShimSource, shim: Vec<u8>) -> [(PathBuf, Vec<u8>); 2] {
    let machine = interface.target.triple.split('-').next().unwrap_or_default();
    let stamp = format!(
        "interface {}\nmachine {machine}\nsource {}\nshim {}\n",
        interface.fingerprint,
        checksum(source.c().as_bytes()),
        checksum(&shim)
    );
    [(PathBuf::from("shim/shim.so"), shim), (PathBuf::from("shim/shim.stamp"), stamp.into_bytes())]
}

/// FNV-1a with 64 bits: enough to notice what was mixed up, and a few lines in a build script without dependencies.
fn checksum(bytes: &[u8]) -> String {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    format!("{:016x}", bytes.iter().fold(0xcbf2_9ce4_8422_2325, step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_standard() {
        for (text, expect) in
            [("", "cbf29ce484222325"), ("a", "af63dc4c8601ec8c"), ("foobar", "85944171f73967e8")]
        {
            assert_eq!(checksum(text.as_bytes()), expect, "{text}");
        }
    }
}
