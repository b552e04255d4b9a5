//! The worker: the child process that holds the library and executes its calls.
//!
//! It is started by a host with four descriptors (input, output, errors, control socket), loads the shim it
//! is given, and serves calls until the host is gone. Nothing in it protects the host: that is done by what
//! the host gives it and by what the host believes of it.

mod abandoned;
mod batch;
#[doc(hidden)]
pub mod behind;
mod cancels;
mod context;
mod control;
pub mod cpus;
mod crash;
mod denial;
mod dispatcher;
mod handles;
pub mod heap;
mod keeper;
mod library;
mod outermost;
mod report;
#[doc(hidden)]
pub mod seam;
mod serve;
mod startup;
pub mod state;
mod threads;
mod turns;

pub use keeper::keep;

/// Runs the worker in this process, to its end. Returns the exit status.
pub fn run() -> i32 {
    match startup::start() {
        Ok(worker) => worker.serve(),
        Err(code) => code,
    }
}
