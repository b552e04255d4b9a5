//! What happens today: the same C function in a program that calls it directly, and how that program ends.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use hotcell_faulty::DIRECT;
use rustix::fs::{MemfdFlags, Mode, OFlags, memfd_create};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, kill_process_group, waitpid};

use crate::leaks::descendants;
use crate::row::{self, End};

/// Exit statuses of the program: see direct.c.
const LIVES: i32 = 77;
const WRONG: i32 = 78;

/// A program that does not end by then hangs.
const HANG: Duration = Duration::from_millis(400);

/// A program that has to end is waited for that long; no measure of anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// Bytes of what it prints that are kept.
const KEPT: usize = 1 << 16;

/// The program, as a file in memory.
#[derive(Debug)]
pub(crate) struct Program {
    file: OwnedFd,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) end: Option<End>,
    /// In words.
    pub(crate) told: String,
    /// The machine refuses it to everybody.
    pub(crate) refused: bool,
    /// Whether the fault was seen: the run ended as it had to, and said what it had to.
    pub(crate) seen: bool,
}

impl Ended {
    /// Of a row that has nothing to run.
    pub(crate) fn not_there() -> Ended {
        Ended { end: None, told: "nothing to compare with".into(), refused: false, seen: true }
    }

    /// Whether the program went on with right results.
    pub(crate) fn survived(&self) -> bool {
        matches!(self.end, Some(End::GoesOn | End::Leaves))
    }
}

impl Program {
    pub(crate) fn new() -> io::Result<Program> {
        let name = "hotcell-lab-direct";
        let written = match memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::EXEC) {
            // Kernels before 6.3 do not know the flag, and do without it.
            Err(Errno::INVAL) => memfd_create(name, MemfdFlags::CLOEXEC)?,
            other => other?,
        };
        let mut written = File::from(written);
        io::Write::write_all(&mut written, DIRECT)?;
        // Who holds it open for writing cannot execute it.
        let path = format!("/proc/self/fd/{}", written.as_raw_fd());
        let file = rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        Ok(Program { file })
    }

    /// Runs a scenario.
    pub(crate) fn run(&self, direct: &row::Direct, words: &[String]) -> io::Result<Ended> {
        let before = descendants();
        let mut command = Command::new(format!("/proc/self/fd/{}", self.file.as_raw_fd()));
        command.args(words).envs(direct.variable).process_group(0);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let group = Pid::from_child(&child);
        let output = child.stdout.take().map(|pipe| thread::spawn(move || kept(pipe)));
        let errors = child.stderr.take().map(|pipe| thread::spawn(move || kept(pipe)));
        let patience = Instant::now() + if direct.end == End::Hangs { HANG } else { PATIENCE };
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break Some(status);
            }
            if Instant::now() > patience {
                // It is this process's child, and not waited for yet: the number is its.
                let _ = kill_process_group(group, Signal::KILL);
                child.wait()?;
                break None;
            }
            thread::sleep(Duration::from_millis(1));
        };
        let left: Vec<u32> = descendants().into_iter().filter(|pid| !before.contains(pid)).collect();
        left.iter().for_each(|&pid| end(pid));
        let read = |reader: Option<thread::JoinHandle<Vec<u8>>>| {
            let bytes = reader.and_then(|reader| reader.join().ok()).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let (output, errors) = (read(output), read(errors));
        Ok(judge(direct, status, !left.is_empty(), &output, &errors))
    }
}

/// Ends what a run has left behind: it descends from this process, which is told of its end.
fn end(pid: u32) {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return };
    let _ = kill_process(pid, Signal::KILL);
    let _ = waitpid(Some(pid), WaitOptions::empty());
}

/// The beginning of what is printed; the rest is read all the same, so that nobody waits.
fn kept(mut pipe: impl Read) -> Vec<u8> {
    let (mut kept, mut block) = (Vec::new(), [0; 1 << 16]);
    while let Ok(read @ 1..) = pipe.read(&mut block) {
        kept.extend_from_slice(&block[..read.min(KEPT - kept.len())]);
    }
    kept
}

fn judge(
    direct: &row::Direct,
    status: Option<ExitStatus>,
    leaves: bool,
    output: &str,
    errors: &str,
) -> Ended {
    let returned = output.lines().find_map(|line| line.strip_prefix("returned "));
    let (end, told) = match status {
        None => (Some(End::Hangs), "hangs".to_owned()),
        Some(status) => match (status.signal(), status.code()) {
            (Some(signal), _) => {
                let name = signal_name(signal);
                (Some(End::Dies(name)), format!("dies of {name}"))
            }
            (_, Some(LIVES)) if leaves => (
                Some(End::Leaves),
                format!("returns {}, and leaves a process behind", returned.unwrap_or("")),
            ),
            (_, Some(LIVES)) => {
                (Some(End::GoesOn), format!("returns {}", returned.unwrap_or("and cannot say what")))
            }
            (_, Some(WRONG)) => (None, "the next call is wrong".to_owned()),
            (_, Some(code)) => (Some(End::Exits(code)), format!("exits with {code}")),
            _ => (None, "its end is not known".to_owned()),
        },
    };
    let said = output.contains(direct.says) || errors.contains(direct.says);
    // What its variable does to it comes before its first word.
    let began = output.starts_with("began\n") || direct.variable.is_some();
    let seen = began && said && end == Some(direct.end);
    Ended { refused: began && !seen && direct.where_allowed && end == Some(End::GoesOn), seen, end, told }
}

fn signal_name(signal: i32) -> &'static str {
    match Signal::from_named_raw(signal) {
        Some(Signal::ABORT) => "SIGABRT",
        Some(Signal::BUS) => "SIGBUS",
        Some(Signal::ALARM) => "SIGALRM",
        Some(Signal::FPE) => "SIGFPE",
        Some(Signal::ILL) => "SIGILL",
        Some(Signal::KILL) => "SIGKILL",
        Some(Signal::PIPE) => "SIGPIPE",
        Some(Signal::SEGV) => "SIGSEGV",
        Some(Signal::TRAP) => "SIGTRAP",
        Some(Signal::USR1) => "SIGUSR1",
        _ => "another signal",
    }
}
