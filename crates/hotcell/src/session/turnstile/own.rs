//! Waiting for the value of a certain number, which one thread or task at a time does.
//!
//! Who waits for it has it reserved: calls that can take any value would get ahead of him for ever, so they look past it. But he
//! gets it behind who insisted before; and where he is a task that was called and does not come, or whose time is over, it is
//! reserved no longer, until he looks again.

use std::sync::atomic::Ordering;
use std::task::Waker;
use std::time::Instant;

use super::line::{Called, GRACE, Line};
use super::{INSISTS, RESERVED, Turnstile};
use crate::atomics::now;
use crate::session::looks::{self, Until};

/// A value that is to be somebody's.
#[derive(Debug)]
pub(super) struct Reservation {
    ticket: u64,
    /// Until when, if a task has it: the time of its call.
    until: Option<Instant>,
    /// Not there once he was woken, until he looks.
    waker: Option<Waker>,
    /// When he was called, as the value was there.
    called: Option<Instant>,
    /// Who insisted when it was made, and gets a value first.
    behind: Option<u64>,
}

/// The right to the value of a number, until this is dropped, or another has it.
#[derive(Debug)]
pub(crate) struct Reserved<'a, T> {
    turnstile: &'a Turnstile<T>,
    number: usize,
    ticket: u64,
    until: Option<Instant>,
}

impl<T> Turnstile<T> {
    /// Reserves the value of this number; for a task until a time. Who has reserved it before loses that.
    pub(in super::super) fn reserve(&self, number: usize, until: Option<Instant>) -> Reserved<'_, T> {
        let mut line = self.line.lock();
        let ticket = line.next();
        let before = self.note(&mut line, number, ticket, until);
        drop(line);
        drop(before);
        #[cfg(feature = "tokio")]
        if let Some(until) = until {
            self.watch().look_at_instant(until);
        }
        Reserved { turnstile: self, number, ticket, until }
    }

    fn note(
        &self,
        line: &mut Line,
        number: usize,
        ticket: u64,
        until: Option<Instant>,
    ) -> Option<Reservation> {
        let insists = self.wanted.load(Ordering::SeqCst) & INSISTS != 0;
        let behind = line.first().filter(|_| insists);
        let before =
            line.reserved.insert(number, Reservation { ticket, until, waker: None, called: None, behind });
        self.say_reserved(line);
        before
    }

    /// Whether somebody waits for the value of this number.
    pub(in super::super) fn is_reserved(&self, number: usize) -> bool {
        self.wanted.load(Ordering::SeqCst) & RESERVED != 0 && self.line.lock().is_reserved(number)
    }

    /// Waits for the value of this number; without a time, for ever. `meanwhile` is asked now and then.
    pub(in super::super) fn wait_for_own<'a>(
        &self,
        number: usize,
        until: impl Into<Until<'a>>,
        meanwhile: impl Fn(),
    ) -> Option<Box<T>> {
        let until = until.into();
        let reserved = self.reserve(number, until.time().filter(|_| until.asks()));
        looks::wait(until, |waker| reserved.take(waker), meanwhile)
    }

    /// Takes the value of this number, if it is there and nobody is to have it.
    pub(in super::super) fn take_own(&self, number: usize) -> Option<Box<T>> {
        let line = self.line.lock();
        let insists = self.wanted.load(Ordering::SeqCst) & INSISTS != 0;
        if insists || line.is_reserved(number) { None } else { self.borrow(number) }
    }

    /// Takes a value that is reserved for nobody, unless the first in line insists.
    #[cold]
    pub(super) fn take_past(&self, wanted: u32) -> Option<Box<T>> {
        if wanted & INSISTS != 0 {
            return None;
        }
        let mut line = self.line.lock();
        let late = self.end_late(&mut line, now());
        let value = self.find_unreserved(&line);
        drop(line);
        drop(late);
        value
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

    /// Ends what tasks have reserved and do not come for: it is dropped behind the lock.
    pub(super) fn end_late(&self, line: &mut Line, now: Instant) -> Vec<Reservation> {
        if line.reserved.is_empty() {
            return Vec::new();
        }
        let late: Vec<_> = line.reserved.extract_if(.., |_, it| it.is_late(now)).map(|(_, it)| it).collect();
        if !late.is_empty() {
            self.say_reserved(line);
        }
        late
    }
}

