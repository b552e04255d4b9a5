//! Lets threads have one of a few values in turn.
//!
//! Whoever finds a value takes it, for an atomic exchange. Who does not stands in line; the first in line is woken when
//! one is back. It may be taken again before he is there: to hand the value over to a thread that sleeps would cost
//! every caller of a busy session a switch of threads. But once he has waited for [`PATIENCE`], nobody gets ahead of him.
//!
//! | `wanted` | says | who sees it |
//! |---|---|---|
//! | [`NOBODY`] | nobody waits | |
//! | [`SOMEBODY`] | the first in line sleeps, or is about to | who puts a value back: wakes him |
//! | [`INSISTS`] | and has waited long | who wants a value: stands in line, or leaves what he wanted to him |
//!
//! A thread looks first where it found its last value: threads that do not get in each other's way keep to their own.
//!
//! No wake-up is lost. He who waits says so, and then tries to take a value; who puts one back does so, and then looks
//! whether somebody waits. These four steps have one order for all threads, so one of the two sees the other. Who was
//! seen holds the lock of the door until he sleeps, and is woken under that lock.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use hotcell_shm::Slot;
use parking_lot::{Condvar, Mutex, MutexGuard};

/// Values that one thread each has at a time.
#[derive(Debug)]
pub(super) struct Turnstile<T> {
    values: Box<[Place<T>]>,
    wanted: AtomicU32,
    /// Held by the first in line.
    line: Mutex<()>,
    door: Mutex<()>,
    /// Notified when a value is back.
    back: Condvar,
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

/// How long the first in line lets others get ahead of him.
const PATIENCE: Duration = Duration::from_micros(500);

impl<T> Turnstile<T> {
    /// Of these values, at least one; they are known by their numbers from now on.
    pub(super) fn new(values: impl Iterator<Item = Box<T>>) -> Turnstile<T> {
        let values = values.map(|value| Place(Slot::new(value))).collect();
        let (line, door, back) = (Mutex::new(()), Mutex::new(()), Condvar::new());
        Turnstile { values, wanted: AtomicU32::new(NOBODY), line, door, back }
    }

    /// How many there are.
    #[inline]
    pub(super) fn count(&self) -> usize {
        self.values.len()
    }

    /// Takes a value, if one is there and nobody has waited for it long.
    #[inline]
    pub(super) fn take(&self) -> Option<Box<T>> {
        if self.wanted.load(Ordering::SeqCst) == INSISTS {
            return None;
        }
        self.find()
    }

    #[inline]
    fn find(&self) -> Option<Box<T>> {
        match &*self.values {
            [only] => only.0.take(),
            values => Self::find_among(values),
        }
    }

    fn find_among(values: &[Place<T>]) -> Option<Box<T>> {
        let here = values.as_ptr().addr();
        let last = match LAST.get() {
            (there, number) if there == here => number % values.len(),
            _ => 0,
        };
        let order = (last..values.len()).chain(0..last);
        let mut found = order.filter_map(|number| Some((number, values[number].0.take()?)));
        let (number, value) = found.next()?;
        LAST.set((here, number));
        Some(value)
    }

    /// Takes the value of this number, whoever waits, if it is there. It is to be put back soon.
    pub(super) fn borrow(&self, number: usize) -> Option<Box<T>> {
        self.values[number].0.take()
    }

    /// Waits for a value, in line with others who do; without a time, for ever.
    pub(super) fn wait(&self, until: Option<Instant>) -> Option<Box<T>> {
        let line = match until {
            Some(until) => self.line.try_lock_until(until)?,
            None => self.line.lock(),
        };
        let mut door = self.door.lock();
        let insists = Instant::now() + PATIENCE;
        self.wanted.store(SOMEBODY, Ordering::SeqCst);
        let value = loop {
            let value = self.find();
            let now = Instant::now();
            if value.is_some() || until.is_some_and(|until| now >= until) {
                break value;
            }
            let mut next = until;
            if now >= insists {
                self.wanted.store(INSISTS, Ordering::SeqCst);
            } else {
                next = Some(until.map_or(insists, |until| until.min(insists)));
            }
            match next {
                Some(next) => _ = self.back.wait_until(&mut door, next),
                None => self.back.wait(&mut door),
            }
        };
        self.wanted.store(NOBODY, Ordering::SeqCst);
        drop(door);
        MutexGuard::unlock_fair(line);
        value
    }

    /// Puts the value of this number back.
    #[inline]
    pub(super) fn put(&self, number: usize, value: Box<T>) {
        let before = self.values[number].0.put(value);
        debug_assert!(before.is_none(), "a value is put back by who has it");
        if self.wanted.load(Ordering::SeqCst) != NOBODY {
            self.wake();
        }
    }

