//! The line before a turnstile: who waits there, first come, first served, threads and tasks alike.
//!
//! A task that waits need not be looked after by anybody: its future may be kept and not polled. So a task that was called when
//! a value was there, and has not come for [`GRACE`], loses its place; it stands in line again when it looks. Who waits behind
//! it finds that out, for everybody looks now and then; but sooner than that the session's watch does.
//!
//! A waker is the application's: it is cloned, woken and dropped without the lock of the line.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::Ordering;
use std::task::Waker;
use std::time::{Duration, Instant};

use super::own::Reservation;
use super::{INSISTS, NOBODY, PATIENCE, RESERVED, SOMEBODY, Turnstile};
use crate::atomics::now;
use crate::session::wake::wake;

/// Who waits.
#[derive(Debug, Default)]
pub(super) struct Line {
    waiting: VecDeque<Waiting>,
    /// Values that are to be somebody's, by their numbers.
    pub(super) reserved: BTreeMap<usize, Reservation>,
    /// How many have ever stood here.
    count: u64,
}

#[derive(Debug)]
struct Waiting {
    number: u64,
    /// Not there once he was woken, until he looks.
    waker: Option<Waker>,
    /// A task, not a thread.
    is_task: bool,
    /// When he has waited long as the first.
    insists: Option<Instant>,
    /// When he was called, as the first, to take a value that was there.
    called: Option<Instant>,
}

/// Who is to be woken, behind the lock.
#[must_use]
pub(super) struct Called {
    wakers: Vec<Waker>,
    /// One is a task, and may hold somebody up.
    holds_up: bool,
}

/// How long who was called may take to come. In a model, where time stands still, he never is late.
pub(super) const GRACE: Duration = Duration::from_millis(10);

/// A place in line. Who lets go of it leaves the line.
#[derive(Debug)]
pub(crate) struct Stand<'a, T> {
    turnstile: &'a Turnstile<T>,
    number: u64,
    is_task: bool,
}

impl<T> Turnstile<T> {
    /// Stands in line, behind all others. [`Stand::take`] says how who waits is woken.
    pub(in super::super) fn stand(&self, is_task: bool) -> Stand<'_, T> {
        let mut line = self.line.lock();
        let number = line.join(is_task);
        // He who is the first looks himself; and before one who was called already, nobody may have stood behind him.
        let first = if line.waiting.len() == 1 { self.lead(&mut line) } else { None };
        let holds_up = line.holds_up();
        drop(line);
        drop(first);
        if holds_up {
            self.expect_late();
        }
        Stand { turnstile: self, number, is_task }
    }

    /// How many stand in line.
    pub(in super::super) fn waiting(&self) -> usize {
        self.line.lock().waiting.len()
    }

    /// Says whether somebody waits, when another has become the first. Comes with who is to be woken, as there is a value.
    fn lead(&self, line: &mut Line) -> Option<Called> {
        let Some(first) = line.waiting.front_mut() else {
            self.say(line, NOBODY);
            return None;
        };
        let now = self::now();
        first.insists = Some(now + PATIENCE);
        self.say(line, SOMEBODY);
        if self.has_one(line) { line.call(now) } else { None }
    }

    /// The same, when somebody has left the line. A value that somebody waits for who came behind him may be there, too.
    fn follow(&self, line: &mut Line) -> Option<Called> {
        let first = self.lead(line);
        let own = line.call_freed(|number| self.values[number].0.is_there());
        Called::of([first, own])
    }

    /// Says whether some are reserved. Who says so holds the line.
    pub(super) fn say_reserved(&self, line: &Line) {
        if line.reserved.is_empty() {
            self.wanted.fetch_and(!RESERVED, Ordering::SeqCst);
        } else {
            self.wanted.fetch_or(RESERVED, Ordering::SeqCst);
        }
    }

    /// Says whether somebody waits. Who says so holds the line.
    fn say(&self, line: &Line, wanted: u32) {
        let reserved = if line.reserved.is_empty() { 0 } else { RESERVED };
        self.wanted.store(wanted | reserved, Ordering::SeqCst);
    }

    /// Calls the first in line, if there is a value for him.
    pub(super) fn lead_on(&self, line: &mut Line) -> Option<Called> {
        if self.has_one(line) { line.call(now()) } else { None }
    }

    /// Wakes who has reserved the value of this number, which is back, or else the first in line.
    #[cold]
    pub(super) fn call_first(&self, number: usize) {
        let called = {
            let mut line = self.line.lock();
            let now = self::now();
            let late = self.end_late(&mut line, now);
            let called = line.call_own(number, now).or_else(|| {
                let first = line.waiting.front_mut()?;
                if first.insists.is_some_and(|insists| now >= insists) {
                    self.say(&line, INSISTS);
                }
                line.call(now)
            });
            drop(line);
            drop(late);
            called
        };
        self.tell(called);
    }

    /// Wakes who is called.
    pub(super) fn tell(&self, called: Option<Called>) {
        let Some(Called { wakers, holds_up }) = called else { return };
        if holds_up {
            self.expect_late();
        }
        wakers.into_iter().for_each(wake);
    }

    /// A task was called, and somebody stands behind it: if it does not come, that is found out.
    fn expect_late(&self) {
        #[cfg(feature = "tokio")]
        self.watch.look_at(hotcell_shm::clock::now() + GRACE.as_nanos() as u64);
    }

    /// Lets go of the first in line if it was called, and has not come, and of what was reserved so. Comes with when to do so
    /// again, if others were called.
    #[cfg(feature = "tokio")]
    pub(in super::super) fn let_go_of_late(&self) -> Option<Instant> {
        let mut line = self.line.lock();
        let now = self::now();
        let ended = self.end_late(&mut line, now);
        let mut late = None;
        if line.waiting.len() > 1 && self.has_one(&line) {
            late = line.waiting.pop_front_if(|first| first.is_late(now));
        }
        let next = if late.is_some() {
            self.follow(&mut line)
        } else if ended.is_empty() {
            None
        } else {
            self.lead_on(&mut line)
        };
        let again = (line.holds_up() && self.has_one(&line)).then(|| now + GRACE);
        let again = again.into_iter().chain(line.next_late()).min();
        drop(line);
        drop((late, ended));
        self.tell(next);
        again
    }
}

