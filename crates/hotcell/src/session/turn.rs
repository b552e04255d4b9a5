//! Whose turn it is: the threads that may use the session's worker, one for each seat.
//!
//! Who has a turn has a seat. While a callback runs on that thread, its call has set the seat aside: a call that is made
//! meanwhile on the same thread takes it from there, whatever other seats are free, so that the library finds itself on the
//! thread that called back; and puts it back when it has ended. Other threads take other seats, or wait at the
//! [turnstile](super::turnstile).

use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hotcell_protocol::{ErrorKind, Executed, LimitExceededReason, UnavailableReason, wire};
use hotcell_shm::{Outer, Slot};

use super::{Allowed, Context, Family, Live, Seat, Session};
use crate::error::{Cause, Result};
use crate::fault;
use crate::rt::{KeptCallback, OuterPassed, State};

mod aside;
mod begin;
mod piped;

pub(super) use aside::Blank;
use aside::SetAside;

/// The right to use the worker, until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn<'s> {
    pub(crate) session: &'s Session,
    /// There until the turn is given back, but not while it is set aside.
    seat: Option<Box<Seat>>,
    /// It stays on its thread: calls from callbacks, and calls that would wait for themselves, are known by that.
    here: PhantomData<*const ()>,
}

/// What a turn is inside of, which has the seat when that ends.
#[derive(Debug)]
pub(crate) enum Inside {
    /// A call whose callback runs.
    Call(Nested),
    /// A pipeline, which finds its seat there.
    Pipeline(Arc<Slot<Seat>>),
}

/// What a nested call must leave as it found it.
#[derive(Debug)]
pub(crate) struct Nested {
    /// The call it is nested in.
    call_id: u64,
    data: Outer,
    passed: OuterPassed,
    /// How many families the calls around have.
    held: usize,
}

/// What is known of a seat, whoever has it. No two share a cache line, nor the pair that is fetched together.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct Place {
    /// The thread that has the seat, and above its number whether for [calls in flight](IN_FLIGHT); 0 none.
    holder: AtomicU64,
}

/// Set where a seat is a pipeline's: whoever has it goes on with his own work while the worker is at the calls.
const IN_FLIGHT: u64 = 1 << 63;

/// What a call from a callback is to know of the calls around it.
#[derive(Debug)]
pub(super) struct Around {
    pub(super) seat: u32,
    pub(super) generation: u64,
    /// When the innermost must have ended.
    pub(super) deadline: u64,
    pub(super) in_task: bool,
    /// The families that they have, in order; not there while another call from the callback is not finished.
    pub(super) families: Option<Vec<Family>>,
}

/// What a call keeps that has set the seat aside: what it knows of itself.
#[derive(Debug)]
pub(crate) struct Left {
    /// The number of the seat.
    number: u32,
    state: Box<State>,
}

impl Place {
    /// Whether this thread has the seat. A thread alone sets and clears its own mark, so what is read here is true
    /// of this one.
    pub(super) fn is_held_here(&self) -> bool {
        self.holder.load(Ordering::Relaxed) & !IN_FLIGHT == this_thread()
    }

    /// Whether this thread has the seat for calls in flight.
    pub(super) fn is_in_flight_here(&self) -> bool {
        self.holder.load(Ordering::Relaxed) == this_thread() | IN_FLIGHT
    }
}

