//! What a process keeps for itself: a descriptor that forked children do not get, and its environment's word where it has more rights.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

/// A descriptor that is closed in each child right behind the `fork` of the C library. One of the process, for there is one place for it.
///
/// A child that was cloned by a system call of somebody else's has it as any other one, until it executes a program.
#[derive(Debug)]
pub struct Unshared(OwnedFd);

/// The number of the descriptor, or [`NONE`].
static NUMBER: AtomicI32 = AtomicI32::new(NONE);
const NONE: i32 = -1;

impl Unshared {
    /// From now on children do not get it.
    ///
    /// # Errors
    ///
    /// The process has another one, or the C library has no memory.
    pub fn new(descriptor: OwnedFd) -> io::Result<Unshared> {
        // Two that come at once register it twice, and the second finds nothing to close: a lock could be taken at a fork.
        static REGISTERED: AtomicBool = AtomicBool::new(false);
        if !REGISTERED.load(Ordering::Relaxed) {
            // SAFETY: the handler does what may be done behind a fork: it swaps an atomic and closes a descriptor.
            let errno = unsafe { libc::pthread_atfork(None, None, Some(close_in_child)) };
            if errno != 0 {
                return Err(io::Error::from_raw_os_error(errno));
            }
            REGISTERED.store(true, Ordering::Relaxed);
        }
        let number = descriptor.as_raw_fd();
        match NUMBER.compare_exchange(NONE, number, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => Ok(Unshared(descriptor)),
            Err(_) => Err(io::Error::other("the process has another descriptor of the kind")),
        }
    }
}

impl Drop for Unshared {
    fn drop(&mut self) {
        NUMBER.store(NONE, Ordering::Release);
    }
}

impl AsFd for Unshared {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

extern "C" fn close_in_child() {
    let number = NUMBER.swap(NONE, Ordering::AcqRel);
    if number != NONE {
        // SAFETY: it was open when the process was forked, for `Unshared` takes the number back before it closes it; and nobody closes it
        // here again: the value is on the stack, or in the keeping, of a thread that the child does not have.
        unsafe { libc::close(number) };
    }
}

/// Whether this program has more rights than who started it: set-user-id, set-group-id, capabilities of its file. What he says by the
/// environment is nothing that it should do.
pub fn has_more_rights() -> bool {
    // SAFETY: it reads a number that the kernel left for the process.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_has_everything_but_that_descriptor() {
        let (kept, given) = (pipe(), pipe());
        let given = Unshared::new(given).unwrap();
        assert!(Unshared::new(pipe()).is_err(), "there is one place");
        let (kept_number, given_number) = (kept.as_raw_fd(), given.as_fd().as_raw_fd());
        // SAFETY: the child makes system calls only, and ends by one.
        let child = unsafe { libc::fork() };
        if child == 0 {
            // SAFETY: both are system calls that take any number.
            unsafe {
                let is_open = |number| libc::fcntl(number, libc::F_GETFD) != -1;
                libc::_exit(i32::from(is_open(kept_number)) + 2 * i32::from(is_open(given_number)));
            }
        }
        let mut status = 0;
        // SAFETY: it is a child of this process, and the status is valid for writes.
        assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
        assert!(libc::WIFEXITED(status));
        assert_eq!(libc::WEXITSTATUS(status), 1, "1 for what is kept, 2 for what is not");
        drop(given);
        assert!(Unshared::new(pipe()).is_ok(), "the place is free again");
        assert!(!has_more_rights());
    }

    fn pipe() -> OwnedFd {
        rustix::pipe::pipe().unwrap().0
    }
}
