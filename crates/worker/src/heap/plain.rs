//! The C library's own allocator, by the names that nobody replaces.

use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

type Usable = unsafe extern "C" fn(*mut c_void) -> usize;

/// The C library's `malloc_usable_size`, for which it has no second name; null until it was looked for.
static USABLE: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());

/// Whether it is what stands before a block, as [`noted_before`] reads it: that costs no call.
static NOTED_BEFORE: AtomicBool = AtomicBool::new(false);

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
    if found.is_null() {
        return false;
    }
    USABLE.store(found, Ordering::Release);
    // Of the smallest, of each way in which the C library keeps them, and of one that has pages of its own.
    let as_expected = [0, 1, 24, 25, 100, 1_032, 1_033, 5_000, 100_000, 3_000_000].iter().all(|size| {
        // SAFETY: a fresh block, unless there is none; it is freed once.
        unsafe {
            let block = malloc(*size);
            let same = !block.is_null() && noted_before(block) == ask(found, block);
            free(block);
            same
        }
    });
    NOTED_BEFORE.store(as_expected, Ordering::Relaxed);
    true
}

/// Bytes that a block has room for; 0 before [`prepare`].
///
/// # Safety
///
/// It must be a block of this allocator.
#[inline]
pub(super) unsafe fn usable(block: *mut c_void) -> usize {
    // SAFETY: the caller's promise.
    unsafe {
        if NOTED_BEFORE.load(Ordering::Relaxed) {
            return noted_before(block);
        }
        let found = USABLE.load(Ordering::Relaxed);
        if found.is_null() { 0 } else { ask(found, block) }
    }
}

/// What the C library notes before a block, which is the same since it has this allocator: its size with both notes, and in the
/// lowest bits whether it has pages of its own. Then it has no part of the next block's note.
///
/// # Safety
///
/// As for [`usable`].
#[inline]
unsafe fn noted_before(block: *mut c_void) -> usize {
    const NOTE: usize = size_of::<usize>();
    const OWN_PAGES: usize = 2;
    const FLAGS: usize = 7;
    // SAFETY: the caller's promise.
    let note = unsafe { block.byte_sub(NOTE).cast::<usize>().read() };
    let notes = if note & OWN_PAGES == 0 { NOTE } else { 2 * NOTE };
    (note & !FLAGS).wrapping_sub(notes)
}

/// # Safety
///
/// `found` must be the C library's `malloc_usable_size`, and `block` as for [`usable`].
unsafe fn ask(found: *mut c_void, block: *mut c_void) -> usize {
    // SAFETY: the C library defines the signature; the rest is the caller's promise.
    unsafe { std::mem::transmute::<*mut c_void, Usable>(found)(block) }
}
