//! The program in its other role: it loads nothing, sleeps until a host has ended, and removes what that leaves of a session's directory.

use std::ffi::OsString;
use std::io::{self, Read};
use std::os::fd::{BorrowedFd, RawFd};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use hotcell_sandbox::remove_tree;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

/// Where the descriptor of the host's process is.
const HOST: RawFd = 3;

/// How long removing is tried again. Workers of the host were killed as it ended, and may be about to make their last file.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long until the next try.
const PAUSE: Duration = Duration::from_millis(5);

/// Keeps the directory that is named on standard input, for as long as the host lives. Returns the exit status.
pub fn keep() -> i32 {
    // Lists of processes tell it from a worker.
    let _ = rustix::thread::set_name(c"hotcell-keeper");
    // Who ends a service asks all of its processes. This one ends behind its host.
    // SAFETY: no function is installed.
    unsafe { libc::signal(libc::SIGTERM, libc::SIG_IGN) };
    let mut directory = Vec::new();
    if io::stdin().read_to_end(&mut directory).is_err() || directory.is_empty() {
        return 1;
    }
    let directory = PathBuf::from(OsString::from_vec(directory));
    // SAFETY: the host starts every keeper with this descriptor, which nobody closes.
    let host = unsafe { BorrowedFd::borrow_raw(HOST) };
    while let Err(Errno::INTR) = poll(&mut [PollFd::from_borrowed_fd(host, PollFlags::IN)], None) {}
    let until = Instant::now() + PATIENCE;
    loop {
        match remove_tree(&directory) {
            Err(error) if error.kind() != io::ErrorKind::NotFound && Instant::now() < until => {
                std::thread::sleep(PAUSE);
            }
            _ => return 0,
        }
    }
}
