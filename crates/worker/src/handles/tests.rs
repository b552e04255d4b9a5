//! The table alone. A fuzz target holds it against one that searches everything (`tests/fuzz/src/target/handles.rs`).

use super::*;

mod holds;
mod kept;
mod threads;

const DB: u16 = 1;
const STATEMENT: u16 = 2;

fn at(address: usize) -> *mut c_void {
    std::ptr::without_provenance_mut(address)
}

fn stale(handles: &Handles, list: &[RawHandle]) {
    for &handle in list {
        assert_eq!(handles.get(handle, handle.kind()), Err(Refusal::StaleHandle));
    }
}

#[test]
fn a_handle_leads_to_its_object_until_it_is_taken() {
    let mut handles = Handles::new(1);
    let db = handles.own(DB, at(16), RawHandle::NONE).unwrap();
    assert_eq!(db.kind(), DB);
    assert_eq!(handles.get(db, DB), Ok(at(16)));
    assert_eq!(handles.get(db, STATEMENT), Err(Refusal::WrongHandleType));
    assert_eq!(handles.take(db, STATEMENT), Err(Refusal::WrongHandleType));
    assert_eq!(handles.take(db, DB), Ok(at(16)));
    assert_eq!(handles.take(db, DB), Err(Refusal::StaleHandle));
    let again = handles.own(DB, at(16), RawHandle::NONE).unwrap();
    assert_ne!(again, db, "a reused address is a new handle");
    assert_eq!(handles.get(again, DB), Ok(at(16)));
    stale(&handles, &[db]);
}

#[test]
fn forged_handles_are_unknown() {
    let mut handles = Handles::new(1);
    let db = handles.own(DB, at(16), RawHandle::NONE).unwrap();
    for forged in [
        RawHandle::new(STATEMENT, db.generation(), db.index()),
        RawHandle::new(DB, db.generation() + 1, db.index()),
        RawHandle::new(DB, db.generation() - 1, db.index()),
        RawHandle::new(DB, 0, db.index()),
        RawHandle::new(DB, db.generation(), db.index() + 1),
        RawHandle::from_raw(u64::MAX),
    ] {
        assert_eq!(handles.get(forged, forged.kind()), Err(Refusal::UnknownHandle), "{forged:?}");
    }
    assert_eq!(handles.get(RawHandle::NONE, DB), Err(Refusal::NullArgument));
}

#[test]
fn workers_give_out_different_handles() {
    let one = || Handles::new(1).own(DB, at(16), RawHandle::NONE).unwrap();
    assert_ne!([one(), one(), one()], [one(), one(), one()]);
}

#[test]
fn what_is_lent_goes_with_its_parent() {
    let mut handles = Handles::new(1);
    let db = handles.own(DB, at(16), RawHandle::NONE).unwrap();
    let other = handles.own(DB, at(17), RawHandle::NONE).unwrap();
    let list: Vec<_> = (0..5).map(|n| handles.lend(STATEMENT, at(32 + n), db).unwrap()).collect();
    let below = handles.lend(3, at(64), list[2]).unwrap();
    handles.take(db, DB).unwrap();
    stale(&handles, &list);
    stale(&handles, &[below, db]);
    assert_eq!(handles.get(other, DB), Ok(at(17)));
    assert_eq!(handles.own(STATEMENT, at(32), db), Err(Refusal::StaleHandle), "no child of what is gone");
}

#[test]
fn only_owners_give_away_and_not_before_their_children() {
    let mut handles = Handles::new(1);
    let db = handles.own(DB, at(16), RawHandle::NONE).unwrap();
    let lent = handles.lend(3, at(17), db).unwrap();
    assert_eq!(handles.take(lent, 3), Err(Refusal::NotOwned));
    let statement = handles.own(STATEMENT, at(18), lent).unwrap();
    handles.lend(3, at(19), db).unwrap();
    assert_eq!(handles.take(db, DB), Err(Refusal::HasChildren));
    assert_eq!(handles.get(db, DB), Ok(at(16)), "what was refused changed nothing");
    assert_eq!(handles.take(statement, STATEMENT), Ok(at(18)));
    assert_eq!(handles.take(db, DB), Ok(at(16)));
    stale(&handles, &[lent]);
}

