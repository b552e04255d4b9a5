//! What a library changes of the state that its process has once, and leaves changed. Between two calls it is put back, unless the
//! contract lets the library leave it so, and counted for the host.
//!
//! Nothing is looked at that nobody has touched: the program stands before the functions of the C library that change such a
//! state (`symbols/state.rs`), and these note which part it is. One part has no function, how numbers are rounded: it is
//! compared behind every call, which takes some nanoseconds when the caller has his reply already.
//!
//! What goes past the C library, by a system call of its own or by writing to `environ`, is not noted.

use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use hotcell_protocol::wire::{capabilities, state_parts as parts};
use hotcell_shm::{Request, STATE_PARTS, WorkerChannel};

use crate::serve::Worker;
use crate::state::process::Process;
use crate::state::thread::Thread;

mod arithmetic;
mod environment;
mod process;
mod thread;

/// Parts that are a thread's own.
const OF_THREAD: u32 = parts::MASK | parts::ARITHMETIC;

/// Parts of the process that may be others than they were.
static NOTED: AtomicU32 = AtomicU32::new(0);

/// The parts that are looked at at all.
static WATCHED: AtomicU32 = AtomicU32::new(0);

/// The state when the library was loaded and initialised.
static BEFORE: OnceLock<Process> = OnceLock::new();

thread_local! {
    /// Parts of this thread that may be others than they were. Plain, so that a signal handler may note something.
    static OWN: Cell<u32> = const { Cell::new(0) };
    /// Whether this thread puts something back: it changes the state itself.
    static PUTS_BACK: Cell<bool> = const { Cell::new(false) };
    /// The state of this thread before its first call, if it serves.
    static THREAD: Cell<Option<Thread>> = const { Cell::new(None) };
}

/// What became of a part that may be another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// It is as it was.
    Same,
    /// It was another, and is as before again.
    PutBack,
    /// It is another, and stays so: this process cannot have it as before.
    Lost,
}

impl Found {
    /// Of a part that was another: whether it could be put back.
    fn changed(put_back: bool) -> Found {
        if put_back { Found::PutBack } else { Found::Lost }
    }
}

/// Notes that parts of the process's state may be others now, where a thread says so that serves: what the library's own threads
/// change is in use between calls, too.
pub fn note(parts: u32) {
    let watched = parts & WATCHED.load(Ordering::Relaxed);
    if watched != 0 && !PUTS_BACK.get() && THREAD.get().is_some() {
        NOTED.fetch_or(watched, Ordering::Relaxed);
    }
}

/// Notes that parts of this thread's state may be others now.
pub fn note_own(parts: u32) {
    if !PUTS_BACK.get() {
        OWN.set(OWN.get() | parts & WATCHED.load(Ordering::Relaxed));
    }
}

/// Takes the state as it is for the one to which it is put back, once the library is initialised.
pub(crate) fn remember(channel: &WorkerChannel, agreed: u64) {
    if agreed & capabilities::STATE != 0 && BEFORE.set(Process::now()).is_ok() {
        WATCHED.store(STATE_PARTS & !channel.leaves(), Ordering::Relaxed);
    }
}

/// Takes the state of this thread, which is about to serve, for the one to which it is put back.
pub(crate) fn attend() {
    let watched = WATCHED.load(Ordering::Relaxed);
    if watched != 0 {
        THREAD.set(Some(Thread::now()));
        arithmetic::remember(watched & parts::ARITHMETIC != 0);
        OWN.set(0);
    }
}

/// Puts back what is another behind a call of depth 0, whose reply is published.
#[inline]
pub(crate) fn look_behind(worker: &Worker, request: &Request) {
    let noted = NOTED.load(Ordering::Relaxed);
    if noted != 0 && !worker.channel.has_several_callers() || OWN.get() != 0 || arithmetic::is_changed() {
        put_back(worker, request);
    }
}

#[cold]
fn put_back(worker: &Worker, request: &Request) {
    let (Some(before), Some(thread)) = (BEFORE.get(), THREAD.get()) else { return };
    PUTS_BACK.set(true);
    let mut own = OWN.replace(0);
    // What is the process's is put back under nobody's hands: where several calls are executed at a time, not at all.
    let of_process = match worker.channel.has_several_callers() {
        true => 0,
        // The parts of this thread and of the process have one bit: so both are looked at, whichever it was.
        false => (own | NOTED.swap(0, Ordering::Relaxed)) & !OF_THREAD,
    };
    if of_process & parts::HANDLERS != 0 {
        // Who jumps out of a handler leaves its signal blocked.
        own |= parts::MASK & WATCHED.load(Ordering::Relaxed);
    }
    let tell = |part: u32, found: Found| {
        if found != Found::Same {
            worker.channel.note_state(part, found == Found::Lost, request.function);
        }
    };
    if arithmetic::is_changed() {
        tell(parts::ARITHMETIC, arithmetic::put_back());
    }
    // Before the handlers: a timer that goes off without one would end the process.
    if of_process & parts::TIMERS != 0 {
        tell(parts::TIMERS, before.put_back(parts::TIMERS));
    }
    for part in [parts::LOCALE, parts::MASK].into_iter().filter(|part| own & part != 0) {
        tell(part, thread.put_back(part));
    }
    if of_process & parts::HANDLERS != 0 {
        worker.channel.note_signals(before.changed_actions());
    }
    let rest = of_process & !parts::TIMERS;
    for part in (0..u32::BITS).map(|bit| 1 << bit).filter(|part| rest & part != 0) {
        tell(part, before.put_back(part));
    }
    PUTS_BACK.set(false);
}
