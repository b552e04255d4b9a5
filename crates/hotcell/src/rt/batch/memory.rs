//! The memory of batches: it is that of the session's last one.

use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hotcell_protocol::wire;
use hotcell_shm::batch::{Packed, block_size};
use hotcell_shm::lock::Mutex;

use super::ENTRY_BITS;
use super::columns::{Columns, Slot};
use crate::error::Error;
use crate::rt::Function;
use crate::rt::passed::PassedObject;

/// Room for the entries of a batch of usual size: so many, and so many bytes.
const USUAL: (usize, usize) = (64, 2048);

/// The most bytes that are kept for the next batch.
const KEPT: usize = 1 << 18;

/// What is known of the entries of a batch, and of their results.
#[derive(Default)]
pub(super) struct Memory {
    /// Told by tickets; no two batches of a process have the same.
    pub(super) number: u64,
    functions: &'static [Function],
    pub(super) packed: Packed,
    /// The entries that were added, and the one that was begun.
    pub(super) pending: Vec<Pending>,
    pub(super) added: usize,
    /// Bytes of data passed so far, and by entries that were added.
    pub(super) input: u64,
    added_input: u64,
    /// Bytes of their result blocks.
    pub(super) blocks: u32,
    /// What entries are passed besides bytes. What an entry put that was given up is behind the last that was not.
    pub(super) objects: Vec<PassedObject>,
    /// Where in the argument block of an entry data went that a failed call may give a place in, and their bytes.
    pub(super) lengths: Vec<(u16, u64)>,
    /// The entries whose reply is looked at when the batch has run, though they returned.
    pub(super) reading: Vec<u32>,
    pub(super) columns: Columns,
    /// The states of the entries, their result blocks, and what lay behind these.
    pub(super) replies: Vec<u8>,
    /// What the replies of those that failed say besides.
    pub(super) failures: Vec<u8>,
    /// The errors of those that failed, ascending by entry, until they are taken.
    pub(super) failed: Vec<(u32, Option<Error>)>,
}

/// An entry.
pub(super) struct Pending {
    pub(super) function: &'static Function,
    pub(super) call_site: &'static Location<'static>,
    /// Where its result block starts among those of all entries.
    pub(super) block: u32,
    /// Where its objects and its lengths end, and those of the next entry begin.
    pub(super) ends: (u32, u32),
    pub(super) index: u16,
    pub(super) outcome: Outcome,
}

/// What became of an entry, or is to become of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It returns numbers, which lie in its result block.
    Values,
    /// It returns this.
    Read(Slot),
    /// It failed.
    Failed,
    /// Its result was taken.
    Taken,
}

impl Memory {
    fn with_capacity() -> Memory {
        Memory {
            packed: Packed::with_capacity(USUAL.1),
            pending: Vec::with_capacity(USUAL.0),
            ..Memory::default()
        }
    }

    /// Begins an entry. False where there is no such function, or no room.
    #[inline]
    #[must_use]
    pub(super) fn begin(&mut self, index: u16, call_site: &'static Location<'static>) -> bool {
        if self.pending.len() > self.added {
            self.give_up();
        }
        let Some(function) = self.functions.get(usize::from(index)) else { return false };
        if self.added >= wire::MAX_BATCH as usize || self.packed.open(function.args_size).is_err() {
            return false;
        }
        let (block, outcome) = (self.blocks, Outcome::Values);
        self.pending.push(Pending { function, call_site, block, ends: (0, 0), index, outcome });
        true
    }

    /// Adds the entry that was begun; what its ticket tells it by.
    #[inline]
    pub(super) fn add(&mut self, outcome: Outcome) -> u64 {
        let number = self.added;
        let entry = &mut self.pending[number];
        entry.ends = (self.objects.len() as u32, self.lengths.len() as u32);
        entry.outcome = outcome;
        let function = entry.function;
        // At most 65,536 entries of at most 1,056 bytes.
        self.blocks += block_size(usize::from(function.result_size)) as u32;
        self.packed.close();
        if outcome != Outcome::Values || !function.owned.is_empty() {
            self.reading.push(number as u32);
        }
        self.added_input = self.input;
        self.added = number + 1;
        self.number << ENTRY_BITS | number as u64
    }

