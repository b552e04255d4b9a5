//! Memory that buffers are made in, and the parts of it that they have.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hotcell_protocol::{Place, wire};
use offset_allocator::{Allocation, Allocator};
use rustix::io::{Errno, Result};

use crate::arena::grown;
use crate::fork::ForkGuard;
use crate::mapping::Mapping;
use crate::memfd::{Seals, SegmentFile};
use crate::segment::Segment;

use super::spare::Spare;

/// What blocks are aligned to, and counted in.
pub(super) const UNIT: usize = wire::BUFFER_ALIGN;

/// Bytes of a segment for each block that it can be divided into, whatever its length: smaller data is passed in the
/// slot of its call.
const BYTES_PER_BLOCK: usize = 1024;

/// Most blocks of a segment: what their list takes is allocated with the segment.
const MOST_BLOCKS: usize = 1 << 14;

/// Classes of lengths: of each, one block of a dropped buffer waits for the next that is made. The last is for the longest.
const CLASSES: usize = 16;

/// The number of a worker that has nothing.
const NOBODY: u64 = 0;

/// Segments of one kind, and what is free in them.
#[derive(Debug)]
pub(super) struct Pool {
    kind: Seals,
    state: Mutex<State>,
    /// Whether there is a segment.
    any: AtomicBool,
    /// Blocks of dropped buffers, still taken, by the class of their length: whoever makes a buffer likely wants one of that
    /// length again, and takes no lock for it.
    spares: [Spare<Block>; CLASSES],
}

#[derive(Default)]
pub(super) struct State {
    /// What new buffers are made in, the smallest first. A segment of a worker that has gone is not among them; it lives
    /// for as long as there are buffers in it.
    pub(super) segments: Vec<(Arc<BufferSegment>, Allocator)>,
}

/// A part of a segment, which one owner has.
struct Block {
    segment: Arc<BufferSegment>,
    allocation: Allocation,
    units: u32,
}

/// Bytes of a segment that one buffer has, until this is dropped.
pub(crate) struct Room {
    /// There until the buffer is dropped.
    block: Option<Box<Block>>,
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
    /// No buffers are made in it any more.
    forgotten: AtomicBool,
}

impl Pool {
    pub(super) fn new(kind: Seals) -> Arc<Pool> {
        let (state, any, spares) = (Mutex::default(), AtomicBool::new(false), Default::default());
        Arc::new(Pool { kind, state, any, spares })
    }

    /// What the lock protects is whole after every step, so a panic under it spoils nothing.
    #[inline]
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Room for a buffer for the worker of this generation; 0 where there is none.
    #[inline]
    pub(super) fn allocate(
        self: &Arc<Self>,
        length: usize,
        generation: u64,
        fork: &Arc<ForkGuard>,
    ) -> Result<Room> {
        let units = u32::try_from(length.div_ceil(UNIT).max(1)).map_err(|_| Errno::NOMEM)?;
        let spare = self.spares[class(units)].take();
        if let Some(block) = &spare
            && block.units == units
            && block.segment.is_for(generation)
        {
            return Ok(Room { block: spare, length, is_new: false });
        }
        let (block, is_new) = self.divide(units, generation, spare, fork)?;
        Ok(Room { block: Some(block), length, is_new })
    }

    /// A block of so many units, and whether nobody had it before. The spare one serves nobody any more.
    #[cold]
    fn divide(
        self: &Arc<Self>,
        units: u32,
        generation: u64,
        spare: Option<Box<Block>>,
        fork: &Arc<ForkGuard>,
    ) -> Result<(Box<Block>, bool)> {
        let mut state = self.lock();
        spare.into_iter().for_each(|spare| state.free(&spare));
        let mut found = state.divide(units, generation);
        if found.is_none() {
            self.spares.iter().filter_map(Spare::take).for_each(|spare| state.free(&spare));
            found = state.divide(units, generation);
        }
        let block = match found {
            Some(block) => block,
            None => {
                state.forget_all_but(generation);
                let largest = state.segments.iter().map(|(segment, _)| segment.memory.length()).max();
                let wanted = grown(largest.unwrap_or(0), units as usize * UNIT);
                state.segments.push(BufferSegment::create(wanted, fork, self)?);
                self.any.store(true, Ordering::Relaxed);
                state.divide(units, generation).ok_or(Errno::NOMEM)?
            }
        };
        let (start, end) = (block.offset() as u64, (block.offset() + units as usize * UNIT) as u64);
        // Nobody else changes it: that is done under the lock.
        let used = block.segment.used.load(Ordering::Relaxed);
        block.segment.used.store(used.max(end), Ordering::Relaxed);
        Ok((Box::new(block), used <= start))
    }

