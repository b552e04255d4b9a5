//! A library that several threads may be inside of at once.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashSet;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use hotcell::dynamic::Value;
use hotcell::{
    Cause, Error, ErrorKind, Executed, LimitExceededReason, Limits, Options, Profile, Sandbox,
    UnavailableReason,
};
use hotcell_e2e::crew::Crew;
use hotcell_e2e::process::{alive, sleeps, stays_asleep, wait_until};

/// More than any test takes, unless something is wrong.
const LONG: i128 = 20_000;

/// Runs the same on so many threads; what each came to.
fn on_threads<T: Send>(count: u32, work: impl Fn(u32) -> T + Sync) -> Vec<T> {
    thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = (0..count).map(|number| scope.spawn(move || work(number))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// The serving threads of the worker that the host has opened beside the first.
fn lane_threads(crew: &Crew) -> usize {
    let pid = crew.session.worker_pid().unwrap().to_string();
    sleeps(&pid, None).iter().filter(|(name, _)| name.starts_with("hotcell-lane")).count()
}

#[test]
fn several_calls_are_inside_at_once_each_on_a_thread_of_its_own() {
    let crew = Crew::of(4);
    let met = on_threads(4, |_| crew.int("crew_meet", &[4, LONG]));
    assert!(met.iter().all(|met| *met.as_ref().unwrap() == 0), "{met:?}");
    let barrier = Barrier::new(4);
    let threads = on_threads(4, |_| {
        let mut own = HashSet::new();
        crew.each(1, |_| {
            // All four calls are under way.
            barrier.wait();
            own.insert(crew.int("crew_thread", &[]).map_err(|error| error.to_string())?);
            Ok(0)
        })
        .unwrap();
        own
    });
    assert_eq!(threads.into_iter().flatten().collect::<HashSet<_>>().len(), 4);
    assert_eq!(crew.session.generation(), 1);
}

#[test]
fn threads_are_made_when_they_are_needed() {
    let crew = Crew::of(4);
    for number in 0..1000 {
        assert_eq!(crew.int("crew_add", &[number, 1]).unwrap(), number + 1);
    }
    assert_eq!(lane_threads(&crew), 0, "one caller needs no other thread");
    on_threads(3, |_| crew.int("crew_meet", &[3, LONG]).unwrap());
    assert_eq!(lane_threads(&crew), 2);
    let pid = crew.session.worker_pid().unwrap().to_string();
    wait_until("a lane's thread is busy while nobody calls", || {
        stays_asleep(&pid, "hotcell-lane-1") && stays_asleep(&pid, "hotcell-lane-2")
    });
}

/// The C library counts processors for the ninth heap that a thread makes, by a file that is denied: its count is there before, and nothing is refused.
#[test]
fn many_threads_are_inside_at_once_under_the_default_profile() {
    let crew = Crew::of(24);
    let met = on_threads(24, |_| crew.int("crew_meet", &[24, LONG]));
    assert!(met.iter().all(|met| met.as_ref().is_ok_and(|met| *met == 0)), "{met:?}");
    assert_eq!(lane_threads(&crew), 23);
    assert_eq!((crew.session.generation(), crew.session.refused()), (1, None));
}

#[test]
fn with_one_caller_calls_take_turns() {
    let crew = Crew::of(1);
    let error = crew.int("crew_meet", &[2, 20]);
    assert_eq!(error.unwrap(), -1);
    let met = on_threads(2, |_| crew.int("crew_meet", &[2, 20]).unwrap());
    assert_eq!(met, [-1, -1]);
    assert_eq!(lane_threads(&crew), 0);
}

#[test]
fn who_finds_no_lane_waits_as_long_as_his_call_has_time() {
    let crew = Crew::of(2);
    thread::scope(|scope| {
        let (begun, begins) = channel();
        let holds = |begun: Sender<()>| {
            let (end, ends) = channel::<()>();
            let held = crew.clone();
            let thread = scope.spawn(move || {
                held.each(1, |_| {
                    begun.send(()).unwrap();
                    ends.recv().map_err(|error| error.to_string())?;
                    Ok(1)
                })
            });
            (end, thread)
        };
        let (first, second) = (holds(begun.clone()), holds(begun));
        begins.recv().and_then(|()| begins.recv()).unwrap();
        let error = crew.within(Duration::from_millis(30)).int("crew_add", &[1, 1]).unwrap_err();
        assert_eq!((error.kind(), error.executed()), (ErrorKind::Unavailable, Executed::No), "{error}");
        assert_eq!(*error.cause(), Cause::Unavailable { reason: UnavailableReason::PoolExhausted });
        // One that has more time gets the lane that is given back.
        let waits = scope.spawn(|| crew.int("crew_add", &[20, 3]).unwrap());
        first.0.send(()).unwrap();
        assert_eq!(waits.join().unwrap(), 23);
        assert_eq!(first.1.join().unwrap().unwrap(), 1);
        assert!(!second.1.is_finished());
        second.0.send(()).unwrap();
        assert_eq!(second.1.join().unwrap().unwrap(), 1);
    });
    assert_eq!(crew.session.generation(), 1);
}

#[test]
fn results_of_calls_at_the_same_time_are_each_ones_own() {
    let crew = Crew::of(3);
    on_threads(6, |thread| {
        let mut state = u64::from(thread) * 7919 + 1;
        for round in 0..400usize {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // In the slot, in the window, and in segments of their own.
            let size = [0, 1, 60, 700, 1500, 9000, 200_000][(state >> 33) as usize % 7];
            let byte = (state >> 50) as u8;
            match round % 3 {
                0 => {
                    let sum = crew.call("crew_sum", &[Value::Bytes(vec![byte; size])]).unwrap();
                    assert_eq!(sum, Value::Int(size as i128 * i128::from(byte)));
                }
                1 => {
                    let numbers = [i128::from(byte), i128::from(thread)];
                    assert_eq!(crew.int("crew_add", &numbers).unwrap(), numbers[0] + numbers[1]);
                }
                _ => {
                    let list: Vec<Vec<u8>> = (0..20).map(|it| vec![byte ^ it; size.min(3000) + 1]).collect();
                    let sums = list.iter().map(|data| data.iter().map(|&byte| u64::from(byte)).sum::<u64>());
                    assert_eq!(crew.sums(&list).unwrap(), sums.collect::<Vec<_>>());
                }
            }
        }
    });
    assert_eq!(crew.session.generation(), 1);
}

#[test]
fn errno_is_that_of_the_call() {
    let crew = Crew::of(2);
    let errors = on_threads(2, |thread| crew.int("crew_fail", &[11 + i128::from(thread)]).unwrap_err());
    let numbers = errors.iter().map(|error| match error.cause() {
        Cause::Library { errno, .. } => *errno,
        other => panic!("{other:?}"),
    });
    assert_eq!(numbers.collect::<Vec<_>>(), [11, 12]);
}

/// What a call in the library, and one beside it, come to when that one is at fault.
fn beside_fault(crew: &Crew, how: i128) -> (Error, Error) {
    let member = crew.hire(7).unwrap();
    thread::scope(|scope| {
        let stays = scope.spawn(|| crew.of_member("crew_stay", &member, &[LONG]).unwrap_err());
        wait_until("it does not stay", || crew.int("crew_staying", &[]).unwrap() == 1);
        let faulty = crew.within(Duration::from_millis(300)).int("crew_fault", &[how]).unwrap_err();
        (faulty, stays.join().unwrap())
    })
}

#[test]
fn a_fault_is_that_of_its_call_and_the_others_are_told_which() {
    let crew = Crew::of(3);
    let kinds =
        [ErrorKind::Crashed, ErrorKind::Crashed, ErrorKind::Exited, ErrorKind::Hung, ErrorKind::Crashed];
    for (how, kind) in kinds.into_iter().enumerate() {
        let generation = crew.session.generation();
        let worker = crew.session.worker_pid();
        let (faulty, other) = beside_fault(&crew, how as i128);
        assert_eq!((faulty.kind(), faulty.function()), (kind, "crew_fault"), "{how}: {faulty}");
        if how == 4 {
            assert!(matches!(faulty.cause(), Cause::Signal { stack_overflow: true, .. }), "{faulty:?}");
        }
        assert_eq!((other.kind(), other.function()), (ErrorKind::WorkerLost, "crew_stay"), "{how}: {other}");
        let suspect = Cause::Suspect { function: "crew_fault".into(), call_id: faulty.call_id() };
        assert_eq!(*other.cause(), suspect, "{how}: {other}");
        assert_eq!(other.executed(), Executed::Maybe);
        assert_eq!(other.to_json()["cause"]["suspect"], "crew_fault");
        // The next calls are right, on as many threads.
        assert_eq!(on_threads(3, |_| crew.int("crew_meet", &[3, LONG]).unwrap()), [0; 3]);
        assert_eq!(crew.session.generation(), generation + 1);
        wait_until("the worker is left", || !worker.is_some_and(alive));
    }
}

/// Whichever thread it is on: the first one of the worker, or another.
#[test]
fn a_fault_is_found_on_every_lane() {
    let crew = Crew::of(2);
    for _ in 0..8 {
        let barrier = Barrier::new(2);
        let errors = on_threads(2, |thread| {
            crew.each(1, |_| {
                barrier.wait();
                if thread == 0 {
                    return crew.int("crew_fault", &[0]).map_err(|error| error.to_string());
                }
                crew.int("crew_meet", &[2, LONG]).map_err(|error| error.to_string())
            })
            .unwrap_err()
        });
        assert_eq!(errors[0].kind(), ErrorKind::Crashed, "{}", errors[0]);
        assert_eq!(errors[1].kind(), ErrorKind::WorkerLost, "{}", errors[1]);
        assert!(matches!(errors[1].cause(), Cause::Suspect { function, .. } if function == "crew_fault"));
    }
}

#[test]
fn an_object_in_use_on_another_thread_cannot_go() {
    let crew = Crew::of(3);
    let member = crew.hire(5).unwrap();
    thread::scope(|scope| {
        let stays = scope.spawn(|| crew.of_member("crew_stay", &member, &[LONG]).unwrap());
        wait_until("it does not stay", || crew.int("crew_staying", &[]).unwrap() == 1);
        let error = crew.of_member("crew_dismiss", &member, &[]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        assert!(error.message().contains("on another thread"), "{error}");
        // To be used by both is another matter.
        assert_eq!(crew.of_member("crew_number", &member, &[]).unwrap(), 5);
        crew.int("crew_call_off", &[]).unwrap();
        assert_eq!(stays.join().unwrap(), 5);
    });
    crew.of_member("crew_dismiss", &member, &[]).unwrap();
    assert_eq!(crew.int("crew_count", &[]).unwrap(), 0);
    let error = crew.of_member("crew_number", &member, &[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StaleHandle, "{error}");
}

/// Another call may be lent an object, and read, before the one is read that made it.
#[test]
fn a_new_object_that_another_call_was_lent_first_is_whose_it_is() {
    let crew = Crew::of(2);
    let mut hire = crew.session.call(crew.index("crew_hire")).unwrap();
    hire.put_i32(0, 5);
    let mut hired = hire.finish().unwrap();
    // On the other lane.
    let Value::Handle(lent) = crew.call("crew_newest", &[]).unwrap() else { panic!("there is one") };
    let member = hired.handle(0, 1, true, None).unwrap();
    drop(hired);
    assert_eq!(crew.session.generation(), 1);
    assert_eq!((lent.is_owned(), member.is_owned()), (false, true));
    let Value::Handle(known) = crew.call("crew_newest", &[]).unwrap() else { panic!("there is one") };
    assert!(known.is_owned() && known == lent, "one handle is one object");
    drop(known);
    assert_eq!(crew.of_member("crew_number", &lent, &[]).unwrap(), 5);
    drop(member);
    wait_until("it is left", || crew.int("crew_count", &[]).unwrap() == 0);
    let error = crew.of_member("crew_number", &lent, &[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StaleHandle, "{error}");
}

#[test]
fn objects_are_made_and_dropped_by_all_threads() {
    let crew = Crew::of(3);
    let most = AtomicI64::new(0);
    on_threads(5, |thread| {
        let mut kept = Vec::new();
        for number in 0..300 {
            let member = crew.hire(number * 10 + i128::from(thread)).unwrap();
            assert_eq!(crew.of_member("crew_number", &member, &[]).unwrap() % 10, i128::from(thread));
            if number % 3 == 0 {
                kept.push(member);
            }
            if number % 50 == 49 {
                most.fetch_max(crew.int("crew_count", &[]).unwrap() as i64, Ordering::Relaxed);
                kept.clear();
            }
        }
    });
    assert!(most.into_inner() > 10);
    wait_until("an object is left", || crew.int("crew_count", &[]).unwrap() == 0);
    assert_eq!(crew.session.generation(), 1);
}

/// What an application drops on a thread that has not used the worker yet goes all the same.
#[test]
fn a_thread_that_never_called_can_drop_an_object() {
    let crew = Crew::of(4);
    let members: Vec<_> = (0..20).map(|number| crew.hire(number).unwrap()).collect();
    let stays = crew.hire(100).unwrap();
    thread::scope(|scope| {
        // It has the lane that all were made on.
        let stays = scope.spawn(|| crew.of_member("crew_stay", &stays, &[LONG]).unwrap());
        wait_until("it does not stay", || crew.int("crew_staying", &[]).unwrap() == 1);
        members.into_iter().for_each(|member| {
            scope.spawn(move || drop(member));
        });
        wait_until("an object is left", || crew.int("crew_count", &[]).unwrap() == 1);
        crew.int("crew_call_off", &[]).unwrap();
        stays.join().unwrap();
    });
}

#[test]
fn callbacks_run_on_each_waiting_thread_and_calls_from_them_stay_on_its_lane() {
    let crew = Crew::of(3);
    on_threads(3, |thread| {
        let here = thread::current().id();
        for round in 0..30 {
            let mut own = None;
            let sum = crew.each(5, |number| {
                assert_eq!(thread::current().id(), here);
                let inside = crew.int("crew_thread", &[]).map_err(|error| error.to_string())?;
                assert_eq!(
                    *own.get_or_insert(inside),
                    inside,
                    "it would be another thread than the library is on"
                );
                let deeper =
                    crew.each(2, |_| crew.int("crew_thread", &[]).map_err(|error| error.to_string()));
                assert_eq!(deeper.unwrap(), 2 * inside);
                Ok(number * i128::from(thread + round))
            });
            assert_eq!(sum.unwrap(), 10 * i128::from(thread + round));
        }
    });
}

#[test]
fn a_callback_leaves_other_lanes_to_other_threads() {
    let crew = Crew::of(2);
    let sum = crew.each(3, |number| {
        let others = on_threads(2, |thread| crew.int("crew_add", &[number, i128::from(thread)]).unwrap());
        Ok(others.into_iter().sum())
    });
    assert_eq!(sum.unwrap(), 9);
}

#[test]
fn a_callback_that_the_library_keeps_runs_one_at_a_time_whoever_calls() {
    let crew = Crew::of(3);
    let member = crew.hire(1).unwrap();
    let (inside, asked) = (AtomicU32::new(0), Arc::new(AtomicU32::new(0)));
    let counts = Arc::clone(&asked);
    crew.on_ask(&member, move |number| {
        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "it runs twice");
        counts.fetch_add(1, Ordering::SeqCst);
        thread::yield_now();
        inside.fetch_sub(1, Ordering::SeqCst);
        Ok(number + 1)
    })
    .unwrap();
    on_threads(3, |thread| {
        for round in 0..200 {
            let number = i128::from(thread) * 1000 + round;
            assert_eq!(crew.of_member("crew_ask", &member, &[number]).unwrap(), number + 1);
        }
    });
    assert_eq!(asked.load(Ordering::SeqCst), 600);
    assert_eq!(crew.session.generation(), 1);
}

#[test]
fn a_thread_with_a_call_that_is_not_finished_takes_another_lane_while_there_is_one() {
    let crew = Crew::of(2);
    let interface = |crew: &Crew| crew.int("crew_add", &[4, 5]);
    let first = crew.session.call(0).unwrap();
    assert_eq!(interface(&crew).unwrap(), 9);
    let second = crew.session.call(0).unwrap();
    let before = Instant::now();
    let error = interface(&crew).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(error.message().contains("not finished"), "{error}");
    assert!(before.elapsed() < Duration::from_secs(20), "it would wait for itself");
    drop((first, second));
    assert_eq!(interface(&crew).unwrap(), 9);
}

#[test]
fn limits_are_each_calls_own() {
    let options = Options { callers: 2, max_callbacks: 50, ..Options::default() };
    let crew = Crew::with(options);
    // Together they are more.
    let sums = on_threads(2, |_| (0..3).map(|_| crew.each(40, Ok).unwrap()).sum::<i128>());
    assert_eq!(sums, [3 * 780; 2]);
    let error = crew.each(51, Ok).unwrap_err();
    assert!(matches!(error.cause(), Cause::Limit { what: LimitExceededReason::Callbacks, .. }), "{error:?}");
    assert_eq!(crew.int("crew_add", &[1, 2]).unwrap(), 3);
}

#[test]
fn a_spare_takes_over_for_all_threads() {
    let crew = Crew::with(Options { callers: 3, spares: 1, ..Options::default() });
    for generation in 2..5 {
        on_threads(3, |_| crew.int("crew_meet", &[3, LONG]).unwrap());
        crew.int("crew_fault", &[1]).unwrap_err();
        on_threads(3, |_| crew.int("crew_meet", &[3, LONG]).unwrap());
        assert_eq!(crew.session.generation(), generation);
    }
}

#[test]
fn what_is_dropped_in_a_callback_goes_when_the_call_has_returned() {
    let crew = Crew::of(3);
    let mut members = (0..3).map(|number| crew.hire(number).unwrap()).collect::<Vec<_>>();
    // The release would wait for the room, which this call has.
    let sum = crew.each_of("crew_each_in_room", 3, |number| {
        drop(members.pop());
        crew.int("crew_add", &[number, 1]).map_err(|error| error.to_string())
    });
    assert_eq!(sum.unwrap(), 6);
    wait_until("an object is left", || crew.int("crew_count", &[]).unwrap() == 0);
    assert_eq!(crew.session.generation(), 1);
}

#[test]
fn who_drops_an_object_does_not_wait_for_what_another_call_holds() {
    let crew = Crew::of(3);
    let member = crew.hire(1).unwrap();
    let (begun, begins) = channel::<()>();
    let (end, ends) = channel::<()>();
    thread::scope(|scope| {
        let held = crew.clone();
        let holds = scope.spawn(move || {
            held.each_of("crew_each_in_room", 1, |_| {
                begun.send(()).unwrap();
                ends.recv().map_err(|error| error.to_string())?;
                Ok(5)
            })
        });
        begins.recv().unwrap();
        drop(member);
        // Nor do calls of others.
        assert_eq!(scope.spawn(|| crew.int("crew_add", &[1, 2])).join().unwrap().unwrap(), 3);
        assert_eq!(crew.int("crew_count", &[]).unwrap(), 1, "it waits for the room");
        end.send(()).unwrap();
        assert_eq!(holds.join().unwrap().unwrap(), 5);
    });
    wait_until("an object is left", || crew.int("crew_count", &[]).unwrap() == 0);
    assert_eq!(crew.session.generation(), 1);
}

#[test]
fn a_worker_without_room_for_another_thread_says_so_and_goes_on() {
    // The stacks of threads count.
    let limits = Limits { data: Some(40 << 20), ..Limits::default() };
    let crew = Crew::with(Options { callers: 12, limits, ..Options::default() });
    let barrier = Barrier::new(12);
    let met = on_threads(12, |_| {
        let waits = crew.each(1, |_| {
            barrier.wait();
            Ok(1)
        });
        if waits.is_err() {
            barrier.wait();
        }
        waits
    });
    let (fine, refused): (Vec<_>, Vec<_>) = met.into_iter().partition(Result::is_ok);
    assert!(!fine.is_empty() && !refused.is_empty(), "{fine:?} {refused:?}");
    for error in refused.into_iter().map(Result::unwrap_err) {
        assert!(
            matches!(error.cause(), Cause::Limit { what: LimitExceededReason::Threads, .. }),
            "{error:?}"
        );
        assert_eq!(error.executed(), Executed::No);
    }
    assert_eq!(crew.session.generation(), 1);
    assert_eq!(crew.int("crew_add", &[1, 2]).unwrap(), 3);
}

#[test]
fn a_child_of_the_library_exits_in_peace() {
    for callers in [1, 2] {
        // Others deny it to fork.
        let sandbox = Some(Sandbox::of(Profile::Basic));
        let crew = Crew::with(Options { callers, sandbox, ..Options::default() });
        assert_eq!(crew.int("crew_fork", &[]).unwrap(), 0);
        assert_eq!(crew.session.generation(), 1);
    }
}

#[test]
fn a_batch_is_to_blame_or_is_told_who_is() {
    let crew = Crew::of(3);
    let beside = |crew: &Crew, fault: &(dyn Fn() -> Error + Sync)| {
        thread::scope(|scope| {
            let victim = scope
                .spawn(|| crew.ints_of_batch(&[("crew_count", 0), ("crew_meet_one", 3), ("crew_count", 0)]));
            wait_until("it is not inside", || crew.int("crew_waiting", &[]).unwrap() == 1);
            let error = fault();
            (error, victim.join().unwrap().unwrap())
        })
    };
    let (error, victims) = beside(&crew, &|| crew.int("crew_fault", &[0]).unwrap_err());
    assert_eq!(error.kind(), ErrorKind::Crashed);
    for victim in victims {
        let victim = victim.unwrap_err();
        assert!(
            matches!(victim.cause(), Cause::Suspect { function, .. } if function == "crew_fault"),
            "{victim:?}"
        );
    }
    let (error, victims) = beside(&crew, &|| {
        let mut outcomes = crew.ints_of_batch(&[("crew_count", 0), ("crew_fault", 0)]).unwrap();
        outcomes.pop().unwrap().unwrap_err()
    });
    assert_eq!((error.kind(), error.function()), (ErrorKind::Crashed, "crew_fault"), "{error}");
    for victim in victims {
        let victim = victim.unwrap_err();
        assert!(
            matches!(victim.cause(), Cause::Suspect { function, .. } if function == "a batch"),
            "{victim:?}"
        );
    }
    assert_eq!(crew.int("crew_add", &[1, 2]).unwrap(), 3);
}
