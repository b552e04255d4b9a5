//! The C library's own allocator, by the names that nobody replaces.

use std::ffi::c_void;
use std::sync::atomic::{AtomicPtr, Ordering};

type Usable = unsafe extern "C" fn(*mut c_void) -> usize;

/// The C library's `malloc_usable_size`, for which it has no second name; null until it was looked for.
static USABLE: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());

unsafe extern "C" {
    #[link_name = "__libc_malloc"]
    pub(super) fn malloc(size: usize) -> *mut c_void;
    #[link_name = "__libc_calloc"]
    pub(super) fn calloc(count: usize, size: usize) -> *mut c_void;
    #[link_name = "__libc_realloc"]
    pub(super) fn realloc(block: *mut c_void, size: usize) -> *mut c_void;
    #[link_name = "__libc_memalign"]
    pub(super) fn memalign(align: usize, size: usize) -> *mut c_void;
    #[link_name = "__libc_free"]
    pub(super) fn free(block: *mut c_void);
}

/// Looks for what has no second name. False where the C library is another than it should be.
pub(super) fn prepare() -> bool {
    // SAFETY: the name is terminated.
    let found = unsafe { libc::dlsym(libc::RTLD_NEXT, c"malloc_usable_size".as_ptr()) };
    USABLE.store(found, Ordering::Release);
    !found.is_null()
}

/// Bytes that a block has room for; 0 before [`prepare`].
///
/// # Safety
///
/// It must be a block of this allocator.
#[inline]
pub(super) unsafe fn usable(block: *mut c_void) -> usize {
    let found = USABLE.load(Ordering::Relaxed);
    if found.is_null() {
        return 0;
    }
    // SAFETY: the C library defines the signature; the rest is the caller's promise.
    unsafe { std::mem::transmute::<*mut c_void, Usable>(found)(block) }
}
