//! Lets calls have families of objects in turn: each family one call at a time, first come, first served.
//!
//! A call gets all of its families at once or none, so calls that wait hold nothing, and cannot wait for each other. He who waits
//! gets them when nobody has them, and nobody who came before waits for one of them: who holds nothing is never passed over by
//! another who holds nothing.
//!
//! A call from a callback is the exception: the call around it holds families already. It gets ahead of all who hold
//! nothing, and is refused where the one that it waits for waits for it.
//!
//! What is to be released stands in line too, but one thread releases it all. So it is given families one at a time, and only while
//! that thread has nothing else to do: else the others look past it, and it keeps its place.
//!
//! A task need not be looked after by anybody. What it was given and does not come for within ten milliseconds, or still has
//! without a call under way when the time of its call is over, is taken back: by who waits and looks, and by the session's
//! watch.
//!
//! A waker is the application's: it is cloned, woken and dropped without the lock.

use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use hotcell_shm::ForkGuard;

#[cfg(feature = "tokio")]
use super::awaited::Watch;
use super::wake::wake;
use crate::atomics::{Mutex, MutexGuard};
use state::{State, Sweeper};

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
pub(super) struct Families {
    state: Mutex<State>,
    /// Where this is a child of the process that has the session, the lock may be held for ever.
    fork: Option<Arc<ForkGuard>>,
    /// Looks after what tasks were given.
    #[cfg(feature = "tokio")]
    watch: Option<Arc<Watch>>,
}

/// Who wants families.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// The thread of this number.
    Thread(u64),
    /// A task, whose call has so much time.
    #[cfg_attr(not(any(feature = "tokio", test)), expect(dead_code, reason = "nothing else has tasks"))]
    Task(Instant),
    /// A call from a callback of the call that has this seat, of so many, by the thread of this number.
    Inside { seat: u32, seats: usize, thread: u64 },
    /// What is released by the thread that releases most.
    Release,
    /// What is released on the thread of the library that it is bound to: a thread of the session waits for nothing else.
    BoundRelease,
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
}

/// How long a task that was given its families may take to come. In a model, where time stands still, it is always late.
const GRACE: Duration = if cfg!(all(test, loom)) { Duration::ZERO } else { Duration::from_millis(10) };

/// How long behind the time of its call what a task has is left to it: timers and runtimes are late.
const LATE: Duration = Duration::from_secs(1);

impl Families {
    /// Those of a session.
    pub(super) fn of(fork: &Arc<ForkGuard>, #[cfg(feature = "tokio")] watch: &Arc<Watch>) -> Arc<Families> {
        Arc::new(Families {
            fork: Some(Arc::clone(fork)),
            #[cfg(feature = "tokio")]
            watch: Some(Arc::clone(watch)),
            ..Families::default()
        })
    }

    /// Has all of these families, if nobody has or waits for one of them.
    pub(super) fn take(self: &Arc<Self>, set: &Arc<[Family]>, who: Who) -> Option<Held> {
        let mut state = self.state.lock();
        if set.iter().any(|family| state.is_wanted(family)) {
            return None;
        }
        let number = state.next();
        state.give(number, Arc::clone(set), who);
        state.came(number, who);
        Some(Held { families: Arc::clone(self), number, set: Arc::clone(set) })
    }

    /// Stands in line for all of these families. [`Stand::take`] says how who waits is woken.
    ///
    /// # Errors
    ///
    /// Where waiting would not end.
    pub(super) fn stand(self: &Arc<Self>, set: &Arc<[Family]>, who: Who) -> Result<Stand, Stuck> {
        let mut state = self.state.lock();
        if let Some(stuck) = state.would_stick(set, who) {
            return Err(stuck);
        }
        let (number, mut called) = (state.join(set, who), Vec::new());
        state.give_if_free(number, &mut called);
        self.unlock(state, called);
        Ok(Stand { families: Arc::clone(self), number, set: Arc::clone(set), who })
    }

