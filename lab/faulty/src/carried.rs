//! The library as a program carries it: nothing of it is compiled, bound or looked for where that program runs.

use std::sync::OnceLock;

use hotcell::{dynamic, rt};
use hotcell_model::interface::Interface;

/// The compiled library.
pub const LIBRARY: &[u8] = include_bytes!(concat!(env!("FAULTY_DIR"), "/libfaulty.so"));

/// The same library with a field more in `struct faulty_point` than its header has.
pub const OTHER_LAYOUT: &[u8] =
    include_bytes!(concat!(env!("FAULTY_DIR"), "/libfaulty-of-another-layout.so"));

/// The program that calls the library directly, one scenario a run: direct.c.
pub const DIRECT: &[u8] = include_bytes!(concat!(env!("FAULTY_DIR"), "/faulty-direct"));

/// The same program as a library, for programs in other languages: `direct(count, words)` runs a scenario, and is its exit status.
pub const DIRECT_LIBRARY: &[u8] = include_bytes!(concat!(env!("FAULTY_DIR"), "/libfaulty-direct.so"));

/// The compiled shim.
pub const SHIM: &[u8] = include_bytes!(concat!(env!("FAULTY_DIR"), "/shim.so"));

const INTERFACE: &str = include_str!("../interface.json");

/// What can be called of it, and the package of that.
#[derive(Debug)]
pub struct Carried {
    /// What can be called, and what cannot and why.
    pub interface: Interface,
    /// The interface as a package.
    pub package: &'static rt::Package,
}

/// Reads the interface; the work is done once per process.
pub fn carried() -> &'static Carried {
    static CARRIED: OnceLock<Carried> = OnceLock::new();
    CARRIED.get_or_init(|| {
        let interface = Interface::from_json(INTERFACE).expect("the shim in this program was made of it");
        let package = dynamic::package(&interface, SHIM.to_vec());
        Carried { interface, package }
    })
}
