//! A process that reads, as its caller sees it.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, WaitIdStatus, pidfd_open, pidfd_send_signal, waitid,
};

use super::limits::{Limits, STACK};
use super::wire::{Hello, LONGEST};
use super::words::{End, Fault, cut, is_out_of_memory};
use super::{COMMAND, program};
use crate::error::{Error, ErrorKind};

/// How often time and memory are looked at.
const TICK: Duration = Duration::from_millis(50);

/// How long one that has closed its connection may take to end.
const GRACE: Duration = Duration::from_secs(5);

/// How long one that is killed may take to end: its memory is given back first.
const DYING: Duration = Duration::from_secs(30);

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
    /// The number of the last request.
    number: u64,
    /// Bytes of the parser's stack, as it says.
    stack: u64,
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
        let mut command = Command::new(&program);
        command
            .arg(COMMAND)
            // Both ways: its standard input is the caller's, which a header may be.
            .stdout(OwnedFd::from(theirs))
            .stderr(Stdio::piped())
            // Its own threads have stacks of 8 MiB, and what it survives it goes on from with less memory than it believes.
            .env("LIBCLANG_NOTHREADS", "1")
            .env("LIBCLANG_DISABLE_CRASH_RECOVERY", "1");
        let mut child = command.spawn().map_err(failed)?;
        let pid = child.id();
        let pidfd = held(&mut child, |pid| pidfd_open(pid, PidfdFlags::empty()))
            .map_err(|error| failed(error.into()))?;
        // It holds the other end of the connection.
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
            number: 0,
            stack: STACK as u64,
        })
    }

    /// Whether it is gone: who is not asked for long may be ended meanwhile.
    pub(super) fn has_ended(&self) -> bool {
        self.ends_within(Duration::ZERO)
    }

    /// A number for the next request, from 1.
    pub(super) fn number(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    /// Sends a line, and waits for one. What it takes of time is added to `spent`, which has a limit.
    pub(super) fn ask(
        &mut self,
        request: &[u8],
        limits: &Limits,
        spent: &mut Duration,
    ) -> Result<Vec<u8>, Fault> {
        let mut watch = Watch { spent, last: Instant::now() };
        if !self.greeted {
            let hello = self.line(&[], &mut watch, limits)?;
            self.greet(&hello)?;
        }
        // What it has said before it was asked is no answer.
        self.turn(&mut &[][..], Duration::ZERO).map_err(Fault::Io)?;
        self.has_nothing_more()?;
        let line = self.line(request, &mut watch, limits)?;
        self.has_nothing_more()?;
        Ok(line)
    }

    /// Sends these bytes, and takes one line.
    fn line(&mut self, request: &[u8], watch: &mut Watch<'_>, limits: &Limits) -> Result<Vec<u8>, Fault> {
        let mut left = request;
        let mut searched = 0;
        loop {
            let is_over = self.turn(&mut left, TICK).map_err(Fault::Io)?;
            if let Some(end) = self.received[searched..].iter().position(|byte| *byte == b'\n') {
                let rest = self.received.split_off(searched + end + 1);
                return Ok(std::mem::replace(&mut self.received, rest));
            }
            searched = self.received.len();
            if searched > LONGEST {
                return Err(Fault::Long);
            }
            if is_over {
                return Err(self.end(limits));
            }
            self.look(watch, limits)?;
        }
    }

    fn has_nothing_more(&self) -> Result<(), Fault> {
        if self.received.is_empty() { Ok(()) } else { Err(Fault::Unasked) }
    }

    fn greet(&mut self, line: &[u8]) -> Result<(), Fault> {
        let program = || self.program.display().to_string();
        let Ok(Hello { hotcell, form, stack }) = serde_json::from_slice(line) else {
            return Err(Fault::NoHello {
                program: program(),
                said: String::from_utf8_lossy(&line[..line.len().min(PRINTED)]).into(),
            });
        };
        if hotcell != Hello::own().hotcell {
            return Err(Fault::Version { program: program(), version: cut(&hotcell, 40) });
        }
        if form != Hello::own().form {
            return Err(Fault::Version {
                program: program(),
                version: format!("{hotcell} of another build"),
            });
        }
        self.stack = stack;
        self.greeted = true;
        Ok(())
    }

    /// Waits for so long at most, and sends and takes what can be. Whether there is nothing more to come: the connection is at its end, or
    /// the process is, whoever else holds the connection.
    fn turn(&mut self, left: &mut &[u8], most: Duration) -> io::Result<bool> {
        let wanted = if left.is_empty() { PollFlags::IN } else { PollFlags::IN | PollFlags::OUT };
        let mut places = vec![PollFd::new(&self.stream, wanted), PollFd::new(&self.pidfd, PollFlags::IN)];
        places.extend(
            self.printing.iter().map(|printing| PollFd::from_borrowed_fd(printing.as_fd(), PollFlags::IN)),
        );
        let most = Timespec { tv_sec: 0, tv_nsec: i64::from(most.subsec_nanos()) };
        match poll(&mut places, Some(&most)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let (mut stream, has_ended) = (places[0].revents(), !places[1].revents().is_empty());
        if has_ended {
            // What it said before it ended is there to be read.
            stream |= PollFlags::IN;
        }
        let prints = places.get(2).is_some_and(|place| !place.revents().is_empty());
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
        Ok(has_ended)
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
    fn look(&mut self, watch: &mut Watch<'_>, limits: &Limits) -> Result<(), Fault> {
        if watch.last.elapsed() < TICK {
            return Ok(());
        }
        watch.count();
        if self.memory().is_some_and(|bytes| bytes > limits.memory) {
            return Err(Fault::Big);
        }
        if *watch.spent > limits.time { Err(Fault::Slow) } else { Ok(()) }
    }

    /// Bytes of memory that it has in use.
    fn memory(&self) -> Option<u64> {
        let pages = std::fs::read_to_string(format!("/proc/{}/statm", self.pid)).ok()?;
        let pages: u64 = pages.split(' ').nth(1)?.parse().ok()?;
        Some(pages * rustix::param::page_size() as u64)
    }

    /// Why the connection is at its end.
    fn end(&mut self, limits: &Limits) -> Fault {
        let Some(end) = self.wait(GRACE) else { return Fault::Silent };
        // Somebody else may go on printing.
        for _ in 0..64 {
            if !self.has_printed() || self.hear().is_err() {
                break;
            }
        }
        let said = String::from_utf8_lossy(&self.printed).into_owned();
        match end {
            End::Exit(_) if !self.greeted => {
                Fault::NoHello { program: self.program.display().to_string(), said }
            }
            // The bound of the system, which holds though this process is not looking.
            End::Signal(_) if is_out_of_memory(&said) && limits.is_narrowest() => Fault::Big,
            end => Fault::Ended { end, said, stack: self.stack },
        }
    }

    fn has_printed(&self) -> bool {
        let Some(printing) = &self.printing else { return false };
        let mut places = [PollFd::from_borrowed_fd(printing.as_fd(), PollFlags::IN)];
        poll(&mut places, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok_and(|ready| ready > 0)
    }

    /// How it ended, once it has; nothing when it does not end in so long.
    fn wait(&mut self, most: Duration) -> Option<End> {
        if !self.ends_within(most) {
            return None;
        }
        loop {
            match waitid(WaitId::PidFd(self.pidfd.as_fd()), WaitIdOptions::EXITED | WaitIdOptions::NOHANG) {
                Ok(status) => return status.map(|status| end(&status)),
                Err(Errno::INTR) => {}
                // The caller's own `waitpid` has taken it.
                Err(_) => return Some(End::Unknown),
            }
        }
    }

    fn ends_within(&self, most: Duration) -> bool {
        let begun = Instant::now();
        loop {
            let left = most.saturating_sub(begun.elapsed());
            let left = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() };
            match poll(&mut [PollFd::new(&self.pidfd, PollFlags::IN)], Some(&left)) {
                Ok(ready) => return ready > 0,
                Err(Errno::INTR) => {}
                Err(_) => return false,
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has nothing to finish, and nobody to speak to where it cannot be killed.
        let _ = self.stream.shutdown(Shutdown::Both);
        let _ = pidfd_send_signal(&self.pidfd, Signal::KILL);
        let _ = self.wait(DYING);
    }
}

/// What holds a child that was just started, or no child.
fn held(
    child: &mut Child,
    open: impl FnOnce(Pid) -> rustix::io::Result<OwnedFd>,
) -> rustix::io::Result<OwnedFd> {
    let pid = Pid::from_raw(child.id().cast_signed()).ok_or(Errno::SRCH);
    pid.and_then(open).inspect_err(|_| {
        let _ = child.kill();
        let _ = child.wait();
    })
}

fn end(status: &WaitIdStatus) -> End {
    let exited = status.exit_status().map(End::Exit);
    exited.or(status.terminating_signal().map(End::Signal)).unwrap_or(End::Unknown)
}

/// What jobs have taken of time.
struct Watch<'a> {
    spent: &'a mut Duration,
    last: Instant,
}

impl Watch<'_> {
    /// Counts what has passed since it was counted last.
    fn count(&mut self) {
        // More than that passes where this process was stopped, and that one with it.
        *self.spent += self.last.elapsed().min(TICK * 10);
        self.last = Instant::now();
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.count();
    }
}

fn is_for_now(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod tests {
    use super::*;

    #[test]
    fn who_cannot_be_held_is_not_left() {
        let mut child = Command::new("sleep").arg("600").spawn().unwrap();
        let pid = child.id();
        held(&mut child, |_| Err(Errno::MFILE)).unwrap_err();
        assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
    }

    /// One whose reader is this script, and which is ended behind it.
    fn running(script: &str) -> Running {
        let (stream, theirs) = UnixStream::pair().unwrap();
        stream.set_nonblocking(true).unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdout(OwnedFd::from(theirs)).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(command);
        let pidfd = held(&mut child, |pid| pidfd_open(pid, PidfdFlags::empty())).unwrap();
        let printing = child.stderr.take();
        let (received, printed) = (Vec::new(), Vec::new());
        let (program, pid, greeted, number, stack) = ("sh".into(), child.id(), true, 0, 0);
        Running { program, pid, pidfd, printing, stream, received, printed, greeted, number, stack }
    }

    /// Far longer than what is waited for takes, and less than who holds a connection holds it.
    const LONG: Duration = Duration::from_secs(60);

    fn ask(running: &mut Running) -> Result<Vec<u8>, Fault> {
        running.ask(b"job\n", &Limits { time: LONG, ..Limits::default() }, &mut Duration::default())
    }

    #[test]
    fn a_line_that_nobody_asked_for_is_no_answer() {
        let mut one = running("read job <&1; printf 'a\\nb\\n' >&1; exec sleep 600");
        assert!(matches!(ask(&mut one), Err(Fault::Unasked)));
        let folder = tempfile::tempdir().unwrap();
        let go = folder.path().join("go");
        let until = format!("until [ -e '{}' ]; do sleep 0.01; done", go.display());
        let mut one = running(&format!("read job <&1; echo a; {until}; echo b; echo b >&2; exec sleep 600"));
        assert_eq!(ask(&mut one).unwrap(), b"a\n");
        std::fs::write(&go, "").unwrap();
        // Until it has said more.
        while one.printed.len() < 2 {
            one.hear().unwrap();
        }
        assert!(matches!(ask(&mut one), Err(Fault::Unasked)));
    }

    #[test]
    fn an_end_is_seen_whoever_holds_the_connection() {
        let mut one = running("sleep 90 & read job <&1; kill -SEGV $$");
        let fault = ask(&mut one).unwrap_err();
        assert!(matches!(fault, Fault::Ended { end: End::Signal(11), .. }), "{fault:?}");
        // The answer comes before the end.
        let mut one = running("sleep 90 & read job <&1; echo a");
        assert_eq!(ask(&mut one).unwrap(), b"a\n");
        assert!(matches!(ask(&mut one), Err(Fault::Ended { end: End::Exit(0), .. })));
        assert!(one.has_ended());
    }

    #[test]
    fn an_end_for_want_of_memory_is_told_as_that_where_nobody_but_its_own_bound_gives_less() {
        let mut one = running("read job <&1; echo 'LLVM ERROR: out of memory' >&2; kill -ABRT $$");
        match ask(&mut one).unwrap_err() {
            Fault::Big => assert!(Limits::default().is_narrowest()),
            Fault::Ended { end: End::Signal(6), .. } => assert!(!Limits::default().is_narrowest()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn time_is_counted_to_the_answer_and_over_all_of_a_jobs_questions() {
        let limits = Limits { time: LONG, ..Limits::default() };
        let mut spent = Duration::ZERO;
        // Less than what is counted at a time.
        let mut one =
            running("read job <&1; sleep 0.02; echo a; read job <&1; sleep 90; echo b; exec sleep 600");
        assert_eq!(one.ask(b"job\n", &limits, &mut spent).unwrap(), b"a\n");
        assert!(spent >= Duration::from_millis(10), "{spent:?}");
        let mut spent = LONG;
        assert!(matches!(one.ask(b"job\n", &limits, &mut spent), Err(Fault::Slow)));
    }
}
