//! A call of a function that does not go by values.
//!
//! The thread keeps the lock of Python while the reply is likely to come in a moment, and lets go of it then: most calls are over
//! before another thread could have taken it. It never waits with the lock for what another thread of Python has to give back: a call
//! that cannot begin at once begins without the lock.

use std::time::Duration;

use hotcell::Session;
use hotcell::rt::{Call, Reply};
use pyo3::prelude::*;

use crate::arguments::{self, Argument, Given, Read};
use crate::ffi::Arguments;
use crate::function::Function;
use crate::hears::Waits;
use crate::numbers::Scalar;
use crate::plan::{MOST_NUMBERS, Number, Plan, Takes, What};
use crate::results::{self, Taken};
use crate::{ending, errors, ffi, flight};

/// How long a thread waits for a reply with the lock. Python itself changes threads every five milliseconds.
pub(crate) const PATIENCE: Duration = Duration::from_micros(10);

/// Calls a function with what Python passes.
#[inline]
pub(crate) fn call(
    py: Python<'_>,
    function: &Function,
    session: &Session,
    given: &Given<'_, '_>,
) -> PyResult<Py<PyAny>> {
    let plan = &*function.plan;
    let read = arguments::read(plan, given)?;
    let (waits, mut interrupt) = (Waits::default(), None);
    let taken = match once(py, session, plan, &read, &waits, &mut interrupt) {
        Ok(taken) => unless_raised(py, &waits, interrupt, taken)?,
        Err(error) => {
            waits.note(&mut interrupt);
            again(py, function, session, &read, error, interrupt)?
        }
    };
    results::object(py, &function.loaded, plan, taken, &read)
}

/// As [`call`], of a function that is passed a few numbers, all of them by position, and gives one or nothing: the most frequent ones,
/// and the shortest.
#[inline]
pub(crate) fn call_numeric(
    py: Python<'_>,
    function: &Function,
    session: &Session,
    given: Arguments<'_, '_>,
) -> PyResult<Py<PyAny>> {
    let plan = &*function.plan;
    let mut scalars = [Scalar::Signed(0); MOST_NUMBERS];
    for (at, param) in plan.params.iter().enumerate() {
        let Takes::Number(number) = param.takes else { continue };
        scalars[at] = number.read(&given.get(at), &|| param.says(plan))?;
    }
    let (waits, mut interrupt) = (Waits::default(), None);
    match once_numeric(py, session, plan, &scalars, &waits, &mut interrupt) {
        Ok(taken) => Ok(match unless_raised(py, &waits, interrupt, taken)? {
            None => py.None(),
            Some((scalar, number)) => scalar.object(py, number),
        }),
        Err(error) => {
            waits.note(&mut interrupt);
            let read = scalars[..plan.params.len()].iter().map(|scalar| Argument::Number(*scalar)).collect();
            let taken = again(py, function, session, &read, error, interrupt)?;
            results::object(py, &function.loaded, plan, taken, &read)
        }
    }
}

#[inline]
fn once_numeric(
    py: Python<'_>,
    session: &Session,
    plan: &Plan,
    scalars: &[Scalar; MOST_NUMBERS],
    waits: &Waits,
    interrupt: &mut Option<PyErr>,
) -> hotcell::Result<Option<(Scalar, Number)>> {
    let mut call = begin(py, session, plan, &[], waits)?;
    for (param, scalar) in plan.params.iter().zip(scalars) {
        if let Takes::Number(number) = param.takes {
            scalar.put(&mut call, param.offset, number);
        }
    }
    let mut reply = settle(py, call, interrupt)?;
    let succeeded = reply.succeeded();
    let taken = plan.results.first().filter(|_| succeeded.is_ok()).and_then(|gives| match gives.what {
        What::Number(number) => Some((Scalar::of(&reply, gives.offset, number), number)),
        _ => None,
    });
    end(py, session, reply);
    succeeded.map(|()| taken)
}

/// Begins a call, at once or without the lock.
#[inline]
fn begin<'s>(
    py: Python<'_>,
    session: &'s Session,
    plan: &Plan,
    read: &[Argument<'_, '_>],
    waits: &'s Waits,
) -> hotcell::Result<Call<'s>> {
    match session.call_at_once(plan.index, arguments::has_objects(read)) {
        Some(call) => Ok(call),
        None => {
            flight::let_go_of_left(py);
            let (session, objects) = (waits.session(session), arguments::objects(read));
            ffi::aside(py, || session.call_of(plan.index, &objects))
        }
    }
}

