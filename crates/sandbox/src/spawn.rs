//! Starting a worker: the load phase up to exec.

use std::ffi::{CString, OsStr};
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::limits::Limits;
use crate::sys;

/// The exit status of a worker that has reported a step for which the machine lacked something, before it loaded anything of the library.
pub const LACKED: i32 = 3;

/// How to start a worker.
#[derive(Debug)]
pub struct Launch<'a> {
    /// The program; an absolute path.
    pub program: &'a Path,
    /// Its arguments, the name included.
    pub args: &'a [&'a str],
    /// The directory it works in; an absolute path.
    pub directory: &'a Path,
    /// Its whole environment: nothing is inherited.
    pub environment: &'a [(&'a str, &'a str)],
    /// What becomes descriptors 0, 1, 2 and 3. Nothing else stays open.
    pub descriptors: [BorrowedFd<'a>; 4],
    /// Its limits.
    pub limits: Limits,
    /// Whether it is to have namespaces of its own, of users and of System V's and POSIX' means between processes. Where
    /// they cannot be had it starts without.
    pub own_namespaces: bool,
    /// Whether the kernel kills it when the thread that started it ends.
    pub dies_with_host: bool,
}

/// A started worker. After exec it is a child like any other: the host sees a SIGCHLD at its end, and a
/// `waitpid` for any child can collect its status before its owner does.
#[derive(Debug)]
pub struct Spawned {
    /// Its process id; also the id of its process group and session.
    pub pid: u32,
    /// Refers to this very process, whatever becomes of the number.
    pub pidfd: OwnedFd,
    /// Whether it has namespaces of its own.
    pub own_namespaces: bool,
}

/// Starts a worker. Call it on a thread that lives as long as the process: the kernel kills the worker when
/// the *thread* that started it ends, unless it is to outlive its host.
///
/// The cost does not grow with the host: memory is shared until exec, as with vfork. `Err` names the step
/// that failed.
pub fn spawn(launch: &Launch<'_>) -> io::Result<Spawned> {
    let program = terminated(launch.program.as_os_str())?;
    let args = launch.args.iter().map(terminated).collect::<io::Result<Vec<_>>>()?;
    let environment = launch
        .environment
        .iter()
        .map(|(name, value)| terminated(format!("{name}={value}")))
        .collect::<io::Result<Vec<_>>>()?;
    let directory = terminated(launch.directory.as_os_str())?;
    let texts = sys::spawn::Texts {
        program: &program,
        args: &args,
        environment: &environment,
        directory: &directory,
    };
    sys::spawn::spawn(&texts, launch)
}

fn terminated(text: impl AsRef<OsStr>) -> io::Result<CString> {
    CString::new(text.as_ref().as_bytes())
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "a NUL in a path, argument or variable"))
}
