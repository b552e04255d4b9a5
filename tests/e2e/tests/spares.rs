//! Workers that are kept ready take over from one that ends.
//!
//! The only test of its program: it counts the workers of the whole process.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use hotcell::{ErrorKind, Options, Recycle};
use hotcell_e2e::cli;
use hotcell_e2e::objects::Objects;
use hotcell_e2e::process::{alive, stop, wait_until, workers};
use hotcell_faulty::Faulty;

#[test]
fn a_worker_that_is_kept_ready_takes_over() {
    let faulty = Faulty::open(Options { spares: 2, ..Options::default() }).unwrap();
    for generation in 2..8 {
        wait_until("one serves and two are kept ready", || workers().len() == 3);
        let ready = workers();
        let serving = faulty.session().worker_pid().unwrap();
        let error = faulty.int("abort", &[]).expect_err("abort");
        assert_eq!(error.kind(), ErrorKind::Crashed, "{error}");
        assert_eq!(faulty.int("add", &[1, 1]).unwrap(), 2);
        let next = faulty.session().worker_pid().unwrap();
        assert!(
            next != serving && ready.contains(&next),
            "{next} was there before {serving} ended: {ready:?}"
        );
        assert_eq!(faulty.session().generation(), generation);
        wait_until("the one that crashed stays", || !alive(serving));
    }
    // Spares that end by themselves are not given a call.
    let serving = faulty.session().worker_pid().unwrap();
    wait_until("one serves and two are kept ready", || workers().len() == 3);
    for spare in workers().into_iter().filter(|&pid| pid != serving) {
        let spare = rustix::process::Pid::from_raw(spare.cast_signed()).unwrap();
        rustix::process::kill_process(spare, rustix::process::Signal::KILL).unwrap();
    }
    wait_until("the spares stay", || workers() == [serving]);
    faulty.int("abort", &[]).expect_err("abort");
    assert_eq!(faulty.int("add", &[1, 1]).unwrap(), 2);
    drop(faulty);
    wait_until("a worker is left", || workers().is_empty());
    a_spare_that_did_not_start_is_forgotten();
    a_session_whose_worker_was_given_up_counts_on();
    a_spare_that_does_not_answer_is_let_go();
}

fn a_spare_that_does_not_answer_is_let_go() {
    wait_until("a worker is left", || workers().is_empty());
    let often = Recycle {
        every: Duration::from_millis(10),
        probe: Some(Duration::from_millis(200)),
        ..Recycle::default()
    };
    let faulty = Faulty::open(Options { spares: 1, recycle: Some(often), ..Options::default() }).unwrap();
    let serving = faulty.session().worker_pid().unwrap();
    wait_until("a spare is ready", || workers().len() == 2);
    let spare = workers().into_iter().find(|pid| *pid != serving).unwrap();
    stop(spare);
    wait_until("it stays", || workers() == [serving]);
    assert_eq!(faulty.session().stats().spares, 0);
    faulty.int("abort", &[]).expect_err("abort");
    assert_eq!(faulty.int("add", &[1, 1]).unwrap(), 2);
}

fn a_spare_that_did_not_start_is_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let (program, away) = (folder.path().join("hotcell-worker"), folder.path().join("away"));
    std::fs::copy(cli::program("hotcell-worker"), &program).unwrap();
    let faulty =
        Faulty::open(Options { spares: 1, worker: Some(program.clone()), ..Options::default() }).unwrap();
    wait_until("a spare is ready", || workers().len() == 2);
    std::fs::rename(&program, &away).unwrap();
    faulty.int("abort", &[]).expect_err("abort");
    assert_eq!(faulty.int("add", &[1, 1]).unwrap(), 2, "the spare takes over, and another cannot be started");
    // Workers of a process are started one after the other: behind this one, that of the spare has failed.
    Faulty::open(Options { worker: Some(program.clone()), ..Options::default() })
        .expect_err("no such program");
    std::fs::rename(&away, &program).unwrap();
    faulty.int("abort", &[]).expect_err("abort");
    assert_eq!(
        faulty.int("add", &[1, 1]).unwrap(),
        2,
        "why the spare did not start is no error of this call"
    );
}

/// Spares take over, too, from a worker that is given up because the call that has it is not to be had.
fn a_session_whose_worker_was_given_up_counts_on() {
    let options = Options { spares: 2, deadline: Duration::from_secs(20), ..Options::default() };
    let objects = Objects::open(options).unwrap();
    let mut generations = vec![objects.session.generation()];
    for _ in 0..3 {
        let mut kept = None;
        let outlives = objects.each(1, 0, &mut |_| {
            kept = Some(objects.session.call(20)?);
            Ok(1)
        });
        outlives.unwrap_err();
        assert_eq!(objects.living().unwrap(), 0);
        generations.push(objects.session.generation());
    }
    assert_eq!(generations, [1, 2, 3, 4]);
}
