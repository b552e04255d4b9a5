//! Buffers of a session in request memory: the host fills them in place, and the worker reads them where they lie.
//!
//! They come from segments of their own, which nothing else is ever put into. A segment belongs to no worker until
//! data in it is first passed to one; then it is that worker's, like any segment that was added, and no other worker
//! ever gets it.
//!
//! | what | who writes | who reads, in which state |
//! |---|---|---|
//! | bytes of a block | the one [`InBuf`] that has it | the worker that the segment was offered to |
//! | `State` | who makes or drops a buffer, under its lock | the same |
//! | `offer` | the caller that holds the session's worker | anybody: the worker that has the segment, and its number there |

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hotcell_protocol::{Place, wire};
use offset_allocator::{Allocation, Allocator};
use rustix::io::{Errno, Result};

use crate::arena::grown;
use crate::fork::ForkGuard;
use crate::mapping::{Plain, elements, elements_mut};
use crate::memfd::{Seals, SegmentFile};
use crate::segment::Segment;

/// What blocks are aligned to, and counted in.
const UNIT: usize = wire::BUFFER_ALIGN;

/// Bytes of a segment for each block that it can be divided into, whatever its length: smaller data is passed in the
/// slot of its call.
const BYTES_PER_BLOCK: usize = 1024;

/// Most blocks of a segment: what their list takes is allocated with the segment.
const MOST_BLOCKS: usize = 1 << 14;

/// Most blocks that wait for a buffer of their length.
const MOST_SPARES: usize = 16;

/// The number of a worker that has nothing.
const NOBODY: u64 = 0;

/// Where the buffers of a session are from.
#[derive(Debug)]
pub struct Buffers {
    fork: Arc<ForkGuard>,
    pool: Arc<Pool>,
}

#[derive(Debug, Default)]
struct Pool {
    state: Mutex<State>,
    /// Whether there is a segment.
    any: AtomicBool,
}

#[derive(Default)]
struct State {
    /// What new buffers are made in, the smallest first. A segment of a worker that has gone is not among them; it lives
    /// for as long as there are buffers in it.
    segments: Vec<(Arc<InSegment>, Allocator)>,
    /// Blocks of dropped buffers, still taken, and the numbers of their segments, which are among those above: whoever
    /// makes a buffer likely wants one of that length again.
    spare: Vec<(usize, Block)>,
}

/// A part of a segment, which one owner has.
struct Block {
    allocation: Allocation,
    units: u32,
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
    segment: Arc<InSegment>,
    /// There until the buffer is dropped.
    block: Option<Block>,
    offset: usize,
    length: usize,
}

/// Bytes that lie in a buffer.
#[derive(Debug)]
pub struct Found {
    segment: Arc<InSegment>,
    offset: usize,
}

/// Memory that buffers are made in.
struct InSegment {
    memory: Segment,
    /// The first, as a number: to be compared with, in a forked child too.
    address: usize,
    pool: Arc<Pool>,
    /// The worker that has it, by its generation, from bit 16; its number there, or 0 where it was not told.
    offer: AtomicU64,
    /// What to give a worker, until one has it.
    file: Mutex<Option<SegmentFile>>,
}

impl Buffers {
    /// None yet.
    pub fn new(fork: &Arc<ForkGuard>) -> Buffers {
        Buffers { fork: Arc::clone(fork), pool: Arc::default() }
    }

    /// Makes a buffer for the worker of this generation; 0 where there is none.
    pub fn allocate(&self, length: usize, generation: u64) -> Result<InBuf> {
        let units = u32::try_from(length.div_ceil(UNIT).max(1)).map_err(|_| Errno::NOMEM)?;
        let mut state = self.pool.lock();
        let (segment, block) = match state.take(units, generation) {
            Some(taken) => taken,
            None => {
                state.forget_all_but(generation);
                let largest = state.segments.iter().map(|(segment, _)| segment.memory.length()).max();
                let wanted = grown(largest.unwrap_or(0), units as usize * UNIT);
                state.segments.push(InSegment::create(wanted, &self.fork, &self.pool)?);
                self.pool.any.store(true, Ordering::Relaxed);
                state.take(units, generation).ok_or(Errno::NOMEM)?
            }
        };
        let offset = block.allocation.offset as usize * UNIT;
        Ok(InBuf { segment, block: Some(block), offset, length })
    }

    /// Where these bytes lie, if that is in a buffer.
    #[inline]
    pub fn find(&self, bytes: &[u8]) -> Option<Found> {
        // Who passes a buffer has it from who made it, and so sees this set.
        if !self.pool.any.load(Ordering::Relaxed) {
            return None;
        }
        let (start, state) = (bytes.as_ptr().addr(), self.pool.lock());
        state.segments.iter().find_map(|(segment, _)| {
            let offset = start.checked_sub(segment.address)?;
            let end = offset.checked_add(bytes.len())?;
            (end <= segment.memory.length()).then(|| Found { segment: Arc::clone(segment), offset })
        })
    }
}

impl Drop for Buffers {
    /// Segments know the pool, and it them: one side has to let go.
    fn drop(&mut self) {
        // In a forked child the lock may be held by a thread that is not there.
        if !self.fork.forked() {
            *self.pool.lock() = State::default();
        }
    }
}

