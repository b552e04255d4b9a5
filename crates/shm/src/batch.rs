//! The entries of a batch as they lie in memory: packed by the host, taken apart by the worker.

use std::mem::offset_of;

use hotcell_protocol::Place;
use hotcell_protocol::wire::{self, batch_entry, batch_reply};

/// What entries, and the data in them, are aligned to.
const ALIGN: usize = 8;

/// Entries of a batch in private memory, one behind the other: each is a head, an argument block, and its data.
///
/// An entry that is opened and not closed leaves no trace: the next one takes its place.
#[derive(Debug, Default)]
pub struct Packed {
    /// Zero from `end` on.
    bytes: Vec<u8>,
    /// Bytes of the entries that are closed.
    closed: usize,
    /// Bytes in use.
    end: usize,
}

/// There is no memory for it, or it is longer than an entry may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLong;

impl Packed {
    /// None yet, with room for so many bytes.
    pub fn with_capacity(bytes: usize) -> Packed {
        Packed { bytes: vec![0; bytes], closed: 0, end: 0 }
    }

    /// Begins an entry, with zeros as its arguments.
    #[inline]
    pub fn open(&mut self, function: u16, args_size: usize) -> Result<(), TooLong> {
        if self.end != self.closed {
            self.bytes[self.closed..self.end].fill(0);
            self.end = self.closed;
        }
        self.advance(batch_entry::SIZE + args_size)?;
        self.store(self.closed + batch_entry::FUNCTION, function.to_ne_bytes());
        Ok(())
    }

    /// Writes a number into the argument block of the open entry.
    #[inline]
    pub fn put<const N: usize>(&mut self, offset: usize, value: [u8; N]) {
        self.store(self.closed + batch_entry::SIZE + offset, value);
    }

    /// Copies data, and `tail` zero bytes, behind what the open entry has already.
    #[inline]
    pub fn add(&mut self, data: &[u8], tail: usize) -> Result<Place, TooLong> {
        let start = self.advance(data.len().checked_add(tail).ok_or(TooLong)?)?;
        self.bytes[start..start + data.len()].copy_from_slice(data);
        Ok(Place::new(wire::SEGMENT_BATCH, start as u64))
    }

    /// Ends the open entry; where it starts.
    #[inline]
    pub fn close(&mut self) -> usize {
        let start = self.closed;
        self.closed = self.end;
        let size = (self.closed - start) as u32;
        self.store(start + batch_entry::SIZE_FIELD, size.to_ne_bytes());
        start
    }

    /// Has the worker pass over the entry that starts there.
    pub fn skip(&mut self, start: usize) {
        self.store(start + batch_entry::FLAGS, wire::entry_flags::SKIP.to_ne_bytes());
    }

    /// The entries.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.closed]
    }

    /// Takes so many bytes more into use, all of them zero; where they start.
    #[inline]
    fn advance(&mut self, length: usize) -> Result<usize, TooLong> {
        let start = self.end;
        let end =
            start.checked_add(length).and_then(|end| end.checked_next_multiple_of(ALIGN)).ok_or(TooLong)?;
        if end - self.closed > u32::MAX as usize || end as u64 >= Place::OFFSET_END {
            return Err(TooLong);
        }
        if end > self.bytes.len() {
            self.grow(end)?;
        }
        self.end = end;
        Ok(start)
    }

    #[inline]
    fn store<const N: usize>(&mut self, at: usize, value: [u8; N]) {
        self.bytes[at..at + N].copy_from_slice(&value);
    }

    #[cold]
    fn grow(&mut self, end: usize) -> Result<(), TooLong> {
        let length = end.max(self.bytes.len().saturating_mul(2));
        self.bytes.try_reserve_exact(length - self.bytes.len()).map_err(|_| TooLong)?;
        self.bytes.resize(length, 0);
        Ok(())
    }
}

/// Bytes of a packed reply whose result block has so many.
#[inline]
pub const fn reply_size(result_size: usize) -> usize {
    let block = result_size.next_multiple_of(ALIGN);
    batch_reply::SIZE + if block > ALIGN { block } else { ALIGN }
}

/// Where the host says that the entries of a batch are.
#[derive(Debug, Clone, Copy)]
pub struct BatchHead {
    /// How many.
    pub count: u32,
    /// Bytes of their replies.
    pub replies_length: u32,
    /// Where they are.
    pub place: Place,
    /// Bytes of them.
    pub length: u64,
}

/// The head of an entry as it lies in memory.
#[derive(Clone, Copy)]
#[repr(C)]
struct Head {
    function: u16,
    flags: u16,
    size: u32,
}

const _: () = {
    assert!(size_of::<Head>() == batch_entry::SIZE);
    assert!(offset_of!(Head, function) == batch_entry::FUNCTION);
    assert!(offset_of!(Head, flags) == batch_entry::FLAGS);
    assert!(offset_of!(Head, size) == batch_entry::SIZE_FIELD);
};

/// An entry to execute.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Function index.
    pub function: u16,
    /// Whether it is to be passed over.
    pub skip: bool,
    /// Its argument block; its data are behind it.
    pub args: *const u8,
    /// Bytes from there to the next entry.
    pub length: u32,
}

/// The entries of a batch in request memory, which only the host writes, and not while the batch is executed.
#[derive(Debug)]
pub struct Entries {
    base: *const u8,
    length: usize,
    at: usize,
}

impl Entries {
    /// The entries in `length` bytes at `base`.
    ///
    /// # Safety
    ///
    /// The bytes must be readable for as long as this is used.
    pub unsafe fn new(base: *const u8, length: u64) -> Entries {
        let length = usize::try_from(length).unwrap_or(0);
        Entries { base, length: if base.cast::<u64>().is_aligned() { length } else { 0 }, at: 0 }
    }

    /// Whether that was all.
    pub fn is_empty(&self) -> bool {
        self.at == self.length
    }
}

impl Iterator for Entries {
    type Item = Entry;

    /// The next entry; `None` when what is there is none.
    #[inline]
    fn next(&mut self) -> Option<Entry> {
        let left = self.length - self.at;
        if left < batch_entry::SIZE {
            return None;
        }
        let start = self.base.wrapping_add(self.at);
        // SAFETY: `new` was promised that the bytes are readable, and there are enough left; entries start at multiples of
        // 8 from an aligned base.
        let head = unsafe { start.cast::<Head>().read_volatile() };
        let size = head.size as usize;
        if size < batch_entry::SIZE || size > left || !size.is_multiple_of(ALIGN) {
            return None;
        }
        self.at += size;
        Some(Entry {
            function: head.function,
            skip: head.flags & wire::entry_flags::SKIP != 0,
            args: start.wrapping_add(batch_entry::SIZE),
            length: (size - batch_entry::SIZE) as u32,
        })
    }
}
