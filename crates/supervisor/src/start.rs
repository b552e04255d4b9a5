//! Starting a worker: channel, descriptors, hello, process, welcome.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use hotcell_protocol::wire::{self, Event, Guard, Hello, Packet, Welcome};
use hotcell_sandbox::{LACKED, control_groups, frozen_group};
use hotcell_shm::control::ControlSocket;
use hotcell_shm::lock::{Mutex, MutexGuard};
use hotcell_shm::{EventFd, HeapSegment, HostChannel, sealed_copy};
use rustix::io::Errno;
use rustix::process::Signal;

use crate::changed::Changed;
use crate::client::Offered;
use crate::end::{End, HowEnded, Report};
use crate::libraries::{self, Replaced};
use crate::monitor::{Monitor, Order};
use crate::output::Tail;
use crate::outside;
use crate::spec::{Spec, eventfds, lanes};
use crate::stacks::Loaded;
use crate::worker::{KILL_GRACE, Shared, State, Worker, WorkerRef};

/// What this host can do with every library.
const CAPABILITIES: u64 = wire::capabilities::NEED_SPACE
    | wire::capabilities::CALLBACKS
    | wire::capabilities::HANDLES
    | wire::capabilities::BATCH
    | wire::capabilities::DISPATCHER
    | wire::capabilities::SANDBOX
    | wire::capabilities::HEAP
    | wire::capabilities::CANCEL
    | wire::capabilities::ABANDONED
    | wire::capabilities::STATE
    | wire::capabilities::OBJECTS
    | wire::capabilities::STACK;

/// Where blocks are guarded by samples: one in so many, on average.
const SAMPLE: u32 = 5000;

/// The interface epoch. A session has one interface, whichever files it loads.
const EPOCH: u16 = 1;

/// Longest start that is waited for: beyond it a duration cannot be added to a clock safely.
const LONGEST_START: Duration = Duration::from_secs(365 * 24 * 3600);

/// Why a worker did not come up.
#[derive(Debug)]
pub enum StartError {
    /// The host could not make or pass on what a worker needs.
    System {
        /// What was being done.
        stage: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// The worker ended before it was ready.
    Ended {
        /// How.
        end: Box<End>,
        /// What it printed.
        output: String,
    },
    /// It loaded nothing: it could not join a control group that its session names, or nothing runs in that, or the machine had
    /// nothing by which to find out what holds there.
    NotBegun {
        /// What, and why.
        text: String,
        /// The error's number.
        errno: i32,
        /// What it printed.
        output: String,
    },
    /// A file that it loads, or has loaded, is not the one that earlier workers had.
    Replaced {
        /// Which.
        replaced: Replaced,
        /// What it printed.
        output: String,
    },
    /// It serves with less than was asked, and was killed.
    NotInForce {
        /// The restrictions that are not in force.
        missing: Vec<&'static str>,
        /// What it printed.
        output: String,
    },
    /// It was not ready in time, and was killed.
    Late {
        /// What it printed.
        output: String,
    },
}

impl StartError {
    /// Whether it is the library that did not come up, and no file, descriptor or control group that was not there.
    pub fn is_of_library(&self) -> bool {
        matches!(self, StartError::Ended { .. } | StartError::Late { .. })
    }

    /// Whether it may pass by itself: this machine, or this process, had no process, memory or descriptor just then.
    pub fn passes(&self) -> bool {
        match self {
            StartError::System { source, .. } => passes(source),
            StartError::NotBegun { errno, .. } => passes(&io::Error::from_raw_os_error(*errno)),
            _ => false,
        }
    }
}

/// Whether the machine had too little of something for a moment.
pub fn passes(error: &io::Error) -> bool {
    let errno = error.raw_os_error().map(Errno::from_raw_os_error);
    matches!(errno, Some(Errno::AGAIN | Errno::NOMEM | Errno::MFILE | Errno::NFILE | Errno::INTR))
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::System { stage, source } => write!(f, "{stage}: {source}"),
            StartError::Ended { .. } => f.write_str("the worker ended while it loaded the library"),
            StartError::NotBegun { text, .. } => f.write_str(text),
            StartError::Replaced { replaced, .. } => replaced.fmt(f),
            StartError::NotInForce { missing, .. } => {
                write!(f, "what was asked for is not in force: {} missing", missing.join(", "))
            }
            StartError::Late { .. } => f.write_str("the library did not finish loading in time"),
        }
    }
}

impl std::error::Error for StartError {}

