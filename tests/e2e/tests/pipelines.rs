//! Pipelines: what each call of one gives is what it gives by itself, whatever is in flight beside it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use hotcell::rt::{Collects, Handle, Invocation, Puts};
use hotcell::{Cancel, Cause, Error, ErrorKind, Executed, Options, Pipeline, Result, SessionState, Ticket};
use hotcell_e2e::clan::{Clan, LONG, clans, held_up};
use hotcell_e2e::crew::Crew;
use hotcell_e2e::objects::{Collected as _, Objects};
use hotcell_e2e::process::wait_until;
use hotcell_faulty::Faulty;

fn objects() -> Objects {
    Objects::open(Options::default()).unwrap()
}

/// A call of the faulty library that takes and returns numbers.
fn number(faulty: &Faulty, pipeline: &mut Pipeline, name: &str, args: &[i32]) -> Result<Ticket<i32>> {
    let mut call = pipeline.entry(faulty.function(name).0)?;
    for (at, arg) in args.iter().enumerate() {
        call.put_i32(4 * at, *arg);
    }
    Ok(call.values(|reply| reply.get_i32(0)))
}

fn kind<T: std::fmt::Debug>(result: Result<T>, kind: ErrorKind) -> Error {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    error
}

#[test]
fn calls_fail_for_themselves_and_are_executed_in_order() {
    let objects = objects();
    let mut pipe = objects.session.pipeline();
    let before = pipe.living().unwrap();
    let first = pipe.store(0).unwrap();
    let busy = pipe.store(7).unwrap();
    let text = pipe.bad_text().unwrap();
    let second = pipe.store(0).unwrap();
    let after = pipe.living().unwrap();
    assert_eq!(pipe.in_flight(), 6);
    // In whatever order they are taken.
    assert!(pipe.take(after).unwrap() >= 3, "all were executed, in order");
    assert_eq!(pipe.in_flight(), 0);
    assert_eq!(pipe.take(before).unwrap(), 0);
    let error = kind(pipe.take(busy), ErrorKind::LibraryError);
    assert!(matches!(error.cause(), Cause::Library { symbol: Some("STORE_BUSY"), code: 7, .. }), "{error:?}");
    assert_eq!((error.function(), error.executed()), ("open_store", Executed::Yes));
    assert!(error.call_site().is_some_and(|site| site.file().ends_with("pipelines.rs")));
    assert_eq!(kind(pipe.take(text), ErrorKind::BadEncoding).function(), "bad_text");
    let (second, first) = (pipe.take(second).unwrap(), pipe.take(first).unwrap());
    assert_ne!(first, second);
    objects.close(&first).unwrap();
    objects.close(&second).unwrap();
    assert_eq!(objects.living().unwrap(), 0, "what nobody could take was released");
}

#[test]
fn more_calls_than_slots_wait_for_the_first_of_them() {
    let objects = objects();
    let mut pipe = objects.session.pipeline();
    let mut tickets = Vec::new();
    for number in 0..70_000 {
        tickets.push(pipe.offset(number % 100, 100).unwrap());
        assert!(pipe.in_flight() <= 8);
    }
    for (number, ticket) in tickets.into_iter().enumerate() {
        assert_eq!(pipe.take(ticket).unwrap(), Some(number % 100));
    }
    assert_eq!(objects.session.stats().calls, 70_000);
}

#[test]
fn long_results_are_granted_space_one_call_after_the_other() {
    let objects = objects();
    for _ in 0..3 {
        let mut pipe = objects.session.pipeline();
        let sizes = [300_000, 10, 3_000_000, 2_000, 1_500_000, 0, 40_000, 1_000_000, 5_000, 900_000];
        let tickets = sizes.map(|size| pipe.long(size).unwrap());
        for (size, ticket) in sizes.into_iter().zip(tickets) {
            let data = pipe.take(ticket).unwrap();
            assert_eq!(data.len(), size as usize);
        }
        drop(pipe);
        // A call by itself has its window again.
        let mut call = objects.session.call(26).unwrap();
        call.put_i64(0, 200_000);
        assert_eq!(call.finish().unwrap().buffer(0).unwrap().len(), 200_000);
    }
    assert_eq!(objects.session.generation(), 1);
    assert_eq!(objects.living().unwrap(), 0, "what nobody took of them is released");
}

