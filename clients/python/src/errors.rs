//! Errors of calls as exceptions: the class says the kind, the rest are attributes.

use std::sync::Arc;

use hotcell::{Cause, Error, Output, Remedy, remedy};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyType};
use serde_json::Value;

use crate::package::Loaded;
use crate::stack::Stack;
use crate::{ffi, values};

/// The module with the classes.
const CLASSES: &str = "hotcell.errors";

/// The exception of a call's error.
#[cold]
pub(crate) fn exception(py: Python<'_>, loaded: Option<&Arc<Loaded>>, error: &Error) -> PyErr {
    build(py, loaded, error).unwrap_or_else(|problem| problem)
}

fn build(py: Python<'_>, loaded: Option<&Arc<Loaded>>, error: &Error) -> PyResult<PyErr> {
    let info = values::of_json(py, &error.to_json())?;
    let info = info.bind(py).cast::<PyDict>()?;
    info.set_item("text", error.in_words(|remedy, note| allowed_by(remedy) + note))?;
    if let Some(place) = call_site(py) {
        info.set_item("call_site", place)?;
    }
    if let Some(stack) = error.last_stack() {
        info.set_item("stack", Bound::new(py, Stack(stack))?)?;
    }
    if let Some(loaded) = loaded {
        let outputs = PyDict::new(py);
        for (name, output) in error.outputs() {
            outputs.set_item(name, left(py, loaded, output)?)?;
        }
        info.set_item("outputs", outputs)?;
    }
    let class = match (error.cause(), loaded) {
        (Cause::Library { symbol, .. }, Some(loaded)) => loaded.error_class(py, *symbol),
        _ => None,
    };
    let class = match class {
        Some(class) => class,
        None => py.import(CLASSES)?.getattr(error.kind().name())?.cast_into::<PyType>()?,
    };
    Ok(PyErr::from_value(ffi::ends::call(&class, (info,))?))
}

/// What lets a system call pass that was denied, as an option of Python.
fn allowed_by(remedy: &Remedy) -> String {
    let literal = |value: &Value| match value {
        Value::Bool(true) => "True".to_owned(),
        value => value.to_string(),
    };
    let Some(entries) = remedy::entries(remedy, literal) else { return remedy::NEVER.to_owned() };
    let lines: Vec<String> = entries.iter().map(|(key, value)| format!("\"{key}\": {value}")).collect();
    format!("sandbox={{{}}} would allow it", lines.join(", "))
}

/// What a failed call left, as an object.
fn left(py: Python<'_>, loaded: &Arc<Loaded>, output: &Output) -> PyResult<Py<PyAny>> {
    values::to_object(py, loaded, output.clone().into(), None)
}

/// Where Python was when it called: `file:line`.
fn call_site(py: Python<'_>) -> Option<String> {
    let frame = py.import("sys").ok()?.call_method1("_getframe", (0,)).ok()?;
    let file: String = frame.getattr("f_code").ok()?.getattr("co_filename").ok()?.extract().ok()?;
    let line: u32 = frame.getattr("f_lineno").ok()?.extract().ok()?;
    Some(format!("{file}:{line}"))
}

/// Whether an exception is of this kind.
pub(crate) fn is_of_kind(py: Python<'_>, error: &PyErr, kind: &str) -> bool {
    let class = py.import(CLASSES).and_then(|classes| classes.getattr(kind));
    class.is_ok_and(|class| error.is_instance(py, &class))
}

/// An exception of this kind, of what was found wrong before there was a call.
#[cold]
pub(crate) fn of_kind(py: Python<'_>, kind: &str, library: &str, message: &str) -> PyErr {
    with_executed(py, kind, library, message, "no")
}

/// That a reply has what it cannot have.
#[cold]
pub(crate) fn of_reply(py: Python<'_>, library: &str, message: &str) -> PyErr {
    with_executed(py, "InvalidReply", library, message, "yes")
}

fn with_executed(py: Python<'_>, kind: &str, library: &str, message: &str, executed: &str) -> PyErr {
    let build = || -> PyResult<PyErr> {
        let info = PyDict::new(py);
        for (key, value) in
            [("kind", kind), ("library", library), ("message", message), ("executed", executed)]
        {
            info.set_item(key, value)?;
        }
        let class = py.import(CLASSES)?.getattr(kind)?;
        Ok(PyErr::from_value(ffi::ends::call(&class, (info,))?))
    };
    build().unwrap_or_else(|problem| problem)
}
