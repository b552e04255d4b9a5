//! A session as Python has it: the class that the library of every package extends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hotcell::Session;
use pyo3::exceptions::{PyAttributeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple, PyType};

use crate::aio::Aio;
use crate::ffi::buffer::Buffer;
use crate::function::Function;
use crate::package::Loaded;
use crate::pipeline::Pipeline;
use crate::{arguments, errors, ffi, function, object, options, unknown, values};

/// A session with a library: its functions are attributes. It ends with `close()`, at the end of a `with`, or when nobody has it, its
/// functions and its objects any more.
#[pyclass(frozen, subclass, dict, weakref, module = "hotcell._native")]
pub(crate) struct Library {
    held: Mutex<Option<(Session, Arc<Loaded>)>>,
}

impl Library {
    /// A new session's object, of this class.
    pub(crate) fn make(
        class: &Bound<'_, PyType>,
        loaded: &Arc<Loaded>,
        session: Session,
    ) -> PyResult<Py<PyAny>> {
        let made = ffi::ends::call(class, (object::key(class.py())?,))?;
        function::fill(made.py(), loaded, &session, made.getattr("__dict__")?.cast::<PyDict>()?)?;
        let held = Some((session, Arc::clone(loaded)));
        let before = std::mem::replace(&mut *made.cast::<Library>()?.get().lock(), held);
        drop(before);
        Ok(made.unbind())
    }

    fn lock(&self) -> MutexGuard<'_, Option<(Session, Arc<Loaded>)>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its session, unless it was closed.
    pub(crate) fn session(&self, py: Python<'_>) -> PyResult<Session> {
        self.held(py).map(|(session, _)| session)
    }

    fn held(&self, py: Python<'_>) -> PyResult<(Session, Arc<Loaded>)> {
        let held = self.lock().as_ref().map(|(session, loaded)| (session.clone(), Arc::clone(loaded)));
        held.ok_or_else(|| errors::of_kind(py, "InvalidArgument", "", "the library was closed"))
    }

    /// A function by its name in C, or what is wrong with the name.
    fn by_c_name(&self, own: &Bound<'_, Self>, name: &str) -> PyResult<Py<PyAny>> {
        let py = own.py();
        if name.starts_with("__") {
            return Err(PyAttributeError::new_err(name.to_owned()));
        }
        let (_, loaded) = self.held(py)?;
        let plan = loaded.plans.iter().find(|plan| plan.c_name == name);
        if let Some(plan) = plan.filter(|plan| plan.own.is_none() && plan.name != name) {
            return Ok(own.getattr(plan.name.as_str())?.unbind());
        }
        let text = unknown::function(py, &loaded, None, name);
        Err(PyAttributeError::new_err(text))
    }
}

impl Drop for Library {
    /// The end of a session waits for its worker: other threads run meanwhile.
    fn drop(&mut self) {
        let held = self.lock().take();
        if held.is_some() {
            ffi::let_go(held);
        }
    }
}

