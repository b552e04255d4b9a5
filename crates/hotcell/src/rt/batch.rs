//! Batches: calls that are collected, sent with one wake, and executed in order.

use std::fmt;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hotcell_protocol::{ErrorKind, LimitExceededReason, Place, wire};
use hotcell_shm::batch::{TooLong, block_size};

use super::reading::numbers;
use super::{Element, Function};
use crate::error::{Cause, Error, Result};
use crate::session::{Context, Session};

mod columns;
mod done;
mod entry;
mod memory;
mod run;

pub use done::Done;
pub use entry::Entry;
pub(crate) use memory::Spare;
use memory::{Lent, Outcome, Pending};

/// Calls of one session that are sent together: one wake, one deadline. They are executed in order, and each fails for
/// itself. Nothing is sent before [`Batch::run`]; dropping a batch sends nothing.
pub struct Batch {
    session: Session,
    functions: &'static [Function],
    /// Told by tickets; no two batches of a process have the same.
    number: u64,
    memory: Lent,
    /// The entry that was begun, and is not added yet.
    open: Option<Open>,
    /// Bytes of data passed so far, and by entries that were added.
    input: u64,
    added_input: u64,
}

/// An entry that is being written: which function it calls, and where the application called.
#[derive(Clone, Copy)]
struct Open {
    function: &'static Function,
    call_site: &'static Location<'static>,
    index: u16,
}

/// Stands for the result of an entry: what [`Done::take`] gives for it.
#[must_use = "whether the entry failed is known only to who takes its result"]
pub struct Ticket<T> {
    /// The batch's number, and the entry's in the low bits: the whole is small enough to be returned in registers.
    id: u64,
    /// Of an entry that is read when it is taken.
    read: fn(&Values<'_>) -> T,
}

/// Bits of an entry's number.
const ENTRY_BITS: u32 = wire::MAX_BATCH.ilog2();

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
    block: &'a [u8],
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
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Batch {
            functions: session.functions(),
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            memory: session.spare().take(),
            session,
            open: None,
            input: 0,
            added_input: 0,
        }
    }

    /// Begins an entry: a call of a function by its index in the package.
    #[track_caller]
    #[inline]
    pub fn entry(&mut self, function: u16) -> Result<Entry<'_>> {
        let call_site = Location::caller();
        let room = self.memory.pending.len() < wire::MAX_BATCH as usize;
        match self.functions.get(usize::from(function)).filter(|_| room) {
            Some(definition) => {
                if self.open.is_some() {
                    self.give_up();
                }
                match self.memory.packed.open(usize::from(definition.args_size)) {
                    Ok(()) => {
                        self.open = Some(Open { function: definition, call_site, index: function });
                        Ok(Entry::new(self))
                    }
                    Err(TooLong) => Err(no_memory(&self.session.context(definition.name, Some(call_site)))),
                }
            }
            None => Err(self.refuse(function, call_site)),
        }
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.memory.pending.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.memory.pending.is_empty()
    }

    /// Forgets what an entry put that was not added.
    #[cold]
    fn give_up(&mut self) {
        let (objects, lengths) = self.memory.ends();
        self.memory.packed.give_up();
        self.memory.objects.truncate(objects);
        self.memory.lengths.truncate(lengths);
        self.input = self.added_input;
        self.open = None;
    }

    #[inline]
    fn opened(&self) -> Open {
        self.open.expect("an entry is made by opening one")
    }

    /// Adds the open entry; what its ticket tells it by.
    #[inline]
    fn add(&mut self, outcome: Outcome) -> u64 {
        let Open { function, call_site, index } = self.opened();
        let memory = &mut *self.memory;
        let number = memory.pending.len() as u64;
        memory.packed.close(index);
        let block = memory.blocks;
        // At most 65,536 entries of at most 1,056 bytes.
        memory.blocks = block + block_size(usize::from(function.result_size)) as u32;
        let ends = (memory.objects.len() as u32, memory.lengths.len() as u32);
        memory.pending.push(Pending { function, call_site, block, ends, outcome });
        if outcome != Outcome::Values || !function.owned.is_empty() {
            memory.reading.push(number as u32);
        }
        (self.added_input, self.open) = (self.input, None);
        self.number << ENTRY_BITS | number
    }

    /// The longest time that an entry has by itself.
    fn time(&self) -> Duration {
        let own = |entry: &Pending| entry.function.deadline_ms;
        let longest = self.memory.pending.iter().map(own).max().unwrap_or(0);
        let plain = longest == 0 || self.memory.pending.iter().any(|entry| own(entry) == 0);
        let longest = Duration::from_millis(longest);
        if plain { longest.max(self.session.options().deadline) } else { longest }
    }

    /// Why there can be no entry for this function.
    #[cold]
    fn refuse(&self, function: u16, call_site: &'static Location<'static>) -> Error {
        let Some(function) = self.functions.get(usize::from(function)) else {
            let message = format!("the package has no function {function}");
            let context = self.session.context("", Some(call_site));
            return context.not_executed(ErrorKind::InvalidArgument, Cause::None, message);
        };
        let value = u64::from(wire::MAX_BATCH);
        let cause = Cause::Limit { what: LimitExceededReason::Entries, value };
        let message = format!("a batch has {value} entries at most: run this one, and begin another");
        let context = self.session.context(function.name, Some(call_site));
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
        let functions = self.memory.pending.iter().map(|entry| entry.function.name);
        f.debug_list().entries(functions).finish()
    }
}

impl<T> fmt::Debug for Ticket<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").field("entry", &self.entry()).finish_non_exhaustive()
    }
}