impl<'s> Turn<'s> {
    /// Marks this thread as the one that has the turn. A call has a time, and looks behind it for what is to be released;
    /// without one, this is one of those that send it.
    #[inline]
    pub(super) fn new(session: &'s Session, mut seat: Box<Seat>, allowed: Option<Allowed>) -> Turn<'s> {
        seat.looks_behind = allowed.is_some();
        if let Some(allowed) = allowed {
            seat.state().allowed = allowed;
        }
        session.place(seat.number).holder.store(this_thread(), Ordering::Relaxed);
        Turn { session, seat: Some(seat), here: PhantomData }
    }

    /// Goes on with a turn that was interrupted, on this thread.
    #[cfg(feature = "tokio")]
    pub(super) fn resume(session: &'s Session, seat: Box<Seat>) -> Turn<'s> {
        session.place(seat.number).holder.store(this_thread(), Ordering::Relaxed);
        Turn { session, seat: Some(seat), here: PhantomData }
    }

    /// Interrupts the turn, to be gone on with on any thread. None where a callback has the seat.
    #[cfg(feature = "tokio")]
    pub(super) fn interrupt(mut self) -> Option<Box<Seat>> {
        let seat = self.seat.take()?;
        self.session.place(seat.number).holder.store(0, Ordering::Relaxed);
        Some(seat)
    }

    /// Gives the turn back without a look behind it, and does not get ahead of who waits.
    pub(super) fn pass_on(mut self) {
        self.looks_behind = false;
    }

    /// Whether the call has families, which go with its seat.
    pub(super) fn has_families(&self) -> bool {
        !self.held.is_empty()
    }

    /// Whether the call is nested in another.
    pub(crate) fn is_nested(&self) -> bool {
        let inside = self.state.as_ref().and_then(|state| state.inside.as_deref());
        matches!(inside, Some(Inside::Call(_)))
    }

    /// Whether the call has reply windows of its own: others are inside of it, around it, or in flight behind it.
    pub(crate) fn is_one_of_several(&self) -> bool {
        self.state.as_ref().is_some_and(|state| state.inside.is_some())
    }

    /// Leaves the seat to calls that are made on this thread from now on. What was set aside before comes back with
    /// [`Turn::take_back`].
    pub(crate) fn set_aside(&mut self) -> Left {
        let mut seat = self.seat.take().expect(SEATED);
        let (number, state) = (seat.number, seat.state.take().expect(SEATED));
        aside::push(self.session, seat, state.context.call_id, state.allowed, state.is_awaited());
        Left { number, state }
    }

    /// Takes the seat back. False when a nested call that has not ended has it, with the worker, or this is a child of the
    /// process that the worker belongs to.
    pub(crate) fn take_back(&mut self, left: Left) -> bool {
        let Left { number, state } = left;
        let mut seat = aside::pop(state.context.call_id);
        if self.session.is_forked() {
            std::mem::forget(seat.take());
        }
        let back = seat.is_some();
        let mut seat = seat.unwrap_or_else(|| {
            let shared = &*self.session.shared;
            let (facts, tally) = (Arc::clone(&shared.facts), Arc::clone(&shared.tallies[number as usize]));
            let generation = state.context.generation;
            // In a child of the process that it belongs to, a lock may be held for ever.
            if !self.session.is_forked() {
                self.session.give_up(generation);
            }
            Box::new(Seat { generation, ..Seat::new(number, facts, tally, shared.package) })
        });
        if let Some(nested) = seat.state.replace(state) {
            seat.spare = Some(nested);
        }
        self.seat = Some(seat);
        back
    }
}

/// Why a call that runs a callback has its seat, with its state.
const SEATED: &str = "only callbacks set a seat aside, and they have ended";

impl Session {
    /// What is known of the seat of this number.
    #[inline]
    fn place(&self, number: u32) -> &Place {
        &self.shared.places[number as usize]
    }

    /// Whether a call from here may be one from a callback of this session, which must not take another seat than that of the
    /// call around. Where there is one seat only, it is not to be had then.
    #[inline]
    pub(super) fn nests(&self) -> bool {
        self.shared.places.len() > 1 && aside::any()
    }

    /// Whether a callback of this session runs on this thread.
    pub(super) fn runs_a_callback(&self) -> bool {
        aside::of(self, |_| true, |_| ()).is_some()
    }

    /// Whether this thread has calls in flight. Outside of a callback it then waits for nothing that another has: that one may
    /// have calls in flight, too, and wait for this thread, which would take no result meanwhile.
    pub(super) fn has_calls_in_flight(&self) -> bool {
        self.shared.places.iter().any(Place::is_in_flight_here)
    }

    /// Looks at the worker that this call has set aside, which may have ended. `None` while a nested call has it.
    pub(crate) fn with_aside<T>(&self, call_id: u64, look: impl FnOnce(Option<&Live>) -> T) -> Option<T> {
        let look = |aside: &mut SetAside| Some(look(aside.seat.as_ref()?.live.as_ref()));
        aside::of(self, |aside| aside.call_id == call_id, look)?
    }

    /// The turn for a call from a callback that runs on this thread, and the time it has: no longer than the call it
    /// is nested in. `None` when no callback runs here.
    pub(super) fn turn_inside(&self, context: Context, allowed: Allowed) -> Option<Result<Turn<'_>>> {
        aside::of(self, |_| true, |around| self.descend(around, context, allowed))
    }

    /// The turn for a call that is nested in this one.
    fn descend(&self, around: &mut SetAside, context: Context, mut allowed: Allowed) -> Result<Turn<'_>> {
        let SetAside { seat, call_id, allowed: outer, .. } = around;
        let Some(inner) = seat else {
            let cause = Cause::Unavailable { reason: UnavailableReason::PoolExhausted };
            let message = "this thread has a call of this session under way that is not finished".into();
            return Err(context.not_executed(ErrorKind::Unavailable, cause, message));
        };
        let Some(Live { lane, arena, .. }) = &mut inner.live else {
            // A call before this one, from the same callback, met the worker's end.
            return Err(context.error(fault::lost(), Executed::No, String::new()));
        };
        if !lane.descend() {
            let value = u64::from(wire::STACK_SLOTS);
            let cause = Cause::Limit { what: LimitExceededReason::Depth, value };
            let message = format!("calls from callbacks are nested {value} deep already");
            return Err(context.not_executed(ErrorKind::LimitExceeded, cause, message));
        }
        let data = arena.descend();
        let mut seat = seat.take().expect("it was looked at");
        let (passed, held) = (seat.passed.descend(), seat.held.len());
        if outer.deadline() < allowed.deadline() {
            allowed = *outer;
        }
        let of_package = Context::of_package(self.shared.package);
        seat.state = seat.spare.take().or_else(|| Some(State::new(of_package)));
        let state = seat.state();
        let nested = Nested { call_id: *call_id, data, passed, held };
        state.inside = Some(Box::new(Inside::Call(nested)));
        state.allowed = allowed;
        Ok(Turn { session: self, seat: Some(seat), here: PhantomData })
    }

