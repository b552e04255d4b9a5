//! Functions that go by values: each row is read by itself, and many are sent together.

use hotcell::dynamic::{Batch, Outcome, Value};
use hotcell::{Session, Ticket};
use hotcell_model::interface::Param;
use pyo3::Borrowed;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyList, PySequence, PyTuple};

use super::{TOGETHER, in_row, rows_of, run, taken};
use crate::arguments::Given;
use crate::by_value::{self, Rooms};
use crate::ffi::ends;
use crate::function::Function;
use crate::hears::Hears;
use crate::plan::{Number, Parameter, Plan, Takes};
use crate::records::{self, Record};
use crate::{errors, ffi, results};

/// An argument of all calls: the same for each, or one for each.
enum Column<'py> {
    Same(Value),
    Each(Bound<'py, PyAny>, usize),
    /// Elements of a structured array.
    Records(Record, Bound<'py, PyList>),
}

impl Column<'_> {
    fn length(&self) -> Option<usize> {
        match self {
            Column::Same(_) => None,
            Column::Each(_, length) => Some(*length),
            Column::Records(_, list) => Some(list.len()),
        }
    }
}

/// Calls a function for each row.
pub(super) fn map(
    py: Python<'_>,
    function: &Function,
    (session, hears): (&Session, &Hears),
    given: &Given<'_, '_>,
) -> PyResult<Py<PyAny>> {
    let (plan, loaded) = (&*function.plan, &function.loaded);
    let columns = plan.params.iter().zip(given).map(|(param, object)| column(py, function, param, *object));
    let columns = columns.collect::<PyResult<Vec<_>>>()?;
    let rows = rows_of(plan, columns.iter().map(Column::length))?;
    let mut made = Made::of(py, plan.one_number);
    for start in (0..rows).step_by(TOGETHER) {
        let mut batch = Batch::new(session, &loaded.interface);
        let mut tickets: Vec<Ticket<Outcome>> = Vec::new();
        for at in start..rows.min(start + TOGETHER) {
            let values = plan.params.iter().zip(&columns).map(|(param, column)| {
                let of = of(function, param);
                match column {
                    Column::Same(value) => Ok(value.clone()),
                    Column::Each(list, _) => one(py, function, (param, of), &ends::item(list, at)?),
                    Column::Records(record, list) => record.value(loaded, &list.get_item(at)?),
                }
            });
            let added = values.collect::<PyResult<Vec<_>>>().and_then(|values| {
                let added = batch.add(plan.index, values);
                added.map_err(|error| errors::exception(py, Some(loaded), &error))
            });
            tickets.push(added.map_err(|error| in_row(py, error, at))?);
        }
        let mut done = run(py, function, hears, || batch.run())?;
        for (at, ticket) in (start..).zip(tickets) {
            let outcome = taken(py, function, (&mut done, hears), ticket, at)?;
            made.add(py, function, outcome)?;
        }
    }
    made.object(py)
}

/// What the rows gave.
enum Made {
    Numbers(Number, Vec<u8>),
    Objects(Py<PyList>),
}

impl Made {
    fn of(py: Python<'_>, number: Option<Number>) -> Made {
        number.map_or_else(
            || Made::Objects(PyList::empty(py).unbind()),
            |number| Made::Numbers(Number { byte: false, ..number }, Vec::new()),
        )
    }

    fn add(&mut self, py: Python<'_>, function: &Function, outcome: Outcome) -> PyResult<()> {
        let (plan, loaded): (&Plan, _) = (&function.plan, &function.loaded);
        match self {
            Made::Numbers(number, all) => {
                let mut values =
                    outcome.returned.into_iter().chain(outcome.outs.into_iter().map(|(_, it)| it));
                let bytes = values.next().and_then(|value| by_value::bytes(&value, *number));
                let lacks = || {
                    let text = format!("{} gave no number", plan.c_name);
                    errors::of_reply(py, loaded.library(), &text)
                };
                all.extend(bytes.ok_or_else(lacks)?);
                Ok(())
            }
            Made::Objects(list) => {
                let object = by_value::object(py, loaded, plan, outcome, (&Given::new(), &Rooms::new()))?;
                list.bind(py).append(object)
            }
        }
    }

    fn object(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match self {
            Made::Numbers(number, bytes) => results::elements(py, &bytes, number),
            Made::Objects(list) => Ok(list.into_any()),
        }
    }
}

/// What is known of a parameter.
fn of<'f>(function: &'f Function, param: &Parameter) -> &'f Param {
    &function.loaded.interface.functions[usize::from(function.plan.index)].params[param.position]
}

/// The value of a row.
fn one(
    py: Python<'_>,
    function: &Function,
    (param, of): (&Parameter, &Param),
    object: &Bound<'_, PyAny>,
) -> PyResult<Value> {
    let (plan, loaded) = (&*function.plan, &function.loaded);
    match by_value::room(loaded, plan, param, of, object.as_borrowed())? {
        None => by_value::value(py, loaded, plan, (param, of), object),
        Some(_) => Err(PyTypeError::new_err(format!(
            "{} cannot be memory to fill here: pass a size, and get the data",
            param.says(plan)
        ))),
    }
}

fn column<'py>(
    py: Python<'py>,
    function: &Function,
    param: &Parameter,
    object: Borrowed<'_, 'py, PyAny>,
) -> PyResult<Column<'py>> {
    let (of, each) = (of(function, param), |length| Ok(Column::Each(object.to_owned(), length)));
    if object.is_instance_of::<PyList>() || object.is_instance_of::<PyTuple>() {
        return each(ends::length(&object)?);
    }
    let lends = ffi::buffer_of(&object).filter(|buffer| buffer.dimensions() == 1);
    match param.takes {
        _ if param.structured && lends.is_some() => {
            if let Some(record) = Record::of(&object)? {
                let list = records::list(&object)?.cast_into::<PyList>()?;
                return Ok(Column::Records(record, list));
            }
        }
        Takes::Number(_) if lends.is_some() || object.cast::<PySequence>().is_ok() => {
            return each(ends::length(&object)?);
        }
        _ => {}
    }
    one(py, function, (param, of), &object).map(Column::Same)
}
