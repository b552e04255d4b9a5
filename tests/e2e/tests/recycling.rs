//! Workers that are replaced before they are worn, and those that do not answer: another process serves, and no call fails.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use hotcell::{Cause, ErrorKind, Options, Recycle, SessionState, Snapshot, Stack, Wear};
use hotcell_e2e::crew::Crew;
use hotcell_e2e::objects::Objects;
use hotcell_e2e::process::{alive, stop, wait_until};
use hotcell_faulty::Faulty;

/// No limit but what a test sets, and a look at every moment.
fn nothing() -> Recycle {
    Recycle {
        every: Duration::from_millis(10),
        calls: None,
        age: None,
        memory: None,
        memory_for: Duration::ZERO,
        descriptors: None,
        threads: None,
        leaked: None,
        patience: None,
        probe: None,
    }
}

fn by(recycle: Recycle) -> Options {
    Options { recycle: Some(recycle), ..Options::default() }
}

/// Whether it is known where a thread of the worker was: one that sleeps, of which there is one at least.
fn has_stack(seen: &Snapshot) -> bool {
    let is_in = |stack: &Stack| stack.frames.iter().any(|frame| frame.module.ends_with("/hotcell-worker"));
    seen.stacks.iter().any(is_in)
}

/// Has something done again and again until the worker is another.
fn wears(recycle: Recycle, what: Wear, once: impl Fn(&Faulty)) {
    let faulty = Faulty::open(by(recycle)).unwrap();
    let pid = faulty.session().worker_pid().unwrap();
    wait_until("the worker is worn", || {
        let worn = faulty.session().stats().recycled == 1;
        if !worn {
            once(&faulty);
        }
        worn
    });
    wait_until("the worn worker has gone", || !alive(pid));
    let seen = faulty.session().worn().unwrap();
    assert_eq!((seen.worn.by, seen.pid, seen.generation), (what, pid, 1));
    assert!(seen.worn.value > seen.worn.limit, "{}", seen.worn);
    assert_eq!(seen.to_json()["worn_by"], what.name());
    assert!(has_stack(&seen), "{:?}", seen.stacks);
    assert_eq!(faulty.int("add", &[1, 2]).unwrap(), 3);
    assert_ne!(faulty.session().worker_pid().unwrap(), pid);
    assert!(faulty.session().generation() > 1 && faulty.session().stats().restarts > 0);
    assert!(faulty.session().stats().faults.is_empty());
}

#[test]
fn a_worker_with_too_many_threads_is_replaced() {
    let recycle = Recycle { threads: Some(5), ..nothing() };
    wears(recycle, Wear::Threads, |faulty| assert_eq!(faulty.int("keep_threads", &[2]).unwrap(), 2));
}

#[test]
fn a_worker_with_too_many_descriptors_is_replaced() {
    let recycle = Recycle { descriptors: Some(20), ..nothing() };
    wears(recycle, Wear::Descriptors, |faulty| {
        assert_eq!(faulty.int("keep_descriptors", &[3]).unwrap(), 3);
    });
}

#[test]
fn a_worker_that_has_too_much_in_memory_for_long_is_replaced() {
    let recycle = Recycle { memory: Some(150 << 20), memory_for: Duration::from_millis(30), ..nothing() };
    wears(recycle, Wear::Memory, |faulty| assert_eq!(faulty.int("allocate", &[10]).unwrap(), 10));
}

#[test]
fn a_worker_that_has_served_many_calls_is_replaced() {
    let faulty = Faulty::open(by(Recycle { calls: Some(3), ..nothing() })).unwrap();
    wait_until("the worker is worn", || {
        assert_eq!(faulty.int("add", &[1, 2]).unwrap(), 3);
        faulty.session().stats().recycled > 0
    });
    let seen = faulty.session().worn().unwrap();
    assert!(seen.worn.by == Wear::Calls && seen.worn.value >= 3, "{}", seen.worn);
    assert!(has_stack(&seen), "{:?}", seen.stacks);
}

