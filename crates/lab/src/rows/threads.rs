//! Threads and processes that a library makes.

use std::thread;

use hotcell::{ErrorKind::*, Recycle, Wear};

use super::resources::{REPLACED, often, wears};
use crate::row::End::*;
use crate::row::Expected::*;
use crate::row::{Direct, Ran, Row, Stop};
use crate::stage::{Stage, told, wait_for_end};
use crate::value::Value;
use crate::via::Via;

pub(crate) const ROWS: &[Row] = &[
    Row::new(
        "H1",
        "a thread that crashes after the call",
        Direct::new(&["crash_later"], Dies("SIGSEGV"))
            .says("returned 1")
            // Its runtime does not handle what a thread of C does.
            .elsewhere(&[(Via::Go, Dies("SIGSEGV"), "returned 1")]),
        |stage| {
            let returned = stage.int("crash_later", &[])?;
            stage.worker_ends()?;
            Ok(returned)
        },
        Gives("1"),
    ),
    Row::new(
        "H2",
        "thread-not-detached",
        Direct::new(&["lose_threads"], GoesOn).says("when the program gets no thread"),
        |stage| {
            let most = Recycle { threads: Some(10), ..often() };
            wears(stage, most, Wear::Threads, |session| session.call("leave_thread", &[]))
        },
        Gives(REPLACED),
    ),
    Row::new(
        "H3",
        "fork, and the child stays",
        Direct::new(&["fork_and_stay"], Leaves),
        |stage| stage.int("fork_and_stay", &[]),
        Fails(SandboxDenied, &["clone"]),
    ),
    Row::new(
        "H4",
        "starts a program",
        Direct::new(&["attack", "popen"], GoesOn).says("when it had succeeded").where_allowed(),
        |stage| stage.text("attack_now", "popen"),
        Fails(SandboxDenied, &[]),
    ),
    Row::new(
        "H5",
        "becomes a daemon",
        Direct::new(&["become_daemon"], Leaves),
        |stage| stage.int("become_daemon", &[]),
        Fails(SandboxDenied, &["clone"]),
    ),
    Row::new(
        "H6",
        "calls of several threads into what is not made for it",
        Direct::new(&["race"], GoesOn).says("returned too few"),
        race,
        Gives("2000 of 2000"),
    ),
    Row::new(
        "H7",
        "a callback from a thread of the library",
        Direct::new(&["call_back_in_thread"], GoesOn).says("on a foreign thread"),
        |stage| {
            let mut visit = |_: &[Value]| Ok(Value::Int(21));
            let outcome = stage.call_with("call_back_in_thread", &[Value::Callback], &mut visit)?;
            Ok(told(&outcome))
        },
        Fails(Crashed, &["SIGABRT", "on another thread"]),
    ),
    Row::new(
        "H8",
        "a lock that is never given back, and needed to end",
        Direct::new(&["hold_lock"], Hangs)
            .says("returned 1")
            // It ends without what C has to do at the end.
            .elsewhere(&[(Via::Go, GoesOn, "returned 1")]),
        |stage| {
            let returned = stage.int("hold_lock", &[])?;
            let session = stage.session()?;
            stage.close();
            let worker = session.worker_pid();
            drop(session);
            wait_for_end(worker)?;
            Ok(returned)
        },
        Gives("1"),
    ),
];

/// Four threads, 500 steps each, of a count that is lost where two are at it.
fn race(stage: &mut Stage<'_>) -> Ran {
    let session = stage.session()?;
    let steps = [Value::Int(500)];
    let ended: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| session.call("race", &steps))).collect();
        threads.into_iter().map(thread::ScopedJoinHandle::join).collect()
    });
    for one in ended {
        one.map_err(|_| Stop::Wrong("a thread of the lab panicked".into()))??;
    }
    Ok(format!("{} of 2000", stage.int("race", &[0])?))
}
