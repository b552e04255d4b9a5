//! Who removes a session's directory when its host has ended without doing so.
//!
//! No host that is killed can do it, and what its workers are they die with. So the worker program is started once more, as a process that loads
//! nothing: it sleeps until the host has ended, or become another program, and removes the directory then. A host that does so itself ends its keeper.
//! One that may no longer do so, as it has given up its rights, has the keeper do it.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use hotcell_sandbox::{Launch, Limits, spawn};
use hotcell_shm::sealed_copy;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::SeekFrom;
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, send, socketpair};
use rustix::process::{PidfdFlags, WaitId, WaitIdOptions, getpid, pidfd_open, waitid};

/// What a keeper is told, each a byte. Its directory is there, and it is this host's.
const MADE: u8 = b'm';
/// It has nothing to do, and ends.
const OVER: u8 = b'o';
/// It removes the directory now.
const REMOVE: u8 = b'r';

/// How long its end is waited for. One that takes longer ends by itself.
const PATIENCE: Duration = Duration::from_secs(1);

/// How soon it is looked again whether an end can be collected.
const SOON: Duration = Duration::from_micros(100);

/// The process. Dropped, it ends; and removes the directory before, where that is there yet.
#[derive(Debug)]
pub struct Keeper {
    pidfd: OwnedFd,
    /// What tells it, and ends with this program where that becomes another one. Forked children may keep it open: so nothing waits for that alone.
    tell: OwnedFd,
    /// Its directory, where that was made.
    made: Option<PathBuf>,
}

impl Keeper {
    /// Has it sleep until this process has ended, and remove the directory then. It need not be there yet.
    ///
    /// # Errors
    ///
    /// When there is no process, or no descriptor, for it.
    pub fn start(program: &Path, directory: &Path) -> io::Result<Keeper> {
        let host = pidfd_open(getpid(), PidfdFlags::empty())?;
        let (told, tell) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        // Not as an argument, which every user of the machine may read; and no pipe, whose end a forked child may keep from it.
        let path = sealed_copy(directory.as_os_str().as_bytes())?;
        rustix::fs::seek(&path, SeekFrom::Start(0))?;
        let spawned = spawn(&Launch {
            program,
            args: &["hotcell-keeper", "--keep"],
            directory: Path::new("/"),
            environment: &[],
            descriptors: [path.as_fd(), told.as_fd(), path.as_fd(), host.as_fd()],
            limits: Limits::default(),
            own_namespaces: false,
            dies_with_host: false,
        })?;
        Ok(Keeper { pidfd: spawned.pidfd, tell, made: None })
    }

    /// The directory is there, and is this host's. Until then no more than an empty one is removed.
    pub fn made(&mut self, directory: &Path) {
        self.tell(MADE);
        self.made = Some(directory.to_owned());
    }

    fn tell(&self, word: u8) {
        // It may have ended.
        let _ = send(&self.tell, &[word], SendFlags::NOSIGNAL | SendFlags::DONTWAIT);
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        const WALL: WaitIdOptions = WaitIdOptions::from_bits_retain(0x4000_0000);
        let is_there = |path: &PathBuf| !is_gone(path);
        self.tell(if self.made.as_ref().is_some_and(is_there) { REMOVE } else { OVER });
        let until = Instant::now() + PATIENCE;
        // It may have ended, and the host may have collected it: then there is an error.
        while let Ok(None) =
            waitid(WaitId::PidFd(self.pidfd.as_fd()), WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WALL)
        {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            // Who traces it may have its end first, and the host a moment later.
            let ended =
                poll(&mut [PollFd::new(&self.pidfd, PollFlags::IN)], Timespec::try_from(left).ok().as_ref());
            if ended.is_ok_and(|ended| ended != 0) {
                thread::sleep(SOON.min(left));
            }
        }
    }
}

/// Whether nothing has that name.
fn is_gone(path: &Path) -> bool {
    fs::symlink_metadata(path).is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_cannot_be_executed_is_no_keeper() {
        let error = Keeper::start(Path::new("/dev/null"), Path::new("/nowhere")).unwrap_err();
        assert!(error.to_string().starts_with("could not execute the worker program"), "{error}");
    }

    /// A program of these lines, as the keeper.
    fn keeper(folder: &Path, lines: &str) -> Keeper {
        let program = folder.join("program");
        fs::write(&program, format!("#!/bin/sh\n{lines}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
        Keeper::start(&program, Path::new("/some/where")).unwrap()
    }

    #[test]
    fn it_is_told_the_directory_and_nobody_else() {
        let folder = tempfile::tempdir().unwrap();
        let said = folder.path().join("said");
        let lines = format!("exec > '{0}.part'; cat; echo \" $*\"; mv '{0}.part' '{0}'", said.display());
        let keeper = keeper(folder.path(), &lines);
        let patience = Instant::now() + Duration::from_secs(60);
        while !said.exists() {
            assert!(Instant::now() < patience, "it was told nothing");
            thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(fs::read_to_string(&said).unwrap(), "/some/where --keep\n");
        drop(keeper);
    }

    #[test]
    fn one_that_does_not_end_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let keeper = keeper(folder.path(), "exec sleep 8");
        let since = Instant::now();
        drop(keeper);
        assert!((Duration::from_millis(900)..Duration::from_secs(7)).contains(&since.elapsed()));
    }
}