impl Worker {
    /// Begins to start a worker. It comes up by itself; [`Worker::ready`] waits for it.
    pub fn begin(spec: &Spec, generation: u64) -> Result<Worker, StartError> {
        let monitor = Monitor::of_this_process().map_err(at("start the monitor"))?;
        let patience = spec.start_deadline.min(LONGEST_START);
        let unchanged = spec.libraries.are_unchanged();
        unchanged.map_err(|replaced| StartError::Replaced { replaced, output: String::new() })?;
        let shared = prepare(spec, generation)?;
        let worker = Worker { shared, monitor, start_until: Instant::now() + patience };
        worker.launch(spec)?;
        Ok(worker)
    }

    /// Waits until it serves, but not beyond `until`: then false, and it can be asked again. A worker that
    /// takes longer than its start may is killed.
    pub fn ready(&self, spec: &Spec, until: Instant) -> Result<bool, StartError> {
        let until = until.min(self.start_until);
        let mut state = self.shared.wait_up(until);
        if let Some(source) = state.not_started.take() {
            return Err(StartError::System { stage: "start the worker", source });
        }
        if let Some(welcome) = state.welcome {
            drop(state);
            return self.check_welcome(spec, &welcome, until);
        }
        let ended = state.end.clone();
        drop(state);
        if let Some(end) = ended {
            return Err(not_started(end, !spec.groups.is_empty(), self.output()));
        }
        if Instant::now() < self.start_until {
            return Ok(false);
        }
        let frozen = frozen_group(&spec.groups);
        self.shared.signal(Signal::KILL);
        let output = self.output();
        Err(match frozen {
            None => StartError::Late { output },
            Some(group) => {
                let text =
                    format!("the control group {} is frozen: nothing that is in it runs", group.display());
                StartError::NotBegun { text, errno: Errno::BUSY.raw_os_error(), output }
            }
        })
    }

    fn launch(&self, spec: &Spec) -> Result<(), StartError> {
        let input = match &spec.trace {
            None => open_null()?,
            Some(trace) => trace.attend().map_err(at("begin a trace"))?,
        };
        let output = pipe()?;
        let (ours, theirs) = output;
        let worker_end = self.shared.worker_end.lock().take();
        let worker_end =
            worker_end.ok_or_else(|| at("start the worker")(io::Error::other("started twice")))?;
        let order = Order {
            shared: Arc::clone(&self.shared),
            spec: spec.clone(),
            descriptors: [input, clone(&theirs)?, theirs, worker_end],
            output: ours,
        };
        self.monitor.start(order).map_err(at("start the worker"))
    }

    /// What a worker says of itself must be what it was told: else it is another program than ours. False when its end is to
    /// be waited for beyond `until`.
    fn check_welcome(&self, spec: &Spec, welcome: &Welcome, until: Instant) -> Result<bool, StartError> {
        let same = welcome.functions == spec.functions
            && welcome.fingerprint == spec.fingerprint
            && welcome.capabilities & !capabilities(spec) == 0;
        if same {
            self.check_level(spec, welcome)?;
            return self.check_files(spec).map(|()| true);
        }
        self.shared.condemn("a welcome does not answer its hello");
        match self.shared.wait_end(until.saturating_duration_since(Instant::now()).min(KILL_GRACE)) {
            Some(end) => Err(StartError::Ended { end: Box::new(end), output: self.output() }),
            None if Instant::now() < self.start_until => Ok(false),
            None => Err(StartError::Late { output: self.output() }),
        }
    }
}

impl Worker {
    /// A worker that serves with less than was asked serves nobody.
    fn check_level(&self, spec: &Spec, welcome: &Welcome) -> Result<(), StartError> {
        let mut missing = self.level_of(welcome.level).missing(spec.required);
        let asked = spec.guard != Guard::None || spec.limits.memory.is_some();
        if asked && welcome.capabilities & wire::capabilities::HEAP == 0 {
            missing.push("guarded-memory");
        }
        if spec.checks_health() && welcome.capabilities & wire::capabilities::HEALTH == 0 {
            missing.push("health-checks");
        }
        if spec.strict && missing.is_empty() {
            missing = outside::missing(self.pid(), spec.wall.is_some());
        }
        if missing.is_empty() {
            return Ok(());
        }
        let output = self.output();
        self.shared.signal(Signal::KILL);
        Err(StartError::NotInForce { missing, output })
    }
}

impl Worker {
    /// A worker that has loaded other files than those before it serves nobody.
    fn check_files(&self, spec: &Spec) -> Result<(), StartError> {
        let Err(replaced) = self.shared.examine(spec) else { return Ok(()) };
        let output = self.output();
        self.shared.signal(Signal::KILL);
        Err(StartError::Replaced { replaced, output })
    }
}

