//! Functions of numbers: their arguments go in by columns, and so do the results come out.

use hotcell::Session;
use hotcell::rt::Columns;
use pyo3::prelude::*;

use super::{Column, TOGETHER, failed, in_row, run};
use crate::arguments::Argument;
use crate::ffi::ends;
use crate::function::Function;
use crate::hears::Hears;
use crate::plan::{Number, Parameter, Takes};
use crate::{errors, ffi, results};

/// A column as it lies in argument blocks.
enum Filled<'c> {
    /// The same number in each row; the first bytes count.
    Same([u8; 8]),
    /// Numbers of Python's own memory.
    Lent(&'c [u8]),
    Own(Vec<u8>),
}

/// Calls a function for each row, which gives a number that lies at this offset of its results.
pub(super) fn numbers(
    py: Python<'_>,
    function: &Function,
    (session, hears): (&Session, &Hears),
    columns: &[Column<'_, '_>],
    rows: usize,
    (number, offset): (Number, usize),
) -> PyResult<Py<PyAny>> {
    let plan = &*function.plan;
    let filled = plan.params.iter().zip(columns);
    let filled = filled.map(|(param, column)| fill(function, param, column, rows));
    let filled = filled.collect::<PyResult<Vec<_>>>()?;
    let size = number.size();
    let mut bytes = Vec::with_capacity(rows * size);
    for start in (0..rows).step_by(TOGETHER) {
        let count = TOGETHER.min(rows - start);
        let mut batch = session.batch();
        let sent = batch.rows(plan.index, count, |columns| {
            for ((param, size), filled) in plan.params.iter().zip(sizes(&plan.params)).zip(&filled) {
                put(columns, param.offset, size, filled, start..start + count);
            }
        });
        let sent = sent.map_err(|error| errors::exception(py, Some(&function.loaded), &error))?;
        let mut done = run(py, function, hears, || batch.run())?;
        let taken = match size {
            1 => done.take_column::<1>(&sent, offset, &mut bytes),
            2 => done.take_column::<2>(&sent, offset, &mut bytes),
            4 => done.take_column::<4>(&sent, offset, &mut bytes),
            _ => done.take_column::<8>(&sent, offset, &mut bytes),
        };
        taken.map_err(|it| failed(py, (function, hears), &it.error, start + it.row))?;
    }
    results::elements(py, &bytes, Number { byte: false, ..number })
}

/// The bytes of each parameter, all of which are numbers.
fn sizes(params: &[Parameter]) -> impl Iterator<Item = usize> {
    params.iter().map(|param| match param.takes {
        Takes::Number(number) => number.size(),
        _ => unreachable!("a function of numbers takes nothing else"),
    })
}

/// Reads a column. What runs code of Python does so here, before anything is sent.
fn fill<'c>(
    function: &Function,
    param: &Parameter,
    column: &'c Column<'_, '_>,
    rows: usize,
) -> PyResult<Filled<'c>> {
    let plan = &*function.plan;
    match (column, param.takes) {
        (Column::Same(Argument::Number(scalar)), Takes::Number(number)) => {
            Ok(Filled::Same(scalar.to_bytes(number)))
        }
        (Column::Numbers(buffer, number), _) if number.truth => {
            // Whatever else Python has there is true for it as well, and C knows no other.
            Ok(Filled::Own(ffi::contents(buffer).iter().map(|&byte| u8::from(byte != 0)).collect()))
        }
        (Column::Numbers(buffer, _), _) => Ok(Filled::Lent(ffi::contents(buffer))),
        (Column::List(list, _), Takes::Number(number)) => {
            let mut own = Vec::with_capacity(rows * number.size());
            for at in 0..rows {
                let read = |item| number.read(&item, &|| param.says(plan));
                let scalar = ends::item(list, at).and_then(read);
                let scalar = scalar.map_err(|error| in_row(list.py(), error, at))?;
                own.extend_from_slice(&scalar.to_bytes(number)[..number.size()]);
            }
            Ok(Filled::Own(own))
        }
        _ => unreachable!("a function of numbers is passed nothing else"),
    }
}

fn put(
    columns: &mut Columns<'_>,
    offset: usize,
    size: usize,
    filled: &Filled<'_>,
    rows: std::ops::Range<usize>,
) {
    match size {
        1 => put_sized::<1>(columns, offset, filled, rows),
        2 => put_sized::<2>(columns, offset, filled, rows),
        4 => put_sized::<4>(columns, offset, filled, rows),
        _ => put_sized::<8>(columns, offset, filled, rows),
    }
}

fn put_sized<const N: usize>(
    columns: &mut Columns<'_>,
    offset: usize,
    filled: &Filled<'_>,
    rows: std::ops::Range<usize>,
) {
    match filled {
        Filled::Same(bytes) => {
            columns.put_same(offset, std::array::from_fn::<u8, N, _>(|at| bytes[at]));
        }
        Filled::Lent(bytes) => columns.put::<N>(offset, &bytes[rows.start * N..rows.end * N]),
        Filled::Own(bytes) => columns.put::<N>(offset, &bytes[rows.start * N..rows.end * N]),
    }
}
