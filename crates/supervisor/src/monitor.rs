//! The monitor: two threads that start, read and reap the workers of a process.
//!
//! The *spawner* starts them: the kernel kills a worker when the thread that started it ends, so that thread
//! ends with the process only. It stands still until a worker's exec is done, which a slow disk can delay; so
//! the *watch*, which reads and reaps them, is a thread of its own.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use hotcell_sandbox::{Launch, Spawned, kill_group, spawn, with_signals_blocked};
use hotcell_shm::OfProcess;
use hotcell_shm::control::{ControlError, Received};
use hotcell_shm::lock::Mutex;
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use crate::client::Offered;
use crate::end::{End, Ended, HowEnded};
use crate::quota::{Kept, Quotas};
use crate::spec::Spec;
use crate::stacks::StackLeft;
use crate::usage;
use crate::worker::Shared;

/// How long a worker that was told to stop may take.
const STOP_GRACE: Duration = Duration::from_secs(2);

/// How often the threads of a worker are counted that may not have any number of them.
const COUNTED_EVERY: Duration = Duration::from_millis(20);

/// The environment of every worker, unless the session's options replace a variable.
const ENVIRONMENT: [(&str, &str); 2] = [("PATH", "/usr/bin:/bin"), ("LANG", "C.UTF-8")];

/// The handle of the monitor.
#[derive(Debug)]
pub(crate) struct Monitor {
    orders: Sender<Order>,
    messages: Sender<Message>,
    bell: Arc<OwnedFd>,
}

/// A worker to start.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) shared: Arc<Shared>,
    pub(crate) spec: Spec,
    /// Standard input, output, errors and control socket of the worker.
    pub(crate) descriptors: [OwnedFd; 4],
    /// Reading end of its output.
    pub(crate) output: OwnedFd,
}

enum Message {
    Watch(Watched),
    Retire(Arc<Shared>),
}

/// A worker being watched.
struct Watched {
    shared: Arc<Shared>,
    output: Option<OwnedFd>,
    control_open: bool,
    kill_at: Option<Instant>,
    /// When its threads are counted next, where there is a limit.
    count_at: Option<Instant>,
}

/// That of a parent is left as it is: its threads may have held what an end would take.
static MONITOR: OfProcess<Mutex<Option<Arc<Monitor>>>> = OfProcess::new();

impl Monitor {
    /// The monitor of this process; started when it is first needed, and again in a forked child, to which
    /// threads are not handed down.
    pub(crate) fn of_this_process() -> io::Result<Arc<Monitor>> {
        let mut monitor = MONITOR.get()?.lock();
        if let Some(monitor) = &*monitor {
            return Ok(Arc::clone(monitor));
        }
        let started = Arc::new(Monitor::launch()?);
        *monitor = Some(Arc::clone(&started));
        Ok(started)
    }

    /// Does this while nobody else of this process gets the monitor.
    pub(crate) fn held<T>(run: impl FnOnce() -> T) -> T {
        let _held = MONITOR.get().map(Mutex::lock);
        run()
    }

    fn launch() -> io::Result<Monitor> {
        let bell = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        let (messages, inbox) = mpsc::channel();
        let (orders, ordered) = mpsc::channel::<Order>();
        let watch = Watch { inbox, bell: Arc::clone(&bell), workers: Vec::new() };
        let (messages_of_spawner, bell_of_spawner) = (messages.clone(), Arc::clone(&bell));
        let mut spawner =
            Spawner { messages: messages_of_spawner, bell: bell_of_spawner, quotas: Quotas::default() };
        // Signals of the host are for its own threads.
        with_signals_blocked(|| {
            let thread = |name: &str| std::thread::Builder::new().name(name.into());
            thread("hotcell-monitor").spawn(move || watch.run())?;
            thread("hotcell-spawner").spawn(move || ordered.iter().for_each(|order| spawner.obey(order)))
        })?;
        Ok(Monitor { orders, messages, bell })
    }

