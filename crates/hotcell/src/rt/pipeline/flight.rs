//! The calls of a pipeline that are in flight, and the seat that it has while any is.

use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use hotcell_protocol::{ErrorKind, Executed, Place};
use hotcell_shm::{CallHead, Slot};

use super::outcomes::{Outcome, Outcomes};
use super::{Call, Sending};
use crate::error::{Cause, Error, Result};
use crate::fault::{self, Fault};
use crate::rt::{KeptCallback, Object, Passed, Reply, State};
use crate::session::{Allowed, Context, Inside, Refusals, Seat, Session, Turn};

/// Reads the results of a call, of whatever type they are.
type Reader = dyn FnOnce(&mut Reply<'_>) -> Result<Box<dyn Any + Send>> + Send;

/// How the results of a call are read.
pub(in crate::rt) enum Reads {
    /// They are numbers: whoever takes them reads them in a copy of the result block.
    Values,
    /// By this, when the reply is judged.
    With(Box<Reader>),
}

/// A call in flight.
pub(super) struct Flight {
    /// As its lane counts it.
    pub(super) number: u32,
    /// As its ticket tells it.
    id: u64,
    /// What is known of it. The seat has that of the call that is written or judged.
    state: Box<State>,
    /// What it was passed besides bytes, if anything.
    passed: Option<Passed>,
    /// What the library was refused before it was sent.
    refused: Refusals,
    reads: Reads,
}

/// The calls in flight, oldest first, and what became of others.
pub(super) struct Flights {
    /// There while calls are in flight, but not while one is written or judged.
    seat: Option<Box<Seat>>,
    /// Where the seat is found behind what has gone wrong meanwhile.
    home: Arc<Slot<Seat>>,
    list: VecDeque<Flight>,
    /// Calls that were sent with this seat.
    sent: u32,
    /// The memory of calls that have ended.
    #[expect(
        clippy::vec_box,
        reason = "they change places with that of the seat, which is as large as several lines"
    )]
    blanks: Vec<Box<State>>,
    pub(super) outcomes: Outcomes,
    /// What is the application's, and is dropped when the seat was given back.
    gone: Vec<Box<KeptCallback>>,
    /// A thread that has the turn is known by that.
    here: PhantomData<*const ()>,
}

/// Why a pipeline finds its seat.
const SEATED: &str = "a pipeline has a seat while calls are in flight";

impl Flights {
    pub(super) fn new() -> Flights {
        Flights {
            seat: None,
            home: Arc::new(Slot::empty()),
            list: VecDeque::new(),
            sent: 0,
            blanks: Vec::new(),
            outcomes: Outcomes::new(),
            gone: Vec::new(),
            here: PhantomData,
        }
    }

    /// How many there are: no more than the ring has slots.
    #[inline]
    pub(super) fn count(&self) -> u32 {
        self.list.len() as u32
    }

    /// The turn for another call, which is passed these objects. Where the pipeline cannot go on with its own, it first waits for
    /// all that is in flight, and gives that back: nobody who has a seat waits for another.
    #[inline]
    pub(super) fn turn<'p, 'o>(
        &mut self,
        session: &'p Session,
        objects: impl Iterator<Item = &'o Object> + Clone,
        context: Context,
        allowed: Allowed,
    ) -> Result<Turn<'p>> {
        if let Some(seat) = self.take_seat() {
            let goes_on = session.goes_on(&seat, self.sent);
            let mut turn = Turn::set_down(session, seat);
            if goes_on && objects.clone().all(|object| turn.covers(object)) {
                turn.state().allowed = allowed;
                return Ok(turn);
            }
            self.seat = Some(turn.lift());
            while !self.list.is_empty() {
                self.end_first(session);
            }
        } else if !self.list.is_empty() {
            // A call that was begun and forgotten has it.
            self.end_first(session);
        }
        self.sent = 0;
        session.begin_flight(objects, context, allowed)
    }

    #[inline]
    fn take_seat(&mut self) -> Option<Box<Seat>> {
        if self.list.is_empty() {
            return None;
        }
        self.seat.take().or_else(|| self.home.take())
    }

    /// Waits for the first of them, and judges its reply.
    pub(super) fn end_first(&mut self, session: &Session) {
        if session.is_forked() {
            return self.forget(|context| context.forked(Executed::Maybe));
        }
        // Not there where somebody has forgotten a call that he had begun, and with it the seat.
        let Some(mut seat) = self.take_seat() else {
            return self.forget(|context| context.error(fault::lost(), Executed::Maybe, String::new()));
        };
        let Some(Flight { number, id, state, passed, reads, .. }) = self.list.pop_front() else { return };
        if let Some(live) = &mut seat.live {
            live.is_judged_before(self.list.front().map(|next| next.refused));
        }
        // Whatever happens now, nobody waits for it again.
        self.outcomes.set(id, Outcome::Taken);
        self.blanks.extend(seat.state.replace(state));
        if let Some(passed) = passed {
            // What went with a call that was begun and not sent.
            self.gone.extend(seat.passed.end(session));
            seat.passed = passed;
        }
        let call = Call { turn: Turn::set_down(session, seat) };
        // What reads the results may panic: that comes out of the call's `take`, and the seat is found where it was left.
        let judged = catch_unwind(AssertUnwindSafe(|| call.judge(number, reads)));
        let (outcome, seat) = judged.unwrap_or_else(|panic| (Outcome::Panicked(panic), None));
        let Some(mut seat) = seat.or_else(|| self.home.take()) else {
            // A callback has forked, and this is the child.
            self.outcomes.set(id, outcome);
            return self.forget(|context| context.forked(Executed::Maybe));
        };
        self.gone.extend(seat.passed.end(session));
        match &mut seat.live {
            Some(live) => live.arena.end_of_flight(),
            None => self.lose(session, &mut seat, &outcome),
        }
        self.outcomes.set(id, outcome);
        if self.list.is_empty() {
            Turn::set_down(session, seat).end_flight();
            self.gone.clear();
        } else {
            self.seat = Some(seat);
        }
    }

    /// The worker has gone: what is still in flight has no reply.
    #[cold]
    fn lose(&mut self, session: &Session, seat: &mut Seat, first: &Outcome) {
        let function = seat.known().context.function;
        let error = match first {
            Outcome::Failed(error) => Some(error),
            _ => None,
        };
        for Flight { id, state, passed, .. } in self.list.drain(..) {
            self.outcomes.set(id, Outcome::Failed(lost(&state.context, function, error)));
            if let Some(passed) = passed {
                seat.passed = passed;
                self.gone.extend(seat.passed.end(session));
            }
            self.blanks.push(state);
        }
    }

    /// Nobody will hear of them: in a child of the process that sent them, whose they are, and so is the seat.
    #[cold]
    fn forget(&mut self, why: impl Fn(&Context) -> Error) {
        std::mem::forget(self.seat.take().or_else(|| self.home.take()));
        for Flight { id, state, passed, .. } in self.list.drain(..) {
            self.outcomes.set(id, Outcome::Failed(why(&state.context)));
            std::mem::forget((state, passed));
        }
    }
}

