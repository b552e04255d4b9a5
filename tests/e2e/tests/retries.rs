//! Calls that are made again: those of functions of which the contract says that twice is as good as once, and those for which
//! no worker could be had.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hotcell::dynamic::{KeptFunction, Value};
use hotcell::{
    Breaker, Cancel, Cause, ErrorKind, Executed, Options, Quarantine, Restart, Retries, UnavailableReason,
};
use hotcell_e2e::brittle::Brittle;

/// Awaits on this thread.
fn block_on<T>(task: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(task)
}

/// No breaker, and no quarantine: what is counted here is tries.
fn options() -> Options {
    Options { restart: Restart::ALWAYS, quarantine: Quarantine::off(), ..Options::default() }
}

fn faults(brittle: &Brittle) -> u64 {
    brittle.session.stats().faults.iter().map(|(_, count)| count).sum()
}

#[test]
fn a_call_of_an_idempotent_function_is_made_again_where_its_worker_ends() {
    let brittle = Brittle::open(options());
    // Every fifth call of a worker's life aborts, and is the first of the next worker then.
    for number in 0..41 {
        assert_eq!(brittle.int("twice", &[number, 5]).unwrap(), 2 * number);
    }
    let stats = brittle.session.stats();
    assert_eq!((stats.retries, stats.recovered, faults(&brittle)), (10, 10, 10));
    assert_eq!(stats.faults, [(ErrorKind::Crashed, 10)]);
    assert_eq!((stats.restarts, stats.calls), (10, 51));
    let json = stats.to_json();
    assert_eq!((&json["retries"], &json["recovered"]), (&10.into(), &10.into()));
}

#[test]
fn one_of_another_function_is_not() {
    let brittle = Brittle::open(options());
    let error = brittle.int("twice_once", &[1, 1]).unwrap_err();
    assert_eq!((error.kind(), error.executed(), error.tries()), (ErrorKind::Crashed, Executed::Maybe, 1));
    assert_eq!((brittle.session.stats().retries, brittle.session.stats().calls), (0, 1));
}

#[test]
fn tries_have_an_end_and_the_error_says_how_many_there_were() {
    // The contract says three.
    let brittle = Brittle::open(options());
    let error = brittle.int("twice", &[1, 1]).unwrap_err();
    assert_eq!((error.kind(), error.executed(), error.tries()), (ErrorKind::Crashed, Executed::Maybe, 3));
    assert_eq!((error.function(), error.generation()), ("brittle_twice", 3));
    assert!(error.to_string().ends_with("(tried 3 times)"), "{error}");
    assert!(error.call_site().unwrap().file().ends_with("brittle.rs"), "{error:?}");
    let stats = brittle.session.stats();
    assert_eq!((stats.retries, stats.recovered, stats.calls, faults(&brittle)), (2, 0, 3, 3));
    // The options say otherwise.
    for (tries, retries) in [(1, Retries::NEVER), (5, Retries { tries: 5, ..Retries::default() })] {
        let brittle = Brittle::open(Options { retries: Some(retries), ..options() });
        assert_eq!(brittle.int("twice", &[1, 1]).unwrap_err().tries(), tries);
        assert_eq!(faults(&brittle), u64::from(tries));
    }
}