/// Waits for the reply of a call: a moment with the lock, and longer without.
#[inline]
fn settle<'s>(py: Python<'_>, call: Call<'s>, interrupt: &mut Option<PyErr>) -> hotcell::Result<Reply<'s>> {
    let aside = |wait: &mut dyn FnMut()| ffi::aside(py, wait);
    call.settle_aside(PATIENCE, aside, &mut || interrupted(interrupt), &mut [])
}

/// Ends a call. What other threads left to be released meanwhile is released here, which may take as long as the library wants.
#[inline]
fn end(py: Python<'_>, session: &Session, reply: Reply<'_>) {
    match session.owes_releases() {
        true => ffi::aside(py, || drop(reply)),
        false => drop(reply),
    }
}

#[inline]
fn once(
    py: Python<'_>,
    session: &Session,
    plan: &Plan,
    read: &Read<'_, '_>,
    waits: &Waits,
    interrupt: &mut Option<PyErr>,
) -> hotcell::Result<Taken> {
    let mut call = begin(py, session, plan, read, waits)?;
    let mut arguments = plan.params.iter().zip(read);
    if let Err(refused) =
        arguments.try_for_each(|(param, argument)| arguments::put(&mut call, param, argument))
    {
        // As in `end`.
        ffi::aside(py, || drop(call));
        return Err(refused);
    }
    let mut reply = settle(py, call, interrupt)?;
    let taken = reply.succeeded().and_then(|()| results::take(&mut reply, plan, read));
    end(py, session, reply);
    taken
}

/// What a call gave that has succeeded, unless a signal has raised something all the same: while it waited for something else, such as
/// what others left to be released.
#[inline]
fn unless_raised<T>(py: Python<'_>, waits: &Waits, mut interrupt: Option<PyErr>, taken: T) -> PyResult<T> {
    waits.note(&mut interrupt);
    match interrupt {
        None => Ok(taken),
        Some(interrupt) => {
            ffi::aside(py, || drop(taken));
            Err(interrupt)
        }
    }
}

/// Whether a signal came for which Python raises something, such as `KeyboardInterrupt`. Asked without the lock.
pub(crate) fn interrupted(interrupt: &mut Option<PyErr>) -> bool {
    // Where the interpreter is ending, nobody can be told.
    let raised = ending::attach(|py| ffi::raise_signals(py).err()).flatten();
    let any = raised.is_some();
    if any {
        *interrupt = raised;
    }
    any
}

/// What becomes of a call that failed: it is made again where that does no harm, or raises.
#[cold]
fn again(
    py: Python<'_>,
    function: &Function,
    session: &Session,
    read: &Read<'_, '_>,
    error: hotcell::Error,
    mut interrupt: Option<PyErr>,
) -> PyResult<Taken> {
    let plan = &*function.plan;
    let again = |session: Session| {
        let waits = Waits::default();
        let made = Python::attach(|py| once(py, &session, plan, read, &waits, &mut interrupt));
        waits.note(&mut interrupt);
        made
    };
    let made = match plan.repeatable {
        true => ffi::aside(py, || session.retried(plan.index, Err(error), again)),
        false => Err(error),
    };
    match made {
        Ok(taken) => unless_raised(py, &Waits::default(), interrupt, taken),
        Err(error) => Err(raised(py, function, &error, interrupt)),
    }
}

/// What a failed call raises: what a signal raised, where that is why it was given up.
pub(crate) fn raised(
    py: Python<'_>,
    function: &Function,
    error: &hotcell::Error,
    interrupt: Option<PyErr>,
) -> PyErr {
    instead(py, errors::exception(py, Some(&function.loaded), error), interrupt)
}

/// What a signal raised, where that is why something failed; else what it failed with.
pub(crate) fn instead(py: Python<'_>, exception: PyErr, interrupt: Option<PyErr>) -> PyErr {
    match interrupt {
        Some(interrupt) => {
            interrupt.set_cause(py, Some(exception));
            interrupt
        }
        None => exception,
    }
}
