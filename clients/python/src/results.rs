//! A result block into objects of Python.

use std::sync::Arc;

use hotcell::rt::{Handle, Latin1, Reply, Utf32};
use hotcell_model::interface::Encoding;
use pyo3::buffer::PyUntypedBuffer;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString, PyTuple};
use smallvec::SmallVec;

use crate::arguments::{Argument, Read};
use crate::numbers::Scalar;
use crate::package::Loaded;
use crate::plan::{Gives, Number, Plan, What};
use crate::{errors, ffi};

/// What a call gave, before objects are made of it: that may run code of Python, and no call is under way then.
pub(crate) type Taken = SmallVec<[Result; 2]>;

/// One of those.
pub(crate) enum Result {
    Number(Scalar, Number),
    Text(Option<String>),
    Data(Option<Vec<u8>>, Number),
    Object(Option<Handle>),
}

/// Reads the results of a reply.
#[inline]
pub(crate) fn take(reply: &mut Reply<'_>, plan: &Plan, read: &Read<'_, '_>) -> hotcell::Result<Taken> {
    let mut taken = Taken::new();
    for gives in &plan.results {
        taken.push(one(reply, gives, read)?);
    }
    Ok(taken)
}

#[inline]
fn one(reply: &mut Reply<'_>, gives: &Gives, read: &Read<'_, '_>) -> hotcell::Result<Result> {
    let Gives { offset, nullable, .. } = *gives;
    Ok(match gives.what {
        What::Number(number) => Result::Number(Scalar::of(reply, offset, number), number),
        What::Text(Encoding::Bytes) => {
            let bytes =
                if nullable { reply.opt_text_bytes(offset)? } else { Some(reply.text_bytes(offset)?) };
            Result::Data(bytes, BYTES)
        }
        What::Text(encoding) => Result::Text(text(reply, encoding, offset, nullable)?),
        What::Data(number) => Result::Data(data(reply, number, offset, nullable)?, number),
        What::Object { kind, owned, parent } => {
            let parent = parent.and_then(|at| match read.get(at) {
                Some(Argument::Object(handle)) => Some(handle),
                _ => None,
            });
            Result::Object(match nullable {
                true => reply.opt_handle(offset, kind, owned, parent)?,
                false => Some(reply.handle(offset, kind, owned, parent)?),
            })
        }
    })
}

/// Bytes that are no numbers.
const BYTES: Number = Number { kind: hotcell::rt::Kind::U8, truth: false, byte: true };

fn text(
    reply: &mut Reply<'_>,
    encoding: Encoding,
    offset: usize,
    nullable: bool,
) -> hotcell::Result<Option<String>> {
    match (encoding, nullable) {
        (Encoding::Utf16, true) => reply.opt_text_utf16(offset),
        (Encoding::Utf16, false) => reply.text_utf16(offset).map(Some),
        (Encoding::Utf32, true) => reply.opt_converted::<Utf32>(offset),
        (Encoding::Utf32, false) => reply.converted::<Utf32>(offset).map(Some),
        (Encoding::Latin1, true) => reply.opt_converted::<Latin1>(offset),
        (Encoding::Latin1, false) => reply.converted::<Latin1>(offset).map(Some),
        (_, true) => reply.opt_text(offset),
        (_, false) => reply.text(offset).map(Some),
    }
}

/// Data as bytes: a whole number of elements.
fn data(
    reply: &mut Reply<'_>,
    number: Number,
    offset: usize,
    nullable: bool,
) -> hotcell::Result<Option<Vec<u8>>> {
    let bytes = match number.size() {
        1 => reply.opt_buffer(offset)?,
        2 => flat(reply.opt_elements::<u16>(offset)?, |it| it.to_ne_bytes()),
        4 => flat(reply.opt_elements::<u32>(offset)?, |it| it.to_ne_bytes()),
        _ => flat(reply.opt_elements::<u64>(offset)?, |it| it.to_ne_bytes()),
    };
    match bytes {
        // It says so in the error, with the call.
        None if !nullable => reply.promised_buffer(offset).map(Some),
        bytes => Ok(bytes),
    }
}

fn flat<T, const N: usize>(elements: Option<Vec<T>>, bytes: impl Fn(T) -> [u8; N]) -> Option<Vec<u8>> {
    elements.map(|elements| elements.into_iter().flat_map(bytes).collect())
}

/// The object that a function returns: nothing, the one result, or a tuple of them.
#[inline]
pub(crate) fn object(
    py: Python<'_>,
    loaded: &Arc<Loaded>,
    plan: &Plan,
    taken: Taken,
    read: &Read<'_, '_>,
) -> PyResult<Py<PyAny>> {
    let mut objects = SmallVec::<[Py<PyAny>; 2]>::new();
    for (gives, result) in plan.results.iter().zip(taken) {
        let into = gives.of.and_then(|at| match read.get(at) {
            Some(Argument::Into(buffer, _)) => Some(buffer),
            _ => None,
        });
        objects.push(match (result, into) {
            (Result::Data(data, number), Some(buffer)) => {
                filled(py, (loaded, plan), buffer, &data.unwrap_or_default(), number)?
            }
            (result, _) => made(py, loaded, result)?,
        });
    }
    match objects.len() {
        0 => Ok(py.None()),
        1 => Ok(objects.pop().unwrap_or_else(|| py.None())),
        _ => Ok(PyTuple::new(py, objects)?.into_any().unbind()),
    }
}

/// Fills memory that was passed for that. How many elements it now has.
pub(crate) fn filled(
    py: Python<'_>,
    (loaded, plan): (&Loaded, &Plan),
    buffer: &PyUntypedBuffer,
    data: &[u8],
    number: Number,
) -> PyResult<Py<PyAny>> {
    // The shim fills no more than there was room for, and that was as much as this has.
    if !ffi::fill(buffer, data) {
        let (name, room) = (&plan.c_name, buffer.len_bytes());
        let text = format!("{name}: {} bytes came for memory of {room}", data.len());
        return Err(errors::of_reply(py, loaded.library(), &text));
    }
    Ok((data.len() / number.size()).into_pyobject(py)?.into_any().unbind())
}

#[inline]
fn made(py: Python<'_>, loaded: &Arc<Loaded>, result: Result) -> PyResult<Py<PyAny>> {
    match result {
        Result::Number(scalar, number) => Ok(scalar.object(py, number)),
        Result::Text(None) | Result::Data(None, _) | Result::Object(None) => Ok(py.None()),
        Result::Text(Some(text)) => Ok(PyString::new(py, &text).into_any().unbind()),
        Result::Data(Some(data), number) => elements(py, &data, number),
        Result::Object(Some(handle)) => loaded.object(py, handle),
    }
}

/// Data as `bytes`, truth values as a list, other numbers as an `array`.
pub(crate) fn elements(py: Python<'_>, data: &[u8], number: Number) -> PyResult<Py<PyAny>> {
    if number.byte {
        return Ok(PyBytes::new(py, data).into_any().unbind());
    }
    if number.truth {
        return Ok(PyList::new(py, data.iter().map(|&byte| byte != 0))?.into_any().unbind());
    }
    array(number, PyBytes::new(py, data).as_any())
}

/// An array of numbers, of their bytes or of a list of them.
pub(crate) fn array(number: Number, of: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    let array = of.py().import("array")?.getattr("array")?;
    Ok(array.call1((number.letter(), of))?.unbind())
}
