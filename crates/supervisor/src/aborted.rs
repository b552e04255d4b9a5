//! Ending a worker so that it tells where it was: by SIGABRT, for which its handler leaves the stack, and by SIGKILL when that does not end it.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::end::End;
use crate::hearing::hears;
use crate::turn::{Aborted, LONGEST, LOOK, Turn};
use crate::worker::{KILL_GRACE, Shared, Worker};

/// How long a worker may take to die of SIGABRT before SIGKILL follows. Time in which it waits for its turn on a CPU is not part of that.
pub(crate) const ABORT_GRACE: Duration = Duration::from_millis(20);

/// The same of one that has that blocked on all of its threads, or ignores it, as it was sent: they may have had it blocked for a moment.
const DEAF_GRACE: Duration = Duration::from_millis(2);

impl Worker {
    /// Kills it and waits for its end: first SIGABRT, for the record of where it was, then SIGKILL.
    pub fn kill(&self) -> Option<End> {
        self.shared.kill()
    }

    /// How much longer a worker is to be left alone that was told to [abort](crate::Ending::Abort), and has had the time for that; `None` where it is to be
    /// killed. Asked again when that time is over.
    pub fn aborts_yet(&self) -> Option<Duration> {
        self.shared.aborts_yet()
    }
}

impl Shared {
    /// As [`Worker::kill`].
    pub(crate) fn kill(&self) -> Option<End> {
        let mut grace = Some(self.abort());
        while let Some(patience) = grace {
            let ended = self.wait_end(patience);
            if ended.is_some() {
                return ended;
            }
            grace = self.aborts_yet();
        }
        self.signal(Signal::KILL);
        self.wait_end(KILL_GRACE)
    }

    /// Sends SIGABRT. Comes with how long it may take to end by that.
    pub(crate) fn abort(&self) -> Duration {
        // Before it is sent: whoever handles it has it blocked meanwhile.
        let grace = if self.hears_abort() { ABORT_GRACE } else { DEAF_GRACE };
        let send = || self.signal(Signal::ABORT);
        let thread = match self.process.get() {
            Some((pid, _)) => Turn::of(*pid, Signal::ABORT, send),
            None => {
                send();
                None
            }
        };
        let aborted = Aborted { at: Instant::now(), grace, thread };
        self.state.lock().aborted.get_or_insert(aborted);
        grace
    }

    /// As [`Worker::aborts_yet`].
    pub(crate) fn aborts_yet(&self) -> Option<Duration> {
        let Aborted { at, grace, thread } = self.state.lock().aborted?;
        let waited = at.elapsed();
        // Somebody had it blocked for a moment.
        if grace < ABORT_GRACE && waited < ABORT_GRACE {
            return self.hears_abort().then(|| ABORT_GRACE.saturating_sub(waited));
        }
        let waits = waited < LONGEST && thread.is_some_and(|thread| thread.is_waited_for());
        waits.then_some(LOOK)
    }

    fn hears_abort(&self) -> bool {
        self.process.get().is_none_or(|(pid, _)| hears(*pid, Signal::ABORT))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::{Command, Stdio};
    use std::thread;

    use super::*;
    use crate::unheard::tests::{child, worker};

    /// A watchdog, not an expectation.
    const PATIENCE: Duration = Duration::from_secs(60);

    #[test]
    fn one_that_handles_the_signal_and_goes_on_is_killed_in_time() {
        let script = "trap : ABRT; while :; do :; done";
        let mut child = Command::new("sh").args(["-c", script]).stdin(Stdio::null()).spawn().unwrap();
        let began = Instant::now();
        let handles = || {
            let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
            let caught =
                status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap().trim().to_owned();
            u64::from_str_radix(&caught, 16).unwrap() & 1 << (Signal::ABORT.as_raw() - 1) != 0
        };
        while !handles() {
            assert!(began.elapsed() < PATIENCE, "it never handles it");
            thread::sleep(Duration::from_millis(1));
        }
        let worker = worker(&child);
        assert_eq!(worker.aborts_yet(), None, "it was not told");
        assert_eq!(worker.abort(), ABORT_GRACE);
        thread::sleep(ABORT_GRACE);
        // It has run for longer than the handler of a worker, or was not let for as long as is waited for.
        while worker.aborts_yet().is_some() {
            assert!(began.elapsed() < PATIENCE, "it is waited for without end");
            thread::sleep(LOOK);
        }
        assert!(child.try_wait().unwrap().is_none(), "it goes on");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn one_that_is_asleep_and_hears_nothing_has_a_moment() {
        let script = "trap '' ABRT; exec sleep 60";
        let mut deaf = Command::new("sh").args(["-c", script]).stdin(Stdio::null()).spawn().unwrap();
        let began = Instant::now();
        while hears(deaf.id(), Signal::ABORT) {
            assert!(began.elapsed() < PATIENCE, "it never ignores it");
            thread::sleep(Duration::from_millis(1));
        }
        let worker = worker(&deaf);
        assert_eq!((worker.abort(), worker.aborts_yet()), (DEAF_GRACE, None));
        deaf.kill().unwrap();
        deaf.wait().unwrap();
    }

    #[test]
    fn one_that_dies_of_it_is_waited_for_no_longer() {
        let mut child = child();
        let worker = worker(&child);
        worker.abort();
        child.wait().unwrap();
        thread::sleep(ABORT_GRACE);
        assert_eq!(worker.aborts_yet(), None);
    }
}
