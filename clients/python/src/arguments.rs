//! Objects of Python into an argument block.

use hotcell::rt::{Call, Handle, Latin1, Utf32};
use hotcell_model::interface::Encoding;
use pyo3::Borrowed;
use pyo3::buffer::PyUntypedBuffer;
use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use smallvec::SmallVec;

use crate::ffi::ends::{self, Items};
use crate::numbers::{Scalar, takes};
use crate::object::{self, Object};
use crate::plan::{Number, Parameter, Plan, Takes};
use crate::{ffi, values};

/// Arguments of a call, by their parameters.
pub(crate) type Given<'a, 'py> = SmallVec<[Borrowed<'a, 'py, PyAny>; 8]>;

/// What was read of them.
pub(crate) type Read<'a, 'py> = SmallVec<[Argument<'a, 'py>; 8]>;

/// An argument that was read, and is written into a call when that has begun: reading may run code of Python, and no call is under
/// way meanwhile.
pub(crate) enum Argument<'a, 'py> {
    Number(Scalar),
    Text(Borrowed<'a, 'py, PyString>),
    Bytes(Borrowed<'a, 'py, PyBytes>),
    /// Data that an object lends.
    Buffer(PyUntypedBuffer),
    /// Data that were made of a list.
    Own(Vec<u8>),
    Room(u64),
    /// Memory to be filled: so many elements.
    Into(PyUntypedBuffer, u64),
    Object(Handle),
    Null,
}

/// Sorts what is passed by the parameters of a function.
pub(crate) fn sorted<'a, 'py>(
    plan: &Plan,
    own: Option<Borrowed<'a, 'py, PyAny>>,
    given: ffi::Arguments<'a, 'py>,
) -> PyResult<Given<'a, 'py>> {
    let positional = given.positional();
    // As most calls are.
    if own.is_none()
        && plan.own.is_none_or(|own| own == 0)
        && given.names().is_none()
        && positional == plan.params.len()
    {
        return Ok((0..positional).map(|at| given.get(at)).collect());
    }
    let mut slots: SmallVec<[Option<Borrowed<'a, 'py, PyAny>>; 8]> =
        SmallVec::from_elem(None, plan.params.len());
    let mut next = 0;
    if let Some(position) = plan.own {
        slots[position] = own.or_else(|| (positional > 0).then(|| given.get(0)));
        next = usize::from(own.is_none()).min(positional);
    }
    let shown: SmallVec<[usize; 8]> = plan.shown().map(|(at, _)| at).collect();
    if positional - next > shown.len() {
        return Err(wrong_count(plan, positional - next, shown.len()));
    }
    for (&at, index) in shown.iter().zip(next..positional) {
        slots[at] = Some(given.get(index));
    }
    for (position, name) in given.names().iter().flat_map(|names| names.iter_borrowed()).enumerate() {
        let name = name.cast::<PyString>()?.to_string();
        let Some(&at) = shown.iter().find(|&&at| plan.params[at].name == name) else {
            let known: Vec<&str> = shown.iter().map(|&at| plan.params[at].name.as_str()).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            let text = format!("{}() has no parameter `{name}`; it has {known}", plan.name);
            return Err(PyTypeError::new_err(text));
        };
        if slots[at].replace(given.named(position)).is_some() {
            return Err(PyTypeError::new_err(format!("{}() got `{name}` twice", plan.name)));
        }
    }
    let missing: Vec<&str> = plan
        .params
        .iter()
        .zip(&slots)
        .filter(|(_, slot)| slot.is_none())
        .map(|(param, _)| param.name.as_str())
        .collect();
    if !missing.is_empty() {
        let text = format!("{}() misses {}", plan.name, missing.join(", "));
        return Err(PyTypeError::new_err(text));
    }
    Ok(slots.into_iter().flatten().collect())
}

fn wrong_count(plan: &Plan, given: usize, wanted: usize) -> PyErr {
    let names: Vec<&str> = plan.shown().map(|(_, param)| param.name.as_str()).collect();
    let names = names.join(", ");
    PyTypeError::new_err(format!("{}({names}) takes {wanted} arguments, {given} given", plan.name))
}

impl Parameter {
    /// What messages call it.
    pub(crate) fn says(&self, plan: &Plan) -> String {
        format!("{}(): `{}` ({})", plan.name, self.name, self.ty)
    }

    /// What is raised where it is None, and must not be.
    pub(crate) fn missing(&self, plan: &Plan) -> PyErr {
        let line = self.null_line.as_ref();
        let help =
            line.map(|line| format!(": where it may be NULL, a contract says so, `nullable = [\"{line}\"]`"));
        PyTypeError::new_err(format!("{} must not be None{}", self.says(plan), help.unwrap_or_default()))
    }
}

