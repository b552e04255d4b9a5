//! The end of a worker is told, whatever who hears of it does.

use std::sync::{OnceLock, Weak};

use super::*;
use crate::end::Hears;
use crate::unheard::tests::{child, worker};

/// Looks at the worker when it hears of its end, and panics.
#[derive(Debug, Default)]
struct Faulty {
    worker: OnceLock<Weak<Shared>>,
    /// What it found: how the worker ended, whether its state could be had, and whether its end was told to others by then.
    found: Mutex<Option<(HowEnded, bool, bool)>>,
}

impl Hears for Faulty {
    fn ended(&self, ended: &Ended<'_>) {
        let worker = self.worker.get().and_then(Weak::upgrade).unwrap();
        let state = worker.state.try_lock();
        let told = state.as_ref().is_some_and(|state| state.end.is_some());
        *self.found.lock() = Some((ended.end.how, state.is_some(), told));
        drop(state);
        panic!("who hears of an end is not well");
    }
}

#[test]
fn who_hears_of_an_end_may_ask_of_the_worker_and_may_panic() {
    let mut child = child();
    let hears = Arc::new(Faulty::default());
    let shared = Arc::new(Shared { hears: Some(Arc::clone(&hears) as Arc<dyn Hears>), ..worker(&child) });
    hears.worker.set(Arc::downgrade(&shared)).unwrap();
    let watched = Watched {
        shared: Arc::clone(&shared),
        output: None,
        control_open: false,
        kill_at: None,
        count_at: None,
    };
    shared.signal(Signal::KILL);
    let patience = Instant::now() + Duration::from_secs(60);
    while !shared.has_ended() {
        assert!(Instant::now() < patience, "the process does not die");
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(watched.bury());
    let killed = HowEnded::Signalled(Signal::KILL.as_raw());
    assert_eq!(*hears.found.lock(), Some((killed, true, false)));
    let state = shared.state.lock();
    let end = state.end.as_ref().unwrap();
    assert!(end.how == killed && end.is_by_host(), "{end:?}");
    drop(state);
    // The monitor has collected it.
    assert!(child.wait().is_err());
}
