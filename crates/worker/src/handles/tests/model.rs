//! The table against a model that looks at everything each time.

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

/// What the table promises.
#[derive(Debug, Default)]
struct Model {
    objects: Vec<Seen>,
    /// The open calls, the innermost last.
    calls: Vec<Open>,
}

#[derive(Debug, Clone)]
struct Seen {
    handle: RawHandle,
    address: usize,
    parent: RawHandle,
    tie: Tie,
    lends: u32,
    alive: bool,
    /// Something new was at its address before the call that was promised it ended.
    retired: bool,
}

#[derive(Debug, Default)]
struct Open {
    passed: Vec<(RawHandle, Object, Need)>,
    /// Calls are nested in it: what it was passed is in use.
    held: bool,
}

impl Seen {
    fn key(&self) -> Object {
        (self.handle.kind(), self.address)
    }

    fn is_owned(&self) -> bool {
        self.tie == Tie::Owned
    }
}

impl Model {
    fn alive(&self, handle: RawHandle) -> Option<&Seen> {
        self.objects.iter().find(|it| it.alive && it.handle == handle)
    }

    fn children(&self, handle: RawHandle) -> Vec<Seen> {
        self.objects.iter().filter(|it| it.alive && it.parent == handle).cloned().collect()
    }

    fn end(&mut self, handle: RawHandle) {
        self.children(handle).iter().for_each(|child| self.end(child.handle));
        self.objects.iter_mut().filter(|it| it.handle == handle).for_each(|it| it.alive = false);
    }

    /// Ends what was lent; what is owned below it belongs to another from then on.
    fn end_lent(&mut self, handle: RawHandle, to: RawHandle) {
        self.move_owned(handle, to);
        self.end(handle);
    }

    fn move_owned(&mut self, handle: RawHandle, to: RawHandle) {
        for child in self.children(handle) {
            match child.is_owned() {
                true => self
                    .objects
                    .iter_mut()
                    .filter(|it| it.handle == child.handle)
                    .for_each(|it| it.parent = to),
                false => self.move_owned(child.handle, to),
            }
        }
    }

    fn there(&self, key: Object, tie: Tie, parent: RawHandle) -> Option<RawHandle> {
        let mut same = self.objects.iter().filter(|it| it.alive && !it.retired && it.key() == key);
        same.find(|it| it.is_owned() || (it.tie, it.parent) == (tie, parent)).map(|it| it.handle)
    }

    fn owns_below(&self, handle: RawHandle) -> bool {
        self.children(handle).iter().any(|it| it.is_owned() || self.owns_below(it.handle))
    }

    fn is_used(&self, key: Object) -> bool {
        self.objects.iter().any(|it| it.key() == key && it.lends > 0)
            || self
                .calls
                .iter()
                .filter(|call| call.held)
                .any(|call| call.passed.iter().any(|passed| passed.1 == key && !self.is_retired(passed.0)))
    }

    fn is_retired(&self, handle: RawHandle) -> bool {
        self.objects.iter().any(|it| it.handle == handle && it.retired)
    }

    fn is_promised(&self, handle: RawHandle) -> bool {
        self.calls.iter().any(|call| call.passed.iter().any(|it| it.0 == handle && it.2 == Need::Owned))
    }

    fn is_used_below(&self, handle: RawHandle) -> bool {
        let lent = self.children(handle).into_iter().filter(|it| !it.is_owned());
        lent.into_iter().any(|it| self.is_used(it.key()) || self.is_used_below(it.handle))
    }

    fn can_be_taken(&self, object: &Seen) -> Result<(), Refusal> {
        if !object.is_owned() {
            Err(Refusal::NotOwned)
        } else if self.owns_below(object.handle) {
            Err(Refusal::HasChildren)
        } else if self.is_used(object.key()) || self.is_used_below(object.handle) {
            Err(Refusal::InUse)
        } else {
            Ok(())
        }
    }

    fn live(&self, handle: RawHandle, kind: u16) -> Result<&Seen, Refusal> {
        match self.alive(handle) {
            _ if handle.is_none() => Err(Refusal::NullArgument),
            None => Err(Refusal::StaleHandle),
            Some(_) if handle.kind() != kind => Err(Refusal::WrongHandleType),
            Some(object) => Ok(object),
        }
    }

