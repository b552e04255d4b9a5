//! Lets threads have a value in turn.
//!
//! Whoever finds the value takes it, for an atomic exchange. Who does not stands in line; the first in line is woken when
//! the value is back. It may be taken again before he is there: to hand the value over to a thread that sleeps would cost
//! every caller of a busy session a switch of threads. But once he has waited for [`PATIENCE`], nobody gets ahead of him.
//!
//! | `wanted` | says | who sees it |
//! |---|---|---|
//! | [`NOBODY`] | nobody waits | |
//! | [`SOMEBODY`] | the first in line sleeps, or is about to | who puts the value back: wakes him |
//! | [`INSISTS`] | and has waited long | who wants the value: stands in line, or leaves what he wanted to him |
//!
//! No wake-up is lost. He who waits says so, and then tries to take the value; who puts it back does so, and then looks
//! whether somebody waits. These four steps have one order for all threads, so one of the two sees the other. Who was
//! seen holds the lock of the door until he sleeps, and is woken under that lock.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use hotcell_shm::Slot;
use parking_lot::{Condvar, Mutex, MutexGuard};

/// A value that one thread at a time has.
#[derive(Debug)]
pub(super) struct Turnstile<T> {
    value: Slot<T>,
    wanted: AtomicU32,
    /// Held by the first in line.
    line: Mutex<()>,
    door: Mutex<()>,
    /// Notified when the value is back.
    back: Condvar,
}

const NOBODY: u32 = 0;
const SOMEBODY: u32 = 1;
const INSISTS: u32 = 2;

/// How long the first in line lets others get ahead of him.
const PATIENCE: Duration = Duration::from_micros(500);

impl<T> Turnstile<T> {
    pub(super) fn new(value: Box<T>) -> Turnstile<T> {
        let (line, door, back) = (Mutex::new(()), Mutex::new(()), Condvar::new());
        Turnstile { value: Slot::new(value), wanted: AtomicU32::new(NOBODY), line, door, back }
    }

    /// Takes the value, if it is there and nobody has waited for it long.
    #[inline]
    pub(super) fn take(&self) -> Option<Box<T>> {
        if self.wanted.load(Ordering::SeqCst) == INSISTS {
            return None;
        }
        self.value.take()
    }

    /// Waits for the value, in line with others who do; without a time, for ever.
    pub(super) fn wait(&self, until: Option<Instant>) -> Option<Box<T>> {
        let line = match until {
            Some(until) => self.line.try_lock_until(until)?,
            None => self.line.lock(),
        };
        let mut door = self.door.lock();
        let insists = Instant::now() + PATIENCE;
        self.wanted.store(SOMEBODY, Ordering::SeqCst);
        let value = loop {
            let value = self.value.take();
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

    /// Puts the value back.
    #[inline]
    pub(super) fn put(&self, value: Box<T>) {
        let before = self.value.put(value);
        debug_assert!(before.is_none(), "a value is put back by who has it");
        if self.wanted.load(Ordering::SeqCst) != NOBODY {
            self.wake();
        }
    }

    /// Puts the value back, for who has said that he waits for it: not even this thread gets ahead of him.
    pub(super) fn put_for_others(&self, value: Box<T>) {
        // Who waits from now on finds the value.
        let _ = self.wanted.compare_exchange(SOMEBODY, INSISTS, Ordering::SeqCst, Ordering::SeqCst);
        self.put(value);
    }

    /// Takes the value, whoever waits.
    pub(super) fn take_mut(&mut self) -> Option<Box<T>> {
        self.value.take_mut()
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

    #[test]
    fn who_waits_gets_the_value_when_it_is_back() {
        let turnstile = Turnstile::new(Box::new(0));
        let value = turnstile.take().expect("nobody has it");
        thread::scope(|scope| {
            let waits = scope.spawn(|| turnstile.wait(None).map(|value| *value));
            turnstile.put(value);
            assert_eq!(waits.join().ok().flatten(), Some(0));
        });
    }

    #[test]
    fn a_time_ends_the_wait() {
        let turnstile = Turnstile::new(Box::new(0));
        let value = turnstile.take().expect("nobody has it");
        let until = Instant::now() + Duration::from_millis(5);
        assert_eq!(turnstile.wait(Some(until)), None);
        assert!(Instant::now() >= until);
        turnstile.put(value);
        assert_eq!(turnstile.take(), Some(Box::new(0)), "nobody insists any more");
    }

    /// A thread that calls without a pause would keep the others out for ever.
    #[test]
    fn nobody_waits_for_ever_beside_a_greedy_thread() {
        let turnstile = Turnstile::new(Box::new(0));
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let (begun, begins) = mpsc::channel();
            let (turnstile, over) = (&turnstile, &over);
            scope.spawn(move || {
                let take =
                    || turnstile.take().or_else(|| turnstile.wait(None)).expect("without a time it comes");
                while !over.load(Ordering::Relaxed) {
                    turnstile.put(take());
                    let _ = begun.send(());
                }
            });
            begins.recv().expect("it has begun");
            for _ in 0..20 {
                let value = turnstile.wait(None).expect("without a time it comes");
                turnstile.put_for_others(value);
            }
            over.store(true, Ordering::Relaxed);
        });
    }

    #[test]
    fn each_turn_is_one_threads() {
        const TIMES: u64 = 2_000;
        let turnstile = Turnstile::new(Box::new(0u64));
        thread::scope(|scope| {
            for thread in 0..4 {
                let turnstile = &turnstile;
                scope.spawn(move || {
                    for time in 0..TIMES {
                        let value = turnstile.take().or_else(|| turnstile.wait(None));
                        let mut value = value.expect("without a time it comes");
                        *value += 1;
                        match (thread + time) % 2 {
                            0 => turnstile.put(value),
                            _ => turnstile.put_for_others(value),
                        }
                    }
                });
            }
        });
        assert_eq!(turnstile.take(), Some(Box::new(4 * TIMES)));
    }
}
