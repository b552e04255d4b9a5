//! Calls of functions that go by values: with structures, callbacks, lists of texts or objects.

use std::sync::Arc;

use hotcell::Session;
use hotcell::dynamic::{self, KeptFunction, Outcome, Value};
use hotcell_model::interface::{CallbackScope, Direction, Function as Called, Param, Role};
use pyo3::Borrowed;
use pyo3::buffer::PyUntypedBuffer;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyTuple};

use crate::arguments::{self, Argument, Given};
use crate::call::{interrupted, raised};
use crate::cycles::Kept;
use crate::function::Function;
use crate::hears::Hears;
use crate::numbers::takes;
use crate::object::Object;
use crate::package::Loaded;
use crate::plan::{Number, Parameter, Plan};
use crate::raised::{note, told};
use crate::{ending, errors, ffi, flight, making, plan, results, structs, values};

/// What was read of the arguments of a call.
pub(crate) struct Read {
    pub(crate) values: Vec<Value>,
    /// The functions that it is passed for its time, by the names of their parameters.
    pub(crate) callbacks: Vec<(String, Py<PyAny>)>,
    pub(crate) rooms: Rooms,
}

/// Memory that is to be filled, by its position among what callers pass. It is lent until this is dropped.
pub(crate) type Rooms = Vec<(usize, PyUntypedBuffer)>;

/// Calls a function with what Python passes.
pub(crate) fn call(
    py: Python<'_>,
    function: &Function,
    session: &Session,
    given: &Given<'_, '_>,
) -> PyResult<Py<PyAny>> {
    let (plan, loaded) = (&*function.plan, &function.loaded);
    let called = &loaded.interface.functions[usize::from(plan.index)];
    let Read { values, callbacks, rooms } = read(py, plan, called, loaded, given)?;
    let (mut interrupt, mut own) = (None, None);
    let mut run = |name: &str, args: &[(String, Value)]| {
        let callback = callbacks.iter().find(|(of, _)| of == name);
        Python::attach(|py| match callback {
            Some((_, callback)) => {
                answer(py, loaded, callback, args).map_err(|error| said(py, error, &mut own))
            }
            None => Err(format!("`{name}` has no function")),
        })
    };
    flight::let_go_of_left(py);
    let hears = Hears::new();
    let session = &hears.session(session);
    let made = ffi::aside(py, || {
        let (index, interface) = (plan.index, &loaded.interface);
        let mut once = |session: &Session| {
            let gives_up = &mut || interrupted(&mut interrupt);
            dynamic::call_asking(session, interface, (index, called), &values, &mut run, gives_up)
        };
        let tried = once(session);
        match plan.repeatable {
            true => session.retried(index, tried, |session| once(&session)),
            false => tried,
        }
    });
    // Also of a call that succeeded: it may have come while something else was waited for.
    let interrupt = interrupt.or_else(|| hears.raised());
    let made = match made {
        Ok(_) if interrupt.is_some() => Err(interrupt.expect("it was just seen")),
        Ok(outcome) => object(py, loaded, plan, outcome, (given, &rooms)),
        Err(error) => match left(loaded, called, plan, &error, given) {
            Ok(()) => Err(raised(py, function, &error, interrupt)),
            Err(problem) => match interrupt {
                Some(interrupt) => Err(interrupt),
                None => Err(problem),
            },
        },
    };
    told(py, own, made)
}

/// Reads the arguments of a call.
pub(crate) fn read(
    py: Python<'_>,
    plan: &Plan,
    called: &Called,
    loaded: &Arc<Loaded>,
    given: &Given<'_, '_>,
) -> PyResult<Read> {
    let (mut callbacks, mut rooms) = (Vec::new(), Rooms::new());
    let mut values = Vec::new();
    for (at, (param, object)) in plan.params.iter().zip(given).enumerate() {
        let of: &Param = &called.params[param.position];
        let what = || param.says(plan);
        let Role::Callback { callback, .. } = &of.role.value else {
            values.push(match room(loaded, plan, param, of, *object)? {
                Some((buffer, elements)) => {
                    rooms.push((at, buffer));
                    Value::Int(elements.into())
                }
                None => value(py, loaded, plan, (param, of), object)?,
            });
            continue;
        };
        if object.is_none() && !param.nullable {
            return Err(param.missing(plan));
        } else if object.is_none() {
            values.push(Value::Null);
        } else if !object.is_callable() {
            return Err(takes(object, "a function", &what));
        } else if callback.scope == CallbackScope::Call {
            callbacks.push((of.name.clone(), (**object).clone().unbind()));
            values.push(Value::Callback);
        } else {
            let function = Kept::new((**object).clone().unbind());
            // What it goes with, where that is an object of Python.
            let until = plan.params.iter().position(|param| callback.scope == until(param.position));
            if let Some(until) = until.and_then(|at| given[at].cast::<Object>().ok()) {
                until.get().keeps(py, &function)?;
            }
            values.push(Value::Kept(kept(loaded, function)));
        }
    }
    Ok(Read { values, callbacks, rooms })
}

