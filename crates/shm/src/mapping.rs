//! A mapped segment: bounds-checked words and copies, never a Rust reference to shared bytes.

use std::os::fd::BorrowedFd;
use std::ptr::NonNull;

use hotcell_protocol::wire;
use rustix::io::{Errno, Result};
use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap, munmap};

use crate::{ahead, atomics};

mod lines;
#[cfg(all(test, loom))]
pub(crate) mod watched;

pub(crate) use lines::{Line, OwnLine};

/// What a map allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Loads only; a store is a fault.
    ReadOnly,
    /// Loads and stores.
    ReadWrite,
}

/// A whole segment in this process.
///
/// Another process may change the bytes at any time. So there is no way to a `&[u8]` or `&T` here, save to
/// atomics: everything else is copied. Offsets out of range panic, for they are this program's mistake;
/// offsets that came from the other side are checked by [`Mapping::holds`] first.
#[derive(Debug)]
pub struct Mapping {
    base: NonNull<u8>,
    length: usize,
    access: Access,
    /// What a model knows of this memory.
    #[cfg(all(test, loom))]
    pub(crate) watched: watched::View,
}

// SAFETY: `base` points to memory that this value alone unmaps, and every access goes through atomics or
// copies that tolerate other writers.
unsafe impl Send for Mapping {}
// SAFETY: as for Send; no method hands out a non-atomic reference.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps `length` bytes of a file. The map is left out of core dumps, and out of children that the
    /// process may fork: a child that scribbles must not reach a channel.
    pub fn new(fd: BorrowedFd<'_>, length: usize, access: Access) -> Result<Mapping> {
        let protection = match access {
            Access::ReadOnly => ProtFlags::READ,
            Access::ReadWrite => ProtFlags::READ | ProtFlags::WRITE,
        };
        // SAFETY: a fresh map at an address of the kernel's choice overlaps nothing.
        let base = unsafe { mmap(std::ptr::null_mut(), length, protection, MapFlags::SHARED, fd, 0)? };
        let base = NonNull::new(base.cast::<u8>()).ok_or(Errno::FAULT)?;
        let mapping = Mapping {
            base,
            length,
            access,
            #[cfg(all(test, loom))]
            watched: watched::View::of(fd, length),
        };
        for advice in [Advice::LinuxDontFork, Advice::LinuxDontDump] {
            // SAFETY: the range is the map just made; neither advice changes its contents here.
            unsafe { madvise(base.as_ptr().cast(), length, advice)? };
        }
        Ok(mapping)
    }

    /// Bytes.
    pub fn length(&self) -> usize {
        self.length
    }

    /// First address, for code that must hand it to C.
    pub fn base(&self) -> *mut u8 {
        self.base.as_ptr()
    }

    /// Whether `length` bytes at `offset` lie inside.
    pub fn holds(&self, offset: u64, length: u64) -> bool {
        offset.checked_add(length).is_some_and(|end| end <= self.length as u64)
    }

    /// A 4-byte word as an atomic, in a writable map.
    #[inline]
    pub fn word(&self, offset: usize) -> &atomics::AtomicU32 {
        assert!(self.access == Access::ReadWrite, "a word in a read-only segment");
        self.peer_word(offset)
    }

    /// A 4-byte word that this side may only load from and wait on when the map is read-only.
    #[cfg(not(all(test, loom)))]
    #[inline]
    pub(crate) fn peer_word(&self, offset: usize) -> &atomics::AtomicU32 {
        let address = self.at(offset, 4);
        assert!(address.cast::<atomics::AtomicU32>().is_aligned(), "a word at an odd offset");
        // SAFETY: range and alignment are checked; the map lives as long as `self`. Other processes access the
        // word with machine-word accesses only through this protocol, and a hostile one that does not can
        // change its value but not break the atomic.
        unsafe { atomics::AtomicU32::from_ptr(address.cast()) }
    }

    /// An 8-byte word as an atomic; as [`Mapping::peer_word`].
    #[cfg(not(all(test, loom)))]
    #[inline]
    pub(crate) fn peer_word64(&self, offset: usize) -> &atomics::AtomicU64 {
        let address = self.at(offset, 8);
        assert!(address.cast::<atomics::AtomicU64>().is_aligned(), "a word at an odd offset");
        // SAFETY: as in `peer_word`.
        unsafe { atomics::AtomicU64::from_ptr(address.cast()) }
    }

    /// Loads a number once.
    #[inline]
    pub fn load<T: Plain>(&self, offset: usize) -> T {
        let address = self.at(offset, size_of::<T>());
        assert!(address.cast::<T>().is_aligned(), "a number at an odd offset");
        // SAFETY: range and alignment are checked; `Plain` types hold any bits; volatile makes it one fetch that the
        // compiler cannot repeat after the value was judged.
        unsafe { address.cast::<T>().read_volatile() }
    }

    /// Stores a number.
    #[inline]
    pub fn store<T: Plain>(&self, offset: usize, value: T) {
        let address = self.at_mut(offset, size_of::<T>());
        assert!(address.cast::<T>().is_aligned(), "a number at an odd offset");
        // SAFETY: range, access and alignment are checked.
        unsafe { address.cast::<T>().write_volatile(value) }
    }

    /// A line, whose place is checked once for all that is done there.
    #[inline(always)]
    pub(crate) fn line(&self, offset: usize) -> Line<'_> {
        Line::new(self, offset)
    }

    /// The same, of a line that is written.
    #[inline(always)]
    pub(crate) fn line_mut(&self, offset: usize) -> OwnLine<'_> {
        assert!(self.access == Access::ReadWrite, "store into a read-only segment");
        OwnLine::new(Line::new(self, offset))
    }

    /// Asks for a line that is going to be stored into, while something else is done. Until then the other side, which polls
    /// it, has it.
    #[inline]
    pub(crate) fn expect_store(&self, offset: usize) {
        assert!(self.holds(offset as u64, wire::LINE as u64), "a line outside of its segment");
        // SAFETY: the assertion keeps the address inside the map.
        ahead::claim(unsafe { self.base.as_ptr().add(offset) });
    }

    /// Copies bytes in.
    #[inline]
    pub fn copy_in(&self, offset: usize, bytes: &[u8]) {
        let address = self.at_mut(offset, bytes.len());
        // SAFETY: `at_mut` checked range and access; `bytes` is private memory and cannot overlap a map.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), address, bytes.len()) };
        forget_contents();
    }

    /// Copies bytes out, once: what `into` holds afterwards does not change any more.
    #[inline]
    pub fn copy_out(&self, offset: usize, into: &mut [u8]) {
        let address = self.at(offset, into.len());
        // SAFETY: `at` checked the range; `into` is private memory and cannot overlap a map.
        unsafe { copy_shared(address, into.as_mut_ptr(), into.len()) };
    }

    /// Appends `length` bytes from `offset` to `into`, without zeroing them first. False when this process
    /// has no memory for them.
    #[must_use]
    pub fn append_to(&self, offset: usize, length: usize, into: &mut Vec<u8>) -> bool {
        let address = self.at(offset, length);
        if into.try_reserve_exact(length).is_err() {
            return false;
        }
        let spare = into.spare_capacity_mut().as_mut_ptr().cast::<u8>();
        // SAFETY: `at` checked the source; `try_reserve_exact` made room for `length` bytes, which the copy
        // initialises before `set_len` counts them.
        unsafe {
            copy_shared(address, spare, length);
            into.set_len(into.len() + length);
        }
        true
    }

    /// Zeroes bytes.
    #[inline]
    pub fn zero(&self, offset: usize, length: usize) {
        self.fill(offset, length, 0);
    }

    /// Makes bytes this one.
    #[inline]
    pub fn fill(&self, offset: usize, length: usize, byte: u8) {
        let address = self.at_mut(offset, length);
        // SAFETY: `at_mut` checked range and access.
        unsafe { std::ptr::write_bytes(address, byte, length) };
        forget_contents();
    }

    /// The address of a range, which is checked.
    #[inline]
    pub(crate) fn at(&self, offset: usize, length: usize) -> *mut u8 {
        assert!(offset <= self.length && length <= self.length - offset, "access outside of its segment");
        #[cfg(all(test, loom))]
        self.watched.touch(offset, length);
        // SAFETY: the assertion keeps the address inside the map.
        unsafe { self.base.as_ptr().add(offset) }
    }

    #[inline]
    fn at_mut(&self, offset: usize, length: usize) -> *mut u8 {
        assert!(self.access == Access::ReadWrite, "store into a read-only segment");
        #[cfg(all(test, loom))]
        self.watched.note(offset, length, true);
        self.at(offset, length)
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the range is this value's own map, and every reference into it borrowed `self`.
        let _ = unsafe { munmap(self.base.as_ptr().cast(), self.length) };
    }
}

