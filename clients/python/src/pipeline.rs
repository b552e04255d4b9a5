//! Calls in flight: several are sent without waiting for each, and their results are taken when they are needed.

use std::sync::Arc;

use hotcell::rt::{Collects as _, Puts as _};
use hotcell::{Session, Ticket};
use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};

use crate::arguments::{self, Argument, Read};
use crate::flight::{Flights, Slot, State};
use crate::function::Function;
use crate::numbers::takes;
use crate::plan::Plan;
use crate::results::{self, Taken};
use crate::{batch, call, ffi, flight, raised};

/// Calls that are sent one after the other, and executed in that order, while Python goes on: `send` gives a `Coming`. Eight are in
/// flight at most: the next one waits for the first. At the end of a `with` none is. It stays on its thread.
#[pyclass(frozen, weakref, module = "hotcell._native")]
pub(crate) struct Pipeline {
    flights: Flights,
    session: Session,
    /// What callbacks raised that the library keeps.
    raised: raised::Call,
}

/// What a call of a pipeline is going to give.
#[pyclass(frozen, weakref, module = "hotcell._native")]
pub(crate) struct Coming {
    of: Py<Pipeline>,
    function: Py<PyAny>,
    slot: Arc<Slot>,
}

impl Pipeline {
    pub(crate) fn new(session: &Session) -> Pipeline {
        Pipeline { flights: Flights::new(), session: session.clone(), raised: raised::Call::of_several() }
    }

    /// What a call that failed raises.
    fn failed(&self, py: Python<'_>, function: &Function, error: &hotcell::Error) -> PyErr {
        self.raised.reason(py, call::raised(py, function, error, None))
    }

    fn begin(
        &self,
        py: Python<'_>,
        function: &Function,
        given: ffi::Arguments<'_, '_>,
    ) -> PyResult<Arc<Slot>> {
        let plan = &function.plan;
        let own = function.own.as_ref().map(|own| own.bind_borrowed(py));
        let given = arguments::sorted(plan, own, given)?;
        if !self.session.is(&function.session_for(py, &given)?) {
            let text = format!("{}() is of another session than the pipeline", plan.name);
            return Err(PyValueError::new_err(text));
        }
        let read = arguments::read(plan, &given)?;
        refuse_memory_to_fill(plan, &read)?;
        flight::let_go_of_left(py);
        let ran = self.flights.begin(py, &self.session, |going| {
            let ticket = self.raised.meanwhile(|| send(py, &mut going.calls, plan, &read))?;
            let slot = Slot::of(State::InFlight(ticket));
            going.add(&slot);
            Ok(slot)
        })?;
        match (ran.done, ran.raised.or_else(|| self.raised.ends_more(py))) {
            (Ok(slot), None) => Ok(slot),
            (Ok(_), Some(raised)) => Err(raised),
            (Err(error), raised) => {
                let failed = call::raised(py, function, &error, raised);
                Err(self.raised.reason(py, failed))
            }
        }
    }

    /// Waits for all that is in flight.
    fn end_all(&self, py: Python<'_>) -> PyResult<()> {
        let ran =
            self.flights.with(py, |going| self.raised.meanwhile(|| ffi::aside(py, || going.settle())))?;
        ran.map_or(Ok(()), flight::Ran::unless_raised)?;
        self.raised.ends_more(py).map_or(Ok(()), Err)
    }
}

/// Before there is a call, which is to be dropped without Python's lock.
fn refuse_memory_to_fill(plan: &Plan, read: &Read<'_, '_>) -> PyResult<()> {
    let into = plan.params.iter().zip(read).find(|(_, argument)| matches!(argument, Argument::Into(..)));
    let Some((param, _)) = into else { return Ok(()) };
    let what = param.says(plan);
    Err(PyValueError::new_err(format!("{what} cannot be memory to fill here: pass a size, and get the data")))
}

