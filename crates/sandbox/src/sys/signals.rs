//! Keeping signals away while something is started, and killing what is left of a group.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

/// Runs `start` with all signals blocked on this thread. A thread made there keeps them blocked; a process
/// cloned there runs no handler of this one.
pub fn with_signals_blocked<T>(start: impl FnOnce() -> T) -> T {
    blocking_but(&[], start)
}

/// The same without those that a thread brings about by what it does: while they are blocked the kernel ends the process for them, and
/// asks no handler. So a thread that is made there can be told of what a sandbox denies it from its first instruction on, and can say where
/// it crashed.
pub fn with_sent_signals_blocked<T>(start: impl FnOnce() -> T) -> T {
    const OWN: [i32; 6] =
        [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGTRAP, libc::SIGSYS];
    blocking_but(&OWN, start)
}

fn blocking_but<T>(left: &[i32], start: impl FnOnce() -> T) -> T {
    // SAFETY: both sets are valid for writes; sigfillset and pthread_sigmask initialise them.
    let before = unsafe {
        let (mut all, mut before): (libc::sigset_t, libc::sigset_t) = std::mem::zeroed();
        libc::sigfillset(&mut all);
        for signal in left {
            libc::sigdelset(&mut all, *signal);
        }
        libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut before);
        before
    };
    let result = start();
    // SAFETY: `before` came from pthread_sigmask.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &before, ptr::null_mut()) };
    result
}

/// Kills all that is left of the process group that was begun by the process of this descriptor, whether that has ended, and
/// whether somebody has collected it. False where the kernel cannot do that, before Linux 6.9: nothing was killed then.
pub fn kill_group(pidfd: BorrowedFd<'_>) -> bool {
    /// `PIDFD_SIGNAL_PROCESS_GROUP`.
    const PROCESS_GROUP: u32 = 1 << 2;
    let no_info = ptr::null::<libc::siginfo_t>();
    // SAFETY: the kernel reads no memory, for there is no siginfo.
    let answer = unsafe {
        libc::syscall(libc::SYS_pidfd_send_signal, pidfd.as_raw_fd(), libc::SIGKILL, no_info, PROCESS_GROUP)
    };
    // ESRCH: nothing is left of it.
    answer == 0 || io::Error::last_os_error().raw_os_error() == Some(libc::ESRCH)
}
