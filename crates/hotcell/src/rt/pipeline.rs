//! Pipelines: calls that are sent one after the other, without waiting for each.

use std::fmt;
use std::panic::{Location, resume_unwind};

use hotcell_protocol::{ErrorKind, Executed, wire};

use super::{Call, Function, Handle, Ticket, Values};
use crate::error::{Cause, Error, Result};
use crate::session::{Context, Session, Turn};

mod flight;
mod judge;
mod outcomes;

use flight::Flights;
pub(super) use flight::Reads;
use outcomes::Outcome;

/// Calls of one session that are sent as they are made, and executed in that order, while the application goes on: several are
/// in flight, and their results are taken as they are needed. Each fails for itself.
///
/// While calls are in flight the pipeline has the session's worker, or a lane of it; then other calls of its thread are refused
/// where there is no other lane. Eight are in flight at most: the next one waits for the first. Each call has its time from when
/// its reply is waited for, and none in front of it is. Dropping a pipeline waits for the calls that are in flight. It stays on
/// its thread:
///
/// ```compile_fail,E0277
/// fn goes_to_other_threads<T: Send>() {}
/// goes_to_other_threads::<hotcell::Pipeline>();
/// ```
pub struct Pipeline {
    session: Session,
    flights: Flights,
}

/// A call of a pipeline whose arguments are being written. Dropped before it is added, it leaves no trace.
#[derive(Debug)]
pub struct Sending<'p> {
    pub(super) call: Call<'p>,
    flights: &'p mut Flights,
}

impl<'p> Sending<'p> {
    /// The call itself, to be written as any other.
    #[cfg(feature = "dynamic")]
    pub(crate) fn call(&mut self) -> &mut Call<'p> {
        &mut self.call
    }
}

impl Pipeline {
    /// The session whose calls these are.
    #[cfg(feature = "dynamic")]
    pub(crate) fn session(&self) -> &Session {
        &self.session
    }

    pub(crate) fn new(session: Session) -> Pipeline {
        Pipeline { session, flights: Flights::new() }
    }

    /// Begins a call of a function by its index in the package, which is passed these objects where the contract has a rule for
    /// threads.
    #[track_caller]
    #[inline]
    pub(super) fn begin(&mut self, function: u16, objects: &[Option<&Handle>]) -> Result<Sending<'_>> {
        let (session, flights) = (&self.session, &mut self.flights);
        let (context, allowed, definition) = session.to_be_sent(function, Location::caller())?;
        if session.is_forked() {
            return Err(context.forked(Executed::No));
        }
        if flights.count() == wire::RING_SLOTS {
            flights.end_first(session);
        }
        let objects = objects.iter().flatten().map(|handle| &**handle.object());
        let turn = flights.turn(session, objects, context, allowed)?;
        let call = Call::open_in_flight(turn, context, function, definition);
        call.is_wanted()?;
        Ok(Sending { call, flights })
    }

    /// The result of a call. Waits for it, where it has not come, and for those in front of it.
    ///
    /// # Errors
    ///
    /// Those of the call, as of one by itself. When the worker meets its end, the first call in flight that has no reply fails
    /// with what happened, and those behind it as `WorkerLost`: whether they were executed is not known. `InvalidArgument`, when
    /// the ticket is none of this pipeline.
    #[track_caller]
    #[inline]
    pub fn take<T: 'static>(&mut self, ticket: Ticket<T>) -> Result<T> {
        let Pipeline { session, flights } = self;
        let Some(at) = flights.outcomes.find(ticket.id) else { return Err(self.foreign()) };
        while flights.outcomes.is_in_flight(at) {
            flights.end_first(session);
        }
        match flights.outcomes.take(at) {
            Outcome::Values(block) => Ok((ticket.read)(&Values { block: block.bytes() })),
            Outcome::Read(value) => {
                let value = value.downcast().expect("a result has the type of its ticket");
                Ok(*value)
            }
            Outcome::Failed(error) => Err(error),
            Outcome::Panicked(panic) => resume_unwind(panic),
            Outcome::InFlight | Outcome::Taken => unreachable!("it has ended, and is taken once"),
        }
    }

    /// Waits for all calls in flight, and keeps their results for [`Pipeline::take`]. Behind it the worker, or the lane, is free for
    /// others: while a reply was not looked at, it is not, however long ago it came.
    pub fn settle(&mut self) {
        let Pipeline { session, flights } = self;
        while flights.count() > 0 {
            flights.end_first(session);
        }
    }

    /// How many calls were sent whose reply nobody has looked at.
    pub fn in_flight(&self) -> usize {
        self.flights.count() as usize
    }

    #[cold]
    #[track_caller]
    fn foreign(&self) -> Error {
        let context = self.session.context("", Some(Location::caller()));
        let message = "the ticket is one of another pipeline, or of a batch".into();
        context.not_executed(ErrorKind::InvalidArgument, Cause::None, message)
    }
}

impl<'s> Call<'s> {
    /// Opens a call behind others that may be in flight: the room of their data is not free.
    #[inline]
    fn open_in_flight(
        mut turn: Turn<'s>,
        context: Context,
        index: u16,
        function: &'static Function,
    ) -> Call<'s> {
        let context = Context { call_id: turn.next_id(), generation: turn.generation, ..context };
        let (live, state) = turn.parts();
        if let Some(live) = live {
            live.lane.open_call();
        }
        state.begin(context, index, function);
        state.piped = true;
        Call { turn }
    }
}

impl Drop for Pipeline {
    /// What is in flight is waited for: the library is at work on it, and what it makes is to be released.
    fn drop(&mut self) {
        self.settle();
    }
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline").field("in_flight", &self.in_flight()).finish_non_exhaustive()
    }
}
