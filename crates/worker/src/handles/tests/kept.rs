//! Copies of data that the library keeps.

use super::super::*;
use super::{DB, STATEMENT, at};

fn copy(handles: &mut Handles, byte: u8) -> *mut c_void {
    handles.keep(KeptData::of(&[byte; 40]).unwrap())
}

/// Copies of open calls, and those that are over; and those of objects.
fn counts(handles: &mut Handles, objects: &[RawHandle]) -> (usize, usize, usize) {
    let of_objects = objects.iter().map(|object| handles.copies.count(*object)).sum();
    let copies = handles.uses.copies();
    (copies.len(), copies.over(), of_objects)
}

#[test]
fn copies_go_when_their_object_has_gone_and_the_outermost_call_has_ended() {
    let mut handles = Handles::new(1);
    let db = handles.own(DB, at(16), RawHandle::NONE).unwrap();
    let lent = handles.lend(STATEMENT, at(32), db).unwrap();
    let first = copy(&mut handles, 1);
    let second = copy(&mut handles, 2);
    copy(&mut handles, 3);
    handles.keep_until(first, db);
    handles.keep_until(second, lent);
    assert_eq!(counts(&mut handles, &[db, lent]), (1, 0, 2));
    assert_eq!(handles.copies.count(db), 2, "what is lent may go before the library lets go of it");
    handles.leave(uses::Before::default());
    assert_eq!(counts(&mut handles, &[db]), (0, 0, 2), "nobody tied the third");
    handles.invalidate(db);
    assert_eq!(counts(&mut handles, &[db]), (0, 0, 2));

    // It goes in a nested call.
    handles.hold();
    let before = handles.enter();
    let inner = copy(&mut handles, 4);
    handles.pass(db, DB, Need::Owned).unwrap();
    handles.take(db, DB).unwrap();
    assert_eq!(counts(&mut handles, &[db]), (1, 2, 0), "the library is still releasing it");
    // The object that it was for went meanwhile.
    handles.keep_until(inner, db);
    handles.leave(before);
    handles.let_go();
    assert_eq!(counts(&mut handles, &[db]), (0, 3, 0), "the call around may still look at it");
    handles.leave(uses::Before::default());
    assert_eq!(counts(&mut handles, &[db]), (0, 0, 0));
}

#[test]
fn copies_of_a_call_are_not_those_of_the_call_around() {
    let mut handles = Handles::new(1);
    let db = handles.own(DB, at(16), RawHandle::NONE).unwrap();
    let outer = copy(&mut handles, 1);
    handles.hold();
    let before = handles.enter();
    copy(&mut handles, 2);
    handles.leave(before);
    handles.let_go();
    assert_eq!(counts(&mut handles, &[db]), (1, 0, 0));
    handles.keep_until(outer, db);
    // SAFETY: it is the copy of 40 bytes, which the object has now.
    assert_eq!(unsafe { std::slice::from_raw_parts(outer.cast::<u8>(), 40) }, [1; 40]);
    assert_eq!(counts(&mut handles, &[db]), (0, 0, 1));
}

/// A text that the library keeps with an object, as a call of its own says.
fn kept_with(handles: &mut Handles, object: RawHandle) {
    let text = copy(handles, 7);
    handles.keep_until(text, object);
    handles.leave(uses::Before::default());
}

fn pass(handles: &mut Handles, object: RawHandle, need: Need) {
    handles.pass(object, object.kind(), need).unwrap();
}

fn release(handles: &mut Handles, object: RawHandle) {
    pass(handles, object, Need::Owned);
    handles.take(object, object.kind()).unwrap();
    handles.leave(uses::Before::default());
}

#[test]
fn a_copy_stays_where_its_object_is_taken_over_and_where_another_comes_out_of_it() {
    let mut handles = Handles::new(1);
    let item = handles.own(STATEMENT, at(16), RawHandle::NONE).unwrap();
    let tree = handles.own(DB, at(32), RawHandle::NONE).unwrap();
    kept_with(&mut handles, item);

    // A copy of it may point to the same text.
    pass(&mut handles, item, Need::There);
    let twin = handles.own(STATEMENT, at(48), RawHandle::NONE).unwrap();
    handles.leave(uses::Before::default());
    assert_eq!(counts(&mut handles, &[item, twin, tree]), (0, 0, 2));

    // The tree takes it over.
    pass(&mut handles, tree, Need::There);
    pass(&mut handles, item, Need::Owned);
    handles.take(item, STATEMENT).unwrap();
    handles.leave(uses::Before::default());
    assert_eq!(counts(&mut handles, &[twin, tree]), (0, 0, 2), "it is there for the tree now");

    release(&mut handles, tree);
    assert_eq!(counts(&mut handles, &[twin]), (0, 0, 1), "the other one has it still");
    release(&mut handles, twin);
    assert!(handles.copies.is_empty());
}

#[test]
fn what_belongs_to_an_object_has_no_share_in_its_copies() {
    let mut handles = Handles::new(1);
    let db = handles.own(DB, at(16), RawHandle::NONE).unwrap();
    kept_with(&mut handles, db);
    pass(&mut handles, db, Need::There);
    let statement = handles.own(STATEMENT, at(32), db).unwrap();
    handles.leave(uses::Before::default());
    assert_eq!(handles.copies.count(statement), 0, "it goes before it");
    assert_eq!(handles.copies.count(db), 1);
}
