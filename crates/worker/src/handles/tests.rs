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
    assert_eq!((db.kind(), db.generation()), (DB, 1));
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
        RawHandle::new(DB, 0, db.index()),
        RawHandle::new(DB, 1, db.index() + 1),
        RawHandle::from_raw(u64::MAX),
    ] {
        assert_eq!(handles.get(forged, forged.kind()), Err(Refusal::UnknownHandle), "{forged:?}");
    }
    assert_eq!(handles.get(RawHandle::NONE, DB), Err(Refusal::NullArgument));
}

#[test]
fn children_go_with_their_parent() {
    let mut handles = Handles::new();
    let db = handles.own(DB, at(16), RawHandle::NONE).unwrap();
    let other = handles.own(DB, at(17), RawHandle::NONE).unwrap();
    let list: Vec<_> = (0..5).map(|n| handles.own(STATEMENT, at(32 + n), db).unwrap()).collect();
    let below = handles.lend(3, at(64), list[2]).unwrap();
    handles.take(list[1], STATEMENT).unwrap();
    assert_eq!(handles.get(below, 3), Ok(at(64)));
    handles.take(db, DB).unwrap();
    stale(&handles, &list);
    stale(&handles, &[below, db]);
    assert_eq!(handles.get(other, DB), Ok(at(17)));
    assert_eq!(handles.own(STATEMENT, at(32), db), Err(Refusal::StaleHandle), "no child of what is gone");
}

#[test]
fn what_is_lent_keeps_its_handle_under_its_parent() {
    let mut handles = Handles::new();
    let (a, b) =
        (handles.own(1, at(1), RawHandle::NONE).unwrap(), handles.own(1, at(2), RawHandle::NONE).unwrap());
    let lent = handles.lend(2, at(3), a).unwrap();
    assert_eq!(handles.lend(2, at(3), a), Ok(lent));
    let other = handles.lend(2, at(3), b).unwrap();
    assert_ne!(other, lent);
    assert_eq!(handles.lend(1, at(1), RawHandle::NONE), Ok(a), "an owned object keeps its handle too");
    // Whoever releases it by one handle releases what the other stands for.
    handles.take(other, 2).unwrap();
    stale(&handles, &[lent, other]);
    // And who gets it as his own has an object that was not there before.
    let lent = handles.lend(2, at(3), a).unwrap();
    let below = handles.lend(3, at(4), lent).unwrap();
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
    handles.take(db, 1).unwrap();
    stale(&handles, &[owned]);
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
    handles.take(lent, 2).unwrap();
    handles.lend(2, at(3), db).unwrap();
}

#[test]
fn an_entry_retires_when_its_generations_are_used_up() {
    let mut handles = Handles { last_generation: 3, ..Handles::new() };
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

    fn end_object(&mut self, kind: u16, address: usize) {
        let same = |it: &&Object| it.alive && it.handle.kind() == kind && it.address == address;
        let handles: Vec<_> = self.0.iter().filter(same).map(|it| it.handle).collect();
        handles.into_iter().for_each(|handle| self.end(handle));
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
    ]
}

fn run(steps: Vec<Step>) {
    let (mut handles, mut model) = (Handles { last_generation: 4, ..Handles::new() }, Model::default());
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
                if owned {
                    model.end_object(kind, address);
                }
                let there = model.0.iter().find(|it| {
                    it.alive && (it.handle.kind(), it.address, it.parent) == (kind, address, parent)
                });
                let got = match owned {
                    true => handles.own(kind, at(address), parent),
                    false => handles.lend(kind, at(address), parent),
                };
                if let Some(there) = there {
                    assert_eq!(got, Ok(there.handle));
                } else if parent.is_none() || model.alive(parent).is_some() {
                    let handle = got.unwrap();
                    assert!(model.0.iter().all(|it| it.handle != handle), "{handle:?} was there before");
                    model.0.push(Object { handle, address, parent, owned, alive: true });
                } else {
                    assert_eq!(got, Err(Refusal::StaleHandle));
                }
            }
            Step::Take { which, kind } => {
                let handle = pick(&model, &which);
                let expect = match model.alive(handle) {
                    _ if handle.is_none() => Err(Refusal::NullArgument),
                    None => Err(Refusal::StaleHandle),
                    Some(_) if handle.kind() != kind => Err(Refusal::WrongHandleType),
                    Some(object) => Ok(object.address),
                };
                assert_eq!(handles.take(handle, kind), expect.map(at));
                if let Ok(address) = expect {
                    model.end_object(kind, address);
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
        }
        model.check(&handles);
    }
}

proptest! {
    #[test]
    fn the_table_does_what_a_search_would(steps in prop::collection::vec(step(), 1..120)) {
        run(steps);
    }
}
