//! A process that reads, as its caller sees it.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, WaitIdStatus, pidfd_open, pidfd_send_signal, waitid,
};

use super::limits::Limits;
use super::wire::{Hello, LONGEST};
use super::words::{End, Fault};
use super::{COMMAND, program};
use crate::error::{Error, ErrorKind};

/// How often time and memory are looked at.
const TICK: Duration = Duration::from_millis(50);

/// How long one that has closed its connection may take to end.
const GRACE: Duration = Duration::from_secs(2);

/// Most bytes that are kept of what it prints: the last ones.
const PRINTED: usize = 4096;

/// A process, its connection, and what it printed.
#[derive(Debug)]
pub(super) struct Running {
    program: PathBuf,
    pid: u32,
    /// This very process, whatever becomes of the number.
    pidfd: OwnedFd,
    /// `None` once it was closed.
    printing: Option<ChildStderr>,
    stream: UnixStream,
    /// What came and was not taken.
    received: Vec<u8>,
    printed: Vec<u8>,
    greeted: bool,
}

impl Running {
    /// Starts one.
    pub(super) fn start() -> Result<Running, Error> {
        let program = program::find()?;
        let failed = |error: io::Error| {
            let message = format!("{}, which reads headers, cannot be started: {error}", program.display());
            Error::new(ErrorKind::ReaderMissing, message)
        };
        let (stream, theirs) = UnixStream::pair().map_err(failed)?;
        stream.set_nonblocking(true).map_err(failed)?;
        let both = theirs.try_clone().map_err(failed)?;
        let mut command = Command::new(&program);
        command
            .arg(COMMAND)
            .stdin(OwnedFd::from(theirs))
            .stdout(OwnedFd::from(both))
            .stderr(Stdio::piped())
            // Its own threads have stacks of 8 MiB, and what it survives it goes on from with less memory than it believes.
            .env("LIBCLANG_NOTHREADS", "1")
            .env("LIBCLANG_DISABLE_CRASH_RECOVERY", "1");
        let mut child = command.spawn().map_err(failed)?;
        let pid = child.id();
        let pidfd = Pid::from_raw(pid.cast_signed()).ok_or(Errno::SRCH);
        let pidfd = pidfd.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()));
        let pidfd = pidfd.map_err(|error| failed(error.into()))?;
        // They hold the other end of the connection.
        drop(command);
        let printing = child.stderr.take();
        Ok(Running {
            program,
            pid,
            pidfd,
            printing,
            stream,
            received: Vec::new(),
            printed: Vec::new(),
            greeted: false,
        })
    }

    /// Sends a line, and waits for one.
    pub(super) fn ask(&mut self, request: &[u8], limits: &Limits) -> Result<Vec<u8>, Fault> {
        let mut left = request;
        let mut watch = Watch { spent: Duration::ZERO, last: Instant::now() };
        let mut searched = 0;
        loop {
            let is_over = self.turn(&mut left).map_err(Fault::Io)?;
            while let Some(end) = self.received[searched..].iter().position(|byte| *byte == b'\n') {
                let rest = self.received.split_off(searched + end + 1);
                let line = std::mem::replace(&mut self.received, rest);
                searched = 0;
                if self.greeted {
                    return Ok(line);
                }
                self.greet(&line)?;
            }
            searched = self.received.len();
            if searched > LONGEST {
                return Err(Fault::Long);
            }
            if is_over {
                return Err(self.end());
            }
            self.look(&mut watch, limits)?;
        }
    }

    fn greet(&mut self, line: &[u8]) -> Result<(), Fault> {
        let program = || self.program.display().to_string();
        let Ok(Hello { hotcell }) = serde_json::from_slice(line) else {
            return Err(Fault::NoHello { program: program(), said: String::from_utf8_lossy(line).into() });
        };
        if hotcell != Hello::own().hotcell {
            return Err(Fault::Version { program: program(), version: hotcell.escape_debug().to_string() });
        }
        self.greeted = true;
        Ok(())
    }

    /// Waits for a moment, and sends and takes what can be. Whether the connection is at its end.
    fn turn(&mut self, left: &mut &[u8]) -> io::Result<bool> {
        let wanted = if left.is_empty() { PollFlags::IN } else { PollFlags::IN | PollFlags::OUT };
        let mut places = vec![PollFd::new(&self.stream, wanted)];
        places.extend(
            self.printing.iter().map(|printing| PollFd::from_borrowed_fd(printing.as_fd(), PollFlags::IN)),
        );
        let tick = Timespec { tv_sec: 0, tv_nsec: TICK.as_nanos() as i64 };
        match poll(&mut places, Some(&tick)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let stream = places[0].revents();
        let prints = places.get(1).is_some_and(|place| !place.revents().is_empty());
        if prints {
            self.hear()?;
        }
        if stream.contains(PollFlags::OUT) && !left.is_empty() {
            match self.stream.write(left) {
                Ok(sent) => *left = &left[sent..],
                Err(error) if is_for_now(&error) => {}
                // It has gone: what it said before is to be read.
                Err(_) => *left = &[],
            }
        }
        let mut buffer = [0; 1 << 16];
        while stream.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR) {
            match self.stream.read(&mut buffer) {
                Ok(0) => return Ok(true),
                Ok(count) => self.received.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Ok(true),
            }
            if self.received.len() > LONGEST {
                break;
            }
        }
        Ok(false)
    }

    /// Takes what it printed, which does not block: something is there, or the end.
    fn hear(&mut self) -> io::Result<()> {
        let Some(printing) = &mut self.printing else { return Ok(()) };
        let mut buffer = [0; 4096];
        match printing.read(&mut buffer) {
            Ok(0) => self.printing = None,
            Ok(count) => {
                self.printed.extend_from_slice(&buffer[..count]);
                let more = self.printed.len().saturating_sub(PRINTED);
                self.printed.drain(..more);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Looks at time and memory, when it is time.
    fn look(&mut self, watch: &mut Watch, limits: &Limits) -> Result<(), Fault> {
        let elapsed = watch.last.elapsed();
        if elapsed < TICK {
            return Ok(());
        }
        watch.last = Instant::now();
        // More than that passes where this process was stopped, and that one with it.
        watch.spent += elapsed.min(TICK * 10);
        if self.memory().is_some_and(|bytes| bytes > limits.memory) {
            return Err(Fault::Big);
        }
        if watch.spent > limits.time { Err(Fault::Slow) } else { Ok(()) }
    }

    /// Bytes of memory that it has in use.
    fn memory(&self) -> Option<u64> {
        let pages = std::fs::read_to_string(format!("/proc/{}/statm", self.pid)).ok()?;
        let pages: u64 = pages.split(' ').nth(1)?.parse().ok()?;
        Some(pages * rustix::param::page_size() as u64)
    }

    /// Why the connection is at its end.
    fn end(&mut self) -> Fault {
        let Some(end) = self.wait() else { return Fault::Silent };
        while self.has_printed() && self.hear().is_ok() {}
        let said = String::from_utf8_lossy(&self.printed).into_owned();
        match end {
            End::Exit(_) if !self.greeted => {
                Fault::NoHello { program: self.program.display().to_string(), said }
            }
            end => Fault::Ended { end, said },
        }
    }

    fn has_printed(&self) -> bool {
        let Some(printing) = &self.printing else { return false };
        let mut places = [PollFd::from_borrowed_fd(printing.as_fd(), PollFlags::IN)];
        poll(&mut places, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok_and(|ready| ready > 0)
    }

    /// How it ended, once it has; nothing when it does not end.
    fn wait(&mut self) -> Option<End> {
        let begun = Instant::now();
        loop {
            match waitid(WaitId::PidFd(self.pidfd.as_fd()), WaitIdOptions::EXITED | WaitIdOptions::NOHANG) {
                Ok(Some(status)) => return Some(end(&status)),
                Ok(None) if begun.elapsed() < GRACE => std::thread::sleep(Duration::from_millis(1)),
                Ok(None) => return None,
                Err(Errno::INTR) => {}
                // The caller's own `waitpid` has taken it.
                Err(_) => return Some(End::Unknown),
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has nothing to finish.
        let _ = pidfd_send_signal(&self.pidfd, Signal::KILL);
        while let Err(Errno::INTR) = waitid(WaitId::PidFd(self.pidfd.as_fd()), WaitIdOptions::EXITED) {}
    }
}

fn end(status: &WaitIdStatus) -> End {
    let exited = status.exit_status().map(End::Exit);
    exited.or(status.terminating_signal().map(End::Signal)).unwrap_or(End::Unknown)
}

/// What a job has taken of time.
struct Watch {
    spent: Duration,
    last: Instant,
}

fn is_for_now(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
