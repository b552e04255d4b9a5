//! The program in its other role: it loads nothing, sleeps until a host has ended, and removes what that leaves of a session's directory.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read};
use std::os::fd::{BorrowedFd, RawFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hotcell_sandbox::remove_tree;
use rustix::event::{PollFd, PollFlags, poll};

/// Where the socket is on which the host tells what is to be done, and which ends as the host becomes another program.
const TOLD: RawFd = 1;

/// Where the descriptor of the host's process is.
const HOST: RawFd = 3;

/// What the host tells: the directory is there, and is its own; there is nothing to do.
const MADE: u8 = b'm';
const OVER: u8 = b'o';

/// How long removing is tried again. Workers of the host were killed as it ended, and may be about to make their last file.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long until the next try.
const PAUSE: Duration = Duration::from_millis(5);

/// Keeps the directory that is named on standard input, for as long as the host lives. Returns the exit status.
pub fn keep() -> i32 {
    // Lists of processes tell it from a worker.
    let _ = rustix::thread::set_name(c"hotcell-keeper");
    block_signals();
    let mut directory = Vec::new();
    if io::stdin().read_to_end(&mut directory).is_err() || directory.is_empty() {
        return 1;
    }
    // SAFETY: the host starts every keeper with these descriptors, which nobody closes.
    let (told, host) = unsafe { (BorrowedFd::borrow_raw(TOLD), BorrowedFd::borrow_raw(HOST)) };
    let directory = PathBuf::from(OsString::from_vec(directory));
    match wait(told, host) {
        Some(true) => remove(&directory),
        // What is there under that name may be somebody else's, or was made only just now.
        Some(false) => _ = fs::remove_dir(&directory),
        None => {}
    }
    0
}

/// Who ends a service asks all of its processes, by one signal or another. This one ends behind its host.
fn block_signals() {
    // SAFETY: an all-zero set is valid, and both calls are given nothing else.
    unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&mut all);
        libc::sigprocmask(libc::SIG_BLOCK, &all, std::ptr::null_mut());
    }
}

/// Waits until there is something to remove: whether the directory was made by then. `None`: there is nothing.
fn wait(told: BorrowedFd<'_>, host: BorrowedFd<'_>) -> Option<bool> {
    let mut made = false;
    loop {
        let mut both = [told, host].map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN));
        if poll(&mut both, None).is_err() {
            continue;
        }
        // What it was told before the end counts.
        if both[0].revents().is_empty() {
            return Some(made);
        }
        let mut word = [0];
        match rustix::io::read(told, &mut word) {
            Ok(1) if word[0] == MADE => made = true,
            Ok(1) if word[0] == OVER => return None,
            _ => return Some(made),
        }
    }
}

/// Removes a directory, in which workers that die may remove and make files yet.
fn remove(directory: &Path) {
    let until = Instant::now() + PATIENCE;
    loop {
        let removed = remove_tree(directory);
        let is_gone =
            || fs::symlink_metadata(directory).is_err_and(|it| it.kind() == io::ErrorKind::NotFound);
        if removed.is_ok() || is_gone() || Instant::now() >= until {
            return;
        }
        std::thread::sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;
    use std::sync::atomic::{AtomicBool, Ordering};

    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

    use super::*;

    #[test]
    fn what_it_was_told_last_counts_and_the_end_of_either() {
        let said = |words: &[u8], ends: bool| {
            let pair = || socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None);
            let ((told, tell), (host, life)) = (pair().unwrap(), pair().unwrap());
            rustix::io::write(&tell, words).unwrap();
            // One of both ends, the other one stays.
            let kept = if ends {
                drop(tell);
                life
            } else {
                drop(life);
                tell
            };
            let waited = wait(told.as_fd(), host.as_fd());
            drop(kept);
            waited
        };
        for ends in [true, false] {
            assert_eq!(said(b"", ends), Some(false));
            assert_eq!(said(b"m", ends), Some(true));
            assert_eq!(said(b"mo", ends), None);
            assert_eq!(said(b"o", ends), None);
            assert_eq!(said(b"mr", ends), Some(true));
        }
    }

    #[test]
    fn it_is_removed_while_another_one_removes_and_makes_files_in_it() {
        let parent = tempfile::tempdir().unwrap();
        for round in 0..50 {
            let directory = parent.path().join(format!("{round}"));
            fs::create_dir(&directory).unwrap();
            let files: Vec<_> = (0..40).map(|number| directory.join(format!("{number}"))).collect();
            files.iter().for_each(|file| fs::write(file, "x").unwrap());
            let over = AtomicBool::new(false);
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    for file in files.iter().rev().cycle().take(200) {
                        let _ = fs::remove_file(file);
                        if over.load(Ordering::Relaxed) {
                            break;
                        }
                    }
                });
                remove(&directory);
                over.store(true, Ordering::Relaxed);
            });
            assert!(!directory.exists(), "{round}");
        }
    }
}
