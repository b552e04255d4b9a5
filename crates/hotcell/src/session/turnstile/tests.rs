//! Who gets a value when.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use super::*;
use crate::session::Cancel;

/// The time of a call that is longer than any test.
fn long() -> Instant {
    Instant::now() + Duration::from_secs(600)
}

fn turnstile<T>(value: T) -> Turnstile<T> {
    Turnstile::new([Box::new(value)].into_iter())
}

#[test]
fn who_waits_gets_the_value_when_it_is_back() {
    let turnstile = turnstile(0);
    let value = turnstile.take().expect("nobody has it");
    thread::scope(|scope| {
        let waits = scope.spawn(|| turnstile.wait(None, || ()).map(|value| *value));
        turnstile.put(0, value);
        assert_eq!(waits.join().ok().flatten(), Some(0));
    });
}

#[test]
fn who_has_waited_longest_is_next() {
    let turnstile = turnstile(Vec::new());
    let value = turnstile.take().expect("nobody has it");
    thread::scope(|scope| {
        for number in 0..8 {
            let turnstile = &turnstile;
            scope.spawn(move || {
                let mut value = turnstile.wait(None, || ()).expect("without a time it comes");
                value.push(number);
                turnstile.put(0, value);
            });
            while turnstile.waiting() <= number {
                thread::yield_now();
            }
        }
        turnstile.put(0, value);
    });
    assert_eq!(turnstile.take(), Some(Box::new((0..8).collect())));
}

#[test]
fn who_gives_up_leaves_the_line() {
    let turnstile = turnstile(0);
    let value = turnstile.take().expect("nobody has it");
    let asked = Arc::new(AtomicU32::new(0));
    let theirs = Arc::clone(&asked);
    let plain = Cancel::new();
    let asking = Cancel::asking(move || theirs.fetch_add(1, Ordering::Relaxed) >= 3);
    for cancel in [&plain, &asking] {
        thread::scope(|scope| {
            let waits = scope.spawn(|| turnstile.wait(Until::given_up(long(), Some(cancel)), || ()));
            while turnstile.waiting() == 0 {
                thread::yield_now();
            }
            plain.cancel();
            assert_eq!(waits.join().ok(), Some(None));
        });
        assert_eq!(turnstile.waiting(), 0);
    }
    assert!(asking.is_cancelled() && asked.load(Ordering::Relaxed) == 4, "it is not asked any more");
    turnstile.put(0, value);
    assert_eq!(turnstile.take(), Some(Box::new(0)), "nobody insists any more");
}

/// What is asked waits for the value itself, on the thread that stands in line, and so does another thread behind it.
#[test]
fn who_asks_somebody_lets_others_go_first() {
    let turnstile = Arc::new(turnstile(0));
    let value = turnstile.take().expect("nobody has it");
    let (asked, (begun, begins)) = (AtomicBool::new(false), mpsc::channel());
    let theirs = Arc::clone(&turnstile);
    let asks = move || {
        if !asked.swap(true, Ordering::Relaxed) {
            begun.send(()).expect("the test waits");
            let value = theirs.wait(Some(long()), || ());
            theirs.put(0, value.expect("nobody has it, and who asks does not come"));
        }
        false
    };
    let cancel = Cancel::asking(asks);
    thread::scope(|scope| {
        let waits = scope.spawn(|| turnstile.wait(Until::given_up(long(), Some(&cancel)), || ()));
        begins.recv().expect("it is asked");
        while turnstile.waiting() < 2 {
            thread::yield_now();
        }
        let third = scope.spawn(|| turnstile.wait(Some(long()), || ()).map(|value| turnstile.put(0, value)));
        while turnstile.waiting() < 3 {
            thread::yield_now();
        }
        turnstile.put(0, value);
        assert_eq!(third.join().ok(), Some(Some(())));
        assert_eq!(waits.join().ok(), Some(Some(Box::new(0))));
    });
    assert_eq!(turnstile.waiting(), 0);
}

