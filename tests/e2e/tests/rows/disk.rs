//! The directory for temporary files has a quota, however a library puts something there.

use std::path::Path;
use std::time::Duration;

use hotcell::dynamic::Value;
use hotcell::{Cause, ErrorKind, Executed, LimitExceededReason, Limits, Options, Profile, Sandbox, Session};
use hotcell_e2e::process::wait_until;
use hotcell_e2e::wall::as_every_user;

use crate::rows::Rows;

/// Bytes that it may have.
const QUOTA: u64 = 8 << 20;

/// As in the library's header.
const WAYS: [(&str, i128); 6] =
    [("named", 0), ("open", 1), ("mapped", 2), ("shut", 3), ("deep", 4), ("scattered", 5)];

fn with_quota(temporary: Option<u64>, spares: u32) -> Options {
    Options {
        limits: Limits { temporary, ..Limits::default() },
        sandbox: Some(Sandbox::of(Profile::Files)),
        deadline: Duration::from_secs(120),
        spares,
        ..Options::default()
    }
}

fn store(rows: &Rows, session: &Session, name: &str, kibibytes: i128, way: i128) -> hotcell::Result<i128> {
    rows.call(session, name, &[Value::Int(kibibytes), Value::Int(way)])
}

#[test]
fn more_temporary_files_than_were_given_end_the_worker_and_are_removed() {
    as_every_user("disk::more_temporary_files_than_were_given_end_the_worker_and_are_removed", || {
        let rows = Rows::new();
        for (name, way) in WAYS {
            let session = rows.open(with_quota(Some(QUOTA), 0));
            assert_eq!(store(&rows, &session, "rows_store", 1024, way).unwrap(), 0, "{name}");
            // Long enough to be looked at some times.
            std::thread::sleep(Duration::from_millis(200));
            rows.serves(&session);
            assert_eq!(session.generation(), 1, "{name}: a MiB is not too much");
            let error = store(&rows, &session, "rows_fill", 16 << 10, way).unwrap_err();
            let found = (error.kind(), error.executed());
            assert_eq!(found, (ErrorKind::LimitExceeded, Executed::Maybe), "{name}: {error}");
            assert_eq!(error.cause(), &Cause::Limit { what: LimitExceededReason::Disk, value: QUOTA });
            rows.serves(&session);
            assert_eq!(rows.call(&session, "rows_stored", &[]).unwrap(), 0, "{name}: it is empty");
            assert_eq!(session.generation(), 2, "{name}");
        }
    });
}

/// Whose files they are nobody knows where a worker is kept ready beside the one that serves: both go.
#[test]
fn a_worker_that_is_kept_ready_goes_with_it() {
    let rows = Rows::new();
    let session = rows.open(with_quota(Some(QUOTA), 1));
    for _ in 0..3 {
        let error = store(&rows, &session, "rows_fill", 16 << 10, 0).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{error}");
        rows.serves(&session);
        assert_eq!(rows.call(&session, "rows_stored", &[]).unwrap(), 0);
    }
}

#[test]
fn what_is_written_between_calls_counts_too() {
    let rows = Rows::new();
    let session = rows.open(with_quota(Some(QUOTA), 0));
    let worker = session.worker_pid().unwrap();
    assert_eq!(rows.call(&session, "rows_store_on", &[]).unwrap(), 0);
    wait_until("it writes for ever", || !Path::new(&format!("/proc/{worker}")).exists());
    rows.serves(&session);
    assert_eq!(rows.call(&session, "rows_stored", &[]).unwrap(), 0);
    assert_eq!(session.generation(), 2);
}

/// Without a quota, and within the one that every session has.
#[test]
fn what_may_be_there_stays() {
    let rows = Rows::new();
    for temporary in [None, Limits::default().temporary] {
        let session = rows.open(with_quota(temporary, 0));
        assert_eq!(store(&rows, &session, "rows_store", 16 << 10, 0).unwrap(), 0);
        std::thread::sleep(Duration::from_millis(700));
        assert_eq!(rows.call(&session, "rows_stored", &[]).unwrap(), 1);
        assert_eq!(session.generation(), 1);
    }
    assert_eq!(Limits::default().temporary, Some(1 << 30));
}
