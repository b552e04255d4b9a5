//! Columns: one function for many arguments, sent together.

use hotcell::rt::{Batch, Entry, Latin1, Puts, Ticket, Utf32, Values};
use hotcell::{Done, Error, Session};
use hotcell_model::interface::Encoding;
use pyo3::Borrowed;
use pyo3::buffer::PyUntypedBuffer;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyList, PySequence, PyTuple};

use crate::arguments::{self, Argument, Read};
use crate::call::raised;
use crate::ffi::ends;
use crate::function::Function;
use crate::hears::Hears;
use crate::numbers::Scalar;
use crate::plan::{Gives, Number, Parameter, Plan, Takes, What};
use crate::results::{self, Taken};
use crate::values::same_format;
use crate::{errors, ffi, flight};

mod columns;
mod single;
mod values;

/// Calls that are sent together at most: so many that their own cost is shared, and so few that what is known of them stays in
/// the caches of a core.
const TOGETHER: usize = 1024;

/// An argument of all calls: the same for each, or one for each.
enum Column<'a, 'py> {
    /// Read once.
    Same(Argument<'a, 'py>),
    List(Bound<'py, PyAny>, usize),
    /// Numbers that lie one behind the other.
    Numbers(PyUntypedBuffer, Number),
}

/// Calls a function for each row of columns.
pub(crate) fn map(
    py: Python<'_>,
    function: &Function,
    own: Option<Borrowed<'_, '_, PyAny>>,
    given: ffi::Arguments<'_, '_>,
) -> PyResult<Py<PyAny>> {
    let plan = &*function.plan;
    let given = arguments::sorted(plan, own, given)?;
    let session = function.session_for(py, &given)?;
    if plan.alone.is_some() {
        return single::map(py, function, &session, &given);
    }
    flight::let_go_of_left(py);
    let hears = Hears::new();
    let session = &hears.session(&session);
    if plan.by_value {
        return values::map(py, function, (session, &hears), &given);
    }
    let columns = plan.params.iter().zip(&given).map(|(param, object)| column(plan, param, *object));
    let columns = columns.collect::<PyResult<Vec<_>>>()?;
    let rows = rows_of(plan, columns.iter().map(Column::length))?;
    match plan.results.as_slice() {
        [Gives { what: What::Number(number), offset, .. }] if plan.numeric => {
            columns::numbers(py, function, (session, &hears), &columns, rows, (*number, *offset))
        }
        // What lies at the start of the block is read without being told where.
        [Gives { what: What::Number(number), offset: 0, .. }] => {
            numbers(py, function, (session, &hears), &columns, rows, *number)
        }
        _ => objects(py, function, (session, &hears), &columns, rows),
    }
}

fn column<'a, 'py>(
    plan: &Plan,
    param: &Parameter,
    object: Borrowed<'a, 'py, PyAny>,
) -> PyResult<Column<'a, 'py>> {
    if object.is_instance_of::<PyList>() || object.is_instance_of::<PyTuple>() {
        let length = ends::length(&object)?;
        return Ok(Column::List(object.to_owned(), length));
    }
    if let Takes::Number(number) = param.takes
        && let Some(buffer) = ffi::buffer_of(&object)
        && buffer.dimensions() > 0
    {
        let format = buffer.format().to_string_lossy().into_owned();
        // Of bytes that stand for truth values each is looked at.
        let known = !number.truth || format.ends_with('?');
        if known && buffer.is_c_contiguous() && same_format(&format, buffer.item_size(), number) {
            return Ok(Column::Numbers(buffer, number));
        }
        let length = ends::length(&object)?;
        return Ok(Column::List(object.to_owned(), length));
    }
    // Such as a range.
    if matches!(param.takes, Takes::Number(_)) && object.cast::<PySequence>().is_ok() {
        let length = ends::length(&object)?;
        return Ok(Column::List(object.to_owned(), length));
    }
    arguments::argument(plan, param, object).map(Column::Same)
}

impl Column<'_, '_> {
    /// How many rows it has, if it is not the same for each.
    fn length(&self) -> Option<usize> {
        match self {
            Column::Same(_) => None,
            Column::List(_, length) => Some(*length),
            Column::Numbers(buffer, number) => Some(buffer.len_bytes() / number.size()),
        }
    }
}

/// How many rows columns of these lengths have: all that are no single value as many.
fn rows_of(plan: &Plan, lengths: impl Iterator<Item = Option<usize>>) -> PyResult<usize> {
    let mut rows = None;
    for (param, length) in plan.params.iter().zip(lengths) {
        let Some(length) = length else { continue };
        match rows {
            Some((first, name)) if first != length => {
                let text =
                    format!("{}.map(): `{name}` has {first} rows, `{}` has {length}", plan.name, param.name);
                return Err(PyValueError::new_err(text));
            }
            _ => rows = Some((length, &param.name)),
        }
    }
    let none = || {
        PyTypeError::new_err(format!("{}.map() takes a list or an array for one of its arguments", plan.name))
    };
    rows.map(|(rows, _)| rows).ok_or_else(none)
}

/// The number at a place of an array.
fn scalar(buffer: &PyUntypedBuffer, number: Number, at: usize) -> Scalar {
    let (size, bytes) = (number.size(), ffi::contents(buffer));
    let mut wide = [0; 8];
    wide[..size].copy_from_slice(&bytes[at * size..(at + 1) * size]);
    if number.truth {
        // Whatever else Python has there is true for it as well, and C knows no other.
        wide[0] = u8::from(wide[0] != 0);
    }
    Scalar::from_bytes(wide, number)
}

/// Adds the call of a row to a batch.
fn add<'b>(
    py: Python<'_>,
    function: &Function,
    batch: &'b mut Batch,
    columns: &[Column<'_, '_>],
    at: usize,
) -> PyResult<Entry<'b>> {
    let plan = &*function.plan;
    let raised = |error| errors::exception(py, Some(&function.loaded), &error);
    let mut entry = batch.entry(plan.index).map_err(raised)?;
    for (param, column) in plan.params.iter().zip(columns) {
        match column {
            Column::Same(argument) => put(&mut entry, param, argument).map_err(raised)?,
            Column::Numbers(buffer, number) => {
                scalar(buffer, *number, at).put_entry(&mut entry, param.offset, *number);
            }
            Column::List(list, _) => {
                let item = ends::item(list, at)?;
                let argument = arguments::argument(plan, param, item.as_borrowed())?;
                put(&mut entry, param, &argument).map_err(raised)?;
            }
        }
    }
    Ok(entry)
}

