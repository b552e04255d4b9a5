//! Old data: what one session's worker was given is in no other worker's memory.

use hotcell::dynamic::Value;
use hotcell::{ErrorKind, Options, Profile, Sandbox, Session};

use crate::rows::Rows;

/// What is looked for. No test says it in another way than turned round.
fn canary() -> Vec<u8> {
    (0..48u8).map(|index| !index.wrapping_mul(37).wrapping_add(11)).collect()
}

fn search(rows: &Rows, session: &Session) -> i128 {
    let turned = canary().iter().map(|byte| !byte).collect();
    rows.call(session, "rows_search", &[Value::Bytes(turned)]).unwrap()
}

#[test]
fn no_other_worker_has_what_a_session_was_given() {
    let rows = Rows::new();
    let open = || {
        let sandbox = Sandbox { read: vec!["/proc/self/maps".into()], ..Sandbox::of(Profile::Files) };
        rows.open(Options { sandbox: Some(sandbox), spares: 1, ..Options::default() })
    };
    let (first, before) = (open(), open());
    assert_eq!(search(&rows, &first), 0, "it is nowhere yet");
    // Small data, which travel in a slot, and big ones, which have a segment.
    for repeated in [1, 4, 30_000] {
        let data = canary().repeat(repeated);
        assert_eq!(rows.call(&first, "rows_remember", &[Value::Bytes(data)]).unwrap(), 0);
    }
    assert!(search(&rows, &first) >= 30_000, "the search finds what is there");
    assert_eq!(search(&rows, &before), 0, "a session that was there");
    assert_eq!(search(&rows, &open()), 0, "a session that is opened in the same process later");
    // Nor has the worker that takes over in its own session, ready before or not.
    for _ in 0..2 {
        assert_eq!(rows.call(&first, "rows_crash", &[]).unwrap_err().kind(), ErrorKind::Crashed);
        assert_eq!(search(&rows, &first), 0, "the next worker");
    }
    rows.serves(&first);
}

/// A state that is spoilt stays with the session whose caller spoilt it, and goes with its worker.
#[test]
fn what_one_caller_spoils_is_no_other_sessions() {
    let rows = Rows::new();
    let open = || rows.open(Options { spares: 1, ..Options::default() });
    let add = |session: &Session| rows.call(session, "rows_add", &[Value::Int(2), Value::Int(3)]).unwrap();
    let (first, before) = (open(), open());
    rows.call(&first, "rows_poison", &[]).unwrap();
    assert_eq!(add(&first), 6, "it is spoilt");
    assert_eq!([add(&before), add(&open())], [5, 5]);
    // So is a spare that was ready before, and one that is made now.
    for _ in 0..2 {
        assert_eq!(rows.call(&first, "rows_crash", &[]).unwrap_err().kind(), ErrorKind::Crashed);
        assert_eq!(add(&first), 5, "the next worker");
    }
}
