//! Batches and pipelines of calls by name.

use std::fmt;
use std::sync::Arc;

use hotcell_model::interface::{Function, Interface};

use super::arguments::{Passed, put};
use super::written::Written;
use super::{Outcome, Value, objects, results};
use crate::error::Result;
use crate::rt::{self, Collects as _, Done, Puts as _, Reply, Ticket};
use crate::session::Session;

/// Calls by name that are sent together, as [`rt::Batch`] sends them: one wake, one deadline; they are executed in order, and each
/// fails for itself. Nothing is sent before it runs.
pub struct Batch {
    batch: rt::Batch,
    interface: Arc<Interface>,
}

/// Why a call of this function cannot be in a batch, nor in a pipeline; `None` when it can. All that it needs is known when it is put there, and all
/// that it changes comes out of it.
pub fn never_in_a_batch(function: &Function) -> Option<&'static str> {
    function.alone()
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
        write(&mut entry, "a batch", &self.interface, function, &args)?;
        Ok(entry.read(reads(&self.interface, function, args)))
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

/// Sends a call of the function of this index into a pipeline, with arguments as those of [`super::call`]. [`rt::Pipeline::take`]
/// gives its outcome for the ticket.
///
/// # Errors
///
/// As of a call that cannot be sent: `InvalidArgument` also for a function that [cannot be in a batch](never_in_a_batch).
#[track_caller]
pub fn send(
    pipeline: &mut rt::Pipeline,
    interface: &Arc<Interface>,
    function: u16,
    args: Vec<Value>,
) -> Result<Ticket<Outcome>> {
    let called = interface.functions.get(usize::from(function));
    let objects = called.map(|called| objects::among(pipeline.session(), called, &args));
    let mut sending = pipeline.entry_of(function, &objects.unwrap_or_default())?;
    write(sending.call(), "a pipeline", interface, function, &args)?;
    Ok(sending.read(reads(interface, function, args)))
}

/// Writes a call that is to be in one of these.
fn write(
    call: &mut impl Written,
    place: &str,
    interface: &Interface,
    function: u16,
    args: &[Value],
) -> Result<()> {
    let Some(called) = interface.functions.get(usize::from(function)) else {
        return Err(Written::invalid_argument(call, "", "the interface is not the session's".into()));
    };
    if let Some(why) = never_in_a_batch(called) {
        let message = format!("`{}` cannot be in {place}: {why}", called.name);
        return Err(Written::invalid_argument(call, "", message));
    }
    put(call, interface, called, args).map(drop)
}

/// What reads the results of a call with these arguments.
fn reads(
    interface: &Arc<Interface>,
    function: u16,
    args: Vec<Value>,
) -> impl FnOnce(&mut Reply<'_>) -> Result<Outcome> + Send + 'static {
    let interface = Arc::clone(interface);
    move |reply| {
        let called = &interface.functions[usize::from(function)];
        results::read(reply, &interface, called, &Passed::of(called, &args))
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.batch.fmt(f)
    }
}
