//! Calls of tasks where a library has several callers, threads of its own, and objects that wait to be released.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use hotcell::dynamic::Value;
use hotcell::{Cause, ErrorKind, Options};
use hotcell_e2e::crew::Crew;
use hotcell_e2e::process::wait_until;
use hotcell_e2e::tasks::poll;
use hotcell_e2e::ticker::Ticker;
use tokio::runtime::{Builder, Runtime};

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

#[test]
fn what_a_task_has_dropped_is_released_before_its_next_call() {
    runtime().block_on(async {
        // Where there are several seats it is never released by who drops it; nor is what is dropped during a call of a task.
        for callers in [3, 1] {
            let crew = Crew::of(callers);
            let mut late = 0;
            for number in 0..100 {
                let member = crew.awaited("crew_hire", &[Value::Int(number)]).await.unwrap();
                {
                    let mut call = pin!(crew.awaited("crew_meet", &[Value::Int(2), Value::Int(2)]));
                    let polled = poll(call.as_mut());
                    drop(member);
                    // It may be over already.
                    let met = if let Poll::Ready(met) = polled { met } else { call.await };
                    assert_eq!(met.unwrap(), Value::Int(-1));
                }
                late += u32::from(crew.awaited("crew_count", &[]).await.unwrap() != Value::Int(0));
            }
            // One of several callers waits for a tenth of a second, for another may hold what the release waits for.
            assert!(late <= if callers > 1 { 25 } else { 0 }, "{late} of 100 with {callers} callers");
            assert_eq!(crew.session.generation(), 1);
        }
    });
}

#[test]
fn a_call_of_a_task_that_hangs_is_to_blame_for_the_others() {
    let crew = Crew::of(2);
    std::thread::scope(|scope| {
        let stays = scope.spawn(|| crew.int("crew_meet", &[2, 20_000]));
        wait_until("it is not there", || crew.int("crew_waiting", &[]).unwrap() == 1);
        let hangs = crew.within(Duration::from_millis(200)).awaited("crew_fault", &[Value::Int(3)]);
        let hung = runtime().block_on(hangs).unwrap_err();
        assert_eq!(hung.kind(), ErrorKind::Hung, "{hung}");
        let other = stays.join().unwrap().unwrap_err();
        let suspect = Cause::Suspect { function: "crew_fault".into(), call_id: hung.call_id() };
        assert_eq!((other.kind(), other.cause()), (ErrorKind::WorkerLost, &suspect), "{other}");
    });
}

#[test]
fn what_a_callback_failed_with_on_a_thread_of_the_library_comes_out_of_the_next_call_of_a_task() {
    let ticker = Ticker::open(Options::default()).unwrap();
    let it = ticker.ticker().unwrap();
    ticker.on_tick(&it, |_, _| Err("it does not tick".into())).unwrap();
    ticker.number("ticker_run", &it, &[1, 1]).unwrap();
    runtime().block_on(async {
        let error = ticker.awaited("ticker_interruptions", &[]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::CallbackFailed, "{error}");
        assert!(error.message().contains("it does not tick"), "{error}");
        assert_eq!(ticker.awaited("ticker_interruptions", &[]).await.unwrap(), Value::Int(0));
    });
}
