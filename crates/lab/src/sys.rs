//! The one thing of the lab that the compiler cannot check: a host that forks, as servers and Python's `multiprocessing` do.

use std::io;

use rustix::process::{Pid, WaitOptions, WaitStatus, waitpid};

unsafe extern "C" {
    fn fork() -> i32;
    fn _exit(status: i32) -> !;
}

/// Runs `child` in a child of this process that goes on from here, and waits for the end of it.
///
/// # Errors
///
/// When there is no child to be had.
pub(crate) fn in_a_child(child: impl FnOnce()) -> io::Result<Option<WaitStatus>> {
    // SAFETY: the child has this thread only. What its other threads may have locked is the affair of what `child` calls: the
    // C library's memory is made ready by `fork` itself, no other thread of a host of the lab prints, and a session is to
    // see to itself, which is what is tried.
    match unsafe { fork() } {
        0 => {
            child();
            // SAFETY: it ends the child without the handlers of its parent, which are to run there.
            unsafe { _exit(0) }
        }
        pid => {
            let pid = Pid::from_raw(pid).filter(|_| pid > 0).ok_or_else(io::Error::last_os_error)?;
            Ok(waitpid(Some(pid), WaitOptions::empty())?.map(|(_, status)| status))
        }
    }
}
