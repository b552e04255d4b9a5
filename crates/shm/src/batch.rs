//! The entries and the replies of a batch as they lie in memory: packed by the host, taken apart by the worker.

use std::mem::offset_of;

use hotcell_protocol::Place;
use hotcell_protocol::wire::{self, batch_entry, batch_failure};

use crate::ahead::{Ahead, fetch};
use crate::mapping::bytes_of;

/// What blocks, and the data behind them, are aligned to.
const ALIGN: usize = 8;

/// Entries of a batch in private memory: their heads, their argument blocks, and their data.
///
/// An entry that is opened and given up leaves no trace: the next one takes its place.
#[derive(Debug, Default)]
pub struct Packed {
    /// Function and flags, once they are asked for.
    heads: Vec<[u16; 2]>,
    args: Zeroed,
    data: Zeroed,
}

/// There is no memory for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLong;

impl Packed {
    /// None yet, with room for so many bytes of arguments and of data.
    pub fn with_capacity(bytes: usize) -> Packed {
        Packed { heads: Vec::new(), args: Zeroed::with_capacity(bytes), data: Zeroed::with_capacity(bytes) }
    }

    /// Begins an entry, with zeros as its arguments. The one before was closed or given up.
    #[inline]
    pub fn open(&mut self, args_size: u16) -> Result<(), TooLong> {
        self.args.open(usize::from(args_size).next_multiple_of(ALIGN))
    }

    /// Begins so many entries at once, whose argument blocks are alike: zeros. They are closed, or given up, together.
    pub fn open_rows(&mut self, args_size: u16, rows: usize) -> Result<(), TooLong> {
        let block = usize::from(args_size).next_multiple_of(ALIGN);
        self.args.open(block.checked_mul(rows).ok_or(TooLong)?)
    }

    /// Writes a number into the argument block of each of the open entries, whose blocks have so many bytes, in their order.
    #[inline]
    pub fn put_column<const N: usize>(
        &mut self,
        args_size: u16,
        offset: usize,
        values: impl Iterator<Item = [u8; N]>,
    ) {
        let block = usize::from(args_size).next_multiple_of(ALIGN);
        let open = &mut self.args.bytes[self.args.closed..self.args.end];
        for (block, value) in open.chunks_exact_mut(block).zip(values) {
            block[offset..offset + N].copy_from_slice(&value);
        }
    }

    /// Writes a number into the argument block of the open entry.
    #[inline]
    pub fn put<const N: usize>(&mut self, offset: usize, value: [u8; N]) {
        let at = self.args.closed + offset;
        self.args.bytes[at..at + N].copy_from_slice(&value);
    }

    /// Copies data, and `tail` zero bytes, behind what the open entry has already.
    #[inline]
    pub fn add(&mut self, data: &[u8], tail: usize) -> Result<Place, TooLong> {
        let start = self.data.advance(data.len().checked_add(tail).ok_or(TooLong)?)?;
        self.data.bytes[start..start + data.len()].copy_from_slice(data);
        Ok(Place::new(wire::SEGMENT_BATCH, start as u64))
    }

    /// Ends the open entry.
    #[inline]
    pub fn close(&mut self) {
        self.args.closed = self.args.end;
        self.data.closed = self.data.end;
    }

    /// Gives up the open entry.
    pub fn give_up(&mut self) {
        self.args.give_up();
        self.data.give_up();
    }

    /// Heads, argument blocks, and data, as they are to lie one behind the other. Of each entry, which function it calls,
    /// and whether it is to be passed over.
    pub fn parts(&mut self, entries: impl Iterator<Item = (u16, bool)>) -> [&[u8]; 3] {
        let flags = |skip| if skip { wire::entry_flags::SKIP } else { 0 };
        self.heads.clear();
        self.heads.extend(entries.map(|(function, skip)| [function, flags(skip)]));
        if !self.heads.len().is_multiple_of(ALIGN / batch_entry::SIZE) {
            self.heads.push([0, 0]);
        }
        [
            bytes_of(self.heads.as_flattened()),
            &self.args.bytes[..self.args.closed],
            &self.data.bytes[..self.data.closed],
        ]
    }

    /// Forgets the entries, and keeps the memory.
    pub fn clear(&mut self) {
        self.heads.clear();
        self.args.clear();
        self.data.clear();
    }

    /// Bytes of memory it has.
    pub fn memory(&self) -> usize {
        self.heads.capacity() * batch_entry::SIZE + self.args.bytes.len() + self.data.bytes.len()
    }
}

/// Bytes that are taken into use from the front, zero from `end` on.
#[derive(Debug, Default)]
struct Zeroed {
    bytes: Vec<u8>,
    /// Bytes of the entries that are closed.
    closed: usize,
    /// Bytes in use.
    end: usize,
}

impl Zeroed {
    fn with_capacity(bytes: usize) -> Zeroed {
        Zeroed { bytes: vec![0; bytes], closed: 0, end: 0 }
    }

    /// Takes the first bytes of an entry into use: so many, which are a multiple of 8.
    #[inline]
    fn open(&mut self, length: usize) -> Result<(), TooLong> {
        // There is no memory of so many bytes that this overflows.
        let end = self.closed + length;
        if end > self.bytes.len() {
            self.grow(end)?;
        }
        self.end = end;
        Ok(())
    }

