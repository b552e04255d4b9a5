//! What a program needs that serves others: the descriptor it was started with, and the signals by which it is to end.

use std::fs::File;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd};
use std::ptr;

/// Takes a descriptor of this number that the process was started with. No process that this one starts gets it.
///
/// # Errors
///
/// There is none, or it is one of the three that all have.
pub fn inherited(number: i32) -> io::Result<OwnedFd> {
    if number < 3 {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    // SAFETY: fcntl takes numbers alone. One that is nobody's is an error; what else has this number stays open and is that one's.
    let own = unsafe {
        libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC);
        libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 3)
    };
    if own < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it was made just now, so nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(own) })
}

/// Has SIGTERM, SIGINT and SIGHUP end nothing any more: they are read from here, one at a time. Holds for this thread and those that it
/// starts from now on, so it is to be called while there is no other.
///
/// # Errors
///
/// There is no descriptor left.
pub fn terminations() -> io::Result<File> {
    // SAFETY: the set is valid for writes and initialised by sigemptyset; signalfd reads it, and makes a descriptor that nobody else
    // has.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP] {
            libc::sigaddset(&mut set, signal);
        }
        libc::pthread_sigmask(libc::SIG_BLOCK, &set, ptr::null_mut());
        match libc::signalfd(-1, &set, libc::SFD_CLOEXEC) {
            -1 => Err(io::Error::last_os_error()),
            made => Ok(File::from_raw_fd(made)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::fd::AsRawFd;

    use super::*;

    #[test]
    fn a_descriptor_that_is_there_is_taken_and_others_are_errors() {
        let (mut reading, writing) = io::pipe().unwrap();
        let own = inherited(writing.as_raw_fd()).unwrap();
        io::Write::write_all(&mut File::from(own), b"x").unwrap();
        let mut byte = [0];
        reading.read_exact(&mut byte).unwrap();
        assert_eq!(&byte, b"x");
        for number in [-1, 0, 2, 9999] {
            assert!(inherited(number).is_err(), "{number}");
        }
    }

    #[test]
    fn a_signal_that_would_end_the_process_is_read() {
        let mut signals = terminations().unwrap();
        // SAFETY: it is sent to this thread, which has just blocked it.
        unsafe { libc::pthread_kill(libc::pthread_self(), libc::SIGTERM) };
        let mut seen = [0; 128];
        signals.read_exact(&mut seen).unwrap();
        assert_eq!(u32::from_ne_bytes(seen[..4].try_into().unwrap()), libc::SIGTERM as u32);
    }
}
