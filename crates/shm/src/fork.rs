//! Noticing that the process was forked, for the price of a load.

use std::marker::PhantomData;
use std::ptr::{self, NonNull};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

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

/// What each process has for itself: a child that was forked begins anew, and waits for no lock that a thread of its parent has.
///
/// It is for statics: what it has made stays until the process ends.
#[derive(Debug)]
pub struct OfProcess<T> {
    place: Place<T>,
    /// It hands one value to all threads, and keeps what one of them has made.
    _owns: PhantomData<OnceLock<T>>,
}

/// Where the value of a process is, and behind it that of a child of that. Null at first, set once, by whoever comes first.
type Place<T> = AtomicPtr<Own<T>>;

#[derive(Debug)]
struct Own<T> {
    fork: ForkGuard,
    value: T,
    next: Place<T>,
}

impl<T: Default> OfProcess<T> {
    /// None yet, of any process.
    pub const fn new() -> OfProcess<T> {
        OfProcess { place: AtomicPtr::new(ptr::null_mut()), _owns: PhantomData }
    }

    /// That of this process.
    ///
    /// # Errors
    ///
    /// There is no memory to notice forks by.
    pub fn get(&self) -> Result<&T> {
        let mut place = &self.place;
        loop {
            // Acquire pairs with the exchange below: what is there was complete before.
            // SAFETY: a pointer that is not null comes from the box below, and is never freed.
            match unsafe { place.load(Ordering::Acquire).as_ref() } {
                Some(own) if !own.fork.forked() => return Ok(&own.value),
                Some(own) => place = &own.next,
                None => {
                    let next = AtomicPtr::new(ptr::null_mut());
                    let own = Box::new(Own { fork: ForkGuard::new()?, value: T::default(), next });
                    let own = Box::into_raw(own);
                    // One step, which a fork comes before or behind: there is no lock here that a child could find taken.
                    let set =
                        place.compare_exchange(ptr::null_mut(), own, Ordering::AcqRel, Ordering::Relaxed);
                    if set.is_err() {
                        // Another thread was faster.
                        // SAFETY: it is that of the box above, and nobody else has seen it.
                        drop(unsafe { Box::from_raw(own) });
                    }
                }
            }
        }
    }
}

impl<T: Default> Default for OfProcess<T> {
    fn default() -> Self {
        OfProcess::new()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::Mutex;
    use std::thread;
    use std::time::{Duration, Instant};

    use super::*;

    /// Whether a child, which does this, ends by itself within ten seconds, and how.
    fn child(does: impl Fn() -> i32) -> Option<i32> {
        // SAFETY: the child makes what the test says, which takes no lock of another thread, and ends by a system call.
        let child = unsafe { libc::fork() };
        if child == 0 {
            let status = does();
            // SAFETY: ends the child without the handlers of the program.
            unsafe { libc::_exit(status) };
        }
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            let mut status = 0;
            // SAFETY: it is a child of this process, and the status is valid for writes.
            let ended = unsafe { libc::waitpid(child, &mut status, libc::WNOHANG) };
            if ended == child {
                return libc::WIFEXITED(status).then_some(libc::WEXITSTATUS(status));
            }
            if Instant::now() > until {
                // SAFETY: as above; it is not waited for before, so the number is that of the child.
                unsafe {
                    libc::kill(child, libc::SIGKILL);
                    libc::waitpid(child, &mut status, 0);
                }
                return None;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn a_child_has_its_own_whoever_has_locked_that_of_its_parent() {
        static OWN: OfProcess<Mutex<i32>> = OfProcess::new();
        let mut locked = OWN.get().unwrap().lock().unwrap();
        *locked = 7;
        let grandchild = || *OWN.get().unwrap().lock().unwrap();
        let ended = child(|| {
            let before = std::mem::replace(&mut *OWN.get().unwrap().lock().unwrap(), 3);
            let of_child = child(grandchild).unwrap_or(9);
            100 + 10 * of_child + before
        });
        assert_eq!(ended, Some(100), "nothing of the one before is there");
        assert_eq!((*locked, OWN.get().unwrap().try_lock().is_err()), (7, true));
    }
}