    /// Has a worker started and watched; returns at once.
    pub(crate) fn start(&self, order: Order) -> io::Result<()> {
        self.orders.send(order).map_err(|_| gone())
    }

    /// Sees to it that a worker that was told to stop does.
    pub(crate) fn retire(&self, shared: &Arc<Shared>) {
        let _ = self.send(Message::Retire(Arc::clone(shared)));
    }

    fn send(&self, message: Message) -> io::Result<()> {
        self.messages.send(message).map_err(|_| gone())?;
        rustix::io::write(&*self.bell, &1u64.to_ne_bytes())?;
        Ok(())
    }
}

/// The spawner's thread.
struct Spawner {
    messages: Sender<Message>,
    bell: Arc<OwnedFd>,
    quotas: Quotas,
}

impl Spawner {
    fn obey(&mut self, order: Order) {
        let Order { shared, spec, descriptors, output } = order;
        if shared.retired.load(Ordering::SeqCst) || shared.condemned.load(Ordering::SeqCst) {
            // No call waits for it any more; who examines it as it comes up does.
            return shared.does_not_start(io::Error::other("it was given up before it was started"));
        }
        let kept = self.keep_quota(&shared, &spec);
        let spawned = match kept.and_then(|()| start(&spec, &descriptors)) {
            Ok(spawned) => spawned,
            Err(error) => return shared.does_not_start(error),
        };
        drop(descriptors);
        shared.own_namespaces.store(spawned.own_namespaces, Ordering::Relaxed);
        if shared.process.set((spawned.pid, spawned.pidfd)).is_err() {
            return; // An order is given once.
        }
        // After the process is known: whoever condemns it from now on signals it himself.
        if shared.condemned.load(Ordering::SeqCst) {
            shared.signal(Signal::KILL);
        }
        let count_at = shared.limits.threads.map(|_| Instant::now());
        let watched = Watched { shared, output: Some(output), control_open: true, kill_at: None, count_at };
        if self.messages.send(Message::Watch(watched)).is_ok() {
            let _ = rustix::io::write(&*self.bell, &1u64.to_ne_bytes());
        }
    }

    /// Has the directory looked at, if it has one, in which a worker that is about to be started may write.
    fn keep_quota(&mut self, shared: &Arc<Shared>, spec: &Spec) -> io::Result<()> {
        let (Some(directory), Some(most)) = (spec.temporary.clone(), spec.limits.temporary) else {
            return Ok(());
        };
        self.quotas.keep(Kept { directory, most, worker: Arc::downgrade(shared) }, &self.bell)
    }
}

fn start(spec: &Spec, descriptors: &[OwnedFd; 4]) -> io::Result<Spawned> {
    let own = spec.environment.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let fixed = ENVIRONMENT.into_iter().filter(|(name, _)| own.clone().all(|(own, _)| own != *name));
    let environment: Vec<_> = fixed.chain(own.clone()).collect();
    spawn(&Launch {
        program: &spec.program,
        args: &["hotcell-worker"],
        directory: &spec.directory,
        environment: &environment,
        descriptors: descriptors.each_ref().map(OwnedFd::as_fd),
        limits: spec.limits,
        own_namespaces: spec.own_namespaces,
        dies_with_host: true,
    })
}

fn gone() -> io::Error {
    io::Error::other("the monitor thread has ended")
}

/// The monitor's thread.
struct Watch {
    inbox: Receiver<Message>,
    bell: Arc<OwnedFd>,
    workers: Vec<Watched>,
}

impl Watch {
    fn run(mut self) {
        loop {
            self.wait();
            let mut buffer = [0; 8];
            let _ = rustix::io::read(&*self.bell, &mut buffer);
            while let Ok(message) = self.inbox.try_recv() {
                self.obey(message);
            }
            self.workers.retain_mut(Watched::look);
        }
    }

