//! What the program exports in place of the C library's allocator, and what its own code allocates with instead; and what it
//! exports so that a library never finds its thread bound.
//!
//! The loader takes the first definition of a name, and the program comes first: so every library of this process, the C
//! library itself too, allocates here.

use std::alloc::{GlobalAlloc, Layout};
use std::ffi::{c_char, c_int, c_long, c_void};

use hotcell_worker::{cpus, heap};

pub(crate) mod state;

/// Alignment of what the C library's `malloc` returns.
const ALIGN: usize = 16;

/// The worker's own memory: the C library's allocator by its other names, past what is counted.
struct Own;

#[global_allocator]
static OWN: Own = Own;

unsafe extern "C" {
    fn __libc_malloc(size: usize) -> *mut c_void;
    fn __libc_calloc(count: usize, size: usize) -> *mut c_void;
    fn __libc_realloc(block: *mut c_void, size: usize) -> *mut c_void;
    fn __libc_memalign(align: usize, size: usize) -> *mut c_void;
    fn __libc_free(block: *mut c_void);
}

// SAFETY: the C library's allocator does what is asked of a global one; blocks of both ways of allocating go back the same way.
unsafe impl GlobalAlloc for Own {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: has no conditions.
        let block = unsafe {
            match layout.align() {
                ..=ALIGN => __libc_malloc(layout.size()),
                align => __libc_memalign(align, layout.size()),
            }
        };
        noted(block, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if layout.align() > ALIGN {
            // SAFETY: the caller's promise; the block, if there is one, has so many bytes.
            unsafe {
                let block = self.alloc(layout);
                if !block.is_null() {
                    block.write_bytes(0, layout.size());
                }
                return block;
            }
        }
        // SAFETY: has no conditions.
        noted(unsafe { __libc_calloc(1, layout.size()) }, layout.size())
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if layout.align() > ALIGN {
            // SAFETY: the caller's promise; both blocks have as many bytes as are copied.
            unsafe {
                let moved = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
                if !moved.is_null() {
                    std::ptr::copy_nonoverlapping(block, moved, layout.size().min(size));
                    self.dealloc(block, layout);
                }
                return moved;
            }
        }
        // SAFETY: the block came from this allocator.
        noted(unsafe { __libc_realloc(block.cast(), size) }, size)
    }

    unsafe fn dealloc(&self, block: *mut u8, _: Layout) {
        // SAFETY: the block came from this allocator.
        unsafe { __libc_free(block.cast()) };
    }
}

fn noted(block: *mut c_void, size: usize) -> *mut u8 {
    if block.is_null() {
        heap::note_refusal(size);
    }
    block.cast()
}

#[unsafe(no_mangle)]
extern "C" fn malloc(size: usize) -> *mut c_void {
    heap::allocate(size)
}

