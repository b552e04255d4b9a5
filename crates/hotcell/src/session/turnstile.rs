//! Lets threads and tasks have one of a few values in turn.
//!
//! Whoever finds a value takes it, for an atomic exchange. Who does not stands in [line]; the first in line is woken when
//! one is back. It may be taken again before he is there: to hand the value over to one who sleeps would cost
//! every caller of a busy session a switch of threads. But once he has waited for [`PATIENCE`], nobody gets ahead of him.
//!
//! | `wanted` | says | who sees it |
//! |---|---|---|
//! | [`NOBODY`] | nobody waits | |
//! | [`SOMEBODY`] | the first in line sleeps, or is about to | who puts a value back: wakes him |
//! | [`INSISTS`] | and has waited long | who wants a value: stands in line |
//! | [`RESERVED`] | a certain value is [somebody's](own), besides | who wants any: looks past it; who puts it back: wakes him |
//!
//! A thread looks first where it found its last value: threads that do not get in each other's way keep to their own.
//!
//! No wake-up is lost. He who waits says so, and then tries to take a value; who puts one back does so, and then looks
//! whether somebody waits. These four steps have one order for all threads, so one of the two sees the other.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hotcell_shm::{ForkGuard, Slot};

#[cfg(feature = "tokio")]
use super::awaited::Watch;
use super::looks::{self, Until};
use crate::atomics::{AtomicU32, Mutex};
use line::Line;

mod line;
mod own;

/// Values that one thread or task each has at a time.
#[derive(Debug)]
pub(super) struct Turnstile<T> {
    values: Box<[Place<T>]>,
    /// Written by who holds the line.
    wanted: AtomicU32,
    line: Mutex<Line>,
    /// Where this is a child of the process that has the values, the line may be locked for ever.
    fork: Option<Arc<ForkGuard>>,
    /// Looks after the line where tasks stand in it.
    #[cfg(feature = "tokio")]
    watch: Arc<Watch>,
}

/// Where one of them is. No two share a cache line, nor the pair that is fetched together.
#[derive(Debug)]
#[repr(align(128))]
struct Place<T>(Slot<T>);

thread_local! {
    /// The last turnstile of several values that this thread was at, by its address, and where it found one.
    static LAST: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

const NOBODY: u32 = 0;
const SOMEBODY: u32 = 1;
const INSISTS: u32 = 2;
const RESERVED: u32 = 4;

/// How long the first in line lets others get ahead of him.
const PATIENCE: Duration = Duration::from_micros(500);

impl<T> Turnstile<T> {
    /// Of these values, at least one; they are known by their numbers from now on.
    pub(super) fn new(values: impl Iterator<Item = Box<T>>) -> Turnstile<T> {
        let values = values.map(|value| Place(Slot::new(value))).collect();
        Turnstile {
            values,
            wanted: AtomicU32::new(NOBODY),
            line: Mutex::default(),
            fork: None,
            #[cfg(feature = "tokio")]
            watch: Arc::default(),
        }
    }

    /// The same, of the process of this guard.
    pub(super) fn guarded(mut self, fork: &Arc<ForkGuard>) -> Turnstile<T> {
        self.fork = Some(Arc::clone(fork));
        self
    }

    fn is_forked(&self) -> bool {
        self.fork.as_ref().is_some_and(|fork| fork.forked())
    }

    /// Who looks after the line.
    #[cfg(feature = "tokio")]
    pub(super) fn watch(&self) -> &Arc<Watch> {
        &self.watch
    }

    /// How many there are.
    #[inline]
    pub(super) fn count(&self) -> usize {
        self.values.len()
    }

    /// Takes a value, if one is there and nobody has waited for it long.
    #[inline]
    pub(super) fn take(&self) -> Option<Box<T>> {
        match self.wanted.load(Ordering::SeqCst) {
            NOBODY | SOMEBODY => self.find(),
            wanted => self.take_past(wanted),
        }
    }

    #[inline]
    fn find(&self) -> Option<Box<T>> {
        match &*self.values {
            [only] => only.0.take(),
            values => Self::find_among(values, |_| true),
        }
    }

    fn find_among(values: &[Place<T>], free: impl Fn(usize) -> bool) -> Option<Box<T>> {
        let here = values.as_ptr().addr();
        let last = match LAST.get() {
            (there, number) if there == here => number % values.len(),
            _ => 0,
        };
        let order = (last..values.len()).chain(0..last).filter(|&number| free(number));
        let mut found = order.filter_map(|number| Some((number, values[number].0.take()?)));
        let (number, value) = found.next()?;
        LAST.set((here, number));
        Some(value)
    }

    /// Whether somebody waits for a value.
    pub(super) fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::SeqCst) & !RESERVED != NOBODY
    }

    /// How many somebody has.
    pub(super) fn taken(&self) -> usize {
        self.values.iter().filter(|place| !place.0.is_there()).count()
    }

    /// Takes the value of this number, whoever waits, if it is there. It is to be put back soon.
    pub(super) fn borrow(&self, number: usize) -> Option<Box<T>> {
        self.values[number].0.take()
    }

    /// Waits for a value, in line with others who do; without a time, for ever. `meanwhile` is asked now and then whether it
    /// can bring one back. Who asks somebody meanwhile is as a task: he loses his place when he does not come.
    pub(super) fn wait<'a>(&self, until: impl Into<Until<'a>>, meanwhile: impl Fn()) -> Option<Box<T>> {
        let until = until.into();
        let mut stand = self.stand(until.asks());
        looks::wait(until, |waker| stand.take(waker), meanwhile)
    }

    /// Puts the value of this number back.
    #[inline]
    pub(super) fn put(&self, number: usize, value: Box<T>) {
        let before = self.values[number].0.put(value);
        debug_assert!(before.is_none(), "a value is put back by who has it");
        if self.wanted.load(Ordering::SeqCst) != NOBODY {
            self.call_first(number);
        }
    }

    /// Puts the value back, for who has said that he waits for one: not even this thread gets ahead of him.
    pub(super) fn put_for_others(&self, number: usize, value: Box<T>) {
        // Who waits from now on finds the value.
        let before = self.wanted.load(Ordering::SeqCst);
        if before & !RESERVED == SOMEBODY {
            let after = INSISTS | before & RESERVED;
            let _ = self.wanted.compare_exchange(before, after, Ordering::SeqCst, Ordering::SeqCst);
        }
        self.put(number, value);
    }

    /// Takes all values, whoever waits.
    pub(super) fn take_mut(&mut self) -> impl Iterator<Item = Box<T>> {
        self.values.iter_mut().filter_map(|place| place.0.take_mut())
    }
}

#[cfg(all(test, loom))]
mod model;
#[cfg(all(test, not(loom)))]
mod tests;