    /// Sleeps until a worker or a caller has something for us.
    fn wait(&self) {
        let mut fds = vec![PollFd::new(&*self.bell, PollFlags::IN)];
        for worker in &self.workers {
            fds.extend(worker.sources().map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
        }
        let next = self.workers.iter().flat_map(|worker| [worker.kill_at, worker.count_at]).flatten().min();
        let timeout = next.map(|at| {
            let left = at.saturating_duration_since(Instant::now());
            Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) }
        });
        // Interrupted or out of memory: the loop looks at everything anyway.
        let _ = poll(&mut fds, timeout.as_ref());
    }

    fn obey(&mut self, message: Message) {
        match message {
            Message::Watch(mut worker) => {
                if worker.shared.retired.load(Ordering::SeqCst) {
                    worker.kill_at = Some(Instant::now() + STOP_GRACE);
                }
                self.workers.push(worker);
            }
            Message::Retire(shared) => {
                let watched = self.workers.iter_mut().find(|worker| Arc::ptr_eq(&worker.shared, &shared));
                if let Some(worker) = watched {
                    worker.kill_at.get_or_insert(Instant::now() + STOP_GRACE);
                }
            }
        }
    }
}

impl Watched {
    fn sources(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        // Of one whose end must not be told yet there is no news.
        let pidfd = self.shared.process.get().filter(|_| !self.shared.state.lock().is_emptied);
        let pidfd = pidfd.map(|(_, pidfd)| pidfd.as_fd());
        let control = self.control_open.then(|| self.shared.control.as_fd());
        let output = self.output.as_ref().map(|fd| fd.as_fd());
        pidfd.into_iter().chain(control).chain(output)
    }

    /// Reads what there is; false when the worker has ended and was reaped.
    fn look(&mut self) -> bool {
        if self.kill_at.is_some_and(|at| Instant::now() >= at) {
            self.kill_at = None;
            self.shared.signal(Signal::KILL);
        }
        if self.count_at.is_some_and(|at| Instant::now() >= at) {
            self.count_threads();
            self.count_at = Some(Instant::now() + COUNTED_EVERY);
        }
        let ended = self.shared.has_ended();
        // After the end too: the last words are still in the pipe and the socket.
        self.read_output();
        self.read_control();
        !(ended && self.bury())
    }

    /// Kills it if it has more threads than it was given. A look that fails says nothing of the next.
    fn count_threads(&self) {
        let (Some(limit), Some(count)) = (self.shared.limits.threads, usage::thread_count(&self.shared))
        else {
            return;
        };
        if count > limit {
            self.shared.state.lock().too_many_threads = Some(limit);
            self.shared.signal(Signal::KILL);
        }
    }

    fn read_output(&mut self) {
        let mut buffer = [0; 16 * 1024];
        // Bounded, so that a library that prints without end cannot keep us from the other workers.
        for _ in 0..64 {
            let Some(output) = &self.output else { return };
            match rustix::io::read(output, &mut buffer) {
                Ok(0) => self.output = None,
                Ok(length) => self.shared.output.lock().append(&buffer[..length]),
                Err(Errno::INTR) => {}
                Err(_) => return,
            }
        }
    }

    fn read_control(&mut self) {
        let Some((pid, _)) = self.shared.process.get() else { return };
        for _ in 0..64 {
            if !self.control_open {
                return;
            }
            let outcome = match self.shared.control.receive_from(*pid) {
                Ok(Some(packet)) => self.hear(&packet),
                Ok(None) => {
                    self.control_open = false;
                    return;
                }
                Err(ControlError::System(Errno::AGAIN)) => return,
                Err(ControlError::System(_) | ControlError::NoDescriptors) => {
                    self.control_open = false;
                    return;
                }
                Err(ControlError::Violation(rule)) => Err(rule),
            };
            if let Err(rule) = outcome {
                self.control_open = false;
                self.shared.state.lock().violation.get_or_insert_with(|| rule.to_owned());
                self.shared.signal(Signal::KILL);
            }
        }
    }

