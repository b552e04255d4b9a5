//! Cycles through functions that the library keeps.
//!
//! Such a function belongs to the session, which Python's collector cannot see, until the object goes that it was registered with.
//! Where one object of Python alone stands for that, the function goes with it: then it is that object's, for the collector. Others
//! that stand for it, or need it, are known by its handle, whose count other threads change at any time. So it is looked at once,
//! before a collection, and is what it was until that is over: who is about to make another one has the object meanwhile.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use hotcell::rt::Handle;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::package::Loaded;

/// A function that the library keeps. It is moved and copied with Python's lock alone.
pub(crate) struct Kept(Mutex<Option<Py<PyAny>>>);

impl Kept {
    pub(crate) fn new(function: Py<PyAny>) -> Arc<Kept> {
        Arc::new(Kept(Mutex::new(Some(function))))
    }

    /// The function, unless it was collected.
    pub(crate) fn function(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.lock().as_ref().map(|function| function.clone_ref(py))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Py<PyAny>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an object of Python holds. Nothing is done with it under a lock but moving and copying: whatever of Python ran there could
/// let another thread wait for the lock that has Python's.
#[derive(Default)]
pub(crate) struct Held {
    object: Mutex<Option<(Handle, Arc<Loaded>)>>,
    /// Functions that go with it.
    kept: Mutex<Vec<Weak<Kept>>>,
    /// Whether nobody else has it, while the collector looks.
    alone: AtomicBool,
}

impl Held {
    pub(crate) fn get(&self) -> Option<(Handle, Arc<Loaded>)> {
        lock(&self.object).clone()
    }

    pub(crate) fn set(&self, held: Option<(Handle, Arc<Loaded>)>) -> Option<(Handle, Arc<Loaded>)> {
        std::mem::replace(&mut lock(&self.object), held)
    }

    /// Has a function go with it.
    pub(crate) fn keeps(self: &Arc<Held>, py: Python<'_>, function: &Arc<Kept>) -> PyResult<()> {
        static ASKED: PyOnceLock<()> = PyOnceLock::new();
        ASKED.get_or_try_init(py, || {
            let looks = wrap_pyfunction!(look, py)?;
            py.import("gc")?.getattr("callbacks")?.call_method1("append", (looks,)).map(drop)
        })?;
        let mut kept = lock(&self.kept);
        kept.retain(|kept| kept.strong_count() > 0);
        if kept.is_empty() {
            let mut all = lock(&ALL);
            all.retain(|held| held.strong_count() > 0);
            all.push(Arc::downgrade(self));
        }
        kept.push(Arc::downgrade(function));
        Ok(())
    }

    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        if !self.alone.load(Ordering::Relaxed) {
            return Ok(());
        }
        // Nobody has it locked, for the collector has Python's lock.
        let Ok(kept) = self.kept.try_lock() else { return Ok(()) };
        for kept in kept.iter().filter_map(Weak::upgrade) {
            if let Ok(function) = kept.0.try_lock() {
                visit.call(&*function)?;
            }
        }
        Ok(())
    }

    /// Lets go of the functions: nobody has the object any more.
    pub(crate) fn clear(&self) {
        let kept = std::mem::take(&mut *lock(&self.kept));
        let functions: Vec<_> = kept.iter().filter_map(|kept| kept.upgrade()?.lock().take()).collect();
        drop(functions);
    }
}

/// Those with which functions go.
static ALL: Mutex<Vec<Weak<Held>>> = Mutex::new(Vec::new());

fn lock<T>(it: &Mutex<T>) -> MutexGuard<'_, T> {
    it.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Looks, before the collector does, who has objects alone.
#[pyfunction]
fn look(phase: &str, _info: &Bound<'_, PyAny>) {
    let all: Vec<_> = lock(&ALL).iter().filter_map(Weak::upgrade).collect();
    for held in all {
        let alone =
            phase == "start" && lock(&held.object).as_ref().is_some_and(|(object, _)| object.is_alone());
        held.alone.store(alone, Ordering::Relaxed);
    }
}
