//! Objects that others keep.

use super::super::*;
use super::{DB, STATEMENT, at, stale};

const DICT: u16 = 3;
const PART: u16 = 4;

struct Things {
    handles: Handles,
    dict: RawHandle,
    context: RawHandle,
}

fn things() -> Things {
    let mut handles = Handles::new(1);
    let dict = handles.own(DICT, at(16), RawHandle::NONE).unwrap();
    let context = handles.own(DB, at(32), RawHandle::NONE).unwrap();
    Things { handles, dict, context }
}

/// A call that is passed objects, and has ended.
fn call(handles: &mut Handles, passed: &[(RawHandle, Need)], does: impl FnOnce(&mut Handles)) {
    for (handle, need) in passed {
        handles.pass(*handle, handle.kind(), *need).unwrap();
    }
    does(handles);
    handles.leave(uses::Before::default());
}

fn keep(handles: &mut Handles, kept: RawHandle, keeper: RawHandle, slot: u32) {
    call(handles, &[(kept, Need::There), (keeper, Need::There)], |handles| {
        handles.may_keep(kept, keeper).unwrap();
        handles.keep_object(kept, keeper, slot);
    });
}

fn release(handles: &mut Handles, handle: RawHandle) -> Result<(), Refusal> {
    let passed = handles.pass(handle, handle.kind(), Need::Owned);
    let taken = passed.and_then(|_| handles.take(handle, handle.kind()));
    handles.leave(uses::Before::default());
    taken.map(drop)
}

#[test]
fn what_is_kept_goes_behind_its_keeper() {
    let Things { mut handles, dict, context } = things();
    keep(&mut handles, dict, context, 0);
    keep(&mut handles, dict, context, 0);
    let other = handles.own(DB, at(48), RawHandle::NONE).unwrap();
    keep(&mut handles, dict, other, 0);
    assert_eq!(release(&mut handles, dict), Err(Refusal::Kept));
    release(&mut handles, context).unwrap();
    assert_eq!(release(&mut handles, dict), Err(Refusal::Kept), "the other keeps it");
    release(&mut handles, other).unwrap();
    release(&mut handles, dict).unwrap();
    assert!(handles.holds.is_empty());
}

#[test]
fn what_is_kept_for_ever_does_not_go() {
    let Things { mut handles, dict, context } = things();
    handles.keep_object(dict, RawHandle::NONE, 0);
    release(&mut handles, context).unwrap();
    assert_eq!(release(&mut handles, dict), Err(Refusal::Kept));
    // What is lent for ever goes never.
    let Things { mut handles, dict, .. } = things();
    let global = handles.lend(STATEMENT, at(64), RawHandle::NONE).unwrap();
    handles.keep_object(dict, global, 0);
    assert_eq!(release(&mut handles, dict), Err(Refusal::Kept));
}

#[test]
fn a_keeper_lets_go_of_what_is_in_its_slot() {
    let Things { mut handles, dict, context } = things();
    let second = handles.own(DICT, at(80), RawHandle::NONE).unwrap();
    keep(&mut handles, dict, context, 7);
    handles.let_object_go(context, 7);
    keep(&mut handles, second, context, 7);
    release(&mut handles, dict).unwrap();
    assert_eq!(release(&mut handles, second), Err(Refusal::Kept));
    // What it keeps besides is not of that slot.
    keep(&mut handles, second, context, 0);
    handles.let_object_go(context, 7);
    assert_eq!(release(&mut handles, second), Err(Refusal::Kept));
    release(&mut handles, context).unwrap();
    release(&mut handles, second).unwrap();
    assert!(handles.holds.is_empty());
}

#[test]
fn what_is_lent_stays_as_long_as_it_is_kept() {
    let Things { mut handles, dict, context } = things();
    let part = handles.lend(PART, at(96), dict).unwrap();
    keep(&mut handles, part, context, 0);
    assert_eq!(release(&mut handles, dict), Err(Refusal::Kept));
    assert_eq!(handles.pass(dict, DICT, Need::IdleBelow), Err(Refusal::Kept), "nor be made stale");
    // A part of it that somebody owns from now on is what is kept.
    let own = handles.own(PART, at(96), RawHandle::NONE).unwrap();
    stale(&handles, &[part]);
    assert_eq!(handles.pass(dict, DICT, Need::IdleBelow), Ok(at(16)));
    handles.leave(uses::Before::default());
    release(&mut handles, dict).unwrap();
    assert_eq!(release(&mut handles, own), Err(Refusal::Kept));
    release(&mut handles, context).unwrap();
    release(&mut handles, own).unwrap();
}

