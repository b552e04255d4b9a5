//! A library that sends its own process a signal: that is its own doing, as `raise` and `abort` are.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use hotcell::{Breaker, Cause, ErrorKind, Options, Restart};
use hotcell_e2e::vault::Vaults;

#[test]
fn a_signal_that_a_library_sends_itself_is_its_own_doing() {
    let hour = Duration::from_secs(3600);
    let restart = Restart { faults: 6, pause: hour, longest_pause: hour, ..Restart::default() };
    let vaults = Vaults::open(Options { restart, ..Options::default() });
    // SIGABRT, SIGSEGV, SIGBUS
    for signal in [6, 11, 7, 6, 11, 7] {
        let error = vaults.int("vaults_kill", &[signal]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Crashed, "{error}");
        let Cause::Signal { number, external, .. } = *error.cause() else { panic!("{error:?}") };
        assert_eq!((i128::from(number), external), (signal, false), "{error}");
        assert!(!error.message().contains("another process"), "{error}");
    }
    let refused = vaults.int("vaults_open", &[]).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unavailable, "{refused}");
    assert!(matches!(vaults.session.breaker(), Breaker::Open(_)), "it counts");
    assert_eq!(vaults.session.quarantine().count(), 0, "against no input: which thread it was is not known");
}