#[test]
fn what_could_be_taken_is_known_before() {
    let mut handles = Handles::new(1);
    let db = handles.own(DB, at(16), RawHandle::NONE).unwrap();
    let lent = handles.lend(3, at(17), db).unwrap();
    assert_eq!(handles.pass(db, STATEMENT, Need::Owned), Err(Refusal::WrongHandleType));
    assert_eq!(handles.pass(lent, 3, Need::Owned), Err(Refusal::NotOwned));
    let statement = handles.own(STATEMENT, at(18), lent).unwrap();
    assert_eq!(handles.pass(db, DB, Need::Owned), Err(Refusal::HasChildren));
    assert_eq!(handles.pass(statement, STATEMENT, Need::Owned), Ok(at(18)));
    assert_eq!(handles.take(statement, STATEMENT), Ok(at(18)), "nothing was taken by asking");
    assert_eq!(handles.pass(db, DB, Need::Owned), Ok(at(16)));
    assert_eq!(handles.pass(statement, STATEMENT, Need::Owned), Err(Refusal::StaleHandle));
}

#[test]
fn what_a_callback_was_passed_goes_with_the_last_one_that_was() {
    let mut handles = Handles::new(1);
    let db = handles.own(DB, at(16), RawHandle::NONE).unwrap();
    let value = handles.lend(3, at(17), db).unwrap();
    let root = handles.lend(3, at(18), RawHandle::NONE).unwrap();
    let outer = handles.lend_for_now(3, at(17)).unwrap();
    assert_eq!(handles.lend_for_now(3, at(17)), Ok(outer));
    assert_ne!(outer, value, "the callback's handle goes by itself");
    assert_eq!(handles.lend_for_now(DB, at(16)), Ok(db), "what is owned keeps its handle");
    let root_for_now = handles.lend_for_now(3, at(18)).unwrap();
    let below = handles.lend(4, at(19), outer).unwrap();
    for handle in [outer, db, root_for_now, RawHandle::NONE] {
        handles.forget(handle);
    }
    stale(&handles, &[root_for_now]);
    assert_eq!((handles.get(outer, 3), handles.get(below, 4)), (Ok(at(17)), Ok(at(19))), "one still runs");
    handles.forget(outer);
    stale(&handles, &[outer, below]);
    assert_eq!(handles.get(db, DB), Ok(at(16)), "somebody owns it");
    assert_eq!(handles.get(value, 3), Ok(at(17)), "it lives as long as its parent");
    assert_eq!(handles.get(root, 3), Ok(at(18)), "it lives for ever");
    assert_eq!(handles.lend(3, at(18), RawHandle::NONE), Ok(root));
}

#[test]
fn what_was_lent_for_a_while_is_forgotten() {
    let mut handles = Handles::new(1);
    let context = handles.lend_for_now(1, at(1)).unwrap();
    let value = handles.lend(2, at(2), context).unwrap();
    let copies = [3, 4].map(|address| handles.own(3, at(address), value).unwrap());
    let below = handles.own(3, at(5), copies[0]).unwrap();
    handles.forget(context);
    stale(&handles, &[context, value]);
    handles.forget(copies[0]);
    for handle in copies {
        assert!(handles.get(handle, 3).is_ok(), "what is owned stays");
    }
    assert_eq!(handles.take(copies[0], 3), Err(Refusal::HasChildren), "and keeps what is below it");
    handles.take(below, 3).unwrap();
    handles.take(copies[0], 3).unwrap();
    handles.take(copies[1], 3).unwrap();
    assert!(handles.objects.is_empty());
}

#[test]
fn a_shim_before_1_3_forgets_what_has_no_parent() {
    let mut handles = Handles::new(1);
    let db = handles.own(DB, at(16), RawHandle::NONE).unwrap();
    let value = handles.lend(3, at(17), db).unwrap();
    let context = handles.lend(4, at(18), RawHandle::NONE).unwrap();
    for handle in [db, value, context, context, RawHandle::NONE] {
        handles.forget(handle);
    }
    stale(&handles, &[context]);
    assert_eq!((handles.get(db, DB), handles.get(value, 3)), (Ok(at(16)), Ok(at(17))));
}

