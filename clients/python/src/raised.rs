//! What functions of Python raised that the library calls: it comes out of the call that ran them, whatever else that call came to.

use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::Poll;

use pyo3::exceptions::PyException;
use pyo3::prelude::*;

use crate::errors;

/// What a callback raised that the library keeps.
struct Noted {
    /// The number of the call that ran it, or of several.
    call: u64,
    number: u64,
    error: PyErr,
}

/// All of that. Under its lock it is only moved.
static KEPT: Mutex<Vec<Noted>> = Mutex::new(Vec::new());

/// How the failure of one of several calls tells which it was.
fn mark(number: u64) -> String {
    format!(" (exception {number} of Python)")
}

thread_local! {
    /// The call that is under way here, if there is one.
    static CURRENT: Cell<Option<Current>> = const { Cell::new(None) };
}

/// A call under way, whose kept callbacks may raise; or several.
pub(crate) struct Call(Current);

/// By its number.
#[derive(Clone, Copy)]
struct Current {
    call: u64,
    several: bool,
}

/// What was current before.
struct Before(Option<Current>);

/// Another number than all before.
fn next() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

impl Drop for Before {
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}

impl Call {
    pub(crate) fn new() -> Call {
        Call(Current { call: next(), several: false })
    }

    /// Several of one pipeline.
    pub(crate) fn of_several() -> Call {
        Call(Current { call: next(), several: true })
    }

    fn current(&self) -> Before {
        Before(CURRENT.replace(Some(self.0)))
    }

    /// Makes this the call of a future, whichever others its thread polls.
    pub(crate) async fn polls<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        std::future::poll_fn(|context| -> Poll<F::Output> {
            let _before = self.current();
            future.as_mut().poll(context)
        })
        .await
    }

    /// Makes this the call of what is run.
    pub(crate) fn meanwhile<R>(&self, run: impl FnOnce() -> R) -> R {
        let _before = self.current();
        run()
    }

    /// What one of several calls raises that failed with this: what a callback raised, if that is why it failed. The others come out
    /// of other calls.
    pub(crate) fn reason(&self, py: Python<'_>, error: PyErr) -> PyErr {
        if !errors::is_of_kind(py, &error, "CallbackFailed") {
            return error;
        }
        let (text, mut all) = (error.to_string(), self.take());
        let at = all.iter().position(|noted| text.contains(&mark(noted.number)));
        let reason = at.map(|at| all.remove(at).error);
        self.put_back(all);
        reason.unwrap_or(error)
    }

    /// What a callback raised that is to end more than its call, such as `KeyboardInterrupt`, whichever of them that was.
    pub(crate) fn ends_more(&self, py: Python<'_>) -> Option<PyErr> {
        let mut all = self.take();
        let at = all.iter().position(|noted| !noted.error.is_instance_of::<PyException>(py));
        let ends = at.map(|at| all.remove(at).error);
        self.put_back(all);
        ends
    }

    /// What comes out of the call.
    pub(crate) fn told<T>(self, py: Python<'_>, made: PyResult<T>) -> PyResult<T> {
        let mut of_call = self.take();
        let first = if of_call.is_empty() { None } else { Some(of_call.remove(0).error) };
        told(py, first, made)
    }

    fn put_back(&self, all: Vec<Noted>) {
        debug_assert!(all.iter().all(|noted| noted.call == self.0.call), "it is what was taken");
        KEPT.lock().unwrap_or_else(PoisonError::into_inner).extend(all);
    }

    fn take(&self) -> Vec<Noted> {
        let mut all = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        all.extract_if(.., |noted| noted.call == self.0.call).collect()
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        // One that was given up leaves nothing either.
        drop(self.take());
    }
}

/// Runs a call whose kept callbacks may raise.
pub(crate) fn during<T>(py: Python<'_>, run: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    let call = Call::new();
    let before = call.current();
    let made = run();
    drop(before);
    call.told(py, made)
}

/// Notes what a kept callback raised, for the call that runs it; where there is none, nobody else would hear of it. What the call is
/// told.
pub(crate) fn note(py: Python<'_>, error: PyErr) -> String {
    let text = error.to_string();
    let Some(Current { call, several }) = CURRENT.get() else {
        error.write_unraisable(py, None);
        return text;
    };
    let number = next();
    KEPT.lock().unwrap_or_else(PoisonError::into_inner).push(Noted { call, number, error });
    if several { text + &mark(number) } else { text }
}

/// What comes out of a call in which a callback raised this: the exception itself, if the call failed for it, or if it is to end more
/// than the call, such as `KeyboardInterrupt`; else it is the context of what the call failed for.
pub(crate) fn told<T>(py: Python<'_>, raised: Option<PyErr>, made: PyResult<T>) -> PyResult<T> {
    let Some(raised) = raised else { return made };
    let ends_more = !raised.is_instance_of::<PyException>(py);
    match made {
        Err(error) if errors::is_of_kind(py, &error, "CallbackFailed") => Err(raised),
        Err(error) if ends_more => {
            raised.set_cause(py, Some(error));
            Err(raised)
        }
        Err(error) => {
            error.set_context(py, Some(raised));
            Err(error)
        }
        Ok(_) if ends_more => Err(raised),
        Ok(made) => Ok(made),
    }
}