    /// The first of what is to be released that nothing keeps, on the thread that releases it. If there is none, and that has
    /// nothing else to do, the waker will be woken when there is.
    pub(super) fn next_release(self: &Arc<Self>, waker: Option<&Waker>) -> Option<Held> {
        let (waker, mut called) = (waker.cloned(), Vec::new());
        let mut state = self.state.lock();
        let given = state.next_release(&mut called);
        if given.is_none()
            && let Some(waker) = waker
        {
            state.sweeper = Sweeper::Ready(waker);
        }
        self.unlock(state, called);
        given.map(|(number, set)| Held { families: Arc::clone(self), number, set })
    }

    /// Takes back what tasks have that do not come for it. Comes with when to do so again.
    #[cfg(any(feature = "tokio", test))]
    pub(super) fn take_back_late(&self) -> Option<Instant> {
        let mut called = Vec::new();
        let mut state = self.state.lock();
        state.take_back_late(&mut called);
        let next = state.next_late();
        self.unlock(state, called);
        next
    }

    /// Gives the lock back. Then wakes who was called, and has what tasks were given looked after.
    fn unlock(&self, state: MutexGuard<'_, State>, called: Vec<Waker>) {
        #[cfg(feature = "tokio")]
        let late = state.next_late();
        drop(state);
        #[cfg(feature = "tokio")]
        if let (Some(watch), Some(late)) = (&self.watch, late) {
            watch.look_at_instant(late);
        }
        called.into_iter().for_each(wake);
    }

    fn is_forked(&self) -> bool {
        self.fork.as_ref().is_some_and(|fork| fork.forked())
    }
}

impl Who {
    fn is_inside(&self) -> bool {
        matches!(self, Who::Inside { .. })
    }
}

impl Stand {
    /// Has the families, if they were given by now. Else the waker will be woken when they are.
    pub(super) fn take(&mut self, waker: &Waker) -> Option<Held> {
        // Dropped behind the lock, as is what was there before.
        let (mut waker, mut called) = (Some(waker.clone()), Vec::new());
        let mut state = self.families.state.lock();
        if !state.has(self.number) {
            state.take_back_late(&mut called);
            if !state.has(self.number) && !state.waits(self.number) {
                // They were given, and taken back.
                self.number = state.join(&self.set, self.who);
                state.give_if_free(self.number, &mut called);
            }
        }
        let given = state.has(self.number);
        if given {
            state.came(self.number, self.who);
        } else {
            state.wakes(self.number, &mut waker);
        }
        self.families.unlock(state, called);
        if !given {
            return None;
        }
        let number = std::mem::take(&mut self.number);
        Some(Held { families: Arc::clone(&self.families), number, set: Arc::clone(&self.set) })
    }

    /// What was to be released has its families, by [`Families::next_release`].
    pub(super) fn was_given(mut self) {
        self.number = 0;
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        if self.number == 0 || self.families.is_forked() {
            return;
        }
        let mut called = Vec::new();
        let mut state = self.families.state.lock();
        let gone = state.leave(self.number);
        match &gone {
            Some(waiting) => state.advance(&waiting.set, &mut called),
            None => state.take_back(self.number, &mut called),
        }
        self.families.unlock(state, called);
        drop(gone);
    }
}

impl Held {
    /// The call is under way from here, and what it has is its own. False when it was taken back before: it came too late.
    pub(super) fn seated(&self, seat: u32) -> bool {
        self.families.state.lock().seated(self.number, seat)
    }

    /// Whether somebody waits for one of them.
    pub(super) fn is_awaited(&self) -> bool {
        let state = self.families.state.lock();
        self.set.iter().any(|family| state.is_awaited(family))
    }

    /// What it has, in order.
    pub(super) fn set(&self) -> &Arc<[Family]> {
        &self.set
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.families.is_forked() {
            return;
        }
        let mut called = Vec::new();
        let mut state = self.families.state.lock();
        state.take_back(self.number, &mut called);
        self.families.unlock(state, called);
    }
}

#[cfg(all(test, loom))]
mod model;
#[cfg(all(test, not(loom)))]
mod tests;