impl Sending<'_> {
    /// Sends the call. Comes with the number of its ticket.
    #[inline]
    pub(in crate::rt) fn send(self, reads: Reads) -> u64 {
        let Sending { mut call, flights } = self;
        let in_flight = flights.count();
        if call.session().examines()
            && let Err(refused) = call.examine()
        {
            return flights.outcomes.add(Outcome::Failed(refused));
        }
        let Some((number, refused)) = call.publish_behind(in_flight) else {
            // An argument met the worker's end, and that error was not heeded.
            return flights.outcomes.add(Outcome::Failed(call.lost(Executed::No)));
        };
        let id = flights.outcomes.add(Outcome::InFlight);
        let mut seat = call.turn.lift();
        let passed = seat.passed.set_aside();
        let home = &flights.home;
        seat.state().inside.get_or_insert_with(|| Inside::pipeline(home));
        let context = seat.known().context;
        let blank = flights.blanks.pop().unwrap_or_else(|| {
            let mut blank = State::new(context);
            blank.inside = Some(Inside::pipeline(home));
            blank
        });
        let state = seat.state.replace(blank).expect(SEATED);
        flights.list.push_back(Flight { number, id, state, passed, refused, reads });
        flights.sent = flights.sent.wrapping_add(1);
        flights.seat = Some(seat);
        id
    }
}

impl Call<'_> {
    /// Publishes the call behind so many that are in flight: its number on the lane, and what the library was refused before.
    /// `None` where there is no worker.
    ///
    /// It has no time of its own: that begins when its reply is waited for, and the worker is not to give up waiting for a host that
    /// is elsewhere.
    #[inline]
    fn publish_behind(&mut self, in_flight: u32) -> Option<(u32, Refusals)> {
        let (session, seat) = (self.turn.session, &mut *self.turn);
        if seat.live.is_some() {
            seat.passed.keep(session.kept());
        }
        let (live, state) = seat.parts();
        let live = live?;
        let refused = live.refusals();
        let lane = &mut live.lane;
        if in_flight == 0 && live.arena.withdraw() {
            lane.announce_window(Place::NULL, 0);
        }
        let number = lane.next_number();
        let (function, args_length, call_id) = (state.index, state.used as u16, state.context.call_id);
        lane.publish_behind(CallHead { function, args_length, call_id, time: 0 }, in_flight);
        if state.function.lets_go {
            seat.passed.may_let_go();
        }
        seat.passed.take_over();
        seat.tally.sent(function);
        Some((number, refused))
    }
}

/// The error of a call that was in flight when the worker was lost with one in front of it, of this function.
fn lost(context: &Context, function: &str, first: Option<&Error>) -> Error {
    let known = match first {
        // Then it is nobody's doing here, or everybody's.
        Some(error)
            if error.kind() == ErrorKind::Cancelled || matches!(error.cause(), Cause::Suspect { .. }) =>
        {
            let error = error.again();
            return match context.call_site {
                Some(call_site) => error.of_function(context.function, call_site),
                None => error,
            };
        }
        Some(error) => format!(" ({}: {})", error.kind(), error.message()),
        None => String::new(),
    };
    let message = format!("the worker was lost with calls in flight: it was at `{function}`{known}");
    let fault = Fault { kind: ErrorKind::WorkerLost, cause: Cause::None, message };
    context.error(fault, Executed::Maybe, String::new())
}

impl fmt::Debug for Flights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flights").field("count", &self.count()).finish_non_exhaustive()
    }
}
