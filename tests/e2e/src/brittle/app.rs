//! Uses the package of brittle as an application would.

use brittle_hotcell::{Brittle, Shape};
use hotcell::{Cause, ErrorKind, Executed, Options, Quarantine, Restart, Retries};

fn options() -> Options {
    let library = std::env::var_os("BRITTLE").expect("where the library is");
    Options { libraries: vec![library.into()], restart: Restart::ALWAYS, ..Default::default() }
}

fn main() {
    again();
    again_awaited();
    refused();
    println!("all is well");
}

/// Every fifth call of a worker's life aborts.
fn again() {
    let quarantine = Quarantine::off();
    let brittle = Brittle::open_with(Options { quarantine, ..options() }).unwrap();
    for number in 0..41 {
        assert_eq!(brittle.twice(number, 5).unwrap(), 2 * number);
    }
    let stats = brittle.session().stats();
    assert_eq!((stats.retries, stats.recovered, stats.calls), (10, 10, 51));
    // The contract says three.
    let error = brittle.twice(1, 1).unwrap_err();
    assert_eq!((error.kind(), error.executed(), error.tries()), (ErrorKind::Crashed, Executed::Maybe, 3));
    assert!(error.call_site().unwrap().file().ends_with("main.rs"), "{error:?}");
    assert_eq!(error.function(), "brittle_twice");
    // It is not idempotent.
    assert_eq!(brittle.twice_once(1, 1).unwrap_err().tries(), 1);
    let never = Options { retries: Some(Retries::NEVER), ..options() };
    let never = Brittle::open_with(never).unwrap();
    assert_eq!(never.twice(1, 1).unwrap_err().tries(), 1);
    assert_eq!(never.texts(&["a", "bc"]).unwrap(), 3);
}

fn again_awaited() {
    let brittle = Brittle::open_with(options()).unwrap();
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).enable_all().build().unwrap();
    let theirs = brittle.clone();
    // It goes from thread to thread.
    let task = runtime.spawn(async move {
        for number in 0..21 {
            assert_eq!(theirs.aio().twice(number, 5).await.unwrap(), 2 * number);
        }
        theirs.aio().twice(1, 1).await.unwrap_err()
    });
    let error = runtime.block_on(task).unwrap();
    assert_eq!((error.kind(), error.tries()), (ErrorKind::Crashed, 3));
    assert!(error.call_site().unwrap().file().ends_with("main.rs"), "{error:?}");
    let stats = brittle.session().stats();
    assert_eq!((stats.retries, stats.recovered), (7, 5));
}

fn refused() {
    let brittle = Brittle::open_with(options()).unwrap();
    let is_refused = |error: hotcell::Error| {
        let Cause::Quarantined { input, .. } = *error.cause() else { panic!("{error}") };
        assert_eq!((error.kind(), error.executed()), (ErrorKind::Quarantined, Executed::No));
        input
    };
    for length in [1, 100, 100_000] {
        let bad: Vec<u8> = std::iter::once(0xEE).chain(std::iter::repeat_n(7, length)).collect();
        for _ in 0..2 {
            assert_eq!(brittle.sum(&bad, 3).unwrap_err().kind(), ErrorKind::Crashed);
        }
        let input = is_refused(brittle.sum(&bad, 3).unwrap_err());
        assert_eq!(brittle.sum(&bad[1..], 3).unwrap(), 21 * length as u64);
        assert!(brittle.session().quarantine().release(input));
        assert_eq!(brittle.sum(&bad, 3).unwrap_err().kind(), ErrorKind::Crashed);
    }
    // Made again, and its second worker was the last.
    let error = brittle.texts(&["fine", "poison"]).unwrap_err();
    assert_eq!((error.kind(), error.tries()), (ErrorKind::Crashed, 2));
    is_refused(brittle.texts(&["fine", "poison"]).unwrap_err());
    let shape = Shape { name: "poison".into(), size: 2.0 };
    for _ in 0..2 {
        assert_eq!(brittle.measure(&shape).unwrap_err().kind(), ErrorKind::Crashed);
    }
    is_refused(brittle.measure(&shape).unwrap_err());
    let shape = Shape { name: "fine".into(), size: 2.0 };
    assert_eq!(brittle.measure(&shape).unwrap(), 8.0);
    let stats = brittle.session().stats();
    // The third try of a call that was made again is one of them.
    assert_eq!((stats.quarantined, stats.quarantine_refused), (2, 6));
}
