//! Lets calls have families of objects in turn: each family one call at a time, first come, first served.
//!
//! A call gets all of its families at once or none, so calls that wait hold nothing, and cannot wait for each other. He who waits
//! gets them when nobody has them, and nobody who came before waits for one of them: nobody is passed over.
//!
//! A call from a callback is the exception: the call around it holds families already. It gets ahead of all who hold
//! nothing, and is refused where the one that it waits for waits for it.
//!
//! A task need not be looked after by anybody. What it was given and does not come for within ten milliseconds, or still has
//! without a call under way when the time of its call is over, is taken back by who waits and looks again.
//!
//! A waker is the application's: it is cloned, woken and dropped without the lock.

use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use super::wake::wake;
use crate::atomics::Mutex;
use state::State;

mod state;

/// A family: the worker that has it, and the handle of its head.
pub(crate) type Family = (u64, u64);

/// Stands for a seat, which calls that need no other one wait for in the same line.
pub(super) fn of_seat(seat: u32) -> Family {
    (SEATS, u64::from(seat))
}

fn seat_of(family: &Family) -> Option<u32> {
    (family.0 == SEATS).then_some(family.1 as u32)
}

/// No worker has this number.
const SEATS: u64 = u64::MAX;

/// The families of one session that calls have or wait for.
#[derive(Debug, Default)]
pub(super) struct Families(Mutex<State>);

/// Who wants families.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// The thread of this number.
    Thread(u64),
    /// A task, whose call has so much time.
    #[cfg(feature = "tokio")]
    Task(Instant),
    /// A call from a callback of the call that has this seat, of so many, by the thread of this number.
    Inside { seat: u32, seats: usize, thread: u64 },
}

/// Why waiting would never end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stuck {
    /// This thread has them itself, for a call that is not finished.
    Own,
    /// Who has them waits for the call around this one.
    Cycle,
}

/// Families that somebody has, until this is dropped.
#[derive(Debug)]
pub(super) struct Held {
    families: Arc<Families>,
    number: u64,
    set: Arc<[Family]>,
}

/// A place in line. Who lets go of it leaves the line.
#[derive(Debug)]
pub(super) struct Stand {
    families: Arc<Families>,
    number: u64,
    set: Arc<[Family]>,
    who: Who,
    /// When he looks again, and after how long he did so last.
    again: Option<(Instant, Duration)>,
}

/// How long a task that was given its families may take to come.
#[cfg(feature = "tokio")]
const GRACE: Duration = Duration::from_millis(10);

/// How long behind the time of its call what a task has is left to it: timers and runtimes are late.
const LATE: Duration = Duration::from_secs(1);

/// After how long who waits looks again, though nobody called him: the first time, and at most.
const AGAIN: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

impl Families {
    /// Has all of these families, if nobody has or waits for one of them.
    pub(super) fn take(self: &Arc<Self>, set: &Arc<[Family]>, who: Who) -> Option<Held> {
        let mut state = self.0.lock();
        if set.iter().any(|family| state.wanted.contains_key(family)) {
            return None;
        }
        let number = state.next();
        state.give(number, Arc::clone(set), who);
        state.came(number, who);
        Some(Held { families: Arc::clone(self), number, set: Arc::clone(set) })
    }

    /// Stands in line for all of these families.
    ///
    /// # Errors
    ///
    /// Where waiting would not end.
    pub(super) fn stand(
        self: &Arc<Self>,
        set: &Arc<[Family]>,
        who: Who,
        waker: &Waker,
    ) -> Result<Stand, Stuck> {
        let waker = waker.clone();
        let mut state = self.0.lock();
        if let Some(stuck) = state.would_stick(set, who) {
            return Err(stuck);
        }
        let number = state.join(set, who, Some(waker));
        // He looks himself.
        let own = state.give_if_free(number);
        drop(state);
        drop(own);
        Ok(Stand { families: Arc::clone(self), number, set: Arc::clone(set), who, again: None })
    }

    fn give_back(&self, number: u64) {
        let mut called = Vec::new();
        let mut state = self.0.lock();
        state.take_back(number, &mut called);
        drop(state);
        called.into_iter().for_each(wake);
    }
}

impl Who {
    /// When the time of a task's call is over.
    fn until(&self) -> Option<Instant> {
        match self {
            #[cfg(feature = "tokio")]
            Who::Task(until) => Some(*until),
            _ => None,
        }
    }

    fn is_inside(&self) -> bool {
        matches!(self, Who::Inside { .. })
    }
}

impl Stand {
    /// Has the families, if they were given by now. Else the waker will be woken when they are.
    pub(super) fn take(&mut self, waker: &Waker) -> Option<Held> {
        // Dropped behind the lock, as is what was there before.
        let (mut waker, mut called) = (Some(waker.clone()), Vec::new());
        let mut state = self.families.0.lock();
        if !state.holders.contains_key(&self.number) {
            state.take_back_late(&mut called);
            if !state.waiting.contains_key(&self.number) && !state.holders.contains_key(&self.number) {
                // They were given, and taken back.
                self.number = state.join(&self.set, self.who, None);
                let _ = state.give_if_free(self.number);
            }
        }
        let given = state.holders.contains_key(&self.number);
        if given {
            state.came(self.number, self.who);
        } else if let Some(waiting) = state.waiting.get_mut(&self.number) {
            std::mem::swap(&mut waiting.waker, &mut waker);
        }
        drop(state);
        called.into_iter().for_each(wake);
        if !given {
            return None;
        }
        let number = std::mem::take(&mut self.number);
        Some(Held { families: Arc::clone(&self.families), number, set: Arc::clone(&self.set) })
    }

    /// When to look again, called or not.
    pub(super) fn looks_again(&mut self, now: Instant) -> Instant {
        let (at, after) = self.again.unwrap_or((now + AGAIN.0, AGAIN.0));
        let next = if now < at { (at, after) } else { (now + after * 2, (after * 2).min(AGAIN.1)) };
        self.again = Some(next);
        next.0
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        let mut called = Vec::new();
        let mut state = self.families.0.lock();
        let gone = state.leave(self.number);
        match &gone {
            Some(waiting) => state.advance(&waiting.set, &mut called),
            None => state.take_back(self.number, &mut called),
        }
        drop(state);
        drop(gone);
        called.into_iter().for_each(wake);
    }
}

impl Held {
    /// The call is under way from here, and what it has is its own. False when it was taken back before: it came too late.
    pub(super) fn seated(&self, seat: u32) -> bool {
        let mut state = self.families.0.lock();
        let holder = state.holders.get_mut(&self.number);
        holder.map(|holder| holder.seat = Some(seat)).is_some()
    }

    /// What it has.
    pub(super) fn set(&self) -> &[Family] {
        &self.set
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.families.give_back(self.number);
    }
}

#[cfg(all(test, loom))]
mod model;
#[cfg(all(test, not(loom)))]
mod tests;
