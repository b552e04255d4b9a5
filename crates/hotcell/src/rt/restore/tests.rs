//! What is kept of an object, without a session.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::Restore;
use super::front::Restorable;

static RESTORE: Restore = Restore { kind: 1, by: &[], configure: &[], times: 1 };

/// A child may have inherited the lock from a thread that is not there.
#[test]
fn what_is_looked_at_in_a_child_waits_for_no_lock() {
    let object = Restorable::new(&RESTORE, Err("it was made elsewhere".into()));
    assert!(format!("{object:?}").contains("made elsewhere"));
    object.while_locked(|| {
        assert_eq!(object.restored(), 0);
        assert!(format!("{object:?}").contains("restored: 0"));
    });
}
