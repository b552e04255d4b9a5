//! Eventfds: what wakes a caller that sleeps in an event loop and holds no thread.
//!
//! The host makes one for each lane, waits on it and gives it to the worker, which writes. Both have the same open file, and
//! with it the same flags: a worker can make it a blocking one. So the host neither reads nor writes it, it only has it watched;
//! what is written counts up for as long as the worker lives. Of a death it hears by other means.

#[cfg(not(all(test, loom)))]
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

#[cfg(not(all(test, loom)))]
use rustix::{
    event::{EventfdFlags, eventfd},
    fs::fstat,
    io::{Result, fcntl_dupfd_cloexec, write},
};

#[cfg(all(test, loom))]
mod model;

#[cfg(all(test, loom))]
pub use model::EventFd;

/// An eventfd of a lane, at either end.
#[cfg(not(all(test, loom)))]
#[derive(Debug)]
pub struct EventFd {
    fd: OwnedFd,
    /// Device and number of the file that all eventfds are.
    file: (u64, u64),
}

#[cfg(not(all(test, loom)))]
impl EventFd {
    /// A new one, which never makes who writes to it wait.
    pub(crate) fn new() -> Result<EventFd> {
        EventFd::of(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?)
    }

    /// Takes the one that came from a host, and keeps it as number `least` or above where so many are allowed: out of the
    /// way of a library that closes or reuses low descriptors.
    pub fn adopt(given: OwnedFd, least: i32) -> Result<EventFd> {
        EventFd::of(fcntl_dupfd_cloexec(&given, least).unwrap_or(given))
    }

    /// Wakes who waits. Not when the library has closed the descriptor, and a file of its own may have the number: that one is
    /// not written to. Where the write fails, the call ends by its deadline.
    pub(crate) fn ring(&self) {
        if file_of(&self.fd).is_ok_and(|file| file == self.file) {
            let _ = write(&self.fd, &1u64.to_ne_bytes());
        }
    }

    fn of(fd: OwnedFd) -> Result<EventFd> {
        Ok(EventFd { file: file_of(&fd)?, fd })
    }
}

#[cfg(not(all(test, loom)))]
fn file_of(fd: &OwnedFd) -> Result<(u64, u64)> {
    let stat = fstat(fd)?;
    Ok((stat.st_dev, stat.st_ino))
}

#[cfg(not(all(test, loom)))]
impl AsFd for EventFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
#[cfg(not(loom))]
mod tests {
    use std::io::{Read, Seek};
    use std::os::fd::AsRawFd;

    use rustix::io::{Errno, dup2, read};

    use super::*;

    #[test]
    fn what_is_rung_is_heard_at_the_other_end() {
        let host = EventFd::new().unwrap();
        let worker = EventFd::adopt(host.fd.try_clone().unwrap(), 100).unwrap();
        assert!(worker.fd.as_raw_fd() >= 100);
        let mut count = [0; 8];
        assert_eq!(read(&host.fd, &mut count), Err(Errno::AGAIN));
        (0..3).for_each(|_| worker.ring());
        assert_eq!(read(&host.fd, &mut count), Ok(8));
        assert_eq!(u64::from_ne_bytes(count), 3);
        // Full: who rings does not wait.
        write(&host.fd, &(u64::MAX - 1).to_ne_bytes()).unwrap();
        worker.ring();
    }

    #[test]
    fn a_file_that_has_taken_the_number_is_not_written_to() {
        let mut eventfd = EventFd::new().unwrap();
        let mut file = tempfile();
        dup2(&file, &mut eventfd.fd).unwrap();
        eventfd.ring();
        file.rewind().unwrap();
        let mut written = Vec::new();
        file.read_to_end(&mut written).unwrap();
        assert!(written.is_empty(), "{written:?}");
    }

    fn tempfile() -> std::fs::File {
        rustix::fs::memfd_create("file", rustix::fs::MemfdFlags::CLOEXEC).unwrap().into()
    }

    /// A number is a file's own on its file system alone: the roots of these have the same one.
    #[test]
    fn files_of_one_number_on_two_file_systems_are_two() {
        let root = |path: &str| file_of(&std::fs::File::open(path).unwrap().into()).unwrap();
        let (one, other) = (root("/proc"), root("/sys"));
        assert_eq!(one.1, other.1);
        assert_ne!(one, other);
    }
}