/// Writes an argument into an entry of a batch, or into a call of a pipeline.
pub(crate) fn put(
    entry: &mut impl Puts,
    param: &Parameter,
    argument: &Argument<'_, '_>,
) -> hotcell::Result<()> {
    let (offset, name) = (param.offset, param.name.as_str());
    match (argument, param.takes) {
        (Argument::Number(scalar), Takes::Number(number)) => {
            scalar.put_entry(entry, offset, number);
            Ok(())
        }
        (Argument::Text(text), Takes::Text(encoding)) => {
            let text = text.to_str().expect("it was read before");
            match encoding {
                Encoding::Utf8 | Encoding::Bytes => entry.put_text(offset, name, text),
                Encoding::Utf16 => entry.put_text_utf16(offset, name, text),
                Encoding::Utf32 => entry.put_converted::<Utf32>(offset, name, text),
                Encoding::Latin1 => entry.put_converted::<Latin1>(offset, name, text),
            }
        }
        (Argument::Bytes(bytes), Takes::Text(_)) => entry.put_text_bytes(offset, name, bytes.as_bytes()),
        (Argument::Bytes(bytes), _) => entry.put_buffer(offset, name, bytes.as_bytes()),
        (Argument::Buffer(buffer), _) => entry.put_buffer(offset, name, ffi::contents(buffer)),
        (Argument::Own(data), _) => entry.put_buffer(offset, name, data),
        (Argument::Room(elements), Takes::Room(number)) => {
            entry.put_capacity(offset, name, *elements, number.size() as u32)
        }
        (Argument::Object(handle), Takes::Object { kind, consumed, on_success }) => {
            match (consumed, on_success) {
                (false, _) => entry.put_handle(offset, name, handle, kind),
                (true, false) => entry.put_consumed(offset, name, handle, kind),
                (true, true) => entry.put_consumed_on_success(offset, name, handle, kind),
            }
        }
        (Argument::Null, Takes::Object { kind, .. }) => entry.put_opt_handle(offset, name, None, kind),
        (Argument::Null, _) => {
            entry.put_null(offset);
            Ok(())
        }
        _ => Err(entry.invalid_argument(
            name,
            format!("`{name}` cannot be memory to fill here: pass a size, and get the data"),
        )),
    }
}

