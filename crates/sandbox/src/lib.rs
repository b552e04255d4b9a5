//! Launch steps and limits of a worker, as data; system calls only in `src/sys`.
//!
//! A worker is launched in two phases. *Load*: everything that must hold before the library's first
//! instruction, for constructors are library code: [`spawn`] does it between clone and exec, and
//! [`enter_load`] in the worker before it opens the library. *Serve*: [`enter_serve`], after the library is
//! loaded and before the first call. The level in force is measured by the worker itself, not assumed.
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

mod level;
mod limits;
mod machine;
mod spawn;
mod sys;

pub use level::Level;
pub use limits::Limits;
pub use machine::Machine;
pub use spawn::{Launch, Spawned, spawn};
pub use sys::signals::with_signals_blocked;

use std::io;

/// What a worker may do once it serves. The strict profiles are seccomp allow-lists; until they exist a
/// worker runs under the load phase's restrictions alone, and says so in its [`Level`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(u32)]
pub enum Profile {
    /// The load phase's restrictions and nothing more.
    #[default]
    Basic = 0,
}

impl Profile {
    /// The profile of a wire number.
    pub fn from_raw(raw: u32) -> Option<Profile> {
        (raw == Profile::Basic as u32).then_some(Profile::Basic)
    }
}

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

/// Enters the serve phase in the worker and measures what is in force.
pub fn enter_serve(profile: Profile) -> io::Result<Level> {
    match profile {
        Profile::Basic => Level::measure(),
    }
}
