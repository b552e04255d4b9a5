//! What waits for callbacks of the library's own threads costs nothing.
//!
//! The only test of its program: it looks at threads of the whole process.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use hotcell::Options;
use hotcell_e2e::process::{sleeps, wait_until};
use hotcell_e2e::ticker::Ticker;

/// As much of the name of dispatcher threads as the kernel keeps.
const DISPATCHER: &str = "hotcell-callbac";

#[test]
fn nobody_wakes_while_there_is_nothing_to_call_back() {
    let library = Ticker::open(Options::default()).unwrap();
    let ticker = library.ticker().unwrap();
    library.on_poke(&ticker, Ok).unwrap();
    assert_eq!(sleeps("self", Some(DISPATCHER)), [], "no thread without such a callback");
    let (begun, begins) = channel();
    let (tell, told) = channel();
    let tick = move |number, _| {
        begun.send(number).unwrap();
        told.recv().map_err(|error| error.to_string())
    };
    library.on_tick(&ticker, tick).unwrap();
    let pid = library.session.worker_pid().unwrap().to_string();
    let rest = |threads: usize| {
        let look = || (sleeps("self", Some(DISPATCHER)), sleeps(&pid, None));
        let mut last = look();
        wait_until("all of them sleep, and stay asleep for a second", || {
            thread::sleep(Duration::from_secs(1));
            let now = look();
            let same = now == last;
            last = now;
            same
        });
        assert_eq!((last.0.len(), last.1.len()), (1, threads), "{last:?}");
    };
    // The serving thread and the control thread.
    rest(2);
    // One waits for its answer, and others for their turn.
    library.start(&ticker, 4, 1, 0).unwrap();
    begins.recv_timeout(Duration::from_secs(20)).unwrap();
    rest(6);
    (0..4).for_each(|_| tell.send(1).unwrap());
    library.number("ticker_wait", &ticker, &[]).unwrap();
    assert_eq!(library.number("ticker_sum", &ticker, &[]).unwrap(), 4);
    rest(2);
}
