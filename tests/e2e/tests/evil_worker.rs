//! Workers that lie: a typed error for the call, an unharmed host, and no worker left.
//!
//! The only test of its program: it counts the descriptors of the whole process.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::PathBuf;
use std::time::Duration;

use hotcell::dynamic::Value;
use hotcell::{Cause, ErrorKind, Executed, Options};
use hotcell_e2e::process::{alive, descriptors, segments, wait_until};
use hotcell_faulty::Faulty;

fn options(lie: &str) -> Options {
    Options {
        worker: Some(PathBuf::from(env!("CARGO_BIN_EXE_hotcell-evil-worker"))),
        environment: vec![("HOTCELL_EVIL".into(), lie.into())],
        start_deadline: Duration::from_secs(2),
        deadline: Duration::from_secs(2),
        ..Options::default()
    }
}

/// Lies before the first call: the session does not open.
fn check_start(lie: &str) {
    let error = Faulty::open(options(lie)).map(drop).expect_err(lie);
    assert_eq!(error.kind(), ErrorKind::LoadFailed, "{lie}: {error}");
    assert_eq!(error.executed(), Executed::No);
}

/// Lies about a reply.
fn check_reply(lie: &str, expect: ErrorKind) {
    let faulty = Faulty::open(options(lie)).unwrap();
    let pid = faulty.session().worker_pid().unwrap();
    let error = faulty.call("long_text", &[Value::Int(1)]).expect_err(lie);
    assert_eq!(error.kind(), expect, "{lie}: {error}");
    assert_eq!(error.executed(), Executed::Maybe, "{lie}: {error}");
    wait_until("the liar lives", || !alive(pid));
}

#[test]
fn every_lie_is_a_typed_error() {
    // What stays in the process (the monitor, the bound library) is there before we count.
    drop(Faulty::open(Options::default()).unwrap());
    wait_until("the first worker stays", || segments() == 0);
    let before = descriptors();
    for lie in
        ["silent", "gone", "garbage", "short", "long", "host-packet", "cut-off", "event-text", "descriptors"]
    {
        check_start(lie);
    }
    let error = Faulty::open(options("no-handles")).map(drop).expect_err("no handles");
    assert_eq!(error.kind(), ErrorKind::AbiMismatch, "{error}");
    for (lie, expect) in [
        ("other-call", ErrorKind::ProtocolViolation),
        ("no-call", ErrorKind::ProtocolViolation),
        ("unknown-state", ErrorKind::ProtocolViolation),
        ("callback", ErrorKind::ProtocolViolation),
        ("kept-callback", ErrorKind::ProtocolViolation),
        ("unpassed-callback", ErrorKind::ProtocolViolation),
        ("long-result", ErrorKind::ProtocolViolation),
        ("short-result", ErrorKind::ProtocolViolation),
        ("skipped-commit", ErrorKind::ProtocolViolation),
        ("wild-reference", ErrorKind::ProtocolViolation),
        ("unknown-refusal", ErrorKind::ProtocolViolation),
        ("refusal-of-no-argument", ErrorKind::ProtocolViolation),
        ("endless-space", ErrorKind::Hung),
        ("never-answers", ErrorKind::Hung),
    ] {
        check_reply(lie, expect);
    }
    // Not a lie: a library may call what it was to keep for ever. It hears that it failed, and then ends.
    let faulty = Faulty::open(options("unknown-kept")).unwrap();
    let error = faulty.call("long_text", &[Value::Int(1)]).unwrap_err();
    assert_eq!(error.cause(), &Cause::Exit { status: 1 }, "{error}");
    drop(faulty);
    for lie in ["two-welcomes", "segments"] {
        check_control(lie);
    }
    wait_until("a descriptor is left", || descriptors() == before);
    // Through all of this the host is well.
    let honest = Faulty::open(Options::default()).unwrap();
    assert_eq!(honest.int("add", &[2, 3]).unwrap(), 5);
}

/// Breaks the control protocol around its welcome: it is killed, before or after the session is open.
fn check_control(lie: &str) {
    let faulty = match Faulty::open(options(lie)) {
        Ok(faulty) => faulty,
        Err(error) => return assert_eq!(error.kind(), ErrorKind::LoadFailed, "{lie}: {error}"),
    };
    let error = faulty.int("add", &[1, 2]).expect_err(lie);
    let kinds = [ErrorKind::ProtocolViolation, ErrorKind::LoadFailed];
    assert!(kinds.contains(&error.kind()), "{lie}: {error}");
}
