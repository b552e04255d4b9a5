//! Batches of calls by name.

use std::fmt;
use std::sync::Arc;

use hotcell_model::interface::{Function, Interface, Role};

use super::arguments::{Passed, put};
use super::written::Written;
use super::{Outcome, Value, results};
use crate::error::Result;
use crate::rt::{self, Done, Ticket};
use crate::session::Session;

/// Calls by name that are sent together, as [`rt::Batch`] sends them: one wake, one deadline; they are executed in order, and each
/// fails for itself. Nothing is sent before it runs.
pub struct Batch {
    batch: rt::Batch,
    interface: Arc<Interface>,
}

/// Why a call of this function cannot be in a batch; `None` when it can. All that it needs is known when it is put there, and all
/// that it changes comes out of it.
pub fn never_in_a_batch(function: &Function) -> Option<&'static str> {
    function.params.iter().find_map(|param| match &param.role.value {
        Role::Callback { .. } => Some("it is passed a callback"),
        Role::Resident { .. } => Some("it is passed a structure that stays in the worker"),
        Role::Struct { direction, .. } if param.role.value.is_argument() && direction.goes_out() => {
            Some("it changes a structure that it is passed")
        }
        Role::OffsetOut { param: of, .. } => match function.params.get(*of).map(|of| &of.role.value) {
            Some(Role::Text { encoding, .. }) if encoding.is_converted() => {
                Some("it tells a place in a text that is converted")
            }
            _ => None,
        },
        _ => None,
    })
}

impl Batch {
    /// One without entries. The interface is that of the session.
    pub fn new(session: &Session, interface: &Arc<Interface>) -> Batch {
        Batch { batch: session.batch(), interface: Arc::clone(interface) }
    }

    /// Adds a call of the function of this index, which [`Interface::function`] finds by its name, with arguments as those of
    /// [`super::call`]. [`Done::take`] gives its outcome for the ticket.
    ///
    /// # Errors
    ///
    /// As of a call that cannot be sent: `InvalidArgument` also for a function that [cannot be in a batch](never_in_a_batch).
    /// What was added before stays.
    #[track_caller]
    pub fn add(&mut self, function: u16, args: Vec<Value>) -> Result<Ticket<Outcome>> {
        let mut entry = self.batch.entry(function)?;
        let interface = Arc::clone(&self.interface);
        let Some(called) = interface.functions.get(usize::from(function)) else {
            return Err(Written::invalid_argument(&entry, "", "the interface is not the session's".into()));
        };
        if let Some(why) = never_in_a_batch(called) {
            let message = format!("`{}` cannot be in a batch: {why}", called.name);
            return Err(Written::invalid_argument(&entry, "", message));
        }
        put(&mut entry, &interface, called, &args)?;
        Ok(entry.read(move |reply| {
            let called = &interface.functions[usize::from(function)];
            results::read(reply, &interface, called, &Passed::of(called, &args))
        }))
    }

    /// How many calls there are.
    pub fn len(&self) -> usize {
        self.batch.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.batch.is_empty()
    }

    /// Sends the calls and waits until all were executed: [`rt::Batch::run`].
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn run(self) -> Result<Done> {
        self.batch.run()
    }

    /// As [`Batch::run`], awaited in a runtime of tokio: [`rt::Batch::run_awaited`].
    ///
    /// # Errors
    ///
    /// As there.
    #[cfg(feature = "tokio")]
    #[track_caller]
    pub fn run_awaited(self) -> impl Future<Output = Result<Done>> + Send + use<> {
        self.batch.run_awaited()
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.batch.fmt(f)
    }
}