#[test]
fn what_is_passed_lies_apart_until_the_library_has_read_it() {
    let objects = objects();
    let mut pipe = objects.session.pipeline();
    // Some fit their slot, some a segment, some need a larger one; together more than a segment has.
    let sizes = [10, 600_000, 5_000, 100_000, 900, 2_000_000, 1, 300_000, 64, 700_000];
    let mut sent = Vec::new();
    for round in 0..40 {
        let size = sizes[round % sizes.len()] + round;
        let mut call = pipe.entry(17).unwrap();
        call.put_texts(0, "texts", &["x".repeat(size)]).unwrap();
        sent.push((size, call.values(|reply| reply.get_i64(0))));
    }
    for (size, ticket) in sent {
        assert_eq!(pipe.take(ticket).unwrap(), size as i64 + 1);
    }
}

#[test]
fn a_crash_in_the_middle_is_that_of_its_call() {
    let faulty = Faulty::open(Options::default()).unwrap();
    let mut pipe = faulty.session().pipeline();
    for generation in 1..=3 {
        // All are sent before it crashes: what is sent behind that has another worker.
        let sleeps = number(&faulty, &mut pipe, "sleep", &[200]).unwrap();
        let before = [1, 2].map(|n| number(&faulty, &mut pipe, "add", &[n, 40]).unwrap());
        let crash = number(&faulty, &mut pipe, "null_dereference", &[]).unwrap();
        let behind = [5, 6].map(|n| number(&faulty, &mut pipe, "add", &[n, 40]).unwrap());
        // Those behind it are asked first: they wait for it.
        for ticket in behind {
            let error = kind(pipe.take(ticket), ErrorKind::WorkerLost);
            assert_eq!((error.function(), error.executed()), ("faulty_add", Executed::Maybe));
            assert!(error.message().contains("it was at `faulty_null_dereference` (Crashed"), "{error}");
        }
        let error = kind(pipe.take(crash), ErrorKind::Crashed);
        assert!(matches!(error.cause(), Cause::Signal { number: 11, .. }), "{error:?}");
        assert_eq!((error.executed(), error.generation()), (Executed::Maybe, generation));
        // What had its reply before is a result.
        assert!(pipe.take(sleeps).is_ok());
        assert_eq!(before.map(|ticket| pipe.take(ticket).unwrap()), [41, 42]);
        assert_eq!(pipe.in_flight(), 0);
    }
    let next = number(&faulty, &mut pipe, "add", &[2, 3]).unwrap();
    assert_eq!(pipe.take(next).unwrap(), 5);
    assert_eq!(faulty.session().generation(), 4);
    let faults = faulty.session().stats().faults;
    assert_eq!(faults.into_iter().collect::<Vec<_>>(), [(ErrorKind::Crashed, 3)], "each is counted once");
}

#[test]
fn a_call_behind_a_crash_that_was_not_sent_says_so() {
    let faulty = Faulty::open(Options::default()).unwrap();
    let mut pipe = faulty.session().pipeline();
    let sum = number(&faulty, &mut pipe, "add", &[1, 2]).unwrap();
    let crash = number(&faulty, &mut pipe, "abort", &[]).unwrap();
    wait_until("it has crashed", || faulty.session().stats().state == SessionState::Down);
    // Another worker takes it, whatever became of those in flight.
    let other = number(&faulty, &mut pipe, "add", &[3, 4]).unwrap();
    assert_eq!(pipe.take(other).unwrap(), 7);
    assert_eq!(kind(pipe.take(crash), ErrorKind::Crashed).generation(), 1);
    assert_eq!(pipe.take(sum).unwrap(), 3, "it had its reply");
    // A call that cannot be sent.
    let mut call = pipe.entry(faulty.function("environment").0).unwrap();
    let error = kind(call.put_text(0, "name", "a\0b"), ErrorKind::InvalidArgument);
    assert_eq!(error.executed(), Executed::No);
    drop(call);
    assert_eq!(faulty.int("add", &[2, 3]).unwrap(), 5, "and the worker is free");
}