#[test]
fn an_object_has_a_handle_for_each_parent_that_lends_it() {
    let mut handles = Handles::new(1);
    let (a, b) =
        (handles.own(1, at(1), RawHandle::NONE).unwrap(), handles.own(1, at(2), RawHandle::NONE).unwrap());
    let by_a = handles.lend(2, at(3), a).unwrap();
    let by_b = handles.lend(2, at(3), b).unwrap();
    let for_ever = handles.lend(2, at(3), RawHandle::NONE).unwrap();
    assert_eq!(handles.lend(2, at(3), a), Ok(by_a));
    assert_eq!(handles.lend(2, at(3), b), Ok(by_b));
    assert!(by_a != by_b && by_a != for_ever && by_b != for_ever);
    assert_ne!(handles.lend(3, at(3), b), Ok(by_b), "as another type it is another object");
    assert_eq!(handles.lend(1, at(1), b), Ok(a), "an owned object has one handle");
    handles.invalidate(a);
    stale(&handles, &[by_a]);
    assert_eq!(handles.get(by_b, 2), Ok(at(3)));
    handles.take(b, 1).unwrap();
    stale(&handles, &[by_b]);
    assert_eq!(handles.get(for_ever, 2), Ok(at(3)));
}

#[test]
fn who_gets_an_object_as_his_own_ends_how_it_was_lent() {
    let mut handles = Handles::new(1);
    let a = handles.own(1, at(1), RawHandle::NONE).unwrap();
    let b = handles.own(1, at(2), RawHandle::NONE).unwrap();
    let (by_a, by_b) = (handles.lend(2, at(3), a).unwrap(), handles.lend(2, at(3), b).unwrap());
    let below = handles.lend(4, at(4), by_a).unwrap();
    let mark = handles.own(5, at(5), below).unwrap();
    let owned = handles.own(2, at(3), a).unwrap();
    stale(&handles, &[by_a, by_b, below]);
    assert_eq!(handles.get(owned, 2), Ok(at(3)));
    assert_eq!(handles.take(owned, 2), Err(Refusal::HasChildren), "what was made from it is there");
    handles.take(mark, 5).unwrap();
    handles.take(owned, 2).unwrap();
    // Lent by what it belongs to, and by itself.
    let outer = handles.lend(2, at(3), b).unwrap();
    let inner = handles.lend(2, at(3), outer).unwrap();
    let owned = handles.own(2, at(3), inner).unwrap();
    stale(&handles, &[outer, inner]);
    assert_eq!(handles.take(b, 1), Err(Refusal::HasChildren));
    handles.take(owned, 2).unwrap();
    handles.take(b, 1).unwrap();
}

#[test]
fn what_is_owned_is_not_owned_again() {
    let mut handles = Handles::new(1);
    let a = handles.own(1, at(1), RawHandle::NONE).unwrap();
    let item = handles.own(2, at(2), a).unwrap();
    let below = handles.own(3, at(3), item).unwrap();
    assert_eq!(handles.own(2, at(2), a), Err(Refusal::AlreadyOwned));
    assert_eq!(handles.own(2, at(2), item), Err(Refusal::AlreadyOwned));
    assert_eq!((handles.get(item, 2), handles.get(below, 3)), (Ok(at(2)), Ok(at(3))));
    // What is refused for another reason changes nothing either.
    let lent = handles.lend(4, at(4), a).unwrap();
    handles.take(below, 3).unwrap();
    assert_eq!(handles.own(4, at(4), below), Err(Refusal::StaleHandle));
    assert_eq!(handles.get(lent, 4), Ok(at(4)));
}

#[test]
fn what_was_lent_can_be_made_stale_alone() {
    let mut handles = Handles::new(1);
    let db = handles.own(1, at(1), RawHandle::NONE).unwrap();
    let (first, owned, last) = (
        handles.lend(2, at(2), db).unwrap(),
        handles.own(2, at(3), db).unwrap(),
        handles.lend(2, at(4), db).unwrap(),
    );
    let mark = handles.own(3, at(5), first).unwrap();
    let below = handles.lend(3, at(6), first).unwrap();
    handles.invalidate(db);
    stale(&handles, &[first, last, below]);
    assert_eq!((handles.get(db, 1), handles.get(owned, 2)), (Ok(at(1)), Ok(at(3))));
    handles.invalidate(first);
    handles.take(owned, 2).unwrap();
    assert_eq!(handles.take(db, 1), Err(Refusal::HasChildren), "what is owned below them belongs to it");
    assert_eq!(handles.take(mark, 3), Ok(at(5)), "and can be released");
    handles.take(db, 1).unwrap();
}

