//! What happens to workers and hosts from outside.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hotcell::{ErrorKind::*, Profile, Restart, Sandbox, rt};
use hotcell_faulty::carried;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

use crate::host::{ASLEEP, Host};
use crate::leaks::is_stopped;
use crate::row::End::*;
use crate::row::Expected::*;
use crate::row::{Direct, Ran, Row, Stop};
use crate::stage::{Caller, Stage, number, told, wait_for_end, wait_while};
use crate::value::Value;
use crate::via::Via;

pub(crate) const ROWS: &[Row] = &[
    Row::new(
        "V1",
        "kill -9 of a worker in a call",
        Direct::new(&["raise", "9"], Dies("SIGKILL")),
        |stage| in_a_call(stage, Signal::KILL),
        Fails(Crashed, &["SIGKILL", "another process"]),
    ),
    Row::new(
        "V2",
        "kill -9 of a supervisor in a call",
        Direct::NOTHING,
        |stage| host_ends(stage, "in-a-call", Host::kill_supervisor),
        Gives("its worker has ended"),
    ),
    Row::new(
        "V3",
        "kill -9 of a client between calls",
        Direct::NOTHING,
        |stage| host_ends(stage, "idle", Host::kill),
        Gives("its worker has ended"),
    ),
    Row::new(
        "V4",
        "a worker that is stopped from outside",
        Direct::new(&["raise", "19"], Hangs),
        |stage| in_a_call(stage, Signal::STOP),
        Fails(Hung, &["500ms"]),
    ),
    Row::new(
        "V5",
        "a client that is stopped in a callback",
        Direct::NOTHING,
        stopped_in_a_callback,
        Gives(UNANSWERED),
    ),
    Row::new(
        "V6",
        "no place for temporary files",
        Direct::NOTHING,
        |stage| {
            let nowhere = stage.folder()?.join("nowhere");
            Host::start(stage.caller(), "idle", &[("TMPDIR", &nowhere)])?.kill()?;
            Ok("calls work".into())
        },
        Gives("calls work"),
    ),
    Row::skipped("V7", "a clock that jumps by a day", CLOCK),
    Row::new("V8", "a host that forks", Direct::NOTHING, forks, Gives(FORKED))
        .without(&[(Via::Go, "a program in Go cannot fork itself")]),
    Row::new(
        "V9",
        "a host at its limit of descriptors",
        Direct::NOTHING,
        |stage| Host::start(stage.caller(), "no-descriptors", &[])?.said(),
        Gives("LoadFailed, and then a right call"),
    ),
    Row::new(
        "V10",
        "a library that crashes at every start",
        Direct::new(&["add"], Dies("SIGSEGV")).with("FAULTY_CONSTRUCTOR", "crash"),
        crashes_at_start,
        Fails(Unavailable, &["has ended its workers too often", "executed: no"]),
    ),
    Row::new(
        "V11",
        "a worker that cannot be replaced",
        Direct::NOTHING,
        not_replaced,
        Fails(LoadFailed, &[]),
    ),
    Row::new(
        "V12",
        "a hundred random kills under load",
        Direct::NOTHING,
        random_kills,
        Gives("no call failed but those that were killed, and no result was wrong"),
    ),
    Row::new(
        "V13",
        "a package of another version of the contract",
        Direct::NOTHING,
        |stage| {
            if let Caller::There(_) = stage.caller() {
                return Err(Stop::Lacks(ONE_PACKAGE.into()));
            }
            let rt::Package {
                runtime,
                library,
                mut fingerprint,
                functions,
                handles,
                sandbox,
                shim,
                reentrant,
                guard,
            } = *carried().package;
            fingerprint[0] ^= 1;
            let package = rt::Package {
                runtime,
                library,
                fingerprint,
                functions,
                handles,
                sandbox,
                shim,
                reentrant,
                guard,
            };
            let options = stage.options();
            // It is as long-lived as the packages that are compiled in.
            stage.open_package(Box::leak(Box::new(package)), options)?;
            stage.int("add", &[2, 3])
        },
        Fails(AbiMismatch, &[]),
    )
    .without(&[(Via::Go, ONE_PACKAGE), (Via::Python, ONE_PACKAGE)]),
    Row::new(
        "V14",
        "a machine that stands still",
        Direct::NOTHING,
        |stage| match stage.caller() {
            Caller::There(there) if there.language() == Via::Go => Err(Stop::Lacks(STANDS_STILL.into())),
            _ => stands_still(stage),
        },
        Gives("1500, after its deadline"),
    )
    .without(&[(Via::Go, STANDS_STILL)]),
];

const STANDS_STILL: &str = "time in which its process stands still counts for deadlines: that client does not tell it from other time";

/// By the worker's own word: whatever else ends it says something else, or nothing.
const UNANSWERED: &str =
    "its worker has ended, and then Hung: the host has not answered a callback by the deadline of its call";

const CLOCK: &str = "a clock is set for everybody on this machine; `deadlines_hold_while_the_clock_is_moved` and \
                     `no_wait_is_by_the_clock_of_the_day` in tests/e2e prove it";

