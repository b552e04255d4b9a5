//! A batch that has run: what became of each entry.

use std::any::Any;
use std::fmt;

use hotcell_protocol::ErrorKind;
use hotcell_protocol::wire::batch_reply;

use super::{Ticket, Values};
use crate::error::{Cause, Error, Result};
use crate::session::Context;

/// What became of a batch. The session is free again; the results that nobody takes are dropped with this, and the objects
/// among them released.
#[must_use = "an entry that failed says so when its result is taken"]
pub struct Done {
    pub(super) batch: u64,
    pub(super) context: Context,
    /// The packed replies.
    pub(super) replies: Vec<u8>,
    /// Where that of each entry starts, and where the last ends.
    pub(super) starts: Vec<u32>,
    /// By entry.
    pub(super) outcomes: Vec<Outcome>,
    /// What the worker met its end by, while it executed the batch.
    pub(super) fault: Option<Error>,
}

/// What became of an entry.
pub(super) enum Outcome {
    /// It returned numbers, which lie in the packed replies.
    Values,
    /// It returned this.
    Read(Box<dyn Any + Send>),
    /// It failed.
    Failed(Error),
    /// Its result was taken.
    Taken,
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
    pub fn take<T: 'static>(&mut self, ticket: Ticket<T>) -> Result<T> {
        let entry = ticket.entry();
        let outcome = self.outcomes.get_mut(entry).filter(|_| ticket.batch() == self.batch);
        let Some(outcome) = outcome else {
            let message = "the ticket is one of another batch".into();
            let context = Context { call_site: Some(std::panic::Location::caller()), ..self.context };
            return Err(context.not_executed(ErrorKind::InvalidArgument, Cause::None, message));
        };
        if let Outcome::Values = outcome {
            let (start, end) = (self.starts[entry] as usize, self.starts[entry + 1] as usize);
            return Ok((ticket.read)(&Values { block: &self.replies[start + batch_reply::SIZE..end] }));
        }
        match std::mem::replace(outcome, Outcome::Taken) {
            Outcome::Failed(error) => Err(error),
            Outcome::Read(value) => {
                Ok(*value.downcast().expect("the ticket was made with its entry, for what that reads"))
            }
            Outcome::Values | Outcome::Taken => {
                unreachable!("an entry has one ticket, and numbers are read above")
            }
        }
    }

    /// What ended the worker while it executed the batch, if that happened.
    pub fn fault(&self) -> Option<&Error> {
        self.fault.as_ref()
    }
}

impl fmt::Debug for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.outcomes).finish()
    }
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Values | Outcome::Read(_) => f.write_str("Returned"),
            Outcome::Failed(error) => error.fmt(f),
            Outcome::Taken => f.write_str("Taken"),
        }
    }
}
