//! Memory of a session that Python fills, and the library reads where it lies.

pub(crate) use crate::ffi::buffer::Buffer;