const ONE_PACKAGE: &str =
    "its program has one package of the library; that others are refused is tested where clients are";

const FORKED: &str = "the child: ForkedClient, and 5 in a session of its own; \
                      the parent: 5 before and 5 after, as if nothing was";

/// A library that comes up, and then crashes at every start until a sign is gone. Its breaker opens; behind that a call works.
fn crashes_at_start(stage: &mut Stage<'_>) -> Ran {
    let sign = stage.folder()?.join("sign");
    let variable = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let restart = Restart { faults: 3, pause: Duration::from_millis(300), ..Restart::default() };
    let (path, pause) = (sign.display().to_string(), restart.pause);
    let session = stage.open(|options| {
        // Without a wall: behind one it does not see the sign.
        options.sandbox = Some(Sandbox::of(Profile::Basic));
        options.environment =
            vec![variable("FAULTY_CONSTRUCTOR", "crash"), variable("FAULTY_CONSTRUCTOR_SIGN", &path)];
        options.restart = restart;
    })?;
    stage.file("sign", b"")?;
    let crashed = stage.int("abort", &[]);
    let (mut late, mut starts_crashed) = (0, true);
    let refused = loop {
        match stage.int("add", &[2, 3]) {
            Err(Stop::Failed(error)) if error.is(LoadFailed) && late < 100 => {
                late += 1;
                starts_crashed &= error.to_string().contains("SIGSEGV");
            }
            other => break other,
        }
    };
    let (open, begun) = (session.stats().breaker_is_open(), session.generation());
    let again = stage.int("add", &[2, 3]);
    let started = session.generation() - begun;
    fs::remove_file(&sign).map_err(Stop::lacks("a temporary file"))?;
    match (crashed, open, again) {
        (Err(Stop::Failed(died)), true, Err(Stop::Failed(again)))
            if died.is(Crashed) && starts_crashed && late > 0 && again.is(Unavailable) && started == 0 => {}
        (crashed, open, again) => {
            return Err(Stop::Wrong(format!(
                "{crashed:?}, {late} starts, {open:?}, {started} more: {again:?}"
            )));
        }
    }
    // By chance it may be twice as long.
    let patience = Instant::now() + pause * 20;
    while session.stats().breaker_is_open() && Instant::now() < patience {
        thread::sleep(pause / 10);
    }
    refused
}

/// Sends the worker a signal while it is in a call, from a callback of that call: so it is there for sure.
fn in_a_call(stage: &mut Stage<'_>, signal: Signal) -> Ran {
    // Of this call alone: behind it a worker is to be had, however long that takes on this machine.
    let session = stage.session()?.within(Duration::from_millis(500));
    let worker = session.worker_pid().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
    let worker = worker.ok_or_else(|| Stop::Wrong("there is no worker".into()))?;
    let mut sent = None;
    let ran = stage.timed(session.timed(
        "outer",
        &[Value::Callback],
        Some(&mut |_| {
            sent.get_or_insert(kill_process(worker, signal));
            Ok(Value::Int(1))
        }),
    ));
    match sent {
        Some(Ok(())) => Ok(told(&ran?)),
        other => Err(Stop::Wrong(format!("no signal was sent: {other:?}"))),
    }
}

/// A host that is killed, or what supervises its worker. In Rust that is a part of the program that calls: what kills one kills
/// the other.
fn host_ends(stage: &mut Stage<'_>, role: &str, kill: fn(Host) -> Result<(), Stop>) -> Ran {
    let host = Host::start(stage.caller(), role, &[])?;
    let worker = host.worker();
    if !fs::exists(format!("/proc/{worker}")).unwrap_or(false) {
        return Err(Stop::Wrong("the worker ended before its host".into()));
    }
    kill(host)?;
    wait_for_end(Some(worker))?;
    reap(worker);
    Ok("its worker has ended".into())
}

/// The worker of a host that does not come back from a callback ends by itself, with the time of the call. The host hears of
/// that when it goes on.
fn stopped_in_a_callback(stage: &mut Stage<'_>) -> Ran {
    let mut host = Host::start(stage.caller(), "in-a-callback", &[])?;
    let worker = host.worker();
    if host.line()? != "called back" {
        return Err(Stop::Wrong("the host was not called back".into()));
    }
    host.send(Signal::STOP)?;
    let ended = wait_for_end(Some(worker));
    host.send(Signal::CONT)?;
    let said = host.said()?;
    ended?;
    // Some say before that word how long that was.
    let said = said.strip_prefix("Hung: ").map(|said| said.trim_start_matches("no reply within 300ms: "));
    Ok(format!("its worker has ended, and then Hung: {}", said.unwrap_or("nothing of it")))
}

/// A child that has inherited a session, and another that it opens for itself, beside its parent.
fn forks(stage: &mut Stage<'_>) -> Ran {
    let mut host = Host::start(stage.caller(), "forks", &[])?;
    let child = host.line()?;
    Ok(format!("{child}; {}", host.said()?))
}

