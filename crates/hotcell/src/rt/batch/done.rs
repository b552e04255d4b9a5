//! A batch that has run: what became of each entry.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use hotcell_protocol::ErrorKind;
use hotcell_shm::HostChannel;
use hotcell_shm::batch::{Replies, block_size};

use super::{Lent, Outcome, Ticket, Values};
use crate::error::{Cause, Error, Result};
use crate::session::Context;

/// What became of a batch. The session is free again; the results that nobody takes are dropped with this, and the objects
/// among them released.
#[must_use = "an entry that failed says so when its result is taken"]
pub struct Done {
    pub(super) batch: u64,
    pub(super) context: Context,
    pub(super) memory: Lent,
    /// What the worker met its end by, while it executed the batch.
    pub(super) fault: Option<Error>,
    /// The lane that it runs on, until it has.
    pub(super) lane: Option<(Arc<HostChannel>, u32)>,
    /// Whether its entries were counted as sent.
    pub(super) counted: bool,
}

impl Done {
    /// The result of an entry.
    ///
    /// # Errors
    ///
    /// Those of the entry, as of a call by itself. When the worker met its end, each entry that has no result fails:
    /// the one that was executed then with what happened, as far as that is known, and the others as `WorkerLost`.
    /// Whether one of them was executed is not known. `InvalidArgument`, when the ticket is another batch's.
    #[track_caller]
    #[inline]
    pub fn take<T: 'static>(&mut self, ticket: Ticket<T>) -> Result<T> {
        let (number, same) = (ticket.entry(), ticket.batch() == self.batch);
        let memory = &mut *self.memory;
        let count = memory.pending.len();
        let Some(entry) = memory.pending.get_mut(number).filter(|_| same) else { return Err(self.foreign()) };
        match entry.outcome {
            Outcome::Values => {
                let start = Replies::blocks_behind_states(count) + entry.block as usize;
                let end = start + block_size(usize::from(entry.function.result_size));
                Ok((ticket.read)(&Values { block: &memory.replies[start..end] }))
            }
            Outcome::Read(slot) => {
                entry.outcome = Outcome::Taken;
                Ok(memory.columns.take(slot))
            }
            Outcome::Failed | Outcome::Taken => Err(self.failure(number)),
        }
    }

    /// What ended the worker while it executed the batch, if that happened.
    pub fn fault(&self) -> Option<&Error> {
        self.fault.as_ref()
    }

    /// The error of an entry that failed.
    #[cold]
    pub(super) fn failure(&mut self, number: usize) -> Error {
        let failed = &mut self.memory.failed;
        let at = failed.binary_search_by_key(&(number as u32), |(number, _)| *number);
        let error = at.ok().and_then(|at| failed[at].1.take());
        error.expect("an entry that failed has its error until it is taken, which happens once")
    }

    #[cold]
    #[track_caller]
    fn foreign(&self) -> Error {
        let message = "the ticket is one of another batch".into();
        let context = Context { call_site: Some(Location::caller()), ..self.context };
        context.not_executed(ErrorKind::InvalidArgument, Cause::None, message)
    }
}

impl fmt::Debug for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut failed = self.memory.failed.iter();
        let mut list = f.debug_list();
        for entry in &self.memory.pending {
            match entry.outcome {
                Outcome::Values | Outcome::Read(_) => list.entry(&"Returned"),
                Outcome::Taken => list.entry(&"Taken"),
                Outcome::Failed => match failed.next() {
                    Some((_, Some(error))) => list.entry(error),
                    _ => list.entry(&"Taken"),
                },
            };
        }
        list.finish()
    }
}