fn send(
    py: Python<'_>,
    calls: &mut hotcell::Pipeline,
    plan: &Arc<Plan>,
    read: &Read<'_, '_>,
) -> hotcell::Result<Ticket<Taken>> {
    let objects = arguments::objects(read);
    let mut call = ffi::aside(py, || calls.entry_of(plan.index, &objects))?;
    let put =
        plan.params.iter().zip(read).try_for_each(|(param, argument)| batch::put(&mut call, param, argument));
    if let Err(refused) = put {
        // What others left to be released may be released with it.
        ffi::aside(py, || drop(call));
        return Err(refused);
    }
    let plan = Arc::clone(plan);
    // Objects that come out belong to those that went in by what the worker knows.
    Ok(call.read(move |reply| results::take(reply, &plan, &Read::new())))
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
        let slot = ffi::with_arguments(args, named, |given| slf.get().begin(slf.py(), own, given))?;
        Ok(Coming { of: slf.clone().unbind(), function: function.clone().unbind(), slot })
    }

    /// Waits for all calls in flight, and keeps what they give. Behind it the worker is free for others.
    fn settle(&self, py: Python<'_>) -> PyResult<()> {
        self.end_all(py)
    }

    /// How many calls were sent whose reply nobody has looked at.
    #[getter]
    fn in_flight(&self, py: Python<'_>) -> PyResult<usize> {
        let ran = self.flights.with(py, |going| going.calls.in_flight())?;
        ran.map_or(Ok(0), flight::Ran::unless_raised)
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
        let state = self.slot.lock().take();
        let (ended, raised) = match state {
            None => return Err(PyRuntimeError::new_err("somebody waits for this result already")),
            Some(State::InFlight(ticket)) => {
                let (came, raised) = self.wait(py, ticket)?;
                let made = self.made(py, came);
                (made, raised.or_else(|| self.of.get().raised.ends_more(py)))
            }
            Some(State::Came(came)) => (self.made(py, came), None),
            Some(ended) => (ended, None),
        };
        let result = match &ended {
            State::Done(result) => Ok(result.clone_ref(py)),
            State::Failed(error) => Err(PyErr::from_value(error.bind(py).clone().into_any())),
            State::InFlight(_) | State::Came(_) => unreachable!("it was waited for"),
        };
        *self.slot.lock() = Some(ended);
        match raised {
            Some(raised) => {
                raised.set_cause(py, result.err());
                Err(raised)
            }
            None => result,
        }
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let name: String = self.function.bind(py).getattr("__name__")?.extract()?;
        let what = match &*self.slot.lock() {
            Some(State::Done(_) | State::Came(Ok(_))) => "done",
            Some(State::Failed(_) | State::Came(Err(_))) => "failed",
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
        visit.call(&self.function)?;
        // Who has it locked is no collector, and has the lock for no time.
        match self.slot.try_lock().as_deref() {
            Some(Some(State::Done(result))) => visit.call(result),
            Some(Some(State::Failed(error))) => visit.call(error),
            _ => Ok(()),
        }
    }

    fn __clear__(&self) {
        let state = self.slot.lock().take();
        drop(state);
    }
}

impl Drop for Coming {
    /// What came and nobody looked at may be objects of the library, whose release takes as long as that wants.
    fn drop(&mut self) {
        let came = self.slot.lock().take_if(|state| matches!(state, State::Came(_)));
        if came.is_some() {
            ffi::let_go(came);
        }
    }
}

impl Coming {
    /// Waits for the call. Comes with what a signal raised meanwhile.
    fn wait(
        &self,
        py: Python<'_>,
        ticket: Ticket<Taken>,
    ) -> PyResult<(hotcell::Result<Taken>, Option<PyErr>)> {
        let pipeline = self.of.get();
        let mut ticket = Some(ticket);
        let ran = pipeline.flights.with(py, |going| {
            let taken = || ticket.take().map(|ticket| going.calls.take(ticket));
            pipeline.raised.meanwhile(|| ffi::aside(py, taken))
        });
        match (ran, ticket) {
            (Ok(Some(flight::Ran { done: Some(came), raised })), _) => Ok((came, raised)),
            (refused, ticket) => {
                // Nobody has waited: it is to be had on the thread that it belongs to.
                *self.slot.lock() = ticket.map(State::InFlight);
                refused?;
                Err(PyRuntimeError::new_err("nothing is known of this call any more"))
            }
        }
    }

    /// Makes of it what Python gets.
    fn made(&self, py: Python<'_>, came: hotcell::Result<Taken>) -> State {
        let function = self.function.bind(py);
        let Some(function) = ffi::function_of(function) else {
            return State::Failed(PyTypeError::new_err("it is no function").into_value(py));
        };
        let made = match came {
            Ok(taken) => results::object(py, &function.loaded, &function.plan, taken, &Read::new()),
            Err(error) => Err(self.of.get().failed(py, function, &error)),
        };
        made.map_or_else(|error| State::Failed(error.into_value(py)), State::Done)
    }
}
