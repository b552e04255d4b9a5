//! Memory that the worker writes and a caller has: results that stay where they were written, for as long as the caller holds
//! them, and buffers that calls lend to the library.
//!
//! | what | who writes | who reads, in which state |
//! |---|---|---|
//! | bytes of a held part, or of a buffer | the worker, whenever it likes; who has it | who has it: a copy, or a byte at a time |
//! | `held` | who takes or drops a part, under its lock | the arena, before it grants a part of the segment |

use std::marker::PhantomData;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hotcell_protocol::wire;

#[cfg(feature = "buffers")]
use crate::buffers::Room;
use crate::fork::ForkGuard;
use crate::mapping::{Mapping, copy_shared};
use crate::segment::Segment;

/// A segment of reply windows, parts of which are held.
#[derive(Debug)]
pub(crate) struct OutSegment {
    memory: Segment,
    held: Mutex<Vec<Range<usize>>>,
}

/// A result that stays where the worker wrote it, or a buffer that the library changes in place.
///
/// The worker can still write there, so the bytes may change at any time, and there is no slice of them. What is to be
/// judged has to be copied first: what was copied does not change any more.
///
/// It may outlive its session. While it lives, its memory is not used for other results, nor for other buffers.
///
/// # Panics
///
/// Any use but dropping it, in a forked child of the process that has it. A view that was taken before the fork is none of its
/// memory there: it must not be touched.
#[derive(Debug)]
pub struct SharedBuf {
    place: Where,
}

#[derive(Debug)]
enum Where {
    /// In a window, where the worker can write.
    Held { segment: Arc<OutSegment>, part: Range<usize> },
    /// In a buffer of a session, where the worker can write that was lent it.
    #[cfg(feature = "buffers")]
    Lent(Arc<Room>),
    /// Copied: there is so little of it that it came with the reply.
    Copied(Vec<u8>),
}

/// The bytes of a [`SharedBuf`], or some of them, where they lie: another process can change them at any time.
#[derive(Debug, Clone, Copy)]
pub struct SharedView<'a> {
    start: *const u8,
    length: usize,
    of: PhantomData<&'a SharedBuf>,
}

impl OutSegment {
    pub(crate) fn new(mapping: Mapping, fork: &Arc<ForkGuard>) -> Arc<OutSegment> {
        Arc::new(OutSegment { memory: Segment::new(mapping, fork), held: Mutex::default() })
    }

    #[inline]
    pub(crate) fn mapping(&self) -> &Mapping {
        self.memory.mapping()
    }

    /// Bytes.
    #[inline]
    pub(crate) fn length(&self) -> usize {
        self.memory.length()
    }

    /// Takes a part, which lies inside.
    pub(crate) fn hold(self: &Arc<Self>, part: Range<usize>) -> SharedBuf {
        assert!(part.start <= part.end && part.end <= self.memory.length(), "a part outside of its segment");
        self.parts().push(part.clone());
        SharedBuf { place: Where::Held { segment: Arc::clone(self), part } }
    }

    /// The largest part that nobody holds.
    pub(crate) fn free(&self) -> Range<usize> {
        let mut held = self.parts().clone();
        held.sort_unstable_by_key(|part| part.start);
        let (mut free, mut start) = (0..0, 0);
        let end = self.memory.length();
        for part in held.into_iter().chain(std::iter::once(end..end)) {
            let gap = start..part.start;
            if gap.len() > free.len() {
                free = gap;
            }
            start = start.max(part.end.next_multiple_of(wire::BUFFER_ALIGN));
        }
        free
    }

    fn parts(&self) -> MutexGuard<'_, Vec<Range<usize>>> {
        // Whole after every step.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SharedBuf {
    /// A result that was copied.
    pub fn copied(bytes: Vec<u8>) -> SharedBuf {
        SharedBuf { place: Where::Copied(bytes) }
    }

    /// A buffer of a session.
    #[cfg(feature = "buffers")]
    pub(crate) fn lent(room: Arc<Room>) -> SharedBuf {
        SharedBuf { place: Where::Lent(room) }
    }

    /// The memory that it has, if it is a buffer of a session.
    #[cfg(feature = "buffers")]
    pub(crate) fn room(&self) -> Option<&Arc<Room>> {
        match &self.place {
            Where::Lent(room) => Some(room),
            _ => None,
        }
    }

    /// Bytes.
    pub fn len(&self) -> usize {
        match &self.place {
            Where::Held { part, .. } => part.len(),
            #[cfg(feature = "buffers")]
            Where::Lent(room) => room.length(),
            Where::Copied(bytes) => bytes.len(),
        }
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes, where they lie.
    pub fn view(&self) -> SharedView<'_> {
        let start = match &self.place {
            Where::Held { segment, part } => segment.mapping().at(part.start, part.len()).cast_const(),
            #[cfg(feature = "buffers")]
            Where::Lent(room) => room.mapping().at(room.offset(), room.length()).cast_const(),
            Where::Copied(bytes) => bytes.as_ptr(),
        };
        SharedView { start, length: self.len(), of: PhantomData }
    }

