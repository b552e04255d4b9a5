//! How a worker ended, and what it said before.

use std::time::Duration;

use hotcell_protocol::wire::Event;
use hotcell_shm::{CrashRecord, DenialRecord, HeapFaultRecord, HeapRefusal};

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
    /// Whether this host killed it.
    pub killed_by_host: bool,
    /// How many threads it was given, where it was killed because it had more.
    pub too_many_threads: Option<u64>,
    /// How many bytes its session was given for temporary files, where it was killed because there were more.
    pub too_much_on_disk: Option<u64>,
    /// Signals whose action the library had changed, and was put back between calls, by its own word: bit n for signal n + 1.
    pub signals_put_back: u64,
    /// The time on CPUs that it was given for its life, where that was limited.
    pub cpu_limit: Option<Duration>,
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

impl End {
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

const SIGSEGV: i32 = rustix::process::Signal::SEGV.as_raw();
