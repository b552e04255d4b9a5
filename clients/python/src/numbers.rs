//! Numbers of Python into those of C, and back.

use hotcell::rt::{Call, Kind, Puts, Reply};
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyInt};

use crate::ffi::ends;
use crate::plan::Number;

/// A number that C takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Scalar {
    Signed(i64),
    Unsigned(u64),
    Float(f64),
}

impl Number {
    /// Whether it is no integer.
    pub(crate) fn is_float(self) -> bool {
        matches!(self.kind, Kind::F32 | Kind::F64)
    }

    /// Bytes of one.
    pub(crate) fn size(self) -> usize {
        match self.kind {
            Kind::U8 | Kind::I8 => 1,
            Kind::U16 | Kind::I16 => 2,
            Kind::U32 | Kind::I32 | Kind::F32 => 4,
            Kind::U64 | Kind::I64 | Kind::F64 => 8,
        }
    }

    /// The letter by which `array` and `memoryview` know it.
    pub(crate) fn letter(self) -> &'static str {
        match self.kind {
            Kind::U8 => "B",
            Kind::I8 => "b",
            Kind::U16 => "H",
            Kind::I16 => "h",
            Kind::U32 => "I",
            Kind::I32 => "i",
            Kind::U64 => "Q",
            Kind::I64 => "q",
            Kind::F32 => "f",
            Kind::F64 => "d",
        }
    }

    /// The lowest and the highest.
    fn range(self) -> (i128, i128) {
        match (self.truth, self.kind) {
            (true, _) => (0, 1),
            (_, Kind::U8) => (0, u8::MAX.into()),
            (_, Kind::U16) => (0, u16::MAX.into()),
            (_, Kind::U32) => (0, u32::MAX.into()),
            (_, Kind::U64) => (0, u64::MAX.into()),
            (_, Kind::I8) => (i8::MIN.into(), i8::MAX.into()),
            (_, Kind::I16) => (i16::MIN.into(), i16::MAX.into()),
            (_, Kind::I32) => (i32::MIN.into(), i32::MAX.into()),
            _ => (i64::MIN.into(), i64::MAX.into()),
        }
    }

    /// The number that an object is. `what` says of what, where it is none.
    #[inline]
    pub(crate) fn read(self, object: &Bound<'_, PyAny>, what: &dyn Fn() -> String) -> PyResult<Scalar> {
        if self.is_float() {
            return self.read_float(object, what);
        }
        // Most are exactly that, which is known without a call of the interpreter.
        if !object.is_exact_instance_of::<PyInt>() && !object.is_instance_of::<PyInt>() {
            return match ends::index(object) {
                Ok(integer) => self.read(&integer, what),
                Err(error) => Err(self.wrong(object, error, what)),
            };
        }
        if self.kind == Kind::U64 && !self.truth {
            return match object.extract::<u64>() {
                Ok(number) => Ok(Scalar::Unsigned(number)),
                Err(error) => Err(self.wrong(object, error, what)),
            };
        }
        let number = match object.extract::<i64>() {
            Ok(number) => number,
            Err(error) => return Err(self.wrong(object, error, what)),
        };
        let (low, high) = self.range();
        match (low..=high).contains(&number.into()) {
            true => Ok(Scalar::Signed(number)),
            false => Err(self.too_big(object, what)),
        }
    }

    fn read_float(self, object: &Bound<'_, PyAny>, what: &dyn Fn() -> String) -> PyResult<Scalar> {
        let number = match ends::float(object) {
            Ok(number) => number,
            Err(error) if error.is_instance_of::<PyTypeError>(object.py()) => {
                return Err(takes(object, "a number", what));
            }
            Err(error) => return Err(error),
        };
        if self.kind == Kind::F32 && number.is_finite() && !(number as f32).is_finite() {
            let text = format!("{} is {number:?}; it holds up to {:?}", what(), f32::MAX);
            return Err(PyOverflowError::new_err(text));
        }
        Ok(Scalar::Float(number))
    }

    #[cold]
    fn wrong(self, object: &Bound<'_, PyAny>, error: PyErr, what: &dyn Fn() -> String) -> PyErr {
        let py = object.py();
        if error.is_instance_of::<PyOverflowError>(py) {
            self.too_big(object, what)
        } else if error.is_instance_of::<PyTypeError>(py) && object.hasattr("__index__").is_ok_and(|has| !has)
        {
            takes(object, "an integer", what)
        } else {
            error
        }
    }

    #[cold]
    fn too_big(self, object: &Bound<'_, PyAny>, what: &dyn Fn() -> String) -> PyErr {
        let (low, high) = self.range();
        // Python refuses to write out what is very long.
        let number = object.str().map(|text| text.to_string());
        let number = number.ok().filter(|text| text.len() < 64).unwrap_or_else(|| "a very big number".into());
        PyOverflowError::new_err(format!("{} is {number}; it holds {low} to {high}", what()))
    }
}

