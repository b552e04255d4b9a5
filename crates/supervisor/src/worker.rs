//! A worker as its callers see it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use hotcell_protocol::wire::{self, LaneOpen, Packet, SegmentAdd};
use hotcell_sandbox::{Level, Limits, Sandbox};
use hotcell_shm::control::ControlSocket;
use hotcell_shm::lock::Mutex;
use hotcell_shm::{HeapSegment, HostChannel, Mapping, Seals, SegmentFile};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Signal, pidfd_send_signal};

use crate::cancel::Asked;
use crate::changed::Changed;
use crate::client::Offered;
use crate::end::{End, Hears, Report, Sent};
use crate::monitor::Monitor;
use crate::output::Tail;
use crate::stacks::Loaded;
use crate::turn::Aborted;
use crate::usage::{self, ThreadSeen, Usage};

/// How long a worker that was told to stop takes at most: it is killed before.
const STOP_PATIENCE: Duration = Duration::from_secs(7);

/// How long the kernel may take to end a killed process. Only a process stuck in the kernel takes longer.
pub(crate) const KILL_GRACE: Duration = Duration::from_secs(5);

/// A running or ended worker. Dropping it stops the worker.
#[derive(Debug)]
pub struct Worker {
    pub(crate) shared: Arc<Shared>,
    pub(crate) monitor: Arc<Monitor>,
    /// When its start has taken too long.
    pub(crate) start_until: Instant,
}

/// A worker as a thread sees it that does not keep it. Nothing here stops it by being dropped.
#[derive(Debug)]
pub struct WorkerRef(Arc<Shared>);

/// What callers and the monitor share of a worker.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) channel: Arc<HostChannel>,
    pub(crate) heap: Arc<HeapSegment>,
    pub(crate) control: ControlSocket,
    /// The worker's end of the control socket, until it is started.
    pub(crate) worker_end: Mutex<Option<OwnedFd>>,
    /// What the process was told that has the callers, where that is another.
    pub(crate) offered: Option<Offered>,
    pub(crate) process: OnceLock<(u32, OwnedFd)>,
    /// Whether it was started in namespaces of its own. Said before the process is known.
    pub(crate) own_namespaces: AtomicBool,
    /// What it had loaded when it came up.
    pub(crate) loaded: OnceLock<Arc<Loaded>>,
    pub(crate) state: Mutex<State>,
    /// It is to be killed, even if it does not run yet.
    pub(crate) condemned: AtomicBool,
    /// Nobody will call it any more.
    pub(crate) retired: AtomicBool,
    pub(crate) changed: Changed,
    pub(crate) output: Mutex<Tail>,
    pub(crate) limits: Limits,
    /// What it may do, as its user says it.
    pub(crate) sandbox: Arc<Sandbox>,
    /// Which worker of its session it is.
    pub(crate) generation: u64,
    pub(crate) hears: Option<Arc<dyn Hears>>,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) welcome: Option<wire::Welcome>,
    /// Segments the worker has mapped, by number.
    pub(crate) mapped: BTreeSet<u16>,
    /// Lanes that were to be opened, and what became of them: `errno`, once that is known.
    pub(crate) lanes: BTreeMap<u32, Option<i32>>,
    /// Calls that it was asked to stop last, by lane.
    pub(crate) cancels: BTreeMap<u32, Asked>,
    /// Segments that were offered: the next number to use.
    pub(crate) offered: u16,
    pub(crate) report: Option<Report>,
    pub(crate) violation: Option<String>,
    /// How many threads it was given, once it had more.
    pub(crate) too_many_threads: Option<u64>,
    /// How much its session may have in its directory for temporary files, once that had more.
    pub(crate) too_much_on_disk: Option<u64>,
    /// Whether that directory is being emptied: its end is not told before.
    pub(crate) is_emptied: bool,
    /// Whether its end is being told.
    pub(crate) is_buried: bool,
    pub(crate) killed_by_host: bool,
    /// Since when it is to end by SIGABRT.
    pub(crate) aborted: Option<Aborted>,
    /// What was sent to it for that, before it had ended.
    pub(crate) sent: Sent,
    pub(crate) end: Option<End>,
    /// Why there is no process.
    pub(crate) not_started: Option<io::Error>,
    /// Reports received: an honest worker sends one.
    pub(crate) reports: u32,
    /// Since when something could not be sent to it, for one who does not wait.
    pub(crate) unheard: Option<Instant>,
    /// Since when it owes the answer to a probe.
    pub(crate) owes: Option<Instant>,
    /// Whether the probe was sent.
    pub(crate) probed: bool,
}

