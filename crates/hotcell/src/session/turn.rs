//! Whose turn it is: the one thread that may use the session's worker.
//!
//! Who has the turn holds the lock of the place where the seat belongs, and the seat itself. While a callback runs on
//! that thread, its call has set the seat aside: a call that is made meanwhile on the same thread takes it from there,
//! and puts it back when it has ended. Other threads wait for the lock.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hotcell_protocol::{ErrorKind, Executed, LimitExceededReason, wire};
use hotcell_shm::Outer;
use parking_lot::{Mutex, MutexGuard};

use super::{Allowed, Context, Facts, Live, Seat, Session};
use crate::error::{Cause, Result};
use crate::fault;
use crate::rt::OuterPassed;

/// The right to use the worker, until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn<'s> {
    /// There until the turn is given back, but not while it is set aside.
    seat: Option<Box<Seat>>,
    session: &'s Session,
    held: Held<'s>,
}

/// Where the seat is from.
#[derive(Debug)]
enum Held<'s> {
    /// From its place.
    Place(Option<MutexGuard<'s, Option<Box<Seat>>>>),
    /// From a call on this thread whose callback runs.
    Call(Box<Inside>),
}

/// What a nested call must leave as it found it.
#[derive(Debug)]
struct Inside {
    /// The call it is nested in.
    call_id: u64,
    data: Outer,
    passed: OuterPassed,
}

/// The seat, while callbacks run. Only the thread that has the turn looks here.
#[derive(Debug, Default)]
pub(super) struct Aside(Mutex<Option<SetAside>>);

/// A call whose callback runs.
#[derive(Debug)]
pub(crate) struct SetAside {
    /// There unless a nested call has it.
    seat: Option<Box<Seat>>,
    call_id: u64,
    allowed: Allowed,
}

impl Aside {
    /// Forgets the seat, in a forked child.
    pub(super) fn forget(&mut self) {
        std::mem::forget(self.0.get_mut().take());
    }
}

impl<'s> Turn<'s> {
    /// Marks this thread as the one that has the turn. A call has a time, and looks behind it for what is to be released;
    /// without one, this is one of those that send it.
    #[inline]
    pub(super) fn new(
        session: &'s Session,
        mut place: MutexGuard<'s, Option<Box<Seat>>>,
        allowed: Option<Allowed>,
    ) -> Turn<'s> {
        let mut seat = place.take();
        if let Some(seat) = &mut seat {
            seat.allowed = allowed;
        }
        session.shared.facts.holder.store(this_thread(), Ordering::Relaxed);
        Turn { seat, session, held: Held::Place(Some(place)) }
    }

    /// Gives the turn to whoever waits longest, without a look behind it.
    pub(super) fn pass_on(mut self) {
        self.allowed = None;
    }

    /// Says when the time of its call ends.
    #[inline]
    pub(crate) fn allow(&mut self, known: Allowed) {
        if let (Held::Place(_), Some(seat)) = (&self.held, &mut self.seat) {
            seat.allowed = seat.allowed.and(Some(known));
        }
    }

    /// Whether the seat is here: not while a callback runs.
    #[inline]
    pub(crate) fn holds_seat(&self) -> bool {
        self.seat.is_some()
    }

    /// Whether the call is nested in another.
    pub(crate) fn is_nested(&self) -> bool {
        matches!(self.held, Held::Call(_))
    }

    /// Leaves the seat to calls that are made on this thread from now on. What was set aside before comes back.
    pub(crate) fn set_aside(&mut self, call_id: u64, allowed: Allowed) -> Option<SetAside> {
        let seat = self.seat.take();
        self.session.shared.aside.0.lock().replace(SetAside { seat, call_id, allowed })
    }

    /// Takes the seat back. False when a nested call that has not ended has it, with the worker, or this is a child of the
    /// process that the worker belongs to.
    pub(crate) fn take_back(&mut self, before: Option<SetAside>, context: Context) -> bool {
        let aside = std::mem::replace(&mut *self.session.shared.aside.0.lock(), before);
        let mut seat = aside.and_then(|aside| aside.seat);
        if self.session.is_forked() {
            std::mem::forget(seat.take());
        }
        let back = seat.is_some();
        self.seat = Some(seat.unwrap_or_else(|| {
            let facts = Arc::clone(&self.session.shared.facts);
            facts.pid.store(0, Ordering::Relaxed);
            Box::new(Seat { facts, generation: context.generation, ..Seat::default() })
        }));
        back
    }
}

