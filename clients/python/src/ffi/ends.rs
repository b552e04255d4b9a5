//! Threads that are in Python as it ends.
//!
//! Before 3.14, Python ends a thread that wants its lock then with `pthread_exit`. That unwinds the frames of the thread, also those of
//! Rust, whose destructors would give references back without the lock. So what may run Python's own code, which gives the lock away
//! and wants it again, is called from a frame where such a thread stays for ever, as it does in later versions.

use std::ffi::{c_double, c_int};

use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};
use pyo3::{BoundObject, IntoPyObject, IntoPyObjectExt, ffi};

// As in `pyo3::ffi`, but that they may unwind.
unsafe extern "C-unwind" {
    fn PyObject_CallObject(callable: *mut ffi::PyObject, args: *mut ffi::PyObject) -> *mut ffi::PyObject;
    fn PyNumber_Index(object: *mut ffi::PyObject) -> *mut ffi::PyObject;
    fn PyFloat_AsDouble(object: *mut ffi::PyObject) -> c_double;
    fn PyObject_GetIter(object: *mut ffi::PyObject) -> *mut ffi::PyObject;
    fn PyIter_Next(iterator: *mut ffi::PyObject) -> *mut ffi::PyObject;
    fn PyObject_Size(object: *mut ffi::PyObject) -> ffi::Py_ssize_t;
    fn PyObject_GetItem(object: *mut ffi::PyObject, key: *mut ffi::PyObject) -> *mut ffi::PyObject;
    fn PyObject_SetItem(
        object: *mut ffi::PyObject,
        key: *mut ffi::PyObject,
        value: *mut ffi::PyObject,
    ) -> c_int;
    fn PyObject_GetAttr(object: *mut ffi::PyObject, name: *mut ffi::PyObject) -> *mut ffi::PyObject;
    fn PyObject_SetAttr(
        object: *mut ffi::PyObject,
        name: *mut ffi::PyObject,
        value: *mut ffi::PyObject,
    ) -> c_int;
    fn PyMapping_Items(object: *mut ffi::PyObject) -> *mut ffi::PyObject;
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

/// Runs one of those functions. If it unwinds, by `pthread_exit` alone, no frame of Rust is left: what `run` is has nothing that is
/// dropped, and this drops `stays` first, which does not return.
fn here<R>(run: impl FnOnce() -> R) -> R {
    let stays = Stays;
    let made = run();
    std::mem::forget(stays);
    made
}

/// The object that one of them made.
fn made(py: Python<'_>, run: impl FnOnce() -> *mut ffi::PyObject) -> PyResult<Bound<'_, PyAny>> {
    let made = here(run);
    // SAFETY: each of them gives a new object, or null with an exception set, and a `Python` says that this thread has the lock.
    unsafe { Bound::from_owned_ptr_or_err(py, made) }
}

/// Whether one of them did what it should: else an exception is set.
fn done(py: Python<'_>, run: impl FnOnce() -> c_int) -> PyResult<()> {
    if here(run) < 0 { Err(PyErr::fetch(py)) } else { Ok(()) }
}

/// Calls what may run code of Python.
pub(crate) fn call<'py, A>(callable: &Bound<'py, PyAny>, args: A) -> PyResult<Bound<'py, PyAny>>
where
    A: IntoPyObject<'py, Target = PyTuple>,
{
    let args = args.into_pyobject_or_pyerr(callable.py())?.into_bound();
    let (own, args) = (callable.as_ptr(), args.as_ptr());
    // SAFETY: `callable` and the tuple live until this returns, and a `Bound` says that this thread has the lock.
    made(callable.py(), || unsafe { PyObject_CallObject(own, args) })
}

/// The integer that an object is.
pub(crate) fn index<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let own = object.as_ptr();
    // SAFETY: the object lives until this returns, and a `Bound` says that this thread has the lock.
    made(object.py(), || unsafe { PyNumber_Index(own) })
}