impl Line {
    pub(super) fn next(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    fn join(&mut self, is_task: bool) -> u64 {
        let number = self.next();
        self.waiting.push_back(Waiting { number, waker: None, is_task, insists: None, called: None });
        number
    }

    /// Where somebody stands: numbers grow towards the end.
    pub(super) fn place(&self, number: u64) -> Option<usize> {
        self.waiting.binary_search_by_key(&number, |waiting| waiting.number).ok()
    }

    /// Calls the first.
    fn call(&mut self, now: Instant) -> Option<Called> {
        let first = self.waiting.front_mut()?;
        first.called.get_or_insert(now);
        let wakers = first.waker.take().into_iter().collect();
        Some(Called { wakers, holds_up: self.holds_up() })
    }

    /// The number of the first.
    pub(super) fn first(&self) -> Option<u64> {
        self.waiting.front().map(|first| first.number)
    }

    /// Whether the first is a task that was called, and somebody stands behind it.
    fn holds_up(&self) -> bool {
        self.waiting.len() > 1
            && self.waiting.front().is_some_and(|first| first.is_task && first.called.is_some())
    }
}

impl Called {
    /// Of these, all.
    fn of(all: [Option<Called>; 2]) -> Option<Called> {
        all.into_iter().flatten().reduce(|mut all, other| {
            all.wakers.extend(other.wakers);
            Called { holds_up: all.holds_up || other.holds_up, ..all }
        })
    }

    pub(super) fn new(wakers: Vec<Waker>, holds_up: bool) -> Called {
        Called { wakers, holds_up }
    }
}

impl Waiting {
    fn is_late(&mut self, now: Instant) -> bool {
        self.is_task && self.called.is_some_and(|called| now >= called + GRACE)
    }
}

impl<T> Stand<'_, T> {
    /// Takes a value, if one is there and this is the first in line. Else the waker will be woken when it is.
    pub(crate) fn take(&mut self, waker: &Waker) -> Option<Box<T>> {
        let turnstile = self.turnstile;
        // Dropped behind the lock, as is what was there before.
        let mut waker = Some(waker.clone());
        let mut late = None;
        let mut line = turnstile.line.lock();
        let place = line.place(self.number).unwrap_or_else(|| {
            // It was called, and did not come.
            self.number = line.join(self.is_task);
            line.waiting.len() - 1
        });
        // Whoever stands behind a task that was called, be it anew, has it looked after.
        let holds_up = place > 0 && line.holds_up();
        std::mem::swap(&mut line.waiting[place].waker, &mut waker);
        if place > 0 {
            let now = self::now();
            if turnstile.has_one(&line) {
                late = line.waiting.pop_front_if(|first| first.is_late(now));
            }
            let next = if late.is_some() { turnstile.follow(&mut line) } else { None };
            drop(line);
            if holds_up && late.is_none() {
                turnstile.expect_late();
            }
            turnstile.tell(next);
            return None;
        }
        if line.waiting[0].insists.is_none() {
            // He looks himself.
            let first = turnstile.lead(&mut line);
            let own = first.and_then(|mut called| called.wakers.pop());
            line.waiting[0].waker = own.or(line.waiting[0].waker.take());
        }
        let value = turnstile.find_unreserved(&line);
        if value.is_none() {
            // Somebody got ahead of him.
            line.waiting[0].called = None;
            return None;
        }
        let own = line.waiting.pop_front();
        let next = turnstile.follow(&mut line);
        drop(line);
        drop((own, late));
        turnstile.tell(next);
        value
    }
}

impl<T> Drop for Stand<'_, T> {
    fn drop(&mut self) {
        if self.turnstile.is_forked() {
            return;
        }
        let mut line = self.turnstile.line.lock();
        let place = line.place(self.number);
        let gone = place.and_then(|place| line.waiting.remove(place));
        // He may have been called: the next one is called instead.
        let next = if place == Some(0) { self.turnstile.follow(&mut line) } else { None };
        drop(line);
        drop(gone);
        self.turnstile.tell(next);
    }
}
