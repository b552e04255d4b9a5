//! Memory that buffers are made in, and the parts of it that they have.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hotcell_protocol::{Place, wire};
use offset_allocator::{Allocation, Allocator};
use rustix::io::{Errno, Result};

use crate::arena::grown;
use crate::fork::ForkGuard;
use crate::host::sent::read_chunks;
use crate::mapping::Mapping;
use crate::memfd::{Seals, SegmentFile};
use crate::segment::Segment;

/// What blocks are aligned to, and counted in.
pub(super) const UNIT: usize = wire::BUFFER_ALIGN;

/// Bytes of a segment for each block that it can be divided into, whatever its length: smaller data is passed in the
/// slot of its call.
const BYTES_PER_BLOCK: usize = 1024;

/// Most blocks of a segment: what their list takes is allocated with the segment.
const MOST_BLOCKS: usize = 1 << 14;

/// Most blocks that wait for a buffer of their length.
const MOST_SPARES: usize = 16;

/// The number of a worker that has nothing.
const NOBODY: u64 = 0;

/// Segments of one kind, and what is free in them.
#[derive(Debug)]
pub(super) struct Pool {
    kind: Seals,
    state: Mutex<State>,
    /// Whether there is a segment.
    any: AtomicBool,
}

#[derive(Default)]
pub(super) struct State {
    /// What new buffers are made in, the smallest first. A segment of a worker that has gone is not among them; it lives
    /// for as long as there are buffers in it.
    pub(super) segments: Vec<(Arc<BufferSegment>, Allocator)>,
    /// Blocks of dropped buffers, still taken, and the numbers of their segments, which are among those above: whoever
    /// makes a buffer likely wants one of that length again.
    spare: Vec<(usize, Block)>,
}

/// A part of a segment, which one owner has.
struct Block {
    allocation: Allocation,
    units: u32,
}

/// Bytes of a segment that one buffer has, until this is dropped.
pub(crate) struct Room {
    segment: Arc<BufferSegment>,
    /// There until the buffer is dropped.
    block: Option<Block>,
    offset: usize,
    length: usize,
    /// Whether nobody had them before.
    is_new: bool,
}

/// Memory that buffers are made in.
pub(super) struct BufferSegment {
    memory: Segment,
    /// The first, as a number: to be compared with, in a forked child too.
    address: usize,
    pool: Arc<Pool>,
    /// Bytes from its start that buffers may have had.
    used: AtomicU64,
    /// The worker that has it, by its generation, from bit 16; its number there, or 0 where it was not told.
    offer: AtomicU64,
    /// What to give a worker, until one has it.
    file: Mutex<Option<SegmentFile>>,
}

impl Pool {
    pub(super) fn new(kind: Seals) -> Arc<Pool> {
        Arc::new(Pool { kind, state: Mutex::default(), any: AtomicBool::new(false) })
    }

    /// What the lock protects is whole after every step, so a panic under it spoils nothing.
    #[inline]
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Room for a buffer for the worker of this generation; 0 where there is none.
    pub(super) fn allocate(
        self: &Arc<Self>,
        length: usize,
        generation: u64,
        fork: &Arc<ForkGuard>,
    ) -> Result<Room> {
        let units = u32::try_from(length.div_ceil(UNIT).max(1)).map_err(|_| Errno::NOMEM)?;
        let mut state = self.lock();
        let (segment, block) = match state.take(units, generation) {
            Some(taken) => taken,
            None => {
                state.forget_all_but(generation);
                let largest = state.segments.iter().map(|(segment, _)| segment.memory.length()).max();
                let wanted = grown(largest.unwrap_or(0), units as usize * UNIT);
                state.segments.push(BufferSegment::create(wanted, fork, self)?);
                self.any.store(true, Ordering::Relaxed);
                state.take(units, generation).ok_or(Errno::NOMEM)?
            }
        };
        let offset = block.allocation.offset as usize * UNIT;
        let end = (offset + units as usize * UNIT) as u64;
        // Under the lock.
        let is_new = segment.used.fetch_max(end, Ordering::Relaxed) <= offset as u64;
        Ok(Room { segment, block: Some(block), offset, length, is_new })
    }

    /// The segment that the worker of this generation has under this number.
    pub(super) fn passed_to(&self, generation: u64, id: u16) -> Option<Arc<BufferSegment>> {
        let offer = generation << 16 | u64::from(id);
        let state = self.lock();
        let mut segments = state.segments.iter().map(|(segment, _)| segment);
        segments.find(|segment| id != 0 && segment.offer.load(Ordering::Relaxed) == offer).cloned()
    }

    /// The segment that these bytes lie in, and where.
    #[inline]
    pub(super) fn find(&self, bytes: &[u8]) -> Option<(Arc<BufferSegment>, usize)> {
        // Who passes a buffer has it from who made it, and so sees this set.
        if !self.any.load(Ordering::Relaxed) {
            return None;
        }
        let (start, state) = (bytes.as_ptr().addr(), self.lock());
        state.segments.iter().find_map(|(segment, _)| {
            let offset = start.checked_sub(segment.address)?;
            let end = offset.checked_add(bytes.len())?;
            (end <= segment.memory.length()).then(|| (Arc::clone(segment), offset))
        })
    }
}

