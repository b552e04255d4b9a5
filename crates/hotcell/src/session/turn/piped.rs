//! The seat of a pipeline: taken for the first call that is in flight, kept while any is, and then given back.

use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use hotcell_protocol::{ErrorKind, UnavailableReason};
use hotcell_shm::{Granted, Slot};

use super::super::{Allowed, Context, Held, Seat, Session};
use super::{IN_FLIGHT, Inside, SEATED, Turn, this_thread};
use crate::error::{Cause, Result};
use crate::rt::{Function, Object, Pipeline};

/// Calls that a pipeline sends before it looks whether somebody waits for its seat.
const TURNS: u32 = 64;

impl Session {
    /// Begins a pipeline: calls that are sent one after the other, without waiting for each, and whose results are taken as they
    /// come. It has the worker, or a lane of it, while calls are in flight.
    pub fn pipeline(&self) -> Pipeline {
        Pipeline::new(self.clone())
    }

    /// What errors of a call in flight say of it, the time that it has, and its function.
    pub(crate) fn to_be_sent(
        &self,
        function: u16,
        call_site: &'static Location<'static>,
    ) -> Result<(Context, Allowed, &'static Function)> {
        let (context, definition) = self.function_of(function, call_site)?;
        Ok((context, Allowed::new(self.time_of(definition)), definition))
    }

    /// A turn for calls that will be in flight together, the first of which is passed these objects.
    pub(crate) fn begin_flight<'o>(
        &self,
        objects: impl Iterator<Item = &'o Object> + Clone,
        context: Context,
        allowed: Allowed,
    ) -> Result<Turn<'_>> {
        loop {
            let claim = self.claim(context, objects.clone())?.filter(|claim| !claim.is_empty());
            let mut turn = match claim {
                None => self.turn(context, allowed)?,
                Some(claim) => self.turn_of(context, allowed, &claim)?,
            };
            if turn.is_nested() {
                let cause = Cause::Unavailable { reason: UnavailableReason::PoolExhausted };
                let message = "a callback has no pipeline: its calls run inside of the one that called back, one at a time";
                return Err(context.not_executed(ErrorKind::Unavailable, cause, message.into()));
            }
            // While it waited, what was lent may have become the application's own: then there is more to wait for.
            if !objects.clone().all(|object| turn.covers(object)) {
                continue;
            }
            if let Some(live) = &mut turn.live {
                live.arena.begin_flight();
            }
            self.place(turn.number).holder.store(this_thread() | IN_FLIGHT, Ordering::Relaxed);
            return Ok(turn);
        }
    }

    /// Whether a pipeline may go on with its seat, on which it has sent so many calls. Else it is to wait for those that are in
    /// flight, and give it back.
    #[inline]
    pub(crate) fn goes_on(&self, seat: &Seat, sent: u32) -> bool {
        let shared = &*self.shared;
        let Some(live) = &seat.live else { return false };
        live.worker.serves()
            && !live.arena.is_crowded(sent)
            && !shared.releases.any()
            && !shared.dispatcher.has_failed()
            && (sent < TURNS || !shared.seats.is_wanted())
            && (sent < TURNS || !sent.is_multiple_of(TURNS) || !self.is_awaited(seat))
    }

    /// Whether somebody waits for this very seat, or for objects that the calls on it have.
    #[cold]
    fn is_awaited(&self, seat: &Seat) -> bool {
        self.shared.seats.is_reserved(seat.number as usize) || seat.held.iter().any(Held::is_awaited)
    }
}

impl<'s> Turn<'s> {
    /// Goes on with the turn of a pipeline, on its thread.
    #[inline]
    pub(crate) fn set_down(session: &'s Session, seat: Box<Seat>) -> Turn<'s> {
        Turn { session, seat: Some(seat), here: std::marker::PhantomData }
    }

    /// Leaves the seat to the pipeline, which has the turn.
    #[inline]
    pub(crate) fn lift(mut self) -> Box<Seat> {
        self.seat.take().expect(SEATED)
    }

    /// Gives back the turn of a pipeline. A call by itself has a window from its start again.
    pub(crate) fn end_flight(mut self) {
        if let Some(live) = &mut self.live
            && let Some(Granted { place, length, .. }) = live.arena.announce_again()
        {
            live.lane.announce_window(place, length);
        }
        let state = self.state();
        state.inside = None;
        state.allowed = state.allowed.renewed();
    }
}

impl Inside {
    /// A pipeline, which looks there for its seat.
    pub(crate) fn pipeline(home: &Arc<Slot<Seat>>) -> Box<Inside> {
        Box::new(Inside::Pipeline(Arc::clone(home)))
    }
}
