//! Locks with which a forked child can go on: those of the standard library, which know of no thread but by the lock itself.
//!
//! Others keep a list of all threads of the process that wait somewhere, and a child has that list with the threads of its parent, of which
//! nothing is left but memory that new threads get. These have no poison: what a panic leaves is as it was.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::PoisonError;
use std::time::Instant;

/// A lock on a value.
#[derive(Debug, Default)]
pub struct Mutex<T: ?Sized>(std::sync::Mutex<T>);

/// What a [`Mutex`] guards, while it is held. There but while it is waited with.
pub struct MutexGuard<'a, T: ?Sized>(Option<std::sync::MutexGuard<'a, T>>);

impl<T> Mutex<T> {
    /// A lock on this value.
    pub const fn new(value: T) -> Mutex<T> {
        Mutex(std::sync::Mutex::new(value))
    }

    /// The value.
    pub fn into_inner(self) -> T {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits until nobody holds it.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard(Some(self.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Holds it if nobody does.
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        match self.0.try_lock() {
            Ok(guard) => Some(MutexGuard(Some(guard))),
            Err(std::sync::TryLockError::Poisoned(poisoned)) => Some(MutexGuard(Some(poisoned.into_inner()))),
            Err(std::sync::TryLockError::WouldBlock) => None,
        }
    }

    /// The value, which nobody else can reach.
    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

const HELD: &str = "a guard is without its lock within a wait only";

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect(HELD)
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().expect(HELD)
    }
}

impl<T: fmt::Debug + ?Sized> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// Where threads that hold a [`Mutex`] wait for what is behind it to change.
#[derive(Debug, Default)]
pub struct Condvar(std::sync::Condvar);

/// How a wait with a bound ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waited {
    timed_out: bool,
}

impl Condvar {
    /// One where nobody waits.
    pub const fn new() -> Condvar {
        Condvar(std::sync::Condvar::new())
    }

    /// Wakes one.
    pub fn notify_one(&self) {
        self.0.notify_one();
    }

    /// Wakes all.
    pub fn notify_all(&self) {
        self.0.notify_all();
    }

    /// Waits, without the lock. It may end without a reason.
    pub fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        let held = guard.0.take().expect(HELD);
        guard.0 = Some(self.0.wait(held).unwrap_or_else(PoisonError::into_inner));
    }

    /// The same, until then at the latest.
    pub fn wait_until<T>(&self, guard: &mut MutexGuard<'_, T>, until: Instant) -> Waited {
        let left = until.saturating_duration_since(Instant::now());
        let held = guard.0.take().expect(HELD);
        let (held, waited) = self.0.wait_timeout(held, left).unwrap_or_else(PoisonError::into_inner);
        guard.0 = Some(held);
        Waited { timed_out: waited.timed_out() }
    }
}

impl Waited {
    /// Whether the time came.
    pub fn timed_out(self) -> bool {
        self.timed_out
    }
}

/// A lock that several may hold to read.
#[derive(Debug, Default)]
pub struct RwLock<T>(std::sync::RwLock<T>);

impl<T> RwLock<T> {
    /// Waits until nobody writes.
    pub fn read(&self) -> impl Deref<Target = T> + '_ {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until nobody holds it.
    pub fn write(&self) -> impl DerefMut<Target = T> + '_ {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A lock that is waited for with a bound, and can be handed to who waits.
#[derive(Debug, Default)]
pub struct Turn<T> {
    value: Mutex<T>,
    line: Mutex<Line>,
    moved: Condvar,
}

/// Who has a [`Turn`].
#[derive(Debug, Default)]
struct Line {
    is_held: bool,
    /// Whether it is held for whoever waits.
    is_handed: bool,
    waiting: usize,
}

/// What a [`Turn`] guards, while it is held.
#[derive(Debug)]
pub struct TurnGuard<'a, T> {
    turn: &'a Turn<T>,
    /// There until it ends.
    value: Option<MutexGuard<'a, T>>,
    is_handed_on: bool,
}

impl Line {
    /// Whether it is this thread's now, which has waited or not.
    fn take(&mut self, waited: bool) -> bool {
        if self.is_handed && waited {
            self.is_handed = false;
            return true;
        }
        !std::mem::replace(&mut self.is_held, true)
    }
}