#[test]
fn a_time_ends_the_wait() {
    let turnstile = turnstile(0);
    let value = turnstile.take().expect("nobody has it");
    let until = Instant::now() + Duration::from_millis(5);
    assert_eq!(turnstile.wait(Some(until), || ()), None);
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
                || turnstile.take().or_else(|| turnstile.wait(None, || ())).expect("without a time it comes");
            while !over.load(Ordering::Relaxed) {
                turnstile.put(0, take());
                let _ = begun.send(());
            }
        });
        begins.recv().expect("it has begun");
        for _ in 0..20 {
            let value = turnstile.wait(None, || ()).expect("without a time it comes");
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
                    let value = turnstile.take().or_else(|| turnstile.wait(None, || ()));
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
                    let value = turnstile.take().or_else(|| turnstile.wait(None, || ()));
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

#[test]
fn a_task_that_is_called_and_does_not_come_stands_behind_the_others_again() {
    let waker = std::task::Waker::noop();
    let turnstile = turnstile(7);
    let value = turnstile.take().expect("nobody has it");
    let (mut first, mut second) = (turnstile.stand(true), turnstile.stand(true));
    assert_eq!((first.take(waker), second.take(waker)), (None, None));
    turnstile.put(0, value);
    // Nobody looks after the first.
    let value = loop {
        match second.take(waker) {
            Some(value) => break value,
            None => thread::yield_now(),
        }
    };
    let mut third = turnstile.stand(true);
    assert_eq!((first.take(waker), third.take(waker)), (None, None));
    turnstile.put(0, value);
    assert_eq!(first.take(waker), None, "the third came before it came again");
    let value = third.take(waker).expect("it is the first now");
    turnstile.put(0, value);
    assert_eq!(first.take(waker), Some(Box::new(7)));
}

#[test]
fn a_task_that_leaves_the_line_leaves_its_call_to_the_next() {
    let woken = std::sync::Arc::new(Count::default());
    let waker = std::task::Waker::from(std::sync::Arc::clone(&woken));
    let turnstile = turnstile(7);
    let value = turnstile.take().expect("nobody has it");
    let first = turnstile.stand(true);
    let mut second = turnstile.stand(true);
    assert_eq!(second.take(&waker), None);
    turnstile.put(0, value);
    assert_eq!(woken.0.load(Ordering::Relaxed), 0);
    drop(first);
    assert_eq!(woken.0.load(Ordering::Relaxed), 1);
    assert_eq!(second.take(&waker), Some(Box::new(7)));
    drop(second);
    assert_eq!(turnstile.wanted.load(Ordering::Relaxed), NOBODY);
}

#[derive(Default)]
struct Count(AtomicU32);

impl std::task::Wake for Count {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_value_that_is_reserved_is_nobody_elses() {
    let turnstile = Turnstile::new([Box::new(0), Box::new(1)].into_iter());
    let [first, second] = [0, 1].map(|_| turnstile.take().expect("two are there"));
    thread::scope(|scope| {
        let (waits, any) = (mpsc::channel(), mpsc::channel());
        let turnstile = &turnstile;
        scope.spawn(move || {
            let own = turnstile.wait_for_own(1, None, || ()).expect("without a time it comes");
            waits.0.send(*own).expect("somebody listens");
            turnstile.put(1, own);
        });
        while turnstile.wanted.load(Ordering::SeqCst) & RESERVED == 0 {
            thread::yield_now();
        }
        scope.spawn(move || {
            let value = turnstile.wait(None, || ()).expect("without a time it comes");
            any.0.send(*value).expect("somebody listens");
            turnstile.put(*value as usize, value);
        });
        while turnstile.wanted.load(Ordering::SeqCst) & SOMEBODY == 0 {
            thread::yield_now();
        }
        turnstile.put_for_others(*second as usize, second);
        assert_eq!(waits.1.recv(), Ok(1), "it goes to who has reserved it");
        // What is reserved no more is anybody's.
        assert_eq!(any.1.recv(), Ok(1));
        turnstile.put(*first as usize, first);
    });
    assert_eq!(turnstile.wanted.load(Ordering::SeqCst), NOBODY);
    // Others look past what is reserved, though it is there.
    let reserved = turnstile.reserve(0, None);
    assert_eq!(turnstile.take(), Some(Box::new(1)));
    assert_eq!(turnstile.take(), None);
    let until = Instant::now() + Duration::from_millis(5);
    assert_eq!(turnstile.wait(Some(until), || ()), None);
    assert_eq!(reserved.take(&looks::waker_of_this_thread()), Some(Box::new(0)));
    drop(reserved);
    assert_eq!(turnstile.take(), None, "both are taken");
}

#[test]
fn what_a_task_has_reserved_and_does_not_come_for_is_taken_by_others() {
    let turnstile = Turnstile::new([Box::new(0), Box::new(1)].into_iter());
    let [first, second] = [0, 1].map(|_| turnstile.take().expect("two are there"));
    let reserved = turnstile.reserve(*second as usize, Some(long()));
    assert_eq!(reserved.take(&looks::waker_of_this_thread()), None);
    turnstile.put(*second as usize, second);
    let value = turnstile.wait(None, || ()).expect("the task does not come");
    assert_eq!(reserved.take(&looks::waker_of_this_thread()), None);
    turnstile.put(*value as usize, value);
    assert!(reserved.take(&looks::waker_of_this_thread()).is_some(), "now it is there");
    drop(first);
}

/// Where a task does not come for what it has reserved, others are called as if it had not; and who comes to the value without
/// waiting takes it past the line.
#[test]
fn what_nobody_comes_for_calls_who_waits() {
    let turnstile = Turnstile::new([Box::new(0), Box::new(1)].into_iter());
    let [_first, second] = [0, 1].map(|_| turnstile.take().expect("two are there"));
    let number = *second as usize;
    let reserved = turnstile.reserve(number, Some(long()));
    let woken = std::sync::Arc::new(Count::default());
    let mut waits = turnstile.stand(false);
    assert_eq!(waits.take(&std::task::Waker::from(std::sync::Arc::clone(&woken))), None);
    turnstile.put(number, second);
    assert_eq!(woken.0.load(Ordering::Relaxed), 0, "it is the task's");
    // Others come by, as the line has not insisted yet.
    let second = loop {
        match turnstile.take() {
            Some(value) => break value,
            None => thread::yield_now(),
        }
    };
    turnstile.put(number, second);
    assert_eq!(woken.0.load(Ordering::Relaxed), 1);
    assert_eq!(turnstile.wanted.load(Ordering::SeqCst) & RESERVED, 0, "it costs nobody a lock any more");
    assert!(waits.take(std::task::Waker::noop()).is_some());
    // Nor does one whose time is over, and who is kept and not looked after.
    let over = turnstile.reserve(number, Some(Instant::now()));
    assert_eq!(turnstile.take(), None);
    assert_eq!(turnstile.wanted.load(Ordering::SeqCst), NOBODY);
    drop((reserved, over));
}

#[test]
fn who_reserves_a_value_when_somebody_insists_comes_behind_him() {
    let turnstile = Turnstile::new([Box::new(0), Box::new(1)].into_iter());
    let [_first, second] = [0, 1].map(|_| turnstile.take().expect("two are there"));
    let number = *second as usize;
    let woken = std::sync::Arc::new(Count::default());
    let waker = std::task::Waker::from(std::sync::Arc::clone(&woken));
    let mut waits = turnstile.stand(false);
    assert_eq!(waits.take(std::task::Waker::noop()), None);
    turnstile.put_for_others(number, second);
    assert_eq!(turnstile.wanted.load(Ordering::SeqCst), INSISTS);
    let reserved = turnstile.reserve(number, None);
    assert_eq!(reserved.take(&waker), None, "it is there, and the other's");
    let second = waits.take(std::task::Waker::noop()).expect("he has insisted");
    drop(waits);
    // He who insists next came later.
    let mut next = turnstile.stand(false);
    assert_eq!(next.take(std::task::Waker::noop()), None);
    turnstile.put_for_others(number, second);
    assert_eq!((woken.0.load(Ordering::Relaxed), next.take(std::task::Waker::noop())), (1, None));
    assert!(reserved.take(&waker).is_some());
}

/// He who was to go first goes without a value: what lies there is called.
#[test]
fn who_goes_without_a_value_leaves_it_to_who_came_behind() {
    let turnstile = Turnstile::new([Box::new(0), Box::new(1)].into_iter());
    let [_first, second] = [0, 1].map(|_| turnstile.take().expect("two are there"));
    let number = *second as usize;
    let woken = std::sync::Arc::new(Count::default());
    let waker = std::task::Waker::from(std::sync::Arc::clone(&woken));
    let waits = turnstile.stand(false);
    turnstile.put_for_others(number, second);
    let reserved = turnstile.reserve(number, None);
    assert_eq!(reserved.take(&waker), None);
    drop(waits);
    assert_eq!(woken.0.load(Ordering::Relaxed), 1);
    assert!(reserved.take(&waker).is_some());
}