impl Session {
    /// Looks at the worker that this call has set aside, which may have ended. `None` while a nested call has it.
    pub(crate) fn with_aside<T>(&self, call_id: u64, look: impl FnOnce(Option<&Live>) -> T) -> Option<T> {
        let aside = self.shared.aside.0.lock();
        let seat = aside.as_ref().filter(|aside| aside.call_id == call_id)?.seat.as_ref()?;
        Some(look(seat.live.as_ref()))
    }

    /// The turn for a call from a callback that runs on this thread, and the time it has: no longer than the call it
    /// is nested in. `None` when no callback runs here.
    pub(super) fn turn_inside(&self, context: Context, allowed: &mut Allowed) -> Option<Result<Turn<'_>>> {
        let mut aside = self.shared.aside.0.lock();
        let SetAside { seat, call_id, allowed: outer } = aside.as_mut()?;
        let Some(Live { lane, arena, .. }) = &mut seat.as_mut()?.live else {
            // A call before this one, from the same callback, met the worker's end.
            return Some(Err(context.error(fault::lost(), Executed::No, String::new())));
        };
        if !lane.descend() {
            let value = u64::from(wire::STACK_SLOTS);
            let cause = Cause::Limit { what: LimitExceededReason::Depth, value };
            let message = format!("calls from callbacks are nested {value} deep already");
            return Some(Err(context.not_executed(ErrorKind::LimitExceeded, cause, message)));
        }
        let data = arena.descend();
        let mut seat = seat.take()?;
        let passed = seat.passed.descend();
        let inside = Box::new(Inside { call_id: *call_id, data, passed });
        if outer.deadline() < allowed.deadline() {
            *allowed = *outer;
        }
        Some(Ok(Turn { seat: Some(seat), session: self, held: Held::Call(inside) }))
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
    /// Who left something to be released while this turn lasted may have gone: so look behind it.
    #[inline]
    fn drop(&mut self) {
        let shared = &*self.session.shared;
        let Some(mut seat) = self.seat.take() else { return };
        // What goes is the application's, and is dropped when the turn is over.
        let _gone = seat.passed.end(self.session);
        match &mut self.held {
            Held::Place(place) => {
                let allowed = seat.allowed;
                seat.facts.holder.store(0, Ordering::Relaxed);
                if let Some(mut place) = place.take() {
                    *place = Some(seat);
                    if allowed.is_none() {
                        // Who sends what is to be released does not get ahead of callers that wait.
                        MutexGuard::unlock_fair(place);
                    }
                }
                if allowed.is_some() && self.session.has_handles() {
                    self.session.send_what_is_left(allowed);
                }
            }
            Held::Call(inside) => {
                if let Some(Live { lane, arena, .. }) = &mut seat.live {
                    lane.ascend();
                    arena.ascend(inside.data);
                }
                seat.passed.ascend(std::mem::take(&mut inside.passed));
                let mut aside = shared.aside.0.lock();
                match &mut *aside {
                    Some(aside) if aside.call_id == inside.call_id => aside.seat = Some(seat),
                    // The callback has returned without it, and the worker was given up.
                    _ if shared.fork.forked() => std::mem::forget(seat),
                    _ => {
                        drop(aside);
                        drop(seat);
                    }
                }
            }
        }
    }
}

impl Facts {
    /// Whether this thread has the turn. A thread alone sets and clears its own mark, so what is read here is true
    /// of this one.
    pub(super) fn held_here(&self) -> bool {
        self.holder.load(Ordering::Relaxed) == this_thread()
    }
}

/// A number for this thread that no other thread of the process ever has.
#[inline]
fn this_thread() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    thread_local!(static OWN: u64 = NEXT.fetch_add(1, Ordering::Relaxed));
    OWN.with(|own| *own)
}
