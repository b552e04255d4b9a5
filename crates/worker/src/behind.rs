//! Functions of the C library that the program stands before: it exports their names, and calls them itself.

use std::ffi::{CStr, c_char, c_void};
use std::sync::atomic::{AtomicPtr, Ordering};

/// A function of the C library that the program stands before.
#[derive(Debug)]
pub struct Behind {
    name: &'static CStr,
    /// Null until it was looked for.
    found: AtomicPtr<c_void>,
}

impl Behind {
    /// The function of this name.
    pub const fn of(name: &'static CStr) -> Behind {
        Behind { name, found: AtomicPtr::new(std::ptr::null_mut()) }
    }

    /// Its address.
    pub fn find(&self) -> *mut c_void {
        let found = self.look();
        if found.is_null() {
            // Whoever calls it was linked with a C library that has it.
            std::process::abort();
        }
        found
    }

    /// Its address; null where the C library has none.
    pub fn look(&self) -> *mut c_void {
        let found = self.found.load(Ordering::Relaxed);
        if !found.is_null() {
            return found;
        }
        let name: *const c_char = self.name.as_ptr();
        // SAFETY: the name is terminated.
        let found = unsafe { libc::dlsym(libc::RTLD_NEXT, name) };
        self.found.store(found, Ordering::Relaxed);
        found
    }
}
