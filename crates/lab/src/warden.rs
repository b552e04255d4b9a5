//! The lab runs inside of two processes that see to it that nothing is left of it: the one that was started has a *warden*, and that has the lab. Who loses its
//! parent below them descends from the next of them that lives, which ends it. So it does not matter which of the three is killed. The folder for
//! temporary files is one for all.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use hotcell_sandbox::with_signals_blocked;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, getpid, getppid, kill_process, pidfd_open, set_child_subreaper,
    wait,
};

use crate::leaks::descendants;
use crate::sys::ends_with_this;

/// How long the end of what was killed is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// The words that have this program be the warden of such a process, and the lab itself.
const WARDEN: &str = "--warden";
const INSIDE: &str = "--inside";

/// Has the lab run with these words; its exit status.
///
/// # Errors
///
/// When it cannot be started.
pub fn around(words: &[OsString]) -> io::Result<u8> {
    let folder = tempfile::Builder::new().prefix("hotcell-lab-").tempdir()?;
    let mut warden = this(words)?;
    warden.arg(WARDEN).arg(getpid().as_raw_nonzero().to_string()).env("TMPDIR", folder.path());
    set_child_subreaper(Some(getpid()))?;
    let status = warden.spawn()?.wait();
    // All of it is gone then, unless the warden was killed.
    end_all();
    status.map(code)
}

/// Is the warden that this process has started, and runs the lab with these words; its exit status.
///
/// # Errors
///
/// When it cannot be started.
pub fn warden(of: u32, words: &[OsString]) -> io::Result<u8> {
    let above = i32::try_from(of).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidInput)?;
    let life = pidfd_open(above, PidfdFlags::empty())?;
    set_child_subreaper(Some(getpid()))?;
    let mut lab = this(words)?;
    lab.arg(INSIDE);
    let lab = match getppid() == Some(above) {
        true => Some(ends_with_this(&mut lab).spawn()?),
        // It has ended already, and its number may be another's.
        false => None,
    };
    // Whoever ends the lab asks all of its processes. This one ends behind the others, and hands that down to none of them.
    with_signals_blocked(|| {
        let status = lab.map_or(Ok(None), |lab| until(lab, &life))?;
        end_all();
        if status.is_none() {
            remove(&std::env::temp_dir());
        }
        Ok(status.map_or(0, code))
    })
}

/// This program, with the words of this run.
fn this(words: &[OsString]) -> io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(words);
    Ok(command)
}

/// Waits for the lab; ends it where who has asked for it has ended. `None` then.
fn until(mut lab: Child, above: &impl std::os::fd::AsFd) -> io::Result<Option<ExitStatus>> {
    let life = pidfd_open(Pid::from_child(&lab), PidfdFlags::empty())?;
    let mut both = [PollFd::new(&life, PollFlags::IN), PollFd::new(above, PollFlags::IN)];
    loop {
        if poll(&mut both, None).is_err() {
            continue;
        }
        if !both[0].revents().is_empty() {
            return lab.wait().map(Some);
        }
        if !both[1].revents().is_empty() {
            lab.kill()?;
            lab.wait()?;
            return Ok(None);
        }
    }
}

/// Ends all that descends from this process, and waits for that. What has lost its parent is this process's child then, and is among them.
fn end_all() {
    let patience = Instant::now() + PATIENCE;
    loop {
        // Corpses, too: nobody else waits for them.
        while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
        let left = descendants();
        if left.is_empty() || Instant::now() > patience {
            return;
        }
        // Each is a child of this process, or of another that is, and not waited for yet by anybody who lives: the number is its.
        for pid in left.iter().filter_map(|&pid| i32::try_from(pid).ok().and_then(Pid::from_raw)) {
            let _ = kill_process(pid, Signal::KILL);
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// Removes the folder that the one above had made for this run, and nothing else.
fn remove(folder: &Path) {
    let is_own = folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with("hotcell-lab-"));
    if is_own {
        // Who has been killed cannot; nor can anybody else, if this fails.
        let _ = fs::remove_dir_all(folder);
    }
}

/// As shells tell it.
fn code(status: ExitStatus) -> u8 {
    let code = status.code().or(status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}
