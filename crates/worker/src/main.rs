//! The worker: the child process that holds the library and executes its calls.
//!
//! It is started by a host with four descriptors (input, output, errors, control socket), loads the shim it
//! is given, and serves calls until the host is gone. Nothing in it protects the host: that is done by what
//! the host gives it and by what the host believes of it. Started by hand, with `--version`, it says which it is.
#![no_main]

mod context;
mod control;
mod crash;
mod library;
mod report;
mod serve;
mod startup;

use std::ffi::{c_char, c_int};

use hotcell_protocol::wire::{VERSION_MAJOR, VERSION_MINOR};

/// As the host's own, when both are of one installation.
const VERSION: &str = concat!("hotcell-worker ", env!("CARGO_PKG_VERSION"));

/// Not Rust's own runtime: its start-up would install signal handlers that are in the way of [`crash`].
#[unsafe(no_mangle)]
extern "C" fn main(_: c_int, _: *const *const c_char) -> c_int {
    if std::env::args_os().nth(1).is_some_and(|word| word == "--version") {
        println!("{VERSION} (protocol {VERSION_MAJOR}.{VERSION_MINOR})");
        return 0;
    }
    match startup::start() {
        Ok(worker) => worker.serve(),
        Err(code) => code,
    }
}