    /// Takes so many bytes more into use, and those up to the next multiple of 8; where they start.
    #[inline]
    fn advance(&mut self, length: usize) -> Result<usize, TooLong> {
        let start = self.end;
        let end =
            start.checked_add(length).and_then(|end| end.checked_next_multiple_of(ALIGN)).ok_or(TooLong)?;
        if end > self.bytes.len() {
            self.grow(end)?;
        }
        self.end = end;
        Ok(start)
    }

    #[cold]
    fn grow(&mut self, end: usize) -> Result<(), TooLong> {
        if end as u64 >= Place::OFFSET_END {
            return Err(TooLong);
        }
        let length = end.max(self.bytes.len().saturating_mul(2));
        self.bytes.try_reserve_exact(length - self.bytes.len()).map_err(|_| TooLong)?;
        self.bytes.resize(length, 0);
        Ok(())
    }

    fn give_up(&mut self) {
        self.bytes[self.closed..self.end].fill(0);
        self.end = self.closed;
    }

    fn clear(&mut self) {
        self.closed = 0;
        self.give_up();
    }
}

/// How the replies of so many entries lie: what is to be said of those that failed, states, result blocks.
#[derive(Debug, Clone, Copy)]
pub struct Replies(u32);

impl Replies {
    /// Of so many entries.
    pub const fn of(entries: u32) -> Replies {
        Replies(entries)
    }

    /// Where the states begin, a byte each.
    pub const fn states(self) -> usize {
        self.0 as usize * batch_failure::SIZE
    }

    /// Where the result blocks begin, [`block_size`] bytes each.
    pub const fn blocks(self) -> usize {
        self.states() + Self::blocks_behind_states(self.0 as usize)
    }

    /// Where the result blocks of so many entries begin, counted from the states.
    pub const fn blocks_behind_states(entries: usize) -> usize {
        entries.next_multiple_of(ALIGN)
    }
}

/// Bytes that an argument block of so many has in a batch.
#[inline]
pub const fn args_size(args_size: usize) -> usize {
    args_size.next_multiple_of(ALIGN)
}

/// Bytes that a result block of so many has among packed replies: eight at least, for the place of a name.
#[inline]
pub const fn block_size(result_size: usize) -> usize {
    let block = result_size.next_multiple_of(ALIGN);
    if block > ALIGN { block } else { ALIGN }
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
    /// Bytes from there to the data.
    pub data: u64,
    /// Bytes from there to the end of the data.
    pub length: u64,
}

/// The head of an entry as it lies in memory.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
struct Head {
    function: u16,
    flags: u16,
}

const _: () = {
    assert!(size_of::<Head>() == batch_entry::SIZE);
    assert!(offset_of!(Head, function) == batch_entry::FUNCTION);
    assert!(offset_of!(Head, flags) == batch_entry::FLAGS);
};

/// The entries of a batch in request memory, which only the host writes, and not while the batch is executed.
#[derive(Debug)]
pub struct Entries {
    head: *const Head,
    /// Heads left.
    left: u32,
    args: *const u8,
    /// Bytes of argument blocks left.
    args_left: usize,
    data: (*mut u8, u64),
}

impl Entries {
    /// The entries at `base`; `None` when they do not lie as they should.
    ///
    /// # Safety
    ///
    /// There, `head.length` bytes must be readable for as long as this is used.
    pub unsafe fn new(base: *mut u8, head: &BatchHead) -> Option<Entries> {
        let args = (head.count as usize).checked_mul(batch_entry::SIZE)?.next_multiple_of(ALIGN);
        let data = usize::try_from(head.data).ok()?;
        if !base.cast::<u64>().is_aligned() || args > data || head.data > head.length {
            return None;
        }
        let behind = usize::try_from(head.length - head.data).ok()?;
        let (blocks, data_at) = (base.wrapping_add(args), base.wrapping_add(data));
        for (part, length) in [(base, args), (blocks, data - args), (data_at, behind)] {
            Ahead::of(part, length).fetch(AHEAD);
        }
        Some(Entries {
            head: base.cast(),
            left: head.count,
            args: blocks,
            args_left: data - args,
            data: (data_at, head.length - head.data),
        })
    }

    /// Where their data are, and how many bytes.
    pub fn data(&self) -> (*mut u8, u64) {
        self.data
    }

    /// Turns to the next entry: which function it calls, and whether it is to be passed over. `None` behind the last.
    #[inline]
    pub fn turn(&mut self) -> Option<(u16, bool)> {
        self.left = self.left.checked_sub(1)?;
        // SAFETY: `new` was promised that the bytes are readable, found room for all heads, and `left` counted them down;
        // the base is aligned.
        let head = unsafe { self.head.read_volatile() };
        self.head = self.head.wrapping_add(1);
        Some((head.function, head.flags & wire::entry_flags::SKIP != 0))
    }

    /// The argument block of the entry, which has so many bytes, as they are padded. `None` when there is no such block.
    #[inline]
    pub fn args(&mut self, padded: usize) -> Option<*const u8> {
        self.args_left = self.args_left.checked_sub(padded)?;
        let args = self.args;
        // Behind the last block are the data, which are read as well.
        fetch(args.wrapping_add(AHEAD * wire::LINE).cast_mut());
        self.args = args.wrapping_add(padded);
        Some(args)
    }

    /// Whether that was all.
    pub fn is_empty(&self) -> bool {
        self.left == 0 && self.args_left == 0
    }
}

/// Lines that are asked for before the first entry: no more than a core waits for at once.
const AHEAD: usize = 4;
