//! Buffers of a session: memory that the host fills in place, and that the worker reads or changes where it lies.
//!
//! They come from segments of their own, which nothing else is ever put into: of request memory for data that goes in, of
//! reply memory for data that the library changes. A segment belongs to no worker until data in it is first passed to one;
//! then it is that worker's, like any segment that was added, and no other worker ever gets it.
//!
//! | what | who writes | who reads, in which state |
//! |---|---|---|
//! | bytes of an [`InBuf`] | the one that has it | the worker that the segment was offered to |
//! | bytes of a lent [`SharedBuf`] | the one that has it; the worker that the segment was offered to, whenever it likes | both |
//! | `State` | who makes or drops a buffer, under its lock | the same |
//! | `Spare` | who drops a buffer, where none is; who makes one, which empties it | who made it empty has what was there, alone |
//! | `offer` | the caller that holds the session's worker | anybody: the worker that has the segment, and its number there |

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use hotcell_protocol::Place;
use rustix::io::Result;

use crate::SharedBuf;
use crate::fork::ForkGuard;
use crate::mapping::{Plain, elements, elements_mut};
use crate::memfd::{Seals, SegmentFile};

mod room;
mod spare;

pub(crate) use room::Room;
use room::{BufferSegment, Pool};

/// Where the buffers of a session are from.
#[derive(Debug)]
pub struct Buffers {
    fork: Arc<ForkGuard>,
    /// Of those that the host alone writes: [`InBuf`]s.
    request: Arc<Pool>,
    /// Of those that the worker writes, too: [`SharedBuf`]s.
    reply: Arc<Pool>,
}

/// Memory for data that goes into calls. It is filled in place, and a call that is passed it, or a part of it, does not
/// copy it.
///
/// It holds what was there before: zeros, or data of an earlier buffer of this session.
///
/// It is an ordinary slice: the worker can read it, and cannot write it. It may be passed to any session, and may outlive
/// its own. Where it is not in the memory of the worker that is called, because that is another session's or has been
/// replaced meanwhile, it is copied like any other slice.
///
/// # Panics
///
/// Any use but dropping it, in a forked child of the process that made it. A slice that was taken before the fork is none of
/// its memory there: it must not be touched.
pub struct InBuf {
    /// Of a request segment.
    room: Room,
}

/// Bytes that lie in a buffer.
#[derive(Debug)]
pub struct Found {
    segment: Arc<BufferSegment>,
    offset: usize,
}

/// Memory that a call lends to its worker. It is no other buffer's until this is dropped.
#[derive(Debug)]
pub struct Lent {
    room: Arc<Room>,
    place: Place,
}

impl Buffers {
    /// None yet.
    pub fn new(fork: &Arc<ForkGuard>) -> Buffers {
        let [request, reply] = [Seals::Request, Seals::Reply].map(Pool::new);
        Buffers { fork: Arc::clone(fork), request, reply }
    }

    /// Makes a buffer for the worker of this generation; 0 where there is none.
    pub fn allocate(&self, length: usize, generation: u64) -> Result<InBuf> {
        Ok(InBuf { room: self.request.allocate(length, generation, &self.fork)? })
    }

    /// As [`Buffers::allocate`], of memory that the worker can write: zeros.
    pub fn allocate_shared(&self, length: usize, generation: u64) -> Result<SharedBuf> {
        let room = self.reply.allocate(length, generation, &self.fork)?;
        // What the kernel gave is zeros already.
        if !room.is_new() {
            room.mapping().zero(room.offset(), room.length());
        }
        Ok(SharedBuf::lent(Arc::new(room)))
    }

    /// Where these bytes lie, if that is in a buffer.
    #[inline]
    pub fn find(&self, bytes: &[u8]) -> Option<Found> {
        let (segment, offset) = self.request.find(bytes)?;
        Some(Found { segment, offset })
    }

    /// Lends a buffer of this session to the worker of this generation. A segment that no worker has yet is given to it by
    /// `give`, as in [`Found::place`]. `None` when it has not got it.
    pub fn lend<E>(
        &self,
        buffer: &SharedBuf,
        generation: u64,
        give: impl FnOnce(&SegmentFile) -> std::result::Result<Option<u16>, E>,
    ) -> std::result::Result<Option<Lent>, E> {
        let Some(room) = buffer.room() else { return Ok(None) };
        let place = room.place_in(&self.reply, generation, give)?;
        Ok(place.map(|place| Lent { room: Arc::clone(room), place }))
    }
}

impl Drop for Buffers {
    fn drop(&mut self) {
        // In a forked child the lock may be held by a thread that is not there.
        if !self.fork.forked() {
            for pool in [&self.request, &self.reply] {
                pool.close();
            }
        }
    }
}

impl Found {
    /// Where the worker of this generation finds them. A segment that no worker has yet is given to it by `give`, which
    /// says under which number, or that the worker takes none. `None` when it has not got it.
    pub fn place<E>(
        &self,
        generation: u64,
        give: impl FnOnce(&SegmentFile) -> std::result::Result<Option<u16>, E>,
    ) -> std::result::Result<Option<Place>, E> {
        self.segment.place(self.offset, generation, give)
    }
}

impl Lent {
    /// Where the worker finds it.
    pub fn place(&self) -> Place {
        self.place
    }

    /// Bytes.
    pub fn length(&self) -> u64 {
        self.room.length() as u64
    }

    /// Whether it is the memory of this buffer.
    pub fn is_of(&self, buffer: &SharedBuf) -> bool {
        buffer.room().is_some_and(|room| Arc::ptr_eq(room, &self.room))
    }

    /// Copies bytes from its start out, behind what `into` holds. False when they are not its, or when this process has no
    /// memory for them.
    #[must_use]
    pub fn append_to(&self, length: u64, into: &mut Vec<u8>) -> bool {
        let length = usize::try_from(length).ok().filter(|&length| length <= self.room.length());
        length.is_some_and(|length| self.room.mapping().append_to(self.room.offset(), length, into))
    }
}

impl InBuf {
    /// The whole elements that it holds.
    pub fn elements<T: Plain>(&self) -> &[T] {
        elements(self)
    }

    /// The whole elements that it holds, to be changed.
    pub fn elements_mut<T: Plain>(&mut self) -> &mut [T] {
        elements_mut(self)
    }
}

impl Deref for InBuf {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        // SAFETY: `start` has checked that the bytes lie in their map, which the room keeps, and that this is the process
        // that has the map. The kernel zeroed them, so they are initialised. Nobody else has them: a `Room` is made of what
        // the allocator gave out, which gives no range out again before it is freed, and that is done when the `Room` is
        // dropped; it is not cloned, and this one is in no `Arc`. Nothing else writes them: the room is of the pool of
        // request memory, for `allocate` alone makes an `InBuf`; a segment of it is private to this module, and its file
        // was sealed against further writable maps before anybody got it. So they change only through `deref_mut`.
        unsafe { std::slice::from_raw_parts(self.room.start(), self.room.length()) }
    }
}

impl DerefMut for InBuf {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `deref`; the map is writable, and `self` is borrowed alone. Another process may read the bytes
        // meanwhile, which is nothing to this one.
        unsafe { std::slice::from_raw_parts_mut(self.room.start(), self.room.length()) }
    }
}

impl std::fmt::Debug for InBuf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InBuf").field("length", &self.room.length()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
