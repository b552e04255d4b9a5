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
