//! Workers that could not be told something: they are ended. Of one that is dying by then, that is not why it ended.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::aborted::ABORT_GRACE;
use crate::worker::{KILL_GRACE, Shared};

/// The rule that a worker breaks which cannot be told anything.
pub(crate) const UNHEARD: &str = "it does not read its control socket";

/// How long such a worker may take to be found dead.
pub(crate) const PATIENCE: Duration = ABORT_GRACE;

/// A thread that is on its way out, in the flags that the kernel tells of it. The descriptors of a process are closed when all are.
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

    /// Kills it. Does not wait.
    pub(crate) fn condemn_unheard(&self) {
        match self.is_dying() {
            true => self.finish_off(),
            false => self.condemn(UNHEARD),
        }
    }

    /// Kills one that is dying, as far as can be seen: that is not why it ends.
    pub(crate) fn finish_off(&self) {
        self.send(Signal::KILL);
    }

    /// Whether its process is on its way out, though nobody has told of its end yet: a busy machine takes a while for that.
    pub(crate) fn is_dying(&self) -> bool {
        let Some((pid, _)) = self.process.get() else { return false };
        // Not of another process: until its end is told, the number is nobody else's.
        self.has_ended() || is_exiting(*pid) && self.state.lock().end.is_none()
    }
}

fn is_exiting(pid: u32) -> bool {
    are_exiting(Path::new(&format!("/proc/{pid}/task")))
}

/// Whether all threads are on their way out, of which there is one at least: the first may have ended before the others.
fn are_exiting(threads: &Path) -> bool {
    let threads = fs::read_dir(threads).into_iter().flatten().flatten();
    // Those that have ended meanwhile have no text any more.
    let stats = threads.filter_map(|thread| fs::read(thread.path().join("stat")).ok());
    let mut flags = stats.map(|stat| flags(&String::from_utf8_lossy(&stat)).unwrap_or_default()).peekable();
    flags.peek().is_some() && flags.all(|flags| flags & PF_EXITING != 0)
}

/// The flags of a thread, of a text of its `stat`. Its name may have anything in it.
fn flags(stat: &str) -> Option<u64> {
    let (_, behind) = stat.rsplit_once(')')?;
    behind.split_whitespace().nth(6)?.parse().ok()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::os::unix::process::{CommandExt, ExitStatusExt};
    use std::process::{Child, Command, Stdio};
    use std::sync::atomic::AtomicBool;
    use std::sync::{Arc, OnceLock};
    use std::thread;

    use hotcell_sandbox::Limits;
    use hotcell_shm::control::ControlSocket;
    use hotcell_shm::lock::Mutex;
    use hotcell_shm::{HeapSegment, HostChannel};
    use rustix::process::{Pid, PidfdFlags, pidfd_open};

    use super::*;
    use crate::changed::Changed;
    use crate::end::Sent;

    /// A worker with this process, and nobody who watches it.
    pub(crate) fn worker(child: &Child) -> Shared {
        let pid = Pid::from_raw(child.id().cast_signed()).unwrap();
        let pidfd = pidfd_open(pid, PidfdFlags::empty()).unwrap();
        Shared {
            channel: HostChannel::create(1, 1, 1).unwrap(),
            heap: Arc::new(HeapSegment::create(1, None).unwrap().1),
            control: ControlSocket::pair().unwrap().0,
            worker_end: Mutex::default(),
            process: OnceLock::from((child.id(), pidfd)),
            own_namespaces: AtomicBool::default(),
            state: Mutex::default(),
            condemned: AtomicBool::default(),
            retired: AtomicBool::default(),
            changed: Changed::default(),
            output: Mutex::default(),
            limits: Limits::default(),
            sandbox: Arc::default(),
            generation: 1,
            offered: None,
            loaded: OnceLock::new(),
            examined: OnceLock::new(),
            hears: None,
        }
    }

    /// A process that does nothing, in a group of its own.
    pub(crate) fn child() -> Child {
        Command::new("cat").stdin(Stdio::piped()).process_group(0).spawn().unwrap()
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
        assert_eq!((&state.violation, state.killed_by_host, state.sent), (&None, false, Sent::default()));
        child.wait().unwrap();
    }

    #[test]
    fn one_that_only_seems_to_die_is_killed_without_that_reason() {
        let mut child = child();
        let worker = worker(&child);
        worker.finish_off();
        assert_eq!(child.wait().unwrap().signal(), Some(Signal::KILL.as_raw()));
        assert_eq!(worker.state.lock().violation, None);
    }

    #[test]
    fn a_process_dies_when_all_of_its_threads_do() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!are_exiting(folder.path()));
        let thread = |id: &str, flags: u64| {
            let thread = folder.path().join(id);
            fs::create_dir_all(&thread).unwrap();
            fs::write(thread.join("stat"), format!("{id} (a) Z 1 2 3 0 -1 {flags} 9 9")).unwrap();
        };
        thread("7", PF_EXITING);
        assert!(are_exiting(folder.path()));
        // The first has ended, and others run.
        thread("8", 0);
        assert!(!are_exiting(folder.path()));
        thread("8", PF_EXITING | 64);
        assert!(are_exiting(folder.path()));
        fs::write(folder.path().join("8/stat"), "8 (a").unwrap();
        assert!(!are_exiting(folder.path()));
    }

    #[test]
    fn one_that_lives_is() {
        let mut child = child();
        let worker = worker(&child);
        worker.condemn_unheard();
        let state = worker.state.lock();
        assert_eq!((state.violation.as_deref(), state.killed_by_host), (Some(UNHEARD), true));
        assert_eq!(state.sent, Sent { abort: false, kill: true });
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