impl WorkerRef {
    /// Waits until the worker is up, if it comes up, and sees to what [`Worker::ready`] would see to when it is needed: what it has
    /// loaded is read once.
    pub fn examine(&self, spec: &Spec) {
        let until = Instant::now() + spec.start_deadline.min(LONGEST_START);
        let state = self.0.wait_up(until);
        let is_up = state.welcome.is_some() && state.end.is_none();
        drop(state);
        if is_up {
            // Whoever needs it is told.
            let _ = self.0.examine(spec);
        }
    }
}

impl Shared {
    /// There is no process, and will be none.
    pub(crate) fn does_not_start(&self, why: io::Error) {
        self.state.lock().not_started = Some(why);
        self.changed.notify_all();
    }

    /// Waits until it is up, has ended or does not start, but not beyond `until`.
    fn wait_up(&self, until: Instant) -> MutexGuard<'_, State> {
        let mut state = self.state.lock();
        while state.welcome.is_none() && state.end.is_none() && state.not_started.is_none() {
            if self.changed.wait_until(&mut state, until).timed_out() {
                break;
            }
        }
        state
    }

    /// Reads what the worker has loaded, and holds it against what those before it had; where that was done before, against what lies
    /// there now.
    fn examine(&self, spec: &Spec) -> Result<(), Replaced> {
        let mut is_first = false;
        let examined = self.examined.get_or_init(|| {
            is_first = true;
            let pid = self.process.get().map_or(0, |(pid, _)| *pid);
            let maps = libraries::maps(pid);
            let loaded = libraries::of_process(pid, &maps);
            // Of a process that has ended, the number may be another's by now.
            let loaded = if self.has_ended() { Vec::new() } else { loaded };
            self.loaded.get_or_init(|| Arc::new(Loaded::of(&maps, spec)));
            spec.libraries.take_in(loaded)
        });
        match examined {
            Ok(()) if !is_first => spec.libraries.are_unchanged(),
            examined => examined.clone(),
        }
    }
}

/// Why a worker ended before it served. That it could not join a group is its own word, and taken only of one that was to join some; that
/// the machine lacked something, only where what it lacked is of the kind that passes.
fn not_started(end: End, joins: bool, output: String) -> StartError {
    match &end.report {
        Some(Report { event: Event::GroupRefused, errno, text }) if joins => {
            StartError::NotBegun { text: text.clone(), errno: *errno, output }
        }
        Some(Report { event: Event::LaunchFailed, errno, text })
            if end.how == HowEnded::Exited(LACKED) && passes(&io::Error::from_raw_os_error(*errno)) =>
        {
            StartError::NotBegun { text: text.clone(), errno: *errno, output }
        }
        _ => StartError::Ended { end: Box::new(end), output },
    }
}

/// What this host can do with a library.
fn capabilities(spec: &Spec) -> u64 {
    let lanes = if spec.callers > 1 { wire::capabilities::LANES } else { 0 };
    let eventfds = if spec.eventfds { wire::capabilities::EVENTFD } else { 0 };
    let health = if spec.checks_health() { wire::capabilities::HEALTH } else { 0 };
    CAPABILITIES | lanes | eventfds | health
}

/// Makes channel and control socket and leaves the hello in the socket: the worker finds it there when it
/// comes up, and nobody waits for anybody.
fn prepare(spec: &Spec, generation: u64) -> Result<Arc<Shared>, StartError> {
    if let Some(too_many) = spec.too_many_descriptors() {
        return Err(at("send the hello")(io::Error::new(io::ErrorKind::InvalidInput, too_many)));
    }
    let channel = HostChannel::unsealed(lanes(spec), EPOCH, generation).map_err(errno("make the channel"))?;
    channel.let_leave(spec.leaves);
    channel.limit_objects(spec.objects);
    if spec.eventfds {
        channel.add_eventfds(eventfds(spec)).map_err(errno("make eventfds"))?;
    }
    let (counts, heap) =
        HeapSegment::create(spec.functions, spec.limits.memory).map_err(errno("make the heap segment"))?;
    let (control, worker_end) = ControlSocket::pair().map_err(errno("make the control socket"))?;
    let shim = sealed_copy(&spec.libraries.shim(spec.shim)).map_err(errno("copy the shim"))?;
    let libraries: Vec<&File> = spec.libraries.files().collect();
    let groups = control_groups(&spec.groups).map_err(at("put workers into a control group"))?;
    // Last of all that can fail for want of something, and before anything that a worker gets.
    let offered = offer(spec, generation, &channel)?;
    let (request, reply) = channel.files();
    let hello = Hello {
        capabilities: capabilities(spec),
        generation,
        request_length: request.length() as u64,
        reply_length: reply.length() as u64,
        spin_ns: u32::try_from(spec.spin.as_nanos()).unwrap_or(u32::MAX),
        epoch: EPOCH,
        libraries: libraries.len() as u16,
        functions: spec.functions,
        profile: spec.profile as u32,
        fingerprint: spec.fingerprint,
        eventfds: channel.eventfds().len() as u16,
        guard: spec.guard.raw(),
        sample: SAMPLE,
        memory: spec.limits.memory.map_or(0, |limit| limit.max(1)),
        groups: groups.len() as u16,
    };
    let first = [request.as_fd(), reply.as_fd(), shim.as_fd()];
    let wall = spec.wall.iter().map(|wall| wall.as_fd());
    let behind = libraries
        .iter()
        .map(|file| file.as_fd())
        .chain(channel.eventfds().iter().map(EventFd::as_fd))
        .chain(groups.iter().map(OwnedFd::as_fd))
        .chain([counts.as_fd()]);
    let descriptors: Vec<BorrowedFd<'_>> = first.into_iter().chain(behind).chain(wall).collect();
    control.send(Packet::Hello, &hello.encode(), &descriptors).map_err(errno("send the hello"))?;
    Ok(Arc::new(Shared {
        channel,
        heap: Arc::new(heap),
        control,
        worker_end: Mutex::new(Some(worker_end)),
        offered,
        process: OnceLock::new(),
        own_namespaces: AtomicBool::new(false),
        loaded: OnceLock::new(),
        examined: OnceLock::new(),
        state: Mutex::new(State::default()),
        condemned: AtomicBool::new(false),
        retired: AtomicBool::new(false),
        changed: Changed::default(),
        output: Mutex::new(Tail::default()),
        limits: spec.limits,
        sandbox: Arc::clone(&spec.sandbox),
        generation,
        hears: spec.hears.clone(),
    }))
}