    /// Begins so many entries of a function, which have numbers alone. `None` where there is no such function, or no room.
    pub(super) fn begin_rows(
        &mut self,
        index: u16,
        rows: usize,
        call_site: &'static Location<'static>,
    ) -> Option<&'static Function> {
        if self.pending.len() > self.added {
            self.give_up();
        }
        let function = self.functions.get(usize::from(index))?;
        self.packed.open_rows(function.args_size, rows).ok()?;
        let size = block_size(usize::from(function.result_size)) as u32;
        let (first, ends) = (self.blocks, (self.objects.len() as u32, self.lengths.len() as u32));
        // Fewer than 65,536 entries of at most 1,056 bytes.
        self.pending.extend((0..rows as u32).map(|row| {
            let block = first + row * size;
            Pending { function, call_site, block, ends, index, outcome: Outcome::Values }
        }));
        Some(function)
    }

    /// Adds the entries that were begun so.
    pub(super) fn add_rows(&mut self, function: &'static Function) {
        let rows = self.pending.len() - self.added;
        self.blocks += (rows * block_size(usize::from(function.result_size))) as u32;
        if !function.owned.is_empty() {
            self.reading.extend(self.added as u32..self.pending.len() as u32);
        }
        self.packed.close();
        self.added = self.pending.len();
    }

    /// Forgets what an entry put that was not added.
    #[cold]
    pub(super) fn give_up(&mut self) {
        let (objects, lengths) = self.ends();
        self.packed.give_up();
        self.objects.truncate(objects);
        self.lengths.truncate(lengths);
        self.pending.truncate(self.added);
        self.input = self.added_input;
    }

    /// The entry that was begun.
    pub(super) fn opened(&self) -> &Pending {
        &self.pending[self.added]
    }

    /// How many objects and lengths are those of entries that were added.
    pub(super) fn ends(&self) -> (usize, usize) {
        let last = self.added.checked_sub(1).map(|last| &self.pending[last]);
        last.map_or((0, 0), |entry| (entry.ends.0 as usize, entry.ends.1 as usize))
    }

    /// Notes the error of an entry.
    pub(super) fn fail(&mut self, number: usize, error: Error) {
        self.pending[number].outcome = Outcome::Failed;
        self.failed.push((number as u32, Some(error)));
    }

    /// Drops everything, and keeps the memory.
    fn clear(&mut self) {
        self.packed.clear();
        self.pending.clear();
        (self.added, self.blocks, self.input, self.added_input) = (0, 0, 0, 0);
        self.objects.clear();
        self.lengths.clear();
        self.reading.clear();
        self.columns.clear();
        self.replies.clear();
        self.failures.clear();
        self.failed.clear();
    }

    /// Bytes of what is kept.
    fn bytes(&self) -> usize {
        self.packed.memory()
            + self.pending.capacity() * size_of::<Pending>()
            + self.objects.capacity() * size_of::<PassedObject>()
            + self.lengths.capacity() * size_of::<(u16, u64)>()
            + self.reading.capacity() * size_of::<u32>()
            + self.replies.capacity()
            + self.failures.capacity()
            + self.failed.capacity() * size_of::<(u32, Option<Error>)>()
    }
}

/// A number that no batch of the process has, nor part of a pipeline.
pub(in crate::rt) fn next_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Where the memory of a batch waits for the next one.
#[derive(Default)]
pub(crate) struct Spare(Mutex<Option<Box<Memory>>>);

impl Spare {
    /// Takes it, or other memory while another batch has it, for calls of these functions.
    pub(super) fn take(self: &Arc<Self>, functions: &'static [Function]) -> Lent {
        let memory = self.0.try_lock().and_then(|mut memory| memory.take());
        let mut memory = memory.unwrap_or_else(|| Box::new(Memory::with_capacity()));
        (memory.number, memory.functions) = (next_number(), functions);
        Lent { memory: Some(memory), from: Arc::clone(self) }
    }
}

impl std::fmt::Debug for Spare {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spare").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memory").field("added", &self.added).finish_non_exhaustive()
    }
}

/// Memory that goes back when it is dropped.
pub(super) struct Lent {
    /// There until it goes back.
    memory: Option<Box<Memory>>,
    from: Arc<Spare>,
}

impl Deref for Lent {
    type Target = Memory;

    #[inline]
    fn deref(&self) -> &Memory {
        self.memory.as_deref().expect("it goes when this is dropped")
    }
}

impl DerefMut for Lent {
    #[inline]
    fn deref_mut(&mut self) -> &mut Memory {
        self.memory.as_deref_mut().expect("it goes when this is dropped")
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.clear();
        if self.bytes() <= KEPT
            && let Some(mut spare) = self.from.0.try_lock()
            && spare.is_none()
        {
            *spare = self.memory.take();
        }
    }
}

#[cfg(test)]
mod tests;