/// Runs a batch.
fn run(
    py: Python<'_>,
    function: &Function,
    hears: &Hears,
    batch: impl FnOnce() -> hotcell::Result<Done>,
) -> PyResult<Done> {
    ffi::raise_signals(py)?;
    let done = ffi::aside(py, batch);
    match (done, hears.raised()) {
        (Ok(done), None) => Ok(done),
        (Ok(done), Some(raised)) => {
            ffi::aside(py, || drop(done));
            Err(raised)
        }
        (Err(error), interrupt) => Err(raised(py, function, &error, interrupt)),
    }
}

/// The result of a row, or its error with the row.
fn taken<T: 'static>(
    py: Python<'_>,
    function: &Function,
    (done, hears): (&mut Done, &Hears),
    ticket: Ticket<T>,
    at: usize,
) -> PyResult<T> {
    done.take(ticket).map_err(|error| failed(py, (function, hears), &error, at))
}

/// What a row has failed with.
fn failed(py: Python<'_>, (function, hears): (&Function, &Hears), error: &Error, at: usize) -> PyErr {
    in_row(py, raised(py, function, error, hears.raised()), at)
}

/// Says of what a row has failed with, or what is wrong with it, which that was.
fn in_row(py: Python<'_>, exception: PyErr, at: usize) -> PyErr {
    // That it failed it says all the same.
    let add = exception.value(py).getattr("add_note");
    let _ = add.and_then(|add| ffi::ends::call(&add, (format!("in row {at} of map()"),)));
    exception
}

/// The raw first bytes of a result block.
fn first<const N: usize>(values: &Values<'_>) -> u64 {
    match N {
        1 => values.get_u8(0).into(),
        2 => values.get_u16(0).into(),
        4 => values.get_u32(0).into(),
        _ => values.get_u64(0),
    }
}

fn numbers(
    py: Python<'_>,
    function: &Function,
    (session, hears): (&Session, &Hears),
    columns: &[Column<'_, '_>],
    rows: usize,
    number: Number,
) -> PyResult<Py<PyAny>> {
    let size = number.size();
    let mut bytes = Vec::with_capacity(rows * size);
    let mut tickets = Vec::new();
    for start in (0..rows).step_by(TOGETHER) {
        let mut batch = session.batch();
        for at in start..rows.min(start + TOGETHER) {
            let entry = add(py, function, &mut batch, columns, at).map_err(|error| in_row(py, error, at))?;
            tickets.push(match size {
                1 => entry.values(first::<1>),
                2 => entry.values(first::<2>),
                4 => entry.values(first::<4>),
                _ => entry.values(first::<8>),
            });
        }
        let mut done = run(py, function, hears, || batch.run())?;
        for (at, ticket) in (start..).zip(tickets.drain(..)) {
            let raw = taken(py, function, (&mut done, hears), ticket, at)?;
            bytes.extend_from_slice(&raw.to_le_bytes()[..size]);
        }
    }
    results::elements(py, &bytes, Number { byte: false, ..number })
}

fn objects(
    py: Python<'_>,
    function: &Function,
    (session, hears): (&Session, &Hears),
    columns: &[Column<'_, '_>],
    rows: usize,
) -> PyResult<Py<PyAny>> {
    let (list, mut numbers) = (PyList::empty(py), Vec::new());
    for start in (0..rows).step_by(TOGETHER) {
        let mut batch = session.batch();
        let mut tickets = Vec::new();
        for at in start..rows.min(start + TOGETHER) {
            let entry = add(py, function, &mut batch, columns, at).map_err(|error| in_row(py, error, at))?;
            let plan = std::sync::Arc::clone(&function.plan);
            // Objects that come out belong to those that went in by what the worker knows.
            tickets.push(entry.read(move |reply| results::take(reply, &plan, &Read::new())));
        }
        let mut done = run(py, function, hears, || batch.run())?;
        for (at, ticket) in (start..).zip(tickets) {
            let taken: Taken = taken(py, function, (&mut done, hears), ticket, at)?;
            match (function.plan.one_number, taken.as_slice()) {
                (Some(of), [results::Result::Number(number, _)]) => {
                    numbers.extend_from_slice(&number.to_bytes(of)[..of.size()]);
                }
                _ => {
                    list.append(results::object(py, &function.loaded, &function.plan, taken, &Read::new())?)?
                }
            }
        }
    }
    match function.plan.one_number {
        Some(number) => results::elements(py, &numbers, Number { byte: false, ..number }),
        None => Ok(list.into_any().unbind()),
    }
}