/// Host and worker stand still in the middle of a call, for longer than it may take, while the clock goes on: what a container
/// that is paused is like. (In a machine that sleeps the clock that counts stands still as well.) The host goes on first, when
/// the time is over and no reply can be there.
fn stands_still(stage: &mut Stage<'_>) -> Ran {
    /// A host may be slow to begin with the call: then it stands still before that, and nothing is seen.
    const TRIES: u32 = 5;
    let mut said = stands_still_once(stage)?;
    for _ in 1..TRIES {
        if !said.ends_with("before its deadline") {
            break;
        }
        said = stands_still_once(stage)?;
    }
    Ok(said)
}

fn stands_still_once(stage: &mut Stage<'_>) -> Ran {
    let host = Host::start(stage.caller(), "asleep", &[])?;
    let (own, worker) = (host.pid(), host.worker());
    let process = i32::try_from(worker).ok().and_then(Pid::from_raw);
    let process = process.ok_or_else(|| Stop::Wrong("there is no worker".into()))?;
    let signal = |signal| kill_process(process, signal).map_err(Stop::lacks("to send a worker a signal"));
    // Into the call, which takes far longer. Whether it was there is told by the time that it took.
    thread::sleep(Duration::from_millis(100));
    host.send(Signal::STOP)?;
    signal(Signal::STOP)?;
    let stopped = wait_while(|| !is_stopped(own) || !is_stopped(worker), "host and worker do not stop");
    thread::sleep(ASLEEP + Duration::from_millis(200));
    host.send(Signal::CONT)?;
    thread::sleep(Duration::from_millis(200));
    // It has been ended where the host took it for hung: what became of the call tells that.
    let _ = signal(Signal::CONT);
    stopped?;
    host.said()
}

/// The lab's process inherits the workers of hosts that are killed.
fn reap(worker: u32) {
    let pid = i32::try_from(worker).ok().and_then(Pid::from_raw);
    let _ = pid.map(|pid| waitpid(Some(pid), WaitOptions::NOHANG));
}

/// The program of the worker is gone when a new one is needed; then it is back.
fn not_replaced(stage: &mut Stage<'_>) -> Ran {
    let worker = stage.session()?.worker_pid().unwrap_or(0);
    let program =
        fs::read_link(format!("/proc/{worker}/exe")).map_err(Stop::lacks("the worker's program"))?;
    let link = stage.folder()?.join("hotcell-worker");
    let point = |to: &std::path::Path| {
        let _ = fs::remove_file(&link);
        symlink(to, &link).map_err(Stop::lacks("a temporary file"))
    };
    point(&program)?;
    let path = link.clone();
    stage.open(|options| options.worker = Some(path))?;
    let works = stage.int("add", &[1, 1])?;
    point("/bin/false".as_ref())?;
    let died = stage.int("abort", &[]);
    let first = stage.int("add", &[1, 1]);
    let second = stage.int("add", &[1, 1]);
    point(&program)?;
    match (works.as_str(), died, second) {
        ("2", Err(Stop::Failed(died)), Err(Stop::Failed(second)))
            if died.is(Crashed) && second.is(LoadFailed) =>
        {
            first
        }
        (works, died, second) => Err(Stop::Wrong(format!("{works}, {died:?}, {second:?}"))),
    }
}

fn random_kills(stage: &mut Stage<'_>) -> Ran {
    const KILLS: usize = 100;
    let session = stage.session()?;
    let stop = AtomicBool::new(false);
    let load = || {
        let (mut failed, mut turn) = (0, 0);
        while !stop.load(Ordering::Relaxed) {
            turn += 1;
            match session.call("add", &[Value::Int(turn), Value::Int(1)]) {
                Ok(sum) if number(&sum) == Some(turn + 1) => {}
                Err(error) if error.is(Crashed) => failed += 1,
                other => return Err(format!("{turn}: {other:?}")),
            }
        }
        Ok(failed)
    };
    let (killed, ended): (usize, Vec<_>) = thread::scope(|scope| {
        let threads: Vec<_> = (0..3).map(|_| scope.spawn(load)).collect();
        let (mut killed, mut before) = (0, 0);
        while killed < KILLS && !threads.iter().any(thread::ScopedJoinHandle::is_finished) {
            let generation = session.generation();
            let worker = session.worker_pid().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
            // Each worker once, when it serves.
            if let Some(worker) = worker.filter(|_| generation != before) {
                before = generation;
                // More and less of a moment each time.
                thread::sleep(Duration::from_micros((killed as u64 * 7919) % 3000));
                killed += usize::from(kill_process(worker, Signal::KILL).is_ok());
            }
            thread::sleep(Duration::from_micros(100));
        }
        stop.store(true, Ordering::Relaxed);
        (killed, threads.into_iter().map(thread::ScopedJoinHandle::join).collect())
    });
    let mut failed = 0;
    for one in ended {
        failed +=
            one.map_err(|_| Stop::Wrong("a thread of the lab panicked".into()))?.map_err(Stop::Wrong)?;
    }
    // One call at a time is in a worker: each kill costs one at most.
    match (killed, failed) {
        (KILLS, 1..=KILLS) => Ok("no call failed but those that were killed, and no result was wrong".into()),
        (killed, failed) => Err(Stop::Wrong(format!("{killed} kills, {failed} calls failed"))),
    }
}
