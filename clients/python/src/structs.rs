//! Structures: objects of Python into values and back.

use std::sync::Arc;

use hotcell::Session;
use hotcell::dynamic::Value;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::ffi::ends;
use crate::function::Function;
use crate::library::Library;
use crate::object::Object;
use crate::package::Loaded;
use crate::values;

/// Where a structure that stays in the worker keeps its object, and the library.
const OBJECT: &str = "_object";
const LIBRARY: &str = "_library";

/// The record that an object is of.
pub(crate) fn record<'l>(loaded: &'l Loaded, object: &Bound<'_, PyAny>) -> Option<&'l str> {
    let found =
        loaded.structs.iter().find(|(_, class)| object.is_instance(class.bind(object.py())).unwrap_or(false));
    found.map(|(key, _)| key.as_str())
}

/// The value of a structure: what is `None` is left out.
pub(crate) fn to_value(
    loaded: &Loaded,
    record: &str,
    object: &Bound<'_, PyAny>,
    depth: u32,
) -> PyResult<Value> {
    let named = &loaded.names.structs[record];
    let mut fields = Vec::new();
    if named.resident
        && let Ok(own) = object.getattr(OBJECT)
        && let Ok(own) = own.cast::<Object>()
    {
        fields.push((String::new(), Value::Handle(own.get().handle(object.py())?)));
    }
    for (c_name, name, _) in &named.fields {
        let value = ends::attribute(object, name)?;
        if !value.is_none() {
            fields.push((c_name.clone(), values::to_value(loaded, &value, depth)?));
        }
    }
    Ok(Value::Struct(fields))
}

/// Whether the library has the object of a structure that stays.
pub(crate) fn has_begun(object: &Bound<'_, PyAny>) -> bool {
    object.getattr(OBJECT).is_ok_and(|own| own.is_instance_of::<Object>())
}

/// A new object of a record's class.
pub(crate) fn to_object(
    py: Python<'_>,
    loaded: &Arc<Loaded>,
    record: Option<&str>,
    fields: Vec<(String, Value)>,
) -> PyResult<Py<PyAny>> {
    let class = record.and_then(|record| loaded.structs.get(record));
    let (Some(class), Some(record)) = (class, record) else {
        // A union has the one member that is there.
        let dict = PyDict::new(py);
        for (name, value) in fields {
            dict.set_item(name, values::to_object(py, loaded, value, None)?)?;
        }
        return Ok(dict.into_any().unbind());
    };
    let class = class.bind(py);
    let made = ends::call(&ends::attribute(class, "__new__")?, (class,))?;
    update(loaded, record, &made, fields)?;
    Ok(made.unbind())
}

/// Brings an object up to date.
pub(crate) fn update(
    loaded: &Arc<Loaded>,
    record: &str,
    object: &Bound<'_, PyAny>,
    fields: Vec<(String, Value)>,
) -> PyResult<()> {
    let (py, named) = (object.py(), &loaded.names.structs[record]);
    for (c_name, value) in fields {
        if c_name.is_empty() {
            if let Value::Handle(handle) = value {
                ends::set_attribute(object, OBJECT, loaded.object(py, handle)?.bind(py))?;
            }
            continue;
        }
        let Some((_, name, inner)) = named.fields.iter().find(|(field, _, _)| *field == c_name) else {
            continue;
        };
        let value = values::to_object(py, loaded, value, inner.as_deref())?;
        ends::set_attribute(object, name, value.bind(py))?;
    }
    Ok(())
}

/// A structure that stays has gone with the call that took it over.
pub(crate) fn gone(object: &Bound<'_, PyAny>) -> PyResult<()> {
    ends::set_attribute(object, OBJECT, object.py().None().bind(object.py()))
}

/// The session of a structure that stays.
pub(crate) fn session(py: Python<'_>, function: &Function, own: &Bound<'_, PyAny>) -> PyResult<Session> {
    let library = own.getattr(LIBRARY).ok();
    let library = library.as_ref().and_then(|it| it.cast::<Library>().ok());
    match library {
        Some(library) => library.get().session(py),
        None => {
            let plan = &function.plan;
            let given = own.get_type().name()?;
            Err(PyTypeError::new_err(format!(
                "{}() is a method of an object that was made for a library, not of {given}",
                plan.name
            )))
        }
    }
}
