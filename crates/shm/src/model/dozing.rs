//! Callers that sleep in an event loop: what the worker writes to the eventfd of their lane wakes them, and so does its death.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

/// A caller that first sleeps on its eventfd, and the next time on its bell; what was rung too late for one call is heard in
/// the next.
#[test]
fn replies_wake_an_event_loop_and_a_thread_in_turn() {
    explore(2, || {
        let (host, mut worker) = channel(1);
        let mut lane = host.lane(0);
        let served = loom::thread::spawn(move || {
            for number in 1..=3 {
                let request = worker.next();
                assert_eq!(request.call_id, number);
                worker.reply(&request);
            }
        });
        for (number, wait) in [(1, doze as fn(&mut _, _) -> _), (2, doze), (3, wait)] {
            publish(&mut lane, number);
            let waited = wait(&mut lane, number);
            check(&lane, number, waited);
        }
        served.join().expect("no thread of the model panics");
    });
}

/// A task that has gone while it slept: a thread waits for its call in its place.
#[test]
fn a_thread_takes_over_from_an_event_loop() {
    explore(3, || {
        let (host, mut worker) = channel(1);
        let mut lane = host.lane(0);
        let served = loom::thread::spawn(move || {
            let request = worker.next();
            worker.reply(&request);
        });
        publish(&mut lane, 1);
        let waited = lane.doze(1);
        lane.rise();
        let waited = waited.unwrap_or_else(|| wait(&mut lane, 1));
        check(&lane, 1, waited);
        served.join().expect("no thread of the model panics");
    });
}

/// Each lane has its own: none takes what wakes the other.
#[test]
fn two_tasks_are_both_woken() {
    explore(2, || {
        let (host, mut worker) = channel(2);
        let callers: Vec<_> = (0..2).map(|index| host.lane(index)).collect();
        let callers = callers.into_iter().map(|mut lane| {
            loom::thread::spawn(move || {
                let number = 1 + u64::from(lane.index());
                publish(&mut lane, number);
                let waited = doze(&mut lane, number);
                check(&lane, number, waited);
            })
        });
        let callers: Vec<_> = callers.collect();
        for _ in 0..2 {
            let request = worker.next();
            worker.reply(&request);
        }
        callers.into_iter().for_each(|caller| caller.join().expect("no thread of the model panics"));
    });
}

/// The reaper wakes the task, whatever the worker came to.
#[test]
fn a_death_at_any_step_is_heard_in_an_event_loop() {
    for steps in 0.. {
        let lived = Arc::new(AtomicBool::new(false));
        let living = Arc::clone(&lived);
        explore(2, move || {
            let (host, mut worker) = channel(1);
            let mut lane = host.lane(0);
            worker.channel.end_after(&Arc::new(AtomicUsize::new(steps)));
            let (reaper, living) = (Arc::clone(&host), Arc::clone(&living));
            let ended = loom::thread::spawn(move || {
                let end = catch_unwind(AssertUnwindSafe(|| {
                    let request = worker.next();
                    worker.reply(&request);
                }));
                match &end {
                    Ok(()) => living.store(true, Ordering::Relaxed),
                    Err(panic) => assert!((**panic).is::<Died>(), "it broke before it died"),
                }
                reaper.bury();
                // As it wakes the task that waits: that hears it as it hears its eventfd.
                reaper.eventfds()[0].ring();
                end.is_ok()
            });
            publish(&mut lane, 1);
            let waited = doze(&mut lane, 1);
            let came = waited != Waited::Dead;
            if came {
                check(&lane, 1, waited);
            }
            let lives = ended.join().expect("no thread of the model panics");
            assert!(came || !lives, "a reply before death is delivered");
        });
        if lived.load(Ordering::Relaxed) {
            return;
        }
    }
}