impl Pool {
    /// What the lock protects is whole after every step, so a panic under it spoils nothing.
    #[inline]
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// A block of so many units in memory that this worker has, or that none has yet.
    fn take(&mut self, units: u32, generation: u64) -> Option<(Arc<InSegment>, Block)> {
        for (index, (number, block)) in self.spare.iter().enumerate() {
            let fits = |segment: &&Arc<InSegment>| segment.number() == *number && segment.is_for(generation);
            if block.units == units
                && let Some(segment) = self.segments.iter().map(|(segment, _)| segment).find(fits)
            {
                return Some((Arc::clone(segment), self.spare.swap_remove(index).1));
            }
        }
        self.divide(units, generation).or_else(|| {
            let some = !self.spare.is_empty();
            self.free_spares();
            some.then(|| self.divide(units, generation))?
        })
    }

    fn divide(&mut self, units: u32, generation: u64) -> Option<(Arc<InSegment>, Block)> {
        self.segments.iter_mut().rev().find_map(|(segment, free)| {
            let allocation = segment.is_for(generation).then(|| free.allocate(units))??;
            Some((Arc::clone(segment), Block { allocation, units }))
        })
    }

    /// Keeps a block for the next who wants one of its length. What is in a segment that is forgotten goes with that.
    fn give_back(&mut self, segment: &InSegment, block: Block) {
        let number = segment.number();
        if self.segments.iter().all(|(segment, _)| segment.number() != number) {
            return;
        }
        if self.spare.len() == MOST_SPARES {
            self.free_spares();
        }
        self.spare.push((number, block));
    }

    fn free_spares(&mut self) {
        for (number, block) in self.spare.drain(..) {
            if let Some((_, free)) = self.segments.iter_mut().find(|(segment, _)| segment.number() == number)
            {
                free.free(block.allocation);
            }
        }
    }

    /// Makes no more buffers in memory of workers that have gone.
    fn forget_all_but(&mut self, generation: u64) {
        self.free_spares();
        self.segments.retain(|(segment, _)| segment.is_for(generation));
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
        let segment = &*self.segment;
        if segment.generation() == NOBODY {
            let mut file = segment.file.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(offered) = &*file {
                // Whatever comes of it: the worker may have it now.
                segment.offer.store(generation << 16, Ordering::Relaxed);
                match give(offered)? {
                    Some(id) => {
                        segment.offer.store(generation << 16 | u64::from(id), Ordering::Relaxed);
                        *file = None;
                    }
                    None => segment.offer.store(NOBODY, Ordering::Relaxed),
                }
            }
        }
        let id = segment.offer.load(Ordering::Relaxed) as u16;
        let here = segment.generation() == generation && id != 0;
        Ok(here.then(|| Place::new(id, self.offset as u64)))
    }
}

impl InSegment {
    /// A new one, and the book of its blocks.
    fn create(length: usize, fork: &Arc<ForkGuard>, pool: &Arc<Pool>) -> Result<(Arc<InSegment>, Allocator)> {
        let units = u32::try_from(length / UNIT).map_err(|_| Errno::NOMEM)?;
        let (file, mapping) = SegmentFile::create(length, Seals::Request)?;
        let blocks = (length / BYTES_PER_BLOCK).min(MOST_BLOCKS) as u32;
        let segment = InSegment {
            address: mapping.base().addr(),
            memory: Segment::new(mapping, fork),
            pool: Arc::clone(pool),
            offer: AtomicU64::new(NOBODY),
            file: Mutex::new(Some(file)),
        };
        Ok((Arc::new(segment), Allocator::with_max_allocs(units, blocks)))
    }

    /// Tells it from others that live.
    fn number(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// The worker that has it.
    fn generation(&self) -> u64 {
        self.offer.load(Ordering::Relaxed) >> 16
    }

    /// Whether data in it can be passed to this worker.
    fn is_for(&self, generation: u64) -> bool {
        let owner = self.generation();
        owner == NOBODY || owner == generation
    }
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let segments: Vec<_> = self.segments.iter().map(|(segment, _)| segment.memory.length()).collect();
        f.debug_struct("State").field("segments", &segments).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for InSegment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InSegment")
            .field("memory", &self.memory)
            .field("offer", &self.offer)
            .finish_non_exhaustive()
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

    /// Where its bytes start.
    #[inline]
    fn start(&self) -> *mut u8 {
        self.segment.memory.mapping().at(self.offset, self.length)
    }
}

impl Deref for InBuf {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        // SAFETY: `at` has checked that the bytes lie in their map, which `segment` keeps, and `mapping` that this
        // is the process that has the map. The kernel zeroed them, so they are initialised. No other `InBuf` has them: a
        // `Block` is neither cloned nor made anywhere but from what the allocator gave out, which gives no range out again
        // before it is freed, and a block that is freed is consumed. Nothing else writes them: a segment is private to this
        // module and is written by buffers alone, and its file was sealed against further writable maps before anybody
        // got it. So they change only through `deref_mut`.
        unsafe { std::slice::from_raw_parts(self.start(), self.length) }
    }
}

impl DerefMut for InBuf {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `deref`; the map is writable, and `self` is borrowed alone. Another process may read the bytes
        // meanwhile, which is nothing to this one.
        unsafe { std::slice::from_raw_parts_mut(self.start(), self.length) }
    }
}

impl std::fmt::Debug for InBuf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InBuf").field("length", &self.length).finish_non_exhaustive()
    }
}

impl Drop for InBuf {
    #[inline]
    fn drop(&mut self) {
        // In a forked child the lock may be held by a thread that is not there.
        if self.segment.memory.is_forked() {
            return;
        }
        if let Some(block) = self.block.take() {
            self.segment.pool.lock().give_back(&self.segment, block);
        }
    }
}

#[cfg(test)]
mod tests;