#[test]
fn a_hang_in_the_middle_ends_at_its_deadline_and_no_time_is_that_of_others() {
    let objects = Objects::open(Options { deadline: Duration::from_millis(400), ..Options::default() });
    let objects = objects.unwrap();
    let mut pipe = objects.session.pipeline();
    // Together they take longer than each may.
    let waits = [150; 5].map(|time| pipe.wait_for(time).unwrap());
    for ticket in waits {
        pipe.take(ticket).unwrap();
    }
    let before = pipe.living().unwrap();
    let hangs = pipe.wait_for(60_000).unwrap();
    let behind = pipe.living().unwrap();
    // Nobody has waited yet: it has its whole time.
    thread::sleep(Duration::from_millis(500));
    assert_eq!(pipe.take(before).unwrap(), 0);
    assert!(kind(pipe.take(behind), ErrorKind::WorkerLost).message().contains("`wait_for` (Hung"));
    let error = kind(pipe.take(hangs), ErrorKind::Hung);
    assert_eq!(error.cause(), &Cause::Deadline { after: Duration::from_millis(400) });
    assert_eq!(objects.living().unwrap(), 0);
    assert_eq!(objects.session.generation(), 2);
}

#[test]
fn a_call_that_waits_for_a_host_that_is_elsewhere_does_not_hang() {
    let objects = Objects::open(Options { deadline: Duration::from_millis(300), ..Options::default() });
    let objects = objects.unwrap();
    let mut pipe = objects.session.pipeline();
    let long = pipe.long(3_000_000).unwrap();
    let behind = pipe.living().unwrap();
    // It has asked for space, and waits.
    thread::sleep(Duration::from_millis(700));
    assert_eq!(pipe.take(long).unwrap().len(), 3_000_000);
    pipe.take(behind).unwrap();
    assert_eq!(objects.session.generation(), 1);
}

#[test]
fn who_drops_a_pipeline_waits_for_its_calls_and_what_they_make_is_released() {
    let objects = objects();
    let mut pipe = objects.session.pipeline();
    let kept = pipe.store(0).unwrap();
    for _ in 0..100 {
        drop(pipe.store(0).unwrap());
    }
    drop(pipe.wait_for(50).unwrap());
    drop(pipe.store(0).unwrap());
    let kept = pipe.take(kept).unwrap();
    assert!(pipe.in_flight() > 0);
    drop(pipe);
    assert_eq!(objects.living().unwrap(), 1);
    drop(kept);
    assert_eq!(objects.living().unwrap(), 0);
    // One that hangs is ended.
    let mut pipe = objects.session.within(Duration::from_millis(50)).pipeline();
    drop(pipe.wait_for(60_000).unwrap());
    drop(pipe.living().unwrap());
    drop(pipe);
    assert_eq!(objects.living().unwrap(), 0);
    assert_eq!(objects.session.generation(), 2);
}

#[test]
fn the_worker_is_others_when_nothing_is_in_flight() {
    let objects = objects();
    let mut pipe = objects.session.pipeline();
    let store = pipe.store(0).unwrap();
    // On this thread a call would wait for itself.
    let error = kind(objects.living(), ErrorKind::Unavailable);
    assert_eq!(error.executed(), Executed::No);
    let mut batch = objects.session.batch();
    drop(batch.entry(20).unwrap().values(|_| ()));
    kind(batch.run(), ErrorKind::Unavailable);
    let mut other = objects.session.pipeline();
    kind(other.living().map(drop), ErrorKind::Unavailable);
    let store = pipe.take(store).unwrap();
    assert_eq!(objects.living().unwrap(), 1);
    for _ in 0..3 {
        let item = pipe.item(&store).unwrap();
        let item = pipe.take(item).unwrap();
        let mut batch = objects.session.batch();
        let living = batch.entry(20).unwrap().values(|reply| reply.get_i64(0));
        assert_eq!(batch.run().unwrap().take(living).unwrap(), 2);
        let living = other.living().unwrap();
        assert_eq!(other.take(living).unwrap(), 2);
        drop(item);
    }
    // A call that was begun, and not sent.
    let begun = pipe.entry(20).unwrap();
    kind(objects.living(), ErrorKind::Unavailable);
    drop(begun);
    assert_eq!(objects.living().unwrap(), 1);
}