#[test]
fn what_a_call_uses_is_not_taken_by_one_inside_of_it() {
    let mut handles = Handles::new(1);
    let tree = handles.own(1, at(1), RawHandle::NONE).unwrap();
    let (node, other) = (handles.lend(2, at(2), tree).unwrap(), handles.lend(2, at(3), tree).unwrap());
    let stream = handles.own(3, at(4), RawHandle::NONE).unwrap();
    let taken = handles.own(3, at(5), RawHandle::NONE).unwrap();
    let before = handles.enter();
    handles.pass(node, 2, Need::There).unwrap();
    handles.pass(stream, 3, Need::Idle).unwrap();
    handles.pass(taken, 3, Need::Owned).unwrap();
    handles.take(taken, 3).unwrap();
    handles.hold();
    let nested = handles.enter();
    // The address of what was taken is that of something new.
    let new = handles.own(3, at(5), RawHandle::NONE).unwrap();
    handles.take(new, 3).unwrap();
    assert_eq!(handles.pass(tree, 1, Need::Owned), Err(Refusal::InUse));
    assert_eq!(handles.take(tree, 1), Err(Refusal::InUse));
    assert_eq!(handles.pass(tree, 1, Need::IdleBelow), Err(Refusal::InUse));
    assert_eq!(handles.pass(stream, 3, Need::Idle), Err(Refusal::InUse));
    assert_eq!(handles.pass(stream, 3, Need::IdleBelow), Ok(at(4)));
    assert_eq!(handles.pass(node, 2, Need::There), Ok(at(2)), "it may be looked at");
    assert_eq!(handles.pass(other, 2, Need::Idle), Ok(at(3)));
    let mine = handles.own(2, at(2), RawHandle::NONE).unwrap();
    assert_eq!(handles.take(mine, 2), Err(Refusal::InUse), "as what it is known is all the same");
    handles.leave(nested);
    handles.let_go();
    handles.take(mine, 2).unwrap();
    handles.take(tree, 1).unwrap();
    assert_eq!(handles.take(stream, 3), Ok(at(4)), "a call may take what it alone uses");
    handles.leave(before);
    assert!(handles.uses.is_empty());
}

#[test]
fn what_a_callback_was_passed_is_in_use() {
    let mut handles = Handles::new(1);
    let tree = handles.own(1, at(1), RawHandle::NONE).unwrap();
    let node = handles.lend(2, at(2), tree).unwrap();
    let now = [handles.lend_for_now(1, at(1)).unwrap(), handles.lend_for_now(2, at(2)).unwrap()];
    assert_eq!(handles.take(tree, 1), Err(Refusal::InUse));
    handles.forget(now[0]);
    assert_eq!(handles.take(tree, 1), Err(Refusal::InUse), "its node is");
    // One that is owned meanwhile has a new handle, and is in use until the callback has returned.
    let owned = handles.own(2, at(2), RawHandle::NONE).unwrap();
    stale(&handles, &[node, now[1]]);
    let free = handles.own(3, at(9), RawHandle::NONE).unwrap();
    assert_ne!(free.index(), now[1].index(), "the callback's entry is not used again while it runs");
    assert_eq!(handles.take(owned, 2), Err(Refusal::InUse));
    handles.forget(now[1]);
    handles.take(owned, 2).unwrap();
    handles.take(tree, 1).unwrap();
}

#[test]
fn what_was_promised_is_taken() {
    let mut handles = Handles::new(1);
    let tree = handles.own(1, at(1), RawHandle::NONE).unwrap();
    let before = handles.enter();
    handles.pass(tree, 1, Need::Owned).unwrap();
    handles.hold();
    let nested = handles.enter();
    let mark = handles.own(2, at(2), tree).unwrap();
    assert_eq!(handles.take(tree, 1), Err(Refusal::HasChildren), "it was promised to another call");
    handles.leave(nested);
    handles.let_go();
    assert_eq!(handles.take(tree, 1), Ok(at(1)), "the library has it");
    handles.leave(before);
    assert_eq!(handles.take(mark, 2), Ok(at(2)));
}

