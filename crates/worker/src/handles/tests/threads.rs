//! The table as several serving threads use it.

use super::super::*;
use super::{DB, STATEMENT, at};

/// One call of a thread: it is passed an object, and has not ended.
fn begin(handles: &mut Handles, thread: usize, handle: RawHandle, need: Need) -> Result<(), Refusal> {
    handles.turn_to(thread);
    handles.pass(handle, handle.kind(), need).map(drop)
}

fn end(handles: &mut Handles, thread: usize) {
    handles.turn_to(thread);
    handles.leave(uses::Before::default());
}

#[test]
fn what_another_thread_uses_can_be_used_but_not_taken() {
    let mut handles = Handles::new(3);
    let db = handles.own(DB, at(16), RawHandle::NONE).unwrap();
    let lent = handles.lend(STATEMENT, at(32), db).unwrap();
    begin(&mut handles, 0, lent, Need::There).unwrap();
    begin(&mut handles, 1, lent, Need::There).unwrap();
    assert_eq!(begin(&mut handles, 2, lent, Need::Idle), Err(Refusal::InUse));
    assert_eq!(begin(&mut handles, 2, db, Need::IdleBelow), Err(Refusal::InUse));
    assert_eq!(begin(&mut handles, 2, db, Need::Owned), Err(Refusal::InUse), "it lends what is in use");
    end(&mut handles, 0);
    assert_eq!(begin(&mut handles, 2, lent, Need::Idle), Err(Refusal::InUse));
    end(&mut handles, 1);
    // What it was passed itself is in nobody's way.
    begin(&mut handles, 2, lent, Need::There).unwrap();
    begin(&mut handles, 2, lent, Need::Idle).unwrap();
    end(&mut handles, 2);
    begin(&mut handles, 0, db, Need::Owned).unwrap();
    assert_eq!(handles.take(db, DB), Ok(at(16)));
    end(&mut handles, 0);
    assert!(handles.uses.is_empty(), "nothing stays in use");
}

#[test]
fn what_is_about_to_go_is_nobody_elses() {
    let mut handles = Handles::new(2);
    let db = handles.own(DB, at(16), RawHandle::NONE).unwrap();
    begin(&mut handles, 0, db, Need::Owned).unwrap();
    assert_eq!(begin(&mut handles, 1, db, Need::There), Err(Refusal::InUse));
    assert_eq!(begin(&mut handles, 1, db, Need::Owned), Err(Refusal::InUse));
    // It was not taken after all.
    end(&mut handles, 0);
    begin(&mut handles, 1, db, Need::There).unwrap();
    end(&mut handles, 1);
    assert!(handles.uses.is_empty());
}

/// The library frees it before the worker hears of that, and another thread gets its address.
#[test]
fn a_new_object_at_the_address_of_one_that_was_taken_is_free() {
    let mut handles = Handles::new(2);
    let old = handles.own(DB, at(16), RawHandle::NONE).unwrap();
    begin(&mut handles, 0, old, Need::Owned).unwrap();
    handles.turn_to(1);
    let new = handles.own(DB, at(16), RawHandle::NONE).unwrap();
    begin(&mut handles, 1, new, Need::Idle).unwrap();
    handles.turn_to(0);
    assert_eq!(handles.take(old, DB), Ok(at(16)), "it was promised");
    end(&mut handles, 0);
    end(&mut handles, 1);
    begin(&mut handles, 0, new, Need::Owned).unwrap();
    assert_eq!(handles.take(new, DB), Ok(at(16)));
    // The call of thread 0 goes on, and the address is used again meanwhile.
    handles.turn_to(1);
    let third = handles.own(DB, at(16), RawHandle::NONE).unwrap();
    begin(&mut handles, 1, third, Need::Idle).unwrap();
    end(&mut handles, 1);
    end(&mut handles, 0);
    assert!(handles.uses.is_empty());
}

#[test]
fn calls_nested_in_one_are_no_other_threads() {
    let mut handles = Handles::new(2);
    let db = handles.own(DB, at(16), RawHandle::NONE).unwrap();
    begin(&mut handles, 0, db, Need::There).unwrap();
    handles.hold();
    let before = handles.enter();
    assert_eq!(begin(&mut handles, 0, db, Need::Idle), Err(Refusal::InUse), "by the call around");
    begin(&mut handles, 0, db, Need::There).unwrap();
    handles.leave(before);
    handles.let_go();
    assert_eq!(
        begin(&mut handles, 1, db, Need::Idle),
        Err(Refusal::InUse),
        "until the call around has ended"
    );
    end(&mut handles, 0);
    begin(&mut handles, 1, db, Need::Idle).unwrap();
    end(&mut handles, 1);
    assert!(handles.uses.is_empty());
}

/// What the library may free, or has for itself, is not passed to others, whichever call came first.
#[test]
fn what_belongs_to_an_object_that_goes_is_not_passed_meanwhile() {
    let mut handles = Handles::new(2);
    let db = handles.own(DB, at(16), RawHandle::NONE).unwrap();
    let lent = handles.lend(STATEMENT, at(32), db).unwrap();
    let below = handles.lend(STATEMENT, at(48), lent).unwrap();
    for need in [Need::Owned, Need::IdleBelow] {
        begin(&mut handles, 0, db, need).unwrap();
        assert_eq!(begin(&mut handles, 1, lent, Need::There), Err(Refusal::InUse), "{need:?}");
        assert_eq!(begin(&mut handles, 1, below, Need::There), Err(Refusal::InUse), "{need:?}");
        end(&mut handles, 1);
        end(&mut handles, 0);
    }
    begin(&mut handles, 0, db, Need::IdleBelow).unwrap();
    begin(&mut handles, 1, db, Need::There).unwrap();
    end(&mut handles, 1);
    end(&mut handles, 0);
    begin(&mut handles, 0, lent, Need::Idle).unwrap();
    assert_eq!(begin(&mut handles, 1, lent, Need::There), Err(Refusal::InUse));
    begin(&mut handles, 1, below, Need::There).unwrap();
    end(&mut handles, 1);
    end(&mut handles, 0);
    assert!(handles.uses.is_empty());
}

/// The library has freed one, and lends another at its address.
#[test]
fn an_object_that_is_lent_at_the_address_of_one_that_is_going_is_another() {
    let mut handles = Handles::new(2);
    let old = handles.own(DB, at(16), RawHandle::NONE).unwrap();
    begin(&mut handles, 0, old, Need::Owned).unwrap();
    handles.turn_to(1);
    let new = handles.lend(DB, at(16), RawHandle::NONE).unwrap();
    assert_ne!(new, old);
    handles.turn_to(0);
    assert_eq!(handles.take(old, DB), Ok(at(16)));
    end(&mut handles, 0);
    begin(&mut handles, 1, new, Need::There).unwrap();
    end(&mut handles, 1);
    assert!(handles.uses.is_empty());
}