#[test]
fn other_threads_have_their_turn_beside_a_pipeline_that_never_ends() {
    let objects = objects();
    let (over, taken) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        let pipes = scope.spawn(|| {
            let mut pipe = objects.session.pipeline();
            let mut sent = std::collections::VecDeque::new();
            while !over.load(Ordering::Relaxed) {
                sent.push_back(pipe.offset(3, 4).unwrap());
                if sent.len() > 6 {
                    assert_eq!(pipe.take(sent.pop_front().unwrap()).unwrap(), Some(3));
                    taken.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        wait_until("the pipeline is under way", || taken.load(Ordering::Relaxed) > 0);
        for _ in 0..50 {
            assert_eq!(objects.living().unwrap(), 0);
        }
        // What is dropped elsewhere is released, too.
        drop(objects.store(0).unwrap());
        wait_until("it is released", || objects.living().unwrap() == 0);
        over.store(true, Ordering::Relaxed);
        pipes.join().unwrap();
    });
}

#[test]
fn what_a_call_takes_over_is_gone_for_those_behind_it() {
    let objects = objects();
    let (store, other) = (objects.store(0).unwrap(), objects.store(0).unwrap());
    let mut pipe = objects.session.pipeline();
    let item = pipe.item(&other).unwrap();
    let closed = pipe.close(&store).unwrap();
    for late in [pipe.item(&store).map(drop), pipe.close(&store).map(drop)] {
        assert_eq!(kind(late, ErrorKind::StaleHandle).executed(), Executed::No);
    }
    pipe.take(closed).unwrap();
    let item = pipe.take(item).unwrap();
    // Where the call fails, or is refused, the object is the caller's as before.
    let parent = pipe.close(&other).unwrap();
    kind(pipe.give(&item, 0).map(drop), ErrorKind::StaleHandle);
    assert!(kind(pipe.take(parent), ErrorKind::InvalidArgument).message().contains("made from it"));
    let failed = pipe.give(&item, 5).unwrap();
    kind(pipe.give(&item, 0).map(drop), ErrorKind::StaleHandle);
    kind(pipe.take(failed), ErrorKind::LibraryError);
    let given = pipe.give(&item, 0).unwrap();
    pipe.take(given).unwrap();
    kind(pipe.give(&item, 0).map(drop), ErrorKind::StaleHandle);
    objects.close(&other).unwrap();
    assert_eq!(objects.living().unwrap(), 0);
}

#[test]
fn a_lie_of_the_library_costs_the_worker_and_what_comes_after_it() {
    let objects = objects();
    let mut pipe = objects.session.pipeline();
    let before = pipe.offset(3, 5).unwrap();
    let lie = pipe.offset(6, 5).unwrap();
    let behind = pipe.offset(2, 5).unwrap();
    assert_eq!(pipe.take(before).unwrap(), Some(3));
    kind(pipe.take(lie), ErrorKind::InvalidReply);
    assert!(kind(pipe.take(behind), ErrorKind::WorkerLost).message().contains("it was at `echo`"));
    assert_eq!(objects.living().unwrap(), 0);
    assert_eq!(objects.session.generation(), 2);
}

#[test]
fn callbacks_that_the_library_keeps_run_and_call_while_others_are_in_flight() {
    let objects = objects();
    let store = objects.store(0).unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (noted, session) = (Arc::clone(&seen), objects.session.clone());
    let callback = move |_: &mut Invocation<'_>| {
        let mut call = session.call(26)?;
        call.put_i64(0, 100_000);
        let mut reply = call.finish()?;
        let length = reply.buffer(0)?.len();
        drop(reply);
        let living = session.call(20)?.finish()?.get_i64(0);
        // A callback has one call at a time.
        let refused = session.pipeline().living().map(drop).unwrap_err();
        noted.lock().unwrap().push((length, living, refused.kind()));
        Ok(10)
    };
    objects.keep(&store, 0, Some(Box::new(callback))).unwrap();
    let mut pipe = objects.session.pipeline();
    for _ in 0..20 {
        let first = pipe.poke(&store).unwrap();
        let between = pipe.offset(1, 4).unwrap();
        let second = pipe.poke(&store).unwrap();
        let long = pipe.long(50_000).unwrap();
        assert_eq!(pipe.take(between).unwrap(), Some(1));
        assert_eq!(pipe.take(first).unwrap(), (20, 0));
        assert_eq!(pipe.take(long).unwrap().len(), 50_000);
        assert_eq!(pipe.take(second).unwrap(), (20, 0));
    }
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 80);
    assert!(seen.iter().all(|seen| seen.0 == 100_000 && seen.2 == ErrorKind::Unavailable), "{seen:?}");
    assert_eq!(objects.session.generation(), 1);
}