    /// Copies bytes out, from `offset` on.
    ///
    /// # Panics
    ///
    /// Where there are not so many.
    pub fn copy_to(&self, offset: usize, into: &mut [u8]) {
        self.view().slice(offset..offset.saturating_add(into.len())).copy_to(into);
    }

    /// A copy.
    pub fn to_vec(&self) -> Vec<u8> {
        self.view().to_vec()
    }

    /// Copies bytes in, from `offset` on.
    ///
    /// # Panics
    ///
    /// Where there are not so many.
    pub fn copy_from(&mut self, offset: usize, bytes: &[u8]) {
        self.change(
            offset,
            bytes.len(),
            |mapping, at| mapping.copy_in(at, bytes),
            |copy| {
                copy.copy_from_slice(bytes);
            },
        );
    }

    /// Makes every byte this one.
    pub fn fill(&mut self, byte: u8) {
        let length = self.len();
        self.change(0, length, |mapping, at| mapping.fill(at, length, byte), |copy| copy.fill(byte));
    }

    /// Changes bytes where they lie: in a map, at an offset of it, or in a copy.
    fn change(
        &mut self,
        offset: usize,
        length: usize,
        in_map: impl FnOnce(&Mapping, usize),
        in_copy: impl FnOnce(&mut [u8]),
    ) {
        let end = offset.checked_add(length).filter(|&end| end <= self.len());
        let end = end.expect("bytes outside of a shared buffer");
        match &mut self.place {
            Where::Held { segment, part } => in_map(segment.mapping(), part.start + offset),
            #[cfg(feature = "buffers")]
            Where::Lent(room) => in_map(room.mapping(), room.offset() + offset),
            Where::Copied(bytes) => in_copy(&mut bytes[offset..end]),
        }
    }
}

impl Drop for SharedBuf {
    fn drop(&mut self) {
        let Where::Held { segment, part } = &self.place else { return };
        // In a forked child the lock may be held by a thread that is not there.
        if segment.memory.is_forked() {
            return;
        }
        let mut parts = segment.parts();
        if let Some(index) = parts.iter().position(|held| held == part) {
            parts.swap_remove(index);
        }
    }
}

impl<'a> SharedView<'a> {
    /// Bytes.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The byte at an index, as it is now.
    #[inline]
    pub fn get(&self, index: usize) -> Option<u8> {
        // SAFETY: `start` has `length` bytes, which are mapped and initialised for as long as what this is a view of is
        // borrowed. Volatile: another process may write them, so this is one load, which is not repeated.
        (index < self.length).then(|| unsafe { self.start.add(index).read_volatile() })
    }

    /// The bytes, each as it is when it is its turn.
    pub fn iter(&self) -> impl Iterator<Item = u8> + use<'a> {
        let view = *self;
        (0..view.length).map_while(move |index| view.get(index))
    }

    /// Some of the bytes.
    ///
    /// # Panics
    ///
    /// Where there are not so many.
    pub fn slice(&self, range: Range<usize>) -> SharedView<'a> {
        assert!(range.start <= range.end && range.end <= self.length, "bytes outside of a shared result");
        // The start stays inside, or right behind the last byte.
        SharedView { start: self.start.wrapping_add(range.start), length: range.len(), of: PhantomData }
    }

    /// Copies the first bytes out. What was copied does not change any more.
    ///
    /// # Panics
    ///
    /// Where there are not so many.
    pub fn copy_to(&self, into: &mut [u8]) {
        assert!(into.len() <= self.length, "bytes outside of a shared result");
        // SAFETY: `start` has `length` readable bytes, as in `get`, and no fewer than are asked for. `into` is private
        // memory, and is borrowed alone.
        unsafe { copy_shared(self.start, into.as_mut_ptr(), into.len()) };
    }

    /// A copy.
    pub fn to_vec(&self) -> Vec<u8> {
        let mut copy = Vec::with_capacity(self.length);
        // SAFETY: as in `copy_to`; there is room for `length` bytes, which the copy initialises before they are counted.
        unsafe {
            copy_shared(self.start, copy.as_mut_ptr(), self.length);
            copy.set_len(self.length);
        }
        copy
    }

    /// Shows the bytes to `look` in order, a piece at a time, each copied before: that stays in the cache, so it costs
    /// hardly more than reading them once.
    pub fn pieces(&self, mut look: impl FnMut(&[u8])) {
        let mut piece = [0; 4096];
        let mut from = 0;
        while from < self.length {
            let length = piece.len().min(self.length - from);
            self.slice(from..from + length).copy_to(&mut piece[..length]);
            look(&piece[..length]);
            from += length;
        }
    }

    /// The first byte's address, for code that reads them by itself. That may be no reference: another process can change
    /// the bytes.
    pub fn as_ptr(&self) -> *const u8 {
        self.start
    }
}

#[cfg(test)]
mod tests;