/// Reads the arguments of a function that does not go by values.
pub(crate) fn read<'a, 'py>(plan: &Plan, given: &Given<'a, 'py>) -> PyResult<Read<'a, 'py>> {
    plan.params.iter().zip(given).map(|(param, object)| argument(plan, param, *object)).collect()
}

/// Reads an argument.
#[inline]
pub(crate) fn argument<'a, 'py>(
    plan: &Plan,
    param: &Parameter,
    object: Borrowed<'a, 'py, PyAny>,
) -> PyResult<Argument<'a, 'py>> {
    let what = || param.says(plan);
    if let Takes::Number(number) = param.takes {
        return number.read(&object, &what).map(Argument::Number);
    }
    if object.is_none() {
        return match param.nullable {
            true => Ok(Argument::Null),
            false => Err(param.missing(plan)),
        };
    }
    match param.takes {
        Takes::Text(encoding) => text(encoding, object, &what),
        Takes::Data(number) => data(number, object, &what),
        Takes::Room(number) => room(number, object, &what),
        Takes::Object { .. } => match object.cast::<Object>() {
            Ok(object) => match object.get().held() {
                Some((handle, _)) => Ok(Argument::Object(handle)),
                None => Err(object::released_where(object.py(), &format!("{}: ", what()))),
            },
            Err(_) => Err(param.wanted.instead_of(&object, &what)),
        },
        Takes::Number(_) | Takes::Value => Err(takes(&object, "something else", &what)),
    }
}

fn text<'a, 'py>(
    encoding: Encoding,
    object: Borrowed<'a, 'py, PyAny>,
    what: &dyn Fn() -> String,
) -> PyResult<Argument<'a, 'py>> {
    if let Ok(text) = object.cast::<PyString>() {
        // Half of a pair of surrogates has no bytes.
        text.to_str()?;
        return Ok(Argument::Text(text));
    }
    match (object.cast::<PyBytes>(), encoding) {
        (Ok(bytes), Encoding::Bytes) => Ok(Argument::Bytes(bytes)),
        (Ok(bytes), Encoding::Utf8) => match std::str::from_utf8(bytes.as_bytes()) {
            Ok(_) => Ok(Argument::Bytes(bytes)),
            Err(error) => Err(PyValueError::new_err(format!("{} is no UTF-8: {error}", what()))),
        },
        (_, Encoding::Bytes) => Err(takes(&object, "bytes or a str", what)),
        _ => Err(takes(&object, "a str", what)),
    }
}

fn data<'a, 'py>(
    number: Number,
    object: Borrowed<'a, 'py, PyAny>,
    what: &dyn Fn() -> String,
) -> PyResult<Argument<'a, 'py>> {
    if number.byte
        && let Ok(bytes) = object.cast::<PyBytes>()
    {
        return Ok(Argument::Bytes(bytes));
    }
    if let Some(buffer) = ffi::buffer_of(&object) {
        check_buffer(number, &buffer, what)?;
        if number.truth && !number.byte {
            // What was looked at is what is sent: the next argument may run code that writes there.
            return truths(ffi::contents(&buffer).to_vec(), what).map(Argument::Own);
        }
        return Ok(Argument::Buffer(buffer));
    }
    if object.is_instance_of::<PyString>() {
        let text = format!("{} takes bytes, or what has a buffer, not str: encode the text", what());
        return Err(PyTypeError::new_err(text));
    }
    if number.byte {
        return Err(takes(&object, "bytes, or what has a buffer", what));
    }
    let Ok(items) = Items::of(&object) else {
        return Err(takes(&object, "a buffer or a list of numbers", what));
    };
    let mut own = Vec::new();
    for (position, item) in items.enumerate() {
        let scalar = number.read(&item?, &|| format!("{}, element {position}", what()))?;
        own.extend_from_slice(&scalar.to_bytes(number)[..number.size()]);
    }
    Ok(Argument::Own(own))
}

/// Refuses a buffer of other elements than are taken. Where bytes are, any will do.
fn check_buffer(number: Number, buffer: &PyUntypedBuffer, what: &dyn Fn() -> String) -> PyResult<()> {
    if !buffer.is_c_contiguous() {
        return Err(PyValueError::new_err(format!("{} takes a buffer without gaps: copy it first", what())));
    }
    if number.byte {
        return Ok(());
    }
    let format = buffer.format().to_string_lossy();
    if values::same_format(&format, buffer.item_size(), number) {
        return Ok(());
    }
    let text = format!(
        "{} takes elements of format `{}` and {} bytes, not `{format}` and {}",
        what(),
        number.letter(),
        number.size(),
        buffer.item_size()
    );
    Err(PyTypeError::new_err(text))
}

