//! zlib, called in this process.

use std::ffi::{CStr, c_char, c_int, c_long, c_uchar, c_uint, c_ulong};

#[link(name = "z")]
unsafe extern "C" {
    fn crc32(crc: c_ulong, buf: *const c_uchar, len: c_uint) -> c_ulong;
    fn adler32(adler: c_ulong, buf: *const c_uchar, len: c_uint) -> c_ulong;
    fn crc32_combine(crc1: c_ulong, crc2: c_ulong, len2: c_long) -> c_ulong;
    fn compressBound(length: c_ulong) -> c_ulong;
    fn compress2(
        dest: *mut c_uchar,
        dest_len: *mut c_ulong,
        source: *const c_uchar,
        source_len: c_ulong,
        level: c_int,
    ) -> c_int;
    fn uncompress(
        dest: *mut c_uchar,
        dest_len: *mut c_ulong,
        source: *const c_uchar,
        source_len: c_ulong,
    ) -> c_int;
    fn zlibVersion() -> *const c_char;
}

/// `crc32`.
pub fn checksum(crc: u64, data: &[u8]) -> u64 {
    let length = c_uint::try_from(data.len()).expect("test data is below 4 GiB");
    // SAFETY: the pointer and the length are those of one slice, which zlib only reads.
    unsafe { crc32(crc, data.as_ptr(), length) }
}

/// `adler32`.
pub fn adler(adler: u64, data: &[u8]) -> u64 {
    let length = c_uint::try_from(data.len()).expect("test data is below 4 GiB");
    // SAFETY: as in `checksum`.
    unsafe { adler32(adler, data.as_ptr(), length) }
}

/// `crc32_combine`.
pub fn combine(first: u64, second: u64, length: i64) -> u64 {
    // SAFETY: only numbers are passed.
    unsafe { crc32_combine(first, second, length) }
}

/// `compressBound`.
pub fn bound(length: u64) -> u64 {
    // SAFETY: only numbers are passed.
    unsafe { compressBound(length) }
}

/// `compress2`, into a buffer of `compressBound` bytes; `Err` is zlib's code.
pub fn compress(data: &[u8], level: i32) -> Result<Vec<u8>, i32> {
    let mut length = bound(data.len() as u64);
    let mut out = vec![0; length as usize];
    // SAFETY: both pairs of pointer and length are those of one buffer; `length` is `out`'s.
    let code = unsafe { compress2(out.as_mut_ptr(), &mut length, data.as_ptr(), data.len() as u64, level) };
    out.truncate(length as usize);
    if code == 0 { Ok(out) } else { Err(code) }
}

/// `uncompress`, into a buffer of `capacity` bytes; `Err` is zlib's code.
pub fn restore(data: &[u8], capacity: usize) -> Result<Vec<u8>, i32> {
    let mut length = capacity as u64;
    let mut out = vec![0; capacity];
    // SAFETY: as in `compress`.
    let code = unsafe { uncompress(out.as_mut_ptr(), &mut length, data.as_ptr(), data.len() as u64) };
    out.truncate(length as usize);
    if code == 0 { Ok(out) } else { Err(code) }
}

/// `zlibVersion`.
pub fn version() -> String {
    // SAFETY: zlib returns a terminated text that lives for ever.
    unsafe { CStr::from_ptr(zlibVersion()) }.to_string_lossy().into_owned()
}
