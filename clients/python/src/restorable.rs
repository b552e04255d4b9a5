//! Objects that are made anew when their worker has ended.

use pyo3::prelude::*;
use pyo3::pyclass_init::PyClassInitializer;
use pyo3::types::{PyDict, PyTuple, PyType};

use crate::hears::Hears;
use crate::object::{Object, released};
use crate::{call, errors, ffi};

/// An object that is made anew when its worker has ended: by the next call with it that waits, as its contract says.
#[pyclass(frozen, subclass, extends = Object, module = "hotcell._native")]
pub(crate) struct Restorable;

#[pymethods]
impl Restorable {
    #[new]
    #[classmethod]
    #[pyo3(signature = (*given, **named))]
    fn new(
        class: &Bound<'_, PyType>,
        given: &Bound<'_, PyTuple>,
        named: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<PyClassInitializer<Restorable>> {
        Ok(PyClassInitializer::from(Object::new(class, given, named)?).add_subclass(Restorable))
    }

    /// How often it was made anew. What calls had done with it, other than to configure it, was lost each time.
    #[getter]
    fn restored(slf: &Bound<'_, Self>) -> PyResult<u32> {
        Ok(slf.as_super().get().handle(slf.py())?.restored())
    }

    /// Sees to it that the object is there in the worker that serves. Calls that wait do that by themselves; those of a pipeline, of `map`
    /// and of `aio` do not.
    fn restore(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let (handle, loaded) = slf.as_super().get().held().ok_or_else(|| released(py))?;
        let hears = Hears::new();
        let made = ffi::aside(py, || {
            let made = handle.cancelled_by(hears.cancel()).restore();
            // It may be the last one, where another thread has released the object.
            drop(handle);
            made
        });
        match (made, hears.raised()) {
            (Ok(()), None) => Ok(()),
            (Ok(()), Some(raised)) => Err(raised),
            (Err(error), raised) => {
                Err(call::instead(py, errors::exception(py, Some(&loaded), &error), raised))
            }
        }
    }
}