#[test]
fn parts_of_what_is_kept_stay() {
    let Things { mut handles, dict, context } = things();
    keep(&mut handles, dict, context, 0);
    assert_eq!(handles.pass(dict, DICT, Need::IdleBelow), Err(Refusal::Kept), "its parts are looked at");
    let (mut part, mut other) = (RawHandle::NONE, RawHandle::NONE);
    call(&mut handles, &[(dict, Need::There)], |handles| {
        part = handles.own(DICT, at(64), RawHandle::NONE).unwrap();
        other = handles.own(PART, at(80), RawHandle::NONE).unwrap();
    });
    release(&mut handles, other).unwrap();
    assert_eq!(release(&mut handles, part), Err(Refusal::Kept), "it may have been taken out");
    release(&mut handles, context).unwrap();
    release(&mut handles, part).unwrap();
    release(&mut handles, dict).unwrap();
    assert!(handles.holds.is_empty());
}

#[test]
fn what_keeps_a_part_of_itself_can_go() {
    let Things { mut handles, dict, .. } = things();
    let (part, holder) = (handles.lend(PART, at(96), dict), handles.lend(PART, at(112), dict));
    keep(&mut handles, part.unwrap(), holder.unwrap(), 0);
    assert_eq!(handles.pass(dict, DICT, Need::IdleBelow), Err(Refusal::Kept), "what it refers to must stay");
    release(&mut handles, dict).unwrap();
    assert!(handles.holds.is_empty());
}

#[test]
fn what_is_kept_by_a_part_of_itself_is_not_made_stale() {
    let Things { mut handles, dict, .. } = things();
    let part = handles.lend(PART, at(96), dict).unwrap();
    keep(&mut handles, dict, part, 0);
    assert_eq!(handles.pass(dict, DICT, Need::IdleBelow), Err(Refusal::Kept));
    release(&mut handles, dict).unwrap();
    assert!(handles.holds.is_empty());
}

/// Each that lends it may end it, and it is one object.
#[test]
fn what_two_lend_is_kept_below_both() {
    let Things { mut handles, dict, context } = things();
    let other = handles.own(DICT, at(48), RawHandle::NONE).unwrap();
    let parts = [dict, other].map(|lender| handles.lend(PART, at(96), lender).unwrap());
    keep(&mut handles, parts[0], context, 0);
    for lender in [dict, other] {
        assert_eq!(release(&mut handles, lender), Err(Refusal::Kept));
        assert_eq!(handles.pass(lender, DICT, Need::IdleBelow), Err(Refusal::Kept));
    }
    assert_eq!(handles.may_keep(context, other), Err(Refusal::KeptInCircle), "it waits for the context");
    release(&mut handles, context).unwrap();
    let context = handles.own(DB, at(32), RawHandle::NONE).unwrap();
    handles.pass(other, DICT, Need::Owned).unwrap();
    handles.hold();
    let nested = handles.enter();
    assert_eq!(handles.may_keep(parts[0], context), Err(Refusal::InUse), "a call may end the other");
    handles.leave(nested);
    handles.let_go();
    handles.leave(uses::Before::default());
}

#[test]
fn what_a_nested_call_lets_go_of_stays_until_the_outermost_has_ended() {
    let Things { mut handles, dict, context } = things();
    keep(&mut handles, dict, context, 7);
    handles.pass(context, DB, Need::There).unwrap();
    handles.hold();
    let nested = handles.enter();
    handles.let_object_go(context, 7);
    handles.leave(nested);
    assert_eq!(handles.pass(dict, DICT, Need::Owned), Err(Refusal::InUse), "the call around may look at it");
    handles.let_go();
    handles.leave(uses::Before::default());
    release(&mut handles, dict).unwrap();
    assert!(handles.holds.is_empty());
}

#[test]
fn what_is_let_go_of_beside_a_call_with_its_keeper_stays_until_that_has_ended() {
    let mut handles = Handles::new(3);
    let dict = handles.own(DICT, at(16), RawHandle::NONE).unwrap();
    let context = handles.own(DB, at(32), RawHandle::NONE).unwrap();
    let part = handles.lend(PART, at(96), context).unwrap();
    keep(&mut handles, dict, context, 7);
    handles.turn_to(1);
    handles.pass(part, PART, Need::There).unwrap();
    handles.turn_to(0);
    call(&mut handles, &[(context, Need::There)], |handles| handles.let_object_go(context, 7));
    assert_eq!(release(&mut handles, dict), Err(Refusal::InUse));
    handles.turn_to(1);
    handles.leave(uses::Before::default());
    handles.turn_to(0);
    release(&mut handles, dict).unwrap();
    assert!(handles.holds.is_empty());
}

#[test]
fn circles_are_refused() {
    let Things { mut handles, dict, context } = things();
    keep(&mut handles, dict, context, 0);
    assert_eq!(handles.may_keep(context, dict), Err(Refusal::KeptInCircle));
    let far = handles.own(DB, at(128), RawHandle::NONE).unwrap();
    keep(&mut handles, context, far, 0);
    assert_eq!(handles.may_keep(far, dict), Err(Refusal::KeptInCircle), "at any remove");
    // What belongs to an object goes before that.
    let child = handles.own(STATEMENT, at(144), far).unwrap();
    assert_eq!(handles.may_keep(child, far), Err(Refusal::KeptInCircle));
    assert_eq!(handles.may_keep(child, dict), Err(Refusal::KeptInCircle));
    assert_eq!(handles.may_keep(far, child), Ok(()), "it waits for that anyway");
    let part = handles.lend(PART, at(160), far).unwrap();
    assert_eq!(handles.may_keep(part, dict), Err(Refusal::KeptInCircle), "with it goes what it is a part of");
}

