//! Pipelines: what goes wrong beside the calls in flight, and who waits for whom.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hotcell::rt::{Collects, Handle, Puts};
use hotcell::{Error, ErrorKind, Executed, Options, Pipeline, Result, Ticket};
use hotcell_e2e::clan::{Clan, clans, held_up};
use hotcell_e2e::crew::Crew;
use hotcell_e2e::objects::{Collected as _, Objects};
use hotcell_e2e::process::{stop, wait_until};
use hotcell_faulty::Faulty;

/// Far less than the time of a call, and more than a refusal takes.
const AT_ONCE: Duration = Duration::from_secs(5);

fn within(milliseconds: u64) -> Objects {
    Objects::open(Options { deadline: Duration::from_millis(milliseconds), ..Options::default() }).unwrap()
}

fn adds(crew: &Crew, pipe: &mut Pipeline, of: [i32; 2]) -> Result<Ticket<i32>> {
    let mut call = pipe.entry(crew.index("crew_add"))?;
    call.put_i32(0, of[0]);
    call.put_i32(4, of[1]);
    Ok(call.values(|reply| reply.get_i32(0)))
}

fn uses(clan: &Clan, pipe: &mut Pipeline, of: &Handle) -> Result<Ticket<i32>> {
    let mut call = pipe.entry_of(clan.index("clan_use"), &[Some(of)])?;
    call.put_handle(0, "of", of, 1)?;
    Ok(call.values(|reply| reply.get_i32(0)))
}

fn kind<T: std::fmt::Debug>(result: Result<T>, kind: ErrorKind) -> Error {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    error
}

#[test]
fn a_call_that_hangs_is_ended_at_its_deadline() {
    let objects = within(600);
    let mut pipe = objects.session.pipeline();
    let hangs = pipe.wait_for(60_000).unwrap();
    let begun = Instant::now();
    kind(pipe.take(hangs), ErrorKind::Hung);
    let took = begun.elapsed();
    assert!((600..900).contains(&took.as_millis()), "{took:?}");
    drop(pipe.wait_for(60_000).unwrap());
    let begun = Instant::now();
    drop(pipe);
    let took = begun.elapsed();
    assert!((600..900).contains(&took.as_millis()), "{took:?}");
}

#[test]
fn threads_with_calls_in_flight_do_not_wait_for_each_other() {
    let crew = Crew::of(2);
    let both = Barrier::new(2);
    let begun = Instant::now();
    thread::scope(|scope| {
        for thread in 0..2 {
            let (crew, both) = (&crew, &both);
            scope.spawn(move || {
                let mut pipe = crew.session.pipeline();
                let sum = adds(crew, &mut pipe, [thread, 7]).unwrap();
                both.wait();
                held_up(&crew.int("crew_add", &[1, 2]).unwrap_err(), "calls in flight");
                let mut second = crew.session.pipeline();
                held_up(&adds(crew, &mut second, [1, 2]).map(drop).unwrap_err(), "calls in flight");
                both.wait();
                assert_eq!(pipe.take(sum).unwrap(), thread + 7);
                assert_eq!(
                    crew.int("crew_add", &[1, 2]).unwrap(),
                    3,
                    "with none in flight it waits for its turn"
                );
            });
        }
    });
    assert!(begun.elapsed() < AT_ONCE);
}

#[test]
fn threads_with_calls_in_flight_do_not_wait_for_the_objects_of_each_other() {
    let clan = Clan::of(4);
    let objects: [Handle; 2] = clans(&clan);
    let both = Barrier::new(2);
    let begun = Instant::now();
    thread::scope(|scope| {
        for thread in 0..2 {
            let (clan, both, objects) = (&clan, &both, &objects);
            scope.spawn(move || {
                let (own, other) = (&objects[thread], &objects[1 - thread]);
                let mut pipe = clan.session.pipeline();
                let first = uses(clan, &mut pipe, own).unwrap();
                both.wait();
                held_up(&clan.int("clan_use", &[other], &[]).unwrap_err(), "calls in flight");
                held_up(&clan.int("clan_use", &[own], &[]).unwrap_err(), "with its objects");
                both.wait();
                assert_eq!(pipe.take(first).unwrap(), 1);
            });
        }
    });
    for object in &objects {
        assert_eq!(clan.int("clan_use", &[object], &[]).unwrap(), 2);
    }
    assert!(begun.elapsed() < AT_ONCE);
}

#[test]
fn nothing_is_awaited_on_a_thread_with_calls_in_flight() {
    let clan = &Clan::of(2);
    let [own] = clans(clan);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut pipe = clan.session.pipeline();
    let used = uses(clan, &mut pipe, &own).unwrap();
    let counted = |clan: &Clan| runtime.block_on(clan.awaited("clan_count", &[], &[]));
    held_up(&counted(clan).unwrap_err(), "calls in flight");
    pipe.settle();
    assert_eq!(counted(clan).unwrap(), 1);
    assert_eq!(pipe.take(used).unwrap(), 1);
}