#[test]
fn an_old_worker_is_replaced() {
    let recycle = Recycle { age: Some(Duration::from_millis(50)), ..nothing() };
    wears(recycle, Wear::Age, |_| {});
}

#[test]
fn a_worker_that_leaks_is_replaced_and_what_leaked_is_told() {
    let recycle = Recycle { leaked: Some(1 << 20), ..nothing() };
    let faulty = Faulty::open(by(recycle)).unwrap();
    let pid = faulty.session().worker_pid().unwrap();
    wait_until("the worker is worn", || {
        faulty.int("leak", &[1, 50_000]).unwrap();
        faulty.session().stats().recycled > 0
    });
    let seen = faulty.session().worn().unwrap();
    assert_eq!((seen.worn.by, seen.pid), (Wear::Leaked, pid));
    assert!(has_stack(&seen), "{:?}", seen.stacks);
    assert!(seen.heap.of_function("faulty_leak").bytes > 1 << 20, "{}", seen.heap);
    assert_eq!(faulty.int("add", &[1, 2]).unwrap(), 3);
}

#[test]
fn no_call_fails_while_workers_are_replaced_under_load() {
    let faulty = Faulty::open(by(Recycle { calls: Some(50), ..nothing() })).unwrap();
    let (done, calls) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    assert_eq!(faulty.int("add", &[20, 22]).unwrap(), 42);
                    calls.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        wait_until("workers are replaced", || faulty.session().stats().recycled >= 5);
        done.store(true, Ordering::Relaxed);
    });
    let stats = faulty.session().stats();
    assert!(stats.faults.is_empty() && stats.restarts >= 4, "{stats:?}");
    assert_eq!(stats.calls, calls.load(Ordering::Relaxed));
    assert!(faulty.session().worn().unwrap().worn.value >= 50);
}

/// Tells threads that it is over, also where a test fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn no_call_fails_where_several_are_made_at_a_time() {
    let crew = Crew::with(Options { callers: 3, ..by(Recycle { calls: Some(50), ..nothing() }) });
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for number in 0..3 {
            let (crew, done) = (&crew, &done);
            scope.spawn(move || {
                for turn in 1u64.. {
                    if done.load(Ordering::Relaxed) {
                        return;
                    }
                    let member = crew.hire(number).unwrap();
                    drop(member);
                    // Now and then nobody has one, on a busy machine too.
                    if turn.is_multiple_of(16) {
                        std::thread::sleep(Duration::from_millis(3));
                    }
                }
            });
        }
        // Where they are not, the threads end too.
        let over = Over(&done);
        wait_until("workers are replaced", || crew.session.stats().recycled >= 3);
        drop(over);
    });
    assert!(crew.session.stats().faults.is_empty());
}

#[test]
fn a_worker_stays_as_long_as_somebody_holds_an_object_of_it() {
    let objects = Objects::open(by(Recycle { calls: Some(1), ..nothing() })).unwrap();
    let pid = objects.session.worker_pid().unwrap();
    let store = objects.store(0).unwrap();
    wait_until("it is worn", || objects.session.stats().state == SessionState::Worn);
    for _ in 0..20 {
        // It serves meanwhile, be it called or not.
        objects.wait(5).unwrap();
        drop(objects.item(&store).unwrap());
    }
    let stats = objects.session.stats();
    assert_eq!((stats.pid, stats.recycled, stats.objects), (Some(pid), 0, 1));
    drop(store);
    wait_until("it is replaced", || objects.session.stats().recycled == 1);
    wait_until("it has gone", || !alive(pid));
    assert!(objects.store(0).is_ok());
    assert!(objects.session.stats().faults.is_empty());
}

#[test]
fn patience_ends_and_objects_are_stale_then() {
    let recycle = Recycle { calls: Some(1), patience: Some(Duration::from_millis(100)), ..nothing() };
    let objects = Objects::open(by(recycle)).unwrap();
    let store = objects.store(0).unwrap();
    wait_until("it is replaced", || objects.session.stats().recycled == 1);
    let error = objects.item(&store).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StaleHandle, "{error}");
    assert!(matches!(error.cause(), Cause::Handle { made: 1, serving: 2, .. }), "{error:?}");
    assert!(objects.store(0).is_ok());
}