    /// Makes no more buffers, and keeps none that is dropped: segments know their pool, and it them, and one side has to let
    /// go.
    pub(super) fn close(&self) {
        let segments = std::mem::take(&mut self.lock().segments);
        let spares = self.spares.iter().filter_map(Spare::close);
        drop((segments, spares.collect::<Vec<_>>()));
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
    fn divide(&mut self, units: u32, generation: u64) -> Option<Block> {
        self.segments.iter_mut().rev().find_map(|(segment, free)| {
            let allocation = segment.is_for(generation).then(|| free.allocate(units))??;
            Some(Block { segment: Arc::clone(segment), allocation, units })
        })
    }

    /// Frees a block. What is in a segment that is forgotten goes with that.
    fn free(&mut self, block: &Block) {
        let of = |(segment, _): &&mut (Arc<BufferSegment>, _)| Arc::ptr_eq(segment, &block.segment);
        if let Some((_, free)) = self.segments.iter_mut().find(of) {
            free.free(block.allocation);
        }
    }

    /// Makes no more buffers in memory of workers that have gone.
    fn forget_all_but(&mut self, generation: u64) {
        for (segment, _) in &self.segments {
            if !segment.is_for(generation) {
                segment.forgotten.store(true, Ordering::Relaxed);
            }
        }
        self.segments.retain(|(segment, _)| !segment.forgotten.load(Ordering::Relaxed));
    }
}

/// The class of blocks of so many units.
fn class(units: u32) -> usize {
    (units.max(1).ilog2() as usize).min(CLASSES - 1)
}

impl Block {
    /// Where it starts in its segment.
    #[inline]
    fn offset(&self) -> usize {
        self.allocation.offset as usize * UNIT
    }

    /// Keeps it for the next who wants one of its length.
    #[inline]
    fn give_back(self: Box<Self>) {
        let kept = Spare::offer(self, |block| &block.segment.pool.spares[class(block.units)]);
        if let Err(block) = kept {
            block.free();
        }
    }

    #[cold]
    fn free(&self) {
        self.segment.pool.lock().free(self);
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
            forgotten: AtomicBool::new(false),
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

    /// The worker that has it.
    fn generation(&self) -> u64 {
        self.offer.load(Ordering::Relaxed) >> 16
    }

    /// Whether buffers are made in it for this worker: data in it can be passed to that.
    #[inline]
    fn is_for(&self, generation: u64) -> bool {
        let owner = self.generation();
        (owner == NOBODY || owner == generation) && !self.forgotten.load(Ordering::Relaxed)
    }
}

impl Room {
    #[inline]
    fn block(&self) -> &Block {
        self.block.as_deref().expect("it is there until the buffer is dropped")
    }

    #[inline]
    pub(crate) fn length(&self) -> usize {
        self.length
    }

    /// Where it starts in its map.
    #[inline]
    pub(crate) fn offset(&self) -> usize {
        self.block().offset()
    }

    /// The map of its segment.
    #[inline]
    pub(crate) fn mapping(&self) -> &Mapping {
        self.block().segment.memory.mapping()
    }

    /// Where its bytes start.
    #[inline]
    pub(super) fn start(&self) -> *mut u8 {
        self.mapping().at(self.offset(), self.length)
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
        let segment = &self.block().segment;
        match Arc::ptr_eq(&segment.pool, pool) {
            true => segment.place(self.offset(), generation, give),
            false => Ok(None),
        }
    }
}

impl Drop for Room {
    #[inline]
    fn drop(&mut self) {
        // In a forked child nobody makes buffers, and the lock may be held by a thread that is not there.
        if let Some(block) = self.block.take()
            && !block.segment.memory.is_forked()
        {
            block.give_back();
        }
    }
}

impl std::fmt::Debug for Room {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Room")
            .field("offset", &self.offset())
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
