//! Functions whose calls are made by themselves, one after the other: those that are passed a callback, or change a structure.

use hotcell::Session;
use pyo3::prelude::*;
use pyo3::types::{PyList, PySequence, PyTuple};
use smallvec::SmallVec;

use super::{in_row, rows_of};
use crate::arguments::Given;
use crate::function::Function;
use crate::plan::{Parameter, Takes};
use crate::{by_value, ffi, results};

/// Calls a function for each row.
pub(super) fn map(
    py: Python<'_>,
    function: &Function,
    session: &Session,
    given: &Given<'_, '_>,
) -> PyResult<Py<PyAny>> {
    let plan = &*function.plan;
    let lengths = plan.params.iter().zip(given).map(|(param, object)| length(param, object));
    let lengths = lengths.collect::<PyResult<SmallVec<[_; 8]>>>()?;
    let list = PyList::empty(py);
    for at in 0..rows_of(plan, lengths.iter().copied())? {
        let row = given.iter().zip(&lengths).map(|(object, length)| match length {
            Some(_) => ffi::ends::item(object, at),
            None => Ok((**object).clone()),
        });
        let row = row.collect::<PyResult<SmallVec<[_; 8]>>>()?;
        let row = row.iter().map(|object| object.as_borrowed()).collect();
        let made = by_value::call(py, function, session, &row);
        list.append(made.map_err(|error| in_row(py, error, at))?)?;
    }
    match plan.one_number {
        Some(number) if !number.truth => results::array(number, list.as_any()),
        _ => Ok(list.into_any().unbind()),
    }
}

/// How many rows an argument has, if it is not the same for each.
fn length(param: &Parameter, object: &Bound<'_, PyAny>) -> PyResult<Option<usize>> {
    let is_list = object.is_instance_of::<PyList>() || object.is_instance_of::<PyTuple>();
    let is_array = || ffi::buffer_of(object).is_some_and(|buffer| buffer.dimensions() == 1);
    let is_column = match (param.takes, param.structured) {
        _ if is_list => true,
        (Takes::Number(_), _) => is_array() || object.cast::<PySequence>().is_ok(),
        // An element of a structured array can be changed in place.
        (_, true) => is_array(),
        _ => false,
    };
    is_column.then(|| ffi::ends::length(object)).transpose()
}