#[test]
fn a_panic_in_a_kept_callback_comes_out_of_the_call_that_called_it() {
    let objects = objects();
    let store = objects.store(0).unwrap();
    objects.keep(&store, 0, Some(Box::new(|_| panic!("as it is")))).unwrap();
    let mut pipe = objects.session.pipeline();
    let poked = pipe.poke(&store).unwrap();
    let behind = pipe.living().unwrap();
    assert_eq!(pipe.take(behind).unwrap(), 1, "that of another call does not come out here");
    let take = std::panic::AssertUnwindSafe(|| pipe.take(poked).map(drop));
    let panic = std::panic::catch_unwind(take).unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&"as it is"));
    let next = pipe.living().unwrap();
    assert_eq!(pipe.take(next).unwrap(), 1);
    assert_eq!(objects.session.generation(), 1);
}

#[test]
fn who_gives_up_gives_up_all_that_is_in_flight() {
    let faulty = Faulty::open(Options::default()).unwrap();
    let cancel = Cancel::new();
    let mut pipe = faulty.session().cancelled_by(&cancel).pipeline();
    let first = number(&faulty, &mut pipe, "add", &[1, 2]).unwrap();
    let loops = number(&faulty, &mut pipe, "loop", &[]).unwrap();
    let behind = number(&faulty, &mut pipe, "add", &[1, 2]).unwrap();
    assert_eq!(pipe.take(first).unwrap(), 3);
    let theirs = cancel.clone();
    let gives_up = thread::spawn(move || {
        thread::sleep(Duration::from_millis(50));
        theirs.cancel();
    });
    for (ticket, function) in [(loops, "faulty_loop"), (behind, "faulty_add")] {
        let error = kind(pipe.take(ticket), ErrorKind::Cancelled);
        assert_eq!((error.function(), error.executed()), (function, Executed::Maybe));
    }
    gives_up.join().unwrap();
    let error = kind(number(&faulty, &mut pipe, "add", &[1, 2]).map(drop), ErrorKind::Cancelled);
    assert_eq!(error.executed(), Executed::No);
    assert_eq!(faulty.int("add", &[2, 3]).unwrap(), 5);
}

#[test]
fn a_ticket_belongs_to_its_pipeline() {
    let objects = objects();
    let (mut one, mut other) = (objects.session.pipeline(), objects.session.pipeline());
    let ticket = one.living().unwrap();
    assert_eq!(kind(other.take(ticket), ErrorKind::InvalidArgument).executed(), Executed::No);
    let ticket = one.living().unwrap();
    assert_eq!(one.take(ticket).unwrap(), 0);
    let mut batch = objects.session.batch();
    let ticket = batch.entry(20).unwrap().values(|reply| reply.get_i64(0));
    kind(one.take(ticket), ErrorKind::InvalidArgument);
    let (ticket, last) = (one.living().unwrap(), one.living().unwrap());
    one.take(last).unwrap();
    kind(batch.run().unwrap().take(ticket), ErrorKind::InvalidArgument);
}

#[test]
fn a_call_that_is_forgotten_takes_the_seat_along_and_hangs_nobody() {
    let objects = objects();
    let session = objects.session.within(Duration::from_millis(100));
    let mut pipe = session.pipeline();
    let sent = [(); 3].map(|()| pipe.living().unwrap());
    std::mem::forget(pipe.entry(20).unwrap());
    for ticket in sent {
        assert_eq!(kind(pipe.take(ticket), ErrorKind::WorkerLost).executed(), Executed::Maybe);
    }
    kind(pipe.living().map(drop), ErrorKind::Unavailable);
    drop(pipe);
}

