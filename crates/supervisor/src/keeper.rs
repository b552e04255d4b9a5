//! Who removes a session's directory when its host has ended without doing so.
//!
//! No host that is killed can do it, and what its workers are they die with. So the worker program is started once more, as a process that loads
//! nothing: it sleeps until the host has ended, and removes the directory then. A host that does so itself ends its keeper.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use hotcell_sandbox::{Launch, Limits, spawn};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{
    PidfdFlags, Signal, WaitId, WaitIdOptions, getpid, pidfd_open, pidfd_send_signal, waitid,
};

/// The process. Dropped, it is ended.
#[derive(Debug)]
pub struct Keeper(OwnedFd);

impl Keeper {
    /// Has it sleep until this process has ended, and remove the directory then. It need not be there yet.
    ///
    /// # Errors
    ///
    /// When there is no process, or no descriptor, for it.
    pub fn start(program: &Path, directory: &Path) -> io::Result<Keeper> {
        // A descriptor of the process, and no pipe that ends with it: forked children would keep that open.
        let host = pidfd_open(getpid(), PidfdFlags::empty())?;
        let (told, tell) = pipe_with(PipeFlags::CLOEXEC)?;
        let null = File::options().read(true).write(true).open("/dev/null")?;
        // Not as an argument, which every user of the machine may read. There is room for any path in a pipe.
        let mut tell = File::from(tell);
        tell.write_all(directory.as_os_str().as_bytes())?;
        drop(tell);
        let spawned = spawn(&Launch {
            program,
            args: &["hotcell-keeper", "--keep"],
            directory: Path::new("/"),
            environment: &[],
            descriptors: [told.as_fd(), null.as_fd(), null.as_fd(), host.as_fd()],
            limits: Limits::default(),
            dies_with_host: false,
        })?;
        Ok(Keeper(spawned.pidfd))
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        const WALL: WaitIdOptions = WaitIdOptions::from_bits_retain(0x4000_0000);
        // It may have ended, and the host may have collected it.
        let _ = pidfd_send_signal(&self.0, Signal::KILL);
        let _ = waitid(WaitId::PidFd(self.0.as_fd()), WaitIdOptions::EXITED | WALL);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_cannot_be_executed_is_no_keeper() {
        let error = Keeper::start(Path::new("/dev/null"), Path::new("/nowhere")).unwrap_err();
        assert!(error.to_string().starts_with("could not execute the worker program"), "{error}");
    }

    #[test]
    fn it_is_told_the_directory_and_nobody_else() {
        let folder = tempfile::tempdir().unwrap();
        let (program, said) = (folder.path().join("program"), folder.path().join("said"));
        let script =
            format!("#!/bin/sh\ncat > {0}.part; echo \" $*\" >> {0}.part; mv {0}.part {0}\n", said.display());
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
        let keeper = Keeper::start(&program, Path::new("/some/where")).unwrap();
        while !said.exists() {
            std::thread::yield_now();
        }
        assert_eq!(fs::read_to_string(&said).unwrap(), "/some/where --keep\n");
        drop(keeper);
    }
}