#[test]
fn no_call_fails_while_workers_are_killed_under_load() {
    const CALLERS: i128 = 4;
    let brittle = Brittle::open(Options {
        spares: 1,
        retries: Some(Retries { tries: 100, ..Retries::default() }),
        ..options()
    });
    let (over, made) = (AtomicBool::new(false), AtomicU64::new(0));
    let killed = thread::scope(|scope| {
        for caller in 0..CALLERS {
            let (brittle, over, made) = (&brittle, &over, &made);
            scope.spawn(move || {
                let mut number = caller;
                while !over.load(Ordering::Relaxed) {
                    assert_eq!(brittle.int("slowly", &[number, 1]).unwrap(), number);
                    (number, _) = (number + CALLERS, made.fetch_add(1, Ordering::Relaxed));
                }
            });
        }
        let mut killed = 0;
        let mut last = 0;
        while killed < 30 {
            let before = made.load(Ordering::Relaxed);
            let watchdog = Instant::now() + Duration::from_secs(20);
            while made.load(Ordering::Relaxed) < before + 5 {
                assert!(Instant::now() < watchdog, "calls go on");
                thread::sleep(Duration::from_millis(1));
            }
            let Some(pid) = brittle.session.worker_pid().filter(|pid| *pid != last) else { continue };
            let process = rustix::process::Pid::from_raw(pid.cast_signed()).unwrap();
            if rustix::process::kill_process(process, rustix::process::Signal::KILL).is_ok() {
                (killed, last) = (killed + 1, pid);
            }
        }
        over.store(true, Ordering::Relaxed);
        killed
    });
    let stats = brittle.session.stats();
    // Where no call was under way nobody met it.
    assert!((1..=killed).contains(&faults(&brittle)), "{stats:?}");
    assert_eq!(stats.retries, faults(&brittle), "{stats:?}");
    // One call may have met two of them.
    assert!((1..=stats.retries).contains(&stats.recovered), "{stats:?}");
    assert_eq!(stats.calls, made.load(Ordering::Relaxed) + stats.retries);
}

#[test]
fn tries_end_with_the_deadline() {
    let brittle = Brittle::open(options());
    // All of the time is gone.
    let error =
        brittle.through(brittle.session.within(Duration::from_millis(50))).int("hang", &[]).unwrap_err();
    assert_eq!((error.kind(), error.tries()), (ErrorKind::Hung, 1));
    assert_eq!((brittle.session.stats().retries, faults(&brittle)), (0, 1));
    // What is left of it is all that the next try has: it does not come back within its own time.
    let most = Retries { tries: u32::MAX, ..Retries::default() };
    let brittle = Brittle::open(Options { retries: Some(most), ..options() });
    let begun = Instant::now();
    let time = Duration::from_millis(200);
    let error = brittle.through(brittle.session.within(time)).int("twice", &[1, 1]).unwrap_err();
    assert!(begun.elapsed() >= time, "{:?}", begun.elapsed());
    assert!(matches!(error.kind(), ErrorKind::Crashed | ErrorKind::Hung), "{error}");
    let stats = brittle.session.stats();
    assert!(error.tries() > 1 && stats.retries == u64::from(error.tries()) - 1, "{error} {stats:?}");
}

#[test]
fn a_call_in_which_the_library_called_back_is_not_made_again() {
    let brittle = Brittle::open(options());
    let mut asked = 0;
    let error = brittle.ask(&mut |_, _| {
        asked += 1;
        Ok(Value::Int(1))
    });
    assert_eq!((error.unwrap_err().kind(), asked), (ErrorKind::Crashed, 1));
    assert_eq!(brittle.session.stats().retries, 0);
}

#[test]
fn nor_is_one_in_which_it_called_a_function_that_it_keeps() {
    let brittle = Brittle::open(options());
    assert_eq!(brittle.int("ask_kept", &[3]).unwrap(), 3);
    let asked = Arc::new(AtomicU64::new(0));
    let theirs = Arc::clone(&asked);
    let function = KeptFunction::new(move |_| {
        theirs.fetch_add(1, Ordering::Relaxed);
        Ok(Value::Int(1))
    });
    let sum = brittle.call("begin", &[]).unwrap();
    // It is kept until that has gone.
    brittle.call("on_ask", &[sum.clone(), Value::Kept(function)]).unwrap();
    let error = brittle.int("ask_kept", &[3]).unwrap_err();
    assert_eq!((error.kind(), error.tries()), (ErrorKind::Crashed, 1));
    assert_eq!((asked.load(Ordering::Relaxed), brittle.session.stats().retries), (1, 0));
    drop(sum);
    // The next worker has no such function.
    assert_eq!(brittle.int("ask_kept", &[4]).unwrap(), 4);
}

