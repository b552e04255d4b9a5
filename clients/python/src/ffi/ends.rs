//! Threads that are in Python as it ends.
//!
//! Before 3.14, Python ends a thread that wants its lock then with `pthread_exit`. That unwinds the frames of the thread, also those of
//! Rust, whose destructors would give references back without the lock. So what may run Python's own code, which gives the lock away
//! and wants it again, is called from a frame where such a thread stays for ever, as it does in later versions.

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use pyo3::{BoundObject, IntoPyObject, IntoPyObjectExt, ffi};

unsafe extern "C-unwind" {
    /// As in `pyo3::ffi`, but that it may unwind.
    fn PyObject_CallObject(callable: *mut ffi::PyObject, args: *mut ffi::PyObject) -> *mut ffi::PyObject;
}

/// Where a thread stays that is ended in Python.
struct Stays;

impl Drop for Stays {
    fn drop(&mut self) {
        loop {
            std::thread::park();
        }
    }
}

/// Calls what may run code of Python.
pub(crate) fn call<'py, A>(callable: &Bound<'py, PyAny>, args: A) -> PyResult<Bound<'py, PyAny>>
where
    A: IntoPyObject<'py, Target = PyTuple>,
{
    let args = args.into_pyobject_or_pyerr(callable.py())?.into_bound();
    let stays = Stays;
    // SAFETY: `callable` and the tuple live until this returns, and a `Bound` says that this thread has the lock. A new object comes
    // back, or null with an exception set. If it unwinds, by `pthread_exit` alone, no frame of Rust is left: the innermost one drops
    // `stays` first, which does not return.
    let made = unsafe { PyObject_CallObject(callable.as_ptr(), args.as_ptr()) };
    std::mem::forget(stays);
    // SAFETY: as above.
    unsafe { Bound::from_owned_ptr_or_err(callable.py(), made) }
}

/// Whether Python knows this thread: it made it, or has attached it and is not through with it.
pub(crate) fn is_known_here() -> bool {
    // SAFETY: it may be called by any thread at any time: it looks at a value of this thread.
    !unsafe { ffi::PyGILState_GetThisThreadState() }.is_null()
}
