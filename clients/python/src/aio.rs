//! Calls that are awaited in an event loop of `asyncio`: they hold no thread while they wait.
//!
//! One thread of this module runs the runtime that waits for all of them.

use std::panic::Location;
use std::sync::{Arc, Mutex, PoisonError};

use hotcell::dynamic;
use pyo3::exceptions::{PyAttributeError, PyRuntimeError, PyTypeError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use tokio::runtime::{Builder, Handle};

use crate::arguments::{self, Given};
use crate::by_value::{Read, Rooms};
use crate::function::Function;
use crate::{by_value, ending, errors, ffi, raised};

/// The runtime, and the process whose it is: a child that was forked has none of its threads. It is locked with the lock of Python alone,
/// which whoever forks has, so no child finds it locked.
static RUNTIME: Mutex<Option<(u32, Handle)>> = Mutex::new(None);

/// What finishes a future in its loop.
const FINISH: (&str, &str) = ("hotcell._aio", "finish");

/// The functions of a library, or of an object, as coroutines.
#[pyclass(frozen, module = "hotcell._native")]
pub(crate) struct Aio {
    of: Py<PyAny>,
}

/// A function whose calls are awaited.
#[pyclass(frozen, module = "hotcell._native")]
struct AioFunction {
    function: Py<PyAny>,
}

impl Aio {
    pub(crate) fn of(object: &Bound<'_, PyAny>) -> Aio {
        Aio { of: object.clone().unbind() }
    }
}

#[pymethods]
impl Aio {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.of)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("<functions of {}, to be awaited>", self.of.bind(py).repr()?))
    }

    fn __getattr__(&self, py: Python<'_>, name: &str) -> PyResult<AioFunction> {
        let function = self.of.bind(py).getattr(name)?;
        match ffi::function_of(&function) {
            Some(_) => Ok(AioFunction { function: function.unbind() }),
            None => Err(PyAttributeError::new_err(format!("`{name}` is no function of the library"))),
        }
    }
}

#[pymethods]
impl AioFunction {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.function)
    }

    #[pyo3(signature = (*args, **named))]
    fn __call__(
        &self,
        py: Python<'_>,
        args: &Bound<'_, PyTuple>,
        named: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Py<PyAny>> {
        let function = self.function.bind(py);
        let own = ffi::function_of(function).ok_or_else(|| PyTypeError::new_err("it is no function"))?;
        let all = own.bind_arguments(py, args, named)?;
        begin(py, function, own, all)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("<{}, to be awaited>", self.function.bind(py).repr()?))
    }

    /// It is the same: nothing in it changes.
    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }

    /// As of the function.
    fn __reduce__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.function.bind(py).call_method0("__reduce__").map(Bound::unbind)
    }

    /// Its name and signature are the function's.
    fn __getattr__(&self, py: Python<'_>, name: &str) -> PyResult<Py<PyAny>> {
        match name {
            "__name__" | "__qualname__" | "__c_name__" | "__signature__" => {
                self.function.bind(py).getattr(name).map(Bound::unbind)
            }
            _ => Err(PyAttributeError::new_err(format!("an awaited function has no attribute `{name}`"))),
        }
    }
}