impl State {
    /// A block of so many units in memory that this worker has, or that none has yet.
    fn take(&mut self, units: u32, generation: u64) -> Option<(Arc<BufferSegment>, Block)> {
        for (index, (number, block)) in self.spare.iter().enumerate() {
            let fits =
                |segment: &&Arc<BufferSegment>| segment.number() == *number && segment.is_for(generation);
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

    fn divide(&mut self, units: u32, generation: u64) -> Option<(Arc<BufferSegment>, Block)> {
        self.segments.iter_mut().rev().find_map(|(segment, free)| {
            let allocation = segment.is_for(generation).then(|| free.allocate(units))??;
            Some((Arc::clone(segment), Block { allocation, units }))
        })
    }

    /// Keeps a block for the next who wants one of its length. What is in a segment that is forgotten goes with that.
    fn give_back(&mut self, segment: &BufferSegment, block: Block) {
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

impl BufferSegment {
    /// A new one, and the book of its blocks.
    fn create(
        length: usize,
        fork: &Arc<ForkGuard>,
        pool: &Arc<Pool>,
    ) -> Result<(Arc<BufferSegment>, Allocator)> {
        let units = u32::try_from(length / UNIT).map_err(|_| Errno::NOMEM)?;
        let (file, mapping) = SegmentFile::create(length, pool.kind)?;
        let blocks = (length / BYTES_PER_BLOCK).min(MOST_BLOCKS) as u32;
        let segment = BufferSegment {
            address: mapping.base().addr(),
            memory: Segment::new(mapping, fork),
            pool: Arc::clone(pool),
            used: AtomicU64::new(0),
            offer: AtomicU64::new(NOBODY),
            file: Mutex::new(Some(file)),
        };
        Ok((Arc::new(segment), Allocator::with_max_allocs(units, blocks)))
    }

    /// Where the worker of this generation finds the byte at an offset. A segment that no worker has yet is given to it by
    /// `give`, which says under which number, or that the worker takes none. `None` when it has not got it.
    pub(super) fn place<E>(
        &self,
        offset: usize,
        generation: u64,
        give: impl FnOnce(&SegmentFile) -> std::result::Result<Option<u16>, E>,
    ) -> std::result::Result<Option<Place>, E> {
        if self.generation() == NOBODY {
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(offered) = &*file {
                // Whatever comes of it: the worker may have it now.
                self.offer.store(generation << 16, Ordering::Relaxed);
                match give(offered)? {
                    Some(id) => {
                        self.offer.store(generation << 16 | u64::from(id), Ordering::Relaxed);
                        *file = None;
                    }
                    None => self.offer.store(NOBODY, Ordering::Relaxed),
                }
            }
        }
        let id = self.offer.load(Ordering::Relaxed) as u16;
        let here = self.generation() == generation && id != 0;
        Ok(here.then(|| Place::new(id, offset as u64)))
    }

    /// Reads bytes of it chunk by chunk. False, and nothing is read, where it has not got them.
    pub(super) fn read(&self, offset: u64, length: u64, read: &mut dyn FnMut(&[u8])) -> bool {
        let mapping = self.memory.mapping();
        let lies = mapping.holds(offset, length);
        if lies {
            read_chunks(mapping, offset as usize, length as usize, read);
        }
        lies
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

impl Room {
    #[inline]
    pub(crate) fn length(&self) -> usize {
        self.length
    }

    /// Where it starts in its map.
    #[inline]
    pub(crate) fn offset(&self) -> usize {
        self.offset
    }

    /// The map of its segment.
    #[inline]
    pub(crate) fn mapping(&self) -> &Mapping {
        self.segment.memory.mapping()
    }

    /// Where its bytes start.
    #[inline]
    pub(super) fn start(&self) -> *mut u8 {
        self.mapping().at(self.offset, self.length)
    }

    /// Whether no buffer had it before: then it is zeros, but for what a worker wrote there that had the segment.
    pub(super) fn is_new(&self) -> bool {
        self.is_new
    }

    /// Where the worker of this generation finds it, if it is of this pool: [`BufferSegment::place`].
    pub(super) fn place_in<E>(
        &self,
        pool: &Arc<Pool>,
        generation: u64,
        give: impl FnOnce(&SegmentFile) -> std::result::Result<Option<u16>, E>,
    ) -> std::result::Result<Option<Place>, E> {
        match Arc::ptr_eq(&self.segment.pool, pool) {
            true => self.segment.place(self.offset, generation, give),
            false => Ok(None),
        }
    }
}

impl Drop for Room {
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

impl std::fmt::Debug for Room {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Room")
            .field("offset", &self.offset)
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let segments: Vec<_> = self.segments.iter().map(|(segment, _)| segment.memory.length()).collect();
        f.debug_struct("State").field("segments", &segments).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for BufferSegment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BufferSegment")
            .field("memory", &self.memory)
            .field("offer", &self.offer)
            .finish_non_exhaustive()
    }
}