/// Seals a channel; where another process has the callers, that one maps it before.
fn offer(spec: &Spec, generation: u64, channel: &HostChannel) -> Result<Option<Offered>, StartError> {
    let Some(client) = &spec.client else {
        return channel.seal().map(|()| None).map_err(errno("seal the channel"));
    };
    let offered = Offered::new(client, generation, channel);
    offered.map(Some).map_err(at("offer the channel to the client"))
}

fn open_null() -> Result<OwnedFd, StartError> {
    Ok(File::open("/dev/null").map_err(at("open /dev/null"))?.into())
}

/// A pipe whose reading end never blocks.
fn pipe() -> Result<(OwnedFd, OwnedFd), StartError> {
    let (ours, theirs) =
        rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).map_err(errno("make a pipe"))?;
    rustix::io::ioctl_fionbio(&ours, true).map_err(errno("make a pipe"))?;
    Ok((ours, theirs))
}

fn clone(fd: &OwnedFd) -> Result<OwnedFd, StartError> {
    fd.try_clone().map_err(at("duplicate a descriptor"))
}

fn at(stage: &'static str) -> impl Fn(io::Error) -> StartError {
    move |source| StartError::System { stage, source }
}

fn errno(stage: &'static str) -> impl Fn(rustix::io::Errno) -> StartError {
    move |errno| StartError::System { stage, source: errno.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::end::Sent;

    /// A worker that has reported this before it served.
    fn ended(event: Event, errno: Errno) -> End {
        End {
            how: HowEnded::Exited(1),
            crash: None,
            denied: None,
            served: false,
            sandbox: Arc::default(),
            refusal: None,
            heap_fault: None,
            stack: None,
            report: Some(Report { event, errno: errno.raw_os_error(), text: "as it says".into() }),
            violation: None,
            killed_by_host: false,
            sent: Sent::default(),
            retired: false,
            too_many_threads: None,
            too_much_on_disk: None,
            signals_put_back: 0,
            cpu_limit: None,
        }
    }

    #[test]
    fn a_group_that_refuses_is_not_the_library() {
        let check = |event, errno, joins, expect| {
            let error = not_started(ended(event, errno), joins, String::new());
            assert_eq!((error.is_of_library(), error.passes()), expect, "{event:?}, {errno:?}, {joins}");
        };
        check(Event::GroupRefused, Errno::NOSPC, true, (false, false));
        check(Event::GroupRefused, Errno::AGAIN, true, (false, true));
        // It was to join none: whatever it says.
        check(Event::GroupRefused, Errno::AGAIN, false, (true, false));
        check(Event::LaunchFailed, Errno::AGAIN, true, (true, false));
        // Before it loaded anything.
        for (errno, expect) in [(Errno::AGAIN, (false, true)), (Errno::PERM, (true, false))] {
            let end = End { how: HowEnded::Exited(LACKED), ..ended(Event::LaunchFailed, errno) };
            let error = not_started(end, false, String::new());
            assert_eq!((error.is_of_library(), error.passes()), expect, "{errno:?}");
        }
    }
}
