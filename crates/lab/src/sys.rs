//! What the compiler cannot check of the lab: a host that forks, as servers and Python's `multiprocessing` do, and what is done between
//! fork and exec.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitOptions, WaitStatus, getpid, getppid, set_parent_process_death_signal, waitpid,
};

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

/// Has the program that this command starts killed by the kernel when the thread that starts it ends: with this process at the latest,
/// however that ends. Nothing that a library does keeps it from that.
pub(crate) fn ends_with_this(command: &mut Command) -> &mut Command {
    let own = getpid();
    let asks = move || -> io::Result<()> {
        set_parent_process_death_signal(Some(Signal::KILL))?;
        // Who has ended before that is not told of.
        if getppid() == Some(own) { Ok(()) } else { Err(Errno::SRCH.into()) }
    };
    // SAFETY: it runs in the child of a process with threads, and there makes two system calls and nothing else: it allocates nothing,
    // takes no lock, and what it owns is a number.
    unsafe { command.pre_exec(asks) }
}
