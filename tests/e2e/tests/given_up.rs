//! Calls of tasks that are given up on the way: their seats come back, whether a runtime goes on or not.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::future::Future;
use std::mem;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use hotcell::dynamic::{Outcome, Value};
use hotcell::{ErrorKind, Executed, Options, Profile, Result, Sandbox};
use hotcell_e2e::process::{alive, go_on, stop, wait_until};
use hotcell_e2e::tasks::{poll, start};
use hotcell_faulty::Faulty;
use tokio::runtime::{Builder, Runtime};

/// More than any test takes, unless something is wrong.
const LONG: Duration = Duration::from_secs(20);

/// Time in which everything is over that nobody waits for.
const SHORT: Duration = Duration::from_millis(300);

fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn faulty() -> Faulty {
    Faulty::open(Options::default()).unwrap()
}

fn sleep(faulty: &Faulty, milliseconds: i128) -> impl Future<Output = Result<Outcome>> + Send + use<> {
    faulty.awaited("sleep", &[Value::Int(milliseconds)])
}

#[test]
fn a_call_that_is_dropped_on_a_runtime_that_stands_still_ends_all_the_same() {
    let faulty = faulty();
    let pid = faulty.session().worker_pid().unwrap();
    let runtime = one_thread();
    runtime.block_on(async {
        let mut dropped = pin!(sleep(&faulty, 50));
        start(dropped.as_mut()).await;
    });
    // Nobody drives it from here on.
    assert_eq!(faulty.within(LONG).int("add", &[1, 2]).unwrap(), 3);
    assert_eq!(faulty.session().generation(), 1);
    runtime.block_on(async {
        let mut dropped = pin!(faulty.within(SHORT).awaited("loop", &[]));
        start(dropped.as_mut()).await;
    });
    wait_until("it goes on without end", || !alive(pid));
    assert_eq!(faulty.within(LONG).int("add", &[1, 2]).unwrap(), 3);
    drop(runtime);
}

#[test]
fn a_future_that_is_forgotten_costs_its_worker_though_nobody_calls() {
    let faulty = faulty();
    let pid = faulty.session().worker_pid().unwrap();
    let runtime = one_thread();
    let mut kept = Box::pin(faulty.within(SHORT).awaited("loop", &[]));
    runtime.block_on(start(kept.as_mut()));
    wait_until("it goes on without end", || !alive(pid));
    let error = runtime.block_on(kept).unwrap_err();
    assert_eq!((error.kind(), error.executed()), (ErrorKind::Cancelled, Executed::Maybe), "{error}");
}

#[test]
fn futures_in_line_that_nobody_polls_hardly_delay_who_is_behind_them() {
    let faulty = faulty();
    let runtime = one_thread();
    runtime.block_on(async {
        let mut first = pin!(sleep(&faulty, 1_500));
        start(first.as_mut()).await;
        let mut kept: Vec<_> = (0..40).map(|_| Box::pin(sleep(&faulty, 0))).collect();
        for kept in &mut kept {
            start(kept.as_mut()).await;
        }
        // It looks by itself once a second when the first has ended, and would lose one of them each time.
        let behind = faulty.within(Duration::from_secs(15)).awaited("add", &[Value::Int(1), Value::Int(2)]);
        let (first, behind) = tokio::join!(first, behind);
        assert!(first.is_ok() && behind.is_ok(), "{behind:?}");
    });
}

#[test]
fn a_future_goes_from_a_runtime_that_ends_to_another() {
    let faulty = faulty();
    let mut hangs = Box::pin(faulty.within(SHORT).awaited("loop", &[]));
    let first = one_thread();
    first.block_on(start(hangs.as_mut()));
    let mut waits = Box::pin(faulty.within(LONG).awaited("add", &[Value::Int(1), Value::Int(2)]));
    first.block_on(start(waits.as_mut()));
    drop(first);
    let second = one_thread();
    assert_eq!(second.block_on(hangs).unwrap_err().kind(), ErrorKind::Hung);
    assert_eq!(second.block_on(waits).unwrap().returned, Some(Value::Int(3)));
}

#[test]
fn a_call_without_the_drivers_it_needs_keeps_its_seat_until_the_library_has_returned() {
    let faulty = faulty();
    // It has no I/O driver, and tokio panics.
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    let call = faulty.within(SHORT).awaited("loop", &[]);
    let panicked = runtime.block_on(async { tokio::task::spawn(call).await }).unwrap_err();
    assert!(panicked.is_panic());
    // It would be sent to a library that never comes to it.
    assert_eq!(faulty.within(LONG).int("add", &[1, 2]).unwrap(), 3);
    assert_eq!(faulty.session().generation(), 2);
}