impl<T> Turn<T> {
    /// Waits until it is free.
    pub fn lock(&self) -> TurnGuard<'_, T> {
        self.wait(None).expect("without a bound it ends with the lock")
    }

    /// Holds it if it is free.
    pub fn try_lock(&self) -> Option<TurnGuard<'_, T>> {
        let is_taken = self.line.lock().take(false);
        is_taken.then(|| self.held())
    }

    /// Waits until it is free, until then at the latest.
    pub fn try_lock_until(&self, until: Instant) -> Option<TurnGuard<'_, T>> {
        self.wait(Some(until))
    }

    /// The value, which nobody else can reach.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    fn wait(&self, until: Option<Instant>) -> Option<TurnGuard<'_, T>> {
        let mut line = self.line.lock();
        let mut is_taken = line.take(false);
        if !is_taken {
            line.waiting += 1;
            let mut timed_out = false;
            while !is_taken && !timed_out {
                match until {
                    None => self.moved.wait(&mut line),
                    Some(until) => timed_out = self.moved.wait_until(&mut line, until).timed_out(),
                }
                // Also who is out of time: it may have been handed to this thread, and to no other.
                is_taken = line.take(true);
            }
            line.waiting -= 1;
        }
        drop(line);
        is_taken.then(|| self.held())
    }

    fn held(&self) -> TurnGuard<'_, T> {
        TurnGuard { turn: self, value: Some(self.value.lock()), is_handed_on: false }
    }
}

impl<T> TurnGuard<'_, T> {
    /// Gives it to one who waits, if there is one: nobody comes between, nor this thread.
    pub fn unlock_fair(mut self) {
        self.is_handed_on = true;
    }
}

impl<T> Deref for TurnGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().expect(HELD)
    }
}

impl<T> DerefMut for TurnGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().expect(HELD)
    }
}

impl<T> Drop for TurnGuard<'_, T> {
    fn drop(&mut self) {
        // Before anybody else may have it.
        self.value = None;
        let mut line = self.turn.line.lock();
        line.is_handed = self.is_handed_on && line.waiting > 0;
        line.is_held = line.is_handed;
        drop(line);
        self.turn.moved.notify_one();
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_turn_is_one_threads_at_a_time_and_has_a_bound() {
        let turn = Turn::<u32>::default();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..1_000 {
                        let mut value = turn.lock();
                        let before = *value;
                        thread::yield_now();
                        *value = before + 1;
                    }
                });
            }
        });
        let held = turn.lock();
        assert_eq!(*held, 4_000);
        assert!(turn.try_lock().is_none());
        assert!(turn.try_lock_until(Instant::now() + Duration::from_millis(1)).is_none());
        drop(held);
        assert!(turn.try_lock().is_some());
        assert!(turn.try_lock_until(Instant::now()).is_some());
        turn.lock().unlock_fair();
        assert!(turn.try_lock().is_some(), "nobody waited");
    }

    /// Who hands it on does not have it again before who waited.
    #[test]
    fn a_turn_that_is_handed_on_is_that_of_who_waits() {
        let turn = Turn::<Vec<&str>>::default();
        thread::scope(|scope| {
            let held = turn.lock();
            scope.spawn(|| turn.lock().push("waited"));
            while turn.line.lock().waiting == 0 {
                thread::yield_now();
            }
            held.unlock_fair();
            turn.lock().push("handed on");
        });
        assert_eq!(*turn.lock(), ["waited", "handed on"]);
    }

    /// A bound that comes as it is handed on loses nothing.
    #[test]
    fn a_turn_is_not_lost_with_who_waited_too_long() {
        let turn = Turn::<u32>::default();
        let had = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..300 {
                        let until = Instant::now() + Duration::from_micros(50);
                        if let Some(guard) = turn.try_lock_until(until) {
                            had.fetch_add(1, Ordering::Relaxed);
                            thread::sleep(Duration::from_micros(50));
                            guard.unlock_fair();
                        }
                    }
                });
            }
        });
        assert!(had.into_inner() > 0);
        assert!(turn.try_lock().is_some());
    }

    #[test]
    fn a_panic_leaves_a_lock_that_can_be_held() {
        let lock = Mutex::new(1);
        let panicked = thread::scope(|scope| {
            scope
                .spawn(|| {
                    let _held = lock.lock();
                    panic!("on purpose");
                })
                .join()
        });
        assert!(panicked.is_err());
        assert_eq!(lock.try_lock().as_deref().copied(), Some(1));
        assert_eq!(lock.into_inner(), 1);
    }
}