    /// The call whose callback runs on this thread, with the calls around it.
    pub(super) fn around(&self) -> Option<Around> {
        if !self.nests() {
            return None;
        }
        let look = |aside: &mut SetAside| {
            let SetAside { seat, number, generation, allowed, in_task, .. } = aside;
            let families = seat.as_ref().map(|seat| {
                let mut all: Vec<Family> =
                    seat.held.iter().flat_map(|held| held.set().iter().copied()).collect();
                all.sort_unstable();
                all
            });
            let deadline = allowed.deadline();
            Around { seat: *number, generation: *generation, deadline, in_task: *in_task, families }
        };
        aside::of(self, |_| true, look)
    }

    /// Gives the seat of a turn back. Who left something to be released while this turn lasted may have gone: so look behind it.
    fn end_turn(&self, mut seat: Box<Seat>) {
        if self.is_forked() {
            // Nothing of the worker may be touched here, and a lock may be held for ever by a thread that is only in the parent.
            return std::mem::forget(seat);
        }
        let plain = seat.passed.is_plain() && !seat.lacks_spares;
        let state = seat.state();
        match plain && state.inside.is_none() && !state.is_awaited() {
            true => self.give_back(seat, false),
            false => self.end_full_turn(seat),
        }
    }

    /// As [`Session::end_turn`], where the call was passed something, or is a task's, or inside of another, or the first of a worker.
    fn end_full_turn(&self, mut seat: Box<Seat>) {
        // What goes is the application's, and is dropped when the turn is over.
        let gone: Vec<Box<KeptCallback>> = seat.passed.end(self);
        let state = seat.state();
        let awaited = state.is_awaited();
        #[cfg(feature = "tokio")]
        let _not_sent = awaited.then(|| state.take_batch());
        if let Some(inside) = state.inside.take() {
            return self.leave_inside(seat, inside, gone);
        }
        if seat.lacks_spares {
            self.fill_spares(&mut seat);
        }
        #[cfg(feature = "tokio")]
        if awaited && !seat.is_settled() {
            self.place(seat.number).holder.store(0, Ordering::Relaxed);
            // Of a call that was not sent, what the worker has not mapped is nobody's yet.
            return self.give_up_call(seat);
        }
        self.give_back(seat, awaited);
    }