/// The number that an object is.
pub(crate) fn float(object: &Bound<'_, PyAny>) -> PyResult<f64> {
    let own = object.as_ptr();
    // SAFETY: as of `index`.
    let number = here(|| unsafe { PyFloat_AsDouble(own) });
    // What says that there is none may be one, too.
    match if number == -1.0 { PyErr::take(object.py()) } else { None } {
        Some(error) => Err(error),
        None => Ok(number),
    }
}

/// What an object consists of, one after the other.
pub(crate) struct Items<'py>(Bound<'py, PyAny>);

impl<'py> Items<'py> {
    pub(crate) fn of(object: &Bound<'py, PyAny>) -> PyResult<Items<'py>> {
        let own = object.as_ptr();
        // SAFETY: as of `index`.
        made(object.py(), || unsafe { PyObject_GetIter(own) }).map(Items)
    }
}

impl<'py> Iterator for Items<'py> {
    type Item = PyResult<Bound<'py, PyAny>>;

    fn next(&mut self) -> Option<Self::Item> {
        let (py, own) = (self.0.py(), self.0.as_ptr());
        // SAFETY: as of `index`; what `PyObject_GetIter` made is an iterator.
        let next = here(|| unsafe { PyIter_Next(own) });
        // SAFETY: as of `made`; without an exception null is the end.
        match unsafe { Bound::from_owned_ptr_or_opt(py, next) } {
            Some(next) => Some(Ok(next)),
            None => PyErr::take(py).map(Err),
        }
    }
}

/// How many elements an object has.
pub(crate) fn length(object: &Bound<'_, PyAny>) -> PyResult<usize> {
    let own = object.as_ptr();
    // SAFETY: as of `index`.
    let length = here(|| unsafe { PyObject_Size(own) });
    usize::try_from(length).map_err(|_| PyErr::fetch(object.py()))
}

/// The element at a place.
pub(crate) fn item<'py>(object: &Bound<'py, PyAny>, at: usize) -> PyResult<Bound<'py, PyAny>> {
    let key = at.into_pyobject(object.py())?;
    let (own, place) = (object.as_ptr(), key.as_ptr());
    // SAFETY: as of `index`; the key lives as long.
    made(object.py(), || unsafe { PyObject_GetItem(own, place) })
}

/// Sets the element of a name.
pub(crate) fn set_item(object: &Bound<'_, PyAny>, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
    let name = PyString::new(object.py(), name);
    let (own, key, value) = (object.as_ptr(), name.as_ptr(), value.as_ptr());
    // SAFETY: as of `index`; name and value live as long.
    done(object.py(), || unsafe { PyObject_SetItem(own, key, value) })
}

/// An attribute.
pub(crate) fn attribute<'py>(object: &Bound<'py, PyAny>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    let name = PyString::new(object.py(), name);
    let (own, key) = (object.as_ptr(), name.as_ptr());
    // SAFETY: as of `item`.
    made(object.py(), || unsafe { PyObject_GetAttr(own, key) })
}

/// Sets an attribute.
pub(crate) fn set_attribute(object: &Bound<'_, PyAny>, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
    let name = PyString::new(object.py(), name);
    let (own, key, value) = (object.as_ptr(), name.as_ptr(), value.as_ptr());
    // SAFETY: as of `set_item`.
    done(object.py(), || unsafe { PyObject_SetAttr(own, key, value) })
}

/// The pairs of a mapping.
pub(crate) fn pairs<'py>(mapping: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let own = mapping.as_ptr();
    // SAFETY: as of `index`.
    made(mapping.py(), || unsafe { PyMapping_Items(own) })
}

/// Whether Python knows this thread: it made it, or has attached it and is not through with it.
pub(crate) fn is_known_here() -> bool {
    // SAFETY: it may be called by any thread at any time: it looks at a value of this thread.
    !unsafe { ffi::PyGILState_GetThisThreadState() }.is_null()
}
