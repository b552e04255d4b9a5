//! The line before a turnstile: who waits there, first come, first served, threads and tasks alike.
//!
//! A task that waits need not be looked after by anybody: its future may be kept and not polled. So a task that was called when
//! a value was there, and has not come for [`GRACE`], loses its place; it stands in line again when it looks. Who waits behind
//! it finds that out, for everybody looks now and then.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use super::{INSISTS, NOBODY, PATIENCE, SOMEBODY, Turnstile};

/// Who waits.
#[derive(Debug, Default)]
pub(super) struct Line {
    waiting: VecDeque<Waiting>,
    /// How many have ever stood here.
    count: u64,
}

#[derive(Debug)]
struct Waiting {
    number: u64,
    waker: Waker,
    /// A task, not a thread.
    is_task: bool,
    /// When he has waited long as the first.
    insists: Option<Instant>,
    /// When he was called, as the first, to take a value that was there.
    called: Option<Instant>,
}

/// How long who was called may take to come.
const GRACE: Duration = Duration::from_millis(10);

/// After how long who waits looks again, though nobody called him: the first time, and at most.
const AGAIN: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// A place in line. Who lets go of it leaves the line.
#[derive(Debug)]
pub(crate) struct Stand<'a, T> {
    turnstile: &'a Turnstile<T>,
    number: u64,
    is_task: bool,
    /// When he looks again, and after how long he did so last.
    again: Option<(Instant, Duration)>,
}

impl<T> Turnstile<T> {
    /// Stands in line, behind all others.
    pub(in super::super) fn stand(&self, waker: &Waker, is_task: bool) -> Stand<'_, T> {
        let mut line = self.line.lock();
        let number = line.join(waker, is_task);
        if line.waiting.len() == 1 {
            // He looks himself.
            let _ = self.lead(&mut line);
        }
        Stand { turnstile: self, number, is_task, again: None }
    }

    /// Says whether somebody waits, when another has become the first. Comes with who is to be woken, as there is a value.
    #[must_use]
    fn lead(&self, line: &mut Line) -> Option<Waker> {
        let Some(first) = line.waiting.front_mut() else {
            self.wanted.store(NOBODY, Ordering::SeqCst);
            return None;
        };
        let now = Instant::now();
        first.insists = Some(now + PATIENCE);
        self.wanted.store(SOMEBODY, Ordering::SeqCst);
        self.has_one().then(|| first.call(now))
    }

    /// Wakes the first in line: a value is back.
    #[cold]
    pub(super) fn call_first(&self) {
        let waker = {
            let mut line = self.line.lock();
            let now = Instant::now();
            let Some(first) = line.waiting.front_mut() else { return };
            if first.insists.is_some_and(|insists| now >= insists) {
                self.wanted.store(INSISTS, Ordering::SeqCst);
            }
            first.call(now)
        };
        // Behind the lock, here and elsewhere: a waker is the application's.
        waker.wake();
    }
}

impl Line {
    fn join(&mut self, waker: &Waker, is_task: bool) -> u64 {
        self.count += 1;
        let (number, waker) = (self.count, waker.clone());
        self.waiting.push_back(Waiting { number, waker, is_task, insists: None, called: None });
        number
    }

    /// Where somebody stands: numbers grow towards the end.
    fn place(&self, number: u64) -> Option<usize> {
        self.waiting.binary_search_by_key(&number, |waiting| waiting.number).ok()
    }
}

impl Waiting {
    fn call(&mut self, now: Instant) -> Waker {
        self.called.get_or_insert(now);
        self.waker.clone()
    }

    fn is_late(&mut self, now: Instant) -> bool {
        self.is_task && self.called.is_some_and(|called| now >= called + GRACE)
    }
}

impl<T> Stand<'_, T> {
    /// Takes a value, if one is there and this is the first in line. Else the waker will be woken when it is.
    pub(crate) fn take(&mut self, waker: &Waker) -> Option<Box<T>> {
        let turnstile = self.turnstile;
        let mut line = turnstile.line.lock();
        let place = line.place(self.number).unwrap_or_else(|| {
            // It was called, and did not come.
            self.number = line.join(waker, self.is_task);
            line.waiting.len() - 1
        });
        line.waiting[place].waker.clone_from(waker);
        let now = Instant::now();
        if place > 0 && turnstile.has_one() && line.waiting.pop_front_if(|first| first.is_late(now)).is_some()
        {
            let next = turnstile.lead(&mut line);
            drop(line);
            next.into_iter().for_each(Waker::wake);
            return None;
        }
        if place > 0 {
            return None;
        }
        if line.waiting[0].insists.is_none() {
            let _ = turnstile.lead(&mut line);
        }
        let value = turnstile.find();
        if value.is_none() {
            // Somebody got ahead of him.
            line.waiting[0].called = None;
            return None;
        }
        let own = line.waiting.pop_front();
        let next = turnstile.lead(&mut line);
        drop(line);
        drop(own);
        next.into_iter().for_each(Waker::wake);
        value
    }

    /// When to look again, called or not.
    pub(crate) fn looks_again(&mut self, now: Instant) -> Instant {
        let (at, after) = self.again.unwrap_or((now + AGAIN.0, AGAIN.0));
        let next = if now < at { (at, after) } else { (now + after * 2, (after * 2).min(AGAIN.1)) };
        self.again = Some(next);
        next.0
    }
}

impl<T> Drop for Stand<'_, T> {
    fn drop(&mut self) {
        let mut line = self.turnstile.line.lock();
        let place = line.place(self.number);
        let gone = place.and_then(|place| line.waiting.remove(place));
        // He may have been called: the next one is called instead.
        let next = if place == Some(0) { self.turnstile.lead(&mut line) } else { None };
        drop(line);
        drop(gone);
        next.into_iter().for_each(Waker::wake);
    }
}

/// Unparks a thread.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

pub(super) fn waker_of_this_thread() -> Waker {
    thread_local!(static OWN: Waker = Waker::from(Arc::new(Unpark(thread::current()))));
    // While the thread ends it makes do without.
    OWN.try_with(Waker::clone).unwrap_or_else(|_| Waker::from(Arc::new(Unpark(thread::current()))))
}
