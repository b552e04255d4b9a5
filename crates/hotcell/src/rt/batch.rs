//! Batches: calls that are collected, sent with one wake, and executed in order.

use std::fmt;
use std::panic::Location;
use std::time::Duration;

use hotcell_protocol::{ErrorKind, LimitExceededReason, Place, wire};

use super::Element;
use super::reading::numbers;
use crate::error::{Cause, Error, Result};
use crate::session::{Context, Session};

mod columns;
mod done;
mod entry;
mod memory;
mod rows;
mod run;

pub use done::Done;
pub use entry::Entry;
pub(crate) use memory::Spare;
pub(super) use memory::next_number;
use memory::{Lent, Outcome, Pending};
pub use rows::{Columns, FailedRow, Rows};

/// Calls of one session that are sent together: one wake, one deadline. They are executed in order, and each fails for
/// itself. Nothing is sent before [`Batch::run`]; dropping a batch sends nothing.
pub struct Batch {
    session: Session,
    memory: Lent,
}

/// Stands for the result of an entry: what [`Done::take`] gives for it.
#[must_use = "whether the entry failed is known only to who takes its result"]
pub struct Ticket<T> {
    /// The batch's number, and the entry's in the low bits: the whole is small enough to be returned in registers.
    pub(in crate::rt) id: u64,
    /// Of an entry that is read when it is taken.
    pub(in crate::rt) read: fn(&Values<'_>) -> T,
}

/// Bits of an entry's number.
pub(in crate::rt) const ENTRY_BITS: u32 = wire::MAX_BATCH.ilog2();

impl<T> Ticket<T> {
    fn batch(&self) -> u64 {
        self.id >> ENTRY_BITS
    }

    fn entry(&self) -> usize {
        (self.id & ((1 << ENTRY_BITS) - 1)) as usize
    }
}

/// The result block of an entry whose results are numbers.
#[derive(Debug)]
pub struct Values<'a> {
    pub(in crate::rt) block: &'a [u8],
}

impl Values<'_> {
    numbers!();

    #[inline]
    fn bytes(&self, offset: usize, length: usize) -> &[u8] {
        &self.block[offset..offset + length]
    }
}

impl Batch {
    pub(crate) fn new(session: Session) -> Batch {
        let memory = session.spare().take(session.functions());
        Batch { session, memory }
    }

    /// Begins an entry: a call of a function by its index in the package.
    #[track_caller]
    #[inline(always)]
    pub fn entry(&mut self, function: u16) -> Result<Entry<'_>> {
        let call_site = Location::caller();
        if self.memory.begin(function, call_site) {
            Ok(Entry { memory: &mut self.memory, session: &self.session })
        } else {
            Err(self.refuse(function, call_site))
        }
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.memory.added
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.memory.added == 0
    }

    /// The longest time that an entry has by itself.
    fn time(&self) -> Duration {
        let (mut plain, mut longest) = (false, 0);
        for entry in &self.memory.pending {
            let own = entry.function.deadline_ms;
            (plain, longest) = (plain | (own == 0), own.max(longest));
        }
        let longest = Duration::from_millis(longest);
        if plain { longest.max(self.session.options().deadline) } else { longest }
    }

    /// Why there can be no entries, so many, for this function.
    #[cold]
    fn refuse_rows(&self, function: u16, rows: usize, call_site: &'static Location<'static>) -> Error {
        let known = self.session.functions().get(usize::from(function));
        let most = wire::MAX_BATCH as usize;
        match known.filter(|_| self.len() < most && rows > most - self.len()) {
            Some(function) => self.too_many(function.name, call_site),
            None => self.refuse(function, call_site),
        }
    }

    /// Why there can be no entry for this function.
    #[cold]
    fn refuse(&self, function: u16, call_site: &'static Location<'static>) -> Error {
        let Some(function) = self.session.functions().get(usize::from(function)) else {
            let message = format!("the package has no function {function}");
            let context = self.session.context("", Some(call_site));
            return context.not_executed(ErrorKind::InvalidArgument, Cause::None, message);
        };
        if self.len() < wire::MAX_BATCH as usize {
            return no_memory(&self.session.context(function.name, Some(call_site)));
        }
        self.too_many(function.name, call_site)
    }

    fn too_many(&self, function: &'static str, call_site: &'static Location<'static>) -> Error {
        let value = u64::from(wire::MAX_BATCH);
        let cause = Cause::Limit { what: LimitExceededReason::Entries, value };
        let message = format!("a batch has {value} entries at most: run this one, and begin another");
        let context = self.session.context(function, Some(call_site));
        context.not_executed(ErrorKind::LimitExceeded, cause, message)
    }
}

/// An error that says that this process has no memory for an entry.
#[cold]
fn no_memory(context: &Context) -> Error {
    let cause = Cause::Limit { what: LimitExceededReason::Memory, value: Place::OFFSET_END };
    let message = "there is no memory for the entry".into();
    context.not_executed(ErrorKind::LimitExceeded, cause, message)
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let functions = self.memory.pending[..self.memory.added].iter().map(|entry| entry.function.name);
        f.debug_list().entries(functions).finish()
    }
}

impl<T> fmt::Debug for Ticket<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").field("entry", &self.entry()).finish_non_exhaustive()
    }
}