    /// Puts the value back, for who has said that he waits for one: not even this thread gets ahead of him.
    pub(super) fn put_for_others(&self, number: usize, value: Box<T>) {
        // Who waits from now on finds the value.
        let _ = self.wanted.compare_exchange(SOMEBODY, INSISTS, Ordering::SeqCst, Ordering::SeqCst);
        self.put(number, value);
    }

    /// Takes all values, whoever waits.
    pub(super) fn take_mut(&mut self) -> impl Iterator<Item = Box<T>> {
        self.values.iter_mut().filter_map(|place| place.0.take_mut())
    }

    #[cold]
    fn wake(&self) {
        let _door = self.door.lock();
        self.back.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    fn turnstile<T>(value: T) -> Turnstile<T> {
        Turnstile::new([Box::new(value)].into_iter())
    }

    #[test]
    fn who_waits_gets_the_value_when_it_is_back() {
        let turnstile = turnstile(0);
        let value = turnstile.take().expect("nobody has it");
        thread::scope(|scope| {
            let waits = scope.spawn(|| turnstile.wait(None).map(|value| *value));
            turnstile.put(0, value);
            assert_eq!(waits.join().ok().flatten(), Some(0));
        });
    }

    #[test]
    fn a_time_ends_the_wait() {
        let turnstile = turnstile(0);
        let value = turnstile.take().expect("nobody has it");
        let until = Instant::now() + Duration::from_millis(5);
        assert_eq!(turnstile.wait(Some(until)), None);
        assert!(Instant::now() >= until);
        turnstile.put(0, value);
        assert_eq!(turnstile.take(), Some(Box::new(0)), "nobody insists any more");
    }

    /// A thread that calls without a pause would keep the others out for ever.
    #[test]
    fn nobody_waits_for_ever_beside_a_greedy_thread() {
        let turnstile = turnstile(0);
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let (begun, begins) = mpsc::channel();
            let (turnstile, over) = (&turnstile, &over);
            scope.spawn(move || {
                let take =
                    || turnstile.take().or_else(|| turnstile.wait(None)).expect("without a time it comes");
                while !over.load(Ordering::Relaxed) {
                    turnstile.put(0, take());
                    let _ = begun.send(());
                }
            });
            begins.recv().expect("it has begun");
            for _ in 0..20 {
                let value = turnstile.wait(None).expect("without a time it comes");
                turnstile.put_for_others(0, value);
            }
            over.store(true, Ordering::Relaxed);
        });
    }

    #[test]
    fn each_turn_is_one_threads() {
        const TIMES: u64 = 2_000;
        let turnstile = turnstile(0u64);
        thread::scope(|scope| {
            for thread in 0..4 {
                let turnstile = &turnstile;
                scope.spawn(move || {
                    for time in 0..TIMES {
                        let value = turnstile.take().or_else(|| turnstile.wait(None));
                        let mut value = value.expect("without a time it comes");
                        *value += 1;
                        match (thread + time) % 2 {
                            0 => turnstile.put(0, value),
                            _ => turnstile.put_for_others(0, value),
                        }
                    }
                });
            }
        });
        assert_eq!(turnstile.take(), Some(Box::new(4 * TIMES)));
    }

    #[test]
    fn as_many_threads_as_there_are_values_have_one_each() {
        const TIMES: u64 = 2_000;
        let turnstile = Turnstile::new((0..3).map(|number| Box::new((number, 0u64))));
        let inside = AtomicU32::new(0);
        let most = AtomicU32::new(0);
        thread::scope(|scope| {
            for _ in 0..5 {
                scope.spawn(|| {
                    for _ in 0..TIMES {
                        let value = turnstile.take().or_else(|| turnstile.wait(None));
                        let mut value = value.expect("without a time it comes");
                        most.fetch_max(inside.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                        value.1 += 1;
                        thread::yield_now();
                        inside.fetch_sub(1, Ordering::Relaxed);
                        turnstile.put(value.0, value);
                    }
                });
            }
        });
        let mut turnstile = turnstile;
        let (numbers, times): (Vec<_>, Vec<_>) = turnstile.take_mut().map(|value| *value).unzip();
        assert_eq!((numbers, times.into_iter().sum::<u64>()), (vec![0, 1, 2], 5 * TIMES));
        assert!((2..=3).contains(&most.into_inner()), "several at a time, but no more than there are");
    }

    #[test]
    fn a_thread_keeps_to_the_value_that_it_had() {
        let turnstile = Turnstile::new((0..3).map(Box::new));
        let first = turnstile.take().expect("nobody has it");
        let second = turnstile.take().expect("nobody has it");
        turnstile.put(*first, first);
        let number = *second;
        turnstile.put(number, second);
        assert_eq!(turnstile.take(), Some(Box::new(number)));
    }
}