fn truths(bytes: Vec<u8>, what: &dyn Fn() -> String) -> PyResult<Vec<u8>> {
    match bytes.iter().any(|&byte| byte > 1) {
        true => Err(PyValueError::new_err(format!("{} has a byte that is no truth value", what()))),
        false => Ok(bytes),
    }
}

/// How many elements there is room for, or memory that is to be filled.
pub(crate) fn room<'a, 'py>(
    number: Number,
    object: Borrowed<'a, 'py, PyAny>,
    what: &dyn Fn() -> String,
) -> PyResult<Argument<'a, 'py>> {
    // A number of NumPy has a buffer, too, of no dimension.
    if let Some(buffer) = ffi::buffer_of(&object).filter(|buffer| buffer.dimensions() > 0) {
        check_buffer(number, &buffer, what)?;
        if buffer.readonly() {
            return Err(PyTypeError::new_err(format!("{} is to be filled, and cannot be written", what())));
        }
        let elements = (buffer.len_bytes() / number.size()) as u64;
        return Ok(Argument::Into(buffer, elements));
    }
    count(object, "elements", "a number of elements, or memory to fill", what).map(Argument::Room)
}

/// A number of these.
pub(crate) fn count<'py, T>(
    object: Borrowed<'_, 'py, PyAny>,
    of: &str,
    wanted: &str,
    what: &dyn Fn() -> String,
) -> PyResult<T>
where
    T: for<'a> FromPyObject<'a, 'py, Error = PyErr>,
{
    match ends::index(&object).and_then(|integer| integer.extract::<T>()) {
        Ok(number) => Ok(number),
        Err(error) if error.is_instance_of::<PyOverflowError>(object.py()) => {
            let given = object.str().map(|it| it.to_string()).unwrap_or_default();
            Err(PyOverflowError::new_err(format!("{} is {given}, which is no number of {of}", what())))
        }
        Err(_) => Err(takes(&object, wanted, what)),
    }
}

/// Whether there are objects among arguments.
#[inline]
pub(crate) fn has_objects(read: &[Argument<'_, '_>]) -> bool {
    read.iter().any(|argument| matches!(argument, Argument::Object(_)))
}

/// The objects among arguments: where it matters, a call is begun with them.
pub(crate) fn objects<'r>(read: &'r [Argument<'_, '_>]) -> SmallVec<[Option<&'r Handle>; 4]> {
    let objects = read.iter().filter_map(|argument| match argument {
        Argument::Object(handle) => Some(Some(handle)),
        _ => None,
    });
    objects.collect()
}

/// Writes an argument into a call.
#[inline]
pub(crate) fn put<'s>(
    call: &mut Call<'s>,
    param: &Parameter,
    argument: &'s Argument<'_, '_>,
) -> hotcell::Result<()> {
    let (offset, name) = (param.offset, param.name.as_str());
    match (argument, param.takes) {
        (Argument::Number(scalar), Takes::Number(number)) => {
            scalar.put(call, offset, number);
            Ok(())
        }
        (Argument::Text(text), Takes::Text(encoding)) => {
            let text = text.to_str().expect("it was read before");
            match encoding {
                Encoding::Utf8 | Encoding::Bytes => call.put_text(offset, name, text),
                Encoding::Utf16 => call.put_text_utf16(offset, name, text),
                Encoding::Utf32 => call.put_converted::<Utf32>(offset, name, text),
                Encoding::Latin1 => call.put_converted::<Latin1>(offset, name, text),
            }
        }
        (Argument::Bytes(bytes), Takes::Text(_)) => call.put_text_bytes(offset, name, bytes.as_bytes()),
        (Argument::Bytes(bytes), _) => call.put_buffer(offset, name, bytes.as_bytes()),
        (Argument::Buffer(buffer), _) => call.put_buffer(offset, name, ffi::contents(buffer)),
        (Argument::Own(data), _) => call.put_buffer(offset, name, data),
        (Argument::Room(elements) | Argument::Into(_, elements), Takes::Room(number)) => {
            call.put_capacity(offset, name, *elements, number.size() as u32)
        }
        (Argument::Object(handle), Takes::Object { kind, consumed, on_success }) => {
            match (consumed, on_success) {
                (false, _) => call.put_handle(offset, name, handle, kind),
                (true, false) => call.put_consumed(offset, name, handle, kind),
                (true, true) => call.put_consumed_on_success(offset, name, handle, kind),
            }
        }
        (Argument::Null, Takes::Object { kind, .. }) => call.put_opt_handle(offset, name, None, kind),
        (Argument::Null, _) => {
            call.put_null(offset);
            Ok(())
        }
        _ => Err(call.invalid_argument(name, format!("`{name}` was read as something else than it is"))),
    }
}
