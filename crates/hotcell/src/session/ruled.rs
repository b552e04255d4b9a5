//! Calls under a rule for threads: those that use objects of one family take turns, and an object that is bound to a thread of
//! the library is used there.
//!
//! What a call uses is known before it has a seat: it waits for its objects without one, and nobody holds a lane while he
//! waits. A session has rules only where it makes several calls at a time; without, all of this holds by itself.

use std::panic::Location;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use hotcell_protocol::{ErrorKind, UnavailableReason};
use hotcell_shm::clock;

use super::families::{Families, Family, Held, Stuck, Who, of_seat};
use super::looks::{self, Until};
use super::releases::Bound;
use super::turn::Around;
use super::{Allowed, Context, IN_FLIGHT, Place, Seat, Session, Turn, instant_of, this_thread};
use crate::error::{Cause, Error, Result};
use crate::rt::{Call, Function, Handle, Object, ThreadRules};
pub(crate) use claim::Claim;

mod claim;
mod in_line;

use in_line::InLine;

/// The rules of a session.
#[derive(Debug)]
pub(super) struct Ruled {
    rules: &'static ThreadRules,
    pub(super) families: Arc<Families>,
    /// What waits to be released on a certain thread of the library.
    pub(super) bound: Bound,
}

impl Ruled {
    pub(super) fn new(rules: &'static ThreadRules, families: Arc<Families>) -> Ruled {
        Ruled { rules, families, bound: Bound::default() }
    }
}

