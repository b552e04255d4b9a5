//! Launch steps and limits of a worker, as data; system calls only in `src/sys`.
//!
//! A worker is launched in two phases. *Load*: everything that must hold before the library's first
//! instruction, for constructors are library code: [`spawn`] does it between clone and exec, and
//! [`enter_load`] and [`Wall::load`] in the worker before it opens the library. *Serve*: [`Wall::serve`], after the library
//! is loaded and before the first call. The level in force is measured by the worker itself, not assumed.
//!
//! The host makes the wall of a [`Sandbox`], as a [`Plan`]; a worker puts it up and understands no policy.
#![deny(unsafe_code)]

#[cfg(not(all(
    target_os = "linux",
    target_env = "gnu",
    any(target_arch = "x86_64", target_arch = "aarch64")
)))]
compile_error!(
    "Hotcell needs Linux on x86-64 or aarch64 with glibc: workers are started by Linux's own system calls, and on musl \
     (Alpine) libraries would be loaded by another C library than the one they were built for. Build for \
     x86_64-unknown-linux-gnu or aarch64-unknown-linux-gnu"
);

mod condition;
mod filter;
mod group;
mod level;
mod limits;
mod machine;
mod plan;
mod policy;
mod profile;
mod remedy;
#[doc(hidden)]
pub mod seam;
mod spawn;
mod sys;
mod tables;
pub mod trace;
mod view;
mod wall;

pub use group::control_groups;
pub use level::Level;
pub use limits::Limits;
pub use machine::Machine;
pub use plan::Plan;
pub use policy::{Syscall, WrongRule};
pub use profile::{Profile, Require, Sandbox, wrong_path};
pub use remedy::{Remedy, Stopped};
pub use spawn::{LACKED, Launch, Spawned, spawn};
pub use sys::attempts::Ending;
pub use sys::occupied::occupied;
pub use sys::process::cpu_time;
pub use sys::removal::{empty_tree, remove_tree};
pub use sys::service::{inherited, terminations};
pub use sys::signals::{kill_group, with_sent_signals_blocked, with_signals_blocked};
pub use sys::unshared::{Unshared, has_more_rights};
pub use sys::users::{Peer, peer, users};
pub use tables::DEVICES;
pub use wall::Wall;

use std::io;

/// Enters the load phase in the worker: repeats what exec cannot undo, then checks that all of it holds.
/// `Err` names the restriction that is missing.
pub fn enter_load() -> io::Result<Level> {
    sys::process::set_no_new_privs()?;
    let level = Level::measure()?;
    match level.missing_for_load() {
        Some(missing) => Err(io::Error::new(io::ErrorKind::PermissionDenied, missing)),
        None => Ok(level),
    }
}