/// Numbers that may hold any bits.
pub trait Plain: Copy + sealed::Sealed {}

mod sealed {
    pub trait Sealed {}
}

macro_rules! plain {
    ($($t:ty),*) => { $( impl sealed::Sealed for $t {} impl Plain for $t {} )* };
}
plain!(u8, u16, u32, u64, i8, i16, i32, i64, f32, f64);

/// Numbers and truth values: every byte of them means something.
pub trait Solid: Copy + solid::Sealed {}

mod solid {
    pub trait Sealed {}
}

macro_rules! solid {
    ($($t:ty),*) => { $( impl solid::Sealed for $t {} impl Solid for $t {} )* };
}
solid!(u8, u16, u32, u64, i8, i16, i32, i64, f32, f64, bool);

/// Numbers as they lie in memory.
#[inline]
pub fn bytes_of<T: Solid>(elements: &[T]) -> &[u8] {
    // SAFETY: `Solid` types have no padding, so all their bytes are initialised; bytes need no alignment.
    unsafe { std::slice::from_raw_parts(elements.as_ptr().cast(), size_of_val(elements)) }
}

/// The whole numbers in bytes that are aligned to 64, as those of buffers are.
#[cfg(feature = "buffers")]
pub(crate) fn elements<T: Plain>(bytes: &[u8]) -> &[T] {
    let start = bytes.as_ptr().cast::<T>();
    assert!(start.is_aligned(), "buffers are aligned");
    // SAFETY: the address is aligned, so many whole numbers lie there, and `Plain` types hold any bits.
    unsafe { std::slice::from_raw_parts(start, bytes.len() / size_of::<T>()) }
}