    fn pass(&mut self, handle: RawHandle, kind: u16, need: Need) -> Result<usize, Refusal> {
        let object = self.live(handle, kind)?.clone();
        if object.retired {
            return Err(Refusal::StaleHandle);
        }
        match need {
            Need::There => {}
            Need::Idle if self.is_used(object.key()) => return Err(Refusal::InUse),
            Need::IdleBelow if self.is_used_below(handle) => return Err(Refusal::InUse),
            Need::Idle | Need::IdleBelow => {}
            Need::Owned => self.can_be_taken(&object)?,
        }
        self.calls.last_mut().unwrap().passed.push((handle, object.key(), need));
        Ok(object.address)
    }

    fn take(&mut self, handle: RawHandle, kind: u16) -> Result<usize, Refusal> {
        let object = self.live(handle, kind)?.clone();
        let passed = &self.calls.last().unwrap().passed;
        if !passed.contains(&(handle, object.key(), Need::Owned)) {
            if object.retired {
                return Err(Refusal::StaleHandle);
            }
            self.can_be_taken(&object)?;
        }
        self.end_lent(handle, RawHandle::NONE);
        Ok(object.address)
    }

    fn forget(&mut self, handle: RawHandle) {
        let Some(object) = self.objects.iter_mut().find(|it| it.handle == handle) else { return };
        let before = object.lends;
        object.lends = before.saturating_sub(1);
        let goes = match object.tie {
            Tie::Owned => false,
            Tie::ForNow => before == 1,
            Tie::Lent => before == 0 && object.parent.is_none(),
        };
        if goes && object.alive {
            self.end_lent(handle, RawHandle::NONE);
        }
    }

    /// What a new owned object belongs to.
    fn surviving(&self, parent: RawHandle, key: Object) -> RawHandle {
        let (mut survives, mut at) = (parent, parent);
        while let Some(object) = self.alive(at) {
            at = object.parent;
            if object.key() == key {
                survives = at;
            }
        }
        survives
    }

    /// What the table must answer when an object comes out: an error, or the handle that is there, or a new one.
    fn comes_out(&mut self, key: Object, tie: Tie, parent: RawHandle, got: Result<RawHandle, Refusal>) {
        let mut there = self.there(key, tie, parent);
        if let (Some(old), Tie::Owned, Ok(_)) = (there, tie, got) {
            assert!(self.is_promised(old), "{old:?} is owned");
            self.objects.iter_mut().filter(|it| it.handle == old).for_each(|it| it.retired = true);
            there = None;
        }
        let parent_is_gone = !parent.is_none() && self.alive(parent).is_none();
        match (there, tie) {
            (Some(old), Tie::Owned) if self.is_promised(old) && parent_is_gone => {
                assert_eq!(got, Err(Refusal::StaleHandle));
            }
            (Some(old), Tie::Owned) => {
                assert_eq!(got, Err(Refusal::AlreadyOwned));
                assert!(!self.is_promised(old), "{old:?} is gone");
            }
            (Some(there), _) => assert_eq!(got, Ok(there)),
            (None, _) if parent_is_gone => assert_eq!(got, Err(Refusal::StaleHandle)),
            (None, _) => {
                let handle = got.unwrap();
                let parent = if tie == Tie::Owned { self.surviving(parent, key) } else { parent };
                assert!(self.objects.iter().all(|it| it.handle != handle), "{handle:?} was there before");
                if tie == Tie::Owned {
                    let lent = self.objects.iter().filter(|it| it.alive && !it.is_owned() && it.key() == key);
                    let lent: Vec<_> = lent.map(|it| it.handle).collect();
                    lent.into_iter().for_each(|lent| self.end_lent(lent, handle));
                }
                let (address, lends, alive) = (key.1, 0, true);
                self.objects.push(Seen { handle, address, parent, tie, lends, alive, retired: false });
            }
        }
        if tie == Tie::ForNow {
            let handle = got.unwrap();
            self.objects.iter_mut().filter(|it| it.handle == handle).for_each(|it| it.lends += 1);
        }
    }

    fn check(&self, handles: &Handles) {
        for object in &self.objects {
            let expect = if object.alive { Ok(at(object.address)) } else { Err(Refusal::StaleHandle) };
            assert_eq!(handles.get(object.handle, object.handle.kind()), expect, "{object:?}");
        }
        let alive = self.objects.iter().filter(|it| it.alive);
        let known = alive.clone().filter(|it| !it.retired);
        let keys: std::collections::HashSet<_> = known.clone().map(Seen::key).collect();
        assert_eq!(handles.objects.len(), keys.len());
        assert_eq!(handles.entries.living(), alive.clone().count());
        let listed = handles.objects.values().map(|known| match known {
            super::Known::Once(_) => 1,
            super::Known::Lent(list) => list.len(),
        });
        assert_eq!(listed.sum::<usize>(), known.count());
    }
}

