//! Objects of the library: the class that those of every package extend.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, OnceLock};

use hotcell::Session;
use hotcell::rt::Handle;
use pyo3::exceptions::{PyAttributeError, PyTypeError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString, PyTuple, PyType};

use crate::aio::Aio;
use crate::cycles::{Held, Kept};
use crate::errors;
use crate::making::article;
use crate::package::Loaded;
use crate::restorable::Restorable;
use crate::{ffi, unknown};

/// An object of a library. It is released with `release()`, at the end of a `with`, or when nobody has it any more.
#[pyclass(frozen, subclass, weakref, module = "hotcell._native")]
pub(crate) struct Object {
    held: Arc<Held>,
    /// What it was known by when somebody asked first: a set finds it when it was released, too.
    hash: OnceLock<u64>,
}

impl Drop for Object {
    /// Its release may take as long as the library wants: other threads run meanwhile.
    fn drop(&mut self) {
        let held = self.held.set(None);
        if held.is_some() {
            ffi::let_go(held);
        }
    }
}

/// Where a class says which calls give its objects.
pub(crate) const HOW: &str = "_how";

/// What nobody else has: who passes it to a class makes an object of it.
pub(crate) fn key(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static KEY: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    KEY.get_or_try_init(py, || Ok(py.get_type::<PyAny>().call0()?.unbind())).map(|key| key.bind(py))
}

impl Object {
    /// A new object of this class, for a handle.
    pub(crate) fn make(
        class: &Bound<'_, PyType>,
        loaded: &Arc<Loaded>,
        handle: Handle,
    ) -> PyResult<Py<PyAny>> {
        let made = ffi::ends::call(class, (key(class.py())?,))?;
        let object = made.cast::<Object>()?;
        object.get().held.set(Some((handle, Arc::clone(loaded))));
        Ok(made.unbind())
    }

    /// Its handle, unless it was released here.
    pub(crate) fn handle(&self, py: Python<'_>) -> PyResult<Handle> {
        self.held.get().map(|(handle, _)| handle).ok_or_else(|| released(py))
    }

    /// Its handle and what is known of its library; nothing once it was released here.
    pub(crate) fn held(&self) -> Option<(Handle, Arc<Loaded>)> {
        self.held.get()
    }

    /// Has a function that the library keeps go with it.
    pub(crate) fn keeps(&self, py: Python<'_>, function: &Arc<Kept>) -> PyResult<()> {
        self.held.keeps(py, function)
    }

    /// The session that it belongs to.
    pub(crate) fn session(&self, py: Python<'_>) -> PyResult<Session> {
        self.handle(py).map(|handle| handle.session())
    }
}

#[pymethods]
impl Object {
    /// Made by calls of the library alone.
    #[new]
    #[classmethod]
    #[pyo3(signature = (*given, **_named))]
    pub(crate) fn new(
        class: &Bound<'_, PyType>,
        given: &Bound<'_, PyTuple>,
        _named: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Object> {
        let (py, ours) = (class.py(), key(class.py())?);
        let by_call = given.len() == 1 && given.get_item(0)?.is(ours);
        // A class that somebody derives from one of these may have objects of its own, which are none of the library.
        let derived = || -> PyResult<bool> {
            let bases = class.is(py.get_type::<Object>()) || class.is(py.get_type::<Restorable>());
            Ok(!bases && !class.getattr("__dict__")?.contains(HOW)?)
        };
        if by_call || derived()? {
            return Ok(Object { held: Arc::default(), hash: OnceLock::new() });
        }
        let name = class.name()?.to_string();
        let how: Option<String> = class.getattr(HOW).and_then(|how| how.extract()).ok();
        let how = how.map(|how| format!(": {how}")).unwrap_or_default();
        let text = format!("{} {name} comes out of a call, and is not made by itself{how}", article(&name));
        Err(PyTypeError::new_err(text))
    }

    /// Lets go of the object: the library releases it, if it is the application's. Calling this again does nothing.
    fn release(&self, py: Python<'_>) {
        let held = self.held.set(None);
        ffi::aside(py, || drop(held));
    }

    /// The same object, for calls with this deadline, in seconds.
    fn within(slf: &Bound<'_, Self>, seconds: f64) -> PyResult<Py<PyAny>> {
        let (py, deadline) = (slf.py(), crate::options::seconds("seconds", seconds)?);
        let (handle, loaded) = slf.get().held.get().ok_or_else(|| released(py))?;
        Object::make(&slf.get_type(), &loaded, handle.within(deadline))
    }

    /// The functions of this object as coroutines.
    #[getter]
    fn aio(slf: &Bound<'_, Self>) -> Aio {
        Aio::of(slf.as_any())
    }

    /// What is wrong with a name that its class does not have.
    fn __getattr__(slf: &Bound<'_, Self>, name: &Bound<'_, PyString>) -> PyResult<Py<PyAny>> {
        // Half of a pair of surrogates is no name of anything here.
        let name = &*name.to_string_lossy();
        let (py, class) = (slf.py(), slf.get_type().name()?.to_string());
        let held = slf.get().held.get().filter(|_| !name.starts_with("__"));
        Err(PyAttributeError::new_err(match held {
            Some((_, loaded)) => unknown::function(py, &loaded, Some(&class), name),
            None => format!("'{class}' object has no attribute '{name}'"),
        }))
    }

    fn __enter__<'py>(slf: Bound<'py, Self>) -> PyResult<Bound<'py, Self>> {
        slf.get().handle(slf.py())?;
        Ok(slf)
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyTuple>) {
        self.release(py);
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.held.traverse(&visit)
    }

    fn __clear__(&self) {
        self.held.clear();
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        let Ok(other) = other.cast::<Object>() else { return false };
        if std::ptr::eq(self, other.get()) {
            return true;
        }
        match (self.held.get(), other.get().held.get()) {
            (Some((own, _)), Some((theirs, _))) => own == theirs,
            _ => false,
        }
    }

    fn __hash__(&self) -> u64 {
        *self.hash.get_or_init(|| {
            let mut hasher = DefaultHasher::new();
            match self.held.get() {
                Some((handle, _)) => handle.hash(&mut hasher),
                None => std::ptr::from_ref(self).hash(&mut hasher),
            }
            hasher.finish()
        })
    }

    fn __reduce__(slf: &Bound<'_, Self>) -> PyResult<()> {
        let name = slf.get_type().name()?;
        let text = format!("a {name} cannot be pickled or copied: it lives in the worker of its session");
        Err(PyTypeError::new_err(text))
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let name = slf.get_type().name()?;
        Ok(match slf.get().held.get() {
            None => format!("<{name}, released>"),
            Some((handle, loaded)) if handle.is_owned() => format!("<{name} of {}>", loaded.library()),
            Some((_, loaded)) => format!("<{name} of {}, lent>", loaded.library()),
        })
    }
}

#[cold]
pub(crate) fn released(py: Python<'_>) -> PyErr {
    released_where(py, "")
}

/// The same, of what was passed somewhere.
#[cold]
pub(crate) fn released_where(py: Python<'_>, place: &str) -> PyErr {
    let text = format!("{place}the object was released, or did not come out of a call");
    errors::of_kind(py, "StaleHandle", "", &text)
}
