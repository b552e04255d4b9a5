//! Namespaces of a worker's own, entered between clone and exec.

use std::ffi::{CStr, CString, c_int};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::limits::Limits;
use crate::sys::spawn::limit;

/// What is needed to enter them, made beforehand: the child may not allocate.
pub(super) struct Namespaces {
    /// Lines of `/proc/self`: who this process's user and group are inside, which is the same.
    users: CString,
    groups: CString,
    /// Limits that count for each user. In namespaces of its own a worker's user has this one process.
    limits: Vec<(c_int, libc::rlimit)>,
}

/// Signals that may wait for a worker, and timers that it may have: each timer has a place for its signal.
const SIGNALS: u64 = 1024;

/// Threads beyond those that a worker may have. The host ends a worker that has more than it may, and is to find some.
const THREADS_BEYOND: u64 = 64;

impl Namespaces {
    /// For a worker with these limits. None where this process has two users, of whom only one would be known inside, and before
    /// Linux 5.16: there the limits of a user counted all his processes, and a child that the attempt kills, under a filter of
    /// system calls, could take down who shares its memory.
    pub(super) fn new(limits: &Limits) -> Option<Namespaces> {
        if kernel() < (5, 16) {
            return None;
        }
        // SAFETY: these calls cannot fail and touch no memory.
        let (users, groups) =
            unsafe { ([libc::getuid(), libc::geteuid()], [libc::getgid(), libc::getegid()]) };
        if users[0] != users[1] || groups[0] != groups[1] {
            return None;
        }
        let line = |id| CString::new(format!("{id} {id} 1\n")).expect("numbers have no NUL");
        let mut of_user = vec![limit(libc::RLIMIT_SIGPENDING as c_int, SIGNALS)];
        let threads = limits.threads.map(|threads| threads.saturating_add(THREADS_BEYOND));
        of_user.extend(threads.map(|threads| limit(libc::RLIMIT_NPROC as c_int, threads)));
        Some(Namespaces { users: line(users[0]), groups: line(groups[0]), limits: of_user })
    }

    /// Enters them, in the child: it must not allocate, lock or unwind. Where it fails, `errno` says why.
    pub(super) fn enter(&self) -> bool {
        // SAFETY: no memory is involved. The child has one thread, and no table of descriptors or handlers that another has.
        let entered = unsafe { libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWIPC) == 0 };
        entered
            // Groups that are given up might be what keeps it from a file: the kernel wants that to be impossible first.
            && write(c"/proc/self/setgroups", c"deny")
            && write(c"/proc/self/uid_map", &self.users)
            && write(c"/proc/self/gid_map", &self.groups)
            // SAFETY: each limit is a valid structure; the call reads it only.
            && self.limits.iter().all(|(resource, limit)| unsafe { libc::setrlimit(*resource as _, limit) == 0 })
    }
}

/// The kernel's version.
fn kernel() -> (u32, u32) {
    /// As one number, 0 where nobody has asked: no lock that a fork could leave taken, and whoever asks finds the same.
    static VERSION: AtomicU64 = AtomicU64::new(0);
    let known = VERSION.load(Ordering::Relaxed);
    if known != 0 {
        return ((known >> 32) as u32, known as u32);
    }
    // SAFETY: an all-zero structure is valid, and the kernel fills it with terminated texts.
    let release = unsafe {
        let mut names: libc::utsname = std::mem::zeroed();
        libc::uname(&mut names);
        CStr::from_ptr(names.release.as_ptr()).to_string_lossy().into_owned()
    };
    let (major, minor) = version_of(&release);
    VERSION.store(u64::from(major) << 32 | u64::from(minor), Ordering::Relaxed);
    (major, minor)
}

/// Of a release as `6.1.0-13-amd64`; of one that is none, the oldest.
fn version_of(release: &str) -> (u32, u32) {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor),
        _ => (0, 0),
    }
}

/// Writes a text to a file, at once: the kernel takes these in one piece or not at all.
fn write(path: &CStr, text: &CStr) -> bool {
    let length = text.count_bytes();
    // SAFETY: path and text are terminated and outlive the calls; the descriptor is this function's own.
    unsafe {
        let file = libc::open(path.as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC);
        if file < 0 {
            return false;
        }
        let written = libc::write(file, text.as_ptr().cast(), length);
        // What the write said is kept: closing says nothing of these files.
        let errno = *libc::__errno_location();
        libc::close(file);
        *libc::__errno_location() = errno;
        usize::try_from(written) == Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        for (release, expect) in [
            ("6.1.0-13-amd64", (6, 1)),
            ("5.16", (5, 16)),
            ("5.9.16-200.fc32.x86_64", (5, 9)),
            ("10.0-rc1", (10, 0)),
            ("", (0, 0)),
            ("x.y", (0, 0)),
        ] {
            assert_eq!(version_of(release), expect, "{release}");
        }
        assert!(kernel() > (5, 8));
    }
}