/// An error that says that an object is something else than what is taken.
#[cold]
pub(crate) fn takes(object: &Bound<'_, PyAny>, wanted: &str, what: &dyn Fn() -> String) -> PyErr {
    let given = object.get_type().name().map(|name| name.to_string()).unwrap_or_default();
    PyTypeError::new_err(format!("{} takes {wanted}, not {given}", what()))
}

impl Scalar {
    /// Writes it at an offset of an argument block.
    #[inline]
    pub(crate) fn put(self, call: &mut Call<'_>, offset: usize, number: Number) {
        let bits = match self {
            Scalar::Signed(number) => number as u64,
            Scalar::Unsigned(number) => number,
            Scalar::Float(float) if number.kind == Kind::F32 => return call.put_f32(offset, float as f32),
            Scalar::Float(float) => return call.put_f64(offset, float),
        };
        match number.size() {
            1 => call.put_u8(offset, bits as u8),
            2 => call.put_u16(offset, bits as u16),
            4 => call.put_u32(offset, bits as u32),
            _ => call.put_u64(offset, bits),
        }
    }

    /// As [`Scalar::put`], of an entry of a batch.
    #[inline]
    pub(crate) fn put_entry(self, call: &mut impl Puts, offset: usize, number: Number) {
        let bits = match self {
            Scalar::Signed(number) => number as u64,
            Scalar::Unsigned(number) => number,
            Scalar::Float(float) if number.kind == Kind::F32 => return call.put_f32(offset, float as f32),
            Scalar::Float(float) => return call.put_f64(offset, float),
        };
        match number.size() {
            1 => call.put_u8(offset, bits as u8),
            2 => call.put_u16(offset, bits as u16),
            4 => call.put_u32(offset, bits as u32),
            _ => call.put_u64(offset, bits),
        }
    }

    /// The number at an offset of a result block.
    #[inline]
    pub(crate) fn of(reply: &Reply<'_>, offset: usize, number: Number) -> Scalar {
        match number.kind {
            Kind::U8 => Scalar::Signed(reply.get_u8(offset).into()),
            Kind::U16 => Scalar::Signed(reply.get_u16(offset).into()),
            Kind::U32 => Scalar::Signed(reply.get_u32(offset).into()),
            Kind::U64 => Scalar::Unsigned(reply.get_u64(offset)),
            Kind::I8 => Scalar::Signed(reply.get_i8(offset).into()),
            Kind::I16 => Scalar::Signed(reply.get_i16(offset).into()),
            Kind::I32 => Scalar::Signed(reply.get_i32(offset).into()),
            Kind::I64 => Scalar::Signed(reply.get_i64(offset)),
            Kind::F32 => Scalar::Float(reply.get_f32(offset).into()),
            Kind::F64 => Scalar::Float(reply.get_f64(offset)),
        }
    }

    /// The number in bytes of C, of which the first count.
    pub(crate) fn from_bytes(bytes: [u8; 8], number: Number) -> Scalar {
        let (raw, spare) = (u64::from_le_bytes(bytes), 64 - 8 * number.size() as u32);
        match number.kind {
            Kind::F32 => Scalar::Float(f32::from_bits(raw as u32).into()),
            Kind::F64 => Scalar::Float(f64::from_bits(raw)),
            Kind::U64 => Scalar::Unsigned(raw),
            Kind::I8 | Kind::I16 | Kind::I32 | Kind::I64 => Scalar::Signed(((raw << spare) as i64) >> spare),
            Kind::U8 | Kind::U16 | Kind::U32 => Scalar::Signed(raw as i64),
        }
    }

    /// As bytes of C.
    pub(crate) fn to_bytes(self, number: Number) -> [u8; 8] {
        match self {
            Scalar::Float(float) if number.kind == Kind::F32 => {
                u64::from((float as f32).to_bits()).to_le_bytes()
            }
            Scalar::Float(float) => float.to_le_bytes(),
            Scalar::Signed(number) => number.to_le_bytes(),
            Scalar::Unsigned(number) => number.to_le_bytes(),
        }
    }

    /// As an object.
    #[inline]
    pub(crate) fn object(self, py: Python<'_>, number: Number) -> Py<PyAny> {
        match self {
            Scalar::Signed(truth) if number.truth => {
                PyBool::new(py, truth != 0).to_owned().into_any().unbind()
            }
            Scalar::Signed(number) => PyInt::new(py, number).into_any().unbind(),
            Scalar::Unsigned(number) => PyInt::new(py, number).into_any().unbind(),
            Scalar::Float(number) => PyFloat::new(py, number).into_any().unbind(),
        }
    }
}
