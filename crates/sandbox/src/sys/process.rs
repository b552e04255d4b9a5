//! Asking and telling the kernel about this process.

use std::io;

use rustix::process::{Resource, getrlimit};

/// exec can never again gain privileges. Cannot be undone.
pub(crate) fn set_no_new_privs() -> io::Result<()> {
    rustix::thread::set_no_new_privs(true).map_err(Into::into)
}

pub(crate) fn no_new_privs() -> io::Result<bool> {
    rustix::thread::no_new_privs().map_err(Into::into)
}

/// Bytes; `u64::MAX` for no limit.
pub(crate) fn core_limit() -> io::Result<u64> {
    Ok(getrlimit(Resource::Core).current.unwrap_or(u64::MAX))
}

/// Descriptors; `u64::MAX` for no limit.
pub(crate) fn descriptor_limit() -> io::Result<u64> {
    Ok(getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX))
}

pub(crate) fn leads_session() -> bool {
    rustix::process::getsid(None).is_ok_and(|session| session == rustix::process::getpid())
}

/// This process.
pub(crate) fn id() -> u32 {
    rustix::process::getpid().as_raw_nonzero().get().unsigned_abs()
}

/// The process that started this one; 0 where that is in another namespace.
pub(crate) fn parent() -> u32 {
    rustix::process::getppid().map_or(0, |pid| pid.as_raw_nonzero().get().unsigned_abs())
}

/// Whether a filter of system calls holds for this thread.
pub(crate) fn is_filtered() -> bool {
    /// Of `prctl`: the thread has filters.
    const FILTERS: i32 = 2;
    // SAFETY: no memory is involved.
    unsafe { libc::prctl(libc::PR_GET_SECCOMP, 0, 0, 0, 0) == FILTERS }
}