impl Reservation {
    /// When it ends, if nobody comes for it.
    fn ends(&self) -> Option<Instant> {
        let until = self.until?;
        Some(self.called.map_or(until, |called| until.min(called + GRACE)))
    }

    fn is_late(&self, now: Instant) -> bool {
        self.ends().is_some_and(|ends| now >= ends)
    }

    /// Whether somebody gets a value first.
    fn is_behind(&self, line: &Line) -> bool {
        self.behind.is_some_and(|first| line.place(first).is_some())
    }
}

impl Line {
    fn is_reserved(&self, number: usize) -> bool {
        self.reserved.get(&number).is_some_and(|it| !it.is_behind(self) && !it.is_late(now()))
    }

    /// Calls who has reserved the value of this number, which is there. `None` where nobody has who gets it next.
    pub(super) fn call_own(&mut self, number: usize, now: Instant) -> Option<Called> {
        if self.reserved.get(&number)?.is_behind(self) {
            return None;
        }
        let reservation = self.reserved.get_mut(&number)?;
        reservation.called.get_or_insert(now);
        let wakers = reservation.waker.take().into_iter().collect();
        Some(Called::new(wakers, reservation.until.is_some()))
    }

    /// Calls those who have waited for who has left the line, where the value is there.
    pub(super) fn call_freed(&mut self, is_there: impl Fn(usize) -> bool) -> Option<Called> {
        let freed = self.reserved.iter().filter(|(_, it)| it.behind.is_some() && !it.is_behind(self));
        let freed: Vec<usize> = freed.map(|(number, _)| *number).collect();
        let (mut wakers, mut holds_up, now) = (Vec::new(), false, now());
        for number in freed {
            let Some(reservation) = self.reserved.get_mut(&number) else { continue };
            reservation.behind = None;
            if is_there(number) {
                reservation.called.get_or_insert(now);
                holds_up |= reservation.until.is_some();
                wakers.extend(reservation.waker.take());
            }
        }
        (!wakers.is_empty()).then(|| Called::new(wakers, holds_up))
    }

    /// When the first of what tasks have reserved ends.
    #[cfg(feature = "tokio")]
    pub(super) fn next_late(&self) -> Option<Instant> {
        self.reserved.values().filter_map(Reservation::ends).min()
    }
}

impl<T> Reserved<'_, T> {
    /// Takes the value, if it is there and nobody gets one first. Else the waker will be woken when it is.
    pub(crate) fn take(&self, waker: &Waker) -> Option<Box<T>> {
        let turnstile = self.turnstile;
        // Dropped behind the lock, as is what was there before.
        let (mut waker, mut before) = (Some(waker.clone()), None);
        let mut line = turnstile.line.lock();
        if !line.reserved.contains_key(&self.number) && self.until.is_none_or(|until| now() < until) {
            // It was called, and did not come.
            before = turnstile.note(&mut line, self.number, self.ticket, self.until);
        }
        let own = line.reserved.get_mut(&self.number).filter(|it| it.ticket == self.ticket)?;
        std::mem::swap(&mut own.waker, &mut waker);
        own.called = None;
        let first = !line.reserved[&self.number].is_behind(&line);
        let value = if first { turnstile.borrow(self.number) } else { None };
        drop(line);
        drop(before);
        value
    }
}

impl<T> Drop for Reserved<'_, T> {
    fn drop(&mut self) {
        let turnstile = self.turnstile;
        if turnstile.is_forked() {
            return;
        }
        let mut line = turnstile.line.lock();
        let own = line.reserved.get(&self.number).is_some_and(|it| it.ticket == self.ticket);
        let gone = own.then(|| line.reserved.remove(&self.number));
        turnstile.say_reserved(&line);
        // The value may be there, and he who waits for any has looked past it.
        let next = turnstile.lead_on(&mut line);
        drop(line);
        drop(gone);
        turnstile.tell(next);
    }
}
