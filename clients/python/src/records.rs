//! Structured arrays of NumPy: their elements are structures, whose fields have names.

use hotcell::dynamic::Value;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};

use crate::ffi::ends::{self, Items};
use crate::package::Loaded;
use crate::values;

/// The fields of an element, in order; those of one that is a structure itself are with it.
pub(crate) struct Record(Vec<(String, Option<Record>)>);

/// Of elements of structures the format begins so.
pub(crate) fn is_of_records(format: &str) -> bool {
    format.trim_start_matches(|c: char| c.is_ascii_digit() || "()@=<>,".contains(c)).starts_with("T{")
}

/// The elements as tuples: of one element its tuple.
pub(crate) fn list<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    ends::call(&ends::attribute(object, "tolist")?, ())
}

impl Record {
    /// What an array, or an element of one, consists of, if that is structures.
    pub(crate) fn of(object: &Bound<'_, PyAny>) -> PyResult<Option<Record>> {
        match object.getattr_opt("dtype")? {
            Some(dtype) => Record::of_dtype(&dtype),
            None => Ok(None),
        }
    }

    fn of_dtype(dtype: &Bound<'_, PyAny>) -> PyResult<Option<Record>> {
        // Of a field that is an array itself, what that has.
        let base = dtype.getattr_opt("base")?;
        let dtype = base.as_ref().unwrap_or(dtype);
        let Some(names) = dtype.getattr_opt("names")?.filter(|names| !names.is_none()) else {
            return Ok(None);
        };
        let fields = Items::of(&names)?.map(|name| {
            let name = name?;
            let inner = Record::of_dtype(&dtype.get_item(&name)?)?;
            Ok((name.cast::<PyString>()?.to_string(), inner))
        });
        fields.collect::<PyResult<_>>().map(|fields| Some(Record(fields)))
    }

    /// The value of what `tolist()` made of an element, or of several.
    pub(crate) fn value(&self, loaded: &Loaded, item: &Bound<'_, PyAny>) -> PyResult<Value> {
        if let Ok(list) = item.cast::<PyList>() {
            let values = list.iter().map(|item| self.value(loaded, &item));
            return values.collect::<PyResult<_>>().map(Value::List);
        }
        let fields = item.cast::<PyTuple>().map_err(|_| PyTypeError::new_err("it is no structure"))?;
        let fields = fields.iter().zip(&self.0).map(|(value, (name, inner))| {
            let value = match inner {
                Some(inner) => inner.value(loaded, &value)?,
                None => values::to_value(loaded, &value, 1)?,
            };
            Ok((name.clone(), value))
        });
        fields.collect::<PyResult<_>>().map(Value::Struct)
    }
}