/// Only with calls in flight nobody is waited for.
#[test]
fn who_holds_a_reply_waits_for_the_lane_of_calls_in_flight() {
    let crew = &Crew::of(2);
    let mut add = crew.session.call(crew.index("crew_add")).unwrap();
    add.put_i32(0, 1);
    add.put_i32(4, 2);
    let reply = add.finish().unwrap();
    let both = &Barrier::new(2);
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut pipe = crew.session.pipeline();
            let sum = adds(crew, &mut pipe, [3, 4]).unwrap();
            held_up(&crew.int("crew_add", &[1, 2]).unwrap_err(), "calls in flight");
            both.wait();
            thread::sleep(Duration::from_millis(100));
            assert_eq!(pipe.take(sum).unwrap(), 7);
        });
        both.wait();
        assert_eq!(crew.int("crew_add", &[5, 6]).unwrap(), 11, "it comes when the others have their reply");
        let mut pipe = crew.session.pipeline();
        let sum = adds(crew, &mut pipe, [7, 8]).unwrap();
        held_up(&crew.int("crew_add", &[1, 2]).unwrap_err(), "not finished");
        assert_eq!(pipe.take(sum).unwrap(), 15);
    });
    assert_eq!(reply.get_i32(0), 3);
}

#[test]
fn who_waits_for_the_objects_of_a_pipeline_that_never_pauses_has_his_turn() {
    let clan = Clan::of(3);
    let [a, _] = clans(&clan);
    let (over, flows) = (AtomicBool::new(false), Barrier::new(2));
    thread::scope(|scope| {
        let pipes = scope.spawn(|| {
            let mut pipe = clan.session.pipeline();
            let mut sent = VecDeque::new();
            let mut taken = 0;
            while !over.load(Ordering::Relaxed) {
                sent.push_back(uses(&clan, &mut pipe, &a).unwrap());
                if sent.len() > 6 {
                    assert!(pipe.take(sent.pop_front().unwrap()).unwrap() > 0);
                    taken += 1;
                    if taken == 1 {
                        flows.wait();
                    }
                }
            }
            taken
        });
        flows.wait();
        let used: Vec<_> = (0..20).map(|_| clan.within(AT_ONCE).int("clan_use", &[&a], &[])).collect();
        over.store(true, Ordering::Relaxed);
        assert!(pipes.join().unwrap() > 0);
        assert!(used.iter().all(Result::is_ok), "{used:?}");
    });
}

#[test]
fn who_waits_for_the_very_lane_of_a_pipeline_that_never_pauses_has_his_turn() {
    let clan = &Clan::of(2);
    let pen = clan.object("clan_pen_new", &[], &[]).unwrap();
    let writes =
        |milliseconds| clan.within(Duration::from_millis(milliseconds)).int("clan_pen_write", &[&pen], &[]);
    let (over, both) = (&AtomicBool::new(false), &Barrier::new(2));
    thread::scope(|scope| {
        let pipes = scope.spawn(move || {
            let counts = |pipe: &mut Pipeline| {
                let call = pipe.entry(clan.index("clan_count")).unwrap();
                call.values(|reply| reply.get_i32(0))
            };
            let mut pipe = clan.session.pipeline();
            let (mut sent, mut taken) = (VecDeque::from([counts(&mut pipe)]), 0);
            both.wait();
            both.wait();
            while !over.load(Ordering::Relaxed) {
                sent.push_back(counts(&mut pipe));
                if sent.len() > 6 {
                    assert_eq!(pipe.take(sent.pop_front().unwrap()).unwrap(), 0);
                    taken += 1;
                }
            }
            taken
        });
        both.wait();
        held_up(&writes(50).unwrap_err(), "other calls held the worker");
        both.wait();
        let written: Vec<_> = (0..20).map(|_| writes(5_000)).collect();
        over.store(true, Ordering::Relaxed);
        assert!(pipes.join().unwrap() > 0);
        assert!(written.iter().all(Result::is_ok), "{written:?}");
    });
}

#[test]
fn a_panic_while_results_are_read_comes_out_of_the_take_and_costs_nobody_the_worker() {
    let objects = within(2_000);
    let mut pipe = objects.session.pipeline();
    let before = pipe.living().unwrap();
    let panics = pipe.entry(20).unwrap().read(|_| -> Result<()> { panic!("as it is") });
    let behind = pipe.living().unwrap();
    let caught = catch_unwind(AssertUnwindSafe(|| pipe.take(behind)));
    assert_eq!(caught.unwrap().unwrap(), 0, "that of another call does not come out here");
    let panic = catch_unwind(AssertUnwindSafe(|| pipe.take(panics).map(drop))).unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&"as it is"));
    assert_eq!(pipe.take(before).unwrap(), 0);
    assert_eq!(objects.living().unwrap(), 0, "the worker is free");
    drop(pipe.entry(20).unwrap().read(|_| -> Result<()> { panic!("and nobody sees it") }));
    drop(pipe);
    assert_eq!(objects.living().unwrap(), 0);
    assert_eq!(objects.session.generation(), 1);
}