#[test]
fn a_session_goes_with_its_worker_and_directory_though_a_call_is_forgotten() {
    let folders = tempfile::tempdir().unwrap();
    let files = Sandbox { write: vec![folders.path().to_owned()], ..Sandbox::of(Profile::Files) };
    let options = Options { sandbox: Some(files), ..Options::default() };
    let faulty = Faulty::open(options).unwrap();
    let (index, _) = faulty.function("loop");
    let pid = faulty.session().worker_pid().unwrap();
    let session = faulty.session().clone();
    drop(faulty);
    let runtime = one_thread();
    let _entered = runtime.enter();
    {
        let Poll::Ready(call) = poll(pin!(session.call_awaited(index, std::panic::Location::caller())))
        else {
            panic!("nobody else calls");
        };
        let mut forgotten = Box::pin(call.unwrap().finish_awaited());
        assert!(poll(forgotten.as_mut()).is_pending());
        mem::forget(forgotten);
    }
    drop(session);
    assert!(!alive(pid), "it could write into a directory that is gone");
}

type Awaited = Pin<Box<dyn Future<Output = Result<Outcome>> + Send>>;

/// Polls its future on whatever thread wakes it.
struct Inline {
    future: Mutex<Option<Awaited>>,
    /// How often it was woken, and is to be polled for that.
    woken: AtomicU32,
    runtime: tokio::runtime::Handle,
    done: Mutex<Sender<Result<Outcome>>>,
}

impl Wake for Inline {
    fn wake(self: Arc<Self>) {
        // It may be woken within a poll, which is then followed by another.
        if self.woken.fetch_add(1, Ordering::SeqCst) > 0 {
            return;
        }
        let _entered = self.runtime.enter();
        let waker = Waker::from(Arc::clone(&self));
        loop {
            let times = self.woken.load(Ordering::SeqCst);
            let mut place = self.future.lock().unwrap();
            if let Some(future) = &mut *place
                && let Poll::Ready(outcome) = future.as_mut().poll(&mut Context::from_waker(&waker))
            {
                *place = None;
                let _ = self.done.lock().unwrap().send(outcome);
            }
            drop(place);
            if self.woken.fetch_sub(times, Ordering::SeqCst) == times {
                return;
            }
        }
    }
}

/// What wakes a task may poll it there and then, on a thread of the session's own.
#[test]
fn a_task_may_be_polled_by_what_wakes_it() {
    let faulty = faulty();
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    for (function, args, time, kind) in [
        ("exit_in_thread", vec![Value::Int(3)], LONG, ErrorKind::Exited),
        ("abort", vec![], LONG, ErrorKind::Crashed),
        ("loop", vec![], SHORT, ErrorKind::Hung),
    ] {
        let (done, ends) = channel();
        let future: Awaited = Box::pin(faulty.within(time).awaited(function, &args));
        let (future, runtime) = (Mutex::new(Some(future)), runtime.handle().clone());
        Arc::new(Inline { future, woken: AtomicU32::new(0), runtime, done: Mutex::new(done) }).wake();
        let outcome = ends.recv_timeout(LONG).expect("it is polled until it is over");
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), kind, "{function}: {error}");
    }
    assert_eq!(faulty.within(LONG).int("add", &[1, 2]).unwrap(), 3);
}

/// Panics when it is woken by a thread of the session's own.
struct Panics;

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        if std::thread::current().name().is_some_and(|name| name.starts_with("hotcell")) {
            panic!("a task cannot be woken");
        }
    }
}

#[test]
fn what_panics_when_it_wakes_a_task_ends_nothing_else() {
    let faulty = faulty();
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let _entered = runtime.enter();
    let mut call = Box::pin(faulty.within(LONG).awaited("exit_in_thread", &[Value::Int(3)]));
    let waker = Waker::from(Arc::new(Panics));
    let pid = faulty.session().worker_pid().unwrap();
    // It has not ended when the call is begun.
    stop(pid);
    assert!(call.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    go_on(pid);
    wait_until("it lives", || !alive(pid));
    assert_eq!(runtime.block_on(call).unwrap_err().kind(), ErrorKind::Exited);
    assert_eq!(faulty.within(LONG).int("add", &[1, 2]).unwrap(), 3);
}