/// Begins a call, and makes the future of its result.
fn begin(
    py: Python<'_>,
    object: &Bound<'_, PyAny>,
    function: &Function,
    args: Vec<Py<PyAny>>,
) -> PyResult<Py<PyAny>> {
    let (plan, loaded) = (Arc::clone(&function.plan), Arc::clone(&function.loaded));
    if ending::is_ending() {
        let text = format!("{}() cannot be awaited: Python is ending", plan.name);
        return Err(PyRuntimeError::new_err(text));
    }
    let called = &loaded.interface.functions[usize::from(plan.index)];
    let held: Vec<Bound<'_, PyAny>> = args.iter().map(|arg| arg.bind(py).clone()).collect();
    let given: Given<'_, '_> = held.iter().map(|arg| arg.as_borrowed()).collect();
    if !plan.by_value {
        // What is wrong with an argument is told as by a call that waits.
        arguments::read(&plan, &given)?;
    }
    let Read { values, callbacks, rooms } = by_value::read(py, &plan, called, &loaded, &given)?;
    if !callbacks.is_empty() {
        let text =
            format!("{}() is passed a function that runs in its call: it cannot be awaited yet", plan.name);
        return Err(PyTypeError::new_err(text));
    }
    let session = function.session_for(py, &given)?;
    let event_loop = py.import("asyncio")?.call_method0("get_running_loop")?;
    let future = event_loop.call_method0("create_future")?;
    let finish = py.import(FINISH.0)?.getattr(FINISH.1)?.unbind();
    let mut kept = Kept(Some(References {
        args,
        rooms,
        event_loop: event_loop.unbind(),
        waiting: future.clone().unbind(),
        finish,
        _function: object.clone().unbind(),
    }));
    let task = runtime()?.spawn(async move {
        let called = (plan.index, &loaded.interface.functions[usize::from(plan.index)]);
        let call = raised::Call::new();
        let made = dynamic::call_awaited(&session, &loaded.interface, called, &values, Location::caller());
        let made = call.polls(made).await;
        // Where Python has begun to end, no loop runs that waits for it.
        ending::attach(|py| {
            let Some(mut kept) = kept.0.take() else { return };
            let rooms = std::mem::take(&mut kept.rooms);
            let held: Vec<Bound<'_, PyAny>> = kept.args.iter().map(|arg| arg.bind(py).clone()).collect();
            let given: Given<'_, '_> = held.iter().map(|arg| arg.as_borrowed()).collect();
            let made = match made {
                Ok(outcome) => by_value::object(py, &loaded, &plan, outcome, (&given, &rooms)),
                Err(error) => {
                    let left = by_value::left(&loaded, called.1, &plan, &error, &given);
                    Err(left.err().unwrap_or_else(|| errors::exception(py, Some(&loaded), &error)))
                }
            };
            let (result, raised) = match call.told(py, made) {
                Ok(result) => (result, py.None()),
                Err(raised) => (py.None(), raised.into_value(py).into_any()),
            };
            // Who hears of it finds memory that is not lent any more.
            drop(rooms);
            // A loop that is closed has nobody who waits.
            let soon = kept.event_loop.bind(py).getattr("call_soon_threadsafe");
            let _ =
                soon.and_then(|soon| ffi::ends::call(&soon, (&kept.finish, &kept.waiting, result, raised)));
        });
    });
    let stop = Stop { task: task.abort_handle() };
    future.call_method1("add_done_callback", (Py::new(py, stop)?,))?;
    Ok(future.unbind())
}

/// What of Python's a call has while it is under way.
struct References {
    args: Vec<Py<PyAny>>,
    /// Memory that it is to fill, which stays where it is meanwhile.
    rooms: Rooms,
    event_loop: Py<PyAny>,
    waiting: Py<PyAny>,
    finish: Py<PyAny>,
    _function: Py<PyAny>,
}

/// The same, let go of with Python's lock also where the call is given up: without it they would wait for whoever comes to Python next.
struct Kept(Option<References>);

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(kept) = self.0.take() {
            ending::attach(move |_| drop(kept));
        }
    }
}

/// Gives a call up whose future was cancelled.
#[pyclass(frozen)]
struct Stop {
    task: tokio::task::AbortHandle,
}

#[pymethods]
impl Stop {
    fn __call__(&self, py: Python<'_>, future: &Bound<'_, PyAny>) -> PyResult<()> {
        if future.call_method0("cancelled")?.is_truthy()? {
            ffi::aside(py, || self.task.abort());
        }
        Ok(())
    }
}

/// The runtime of this process.
fn runtime() -> PyResult<Handle> {
    let mut runtime = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    let own = std::process::id();
    if let Some((_, handle)) = runtime.as_ref().filter(|(of, _)| *of == own) {
        return Ok(handle.clone());
    }
    let made = Builder::new_current_thread().enable_all().build()?;
    let handle = made.handle().clone();
    std::thread::Builder::new()
        .name("hotcell-aio".into())
        .spawn(move || made.block_on(std::future::pending::<()>()))?;
    // That of the process this one was forked of is not touched any more.
    std::mem::forget(runtime.replace((own, handle.clone())));
    Ok(handle)
}