/// Why no segment was added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SegmentError {
    /// The channel has as many as it may have.
    TooMany,
    /// This process, or the system, has no descriptor left for its file.
    NoDescriptor(Errno),
    /// The kernel refuses the memory.
    System(Errno),
    /// The worker ended meanwhile.
    WorkerEnded,
    /// The worker did not map it in time.
    DeadlinePassed,
}

/// Why a lane has no thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaneError {
    /// The worker could not make one.
    NoThread(Errno),
    /// The worker ended meanwhile.
    WorkerEnded,
    /// The worker did not say in time.
    DeadlinePassed,
}

impl Worker {
    /// Calls at a time that a worker can be given.
    pub const MOST_CALLERS: u32 = wire::MAX_LANES - 1;

    /// The channel to it.
    pub fn channel(&self) -> &Arc<HostChannel> {
        &self.shared.channel
    }

    /// What its library has of memory.
    pub fn heap(&self) -> &Arc<HeapSegment> {
        &self.shared.heap
    }

    /// Which worker of its session this is, from 1.
    pub fn generation(&self) -> u64 {
        self.shared.generation
    }

    /// Its process id, for display: by the time it is read the process may be gone.
    pub fn pid(&self) -> u32 {
        self.shared.process.get().map_or(0, |(pid, _)| *pid)
    }

    /// Whether it is up, or may come up yet. One that has ended is not, whether or not its end has been heard of.
    pub fn is_of_use(&self) -> bool {
        if self.shared.has_ended() {
            return false;
        }
        let state = self.shared.state.lock();
        let may_come_up = state.not_started.is_none() && Instant::now() < self.start_until;
        state.end.is_none() && (state.welcome.is_some() || may_come_up)
    }

    /// The restrictions it measured on itself, and what it was started with.
    pub fn level(&self) -> Level {
        self.level_of(self.shared.state.lock().welcome.map_or(0, |welcome| welcome.level))
    }

    /// With what it says of itself.
    pub(crate) fn level_of(&self, measured: u32) -> Level {
        Level::of_worker(measured, self.shared.own_namespaces.load(Ordering::Relaxed))
    }

    /// What host and worker agreed on, as the bits of `Capabilities`; 0 while it is not up.
    pub fn capabilities(&self) -> u64 {
        self.shared.state.lock().welcome.map_or(0, |welcome| welcome.capabilities)
    }

    /// How it ended, if it has.
    pub fn end(&self) -> Option<End> {
        self.shared.state.lock().end.clone()
    }

    /// What it printed last.
    pub fn output(&self) -> String {
        self.shared.output.lock().text()
    }

    /// As a thread sees it that does not keep it: when this is dropped, it stops all the same.
    pub fn to_ref(&self) -> WorkerRef {
        WorkerRef(Arc::clone(&self.shared))
    }

    /// Has a thread of the worker serve this lane, from 1 on, and waits until there is one. After a failure it can be asked
    /// again.
    pub fn open_lane(&self, lane: u32, deadline: Instant) -> Result<(), LaneError> {
        self.shared.open_lane(lane, deadline)
    }

    /// Adds a segment of `length` bytes and waits until the worker has mapped it.
    pub fn add_segment(
        &self,
        length: usize,
        seals: Seals,
        deadline: Instant,
    ) -> Result<(u16, Mapping), SegmentError> {
        self.shared.add_segment(length, seals, deadline)
    }

    /// Gives the worker a segment, and waits until it has mapped it. No other worker may ever have had it.
    pub fn give_segment(
        &self,
        file: &SegmentFile,
        seals: Seals,
        deadline: Instant,
    ) -> Result<u16, SegmentError> {
        self.shared.give_segment(file, seals, deadline)
    }

    /// Asks whether it is alive, unless it owes the answer already: for how long it has. Waits for nothing.
    pub fn probe(&self) -> Duration {
        self.shared.probe()
    }

    /// What the kernel says that it uses; `None` when it has ended.
    pub fn usage(&self) -> Option<Usage> {
        Usage::of(&self.shared)
    }

    /// The threads that it has now, by name and state, and how many are alike; empty when it has ended.
    pub fn threads(&self) -> Vec<ThreadSeen> {
        usage::threads(&self.shared)
    }

    /// Whether its process has ended, although nobody may have looked how.
    pub fn has_ended(&self) -> bool {
        self.shared.has_ended()
    }

    /// Kills it for breaking the protocol of the shared memory, and waits for its end.
    pub fn kill_for_violation(&self, rule: &str) -> Option<End> {
        self.shared.kill_for_violation(rule)
    }

