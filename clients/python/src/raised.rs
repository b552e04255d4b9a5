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

/// What callbacks raised that the library keeps, by the number of the call that ran them. Under its lock it is only moved.
static KEPT: Mutex<Vec<(u64, PyErr)>> = Mutex::new(Vec::new());

thread_local! {
    /// The number of the call that is under way here; 0 outside of one.
    static CURRENT: Cell<u64> = const { Cell::new(0) };
}

/// A call under way, whose kept callbacks may raise.
pub(crate) struct Call(u64);

/// What was current before.
struct Before(u64);

impl Drop for Before {
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}

impl Call {
    pub(crate) fn new() -> Call {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Call(LAST.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn current(&self) -> Before {
        Before(CURRENT.replace(self.0))
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

    /// What one of several calls raises that failed with this: what a callback raised, if that is why it failed. The others may come
    /// out of other calls.
    pub(crate) fn reason(&self, py: Python<'_>, error: PyErr) -> PyErr {
        let mut raised = self.take();
        let text = error.to_string();
        let of_callback = errors::is_of_kind(py, &error, "CallbackFailed");
        let mut reasons = raised.iter();
        let reason = reasons.position(|raised| {
            !raised.is_instance_of::<PyException>(py) || of_callback && text.contains(&raised.to_string())
        });
        let reason = reason.map(|at| raised.remove(at));
        KEPT.lock().unwrap_or_else(PoisonError::into_inner).extend(raised.into_iter().map(|it| (self.0, it)));
        match told::<()>(py, reason, Err(error)) {
            Err(error) => error,
            Ok(()) => unreachable!("what failed has failed"),
        }
    }

    /// What comes out of the call.
    pub(crate) fn told<T>(self, py: Python<'_>, made: PyResult<T>) -> PyResult<T> {
        let mut of_call = self.take();
        let first = if of_call.is_empty() { None } else { Some(of_call.remove(0)) };
        told(py, first, made)
    }

    fn take(&self) -> Vec<PyErr> {
        let mut all = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        let mut of_call = Vec::new();
        while let Some(at) = all.iter().position(|(call, _)| *call == self.0) {
            of_call.push(all.remove(at).1);
        }
        of_call
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

/// Notes what a kept callback raised, for the call that runs it. Where there is none, nobody else would hear of it.
pub(crate) fn note(py: Python<'_>, error: PyErr) {
    match CURRENT.get() {
        0 => error.write_unraisable(py, None),
        call => KEPT.lock().unwrap_or_else(PoisonError::into_inner).push((call, error)),
    }
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
