//! A worker that ends while a call is to have its lane opened there costs that call nothing: another worker serves it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::pin::pin;
use std::task::Poll;
use std::thread;

use hotcell::dynamic::Value;
use hotcell::{Cause, ErrorKind};
use hotcell_e2e::crew::Crew;
use hotcell_e2e::process::{alive, process, stays_asleep, stop, wait_until};
use hotcell_e2e::tasks::poll;
use rustix::process::{Signal, kill_process};

/// A call that is under way on the first lane until its worker ends; the process of that.
fn occupy<'s>(scope: &'s thread::Scope<'s, '_>, crew: &'s Crew) -> (thread::ScopedJoinHandle<'s, ()>, u32) {
    let worker = crew.session.worker_pid().unwrap();
    let before = crew.session.stats().calls;
    let call = scope.spawn(|| {
        let error = crew.int("crew_meet_one", &[1000]).unwrap_err();
        assert_eq!((error.kind(), error.generation()), (ErrorKind::Crashed, 1), "{error}");
        assert!(matches!(error.cause(), Cause::Signal { number: 9, external: true, .. }), "{error:?}");
    });
    wait_until("the call is sent", || crew.session.stats().calls > before);
    (call, worker)
}

#[test]
fn a_call_of_a_thread_is_made_on_the_next_worker() {
    let crew = Crew::of(2);
    thread::scope(|scope| {
        let (first, worker) = occupy(scope, &crew);
        stop(worker);
        let second = thread::Builder::new().name("second".into());
        let second = second.spawn_scoped(scope, || crew.int("crew_add", &[2, 3])).unwrap();
        wait_until("it waits for its lane", || stays_asleep("self", "second"));
        kill_process(process(worker), Signal::KILL).unwrap();
        assert_eq!(second.join().unwrap().unwrap(), 5);
        first.join().unwrap();
        assert!(!alive(worker));
    });
    assert_eq!(crew.session.generation(), 2);
}

#[tokio::test]
async fn a_call_of_a_task_is_made_on_the_next_worker() {
    let crew = Crew::of(2);
    let numbers = [2, 3].map(Value::Int);
    let mut second = pin!(crew.awaited("crew_add", &numbers));
    thread::scope(|scope| {
        let (first, worker) = occupy(scope, &crew);
        stop(worker);
        assert!(matches!(poll(second.as_mut()), Poll::Pending), "it waits for its lane");
        kill_process(process(worker), Signal::KILL).unwrap();
        first.join().unwrap();
    });
    assert_eq!(second.await.unwrap(), Value::Int(5));
    assert_eq!(crew.session.generation(), 2);
}