#[test]
fn pipelines_of_several_threads_and_calls_beside_them_have_lanes_of_their_own() {
    // One for each pipeline, and for each call beside it: nobody waits who has calls in flight.
    let crew = Crew::of(4);
    let add = crew.index("crew_add");
    let stay = crew.index("crew_meet");
    thread::scope(|scope| {
        for thread in 0..2 {
            let crew = &crew;
            scope.spawn(move || {
                let mut pipe = crew.session.pipeline();
                // Both are in flight at once: they meet.
                let mut call = pipe.entry(stay).unwrap();
                call.put_i32(0, 2);
                call.put_i32(4, LONG as i32);
                let met = call.values(|reply| reply.get_i32(0));
                let sums: Vec<Ticket<i32>> = (0..5)
                    .map(|n| {
                        let mut call = pipe.entry(add).unwrap();
                        call.put_i32(0, n);
                        call.put_i32(4, thread);
                        call.values(|reply| reply.get_i32(0))
                    })
                    .collect();
                // Beside it this thread has another lane.
                assert_eq!(crew.int("crew_add", &[20, 3]).unwrap(), 23);
                for (n, sum) in (0..).zip(sums) {
                    assert_eq!(pipe.take(sum).unwrap(), n + thread);
                }
                assert_eq!(pipe.take(met).unwrap(), 0);
            });
        }
    });
    // One that dies with a lane beside is told whose doing that was.
    let fault = crew.index("crew_fault");
    let mut pipe = crew.session.pipeline();
    let mut call = pipe.entry(stay).unwrap();
    call.put_i32(0, 2);
    call.put_i32(4, LONG as i32);
    let met = call.values(|reply| reply.get_i32(0));
    let mut call = pipe.entry(fault).unwrap();
    call.put_i32(0, 9);
    let behind = call.values(|reply| reply.get_i32(0));
    let error = crew.int("crew_fault", &[1]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Crashed, "{error}");
    for error in [kind(pipe.take(met), ErrorKind::WorkerLost), kind(pipe.take(behind), ErrorKind::WorkerLost)]
    {
        assert!(matches!(error.cause(), Cause::Suspect { .. }), "{error:?}");
    }
}

#[test]
fn with_a_rule_for_threads_a_pipeline_waits_for_objects_without_a_lane() {
    let clan = Clan::of(2);
    let [a, b] = clans(&clan);
    let used = clan.index("clan_use");
    fn uses(pipe: &mut Pipeline, function: u16, of: &Handle) -> Result<Ticket<i32>> {
        let mut call = pipe.entry_of(function, &[Some(of)])?;
        call.put_handle(0, "of", of, of_kind(of))?;
        Ok(call.values(|reply| reply.get_i32(0)))
    }
    let mut pipe = clan.session.pipeline();
    // Begun without it, a call is refused.
    let mut call = pipe.entry(used).unwrap();
    kind(call.put_handle(0, "of", &a, of_kind(&a)), ErrorKind::InvalidArgument);
    drop(call);
    for turn in 1..=20 {
        let tickets = [uses(&mut pipe, used, &a).unwrap(), uses(&mut pipe, used, &a).unwrap()];
        let other = uses(&mut pipe, used, &b).unwrap();
        let sums = tickets.map(|ticket| pipe.take(ticket).unwrap());
        assert_eq!((sums, pipe.take(other).unwrap()), ([2 * turn - 1, 2 * turn], turn));
    }
    thread::scope(|scope| {
        let stays = scope.spawn(|| clan.int("clan_stay", &[&a], &[LONG]));
        wait_until("it is not there", || clan.staying() == 1);
        let session = clan.session.within(Duration::from_millis(50));
        let mut pipe = session.pipeline();
        let own = uses(&mut pipe, used, &b).unwrap();
        held_up(&uses(&mut pipe, used, &a).map(drop).unwrap_err(), "other calls used its objects");
        // While it waited it had nothing.
        assert_eq!(pipe.in_flight(), 0);
        assert_eq!(pipe.take(own).unwrap(), 21);
        clan.call_off(1);
        assert_eq!(stays.join().unwrap().unwrap(), 1);
    });
    assert_eq!(clan.session.generation(), 1);
}

fn of_kind(_: &Handle) -> u16 {
    1
}
