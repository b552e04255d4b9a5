//! Memory of a session as a buffer of Python.

use std::ffi::{CStr, c_int};
use std::ptr;

use hotcell::InBuf;
use pyo3::exceptions::PyBufferError;
use pyo3::ffi;
use pyo3::prelude::*;

/// Memory of a session: `memoryview(buffer)` and `numpy.frombuffer(buffer, …)` write into it, and a function that is passed it, or a
/// part of it, reads it where it lies.
#[pyclass(frozen, module = "hotcell._native")]
pub(crate) struct Buffer {
    /// The bytes of `memory`, which do not move.
    start: Bytes,
    length: usize,
    /// The process that has it: it is not mapped into those that are forked of that.
    process: u32,
    /// Not looked at any more: Python writes there at any time.
    _memory: InBuf,
}

/// Where memory starts that every thread may use.
struct Bytes(*mut u8);

// SAFETY: it is an address. Whoever uses the memory does so as Python does, with its lock or with what its users agreed on.
unsafe impl Send for Bytes {}
// SAFETY: as above.
unsafe impl Sync for Bytes {}

impl Buffer {
    pub(crate) fn of(mut memory: InBuf) -> Buffer {
        let (start, length) = (Bytes(memory.as_mut_ptr()), memory.len());
        Buffer { start, length, process: std::process::id(), _memory: memory }
    }
}

#[pymethods]
impl Buffer {
    fn __len__(&self) -> usize {
        self.length
    }

    fn __repr__(&self) -> String {
        format!("<hotcell.Buffer of {} bytes>", self.length)
    }

    /// # Safety
    ///
    /// Python calls it with a place for the view.
    unsafe fn __getbuffer__(slf: Bound<'_, Self>, view: *mut ffi::Py_buffer, flags: c_int) -> PyResult<()> {
        if view.is_null() {
            return Err(PyBufferError::new_err("there is no view to fill"));
        }
        if slf.get().process != std::process::id() {
            return Err(PyBufferError::new_err("the memory is of the process that this one was forked of"));
        }
        /// Unsigned bytes.
        const FORMAT: &CStr = c"B";
        let (start, length) = (slf.get().start.0, slf.get().length);
        let shaped = |flag: c_int| flags & flag == flag;
        // SAFETY: `view` is Python's, and holds the buffer, whose memory lives as long as that. The shape is `len` itself, and the
        // stride `itemsize`: both lie in the view.
        unsafe {
            (*view).obj = slf.into_any().into_ptr();
            (*view).buf = start.cast();
            (*view).len = length as ffi::Py_ssize_t;
            (*view).readonly = 0;
            (*view).itemsize = 1;
            (*view).format =
                if shaped(ffi::PyBUF_FORMAT) { FORMAT.as_ptr().cast_mut() } else { ptr::null_mut() };
            (*view).ndim = 1;
            (*view).shape = if shaped(ffi::PyBUF_ND) { &raw mut (*view).len } else { ptr::null_mut() };
            (*view).strides =
                if shaped(ffi::PyBUF_STRIDES) { &raw mut (*view).itemsize } else { ptr::null_mut() };
            (*view).suboffsets = ptr::null_mut();
            (*view).internal = ptr::null_mut();
        }
        Ok(())
    }
}
