//! A process that has no descriptor for a worker just then: calls look for one again.
//!
//! The only test of its program: it takes all descriptors of the process.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::thread;
use std::time::Duration;

use hotcell::{ErrorKind, Executed, Options, Retries};
use hotcell_e2e::brittle::Brittle;
use hotcell_e2e::process::{alive, wait_until};
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, setrlimit};

fn kill_worker(brittle: &Brittle) {
    let pid = brittle.session.worker_pid().unwrap();
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), Signal::KILL).unwrap();
    wait_until("a killed worker stays", || !alive(pid));
    // A call that meets its end would be one that may have been executed.
    wait_until("nobody has heard of its end", || brittle.session.stats().pid.is_none());
}

#[test]
fn a_call_waits_for_what_a_worker_needs() {
    let never = Brittle::open(Options { retries: Some(Retries::NEVER), ..Options::default() });
    let waits = Brittle::open(Options::default());
    let (other, usual) = (Brittle::open(Options::default()), getrlimit(Resource::Nofile));
    for brittle in [&never, &waits, &other] {
        kill_worker(brittle);
    }
    setrlimit(Resource::Nofile, Rlimit { current: Some(3), ..usual }).unwrap();

    let error = never.int("break", &[0]).unwrap_err();
    assert_eq!((error.kind(), error.executed(), error.tries()), (ErrorKind::LoadFailed, Executed::No, 1));
    // No longer than the call has.
    let short = waits.through(waits.session.within(Duration::from_millis(100)));
    let error = short.int("break", &[0]).unwrap_err();
    assert_eq!((error.kind(), error.executed()), (ErrorKind::LoadFailed, Executed::No), "{error}");
    assert!(error.tries() > 1, "{error}");
    let tries = waits.session.stats().restarted;
    assert_eq!(tries, u64::from(error.tries()) - 1);

    let came = thread::scope(|scope| {
        let calls = scope.spawn(|| waits.int("break", &[0]));
        wait_until("it looks again", || waits.session.stats().restarted > tries + 1);
        setrlimit(Resource::Nofile, usual).unwrap();
        calls.join().unwrap()
    });
    assert_eq!(came.unwrap(), 0);
    assert_eq!(waits.session.stats().retries, 0, "nothing was executed twice");
    assert_eq!(other.int("break", &[0]).unwrap(), 0);
}