    /// Waits for its end.
    pub fn wait_end(&self, patience: Duration) -> Option<End> {
        self.shared.wait_end(patience)
    }

    /// Stops it, as dropping it does, and waits until it is gone.
    pub fn stop(self) {
        let shared = Arc::clone(&self.shared);
        drop(self);
        if shared.process.get().is_some() {
            shared.wait_end(STOP_PATIENCE);
        }
    }
}

impl WorkerRef {
    /// As [`Worker::add_segment`].
    pub fn add_segment(
        &self,
        length: usize,
        seals: Seals,
        deadline: Instant,
    ) -> Result<(u16, Mapping), SegmentError> {
        self.0.add_segment(length, seals, deadline)
    }

    /// As [`Worker::kill_for_violation`].
    pub fn kill_for_violation(&self, rule: &str) -> Option<End> {
        self.0.kill_for_violation(rule)
    }

    /// As [`Worker::output`].
    pub fn output(&self) -> String {
        self.0.output.lock().text()
    }
}

impl SegmentError {
    /// What a failed system call means.
    pub fn of_system(errno: Errno) -> SegmentError {
        match errno {
            Errno::MFILE | Errno::NFILE => SegmentError::NoDescriptor(errno),
            errno => SegmentError::System(errno),
        }
    }
}

impl State {
    /// The number of the next segment.
    pub(crate) fn next_segment(&self) -> Result<u16, SegmentError> {
        let id = wire::SEGMENT_FIRST_ADDED + self.offered;
        if id < wire::SEGMENT_BATCH { Ok(id) } else { Err(SegmentError::TooMany) }
    }

    /// Whether the worker has mapped a segment, or never will.
    pub(crate) fn has_mapped(&self, id: u16) -> Result<bool, SegmentError> {
        match self.mapped.contains(&id) {
            false if self.end.is_some() => Err(SegmentError::WorkerEnded),
            mapped => Ok(mapped),
        }
    }
}

impl Shared {
    /// Adds a segment of `length` bytes and waits until the worker has mapped it.
    pub(crate) fn add_segment(
        &self,
        length: usize,
        seals: Seals,
        deadline: Instant,
    ) -> Result<(u16, Mapping), SegmentError> {
        self.state.lock().next_segment()?;
        let (file, mapping) = SegmentFile::create(length, seals).map_err(SegmentError::of_system)?;
        Ok((self.give_segment(&file, seals, deadline)?, mapping))
    }

    /// Gives the worker a segment, and waits until it has mapped it. No other worker may ever have had it.
    pub(crate) fn give_segment(
        &self,
        file: &SegmentFile,
        seals: Seals,
        deadline: Instant,
    ) -> Result<u16, SegmentError> {
        match self.offer_segment(file, seals)? {
            (id, true) => self.wait_mapped(id, deadline).map(|()| id),
            (_, false) => {
                self.end_unheard();
                Err(SegmentError::WorkerEnded)
            }
        }
    }

    /// Waits until the worker has mapped a segment that it was offered.
    pub(crate) fn wait_mapped(&self, id: u16, deadline: Instant) -> Result<(), SegmentError> {
        let mut state = self.state.lock();
        while !state.has_mapped(id)? {
            let timed_out = self.changed.wait_until(&mut state, deadline).timed_out();
            if timed_out && !state.has_mapped(id)? {
                return Err(SegmentError::DeadlinePassed);
            }
        }
        Ok(())
    }

    /// Gives the worker a segment, which it maps as soon as it looks; whether it could be told. If not it is dead or dying; or it
    /// lives, but has closed its end or does not read.
    pub(crate) fn offer_segment(
        &self,
        file: &SegmentFile,
        seals: Seals,
    ) -> Result<(u16, bool), SegmentError> {
        // The number is used up when the worker may have it, and not before.
        let mut state = self.state.lock();
        let id = state.next_segment()?;
        let writable = u16::from(seals == Seals::Reply);
        let packet = SegmentAdd { id, writable, length: file.length() as u64 };
        let sent = self.control.send(Packet::SegmentAdd, &packet.encode(), &[file.as_fd()]);
        state.offered += u16::from(sent.is_ok());
        match sent {
            Ok(()) => Ok((id, true)),
            Err(Errno::PIPE | Errno::CONNRESET | Errno::AGAIN) => Ok((id, false)),
            Err(errno) => Err(SegmentError::of_system(errno)),
        }
    }

