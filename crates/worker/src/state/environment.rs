//! The environment of the process: a list of texts that anybody may read at any time.

use std::ffi::{CStr, CString, c_char};
use std::iter::repeat_with;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering};

use crate::state::Found;

unsafe extern "C" {
    static mut environ: *mut *mut c_char;
    fn tzset();
}

/// The environment at one moment. Nothing of it is ever freed: who reads it may have it still.
#[derive(Debug)]
pub(super) struct Environment {
    /// What it says.
    texts: Vec<CString>,
    /// Copies that the library is given, and may write to.
    given: Vec<AtomicPtr<c_char>>,
    /// The list of these, which ends with NULL.
    list: &'static [AtomicPtr<c_char>],
}

impl Environment {
    pub(super) fn now() -> Environment {
        let texts = now();
        let given = texts.iter().map(|text| AtomicPtr::new(text.clone().into_raw())).collect();
        let list: Vec<_> = repeat_with(|| AtomicPtr::new(null_mut())).take(texts.len() + 1).collect();
        Environment { texts, given, list: list.leak() }
    }

    /// By a list of its own in place of whatever the library has made of the other one.
    pub(super) fn put_back(&self) -> Found {
        let now = now();
        if now == self.texts {
            return Found::Same;
        }
        for ((place, given), text) in self.list.iter().zip(&self.given).zip(&self.texts) {
            let mut copy = given.load(Ordering::Relaxed);
            // SAFETY: it was terminated when it was given; should the library have written over that, it finds what is behind.
            if unsafe { CStr::from_ptr(copy) } != text.as_c_str() {
                copy = text.clone().into_raw();
                given.store(copy, Ordering::Relaxed);
            }
            place.store(copy, Ordering::Relaxed);
        }
        // The library may have made it longer where there was room: there is none.
        self.list[self.texts.len()].store(null_mut(), Ordering::Relaxed);
        // SAFETY: the list ends with NULL and is there for ever, as its texts are. A list of atomic pointers is one of pointers.
        unsafe { (&raw mut environ).write_volatile(self.list.as_ptr().cast_mut().cast()) };
        if zone(&now) != zone(&self.texts) {
            // SAFETY: has no conditions but that nobody changes the environment meanwhile.
            unsafe { tzset() };
        }
        Found::PutBack
    }
}

/// The time zone that an environment says.
fn zone(texts: &[CString]) -> Option<&[u8]> {
    texts.iter().find_map(|text| text.as_bytes().strip_prefix(b"TZ="))
}

fn now() -> Vec<CString> {
    let mut texts = Vec::new();
    // SAFETY: the list is NULL or ends with NULL, and its texts are terminated. The library changes it, which is between two
    // calls.
    unsafe {
        let mut at = (&raw const environ).read_volatile();
        while !at.is_null() && !(*at).is_null() {
            texts.push(CStr::from_ptr(*at).to_owned());
            at = at.add(1);
        }
    }
    texts
}
