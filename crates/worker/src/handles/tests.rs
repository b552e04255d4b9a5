//! The table alone, and against a model that searches everything.

use proptest::prelude::*;

use super::*;

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
    let mut handles = Handles::new();
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
    let mut handles = Handles::new();
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
    let one = || Handles::new().own(DB, at(16), RawHandle::NONE).unwrap();
    assert_ne!([one(), one(), one()], [one(), one(), one()]);
}

#[test]
fn what_is_lent_goes_with_its_parent() {
    let mut handles = Handles::new();
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
    let mut handles = Handles::new();
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
    let mut handles = Handles::new();
    let db = handles.own(DB, at(16), RawHandle::NONE).unwrap();
    let lent = handles.lend(3, at(17), db).unwrap();
    assert_eq!(handles.owned(db, STATEMENT), Err(Refusal::WrongHandleType));
    assert_eq!(handles.owned(lent, 3), Err(Refusal::NotOwned));
    let statement = handles.own(STATEMENT, at(18), lent).unwrap();
    assert_eq!(handles.owned(db, DB), Err(Refusal::HasChildren));
    assert_eq!(handles.owned(statement, STATEMENT), Ok(at(18)));
    assert_eq!(handles.take(statement, STATEMENT), Ok(at(18)), "nothing was taken by asking");
    assert_eq!(handles.owned(db, DB), Ok(at(16)));
    assert_eq!(handles.owned(statement, STATEMENT), Err(Refusal::StaleHandle));
}

#[test]
fn what_was_lent_for_a_while_is_forgotten_alone() {
    let mut handles = Handles::new();
    let db = handles.own(DB, at(16), RawHandle::NONE).unwrap();
    let value = handles.lend(3, at(17), db).unwrap();
    let context = handles.lend(4, at(18), RawHandle::NONE).unwrap();
    let below = handles.lend(3, at(19), context).unwrap();
    for handle in [db, value, context, context, RawHandle::NONE] {
        handles.forget(handle);
    }
    stale(&handles, &[context, below]);
    assert_eq!(handles.get(db, DB), Ok(at(16)), "somebody owns it");
    assert_eq!(handles.get(value, 3), Ok(at(17)), "it lives as long as its parent");
}

#[test]
fn an_object_keeps_its_handle() {
    let mut handles = Handles::new();
    let (a, b) =
        (handles.own(1, at(1), RawHandle::NONE).unwrap(), handles.own(1, at(2), RawHandle::NONE).unwrap());
    let lent = handles.lend(2, at(3), a).unwrap();
    assert_eq!(handles.lend(2, at(3), b), Ok(lent));
    assert_ne!(handles.lend(3, at(3), b), Ok(lent), "as another type it is another object");
    assert_eq!(handles.lend(1, at(1), b), Ok(a), "an owned object keeps its handle too");
    // Who gets it as his own has an object that was not there before.
    let below = handles.lend(4, at(4), lent).unwrap();
    let owned = handles.own(2, at(3), a).unwrap();
    stale(&handles, &[lent, below]);
    assert_eq!(handles.get(owned, 2), Ok(at(3)));
}

#[test]
fn what_was_lent_can_be_made_stale_alone() {
    let mut handles = Handles::new();
    let db = handles.own(1, at(1), RawHandle::NONE).unwrap();
    let (first, owned, last) = (
        handles.lend(2, at(2), db).unwrap(),
        handles.own(2, at(3), db).unwrap(),
        handles.lend(2, at(4), db).unwrap(),
    );
    let below = handles.own(3, at(5), first).unwrap();
    handles.invalidate(db);
    stale(&handles, &[first, last, below]);
    assert_eq!((handles.get(db, 1), handles.get(owned, 2)), (Ok(at(1)), Ok(at(3))));
    handles.invalidate(first);
}