    /// Takes in one packet, and tells everybody when the lock is free again.
    fn hear(&self, packet: &Received) -> Result<(), &'static str> {
        self.shared.state.lock().hear(packet)?;
        self.shared.changed.notify_all();
        Ok(())
    }

    /// Tells everybody of an ended worker, then reaps it with whatever it forked. False while its directory is being emptied.
    fn bury(&self) -> bool {
        let Some((pid, pidfd)) = self.shared.process.get() else { return true };
        {
            let mut state = self.shared.state.lock();
            if state.is_emptied {
                return false;
            }
            state.is_buried = true;
        }
        let how = status(pidfd.as_fd(), WaitIdOptions::NOWAIT);
        // By the descriptor, which cannot mean another group, whoever has collected the corpse.
        if !kill_group(pidfd.as_fd()) {
            let group = i32::try_from(*pid).ok().and_then(Pid::from_raw);
            // A kernel that cannot. Until it is reaped, the number cannot be given to another group.
            if let (Some(group), Some(_)) = (group, how) {
                let _ = kill_process_group(group, Signal::KILL);
            }
        }
        let crash = self.shared.channel.crash_record();
        let denied = self.shared.channel.denied();
        let (refusal, heap_fault) = (self.shared.heap.refused(), self.shared.heap.fault());
        let loaded = self.shared.loaded.get().map(Arc::clone);
        let stack = loaded.and_then(|loaded| Some(StackLeft::new(self.shared.heap.stack()?, loaded)));
        let signals_put_back = self.shared.channel.state_record().signals;
        let state = self.shared.state.lock();
        let end = End {
            how: how.unwrap_or(HowEnded::Unknown),
            crash,
            denied,
            served: state.welcome.is_some(),
            sandbox: Arc::clone(&self.shared.sandbox),
            refusal,
            heap_fault,
            stack,
            report: state.report.clone(),
            violation: state.violation.clone(),
            too_many_threads: state.too_many_threads,
            too_much_on_disk: state.too_much_on_disk,
            killed_by_host: state.killed_by_host,
            sent: state.sent,
            retired: self.shared.retired.load(Ordering::SeqCst),
            signals_put_back,
            cpu_limit: self.shared.limits.cpu,
        };
        drop(state);
        // Before anybody who waits for it, and without the lock that all have to take who ask something of the worker.
        self.shared.tell(*pid, &end);
        let mut state = self.shared.state.lock();
        state.end = Some(end);
        self.shared.channel.bury();
        drop(state);
        self.shared.changed.notify_all();
        self.shared.offered.iter().for_each(Offered::ended);
        // Last: whoever sees the process gone finds its end on record.
        status(pidfd.as_fd(), WaitIdOptions::empty());
        true
    }
}

impl Shared {
    /// Tells whoever hears of ends. What goes wrong there is not to end the thread that watches all workers.
    fn tell(&self, pid: u32, end: &End) {
        let Shared { generation, channel, hears, .. } = self;
        let Some(hears) = hears else { return };
        let ended = Ended { generation: *generation, pid, end, channel };
        // Nothing of ours is left half done by it. Who hears has been told what went wrong by the panic.
        let _ = catch_unwind(AssertUnwindSafe(|| hears.ended(&ended)));
    }
}

/// The status of an ended worker; without NOWAIT it is collected, which frees its number. `None` when the
/// host has collected it first, with a `waitpid` for any child or by ignoring SIGCHLD.
fn status(pidfd: BorrowedFd<'_>, how: WaitIdOptions) -> Option<HowEnded> {
    const WALL: u32 = 0x4000_0000;
    let options = WaitIdOptions::EXITED | WaitIdOptions::from_bits_retain(WALL) | how;
    loop {
        match waitid(WaitId::PidFd(pidfd), options) {
            Err(Errno::INTR) => {}
            Ok(Some(status)) => {
                let signal = status.terminating_signal();
                let exited = status.exit_status().map(HowEnded::Exited);
                return exited.or(signal.map(HowEnded::Signalled));
            }
            Ok(None) | Err(_) => return None,
        }
    }
}

#[cfg(test)]
mod tests;