#[pymethods]
impl Library {
    /// Opened, and not made.
    #[new]
    #[classmethod]
    #[pyo3(signature = (*given, **_named))]
    fn new(
        class: &Bound<'_, PyType>,
        given: &Bound<'_, PyTuple>,
        _named: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Library> {
        if given.len() == 1 && given.get_item(0)?.is(object::key(class.py())?) {
            return Ok(Library { held: Mutex::new(None) });
        }
        let name = class.name()?;
        Err(PyTypeError::new_err(format!(
            "a session is opened, and {name} makes none: hotcell.load(…) opens one, and open() of a package"
        )))
    }

    /// Ends the session, when its objects and functions have gone, too. Calling this again does nothing.
    fn close(slf: &Bound<'_, Self>) -> PyResult<()> {
        let held = slf.get().lock().take();
        slf.getattr("__dict__")?.cast::<PyDict>()?.clear();
        ffi::aside(slf.py(), || drop(held));
        Ok(())
    }

    /// Another session with the same library: for a process that was forked, or for other options.
    #[pyo3(signature = (*others, **options), text_signature = "($self, **options)")]
    fn open(
        &self,
        py: Python<'_>,
        others: &Bound<'_, PyTuple>,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Py<PyAny>> {
        let (_, loaded) = self.held(py)?;
        if !others.is_empty() {
            // Who passes something means a function of the library.
            let meant = unknown::function(py, &loaded, None, "open");
            let text = format!("open() begins another session, and takes options by name; {meant}");
            return Err(PyTypeError::new_err(text));
        }
        loaded.open(py, options::read(options)?)
    }

    /// The same library, for calls with this deadline, in seconds.
    fn within(slf: &Bound<'_, Self>, seconds: f64) -> PyResult<Py<PyAny>> {
        let deadline = options::seconds("seconds", seconds)?;
        let (session, loaded) = slf.get().held(slf.py())?;
        Library::make(&slf.get_type(), &loaded, session.within(deadline))
    }

    /// Memory of the session, which the library reads where it lies: for data that are made in place and passed often.
    fn buffer(&self, py: Python<'_>, bytes: &Bound<'_, PyAny>) -> PyResult<Buffer> {
        let bytes = arguments::count(bytes.as_borrowed(), "bytes", "a number of bytes", &|| {
            "buffer(): `bytes`".to_owned()
        })?;
        let (session, loaded) = self.held(py)?;
        let made = ffi::aside(py, || session.buffer(bytes));
        made.map(Buffer::of).map_err(|error| errors::exception(py, Some(&loaded), &error))
    }

    /// Begins a pipeline: calls that are sent without waiting for each.
    fn pipeline(&self, py: Python<'_>) -> PyResult<Pipeline> {
        Ok(Pipeline::new(&self.session(py)?))
    }

    /// What is known of the session: its worker, calls and faults, and what restricts the library.
    fn info(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let (session, _) = self.held(py)?;
        values::of_json(py, &session.stats().to_json())
    }

    /// The process id of the worker; `None` after a fault, until the next call.
    #[getter]
    fn worker_pid(&self, py: Python<'_>) -> PyResult<Option<u32>> {
        Ok(self.session(py)?.worker_pid())
    }

    /// Which worker serves, from 1: another number after every fault.
    #[getter]
    fn generation(&self, py: Python<'_>) -> PyResult<u64> {
        Ok(self.session(py)?.generation())
    }

    /// Calls a function by its name in C, with the object that it is a method of where C has it.
    #[pyo3(signature = (c_name, *args))]
    fn call(slf: &Bound<'_, Self>, c_name: &str, args: &Bound<'_, PyTuple>) -> PyResult<Py<PyAny>> {
        let (session, loaded) = slf.get().held(slf.py())?;
        let Some(plan) = loaded.plans.iter().find(|plan| plan.c_name == c_name) else {
            return slf.get().by_c_name(slf, c_name);
        };
        Function::by_c_name(plan, &loaded, session).call_in_order(slf.py(), args)
    }

    /// A class of the library by its name.
    #[pyo3(name = "type")]
    fn class_of(slf: &Bound<'_, Self>, name: &str) -> PyResult<Py<PyAny>> {
        let (_, loaded) = slf.get().held(slf.py())?;
        let found = loaded.class(name).map(|class| class.clone_ref(slf.py()).into_any());
        found.ok_or_else(|| {
            let known = loaded.class_names().join(", ");
            let known = if known.is_empty() { "none".to_owned() } else { known };
            PyAttributeError::new_err(format!("{} has no type `{name}`; it has {known}", loaded.library()))
        })
    }

    /// The functions as coroutines.
    #[getter]
    fn aio(slf: &Bound<'_, Self>) -> Aio {
        Aio::of(slf.as_any())
    }

    /// A function by its name in C, a constant or a class, or what is wrong with the name.
    fn __getattr__(slf: &Bound<'_, Self>, name: &Bound<'_, PyString>) -> PyResult<Py<PyAny>> {
        // Half of a pair of surrogates is no name of anything here.
        let name = &*name.to_string_lossy();
        if let Some((_, loaded)) = slf.get().lock().clone()
            && !loaded.plans.iter().any(|plan| plan.c_name == name)
            && let Some(value) = loaded.named(slf.py(), name)?
        {
            return Ok(value);
        }
        slf.get().by_c_name(slf, name)
    }

    /// What it has: constants and classes, too.
    fn __dir__(slf: &Bound<'_, Self>) -> PyResult<Vec<String>> {
        let any = slf.py().get_type::<PyAny>();
        let mut all: Vec<String> = any.call_method1("__dir__", (slf,))?.extract()?;
        if let Some((_, loaded)) = slf.get().lock().clone() {
            all.extend(loaded.known().map(str::to_owned));
        }
        Ok(all)
    }

    fn __enter__<'py>(slf: Bound<'py, Self>) -> PyResult<Bound<'py, Self>> {
        slf.get().held(slf.py())?;
        Ok(slf)
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(slf: &Bound<'_, Self>, _exception: &Bound<'_, PyTuple>) -> PyResult<()> {
        Library::close(slf)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let name = slf.get_type().name()?;
        let held = slf.get().lock().clone();
        Ok(match held {
            None => format!("<{name}, closed>"),
            Some((session, loaded)) => match session.worker_pid() {
                Some(pid) => {
                    format!(
                        "<{name}: {} functions of {}, worker {pid}>",
                        loaded.plans.len(),
                        loaded.library()
                    )
                }
                None => {
                    format!("<{name}: {} functions of {}, no worker>", loaded.plans.len(), loaded.library())
                }
            },
        })
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyValueError::new_err("a session belongs to its process: open another one there"))
    }
}
