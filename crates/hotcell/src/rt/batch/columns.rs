//! Results that are read when the batch has run, until somebody takes them: those of one type lie together.

use std::any::{Any, TypeId};

use crate::error::Result;
use crate::rt::Reply;

/// Reads the results of an entry, and puts them behind those that were read before. What is put there where it was read is not
/// moved from function to function: a processor makes a wide load wait of what was just stored in halves.
type Reader<T> = Box<dyn FnOnce(&mut Reply<'_>, &mut Vec<Option<T>>) -> Result<()> + Send>;

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

/// Results of one type, by row.
struct Rows<T> {
    /// How they are read.
    waiting: Vec<Option<Reader<T>>>,
    /// Those that were read, as far as that has come. Some could not be read, and some were taken.
    read: Vec<Option<T>>,
}

impl Columns {
    /// Makes room for results that are to be read like this.
    #[inline]
    pub(super) fn add<T: Send + 'static>(
        &mut self,
        read: impl FnOnce(&mut Reply<'_>) -> Result<T> + Send + 'static,
    ) -> Slot {
        let of = TypeId::of::<T>();
        let found = self.0.iter().position(|(ty, _)| *ty == of);
        let column = found.unwrap_or_else(|| {
            self.0.push((of, Box::new(Rows::<T> { waiting: Vec::new(), read: Vec::new() })));
            self.0.len() - 1
        });
        let rows = self.rows::<T>(column);
        // A batch has no more entries than a `u16` has values, and no more columns than entries.
        let slot = Slot { column: column as u16, row: rows.waiting.len() as u16 };
        rows.waiting.push(Some(Box::new(move |reply: &mut Reply<'_>, rows: &mut Vec<Option<T>>| {
            rows.push(Some(read(reply)?));
            Ok(())
        })));
        slot
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
        let value = rows.read.get_mut(usize::from(slot.row)).and_then(Option::take);
        value.expect("results are taken once, and were read before")
    }

    /// Drops all results, and keeps the memory, unless it is much.
    pub(super) fn clear(&mut self) {
        self.0.retain_mut(|(_, column)| column.clear() <= KEPT.1);
        self.0.truncate(KEPT.0);
    }

    #[inline]
    fn rows<T: 'static>(&mut self, column: usize) -> &mut Rows<T> {
        let column: &mut dyn Any = &mut *self.0[column].1;
        column.downcast_mut().expect("a slot is that of its entry, and of the type of its ticket")
    }
}

impl<T: Send + 'static> Column for Rows<T> {
    fn read(&mut self, row: usize, reply: &mut Reply<'_>) -> Result<()> {
        if self.read.len() < row {
            self.read.resize_with(row, || None);
        }
        let read = self.waiting.get_mut(row).and_then(Option::take);
        let read = read.expect("results are read once, in the order of their rows");
        read(reply, &mut self.read)
    }

    fn clear(&mut self) -> usize {
        self.waiting.clear();
        self.read.clear();
        self.waiting.capacity() * size_of::<Option<Reader<T>>>()
            + self.read.capacity() * size_of::<Option<T>>()
    }
}