#[test]
fn who_settles_a_pipeline_has_the_worker_and_keeps_the_results() {
    let objects = within(2_000);
    let mut pipe = objects.session.pipeline();
    let sent = [(); 3].map(|()| pipe.living().unwrap());
    let failed = pipe.wait_for(60_000).unwrap();
    kind(objects.living(), ErrorKind::Unavailable);
    pipe.settle();
    assert_eq!((pipe.in_flight(), objects.living().unwrap()), (0, 0));
    assert_eq!(sent.map(|ticket| pipe.take(ticket).unwrap()), [0; 3]);
    kind(pipe.take(failed), ErrorKind::Hung);
}

#[test]
fn a_call_behind_one_that_is_forgotten_has_a_lane_of_its_own() {
    let crew = Crew::of(2);
    let mut pipe = crew.session.pipeline();
    let sent = [adds(&crew, &mut pipe, [1, 2]).unwrap(), adds(&crew, &mut pipe, [3, 4]).unwrap()];
    std::mem::forget(pipe.entry(crew.index("crew_add")).unwrap());
    let next = adds(&crew, &mut pipe, [5, 6]).unwrap();
    assert_eq!(pipe.in_flight(), 1);
    for ticket in sent {
        assert_eq!(kind(pipe.take(ticket), ErrorKind::WorkerLost).executed(), Executed::Maybe);
    }
    assert_eq!(pipe.take(next).unwrap(), 11);
    assert_eq!(crew.int("crew_add", &[1, 2]).unwrap(), 3);
}

#[test]
fn replies_that_came_are_results_where_the_worker_has_not_mapped_a_segment_in_time() {
    let objects = within(300);
    let mut pipe = objects.session.pipeline();
    let before = pipe.living().unwrap();
    thread::sleep(Duration::from_millis(100));
    let pid = objects.session.worker_pid().unwrap();
    stop(pid);
    let behind = pipe.living().unwrap();
    let mut call = pipe.entry(17).unwrap();
    let late = kind(call.put_texts(0, "texts", &["x".repeat(3_000_000)]), ErrorKind::Hung);
    assert_eq!(late.executed(), Executed::No);
    drop(call);
    assert_eq!(pipe.take(before).unwrap(), 0, "it had its reply");
    assert_eq!(kind(pipe.take(behind), ErrorKind::WorkerLost).executed(), Executed::Maybe);
    assert_eq!(objects.living().unwrap(), 0);
    assert_eq!(objects.session.generation(), 2);
}

/// What the library is refused comes with the failures that it may be the reason of, and with none behind them.
#[test]
fn what_the_library_is_refused_comes_with_the_failure_that_it_is_the_reason_of() {
    let mut options = Options { callers: 1, ..Options::default() };
    options.limits.memory = Some(64 << 20);
    let faulty = &Faulty::open(options).unwrap();
    let send = |pipe: &mut Pipeline, name: &str, args: [i32; 2]| {
        let mut call = pipe.entry(faulty.function(name).0).unwrap();
        call.put_i32(0, args[0]);
        if name == "need" {
            call.put_i32(4, args[1]);
        }
        call.values(|reply| reply.get_i32(0))
    };
    let refused = || faulty.session().heap().unwrap().refused;
    let short =
        |pipe: &mut Pipeline, ticket| kind(pipe.take(ticket), ErrorKind::LibraryError).shortage().is_some();
    let (too_much, well, fails) = (("need", [65, 0]), ("need", [1, 0]), ("errno", [2, 0]));
    let mut pipe = faulty.session().pipeline();
    // Each may be the reason of what was refused meanwhile: whoever is looked at first takes it from none of the others.
    let meanwhile = ("sleep", [200, 0]);
    let [sleeps, own, first, second, last] =
        [meanwhile, fails, too_much, too_much, fails].map(|(name, args)| send(&mut pipe, name, args));
    wait_until("nothing was refused", || refused() == 2);
    pipe.take(sleeps).unwrap();
    assert!([own, first, second, last].map(|ticket| short(&mut pipe, ticket)).iter().all(|short| *short));
    let later = send(&mut pipe, "errno", [2, 0]);
    assert!(!short(&mut pipe, later), "one was told of it");
    // What is refused before a call is sent is told with those in front of it.
    let first = send(&mut pipe, "need", [65, 0]);
    wait_until("nothing was refused", || refused() == 3);
    let [fine, behind] = [well, fails].map(|(name, args)| send(&mut pipe, name, args));
    assert!(short(&mut pipe, first));
    assert!(pipe.take(fine).unwrap() >= 0);
    assert!(!short(&mut pipe, behind));
}
