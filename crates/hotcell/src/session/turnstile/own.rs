//! Waiting for the value of a certain number, which one thread or task at a time does.
//!
//! Who waits for it has it reserved: calls that can take any value would get ahead of him for ever, so they look past it. But
//! not where he is a task that was called and does not come.

use std::sync::atomic::Ordering;
use std::task::Waker;
use std::thread;
use std::time::{Duration, Instant};

use super::line::{GRACE, Line, waker_of_this_thread};
use super::{INSISTS, RESERVED, Turnstile};
use crate::atomics::now;

/// A value that is to be somebody's.
#[derive(Debug)]
pub(super) struct Reservation {
    ticket: u64,
    is_task: bool,
    /// Not there once he was woken, until he looks.
    waker: Option<Waker>,
    /// When he was called, as the value was there.
    called: Option<Instant>,
}

/// The right to the value of a number, until this is dropped, or another has it.
#[derive(Debug)]
pub(crate) struct Reserved<'a, T> {
    turnstile: &'a Turnstile<T>,
    number: usize,
    ticket: u64,
}

/// After how long who waits looks again, though nobody called him.
const AGAIN: Duration = Duration::from_millis(100);

impl<T> Turnstile<T> {
    /// Reserves the value of this number. Who has reserved it before loses that.
    pub(in super::super) fn reserve(&self, number: usize, is_task: bool) -> Reserved<'_, T> {
        let mut line = self.line.lock();
        let ticket = line.next();
        let reservation = Reservation { ticket, is_task, waker: None, called: None };
        let before = line.reserved.insert(number, reservation);
        self.wanted.fetch_or(RESERVED, Ordering::SeqCst);
        drop(line);
        drop(before);
        Reserved { turnstile: self, number, ticket }
    }

    /// Waits for the value of this number; without a time, for ever. `meanwhile` is asked now and then.
    pub(in super::super) fn wait_for_own(
        &self,
        number: usize,
        until: Option<Instant>,
        meanwhile: impl Fn(),
    ) -> Option<Box<T>> {
        let waker = waker_of_this_thread();
        let reserved = self.reserve(number, false);
        loop {
            let (value, now) = (reserved.take(&waker), now());
            if value.is_some() || until.is_some_and(|until| now >= until) {
                return value;
            }
            let again = looks_again(now);
            thread::park_timeout(
                until.map_or(again, |until| until.min(again)).saturating_duration_since(now),
            );
            if self::now() >= again {
                meanwhile();
            }
        }
    }

    /// Takes a value that is reserved for nobody, unless the first in line insists.
    #[cold]
    pub(super) fn take_past(&self, wanted: u32) -> Option<Box<T>> {
        if wanted & INSISTS != 0 {
            return None;
        }
        self.find_unreserved(&self.line.lock())
    }

    /// Takes a value that is reserved for nobody.
    pub(super) fn find_unreserved(&self, line: &Line) -> Option<Box<T>> {
        match line.reserved.is_empty() {
            true => self.find(),
            false => Self::find_among(&self.values, |number| !line.is_reserved(number)),
        }
    }

    /// Whether a value is there now that is reserved for nobody.
    pub(super) fn has_one(&self, line: &Line) -> bool {
        let mut places = self.values.iter().enumerate();
        places.any(|(number, place)| place.0.is_there() && !line.is_reserved(number))
    }
}

impl Line {
    fn is_reserved(&self, number: usize) -> bool {
        let late = |called: Instant| now() >= called + GRACE;
        self.reserved.get(&number).is_some_and(|it| !(it.is_task && it.called.is_some_and(late)))
    }

    /// Calls who has reserved the value of this number, which is there: how he is woken. `None` where nobody has.
    pub(super) fn call_own(&mut self, number: usize) -> Option<Option<Waker>> {
        let reservation = self.reserved.get_mut(&number)?;
        reservation.called.get_or_insert_with(now);
        Some(reservation.waker.take())
    }
}

impl<T> Reserved<'_, T> {
    /// Takes the value, if it is there. Else the waker will be woken when it is.
    pub(crate) fn take(&self, waker: &Waker) -> Option<Box<T>> {
        let turnstile = self.turnstile;
        // Dropped behind the lock, as is what was there before.
        let mut waker = Some(waker.clone());
        let mut line = turnstile.line.lock();
        let own = line.reserved.get_mut(&self.number).filter(|it| it.ticket == self.ticket)?;
        std::mem::swap(&mut own.waker, &mut waker);
        own.called = None;
        let value = turnstile.borrow(self.number);
        drop(line);
        value
    }
}

/// When who waits looks again.
pub(crate) fn looks_again(now: Instant) -> Instant {
    now + AGAIN
}

impl<T> Drop for Reserved<'_, T> {
    fn drop(&mut self) {
        let turnstile = self.turnstile;
        let mut line = turnstile.line.lock();
        let own = line.reserved.get(&self.number).is_some_and(|it| it.ticket == self.ticket);
        let gone = own.then(|| line.reserved.remove(&self.number));
        if line.reserved.is_empty() {
            turnstile.wanted.fetch_and(!RESERVED, Ordering::SeqCst);
        }
        // The value may be there, and he who waits for any has looked past it.
        let next = turnstile.lead_on(&mut line);
        drop(line);
        drop(gone);
        turnstile.tell(next);
    }
}
