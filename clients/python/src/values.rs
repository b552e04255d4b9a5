//! The values of calls by name: for what is too rare, or too rich, for a plan.

use std::sync::Arc;

use hotcell::dynamic::Value;
use hotcell::rt::Kind;
use pyo3::buffer::PyUntypedBuffer;
use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyMapping, PyString, PyTuple};

use crate::ffi::ends::{self, Items};
use crate::object::Object;
use crate::package::Loaded;
use crate::plan::Number;
use crate::records::{self, Record};
use crate::{ffi, structs};

/// Lists in lists in lists: no type of C is deeper.
const DEPTH: u32 = 16;

/// The value of an object.
pub(crate) fn to_value(loaded: &Loaded, object: &Bound<'_, PyAny>, depth: u32) -> PyResult<Value> {
    if depth > DEPTH {
        return Err(PyValueError::new_err("a value is nested too deep, or in itself"));
    }
    if object.is_none() {
        return Ok(Value::Null);
    }
    if let Ok(truth) = object.cast::<PyBool>() {
        return Ok(Value::Bool(truth.is_true()));
    }
    if object.is_instance_of::<PyInt>() {
        return integer(object);
    }
    if let Ok(float) = object.cast::<PyFloat>() {
        return Ok(Value::Float(float.value()));
    }
    if let Ok(text) = object.cast::<PyString>() {
        return Ok(Value::Text(text.to_str()?.to_owned()));
    }
    if let Ok(object) = object.cast::<Object>() {
        return object.get().handle(object.py()).map(Value::Handle);
    }
    if let Some(record) = structs::record(loaded, object) {
        return structs::to_value(loaded, record, object, depth + 1);
    }
    if let Ok(buffer) = PyUntypedBuffer::get(object) {
        if records::is_of_records(&buffer.format().to_string_lossy())
            && let Some(record) = Record::of(object)?
        {
            return record.value(loaded, &records::list(object)?);
        }
        return of_buffer(&buffer);
    }
    if object.cast::<PyMapping>().is_ok() {
        let fields = Items::of(&ends::pairs(object)?)?.map(|item| {
            let (name, value): (String, Bound<'_, PyAny>) = item?.extract()?;
            Ok((name, to_value(loaded, &value, depth + 1)?))
        });
        return fields.collect::<PyResult<_>>().map(Value::Struct);
    }
    // An element of a structured array has no shape, and so no buffer here.
    if let Some(record) = Record::of(object)? {
        return record.value(loaded, &records::list(object)?);
    }
    if object.hasattr("__index__")? {
        return integer(object);
    }
    if object.hasattr("__float__")? {
        return ends::float(object).map(Value::Float);
    }
    if let Ok(items) = Items::of(object) {
        let values = items.map(|item| to_value(loaded, &item?, depth + 1));
        return values.collect::<PyResult<_>>().map(Value::List);
    }
    let given = object.get_type().name()?;
    Err(PyTypeError::new_err(format!("C has nothing like {given}")))
}

fn integer(object: &Bound<'_, PyAny>) -> PyResult<Value> {
    match ends::index(object).and_then(|integer| integer.extract::<i128>()) {
        Ok(number) => Ok(Value::Int(number)),
        Err(error) if error.is_instance_of::<PyOverflowError>(object.py()) => {
            Err(PyOverflowError::new_err("a number is bigger than any of C"))
        }
        Err(error) => Err(error),
    }
}

/// Bytes as they are, wider elements as numbers.
fn of_buffer(buffer: &PyUntypedBuffer) -> PyResult<Value> {
    if !buffer.is_c_contiguous() {
        return Err(PyValueError::new_err("a buffer has gaps: copy it first"));
    }
    let (format, bytes) = (buffer.format().to_string_lossy(), ffi::contents(buffer));
    if buffer.item_size() == 1 && !format.ends_with('b') && !format.ends_with('?') {
        return Ok(Value::Bytes(bytes.to_vec()));
    }
    let kinds =
        [Kind::I8, Kind::U16, Kind::I16, Kind::U32, Kind::I32, Kind::U64, Kind::I64, Kind::F32, Kind::F64];
    let number = |kind| Number { kind, truth: false, byte: false };
    let truth = Number { kind: Kind::U8, truth: true, byte: false };
    let mut known = kinds.into_iter().map(number).chain([truth]);
    let found = known.find(|number| same_format(&format, buffer.item_size(), *number));
    let Some(number) = found else {
        return Err(PyTypeError::new_err(format!("a buffer has elements of format `{format}`")));
    };
    let value = |chunk: &[u8]| {
        let mut wide = [0; 8];
        wide[..chunk.len()].copy_from_slice(chunk);
        let (raw, spare) = (u64::from_ne_bytes(wide), 64 - 8 * chunk.len() as u32);
        match number.kind {
            _ if number.truth => Value::Bool(raw != 0),
            Kind::F32 => Value::Float(f32::from_bits(raw as u32).into()),
            Kind::F64 => Value::Float(f64::from_bits(raw)),
            Kind::I8 | Kind::I16 | Kind::I32 | Kind::I64 => {
                Value::Int((((raw << spare) as i64) >> spare).into())
            }
            _ => Value::Int(raw.into()),
        }
    };
    Ok(Value::List(bytes.chunks_exact(number.size()).map(value).collect()))
}

/// Whether elements of a buffer are such numbers, in the order of bytes of this machine.
pub(crate) fn same_format(format: &str, size: usize, number: Number) -> bool {
    let letter =
        format.trim_start_matches(['@', '=', if cfg!(target_endian = "little") { '<' } else { '>' }]);
    let letters = match (number.truth, number.kind) {
        (true, _) => "?B",
        (_, Kind::F32 | Kind::F64) => "fd",
        (_, Kind::I8 | Kind::I16 | Kind::I32 | Kind::I64) => "bhilqn",
        _ => "BHILQN",
    };
    size == number.size() && letter.len() == 1 && letters.contains(letter)
}

/// The object of a value; `record` is what a structure in it is of.
pub(crate) fn to_object(
    py: Python<'_>,
    loaded: &Arc<Loaded>,
    value: Value,
    record: Option<&str>,
) -> PyResult<Py<PyAny>> {
    Ok(match value {
        Value::Null | Value::Callback | Value::Kept(_) => py.None(),
        Value::Bool(truth) => PyBool::new(py, truth).to_owned().into_any().unbind(),
        Value::Int(number) => number.into_pyobject(py)?.into_any().unbind(),
        Value::Float(number) => PyFloat::new(py, number).into_any().unbind(),
        Value::Text(text) => PyString::new(py, &text).into_any().unbind(),
        Value::Bytes(bytes) => PyBytes::new(py, &bytes).into_any().unbind(),
        Value::Handle(handle) => loaded.object(py, handle)?,
        Value::Struct(fields) => structs::to_object(py, loaded, record, fields)?,
        Value::List(list) => {
            let items = list.into_iter().map(|item| to_object(py, loaded, item, record));
            PyList::new(py, items.collect::<PyResult<Vec<_>>>()?)?.into_any().unbind()
        }
    })
}

/// A value of JSON as an object.
pub(crate) fn of_json(py: Python<'_>, value: &serde_json::Value) -> PyResult<Py<PyAny>> {
    use serde_json::Value as Json;
    Ok(match value {
        Json::Null => py.None(),
        Json::Bool(truth) => PyBool::new(py, *truth).to_owned().into_any().unbind(),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => PyInt::new(py, number).into_any().unbind(),
            (_, Some(number)) => PyInt::new(py, number).into_any().unbind(),
            _ => PyFloat::new(py, number.as_f64().unwrap_or(f64::NAN)).into_any().unbind(),
        },
        Json::String(text) => PyString::new(py, text).into_any().unbind(),
        Json::Array(items) => {
            let items = items.iter().map(|item| of_json(py, item)).collect::<PyResult<Vec<_>>>()?;
            PyList::new(py, items)?.into_any().unbind()
        }
        Json::Object(fields) => {
            let dict = PyDict::new(py);
            for (name, value) in fields {
                dict.set_item(name, of_json(py, value)?)?;
            }
            dict.into_any().unbind()
        }
    })
}

/// What several results are returned as: the one, or a tuple.
pub(crate) fn several(py: Python<'_>, mut objects: Vec<Py<PyAny>>) -> PyResult<Py<PyAny>> {
    match objects.len() {
        0 => Ok(py.None()),
        1 => Ok(objects.remove(0)),
        _ => Ok(PyTuple::new(py, objects)?.into_any().unbind()),
    }
}