/// The value of an argument that is no function.
pub(crate) fn value(
    py: Python<'_>,
    loaded: &Loaded,
    plan: &Plan,
    (param, of): (&Parameter, &Param),
    object: &Bound<'_, PyAny>,
) -> PyResult<Value> {
    let what = || param.says(plan);
    if object.is_none() && !param.nullable && param.null_line.is_some() {
        return Err(param.missing(plan));
    }
    if let Role::Struct { direction: Direction::InOut, .. } = of.role.value
        && structs::record(loaded, object).is_none()
        && !object.is_none()
        && !object.hasattr("__setitem__")?
    {
        let text = format!("{}: it is changed in place, and cannot be: pass a dict", what());
        return Err(PyTypeError::new_err(text));
    }
    match &of.role.value {
        Role::Handle { .. } if !object.is_none() && object.cast::<Object>().is_err() => {
            return Err(param.wanted.instead_of(object, &what));
        }
        // A dictionary may have an object, too.
        Role::Resident { record, starts, .. } if object.cast::<PyDict>().is_err() => {
            if structs::record(loaded, object) != Some(record) {
                return Err(param.wanted.instead_of(object, &what));
            }
            if starts.is_none() && !structs::has_begun(object) {
                let how = making::beginning(&loaded.interface, &loaded.names, record);
                let text = format!("{} has not begun: {how}", what());
                return Err(errors::of_kind(py, "InvalidArgument", loaded.library(), &text));
            }
        }
        _ => {}
    }
    values::to_value(loaded, object, 0).map_err(|error| named(py, error, &what))
}

/// Memory that is passed to be filled, and how many elements it has.
pub(crate) fn room(
    loaded: &Loaded,
    plan: &Plan,
    param: &Parameter,
    of: &Param,
    object: Borrowed<'_, '_, PyAny>,
) -> PyResult<Option<(PyUntypedBuffer, u64)>> {
    if !matches!(of.role.value, Role::BufferOut { .. }) || object.is_instance_of::<PyInt>() {
        return Ok(None);
    }
    let what = || param.says(plan);
    let element = of.ty.pointee().filter(|_| of.structures().is_none());
    match element.and_then(|(element, _)| plan::element(&loaded.interface, element)) {
        Some(number) => match arguments::room(number, object, &what)? {
            Argument::Into(buffer, elements) => Ok(Some((buffer, elements))),
            _ => Ok(None),
        },
        None if ffi::buffer_of(&object).is_some() => {
            Err(PyTypeError::new_err(format!("{} comes as a list: pass a size, and get it", what())))
        }
        None => Ok(None),
    }
}

/// An error of reading an argument, with its name.
fn named(py: Python<'_>, error: PyErr, what: &dyn Fn() -> String) -> PyErr {
    match error.is_instance_of::<PyTypeError>(py) {
        true => PyTypeError::new_err(format!("{}: {}", what(), error.value(py))),
        false => error,
    }
}

/// How long a function is kept that goes with the parameter at this position.
fn until(param: usize) -> CallbackScope {
    CallbackScope::Handle { param }
}

/// A function of Python for the library to keep.
fn kept(loaded: &Arc<Loaded>, function: Arc<Kept>) -> KeptFunction {
    let loaded = Arc::clone(loaded);
    KeptFunction::new(move |args| {
        let answered = ending::attach(|py| {
            let function = function.function(py).ok_or("nobody had the object any more that it went with")?;
            answer(py, &loaded, &function, args).map_err(|error| note(py, error))
        });
        answered.unwrap_or_else(|| Err("Python is ending".into()))
    })
}

/// Notes what a callback raised: the first comes out of the call. Comes with it in words.
fn said(py: Python<'_>, error: PyErr, own: &mut Option<PyErr>) -> String {
    let text = error.to_string();
    own.get_or_insert_with(|| error.clone_ref(py));
    text
}

/// Calls a function of Python for the library.
fn answer(
    py: Python<'_>,
    loaded: &Arc<Loaded>,
    callback: &Py<PyAny>,
    args: &[(String, Value)],
) -> PyResult<Value> {
    let objects = args.iter().map(|(_, value)| values::to_object(py, loaded, value.clone(), None));
    let objects = objects.collect::<PyResult<Vec<_>>>()?;
    let answer = ffi::ends::call(callback.bind(py), PyTuple::new(py, objects)?)?;
    values::to_value(loaded, &answer, 0)
}