#[test]
fn nor_is_one_of_a_library_whose_threads_may_call_back() {
    let brittle = Brittle::open(options());
    let told = Arc::new(AtomicU64::new(0));
    let theirs = Arc::clone(&told);
    let function = KeptFunction::new(move |_| {
        theirs.fetch_add(1, Ordering::Relaxed);
        Ok(Value::Int(1))
    });
    let sum = brittle.call("begin", &[]).unwrap();
    brittle.call("on_tell", &[sum.clone(), Value::Kept(function)]).unwrap();
    let error = brittle.int("tell", &[1]).unwrap_err();
    assert_eq!((error.kind(), error.executed(), error.tries()), (ErrorKind::Crashed, Executed::Maybe, 1));
    assert_eq!((told.load(Ordering::Relaxed), brittle.session.stats().retries), (1, 0));
    drop(sum);
    // The next worker has no such function: as often as the contract says.
    assert_eq!(brittle.int("tell", &[1]).unwrap_err().tries(), 3);
}

#[test]
fn a_call_on_an_object_is_not_made_again() {
    let brittle = Brittle::open(options());
    let sum = brittle.call("begin", &[]).unwrap();
    let good = Value::Bytes(vec![1, 2, 3]);
    assert_eq!(brittle.call("add", &[sum.clone(), good.clone()]).unwrap(), Value::Int(6));
    let error = brittle.call("add", &[sum.clone(), Value::Bytes(vec![0xEE])]).unwrap_err();
    assert_eq!((error.kind(), error.tries()), (ErrorKind::Crashed, 1));
    assert_eq!(brittle.call("add", &[sum, good]).unwrap_err().kind(), ErrorKind::StaleHandle);
    assert_eq!(brittle.session.stats().retries, 0);
}

#[test]
fn a_call_that_is_given_up_is_not_made_again() {
    let brittle = Brittle::open(Options {
        retries: Some(Retries { tries: u32::MAX, ..Retries::default() }),
        ..options()
    });
    let cancel = Cancel::new();
    let error = thread::scope(|scope| {
        let session = brittle.session.cancelled_by(&cancel);
        let calls = scope.spawn(|| brittle.through(session).int("twice", &[1, 1]).unwrap_err());
        let watchdog = Instant::now() + Duration::from_secs(20);
        while brittle.session.stats().retries < 3 {
            assert!(Instant::now() < watchdog, "it is made again");
            thread::sleep(Duration::from_millis(1));
        }
        cancel.cancel();
        calls.join().unwrap()
    });
    assert!(matches!(error.kind(), ErrorKind::Crashed | ErrorKind::Cancelled), "{error}");
    assert!(error.tries() >= 4, "{error}");
}

#[test]
fn calls_of_tasks_are_made_again_too() {
    let brittle = Brittle::open(options());
    block_on(async {
        for number in 0..21 {
            let args = [Value::Int(number), Value::Int(5)];
            assert_eq!(brittle.call_awaited("twice", &args).await.unwrap(), Value::Int(2 * number));
        }
        let error = brittle.call_awaited("twice", &[Value::Int(1), Value::Int(1)]).await.unwrap_err();
        assert_eq!((error.kind(), error.tries()), (ErrorKind::Crashed, 3));
    });
    let stats = brittle.session.stats();
    assert_eq!((stats.retries, stats.recovered, faults(&brittle)), (5 + 2, 5, 5 + 3));
}

/// A session whose breaker is open for long, and whose calls wait for that.
fn broken() -> Brittle {
    let restart = Restart { faults: 1, pause: Duration::from_secs(20), ..Restart::default() };
    let retries = Retries { breaker: true, ..Retries::NEVER };
    let brittle = Brittle::open(Options { retries: Some(retries), restart, ..options() });
    assert_eq!(brittle.int("break", &[1]).unwrap_err().kind(), ErrorKind::Crashed);
    brittle
}