    fn probe(&self) -> Duration {
        let mut state = self.state.lock();
        if state.end.is_some() || state.welcome.is_none() {
            return Duration::ZERO;
        }
        let since = *state.owes.get_or_insert_with(Instant::now);
        // One that cannot be sent is owed all the same: then it reads nothing.
        state.probed = state.probed || self.control.send(Packet::Ping, &[], &[]).is_ok();
        since.elapsed()
    }

    fn open_lane(&self, lane: u32, deadline: Instant) -> Result<(), LaneError> {
        let mut state = self.state.lock();
        // One that is late is not asked twice, nor one that came when nobody waited for it any more.
        if !matches!(state.lanes.get(&lane), Some(None | Some(0))) {
            state.lanes.insert(lane, None);
            if self.control.send(Packet::LaneOpen, &LaneOpen { lane }.encode(), &[]).is_err() {
                state.lanes.remove(&lane);
                let ended = state.end.is_some();
                drop(state);
                if !ended && Instant::now() >= deadline {
                    self.end_unheard_later();
                    return Err(LaneError::DeadlinePassed);
                }
                self.end_unheard();
                return Err(LaneError::WorkerEnded);
            }
        }
        loop {
            match state.lanes.get(&lane).copied().flatten() {
                Some(0) => return Ok(()),
                Some(errno) => {
                    // It may be any number.
                    let known = Some(errno).filter(|errno| (1..4096).contains(errno));
                    return Err(LaneError::NoThread(known.map_or(Errno::AGAIN, Errno::from_raw_os_error)));
                }
                None if state.end.is_some() => return Err(LaneError::WorkerEnded),
                None => {}
            }
            let timed_out = self.changed.wait_until(&mut state, deadline).timed_out();
            if timed_out && matches!(state.lanes.get(&lane), Some(None)) && state.end.is_none() {
                return Err(LaneError::DeadlinePassed);
            }
        }
    }

    /// Kills it for breaking the protocol of the shared memory, and waits for its end.
    pub(crate) fn kill_for_violation(&self, rule: &str) -> Option<End> {
        self.condemn(rule);
        self.wait_end(KILL_GRACE)
    }

    /// Kills it for breaking the protocol of the shared memory, and does not wait.
    pub(crate) fn condemn(&self, rule: &str) {
        let mut state = self.state.lock();
        // Not what has ended already: then that is not why.
        if state.end.is_none() {
            state.violation.get_or_insert_with(|| rule.to_owned());
        }
        drop(state);
        self.signal(Signal::KILL);
    }

    /// Waits for its end.
    pub(crate) fn wait_end(&self, patience: Duration) -> Option<End> {
        let until = Instant::now() + patience;
        let mut state = self.state.lock();
        while state.end.is_none() {
            if self.changed.wait_until(&mut state, until).timed_out() {
                break;
            }
        }
        state.end.clone()
    }

    /// Whether there is a process of it that has ended, reaped or not.
    pub(crate) fn has_ended(&self) -> bool {
        let Some((_, pidfd)) = self.process.get() else { return false };
        let mut fds = [PollFd::new(pidfd, PollFlags::IN)];
        matches!(poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })), Ok(1..))
    }

    /// Notes that its session has more in its directory for temporary files than it may, unless its end is told already. That
    /// waits then until the directory is empty.
    pub(crate) fn exceeds(&self, most: u64) -> bool {
        let mut state = self.state.lock();
        if !state.is_buried {
            (state.too_much_on_disk, state.is_emptied) = (Some(most), true);
        }
        !state.is_buried
    }

    /// Ends the worker by a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        self.state.lock().killed_by_host = true;
        // Before the look at `process`: the spawner sets that first and looks here afterwards.
        self.condemned.store(true, Ordering::SeqCst);
        if self.process.get().is_some() && !self.has_ended() {
            self.state.lock().sent.note(signal);
        }
        self.send(signal);
    }

    /// Signals the worker. The pidfd cannot mean another process, whatever became of the number.
    pub(crate) fn send(&self, signal: Signal) {
        if let Some((_, pidfd)) = self.process.get() {
            // ESRCH: it has ended already, which is what was wanted.
            let _ = pidfd_send_signal(pidfd, signal);
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // One that has ended by itself, of which nobody has heard yet, has ended by itself.
        if self.shared.state.lock().end.is_none() && !self.shared.has_ended() {
            self.shared.retired.store(true, Ordering::SeqCst);
            let _ = self.shared.control.send(Packet::Shutdown, &[], &[]);
            self.monitor.retire(&self.shared);
        }
    }
}
