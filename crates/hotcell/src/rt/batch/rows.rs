//! Entries of one function whose arguments and results are numbers: by columns, not one by one.

use std::panic::Location;

use hotcell_protocol::wire;
use hotcell_shm::batch::{Packed, Replies, block_size};

use super::{Batch, Done, Outcome};
use crate::error::{Error, Result};
use crate::rt::Function;

/// Stands for the results of entries that were added together.
#[derive(Debug)]
#[must_use = "whether an entry failed is known only to who takes the results"]
pub struct Rows {
    batch: u64,
    first: u32,
    count: u32,
}

/// The arguments of entries that are added together: each number is zero until it is written.
#[derive(Debug)]
pub struct Columns<'b> {
    packed: &'b mut Packed,
    function: &'static Function,
}

/// A row that failed, by its position among those that were added with it.
#[derive(Debug)]
pub struct FailedRow {
    /// Which.
    pub row: usize,
    /// How.
    pub error: Error,
}

impl Batch {
    /// Adds so many calls of a function, which is passed and gives numbers alone. What is put into their columns is the same as
    /// was put by itself into as many entries.
    ///
    /// # Errors
    ///
    /// As of [`Batch::entry`]; then none was added.
    #[track_caller]
    pub fn rows(&mut self, function: u16, rows: usize, put: impl FnOnce(&mut Columns<'_>)) -> Result<Rows> {
        let call_site = Location::caller();
        let first = self.memory.added;
        let fits = first.checked_add(rows).is_some_and(|end| end <= wire::MAX_BATCH as usize);
        let opened = if fits { self.memory.begin_rows(function, rows, call_site) } else { None };
        let Some(definition) = opened else { return Err(self.refuse_rows(function, rows, call_site)) };
        put(&mut Columns { packed: &mut self.memory.packed, function: definition });
        self.memory.add_rows(definition);
        Ok(Rows { batch: self.memory.number, first: first as u32, count: rows as u32 })
    }
}

impl Columns<'_> {
    /// Writes a number of `N` bytes into each row, from values that lie one behind the other. Rows for which there is none keep zero.
    #[inline]
    pub fn put<const N: usize>(&mut self, offset: usize, values: &[u8]) {
        let values = values.as_chunks::<N>().0.iter().copied();
        self.packed.put_column(self.function.args_size, offset, values);
    }

    /// Writes the same number into each row.
    #[inline]
    pub fn put_same<const N: usize>(&mut self, offset: usize, value: [u8; N]) {
        self.packed.put_column(self.function.args_size, offset, std::iter::repeat(value));
    }
}

impl Done {
    /// Appends a number of each row, which has `N` bytes and lies at this offset of the results, up to the first row that failed.
    ///
    /// # Errors
    ///
    /// That row, as [`Done::take`] tells it.
    ///
    /// # Panics
    ///
    /// When the rows are another batch's, or the results of the function have no such number.
    pub fn take_column<const N: usize>(
        &mut self,
        rows: &Rows,
        offset: usize,
        into: &mut Vec<u8>,
    ) -> std::result::Result<(), FailedRow> {
        assert!(rows.batch == self.batch, "the rows are those of another batch");
        let (first, end) = (rows.first as usize, (rows.first + rows.count) as usize);
        let memory = &mut *self.memory;
        let Some(begin) = memory.pending[first..end].first() else { return Ok(()) };
        let failed = memory.failed.partition_point(|(number, _)| (*number as usize) < first);
        let failed =
            memory.failed.get(failed).map(|(number, _)| *number as usize).filter(|number| *number < end);
        let good = failed.unwrap_or(end) - first;
        let results = usize::from(begin.function.result_size);
        assert!(offset <= results && N <= results - offset, "a number outside of the results");
        let size = block_size(results);
        let start = Replies::blocks_behind_states(memory.pending.len()) + begin.block as usize;
        debug_assert!(
            memory.pending[first..first + good].iter().all(|entry| entry.outcome == Outcome::Values)
        );
        into.reserve(good * N);
        // There are no replies at all where the worker has met its end.
        let blocks = if good == 0 { &[] } else { &memory.replies[start..start + good * size] };
        for block in blocks.chunks_exact(size) {
            into.extend_from_slice(&block[offset..offset + N]);
        }
        match failed {
            None => Ok(()),
            Some(number) => Err(FailedRow { row: number - first, error: self.failure(number) }),
        }
    }
}
