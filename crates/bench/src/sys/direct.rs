//! The measured library, linked into this program and called without anything in between.

use std::ffi::{CStr, c_char, c_int, c_void};

// The library itself is linked by this crate.
use hotcell_measured as _;

/// `struct measured_rectangle`.
#[repr(C)]
#[derive(Debug, Default)]
pub(crate) struct Rectangle {
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) area: f64,
    pub(crate) square: i32,
}

unsafe extern "C" {
    fn measured_add(a: c_int, b: c_int) -> c_int;
    fn measured_crc32(crc: u32, data: *const u8, length: usize) -> u32;
    fn measured_capitals(text: *const c_char) -> *const c_char;
    fn measured_rectangle_of(width: f64, height: f64, rectangle: *mut Rectangle);
    fn measured_each(
        count: i32,
        visit: unsafe extern "C" fn(*mut c_void, i32) -> i32,
        user: *mut c_void,
    ) -> i64;
    fn measured_sum(data: *const u8, length: usize) -> u64;
    fn measured_invert(data: *mut u8, length: usize);
    fn measured_allocate(times: i32);
    fn measured_pass(times: i32, bytes: i32) -> i32;
}

pub(crate) fn add(a: i32, b: i32) -> i32 {
    // SAFETY: only numbers are passed.
    unsafe { measured_add(a, b) }
}

pub(crate) fn crc32(crc: u32, data: &[u8]) -> u32 {
    // SAFETY: pointer and length are those of one slice, which is only read.
    unsafe { measured_crc32(crc, data.as_ptr(), data.len()) }
}

pub(crate) fn capitals(text: &CStr) -> String {
    // SAFETY: the text is terminated. What comes back is terminated, and valid until this thread calls again:
    // it is copied at once.
    unsafe { CStr::from_ptr(measured_capitals(text.as_ptr())) }.to_string_lossy().into_owned()
}

pub(crate) fn rectangle_of(width: f64, height: f64) -> Rectangle {
    let mut rectangle = Rectangle::default();
    // SAFETY: the structure has C's layout and is written as a whole, and nothing of it is kept.
    unsafe { measured_rectangle_of(width, height, &mut rectangle) };
    rectangle
}

/// `visit` is a function without data: what a callback costs at least.
pub(crate) fn each(count: i32) -> i64 {
    // SAFETY: the function has the declared signature, and never unwinds; it is not called later.
    unsafe { measured_each(count, half, std::ptr::null_mut()) }
}

/// What the callbacks of both sides compute.
pub(crate) fn half_of(number: i32) -> i32 {
    number / 2
}

extern "C" fn half(_user: *mut c_void, number: i32) -> i32 {
    half_of(number)
}

pub(crate) fn sum(data: &[u8]) -> u64 {
    // SAFETY: as in `crc32`.
    unsafe { measured_sum(data.as_ptr(), data.len()) }
}

pub(crate) fn invert(data: &mut [u8]) {
    // SAFETY: pointer and length are those of one slice that is this function's alone.
    unsafe { measured_invert(data.as_mut_ptr(), data.len()) };
}

pub(crate) fn allocate(times: i32) {
    // SAFETY: only a number is passed.
    unsafe { measured_allocate(times) };
}

/// So many blocks of `bytes` that are written to a pipe and read there; how many it made.
pub(crate) fn pass(times: i32, bytes: i32) -> i32 {
    // SAFETY: only numbers are passed.
    unsafe { measured_pass(times, bytes) }
}