impl Session {
    /// As [`Session::call`], of a function that is passed these objects. Where the contract has a rule for threads, the call
    /// waits until no other one uses their families, and is made on the thread of the library that they are bound to.
    #[track_caller]
    pub fn call_of(&self, function: u16, objects: &[Option<&Handle>]) -> Result<Call<'_>> {
        let (context, definition) = self.function_of(function, Location::caller())?;
        let allowed = Allowed::new(self.time_of(definition));
        if !self.restores().is_empty() {
            return self.begin_with(objects, context, allowed, function, definition);
        }
        let objects = objects.iter().flatten().map(|handle| &**handle.object());
        self.begin_of(objects, context, allowed, function, definition)
    }

    /// As [`Session::begin`], of a call that is passed these objects.
    pub(crate) fn begin_of<'o>(
        &self,
        objects: impl Iterator<Item = &'o Object> + Clone,
        context: Context,
        allowed: Allowed,
        function: u16,
        definition: &'static Function,
    ) -> Result<Call<'_>> {
        loop {
            let Some(claim) = self.claim(context, objects.clone())? else {
                return self.begin(context, allowed, function, definition);
            };
            let call = match claim.is_empty() {
                true => self.begin(context, allowed, function, definition)?,
                false => {
                    let turn = self.turn_of(context, allowed, &claim)?;
                    Call::open(turn, context, function, definition)
                }
            };
            // While it waited, what was lent may have become the application's own: then there is more to wait for.
            if objects.clone().all(|object| call.covers(object)) {
                return Ok(call);
            }
        }
    }

    /// Gets a turn with a worker for a call that has a claim.
    pub(super) fn turn_of(&self, context: Context, mut allowed: Allowed, claim: &Claim) -> Result<Turn<'_>> {
        let shared = &*self.shared;
        if shared.dispatcher.has_failed()
            && let Some(error) = self.callback_failure(context)
        {
            return Err(error);
        }
        if let Some(around) = self.around() {
            return self.turn_of_inside(around, context, allowed, claim);
        }
        // The seat that it waits for, or all of them.
        let mut needed = match claim.seat {
            Some(number) => shared.places[number as usize..=number as usize].iter(),
            None => shared.places.iter(),
        };
        if needed.all(Place::is_held_here) {
            return Err(self.held_up(context, NOT_FINISHED.into()));
        }
        let deadline = allowed.deadline();
        let in_flight = self.has_calls_in_flight();
        let until = if in_flight { Instant::now() } else { instant_of(deadline) };
        let held_up = |error| if in_flight { self.held_up(context, IN_FLIGHT.into()) } else { error };
        if !in_flight {
            self.wait_for_releases(deadline);
        }
        let who = Who::Thread(this_thread());
        let held = self.wait_for_families(context, &claim.set, who, until)?;
        let held = held.ok_or_else(|| held_up(self.families_held(context, &allowed)))?;
        let wait = Until::given_up(until, self.cancel.as_ref());
        let seat = match claim.seat {
            Some(number) => shared.seats.wait_for_own(number as usize, wait, || self.reclaim()),
            None => shared.seats.take().or_else(|| shared.seats.wait(wait, || self.reclaim())),
        };
        if seat.is_none() && self.is_cancelled() {
            return Err(self.given_up(&context));
        }
        let Some(seat) = seat else { return Err(held_up(self.no_seat(context, &allowed))) };
        let mut turn = self.seated(seat, held, allowed).expect("what a thread has is not taken back");
        if !turn.serves() {
            turn = self.turn_with_worker(turn, context, &mut allowed)?;
        }
        turn.state().allowed = allowed;
        Ok(turn)
    }

    /// The turn on this seat of a call that has these families; `None`, and the seat is free again, where they were taken back.
    pub(super) fn seated(&self, mut seat: Box<Seat>, held: Held, allowed: Allowed) -> Option<Turn<'_>> {
        let came_in_time = held.seated(seat.number);
        seat.held.push(held);
        let turn = Turn::new(self, seat, Some(allowed));
        came_in_time.then_some(turn)
    }

    /// Gets a turn for a call from a callback. What the calls around it have, this one has, too.
    ///
    /// For more it waits no longer than half of what the call around has left: that is to end in its time. It does not wait
    /// at all where nothing would go on meanwhile: in a poll of a task, and in a callback that the library keeps, which those
    /// who have what it waits for may wait for.
    fn turn_of_inside(
        &self,
        around: Around,
        context: Context,
        mut allowed: Allowed,
        claim: &Claim,
    ) -> Result<Turn<'_>> {
        let Around { seat, deadline, in_task, families, .. } = around;
        let Some(families) = families else { return Err(self.held_up(context, NOT_FINISHED.into())) };
        if claim.seat.is_some_and(|own| own != seat) {
            let message = "an object of the call is bound to another thread of the library than the one that calls back";
            return Err(context.not_executed(ErrorKind::InvalidArgument, Cause::None, message.into()));
        }
        let has = |family: &&Family| families.binary_search(family).is_ok() || **family == of_seat(seat);
        let set: Vec<Family> = claim.set.iter().filter(|family| !has(family)).copied().collect();
        let mut held = None;
        if !set.is_empty() {
            let (begun, now) = (Instant::now(), clock::now());
            let half = now + deadline.saturating_sub(now) / 2;
            let waits = !in_task && !self.kept().run_here();
            let until = if waits { instant_of(half.min(allowed.deadline())) } else { begun };
            let who = Who::Inside { seat, seats: self.shared.seats.count(), thread: this_thread() };
            held = self.wait_for_families(context, &set.into(), who, until)?;
            if held.is_none() {
                let message = match waits {
                    true => used_by_others(begun.elapsed()),
                    false => NO_WAITING.into(),
                };
                return Err(self.held_up(context, message));
            }
        }
        let Some(turn) = self.turn_inside(context, allowed) else {
            let message = "the callback that the call was made from has ended";
            return Err(self.held_up(context, message.into()));
        };
        let mut turn = turn?;
        turn.held.extend(held);
        Ok(turn)
    }

    /// Waits for families, on a thread.
    fn wait_for_families(
        &self,
        context: Context,
        set: &Arc<[Family]>,
        who: Who,
        until: Instant,
    ) -> Result<Option<Held>> {
        let families = self.families();
        if let Some(held) = families.take(set, who) {
            return Ok(Some(held));
        }
        let in_line = InLine::of(families);
        let _in_line = in_line.ok_or_else(|| self.held_up(context, WAITS_ALREADY.into()))?;
        let mut stand = families.stand(set, who).map_err(|stuck| self.stuck(context, stuck))?;
        let wait = Until::given_up(until, self.cancel.as_ref());
        match looks::wait(wait, |waker: &Waker| stand.take(waker), || self.reclaim()) {
            None if self.is_cancelled() => Err(self.given_up(&context)),
            held => Ok(held),
        }
    }

    /// Whether calls are begun with their objects.
    #[inline]
    pub(crate) fn has_rules(&self) -> bool {
        self.shared.ruled.is_some()
    }

    /// The families that calls of this session have.
    pub(super) fn families(&self) -> &Arc<Families> {
        let ruled = self.shared.ruled.as_ref();
        &ruled.expect("only a session with rules makes claims").families
    }

    /// Waits for what this thread has dropped, no longer than a call on another seat does.
    fn wait_for_releases(&self, deadline: u64) {
        if self.shared.releases.any() && self.hand_over() {
            let now = clock::now();
            self.shared.releases.wait_for_left(this_thread(), now, deadline);
        }
    }

    pub(super) fn families_held(&self, context: Context, allowed: &Allowed) -> Error {
        self.held_up(context, used_by_others(allowed.time()))
    }

    pub(super) fn no_seat(&self, context: Context, allowed: &Allowed) -> Error {
        self.held_up(context, format!("other calls held the worker for {:?}", allowed.time()))
    }

    pub(super) fn stuck(&self, context: Context, stuck: Stuck) -> Error {
        self.held_up(context, stuck.message().into())
    }

    fn held_up(&self, context: Context, message: String) -> Error {
        let cause = Cause::Unavailable { reason: UnavailableReason::PoolExhausted };
        context.not_executed(ErrorKind::Unavailable, cause, message)
    }
}

/// Why a call waits for nothing.
const NOT_FINISHED: &str = "this thread has a call of this session under way that is not finished";

/// Why a call waits for no objects that is made by what a call asks.
const WAITS_ALREADY: &str = "other calls use its objects, and it is made by what a call of this thread asks, which waits for objects itself";

/// Why a call from a callback waits for nothing.
const NO_WAITING: &str = "other calls use its objects, and a callback of a call that is awaited, or one that the library keeps, does not wait for them";

fn used_by_others(time: Duration) -> String {
    format!("other calls used its objects, or waited for them before it, for {time:?}")
}

impl Stuck {
    fn message(self) -> &'static str {
        match self {
            Stuck::Own => "this thread has a call with its objects under way that is not finished",
            Stuck::Cycle => {
                "it is made in a callback, and the call that uses its objects waits for the one that called back"
            }
        }
    }
}