/// What a call returns; structures that went in and out are brought up to date.
pub(crate) fn object(
    py: Python<'_>,
    loaded: &Arc<Loaded>,
    plan: &Plan,
    outcome: Outcome,
    (given, rooms): (&Given<'_, '_>, &Rooms),
) -> PyResult<Py<PyAny>> {
    let called = &loaded.interface.functions[usize::from(plan.index)];
    let mut objects = Vec::new();
    if let Some(value) = outcome.returned {
        let record = match &called.result.value {
            hotcell_model::interface::ResultRole::Struct { record, .. } => Some(record.as_str()),
            _ => called.returned_structures(),
        };
        let element =
            called.result_type.pointed_elements().and_then(|(of, _)| plan::element(&loaded.interface, of));
        objects.push(result(py, loaded, value, record, element)?);
    }
    for (name, value) in outcome.outs {
        let Some((position, param)) = called.params.iter().enumerate().find(|(_, param)| param.name == name)
        else {
            continue;
        };
        let at = plan.params.iter().position(|passed| passed.position == position);
        let passed = at.and_then(|at| given.get(at));
        match (&param.role.value, passed, value) {
            (
                Role::Struct { record, .. } | Role::Resident { record, .. },
                Some(passed),
                Value::Struct(fields),
            ) => {
                let consumed = matches!(param.role.value, Role::Resident { consumed: true, .. });
                changed(loaded, record, passed, fields)?;
                if consumed {
                    structs::gone(passed)?;
                }
            }
            (Role::Struct { .. }, Some(_), _) => {}
            (Role::Struct { record, .. }, None, value) => {
                objects.push(values::to_object(py, loaded, value, Some(record))?);
            }
            (role, _, value) => {
                let pointee = param.ty.pointee().map(|(of, _)| of);
                let of = match role {
                    Role::DataOut { .. } => pointee.and_then(|of| of.pointee()).map(|(of, _)| of),
                    Role::BufferOut { .. } | Role::BufferInOut { .. } => pointee,
                    _ => None,
                };
                let element = of.and_then(|of| plan::element(&loaded.interface, of));
                let room = rooms.iter().find(|(room, _)| Some(*room) == at);
                objects.push(match (room, element) {
                    (Some((_, buffer)), Some(number)) => {
                        let data = bytes(&value, number).unwrap_or_default();
                        results::filled(py, (loaded, plan), buffer, &data, number)?
                    }
                    _ => result(py, loaded, value, param.structures(), element)?,
                });
            }
        }
    }
    values::several(py, objects)
}

/// The object of a result; numbers that lie one behind the other are an array.
fn result(
    py: Python<'_>,
    loaded: &Arc<Loaded>,
    value: Value,
    record: Option<&str>,
    element: Option<Number>,
) -> PyResult<Py<PyAny>> {
    if let (Value::List(_), Some(number), None) = (&value, element, record)
        && let Some(bytes) = bytes(&value, number)
    {
        return results::elements(py, &bytes, number);
    }
    values::to_object(py, loaded, value, record)
}

/// Numbers as they lie in memory, one behind the other.
pub(crate) fn bytes(value: &Value, number: Number) -> Option<Vec<u8>> {
    let list = match value {
        Value::Bytes(bytes) => return Some(bytes.clone()),
        Value::List(list) => list,
        one => std::slice::from_ref(one),
    };
    let mut bytes = Vec::with_capacity(list.len() * number.size());
    for item in list {
        let whole = match item {
            Value::Bool(truth) => u64::from(*truth).to_le_bytes(),
            Value::Int(number) => (*number as u64).to_le_bytes(),
            Value::Float(float) if number.size() == 4 => u64::from((*float as f32).to_bits()).to_le_bytes(),
            Value::Float(float) => float.to_le_bytes(),
            _ => return None,
        };
        bytes.extend_from_slice(&whole[..number.size()]);
    }
    Some(bytes)
}

/// Brings the object of a structure up to date; one that was passed as a dictionary is as well.
fn changed(
    loaded: &Arc<Loaded>,
    record: &str,
    passed: &Bound<'_, PyAny>,
    fields: Vec<(String, Value)>,
) -> PyResult<()> {
    match structs::record(loaded, passed) {
        Some(_) => structs::update(loaded, record, passed, fields),
        None => {
            for (name, value) in fields {
                let value = values::to_object(passed.py(), loaded, value, None)?;
                ffi::ends::set_item(passed, &name, value.bind(passed.py()))?;
            }
            Ok(())
        }
    }
}

/// Brings up to date what a failed call has changed all the same.
pub(crate) fn left(
    loaded: &Arc<Loaded>,
    called: &Called,
    plan: &Plan,
    error: &hotcell::Error,
    given: &Given<'_, '_>,
) -> PyResult<()> {
    for (param, passed) in plan.params.iter().zip(given) {
        let of = &called.params[param.position];
        let (Role::Struct { record, .. } | Role::Resident { record, .. }) = &of.role.value else { continue };
        if let Some(output) = error.output_of(&of.name)
            && let Value::Struct(fields) = Value::from(output.clone())
        {
            changed(loaded, record, passed, fields)?;
        }
    }
    Ok(())
}