#[unsafe(no_mangle)]
extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
    // More than there can be is refused there.
    heap::allocate_zeroed(count.saturating_mul(size))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: the caller's promise, as for `realloc`.
    unsafe { heap::reallocate(block, size) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn reallocarray(block: *mut c_void, count: usize, size: usize) -> *mut c_void {
    // SAFETY: the caller's promise, as for `realloc`.
    unsafe { heap::reallocate(block, count.saturating_mul(size)) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn free(block: *mut c_void) {
    // SAFETY: the caller's promise, as for `free`.
    unsafe { heap::release(block) };
}

#[unsafe(no_mangle)]
extern "C" fn memalign(align: usize, size: usize) -> *mut c_void {
    heap::allocate_aligned(align, size)
}

#[unsafe(no_mangle)]
extern "C" fn aligned_alloc(align: usize, size: usize) -> *mut c_void {
    heap::allocate_aligned(align, size)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn posix_memalign(place: *mut *mut c_void, align: usize, size: usize) -> c_int {
    if !align.is_power_of_two() || !align.is_multiple_of(size_of::<*mut c_void>()) {
        return libc::EINVAL;
    }
    // SAFETY: errno's address is always valid, and the caller's promise is a place to write to.
    unsafe {
        let errno = libc::__errno_location();
        let before = *errno;
        let block = heap::allocate_aligned(align, size);
        // It says so by what it returns.
        *errno = before;
        if block.is_null() {
            return libc::ENOMEM;
        }
        place.write(block);
    }
    0
}

#[unsafe(no_mangle)]
extern "C" fn valloc(size: usize) -> *mut c_void {
    heap::allocate_aligned(page(), size)
}

#[unsafe(no_mangle)]
extern "C" fn pvalloc(size: usize) -> *mut c_void {
    heap::allocate_aligned(page(), size.checked_next_multiple_of(page()).unwrap_or(usize::MAX))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn malloc_usable_size(block: *mut c_void) -> usize {
    if block.is_null() {
        return 0;
    }
    // SAFETY: the caller's promise, as for `malloc_usable_size`.
    unsafe { heap::size_of_block(block) }
}

fn page() -> usize {
    // SAFETY: has no conditions.
    unsafe { libc::sysconf(libc::_SC_PAGESIZE) as usize }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_create(
    thread: *mut libc::pthread_t,
    attributes: *const libc::pthread_attr_t,
    start: extern "C" fn(*mut c_void) -> *mut c_void,
    argument: *mut c_void,
) -> c_int {
    // SAFETY: the caller's promise, as for `pthread_create`.
    unsafe { cpus::pthread_create(thread, attributes, start, argument) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn thrd_create(
    thread: *mut libc::pthread_t,
    start: extern "C" fn(*mut c_void) -> c_int,
    argument: *mut c_void,
) -> c_int {
    // SAFETY: the caller's promise, as for `thrd_create`.
    unsafe { cpus::thrd_create(thread, start, argument) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn sched_getaffinity(pid: libc::pid_t, size: usize, set: *mut c_void) -> c_int {
    // SAFETY: the caller's promise, as for `sched_getaffinity`.
    unsafe { cpus::sched_getaffinity(pid, size, set) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_getaffinity_np(thread: libc::pthread_t, size: usize, set: *mut c_void) -> c_int {
    // SAFETY: the caller's promise, as for `pthread_getaffinity_np`.
    unsafe { cpus::pthread_getaffinity_np(thread, size, set) }
}

#[unsafe(no_mangle)]
extern "C" fn sysconf(name: c_int) -> c_long {
    cpus::sysconf(name)
}

#[unsafe(no_mangle)]
extern "C" fn get_nprocs() -> c_int {
    cpus::get_nprocs()
}

#[unsafe(no_mangle)]
unsafe extern "C" fn posix_spawn(
    pid: *mut libc::pid_t,
    path: *const c_char,
    actions: *const libc::posix_spawn_file_actions_t,
    attributes: *const libc::posix_spawnattr_t,
    arguments: *const *mut c_char,
    environment: *const *mut c_char,
) -> c_int {
    // SAFETY: the caller's promise, as for `posix_spawn`.
    unsafe { cpus::posix_spawn(pid, path, actions, attributes, arguments, environment) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn posix_spawnp(
    pid: *mut libc::pid_t,
    file: *const c_char,
    actions: *const libc::posix_spawn_file_actions_t,
    attributes: *const libc::posix_spawnattr_t,
    arguments: *const *mut c_char,
    environment: *const *mut c_char,
) -> c_int {
    // SAFETY: the caller's promise, as for `posix_spawnp`.
    unsafe { cpus::posix_spawnp(pid, file, actions, attributes, arguments, environment) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn system(command: *const c_char) -> c_int {
    // SAFETY: the caller's promise, as for `system`.
    unsafe { cpus::system(command) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn popen(command: *const c_char, mode: *const c_char) -> *mut libc::FILE {
    // SAFETY: the caller's promise, as for `popen`.
    unsafe { cpus::popen(command, mode) }
}
