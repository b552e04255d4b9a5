//! Keeping signals away while something is started.

use std::ptr;

/// Runs `start` with all signals blocked on this thread. A thread made there keeps them blocked; a process
/// cloned there runs no handler of this one.
pub fn with_signals_blocked<T>(start: impl FnOnce() -> T) -> T {
    // SAFETY: both sets are valid for writes; sigfillset and pthread_sigmask initialise them.
    let before = unsafe {
        let (mut all, mut before): (libc::sigset_t, libc::sigset_t) = std::mem::zeroed();
        libc::sigfillset(&mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut before);
        before
    };
    let result = start();
    // SAFETY: `before` came from pthread_sigmask.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &before, ptr::null_mut()) };
    result
}