/// As [`elements`], to be changed.
#[cfg(feature = "buffers")]
pub(crate) fn elements_mut<T: Plain>(bytes: &mut [u8]) -> &mut [T] {
    let start = bytes.as_mut_ptr().cast::<T>();
    assert!(start.is_aligned(), "buffers are aligned");
    // SAFETY: as in `elements`; `bytes` is borrowed alone, and `Plain` types have no padding that a write could leave
    // uninitialised.
    unsafe { std::slice::from_raw_parts_mut(start, bytes.len() / size_of::<T>()) }
}

/// Copies bytes that another process may change meanwhile, once.
///
/// # Safety
///
/// `from` must be readable and `to` writable for `length` bytes; they must not overlap, and `to` must be private memory.
#[inline]
pub(crate) unsafe fn copy_shared(from: *const u8, to: *mut u8, length: usize) {
    // SAFETY: the caller's promise.
    unsafe { std::ptr::copy_nonoverlapping(from, to, length) };
    forget_contents();
}

/// Tells the compiler that shared memory may have changed, so that it cannot fetch a copied byte again from
/// its source: between copy and check the other side could change it.
#[inline(always)]
fn forget_contents() {
    // SAFETY: an empty instruction sequence; without `nomem` it counts as reading and writing all memory.
    unsafe { std::arch::asm!("", options(nostack, preserves_flags)) };
}
