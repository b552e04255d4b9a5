//! Workers that could not be told something: those that have closed their control socket or do not read it are ended, and
//! those that are dying are left to die, for that is not why they end.

use std::fs;
use std::time::{Duration, Instant};

use crate::worker::{ABORT_GRACE, KILL_GRACE, Shared};

/// The rule that a worker breaks which cannot be told anything.
const UNHEARD: &str = "it does not read its control socket";

/// How long such a worker may take to be found dead.
pub(crate) const PATIENCE: Duration = ABORT_GRACE;

/// A process that is on its way out, in the flags that the kernel tells of it. Its descriptors are closed behind that.
const PF_EXITING: u64 = 4;

impl Shared {
    /// Waits for the end of a worker that could not be sent something, and sees to it.
    pub(crate) fn end_unheard(&self) {
        if self.wait_end(PATIENCE).is_none() {
            self.condemn_unheard();
            self.wait_end(KILL_GRACE);
        }
    }

    /// As [`Shared::end_unheard`], without waiting: to be asked again.
    pub(crate) fn end_unheard_later(&self) {
        let now = Instant::now();
        let since = *self.state.lock().unheard.get_or_insert(now);
        if now.saturating_duration_since(since) >= PATIENCE {
            self.condemn_unheard();
        }
    }

    /// Kills it, unless it is dying. Does not wait.
    pub(crate) fn condemn_unheard(&self) {
        if !self.is_dying() {
            self.condemn(UNHEARD);
        }
    }

    /// Whether its process is on its way out, though nobody has told of its end yet: a busy machine takes a while for that.
    pub(crate) fn is_dying(&self) -> bool {
        let Some((pid, _)) = self.process.get() else { return false };
        // Not of another process: until its end is told, the number is nobody else's.
        self.has_ended() || is_exiting(*pid) && self.state.lock().end.is_none()
    }
}

fn is_exiting(pid: u32) -> bool {
    let stat = fs::read(format!("/proc/{pid}/stat")).unwrap_or_default();
    flags(&String::from_utf8_lossy(&stat)).is_some_and(|flags| flags & PF_EXITING != 0)
}

/// The flags of a process, of a text of `/proc/PID/stat`. Its name may have anything in it.
fn flags(stat: &str) -> Option<u64> {
    let (_, behind) = stat.rsplit_once(')')?;
    behind.split_whitespace().nth(6)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command, Stdio};
    use std::sync::atomic::AtomicBool;
    use std::sync::{Arc, OnceLock};
    use std::thread;

    use hotcell_sandbox::Limits;
    use hotcell_shm::control::ControlSocket;
    use hotcell_shm::{HeapSegment, HostChannel};
    use parking_lot::Mutex;
    use rustix::process::{Pid, PidfdFlags, pidfd_open};

    use super::*;
    use crate::changed::Changed;

    /// A worker with this process, and nobody who watches it.
    fn worker(child: &Child) -> Shared {
        let pid = Pid::from_raw(child.id().cast_signed()).unwrap();
        let pidfd = pidfd_open(pid, PidfdFlags::empty()).unwrap();
        Shared {
            channel: HostChannel::create(1, 1, 1).unwrap(),
            heap: Arc::new(HeapSegment::create(1, None).unwrap().1),
            control: ControlSocket::pair().unwrap().0,
            worker_end: Mutex::default(),
            process: OnceLock::from((child.id(), pidfd)),
            state: Mutex::default(),
            condemned: AtomicBool::default(),
            retired: AtomicBool::default(),
            changed: Changed::default(),
            output: Mutex::default(),
            limits: Limits::default(),
            generation: 1,
            offered: None,
            hears: None,
        }
    }

    fn child() -> Child {
        Command::new("cat").stdin(Stdio::piped()).spawn().unwrap()
    }

    fn dies(child: &Child) {
        // A watchdog: the kernel ends it when it gets to that.
        let patience = Instant::now() + Duration::from_secs(60);
        while !is_exiting(child.id()) {
            assert!(Instant::now() < patience, "the process does not die");
            thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn a_worker_that_is_dying_is_not_ended_for_what_it_does_not_hear() {
        let mut child = child();
        let worker = worker(&child);
        child.kill().unwrap();
        dies(&child);
        worker.condemn_unheard();
        let state = worker.state.lock();
        assert_eq!((&state.violation, state.killed_by_host), (&None, false));
        child.wait().unwrap();
    }

    #[test]
    fn one_that_lives_is() {
        let mut child = child();
        let worker = worker(&child);
        worker.condemn_unheard();
        let state = worker.state.lock();
        assert_eq!((state.violation.as_deref(), state.killed_by_host), (Some(UNHEARD), true));
        child.wait().unwrap();
    }

    #[test]
    fn a_process_that_is_dying_is_told_from_one_that_lives() {
        assert!(!is_exiting(std::process::id()));
        let mut child = child();
        assert!(!is_exiting(child.id()));
        child.kill().unwrap();
        dies(&child);
        child.wait().unwrap();
        assert!(!is_exiting(child.id()));
    }

    #[test]
    fn flags_are_read_whatever_the_process_is_called() {
        assert_eq!(flags("7 (a) b) S 1 2 3 0 -1 4194564 9 9"), Some(4194564));
        for none in ["", "7 (a", "7 (a) S 1 2 3 0 -1", "7 (a) S 1 2 3 0 -1 x"] {
            assert_eq!(flags(none), None);
        }
    }
}
