//! Results that are read when the batch has run, until somebody takes them: those of one type lie together.

use std::any::{Any, TypeId};

use crate::error::Result;
use crate::rt::Reply;

/// Reads the results of an entry.
type Reader<T> = Box<dyn FnOnce(&mut Reply<'_>) -> Result<T> + Send>;

/// The most columns that are kept for the next batch, and the most bytes of one.
const KEPT: (usize, usize) = (16, 1 << 16);

/// A column for each type of results.
#[derive(Default)]
pub(super) struct Columns(Vec<(TypeId, Box<dyn Column>)>);

/// Where the results of an entry are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    column: u16,
    row: u16,
}

/// Results of one type.
trait Column: Any + Send {
    /// Reads those in this row.
    fn read(&mut self, row: usize, reply: &mut Reply<'_>) -> Result<()>;

    /// Drops all of them. Comes with the bytes that it has room for.
    fn clear(&mut self) -> usize;
}

enum Row<T> {
    /// They are to be read like this.
    Waiting(Reader<T>),
    Read(T),
    /// They were taken, or there are none.
    Empty,
}

impl Columns {
    /// Makes room for results that are to be read like this.
    #[inline]
    pub(super) fn add<T: Send + 'static>(&mut self, read: Reader<T>) -> Slot {
        let of = TypeId::of::<T>();
        let found = self.0.iter().position(|(ty, _)| *ty == of);
        let column = found.unwrap_or_else(|| {
            self.0.push((of, Box::new(Vec::<Row<T>>::new())));
            self.0.len() - 1
        });
        let rows = self.rows::<T>(column);
        rows.push(Row::Waiting(read));
        // A batch has no more entries than a `u16` has values, and no more columns than entries.
        Slot { column: column as u16, row: (rows.len() - 1) as u16 }
    }

    /// Reads the results of an entry.
    #[inline]
    pub(super) fn read(&mut self, slot: Slot, reply: &mut Reply<'_>) -> Result<()> {
        self.0[usize::from(slot.column)].1.read(usize::from(slot.row), reply)
    }

    /// Takes the results of an entry, which were read.
    #[inline]
    pub(super) fn take<T: 'static>(&mut self, slot: Slot) -> T {
        let rows = self.rows::<T>(usize::from(slot.column));
        match std::mem::replace(&mut rows[usize::from(slot.row)], Row::Empty) {
            Row::Read(value) => value,
            Row::Waiting(_) | Row::Empty => unreachable!("they are taken once, and were read before"),
        }
    }

    /// Drops all results, and keeps the memory, unless it is much.
    pub(super) fn clear(&mut self) {
        self.0.retain_mut(|(_, column)| column.clear() <= KEPT.1);
        self.0.truncate(KEPT.0);
    }

    #[inline]
    fn rows<T: 'static>(&mut self, column: usize) -> &mut Vec<Row<T>> {
        let column: &mut dyn Any = &mut *self.0[column].1;
        column.downcast_mut().expect("a slot is that of its entry, and of the type of its ticket")
    }
}

impl<T: Send + 'static> Column for Vec<Row<T>> {
    fn read(&mut self, row: usize, reply: &mut Reply<'_>) -> Result<()> {
        let row = &mut self[row];
        if let Row::Waiting(read) = std::mem::replace(row, Row::Empty) {
            *row = Row::Read(read(reply)?);
        }
        Ok(())
    }

    fn clear(&mut self) -> usize {
        Vec::clear(self);
        self.capacity() * size_of::<Row<T>>()
    }
}