#[test]
fn a_long_chain_goes_at_once() {
    let mut handles = Handles::new();
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
    let mut handles = Handles { limit: 2, ..Handles::new() };
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
    let mut handles = Handles { first_generation: 1, last_generation: 3, ..Handles::new() };
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

/// What the table promises, by looking at everything each time.
#[derive(Debug, Default)]
struct Model(Vec<Object>);

#[derive(Debug, Clone)]
struct Object {
    handle: RawHandle,
    address: usize,
    parent: RawHandle,
    owned: bool,
    alive: bool,
}

impl Model {
    fn alive(&self, handle: RawHandle) -> Option<&Object> {
        self.0.iter().find(|it| it.alive && it.handle == handle)
    }

    fn end(&mut self, handle: RawHandle) {
        let mut doomed = vec![handle];
        while let Some(handle) = doomed.pop() {
            for object in self.0.iter_mut().filter(|it| it.alive) {
                if object.handle == handle {
                    object.alive = false;
                } else if object.parent == handle {
                    doomed.push(object.handle);
                }
            }
        }
    }

    fn object(&self, kind: u16, address: usize) -> Option<RawHandle> {
        let same = |it: &&Object| it.alive && it.handle.kind() == kind && it.address == address;
        self.0.iter().find(same).map(|it| it.handle)
    }

    fn owns_below(&self, handle: RawHandle) -> bool {
        let children = self.0.iter().filter(|it| it.alive && it.parent == handle);
        children.into_iter().any(|it| it.owned || self.owns_below(it.handle))
    }

    /// What is owned below an object has no parent any more.
    fn free_owned_below(&mut self, handle: RawHandle) {
        let mut parents = vec![handle];
        while let Some(parent) = parents.pop() {
            for object in self.0.iter_mut().filter(|it| it.alive && it.parent == parent) {
                match object.owned {
                    true => object.parent = RawHandle::NONE,
                    false => parents.push(object.handle),
                }
            }
        }
    }

    fn check(&self, handles: &Handles) {
        for object in &self.0 {
            let expect = if object.alive { Ok(at(object.address)) } else { Err(Refusal::StaleHandle) };
            assert_eq!(handles.get(object.handle, object.handle.kind()), expect, "{object:?}");
        }
        assert_eq!(handles.objects.len(), self.0.iter().filter(|it| it.alive).count());
    }
}

#[derive(Debug, Clone)]
enum Step {
    Own { kind: u16, address: usize, parent: Option<prop::sample::Index> },
    Lend { kind: u16, address: usize, parent: Option<prop::sample::Index> },
    Take { which: prop::sample::Index, kind: u16 },
    Invalidate { which: prop::sample::Index },
    Forget { which: prop::sample::Index },
}

fn step() -> impl Strategy<Value = Step> {
    let parent = || prop::option::of(any::<prop::sample::Index>());
    prop_oneof![
        3 => (1..4u16, 1..8usize, parent())
            .prop_map(|(kind, address, parent)| Step::Own { kind, address, parent }),
        4 => (1..4u16, 1..8usize, parent())
            .prop_map(|(kind, address, parent)| Step::Lend { kind, address, parent }),
        1 => (any::<prop::sample::Index>(), 1..4u16).prop_map(|(which, kind)| Step::Take { which, kind }),
        1 => any::<prop::sample::Index>().prop_map(|which| Step::Invalidate { which }),
        1 => any::<prop::sample::Index>().prop_map(|which| Step::Forget { which }),
    ]
}

fn run(steps: Vec<Step>) {
    let (first_generation, last_generation) = (5, 8);
    let mut handles = Handles { first_generation, last_generation, ..Handles::new() };
    let mut model = Model::default();
    // A handle that was given out, dead or alive.
    let pick = |model: &Model, which: &prop::sample::Index| match model.0.len() {
        0 => RawHandle::NONE,
        count => model.0[which.index(count)].handle,
    };
    for step in steps {
        match step {
            Step::Own { kind, address, parent } | Step::Lend { kind, address, parent } => {
                let owned = matches!(step, Step::Own { .. });
                let parent = parent.map_or(RawHandle::NONE, |which| pick(&model, &which));
                let there = model.object(kind, address);
                let got = match owned {
                    true => handles.own(kind, at(address), parent),
                    false => handles.lend(kind, at(address), parent),
                };
                match there {
                    Some(there) if !owned => assert_eq!(got, Ok(there)),
                    there => {
                        there.into_iter().for_each(|there| model.end(there));
                        if parent.is_none() || model.alive(parent).is_some() {
                            let handle = got.unwrap();
                            assert!(
                                model.0.iter().all(|it| it.handle != handle),
                                "{handle:?} was there before"
                            );
                            model.0.push(Object { handle, address, parent, owned, alive: true });
                        } else {
                            assert_eq!(got, Err(Refusal::StaleHandle));
                        }
                    }
                }
            }
            Step::Take { which, kind } => {
                let handle = pick(&model, &which);
                let expect = match model.alive(handle) {
                    _ if handle.is_none() => Err(Refusal::NullArgument),
                    None => Err(Refusal::StaleHandle),
                    Some(_) if handle.kind() != kind => Err(Refusal::WrongHandleType),
                    Some(object) if !object.owned => Err(Refusal::NotOwned),
                    Some(_) if model.owns_below(handle) => Err(Refusal::HasChildren),
                    Some(object) => Ok(object.address),
                };
                assert_eq!(handles.take(handle, kind), expect.map(at));
                if expect.is_ok() {
                    model.end(handle);
                }
            }
            Step::Invalidate { which } => {
                let handle = pick(&model, &which);
                handles.invalidate(handle);
                if model.alive(handle).is_some() {
                    let lent = |it: &&Object| it.alive && !it.owned && it.parent == handle;
                    let lent: Vec<_> = model.0.iter().filter(lent).map(|it| it.handle).collect();
                    lent.into_iter().for_each(|handle| model.end(handle));
                }
            }
            Step::Forget { which } => {
                let handle = pick(&model, &which);
                handles.forget(handle);
                if model.alive(handle).is_some_and(|it| !it.owned && it.parent.is_none()) {
                    model.free_owned_below(handle);
                    model.end(handle);
                }
            }
        }
        model.check(&handles);
    }
}

#[test]
fn what_was_lent_for_a_while_is_forgotten() {
    let mut handles = Handles::new();
    let context = handles.lend(1, at(1), RawHandle::NONE).unwrap();
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
    handles.forget(RawHandle::NONE);
    assert!(handles.objects.is_empty());
}

proptest! {
    #[test]
    fn the_table_does_what_a_search_would(steps in prop::collection::vec(step(), 1..120)) {
        run(steps);
    }
}
