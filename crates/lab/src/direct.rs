//! What happens today: the same C function in a program that calls it directly, and how that program ends.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use hotcell_faulty::DIRECT;
use rustix::fs::{MemfdFlags, Mode, OFlags, memfd_create};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, kill_process_group, waitpid};

use crate::leaks::descendants;
use crate::row::{self, End};
use crate::sys::ends_with_this;
use crate::via::Via;

/// Exit statuses of the program: see direct.c.
const LIVES: i32 = 77;
const WRONG: i32 = 78;

/// A program that has not ended so long after the fault hangs.
const HANG: Duration = Duration::from_millis(400);

/// A program that has to end is waited for that long; no measure of anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// Bytes of what it prints that are kept.
const KEPT: usize = 1 << 16;

/// The program.
#[derive(Debug)]
pub(crate) enum Program {
    /// In C, as a file in memory.
    C(OwnedFd),
    /// In another language: what starts it.
    Other(Via, Vec<OsString>),
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
        Ok(Program::C(file))
    }

    fn command(&self) -> Command {
        match self {
            Program::C(file) => Command::new(format!("/proc/self/fd/{}", file.as_raw_fd())),
            Program::Other(_, words) => {
                let mut command = Command::new(&words[0]);
                command.args(&words[1..]);
                command
            }
        }
    }

    fn language(&self) -> Via {
        match self {
            Program::C(_) => Via::Rust,
            Program::Other(via, _) => *via,
        }
    }

    /// Runs a scenario.
    pub(crate) fn run(&self, direct: &row::Direct, words: &[String]) -> io::Result<Ended> {
        let before = descendants();
        let (wanted, says) = direct.ends(self.language());
        let is_seen = |output: &str, errors: &str| is_seen(direct, &says, output, errors);
        let mut command = self.command();
        command.args(words).envs(direct.variable).process_group(0);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = ends_with_this(&mut command).spawn()?;
        let group = Pid::from_child(&child);
        let output = child.stdout.take().map(Heard::of);
        let errors = child.stderr.take().map(Heard::of);
        let so_far = |heard: &Option<Heard>| heard.as_ref().map(Heard::so_far).unwrap_or_default();
        let (mut patience, mut begun) = (Instant::now() + PATIENCE, false);
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break Some(status);
            }
            if wanted == End::Hangs && !begun {
                begun = is_seen(&so_far(&output), &so_far(&errors));
                patience = Instant::now() + if begun { HANG } else { PATIENCE };
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
        let (output, errors) = (heard(output), heard(errors));
        let (end, told) = ended(status, !left.is_empty(), &output);
        let seen = is_seen(&output, &errors) && end == Some(wanted);
        Ok(Ended { refused: !seen && direct.where_allowed && end == Some(End::GoesOn), seen, end, told })
    }
}

/// Ends what a run has left behind: it descends from this process, which is told of its end.
fn end(pid: u32) {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return };
    let _ = kill_process(pid, Signal::KILL);
    let _ = waitpid(Some(pid), WaitOptions::empty());
}

/// What a program prints, while it does.
#[derive(Debug)]
struct Heard {
    /// The beginning of it.
    kept: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Heard {
    fn of(pipe: impl Read + Send + 'static) -> Heard {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let keeps = Arc::clone(&kept);
        Heard { kept, reader: thread::spawn(move || keep(pipe, &keeps)) }
    }

    fn so_far(&self) -> String {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&kept).into_owned()
    }
}

/// All of it, when nobody can print any more.
fn heard(from: Option<Heard>) -> String {
    let Some(Heard { kept, reader }) = from else { return String::new() };
    // Its thread does not panic; what was kept is there in any case.
    let _ = reader.join();
    let kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    String::from_utf8_lossy(&kept).into_owned()
}

/// The rest is read all the same, so that nobody waits.
fn keep(mut pipe: impl Read, keeps: &Mutex<Vec<u8>>) {
    let mut block = [0; 1 << 16];
    while let Ok(read @ 1..) = pipe.read(&mut block) {
        let mut kept = keeps.lock().unwrap_or_else(PoisonError::into_inner);
        let room = KEPT - kept.len();
        kept.extend_from_slice(&block[..read.min(room)]);
    }
}

/// Whether it has come to the fault, and said what it has to say.
fn is_seen(direct: &row::Direct, says: &[&str], output: &str, errors: &str) -> bool {
    // What its variable does to it comes before its first word.
    let began = output.starts_with("began\n") || direct.variable.is_some();
    began && says.iter().all(|text| output.contains(text) || errors.contains(text))
}

/// How it ended, and that in words.
fn ended(status: Option<ExitStatus>, leaves: bool, output: &str) -> (Option<End>, String) {
    let returned = output.lines().find_map(|line| line.strip_prefix("returned "));
    match status {
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
    }
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