#[derive(Debug, Clone)]
enum Step {
    Own { kind: u16, address: usize, parent: Option<Index> },
    Lend { kind: u16, address: usize, parent: Option<Index> },
    LendForNow { kind: u16, address: usize },
    Forget { which: Index },
    Pass { which: Index, kind: u16, need: Need },
    Take { which: Index, kind: u16 },
    Invalidate { which: Index },
    Nest,
    Return,
}

fn step() -> impl Strategy<Value = Step> {
    let parent = || prop::option::of(any::<Index>());
    let need = prop_oneof![Just(Need::There), Just(Need::Idle), Just(Need::IdleBelow), Just(Need::Owned)];
    prop_oneof![
        4 => (1..4u16, 1..8usize, parent())
            .prop_map(|(kind, address, parent)| Step::Own { kind, address, parent }),
        6 => (1..4u16, 1..8usize, parent())
            .prop_map(|(kind, address, parent)| Step::Lend { kind, address, parent }),
        3 => (1..4u16, 1..8usize).prop_map(|(kind, address)| Step::LendForNow { kind, address }),
        3 => any::<Index>().prop_map(|which| Step::Forget { which }),
        4 => (any::<Index>(), 1..4u16, need)
            .prop_map(|(which, kind, need)| Step::Pass { which, kind, need }),
        3 => (any::<Index>(), 1..4u16).prop_map(|(which, kind)| Step::Take { which, kind }),
        2 => any::<Index>().prop_map(|which| Step::Invalidate { which }),
        1 => Just(Step::Nest),
        1 => Just(Step::Return),
    ]
}

fn run(steps: Vec<Step>) {
    let mut handles = Handles { entries: Entries::new(5, 8), ..Handles::new(1) };
    let mut model = Model::default();
    let mut before = vec![handles.enter()];
    model.calls.push(Open::default());
    // A handle that was given out, dead or alive.
    let pick = |model: &Model, which: &Index| match model.objects.len() {
        0 => RawHandle::NONE,
        count => model.objects[which.index(count)].handle,
    };
    let parent_of = |model: &Model, parent: &Option<Index>| {
        parent.as_ref().map_or(RawHandle::NONE, |which| pick(model, which))
    };
    for step in steps {
        match &step {
            Step::Own { kind, address, parent } => {
                let parent = parent_of(&model, parent);
                let got = handles.own(*kind, at(*address), parent);
                model.comes_out((*kind, *address), Tie::Owned, parent, got);
            }
            Step::Lend { kind, address, parent } => {
                let parent = parent_of(&model, parent);
                let got = handles.lend(*kind, at(*address), parent);
                model.comes_out((*kind, *address), Tie::Lent, parent, got);
            }
            Step::LendForNow { kind, address } => {
                let got = handles.lend_for_now(*kind, at(*address));
                model.comes_out((*kind, *address), Tie::ForNow, RawHandle::NONE, got);
            }
            Step::Forget { which } => {
                let handle = pick(&model, which);
                handles.forget(handle);
                model.forget(handle);
            }
            Step::Pass { which, kind, need } => {
                let handle = pick(&model, which);
                assert_eq!(handles.pass(handle, *kind, *need), model.pass(handle, *kind, *need).map(at));
            }
            Step::Take { which, kind } => {
                let handle = pick(&model, which);
                assert_eq!(handles.take(handle, *kind), model.take(handle, *kind).map(at));
            }
            Step::Invalidate { which } => {
                let handle = pick(&model, which);
                handles.invalidate(handle);
                if model.alive(handle).is_some() {
                    let lent = model.children(handle).into_iter().filter(|it| !it.is_owned());
                    lent.for_each(|lent| model.end_lent(lent.handle, handle));
                }
            }
            Step::Nest => {
                handles.hold();
                before.push(handles.enter());
                let mut open = model.calls.pop().unwrap();
                open.passed.retain(|passed| model.alive(passed.0).is_some());
                open.held = true;
                model.calls.extend([open, Open::default()]);
            }
            Step::Return if before.len() > 1 => {
                handles.leave(before.pop().unwrap());
                handles.let_go();
                let promised = model.calls.pop().unwrap().passed.into_iter();
                for (handle, ..) in promised.filter(|passed| passed.2 == Need::Owned) {
                    if model.is_retired(handle) && model.alive(handle).is_some() {
                        model.end_lent(handle, RawHandle::NONE);
                    }
                }
                model.calls.last_mut().unwrap().held = false;
            }
            Step::Return => {}
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
