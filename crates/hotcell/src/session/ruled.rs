//! Calls under a rule for threads: those that use objects of one family take turns, and an object that is bound to a thread of
//! the library is used there.
//!
//! What a call uses is known before it has a seat: it waits for its objects without one, and nobody holds a lane while he
//! waits. A session has rules only where it makes several calls at a time; without, all of this holds by itself.

use std::panic::Location;
use std::sync::Arc;
use std::thread;

use hotcell_protocol::{ErrorKind, UnavailableReason};
use hotcell_shm::clock;

use super::families::{Families, Family, Held, Stuck, Who, of_seat};
use super::{Allowed, Context, Place, Seat, Session, Turn, instant_of, this_thread};
use crate::atomics::now;
use crate::error::{Cause, Error, Result};
use crate::rt::{Call, Function, Handle, Object, ThreadRules};
pub(crate) use claim::Claim;

mod claim;

/// The rules of a session.
#[derive(Debug)]
pub(super) struct Ruled {
    rules: &'static ThreadRules,
    pub(super) families: Arc<Families>,
}

impl Ruled {
    pub(super) fn new(rules: &'static ThreadRules) -> Ruled {
        Ruled { rules, families: Arc::default() }
    }
}

impl Session {
    /// As [`Session::call`], of a function that is passed these objects. Where the contract has a rule for threads, the call
    /// waits until no other one uses their families, and is made on the thread of the library that they are bound to.
    #[track_caller]
    pub fn call_of(&self, function: u16, objects: &[Option<&Handle>]) -> Result<Call<'_>> {
        let (context, definition) = self.function_of(function, Location::caller())?;
        let objects = objects.iter().flatten().map(|handle| &**handle.object());
        let allowed = Allowed::new(self.time_of(definition));
        self.begin_of(objects, context, allowed, function, definition)
    }

    /// As [`Session::begin`], of a call that is passed these objects.
    pub(crate) fn begin_of<'o>(
        &self,
        objects: impl Iterator<Item = &'o Object>,
        context: Context,
        allowed: Allowed,
        function: u16,
        definition: &'static Function,
    ) -> Result<Call<'_>> {
        let claim = self.claim(context, objects)?;
        match claim.filter(|claim| !claim.is_empty()) {
            None => self.begin(context, allowed, function, definition),
            Some(claim) => {
                let turn = self.turn_of(context, allowed, &claim)?;
                Ok(Call::open(turn, context, function, definition))
            }
        }
    }

    /// The function of an index, and what errors of a call say that is made there.
    pub(super) fn function_of(
        &self,
        function: u16,
        call_site: &'static Location<'static>,
    ) -> Result<(Context, &'static Function)> {
        let package = self.shared.package;
        let context = Context { call_site: Some(call_site), ..Context::of_package(package) };
        let Some(definition) = package.functions.get(usize::from(function)) else {
            let message = format!("the package has no function {function}");
            return Err(context.not_executed(ErrorKind::InvalidArgument, Cause::None, message));
        };
        Ok((Context { function: definition.name, ..context }, definition))
    }

    /// Gets a turn with a worker for a call that has a claim.
    fn turn_of(&self, context: Context, mut allowed: Allowed, claim: &Claim) -> Result<Turn<'_>> {
        let shared = &*self.shared;
        if let Some(error) = self.callback_failure(context) {
            return Err(error);
        }
        if let Some((seat, around)) = self.seat_around() {
            return self.turn_of_inside((seat, &around), context, allowed, claim);
        }
        if shared.places.iter().all(Place::is_held_here) {
            let message = "this thread has a call of this session under way that is not finished";
            return Err(self.held_up(context, message.into()));
        }
        let deadline = allowed.deadline();
        self.wait_for_releases(deadline);
        let held = self.wait_for_families(context, &claim.set, Who::Thread(this_thread()), &mut allowed)?;
        let until = Some(instant_of(deadline));
        let seat = match claim.seat {
            Some(number) => shared.seats.wait_for_own(number as usize, until, || self.reclaim()),
            None => shared.seats.take().or_else(|| shared.seats.wait(until, || self.reclaim())),
        };
        let Some(seat) = seat else { return Err(self.no_seat(context, &allowed)) };
        let mut turn = self.seated(seat, held, allowed);
        if !turn.serves() {
            self.seat_worker(&mut turn, context, &mut allowed)?;
        }
        turn.state().allowed = allowed;
        Ok(turn)
    }

    /// The turn on this seat of a call that has these families.
    pub(super) fn seated(&self, mut seat: Box<Seat>, held: Held, allowed: Allowed) -> Turn<'_> {
        held.seated(seat.number);
        seat.held.push(held);
        Turn::new(self, seat, Some(allowed))
    }

    /// Gets a turn for a call from a callback of the call that has this seat. What that has, this one has, too.
    fn turn_of_inside(
        &self,
        (seat, around): (u32, &[Family]),
        context: Context,
        allowed: Allowed,
        claim: &Claim,
    ) -> Result<Turn<'_>> {
        if claim.seat.is_some_and(|own| own != seat) {
            let message = "an object of the call is bound to another thread of the library than the one that calls back";
            return Err(context.not_executed(ErrorKind::InvalidArgument, Cause::None, message.into()));
        }
        let has = |family: &&Family| around.contains(family) || **family == of_seat(seat);
        let set: Vec<Family> = claim.set.iter().filter(|family| !has(family)).copied().collect();
        let mut held = None;
        if !set.is_empty() {
            let mut time = self.time_inside(allowed);
            let who = Who::Inside { seat, seats: self.shared.seats.count(), thread: this_thread() };
            held = Some(self.wait_for_families(context, &set.into(), who, &mut time)?);
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
        allowed: &mut Allowed,
    ) -> Result<Held> {
        let families = self.families();
        if let Some(held) = families.take(set, who) {
            return Ok(held);
        }
        let until = instant_of(allowed.deadline());
        let waker = super::turnstile::waker_of_this_thread();
        let mut stand = families.stand(set, who, &waker).map_err(|stuck| self.stuck(context, stuck))?;
        loop {
            let held = stand.take(&waker);
            let now = now();
            match held {
                Some(held) => return Ok(held),
                None if now >= until => return Err(self.families_held(context, allowed)),
                None => {}
            }
            let again = stand.looks_again(now);
            thread::park_timeout(until.min(again).saturating_duration_since(now));
            if crate::atomics::now() >= again {
                self.reclaim();
            }
        }
    }

    /// Whether calls are begun with their objects.
    #[cfg(feature = "dynamic")]
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
        self.held_up(context, format!("other calls used its objects for {:?}", allowed.time()))
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
