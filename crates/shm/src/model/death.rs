//! A worker that dies at each of its steps: its caller hears of it, or has the reply, and never sleeps for ever.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use super::callback::{call_batch, call_with_callback, serve_batch, serve_with_callback};
use super::*;

/// Tries every step at which the worker can die, until it lives to the end: `serve` is what it does, `call` the host's
/// side, which says whether it came to its end.
fn at_each_step(switches: usize, serve: fn(&mut Worker), call: fn(&mut HostLane) -> bool) {
    at_each_step_of(switches, || channel(1), |host| host.lane(0), serve, call);
}

/// The same of a channel and a lane of it.
fn at_each_step_of(
    switches: usize,
    channel: fn() -> (Arc<HostChannel>, Worker),
    lane: fn(&Arc<HostChannel>) -> HostLane,
    serve: fn(&mut Worker),
    call: fn(&mut HostLane) -> bool,
) {
    for steps in 0.. {
        let lived = Arc::new(AtomicBool::new(false));
        let living = Arc::clone(&lived);
        explore(switches, move || {
            let (host, mut worker) = channel();
            let mut lane = lane(&host);
            worker.channel.end_after(&Arc::new(AtomicUsize::new(steps)));
            let (reaper, living) = (Arc::clone(&host), Arc::clone(&living));
            let ended = loom::thread::spawn(move || {
                let end = catch_unwind(AssertUnwindSafe(|| serve(&mut worker)));
                match &end {
                    Ok(()) => living.store(true, Ordering::Relaxed),
                    Err(panic) => assert!((**panic).is::<Died>(), "it broke before it died"),
                }
                // The reaper comes when no thread of the worker is left.
                reaper.bury();
                end.is_ok()
            });
            let came = call(&mut lane);
            let lives = ended.join().expect("no thread of the model panics");
            assert!(came || !lives, "a reply before death is delivered");
            // What comes after finds it dead.
            publish(&mut lane, 3);
            assert_eq!(wait(&mut lane, 3), Waited::Dead);
        });
        if lived.load(Ordering::Relaxed) {
            return;
        }
    }
}

#[test]
fn a_death_at_any_step_of_a_call_is_heard_of() {
    let serve = |worker: &mut Worker| {
        let request = worker.next();
        worker.channel.begin(&worker.lanes[0], &request);
        worker.reply(&request);
    };
    at_each_step(2, serve, |lane| {
        publish(lane, 1);
        let waited = wait(lane, 1);
        if waited == Waited::Dead {
            let (id, _) = lane.channel().executing(0);
            assert!(id <= 1);
            return false;
        }
        check(lane, 1, waited);
        true
    });
}

#[test]
fn a_death_at_any_step_of_a_callback_is_heard_of() {
    at_each_step(1, serve_with_callback, call_with_callback);
}

#[test]
fn a_death_at_any_step_of_a_batch_names_an_entry_of_it() {
    at_each_step(1, serve_batch, |lane| {
        let came = call_batch(lane);
        if !came {
            let (id, entry) = lane.channel().executing(0);
            assert!(id <= 1 && (entry < 3 || entry == u32::MAX), "{id} {entry}");
        }
        came
    });
}

/// A thread of the library that calls back twice, and dies.
#[test]
fn a_death_at_any_step_of_a_thread_that_calls_back_is_heard_of_by_who_listens() {
    let listens = |host: &Arc<HostChannel>| {
        let mut lane = host.dispatcher_lane();
        dispatcher::listen(&mut lane);
        lane
    };
    let serve = |worker: &mut Worker| {
        let mut seat = dispatcher::sit_down(&worker.channel);
        dispatcher::call_back(&worker.channel, &mut seat, 5);
        dispatcher::call_back(&worker.channel, &mut seat, 6);
    };
    at_each_step_of(1, || channel(2), listens, serve, |lane| dispatcher::run(lane, 2) == 2);
}

/// Replies before the death are delivered, and those behind it are not there.
#[test]
fn a_death_at_any_step_is_heard_of_by_all_calls_in_flight() {
    at_each_step(
        1,
        |worker| flight::serve(worker, 2),
        |lane| {
            publish_behind(lane, 1, 0);
            publish_behind(lane, 2, 1);
            let (first, second) = (flight::take(lane, 1), flight::take(lane, 2));
            assert!(first || !second, "they are executed in order");
            second
        },
    );
}

/// The worker answers whoever comes first, and dies.
#[test]
fn every_caller_hears_of_a_death() {
    explore(2, || {
        let (host, mut worker) = channel(2);
        let callers: Vec<_> = (0..2).map(|index| host.lane(index)).collect();
        let callers = callers.into_iter().map(|mut lane| {
            loom::thread::spawn(move || {
                let number = 1 + u64::from(lane.index());
                publish(&mut lane, number);
                let waited = wait(&mut lane, number);
                let answered = waited != Waited::Dead;
                if answered {
                    check(&lane, number, waited);
                }
                answered
            })
        });
        let callers: Vec<_> = callers.collect();
        let request = worker.next();
        worker.reply(&request);
        host.bury();
        let answered =
            callers.into_iter().map(|caller| caller.join().expect("no thread of the model panics"));
        assert_eq!(answered.filter(|answered| *answered).count(), 1, "a reply before death is delivered");
    });
}