#[test]
fn what_an_open_call_may_end_is_not_kept() {
    let Things { mut handles, dict, context } = things();
    let part = handles.lend(PART, at(96), dict).unwrap();
    for (need, of_part) in [(Need::Owned, Refusal::InUse), (Need::IdleBelow, Refusal::InUse)] {
        handles.pass(dict, DICT, need).unwrap();
        handles.hold();
        let nested = handles.enter();
        assert_eq!(handles.may_keep(part, context), Err(of_part));
        let itself = if need == Need::Owned { Err(Refusal::InUse) } else { Ok(()) };
        assert_eq!(handles.may_keep(dict, context), itself);
        handles.leave(nested);
        handles.let_go();
        handles.leave(uses::Before::default());
    }
    let now = handles.lend_for_now(PART, at(176)).unwrap();
    assert_eq!(handles.may_keep(now, context), Err(Refusal::NotOwned), "nobody knows how long it is there");
    assert_eq!(handles.may_keep(context, RawHandle::NONE), Ok(()));
}

/// The library releases the keeper, and may still look at what it keeps.
#[test]
fn a_keeper_that_goes_keeps_until_the_outermost_call_has_ended() {
    let Things { mut handles, dict, context } = things();
    keep(&mut handles, dict, context, 0);
    handles.pass(context, DB, Need::Owned).unwrap();
    handles.take(context, DB).unwrap();
    handles.hold();
    let nested = handles.enter();
    assert_eq!(handles.pass(dict, DICT, Need::Owned), Err(Refusal::InUse));
    let other = handles.own(DICT, at(192), RawHandle::NONE).unwrap();
    // One that has gone is given something all the same.
    handles.keep_object(other, context, 0);
    handles.leave(nested);
    assert_eq!(handles.take(other, DICT), Err(Refusal::InUse));
    handles.let_go();
    handles.leave(uses::Before::default());
    release(&mut handles, dict).unwrap();
    release(&mut handles, other).unwrap();
    assert!(handles.holds.is_empty());
}

#[test]
fn what_takes_a_keeper_over_keeps_on_and_so_does_what_comes_out_of_it() {
    let Things { mut handles, dict, context } = things();
    keep(&mut handles, dict, context, 3);
    let tree = handles.own(PART, at(208), RawHandle::NONE).unwrap();
    let node = handles.lend(PART, at(224), tree).unwrap();
    call(&mut handles, &[(context, Need::Owned), (node, Need::There)], |handles| {
        handles.take(context, DB).unwrap();
    });
    assert_eq!(release(&mut handles, dict), Err(Refusal::Kept));
    // It comes out of the tree again.
    let mut again = RawHandle::NONE;
    call(&mut handles, &[(tree, Need::There)], |handles| {
        again = handles.own(DB, at(32), RawHandle::NONE).unwrap();
    });
    release(&mut handles, tree).unwrap();
    assert_eq!(release(&mut handles, dict), Err(Refusal::Kept));
    release(&mut handles, again).unwrap();
    release(&mut handles, dict).unwrap();
    assert!(handles.holds.is_empty());
}

/// The call wraps what it takes over.
#[test]
fn what_is_made_of_a_keeper_keeps_on() {
    let Things { mut handles, dict, context } = things();
    keep(&mut handles, dict, context, 0);
    let mut made = RawHandle::NONE;
    call(&mut handles, &[(context, Need::Owned)], |handles| {
        handles.take(context, DB).unwrap();
        made = handles.own(PART, at(240), RawHandle::NONE).unwrap();
    });
    assert_eq!(release(&mut handles, dict), Err(Refusal::Kept));
    release(&mut handles, made).unwrap();
    release(&mut handles, dict).unwrap();
}

#[test]
fn threads_keep_apart_what_is_over() {
    let mut handles = Handles::new(2);
    let dict = handles.own(DICT, at(16), RawHandle::NONE).unwrap();
    let contexts = [32, 48].map(|address| handles.own(DB, at(address), RawHandle::NONE).unwrap());
    contexts.iter().for_each(|context| handles.keep_object(dict, *context, 0));
    for (thread, context) in contexts.iter().enumerate() {
        handles.turn_to(thread);
        handles.pass(*context, DB, Need::Owned).unwrap();
        handles.take(*context, DB).unwrap();
    }
    handles.leave(uses::Before::default());
    assert_eq!(release(&mut handles, dict), Err(Refusal::InUse), "the other thread is still at it");
    handles.turn_to(0);
    handles.leave(uses::Before::default());
    release(&mut handles, dict).unwrap();
}
