//! The end of Python, of which the threads of the runtime know nothing.
//!
//! They come to Python with the result of an awaited call, or for a callback. Whoever does while the interpreter is taken apart finds
//! half of it, and is ended in the middle of what it does. So they pass a gate, which is shut before: `atexit` shuts it, and waits for
//! those that are inside.

use std::process;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use pyo3::prelude::*;

use crate::ffi;

/// How long the end waits for callbacks that threads of the runtime are running. Those that run on after it stay where they are when
/// they want Python's lock.
const PATIENCE: Duration = Duration::from_secs(5);

static SHUT: AtomicBool = AtomicBool::new(false);

/// How many threads are inside, below the process whose they are: a child that was forked has none of them. No lock, for a child might
/// find it locked.
static INSIDE: AtomicU64 = AtomicU64::new(0);

/// A thread that is inside.
struct Inside;

impl Inside {
    fn enter() -> Option<Inside> {
        change(|inside| inside + 1);
        let inside = Inside;
        // In this order, and in the other one where it is shut: one of the two sees the other.
        (!SHUT.load(Ordering::SeqCst)).then_some(inside)
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        // A child that was forked meanwhile begins with none.
        change(|inside| inside.saturating_sub(1));
    }
}

/// Changes how many are inside of this process.
fn change(to: impl Fn(u32) -> u32) {
    let _ =
        INSIDE.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |all| Some(with(all, process::id(), &to)));
}

fn with(all: u64, own: u32, to: impl Fn(u32) -> u32) -> u64 {
    u64::from(own) << 32 | u64::from(to(inside(all, own)))
}

fn inside(all: u64, own: u32) -> u32 {
    if (all >> 32) as u32 == own { all as u32 } else { 0 }
}

/// Runs something with the lock of Python, unless Python is ending: on a thread of Python as long as that has its threads, on another
/// one until the gate is shut.
pub(crate) fn attach<R>(run: impl FnOnce(Python<'_>) -> R) -> Option<R> {
    if ffi::ends::is_known_here() {
        return Python::try_attach(run);
    }
    let _inside = Inside::enter()?;
    Python::try_attach(run)
}

/// Whether no thread of the runtime comes to Python any more.
pub(crate) fn is_ending() -> bool {
    SHUT.load(Ordering::SeqCst)
}

/// Shuts the gate, and waits for those that are inside.
#[pyfunction]
fn shut(py: Python<'_>) {
    SHUT.store(true, Ordering::SeqCst);
    let (begun, own) = (Instant::now(), process::id());
    while inside(INSIDE.load(Ordering::SeqCst), own) > 0 && begun.elapsed() < PATIENCE {
        ffi::aside(py, || thread::sleep(Duration::from_millis(1)));
    }
}

/// Has the gate shut when Python ends.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let shut = wrap_pyfunction!(shut, module)?;
    module.py().import("atexit")?.call_method1("register", (shut,))?;
    Ok(())
}