#[test]
fn a_callback_that_the_library_keeps_keeps_its_worker() {
    let objects = Objects::open(by(Recycle { calls: Some(1), ..nothing() })).unwrap();
    let store = objects.store(0).unwrap();
    objects.keep(&store, 0, Some(Box::new(|_| Ok(1)))).unwrap();
    wait_until("it is worn", || objects.session.stats().state == SessionState::Worn);
    objects.poke(Some(&store), 0..3).unwrap();
    assert_eq!(objects.session.generation(), 1);
    drop(store);
    wait_until("it is replaced", || objects.session.stats().recycled == 1);
}

#[test]
fn a_spare_takes_over_from_a_worn_worker() {
    let recycle = Recycle { age: Some(Duration::from_millis(200)), ..nothing() };
    let faulty = Faulty::open(Options { spares: 1, ..by(recycle) }).unwrap();
    wait_until("a spare is ready", || faulty.session().stats().spares == 1);
    wait_until("the worker is worn", || faulty.session().stats().recycled == 1);
    assert_eq!(faulty.session().stats().state, SessionState::Down);
    assert_eq!(faulty.int("add", &[1, 2]).unwrap(), 3);
    assert_eq!(faulty.session().generation(), 2, "the spare, which was begun second");
}

#[test]
fn a_worker_that_does_not_answer_is_replaced() {
    let recycle = Recycle { probe: Some(Duration::from_millis(200)), ..nothing() };
    let faulty = Faulty::open(by(recycle)).unwrap();
    let pid = faulty.session().worker_pid().unwrap();
    // It is asked meanwhile.
    Objects::open(Options::default()).unwrap().wait(500).unwrap();
    assert_eq!(faulty.int("add", &[1, 2]).unwrap(), 3);
    assert_eq!(faulty.session().worker_pid(), Some(pid), "it answers");
    stop(pid);
    wait_until("it has gone", || !alive(pid));
    assert_eq!(faulty.int("add", &[1, 2]).unwrap(), 3);
    let seen = faulty.session().worn().unwrap();
    assert_eq!((seen.worn.by, seen.worn.limit, seen.pid), (Wear::Silence, 200, pid));
    assert!(seen.threads.iter().all(|thread| thread.state == 'T'), "{:?}", seen.threads);
    assert!(has_stack(&seen), "{:?}", seen.stacks);
    assert!(faulty.session().stats().faults.is_empty(), "no call met it");
}

#[test]
fn what_is_known_of_a_session_can_be_asked() {
    let faulty = Faulty::open(Options::default()).unwrap();
    assert_eq!(faulty.int("add", &[1, 2]).unwrap(), 3);
    faulty.int("leak", &[3, 1000]).unwrap();
    let stats = faulty.session().stats();
    assert_eq!(stats.state, SessionState::Serving);
    assert_eq!((stats.pid, stats.generation), (faulty.session().worker_pid(), 1));
    assert_eq!((stats.calls, stats.restarts, stats.waiting), (2, 0, 0));
    assert!(stats.resident.unwrap() > 1 << 20 && stats.threads.unwrap() >= 2, "{stats:?}");
    assert!(stats.descriptors.unwrap() >= 4, "{stats:?}");
    assert_eq!(stats.heap.as_ref().unwrap().of_function("faulty_leak").blocks, 3);
    faulty.int("abort", &[]).unwrap_err();
    assert_eq!(faulty.session().stats().state, SessionState::Down);
    faulty.within(Duration::from_millis(50)).int("loop", &[]).unwrap_err();
    let json = faulty.session().stats().to_json();
    assert_eq!((&json["calls"], &json["generation"]), (&4.into(), &2.into()));
    assert_eq!(json["faults"], serde_json::json!({ "Crashed": 1, "Hung": 1 }));
    assert_eq!((&json["state"], &json["pid"]), (&"down".into(), &serde_json::Value::Null));
}
