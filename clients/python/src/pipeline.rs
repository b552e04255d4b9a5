//! Calls in flight: several are sent without waiting for each, and their results are taken when they are needed.

use std::sync::Arc;

use hotcell::dynamic::{self, Value};
use hotcell::rt::{Collects as _, Puts as _};
use hotcell::{Session, Ticket};
use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};

use crate::arguments::{self, Argument, Given, Read};
use crate::by_value::{self, Rooms};
use crate::flight::{Flights, Gave, Sent, Slot, State};
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
        let written = Written::of(py, function, &given)?;
        flight::let_go_of_left(py);
        let ran = self.flights.begin(py, &self.session, |going| {
            let sent = self.raised.meanwhile(|| written.send(py, &mut going.calls, function))?;
            let slot = Slot::of(State::InFlight(sent));
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

/// Arguments that were read, before there is a call, which is to be dropped without Python's lock.
#[expect(clippy::large_enum_variant, reason = "it lives until the call is sent, and no longer")]
enum Written<'a, 'py> {
    Plain(Read<'a, 'py>),
    ByValue(Vec<Value>),
}

impl<'a, 'py> Written<'a, 'py> {
    fn of(py: Python<'_>, function: &Function, given: &Given<'a, 'py>) -> PyResult<Written<'a, 'py>> {
        let (plan, loaded) = (&*function.plan, &function.loaded);
        let (written, filled) = match plan.by_value {
            true => {
                let called = &loaded.interface.functions[usize::from(plan.index)];
                let read = by_value::read(py, plan, called, loaded, given)?;
                (Written::ByValue(read.values), read.rooms.first().map(|(at, _)| *at))
            }
            false => {
                let read = arguments::read(plan, given)?;
                let filled = read.iter().position(|argument| matches!(argument, Argument::Into(..)));
                (Written::Plain(read), filled)
            }
        };
        let Some(filled) = filled else { return Ok(written) };
        let what = plan.params[filled].says(plan);
        Err(PyValueError::new_err(format!(
            "{what} cannot be memory to fill here: pass a size, and get the data"
        )))
    }

    fn send(
        self,
        py: Python<'_>,
        calls: &mut hotcell::Pipeline,
        function: &Function,
    ) -> hotcell::Result<Sent> {
        let (plan, interface) = (&function.plan, &function.loaded.interface);
        match self {
            Written::Plain(read) => send(py, calls, plan, &read).map(Sent::Plain),
            Written::ByValue(values) => {
                let sent = ffi::aside(py, || dynamic::send(calls, interface, plan.index, values));
                sent.map(Sent::ByValue)
            }
        }
    }
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
        let why = own.maps.then_some("it is many calls already").or(own.plan.alone);
        if let Some(why) = why {
            let text = format!("{}() cannot be in a pipeline: {why}; call it by itself", own.plan.name);
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

    fn __repr__(&self) -> String {
        let calls = if self.flights.any() { "with calls in flight" } else { "with no call in flight" };
        format!("<hotcell pipeline {calls}>")
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
            Some(State::InFlight(sent)) => {
                let (came, raised) = self.wait(py, sent)?;
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
    fn wait(&self, py: Python<'_>, sent: Sent) -> PyResult<(hotcell::Result<Gave>, Option<PyErr>)> {
        let pipeline = self.of.get();
        let mut sent = Some(sent);
        let ran = pipeline.flights.with(py, |going| {
            let taken = || sent.take().map(|sent| sent.take(&mut going.calls));
            pipeline.raised.meanwhile(|| ffi::aside(py, taken))
        });
        match (ran, sent) {
            (Ok(Some(flight::Ran { done: Some(came), raised })), _) => Ok((came, raised)),
            (refused, sent) => {
                // Nobody has waited: it is to be had on the thread that it belongs to.
                *self.slot.lock() = sent.map(State::InFlight);
                refused?;
                Err(PyRuntimeError::new_err("nothing is known of this call any more"))
            }
        }
    }

    /// Makes of it what Python gets.
    fn made(&self, py: Python<'_>, came: hotcell::Result<Gave>) -> State {
        let function = self.function.bind(py);
        let Some(function) = ffi::function_of(function) else {
            return State::Failed(PyTypeError::new_err("it is no function").into_value(py));
        };
        let (loaded, plan) = (&function.loaded, &function.plan);
        let made = match came {
            Ok(Gave::Plain(taken)) => results::object(py, loaded, plan, taken, &Read::new()),
            Ok(Gave::ByValue(outcome)) => {
                by_value::object(py, loaded, plan, outcome, (&Given::new(), &Rooms::new()))
            }
            Err(error) => Err(self.of.get().failed(py, function, &error)),
        };
        made.map_or_else(|error| State::Failed(error.into_value(py)), State::Done)
    }
}
