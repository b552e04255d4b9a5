//! Noticing that the process was forked, for the price of a load.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::io::{Errno, Result};
use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous, munmap};

/// A page that the kernel wipes in forked children: there the mark is gone.
#[derive(Debug)]
pub struct ForkGuard {
    page: NonNull<AtomicU32>,
}

const PAGE: usize = 4096;

// SAFETY: the page holds one atomic, and this value alone unmaps it.
unsafe impl Send for ForkGuard {}
// SAFETY: as for Send.
unsafe impl Sync for ForkGuard {}

impl ForkGuard {
    /// Marks this process.
    pub fn new() -> Result<ForkGuard> {
        let (protection, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE);
        // SAFETY: a fresh map at an address of the kernel's choice overlaps nothing.
        let base = unsafe { mmap_anonymous(std::ptr::null_mut(), PAGE, protection, flags)? };
        let page = NonNull::new(base.cast::<AtomicU32>()).ok_or(Errno::FAULT)?;
        let guard = ForkGuard { page };
        // SAFETY: the range is the page just mapped.
        unsafe { madvise(base, PAGE, Advice::LinuxWipeOnFork)? };
        guard.mark().store(1, Ordering::Relaxed);
        Ok(guard)
    }

    /// Whether this is a child of the process that made the guard.
    #[inline]
    pub fn forked(&self) -> bool {
        self.mark().load(Ordering::Relaxed) == 0
    }

    fn mark(&self) -> &AtomicU32 {
        // SAFETY: the page is mapped, aligned and zeroed by the kernel, and lives as long as `self`.
        unsafe { self.page.as_ref() }
    }
}

impl Drop for ForkGuard {
    fn drop(&mut self) {
        // SAFETY: the page is this value's own map.
        let _ = unsafe { munmap(self.page.as_ptr().cast(), PAGE) };
    }
}