/// Waits until a call waits for the breaker.
fn wait_for_a_pause(brittle: &Brittle) {
    let watchdog = Instant::now() + Duration::from_secs(20);
    while brittle.session.stats().restarted == 0 {
        assert!(Instant::now() < watchdog, "it waits for the breaker");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn who_waits_for_the_breaker_holds_nobody_up_and_can_be_given_up() {
    let brittle = broken();
    let is_open = |error: hotcell::Error| {
        let cause = error.cause();
        assert!(matches!(cause, Cause::Unavailable { reason: UnavailableReason::BreakerOpen }), "{error}");
    };
    let short = brittle.through(brittle.session.within(Duration::from_secs(5)));
    let cancel = Cancel::new();
    thread::scope(|scope| {
        let session = brittle.session.cancelled_by(&cancel).within(Duration::from_secs(60));
        let waits = scope.spawn(|| brittle.through(session).int("break", &[0]).unwrap_err());
        wait_for_a_pause(&brittle);
        // There is one seat. Its time is not enough, and it fails at once.
        is_open(short.int("break", &[0]).unwrap_err());
        cancel.cancel();
        let error = waits.join().unwrap();
        assert_eq!((error.kind(), error.executed()), (ErrorKind::Cancelled, Executed::No), "{error}");
    });
    assert!(matches!(brittle.session.breaker(), Breaker::Open(_)), "nobody has waited for it");
}

#[test]
fn nor_does_a_task() {
    let brittle = broken();
    let cancel = Cancel::new();
    let long = brittle.session.cancelled_by(&cancel).within(Duration::from_secs(60));
    let (long, short) =
        (brittle.through(long), brittle.through(brittle.session.within(Duration::from_secs(5))));
    block_on(async {
        let waits = async { long.call_awaited("break", &[Value::Int(0)]).await.unwrap_err() };
        let others = async {
            while brittle.session.stats().restarted == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let error = short.call_awaited("break", &[Value::Int(0)]).await.unwrap_err();
            let cause = error.cause();
            assert!(
                matches!(cause, Cause::Unavailable { reason: UnavailableReason::BreakerOpen }),
                "{error}"
            );
            cancel.cancel();
        };
        let (error, ()) = tokio::join!(waits, others);
        assert_eq!((error.kind(), error.executed()), (ErrorKind::Cancelled, Executed::No), "{error}");
    });
}

#[test]
fn a_call_waits_for_the_breaker_where_the_options_say_so() {
    let restart = Restart { faults: 1, pause: Duration::from_millis(100), ..Restart::default() };
    let retries = Retries { breaker: true, ..Retries::NEVER };
    let waits = Brittle::open(Options { retries: Some(retries), restart, ..options() });
    assert_eq!(waits.int("break", &[1]).unwrap_err().kind(), ErrorKind::Crashed);
    let is_open = |error: hotcell::Error| {
        let open = matches!(error.cause(), Cause::Unavailable { reason: UnavailableReason::BreakerOpen });
        (open, error.executed()) == (true, Executed::No)
    };
    // The fault is noted when a worker is looked for.
    let short = waits.through(waits.session.within(Duration::from_millis(30)));
    assert!(is_open(short.int("break", &[0]).unwrap_err()), "its time is not enough");
    assert!(matches!(waits.session.breaker(), Breaker::Open(_)));
    assert_eq!(waits.int("break", &[0]).unwrap(), 0);
    assert!(waits.session.stats().restarted > 0);
    // And a task.
    assert_eq!(waits.int("break", &[1]).unwrap_err().kind(), ErrorKind::Crashed);
    let waited = block_on(async { waits.call_awaited("break", &[Value::Int(0)]).await });
    assert_eq!(waited.unwrap(), Value::Int(0));

    let refused = Brittle::open(Options { restart, ..options() });
    assert_eq!(refused.int("break", &[1]).unwrap_err().kind(), ErrorKind::Crashed);
    assert!(is_open(refused.int("break", &[0]).unwrap_err()));
    assert_eq!(refused.session.stats().restarted, 0);
}
