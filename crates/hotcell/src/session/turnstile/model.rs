//! Turns in every interleaving, by loom (`cargo dev loom`): a thread that sleeps for ever is a deadlock, which loom reports.

use std::task::{Wake, Waker};

use loom::sync::Arc;
use loom::thread::{self, Thread};

use super::*;

/// Wakes a thread of the model.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.unpark();
    }
}

fn waker() -> Waker {
    Waker::from(std::sync::Arc::new(Unpark(thread::current())))
}

/// Waits for the value, as [`Turnstile::wait`] does, but without a time.
fn wait(turnstile: &Turnstile<u32>) -> Box<u32> {
    let waker = waker();
    let mut stand = turnstile.stand(false);
    loop {
        if let Some(value) = stand.take(&waker) {
            return value;
        }
        thread::park();
    }
}

/// Has the value for a moment.
fn pass(turnstile: &Turnstile<u32>, put: fn(&Turnstile<u32>, usize, Box<u32>)) {
    let mut value = turnstile.take().unwrap_or_else(|| wait(turnstile));
    *value += 1;
    put(turnstile, 0, value);
}

fn explore(model: impl Fn(Arc<Turnstile<u32>>) + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(move || model(Arc::new(Turnstile::new([Box::new(0)].into_iter()))));
}

/// Three threads want one value: each gets it, and nobody has it at the same time.
#[test]
fn no_wake_up_is_lost() {
    explore(|turnstile| {
        let puts = [Turnstile::put, Turnstile::put_for_others];
        let others = puts.map(|put| {
            let turnstile = Arc::clone(&turnstile);
            thread::spawn(move || pass(&turnstile, put))
        });
        pass(&turnstile, Turnstile::put);
        for other in others {
            other.join().expect("no thread of the model panics");
        }
        assert_eq!(turnstile.take(), Some(Box::new(3)));
    });
}

/// Who leaves the line may have been called just then: who stands behind him gets the value.
#[test]
fn who_leaves_the_line_takes_no_call_along() {
    explore(|turnstile| {
        let value = turnstile.take().expect("nobody has it yet");
        let leaves = Arc::clone(&turnstile);
        let leaves = thread::spawn(move || {
            let waker = waker();
            let mut stand = leaves.stand(true);
            let value = stand.take(&waker);
            drop(stand);
            value.into_iter().for_each(|value| leaves.put(0, value));
        });
        let waits = Arc::clone(&turnstile);
        let waits = thread::spawn(move || {
            let value = wait(&waits);
            waits.put(0, value);
        });
        turnstile.put(0, value);
        for thread in [leaves, waits] {
            thread.join().expect("no thread of the model panics");
        }
        assert!(turnstile.take().is_some(), "nobody insists any more");
    });
}

/// Of two values one is wanted by its number, and any by somebody else: whatever comes back when, both get one.
#[test]
fn who_waits_for_his_own_value_and_who_waits_for_any_get_one() {
    for put in [Turnstile::put, Turnstile::put_for_others] {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(3);
        builder.check(move || {
            // All threads of all runs share it.
            LAST.set((0, 0));
            let turnstile = Arc::new(Turnstile::new([Box::new(0), Box::new(1)].into_iter()));
            let [_first, second] = [0, 1].map(|_| turnstile.take().expect("nobody has it yet"));
            let number = *second as usize;
            let own = Arc::clone(&turnstile);
            let own = thread::spawn(move || {
                let (waker, reserved) = (waker(), own.reserve(number, None));
                let value = loop {
                    match reserved.take(&waker) {
                        Some(value) => break value,
                        None => thread::park(),
                    }
                };
                drop(reserved);
                put(&own, number, value);
            });
            let any = Arc::clone(&turnstile);
            let any = thread::spawn(move || {
                let value = any.take().unwrap_or_else(|| wait(&any));
                any.put(number, value);
            });
            put(&turnstile, number, second);
            for thread in [own, any] {
                thread.join().expect("no thread of the model panics");
            }
            assert!(turnstile.take().is_some(), "nothing is reserved any more");
        });
    }
}
