//! How a worker ended, and what it said before.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hotcell_protocol::wire::Event;
use hotcell_sandbox::Sandbox;
use hotcell_shm::{CrashRecord, DenialRecord, HeapFaultRecord, HeapRefusal, HostChannel};
use rustix::process::Signal;

use crate::stacks::StackLeft;

/// The end of a worker, complete: no thread of it is left.
#[derive(Debug, Clone)]
pub struct End {
    /// What the kernel says.
    pub how: HowEnded,
    /// What its signal handler noted.
    pub crash: Option<CrashRecord>,
    /// The system call for which its sandbox ended it, by its own word.
    pub denied: Option<DenialRecord>,
    /// Whether it had said that its library was loaded.
    pub served: bool,
    /// What it was allowed, as its user says it.
    pub sandbox: Arc<Sandbox>,
    /// That the library was refused memory, by its own word.
    pub refusal: Option<HeapRefusal>,
    /// What was done to a guarded block, by its own word.
    pub heap_fault: Option<HeapFaultRecord>,
    /// The stack of the thread that ended it, by its own word.
    pub stack: Option<StackLeft>,
    /// What it reported of itself last.
    pub report: Option<Report>,
    /// The rule of the control protocol it broke, for which it was killed.
    pub violation: Option<String>,
    /// Whether this host killed it, or was about to.
    pub killed_by_host: bool,
    /// What it sent for that, before the process had ended.
    pub sent: Sent,
    /// Whether it was told to stop, for nobody would call it any more.
    pub retired: bool,
    /// How many threads it was given, where it was killed because it had more.
    pub too_many_threads: Option<u64>,
    /// How many bytes its session was given for temporary files, where it was killed because there were more.
    pub too_much_on_disk: Option<u64>,
    /// Signals whose action the library had changed, and was put back between calls, by its own word: bit n for signal n + 1.
    pub signals_put_back: u64,
    /// The time on CPUs that it was given for its life, where that was limited.
    pub cpu_limit: Option<Duration>,
}

/// Hears of the end of each worker that has had a process, once, and before anybody who waits for it: on the thread that watches all
/// workers, which is to wait for nothing, and least of all for a worker.
pub trait Hears: fmt::Debug + Send + Sync {
    /// This one has ended.
    fn ended(&self, worker: &Ended<'_>);
}

/// A worker that has ended.
#[derive(Debug)]
pub struct Ended<'a> {
    /// Which worker of its session it was.
    pub generation: u64,
    /// Its process id, which may be another's soon.
    pub pid: u32,
    /// How it ended.
    pub end: &'a End,
    /// The memory in which it was called.
    pub channel: &'a HostChannel,
}

/// The kernel's word on the end of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HowEnded {
    /// It called `exit`.
    Exited(i32),
    /// A signal ended it.
    Signalled(i32),
    /// The host's own code collected the status before Hotcell could.
    Unknown,
}

/// The signals that the host has sent to end a worker.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sent {
    /// SIGABRT.
    pub abort: bool,
    /// SIGKILL.
    pub kill: bool,
}

/// What a worker reported of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What happened.
    pub event: Event,
    /// `errno` or 0.
    pub errno: i32,
    /// In words.
    pub text: String,
}

impl Sent {
    pub(crate) fn note(&mut self, signal: Signal) {
        self.abort |= signal == Signal::ABORT;
        self.kill |= signal == Signal::KILL;
    }
}

impl End {
    /// Whether it ended as it does by what the host has done to it: by the very signal that was sent, or by `exit(0)` where it was
    /// told to stop. All else has come before that.
    pub fn is_by_host(&self) -> bool {
        // The record is the worker's own word; it is believed only where it agrees with the kernel's.
        let was_sent = || self.crash.is_none_or(|crash| crash.signal != SIGABRT || crash.code == SI_USER);
        match self.how {
            HowEnded::Signalled(SIGABRT) => self.sent.abort && was_sent(),
            HowEnded::Signalled(SIGKILL) => self.sent.kill,
            HowEnded::Exited(0) => self.retired,
            HowEnded::Signalled(_) | HowEnded::Exited(_) => false,
            HowEnded::Unknown => match self.crash {
                Some(crash) => crash.signal == SIGABRT && self.sent.abort && was_sent(),
                None => self.sent != Sent::default() || self.retired,
            },
        }
    }

    /// Whether it ended by what its handler noted, as far as the kernel says that: or by SIGKILL of this host's, which had sent the SIGABRT that was noted and found
    /// that it took too long.
    pub fn is_as_noted(&self) -> bool {
        self.crash.is_some_and(|crash| match self.how {
            HowEnded::Signalled(SIGKILL) => {
                self.sent == Sent { abort: true, kill: true }
                    && crash.signal == SIGABRT
                    && crash.code == SI_USER
            }
            how => how == HowEnded::Signalled(crash.signal),
        })
    }

    /// Whether the stack ran over: a segmentation fault of the serving thread at the low end of its stack.
    pub fn stack_overflow(&self) -> bool {
        /// How far from the limit a frame may reach, in bytes.
        const NEAR: u64 = 1 << 20;
        self.crash.is_some_and(|crash| {
            crash.lane.is_some()
                && crash.signal == SIGSEGV
                && crash.address.abs_diff(crash.stack_low) < NEAR
                && crash.address.abs_diff(crash.sp) < NEAR
        })
    }
}

const SIGSEGV: i32 = Signal::SEGV.as_raw();
const SIGABRT: i32 = Signal::ABORT.as_raw();
const SIGKILL: i32 = Signal::KILL.as_raw();

/// The `si_code` of a signal that another process has sent.
const SI_USER: i32 = 0;
