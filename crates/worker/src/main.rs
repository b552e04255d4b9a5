//! The program `hotcell-worker`: see the crate's library, which holds all of it but this entry.
#![no_main]

use std::ffi::{c_char, c_int};

use hotcell_protocol::wire::{VERSION_MAJOR, VERSION_MINOR};

mod symbols;

/// As the host's own, when both are of one installation.
const VERSION: &str = concat!("hotcell-worker ", env!("CARGO_PKG_VERSION"));

/// Not Rust's own runtime: its start-up would install signal handlers that are in the way of the worker's own.
#[unsafe(no_mangle)]
extern "C" fn main(_: c_int, _: *const *const c_char) -> c_int {
    let word = std::env::args_os().nth(1);
    if word.as_ref().is_some_and(|word| word == "--version") {
        println!("{VERSION} (protocol {VERSION_MAJOR}.{VERSION_MINOR})");
        return 0;
    }
    if word.is_some_and(|word| word == "--keep") {
        return hotcell_worker::keep();
    }
    symbols::state::prepare();
    hotcell_worker::run()
}
