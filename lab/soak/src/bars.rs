//! What faults cost, measured by itself before clients call: each figure beside its bar.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hotcell::dynamic::Value;
use hotcell::{Cause, ErrorKind, Options, Reload, Restart, Result, UnavailableReason};
use rustix::process::{Pid, Signal, kill_process};

use crate::subject::Subject;

/// A figure, and what it is to be at most.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bar {
    pub(crate) name: &'static str,
    pub(crate) found: f64,
    pub(crate) most: f64,
    pub(crate) unit: &'static str,
}

impl Bar {
    pub(crate) fn holds(&self) -> bool {
        self.found <= self.most
    }
}

/// How often each is tried.
const TIMES: usize = 30;

/// How long something is waited for that has to come.
const PATIENCE: Duration = Duration::from_secs(20);

const NUMBERS: [Value; 2] = [Value::Int(20), Value::Int(22)];

fn options() -> Options {
    Options { restart: Restart::ALWAYS, ..Options::default() }
}

/// Measures all of them.
pub(crate) fn measure() -> Result<Vec<Bar>> {
    let bar = |name, found, most, unit| Bar { name, found, most, unit };
    let (median, most) = hang_ends()?;
    Ok(vec![
        bar("a crash is seen by its caller, median", milliseconds(crash_is_seen()?), 5.0, "ms"),
        bar("a hang ends behind its deadline, median", milliseconds(median), 50.0, "ms"),
        bar("a hang ends behind its deadline, at most", milliseconds(most), 50.0, "ms"),
        bar("the next good call with a warm spare, median", milliseconds(next_is_good()?), 1.0, "ms"),
        bar("a call that the breaker refuses, median", refusal()?.as_secs_f64() * 1e6, 10.0, "µs"),
        bar("calls that fail in 20 reloads under load", failed_by_reloads()? as f64, 0.0, "calls"),
    ])
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or(Duration::MAX)
}

fn wait_until(mut done: impl FnMut() -> bool) {
    let patience = Instant::now() + PATIENCE;
    while !done() && Instant::now() < patience {
        thread::sleep(Duration::from_millis(1));
    }
}

/// From a signal that ends the worker to the error of the call that is under way.
fn crash_is_seen() -> Result<Duration> {
    let subject = Subject::with(options())?;
    let mut times = Vec::new();
    for _ in 0..TIMES {
        subject.call("add", &NUMBERS)?;
        let before = subject.session.stats().calls;
        let process = subject.session.worker_pid().and_then(|pid| Pid::from_raw(pid.cast_signed()));
        let Some(process) = process else { continue };
        thread::scope(|scope| {
            let call = scope.spawn(|| {
                let made = subject.call("sleep", &[Value::Int(20_000)]);
                (made, Instant::now())
            });
            wait_until(|| subject.session.stats().calls > before);
            // Its worker is asleep in it.
            thread::sleep(Duration::from_millis(3));
            let killed = Instant::now();
            let signalled = kill_process(process, Signal::KILL).is_ok();
            let (made, seen) = call.join().expect("a call does not panic");
            if signalled && made.is_err_and(|error| error.kind() == ErrorKind::Crashed) {
                times.push(seen.saturating_duration_since(killed));
            }
        });
    }
    Ok(median(times))
}

/// How long a call behind one that crashed takes where a worker is ready.
fn next_is_good() -> Result<Duration> {
    let subject = Subject::with(Options { spares: 1, ..options() })?;
    let mut times = Vec::new();
    for _ in 0..TIMES {
        wait_until(|| subject.session.stats().spares == 1);
        // It has been begun then, and comes up meanwhile.
        thread::sleep(Duration::from_millis(100));
        if subject.call("abort", &[]).is_err_and(|error| error.kind() == ErrorKind::Crashed) {
            let began = Instant::now();
            subject.call("add", &NUMBERS)?;
            times.push(began.elapsed());
        }
    }
    Ok(median(times))
}

/// How long behind its deadline a call ends that hangs: the median, and the longest.
fn hang_ends() -> Result<(Duration, Duration)> {
    const DEADLINE: Duration = Duration::from_millis(50);
    let subject = Subject::with(Options { spares: 1, ..options() })?;
    let short = subject.through(subject.session.within(DEADLINE));
    let mut times = Vec::new();
    for _ in 0..TIMES {
        subject.call("add", &NUMBERS)?;
        let began = Instant::now();
        if short.call("loop", &[]).is_err_and(|error| error.kind() == ErrorKind::Hung) {
            times.push(began.elapsed().saturating_sub(DEADLINE));
        }
    }
    let most = times.iter().max().copied().unwrap_or(Duration::MAX);
    Ok((median(times), most))
}

/// How long a call takes that the breaker refuses.
fn refusal() -> Result<Duration> {
    let restart = Restart { faults: 3, pause: Duration::from_secs(20), ..Restart::default() };
    let subject = Subject::with(Options { restart, ..Options::default() })?;
    let mut times = Vec::new();
    for _ in 0..restart.faults {
        subject.call("abort", &[]).expect_err("abort() does not return");
    }
    for _ in 0..1000 {
        let began = Instant::now();
        let made = subject.call("add", &NUMBERS);
        let took = began.elapsed();
        let open = Cause::Unavailable { reason: UnavailableReason::BreakerOpen };
        if made.is_err_and(|error| *error.cause() == open) {
            times.push(took);
        }
    }
    Ok(median(times))
}

/// How many calls fail while their library is loaded anew twenty times.
fn failed_by_reloads() -> Result<u64> {
    const RELOADS: u32 = 20;
    let subject = Subject::with(options())?;
    let (failed, calls, done) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let right =
                        subject.call("add", &NUMBERS).is_ok_and(|sum| sum.returned == Some(Value::Int(42)));
                    failed.fetch_add(u64::from(!right), Ordering::Relaxed);
                    calls.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let reload = || {
            for _ in 0..RELOADS {
                let made = calls.load(Ordering::Relaxed);
                subject.session.reload(&Reload::default())?;
                wait_until(|| calls.load(Ordering::Relaxed) > made + 20);
            }
            Ok(())
        };
        let reloaded = reload();
        done.store(true, Ordering::Relaxed);
        reloaded
    })?;
    Ok(failed.into_inner())
}