#[test]
fn what_a_call_was_promised_may_be_gone_and_its_address_something_new() {
    for taken in [true, false] {
        let mut handles = Handles::new(1);
        let old = handles.own(1, at(1), RawHandle::NONE).unwrap();
        let (mark, lent) = (handles.own(2, at(2), old), handles.lend(3, at(3), old).unwrap());
        handles.take(mark.unwrap(), 2).unwrap();
        let before = handles.enter();
        handles.pass(old, 1, Need::Owned).unwrap();
        handles.hold();
        let nested = handles.enter();
        let new = handles.own(1, at(1), old).unwrap();
        assert_ne!(new, old);
        assert_eq!(handles.own(1, at(1), RawHandle::NONE), Err(Refusal::AlreadyOwned), "this one is there");
        assert_eq!(handles.lend(1, at(1), RawHandle::NONE), Ok(new));
        // Nobody else reaches what is there by the old handle.
        assert_eq!(handles.pass(old, 1, Need::There), Err(Refusal::StaleHandle));
        assert_eq!(handles.take(old, 1), Err(Refusal::StaleHandle));
        assert_eq!(handles.pass(new, 1, Need::Owned), Ok(at(1)), "nobody uses the new one");
        let below = handles.own(2, at(4), new).unwrap();
        handles.leave(nested);
        handles.let_go();
        assert_eq!(handles.get(lent, 3), Ok(at(3)));
        if taken {
            assert_eq!(handles.take(old, 1), Ok(at(1)));
        }
        handles.leave(before);
        stale(&handles, &[old, lent]);
        assert!(handles.retired.is_empty() && handles.uses.is_empty());
        assert_eq!((handles.get(new, 1), handles.take(new, 1)), (Ok(at(1)), Err(Refusal::HasChildren)));
        handles.take(below, 2).unwrap();
        handles.take(new, 1).unwrap();
        assert!(handles.objects.is_empty());
    }
}

#[test]
fn what_was_retired_leaves_alone_how_others_lend_the_new_one() {
    let mut handles = Handles::new(1);
    let parents = [2, 3].map(|address| handles.own(2, at(address), RawHandle::NONE).unwrap());
    let old = handles.own(1, at(1), RawHandle::NONE).unwrap();
    let before = handles.enter();
    handles.pass(old, 1, Need::Owned).unwrap();
    let new = handles.own(1, at(1), RawHandle::NONE).unwrap();
    handles.take(new, 1).unwrap();
    let lent = parents.map(|parent| handles.lend(1, at(1), parent).unwrap());
    assert_eq!(handles.take(old, 1), Ok(at(1)));
    handles.leave(before);
    assert_eq!(parents.map(|parent| handles.lend(1, at(1), parent).unwrap()), lent);
}

#[test]
fn a_long_chain_goes_at_once() {
    let mut handles = Handles::new(1);
    let top = handles.own(1, at(1), RawHandle::NONE).unwrap();
    let mut last = top;
    for address in 2..200_000 {
        last = handles.lend(1, at(address), last).unwrap();
    }
    handles.take(top, 1).unwrap();
    stale(&handles, &[last]);
    assert!(handles.objects.is_empty());
}

#[test]
fn a_full_table_takes_no_more() {
    let mut handles = Handles { limit: 2, ..Handles::new(1) };
    let db = handles.own(1, at(1), RawHandle::NONE).unwrap();
    let lent = handles.lend(2, at(2), db).unwrap();
    assert_eq!(handles.lend(2, at(3), db), Err(Refusal::TooManyHandles));
    assert_eq!(handles.own(1, at(3), RawHandle::NONE), Err(Refusal::TooManyHandles));
    assert_eq!(handles.lend(2, at(2), db), Ok(lent), "what is there already is found");
    handles.invalidate(db);
    handles.lend(2, at(3), db).unwrap();
}

#[test]
fn an_entry_retires_when_its_generations_are_used_up() {
    let mut handles = Handles { entries: Entries::new(1, 3), ..Handles::new(1) };
    let mut seen = Vec::new();
    for _ in 0..8 {
        let handle = handles.own(1, at(1), RawHandle::NONE).unwrap();
        assert!(!seen.contains(&handle), "{handle:?} was there before");
        assert!(handle.generation() <= 3);
        handles.take(handle, 1).unwrap();
        seen.push(handle);
    }
    stale(&handles, &seen);
    assert_eq!(seen.last().map(|handle| handle.index()), Some(2));
}
