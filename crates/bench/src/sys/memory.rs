//! Memory that this process shares with the peer of the raw limits.
//!
//! | part | written by | read by | when |
//! |---|---|---|---|
//! | `starter` | caller | peer | before the peer is started |
//! | `order` | caller | peer | before a conversation; its commit word last |
//! | `ready` | peer | caller | when the peer has taken an order |
//! | `ping`, data of `Way::There` | caller | peer | from a ping's commit word to the pong's |
//! | `pong`, data of `Way::Back` | peer | caller | from a pong's commit word to the next ping's |
//!
//! The peer is this very program and trusted: nothing is validated, for that would not be the limit.

use std::os::fd::AsFd;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64};

use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
use rustix::io::{Errno, Result};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

/// A message: one cache line with its commit word inside. The line that the hardware may fetch along with it is
/// its own, too.
#[repr(C, align(128))]
pub(crate) struct Line {
    pub(crate) payload: [AtomicU64; 7],
    pub(crate) commit: AtomicU32,
}

/// The lines of both sides.
#[repr(C)]
pub(crate) struct Board {
    /// Process id of the caller.
    pub(crate) starter: AtomicU32,
    pub(crate) order: Line,
    pub(crate) ready: Line,
    pub(crate) ping: Line,
    pub(crate) pong: Line,
}

/// Direction of data.
#[derive(Clone, Copy)]
pub(crate) enum Way {
    There,
    Back,
}

/// Most bytes that are moved at once.
pub(crate) const MOST: usize = 64 << 20;

/// Bytes before the data.
const HEAD: usize = 4096;

const LENGTH: usize = HEAD + 2 * MOST;

const _: () = assert!(size_of::<Board>() <= HEAD);

/// The mapping, until it is dropped.
pub(crate) struct Memory {
    base: NonNull<u8>,
}

impl Memory {
    /// New memory, and the file the peer is given.
    pub(crate) fn create() -> Result<(Memory, std::fs::File)> {
        let file = memfd_create("hotcell-bench", MemfdFlags::CLOEXEC)?;
        ftruncate(&file, LENGTH as u64)?;
        Ok((Memory::map(&file)?, file.into()))
    }

    /// Maps such a file.
    pub(crate) fn map(file: impl AsFd) -> Result<Memory> {
        if rustix::fs::fstat(&file)?.st_size != LENGTH as i64 {
            return Err(Errno::INVAL);
        }
        let (access, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED);
        // SAFETY: the kernel chooses the place, so no mapping that exists is replaced.
        let base = unsafe { mmap(std::ptr::null_mut(), LENGTH, access, flags, file, 0) }?;
        NonNull::new(base.cast()).map(|base| Memory { base }).ok_or(Errno::NOMEM)
    }

    pub(crate) fn board(&self) -> &Board {
        // SAFETY: the mapping is aligned to pages, holds a board (asserted above), starts with zeros, which are
        // valid for it, and lives as long as `self`. All of a board is atomic, so that the other process may
        // write it at any time.
        unsafe { self.base.cast().as_ref() }
    }

    /// Writes the data of one way. The caller has its turn (see the table above).
    pub(crate) fn fill(&self, way: Way, bytes: usize, value: u8) {
        // SAFETY: `at` gives `bytes` writable bytes. The other side does not touch them in our turn; commit words
        // with release and acquire are between its accesses and ours.
        unsafe { self.at(way, bytes).write_bytes(value, bytes) }
    }

    /// Reads the data of one way, in words. The caller has its turn.
    pub(crate) fn sum(&self, way: Way, bytes: usize) -> u64 {
        let words = self.at(way, bytes).cast::<u64>();
        // SAFETY: as in `fill`; the place is aligned to pages, and any bits are a number.
        (0..bytes / 8).fold(0, |sum: u64, at| sum.wrapping_add(unsafe { words.add(at).read() }))
    }

    fn at(&self, way: Way, bytes: usize) -> *mut u8 {
        assert!(bytes <= MOST, "{bytes} bytes are more than the data memory has");
        let start = match way {
            Way::There => HEAD,
            Way::Back => HEAD + MOST,
        };
        // SAFETY: both parts, of `MOST` bytes each, lie within the mapping.
        unsafe { self.base.as_ptr().add(start) }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own, and what borrows from it borrows `self`.
        let unmapped = unsafe { munmap(self.base.as_ptr().cast(), LENGTH) };
        debug_assert!(unmapped.is_ok(), "{unmapped:?}");
    }
}
