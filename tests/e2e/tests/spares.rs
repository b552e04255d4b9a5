//! Workers that are kept ready take over from one that ends.
//!
//! The only test of its program: it counts the workers of the whole process.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hotcell::{ErrorKind, Options};
use hotcell_e2e::process::{alive, wait_until, workers};
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
}
