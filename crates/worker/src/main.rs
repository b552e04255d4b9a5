//! The program `hotcell-worker`: see the crate's library, which holds all of it but this entry.
#![no_main]

use std::ffi::{c_char, c_int};

/// Not Rust's own runtime: its start-up would install signal handlers that are in the way of the worker's own.
#[unsafe(no_mangle)]
extern "C" fn main(_: c_int, _: *const *const c_char) -> c_int {
    hotcell_worker::run()
}
