//! The worker: the child process that holds the library and executes its calls.
//!
//! It is started by a host with four descriptors (input, output, errors, control socket), loads the shim it
//! is given, and serves calls until the host is gone. Nothing in it protects the host: that is done by what
//! the host gives it and by what the host believes of it.
#![no_main]

mod context;
mod control;
mod crash;
mod library;
mod report;
mod serve;
mod startup;

use std::ffi::{c_char, c_int};

/// Not Rust's own runtime: its start-up would install signal handlers that are in the way of [`crash`].
#[unsafe(no_mangle)]
extern "C" fn main(_: c_int, _: *const *const c_char) -> c_int {
    match startup::start() {
        Ok(worker) => worker.serve(),
        Err(code) => code,
    }
}
