//! Objects of the library: the class that those of every package extend.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::Mutex;

use hotcell::Session;
use hotcell::rt::Handle;
use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::aio::Aio;
use crate::errors;
use crate::ffi;
use crate::package::Loaded;

/// An object of a library. It is released with `release()`, at the end of a `with`, or when nobody has it any more.
#[pyclass(frozen, subclass, weakref, module = "hotcell._native")]
pub(crate) struct Object {
    held: Mutex<Option<(Handle, Arc<Loaded>)>>,
}

impl Object {
    /// A new object of this class, for a handle.
    pub(crate) fn make(
        class: &Bound<'_, PyType>,
        loaded: &Arc<Loaded>,
        handle: Handle,
    ) -> PyResult<Py<PyAny>> {
        let made = class.call0()?;
        let object = made.cast::<Object>()?;
        *lock(&object.get().held) = Some((handle, Arc::clone(loaded)));
        Ok(made.unbind())
    }

    /// Its handle, unless it was released here.
    pub(crate) fn handle(&self, py: Python<'_>) -> PyResult<Handle> {
        match &*lock(&self.held) {
            Some((handle, _)) => Ok(handle.clone()),
            None => Err(released(py)),
        }
    }

    /// The session that it belongs to.
    pub(crate) fn session(&self, py: Python<'_>) -> PyResult<Session> {
        match &*lock(&self.held) {
            Some((handle, _)) => Ok(handle.session()),
            None => Err(released(py)),
        }
    }
}

#[pymethods]
impl Object {
    #[new]
    fn new() -> Object {
        Object { held: Mutex::new(None) }
    }

    /// Lets go of the object: the library releases it, if it is the application's. Calling this again does nothing.
    fn release(&self, py: Python<'_>) {
        let held = lock(&self.held).take();
        ffi::aside(py, || drop(held));
    }

    /// The same object, for calls with this deadline, in seconds.
    fn within(slf: &Bound<'_, Self>, seconds: f64) -> PyResult<Py<PyAny>> {
        let (py, deadline) = (slf.py(), crate::options::seconds("seconds", seconds)?);
        let held = lock(&slf.get().held)
            .as_ref()
            .map(|(handle, loaded)| (handle.within(deadline), Arc::clone(loaded)));
        let (handle, loaded) = held.ok_or_else(|| released(py))?;
        Object::make(&slf.get_type(), &loaded, handle)
    }

    /// The functions of this object as coroutines.
    #[getter]
    fn aio(slf: &Bound<'_, Self>) -> Aio {
        Aio::of(slf.as_any())
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, pyo3::types::PyTuple>) {
        self.release(py);
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        let Ok(other) = other.cast::<Object>() else { return false };
        if std::ptr::eq(self, other.get()) {
            return true;
        }
        let own = lock(&self.held).as_ref().map(|(handle, _)| handle.clone());
        let theirs = lock(&other.get().held).as_ref().map(|(handle, _)| handle.clone());
        own.is_some() && own == theirs
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        match &*lock(&self.held) {
            Some((handle, _)) => handle.hash(&mut hasher),
            None => std::ptr::from_ref(self).hash(&mut hasher),
        }
        hasher.finish()
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let name = slf.get_type().name()?;
        Ok(match &*lock(&slf.get().held) {
            None => format!("<{name}, released>"),
            Some((handle, loaded)) if handle.is_owned() => format!("<{name} of {}>", loaded.library()),
            Some((_, loaded)) => format!("<{name} of {}, lent>", loaded.library()),
        })
    }
}

#[cold]
fn released(py: Python<'_>) -> PyErr {
    errors::of_kind(py, "StaleHandle", "", "the object was released")
}

/// A lock that nobody has panicked with: what is done with it is a copy.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
