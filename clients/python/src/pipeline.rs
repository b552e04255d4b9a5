//! Calls in flight: several are sent without waiting for each, and their results are taken when they are needed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hotcell::rt::{Collects as _, Puts as _};
use hotcell::{Pipeline as Calls, Session, Ticket};
use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};

use crate::arguments::{self, Read};
use crate::ffi::own::OfThread;
use crate::function::Function;
use crate::hears::Hears;
use crate::numbers::takes;
use crate::results::{self, Taken};
use crate::{batch, call, ffi, raised};

/// Calls that are sent one after the other, and executed in that order, while Python goes on: `send` gives a `Coming`. Eight are in
/// flight at most: the next one waits for the first. At the end of a `with` none is. It stays on its thread.
#[pyclass(frozen, weakref, module = "hotcell._native")]
pub(crate) struct Pipeline {
    calls: OfThread<Calls>,
    session: Session,
    hears: Hears,
    /// What callbacks raised that the library keeps.
    raised: raised::Call,
}

/// What a call of a pipeline is going to give.
#[pyclass(frozen, module = "hotcell._native")]
pub(crate) struct Coming {
    of: Py<Pipeline>,
    function: Py<PyAny>,
    /// Not there while somebody waits for it.
    state: Mutex<Option<State>>,
}

/// What has become of it.
enum State {
    InFlight(Ticket<Taken>),
    Done(Py<PyAny>),
    Failed(PyErr),
}

impl Pipeline {
    pub(crate) fn new(session: &Session) -> Pipeline {
        let hears = Hears::new();
        let session = hears.session(session);
        Pipeline { calls: OfThread::new(session.pipeline()), session, hears, raised: raised::Call::new() }
    }

    /// Does something with the calls, in which it may let go of Python's lock.
    fn with<R>(&self, run: impl FnOnce(&mut Calls) -> R) -> PyResult<R> {
        let done = self.calls.with(|calls| self.raised.meanwhile(|| run(calls)));
        done.map_err(PyRuntimeError::new_err)
    }

    /// The same, without the lock: it may wait.
    fn aside<R>(&self, py: Python<'_>, run: impl FnOnce(&mut Calls) -> R) -> PyResult<R> {
        self.with(|calls| ffi::aside(py, || run(calls)))
    }

    /// What a call that failed raises.
    fn failed(&self, py: Python<'_>, function: &Function, error: &hotcell::Error) -> PyErr {
        let exception = call::raised(py, function, error, self.hears.raised());
        self.raised.reason(py, exception)
    }

    fn begin(
        &self,
        py: Python<'_>,
        function: &Function,
        given: ffi::Arguments<'_, '_>,
    ) -> PyResult<Ticket<Taken>> {
        let plan = &function.plan;
        let own = function.own.as_ref().map(|own| own.bind_borrowed(py));
        let given = arguments::sorted(plan, own, given)?;
        if !self.session.is(&function.session_for(py, &given)?) {
            let text = format!("{}() is of another session than the pipeline", plan.name);
            return Err(PyValueError::new_err(text));
        }
        let read = arguments::read(plan, &given)?;
        let sent = self.with(|calls| {
            let objects = arguments::objects(&read);
            let mut call = ffi::aside(py, || calls.entry_of(plan.index, &objects))?;
            for (param, argument) in plan.params.iter().zip(&read) {
                batch::put(&mut call, param, argument)?;
            }
            let plan = Arc::clone(plan);
            // Objects that come out belong to those that went in by what the worker knows.
            Ok(call.read(move |reply| results::take(reply, &plan, &Read::new())))
        })?;
        sent.map_err(|error| self.failed(py, function, &error))
    }
}

#[pymethods]
impl Pipeline {
    /// Sends a call of a function of this session, such as `library.crc32` or `object.method`. What it gives is `result()` of what
    /// this returns.
    #[pyo3(signature = (function, /, *args, **named))]
    fn send(
        slf: &Bound<'_, Self>,
        function: &Bound<'_, PyAny>,
        args: &Bound<'_, PyTuple>,
        named: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Coming> {
        let Some(own) = ffi::function_of(function) else {
            return Err(takes(function, "a function of a library", &|| "send(): `function`".into()));
        };
        if own.plan.by_value || own.maps {
            let name = &own.plan.name;
            let text = format!("{name}() cannot be in a pipeline: its calls go by values; call it by itself");
            return Err(PyTypeError::new_err(text));
        }
        let ticket = ffi::with_arguments(args, named, |given| slf.get().begin(slf.py(), own, given))?;
        let (of, function) = (slf.clone().unbind(), function.clone().unbind());
        Ok(Coming { of, function, state: Mutex::new(Some(State::InFlight(ticket))) })
    }

    /// Waits for all calls in flight, and keeps what they give. Behind it the worker is free for others.
    fn settle(&self, py: Python<'_>) -> PyResult<()> {
        self.aside(py, Calls::settle)
    }

    /// How many calls were sent whose reply nobody has looked at.
    #[getter]
    fn in_flight(&self) -> PyResult<usize> {
        self.with(|calls| calls.in_flight())
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyTuple>) -> PyResult<()> {
        self.settle(py)
    }
}

#[pymethods]
impl Coming {
    /// What the call gives, or raises. Waits for it, where it has not come, and for those in front of it.
    fn result(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let state = self.state().take();
        let ended = match state {
            None => return Err(PyRuntimeError::new_err("somebody waits for this result already")),
            Some(State::InFlight(ticket)) => self.end(py, ticket)?,
            Some(ended) => ended,
        };
        let result = match &ended {
            State::Failed(error) => Err(error.clone_ref(py)),
            State::Done(result) => Ok(result.clone_ref(py)),
            State::InFlight(_) => unreachable!("it was waited for"),
        };
        *self.state() = Some(ended);
        result
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let name: String = self.function.bind(py).getattr("__name__")?.extract()?;
        let what = match &*self.state() {
            Some(State::Done(_)) => "done",
            Some(State::Failed(_)) => "failed",
            Some(State::InFlight(_)) | None => "coming",
        };
        Ok(format!("<hotcell result of {name}(), {what}>"))
    }

    #[classmethod]
    fn __class_getitem__(class: &Bound<'_, PyType>, _of: &Bound<'_, PyAny>) -> Py<PyType> {
        class.clone().unbind()
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.of)?;
        visit.call(&self.function)
    }
}

impl Coming {
    fn state(&self) -> MutexGuard<'_, Option<State>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the call.
    fn end(&self, py: Python<'_>, ticket: Ticket<Taken>) -> PyResult<State> {
        let pipeline = self.of.get();
        let mut ticket = Some(ticket);
        let taken = pipeline.aside(py, |calls| ticket.take().map(|ticket| calls.take(ticket)));
        let taken = match (taken, ticket) {
            (Ok(Some(taken)), _) => taken,
            (refused, ticket) => {
                // Nobody has waited: it is to be had on the thread that it belongs to.
                *self.state() = ticket.map(State::InFlight);
                refused?;
                return Err(PyRuntimeError::new_err("somebody waits for this result already"));
            }
        };
        let function = self.function.bind(py);
        let function = ffi::function_of(function).ok_or_else(|| PyTypeError::new_err("it is no function"))?;
        Ok(match taken {
            Ok(taken) => match results::object(py, &function.loaded, &function.plan, taken, &Read::new()) {
                Ok(object) => State::Done(object),
                Err(error) => State::Failed(error),
            },
            Err(error) => State::Failed(pipeline.failed(py, function, &error)),
        })
    }
}
