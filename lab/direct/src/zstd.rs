//! Zstandard, called in this process.

use std::ffi::{CStr, c_char, c_uint, c_void};

#[link(name = "zstd")]
unsafe extern "C" {
    fn ZSTD_decompress(
        dst: *mut c_void,
        dst_capacity: usize,
        src: *const c_void,
        compressed_size: usize,
    ) -> usize;
    fn ZSTD_isError(code: usize) -> c_uint;
    fn ZSTD_getErrorName(code: usize) -> *const c_char;
}

/// `ZSTD_decompress`, into a buffer of `capacity` bytes; `Err` is Zstandard's name of the error.
pub fn restore(data: &[u8], capacity: usize) -> Result<Vec<u8>, String> {
    let mut out = vec![0u8; capacity];
    // SAFETY: both pairs of pointer and length are those of one buffer; `out` is written, `data` only read.
    let length =
        unsafe { ZSTD_decompress(out.as_mut_ptr().cast(), capacity, data.as_ptr().cast(), data.len()) };
    // SAFETY: only a number is passed.
    if unsafe { ZSTD_isError(length) } != 0 {
        // SAFETY: the name of any code is a terminated text that lives for ever.
        let name = unsafe { CStr::from_ptr(ZSTD_getErrorName(length)) };
        return Err(name.to_string_lossy().into_owned());
    }
    out.truncate(length);
    Ok(out)
}