    /// Gives a seat back that nobody has inside of another call, and looks behind it.
    #[inline(always)]
    fn give_back(&self, mut seat: Box<Seat>, awaited: bool) {
        let (shared, number) = (&*self.shared, seat.number as usize);
        let allowed = seat.state().allowed;
        shared.places[number].holder.store(0, Ordering::Relaxed);
        if shared.places.len() > 1 {
            return self.put_one_of_several(seat, allowed);
        }
        if !seat.looks_behind {
            return shared.seats.put_for_others(number, seat);
        }
        shared.seats.put(number, seat);
        if shared.releases.any() {
            match awaited {
                // A poll waits for nothing.
                true => _ = self.hand_over(),
                false => self.send_what_is_left(Some(allowed)),
            }
        }
    }

    /// Gives a seat back where there are others: nobody may come for this one soon.
    fn put_one_of_several(&self, mut seat: Box<Seat>, allowed: Allowed) {
        let shared = &*self.shared;
        let (number, looks_behind, generation) = (seat.number as usize, seat.looks_behind, seat.generation);
        if !seat.serves() {
            seat.leave();
        }
        let held = std::mem::take(&mut seat.held);
        match looks_behind {
            true => shared.seats.put(number, seat),
            false => shared.seats.put_for_others(number, seat),
        }
        drop(held);
        // Another worker may have taken over, and the seats that were free then were cleared.
        if shared.facts.generation.load(Ordering::SeqCst) != generation {
            self.clear_seats();
        }
        if looks_behind {
            shared.releases.retry_used();
            if shared.releases.any() {
                self.send_what_is_left(Some(allowed));
            }
        }
    }

    /// Leaves the seat to what the turn was inside of.
    #[cold]
    fn leave_inside(&self, mut seat: Box<Seat>, inside: Box<Inside>, gone: Vec<Box<KeptCallback>>) {
        if let Inside::Pipeline(home) = &*inside {
            let home = Arc::clone(home);
            seat.passed.drop_later(gone);
            seat.state().inside = Some(inside);
            let before = home.put(seat);
            debug_assert!(before.is_none(), "a pipeline has one seat");
        } else if let Inside::Call(nested) = *inside {
            self.leave_nested(seat, nested);
        }
    }

    /// Leaves the seat of a nested call to the call around.
    fn leave_nested(&self, mut seat: Box<Seat>, inside: Nested) {
        if let Some(Live { lane, arena, .. }) = &mut seat.live {
            lane.ascend();
            arena.ascend(inside.data);
        }
        seat.passed.ascend(inside.passed);
        let own = inside.held.min(seat.held.len());
        // They go when the seat is back: who waits for them may be a task, and be polled there and then.
        let _held = seat.held.split_off(own);
        let mut seat = Some(seat);
        let is_around = |aside: &SetAside| aside.call_id == inside.call_id;
        aside::of(self, is_around, |around| around.seat = seat.take());
        // Still there where the callback has returned without it, and the worker was given up.
        drop(seat);
    }
}

impl Deref for Turn<'_> {
    type Target = Seat;

    #[inline]
    fn deref(&self) -> &Seat {
        self.seat.as_ref().expect("the seat is held until the turn is dropped, but while a callback runs")
    }
}

impl DerefMut for Turn<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Seat {
        self.seat.as_mut().expect("the seat is held until the turn is dropped, but while a callback runs")
    }
}

impl Drop for Turn<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(seat) = self.seat.take() {
            self.session.end_turn(seat);
        }
    }
}

/// A number for this thread that no other thread of the process ever has.
#[inline]
pub(crate) fn this_thread() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    thread_local!(static OWN: u64 = NEXT.fetch_add(1, Ordering::Relaxed));
    OWN.with(|own| *own)
}
