//! The worker's handle table against a model that looks at everything each time.

use std::collections::BTreeSet;

use hotcell_protocol::RawHandle;
use hotcell_protocol::wire::Refusal;
use hotcell_worker::seam::{Counts, Need, Table};

use crate::Target;
use crate::script::Script;

pub(crate) const TARGET: Target = Target {
    name: "handles",
    about: "objects that are owned, lent, passed, taken and made stale in any order, in nested calls: the table does what a search through all that happened says",
    longest: 600,
    short: 3_000,
    run,
};

/// Steps of an input: each is followed by a look at everything.
const MOST: u32 = 150;

/// What the library knows an object by.
type Object = (u16, usize);

/// How long a handle lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tie {
    Owned,
    Lent,
    ForNow,
}

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

/// Why there is a call.
const OPEN: &str = "one call is always open";

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
        self.calls.last_mut().expect(OPEN).passed.push((handle, object.key(), need));
        Ok(object.address)
    }

    fn take(&mut self, handle: RawHandle, kind: u16) -> Result<usize, Refusal> {
        let object = self.live(handle, kind)?.clone();
        let passed = &self.calls.last().expect(OPEN).passed;
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

    fn nest(&mut self) {
        let mut open = self.calls.pop().expect(OPEN);
        open.passed.retain(|passed| self.alive(passed.0).is_some());
        open.held = true;
        self.calls.extend([open, Open::default()]);
    }

    fn end_nested(&mut self) {
        let promised = self.calls.pop().expect(OPEN).passed.into_iter();
        for (handle, ..) in promised.filter(|passed| passed.2 == Need::Owned) {
            if self.is_retired(handle) && self.alive(handle).is_some() {
                self.end_lent(handle, RawHandle::NONE);
            }
        }
        self.calls.last_mut().expect(OPEN).held = false;
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
                let handle = got.expect("it comes out");
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
            let handle = got.expect("it comes out");
            self.objects.iter_mut().filter(|it| it.handle == handle).for_each(|it| it.lends += 1);
        }
    }

    fn check(&self, table: &Table) {
        for object in &self.objects {
            let expect = if object.alive { Ok(object.address) } else { Err(Refusal::StaleHandle) };
            assert_eq!(table.get(object.handle, object.handle.kind()), expect, "{object:?}");
        }
        let alive = self.objects.iter().filter(|it| it.alive);
        let known = alive.clone().filter(|it| !it.retired);
        let keys: BTreeSet<_> = known.clone().map(Seen::key).collect();
        let expect = Counts { objects: keys.len(), living: alive.count(), listed: known.count() };
        assert_eq!(table.counts(), expect);
    }
}

fn run(input: &[u8]) {
    let mut script = Script::new(input);
    let mut scene =
        Scene { table: Table::new(5, 8), model: Model { objects: Vec::new(), calls: vec![Open::default()] } };
    for _ in 0..MOST {
        if script.is_over() {
            return;
        }
        scene.step(&mut script);
        scene.model.check(&scene.table);
    }
}

struct Scene {
    table: Table,
    model: Model,
}

impl Scene {
    fn step(&mut self, script: &mut Script<'_>) {
        let Scene { table, model } = self;
        match script.below(26) {
            0..4 => {
                let (key, parent) = (key(script), some_handle(model, script));
                let got = table.own(key.0, key.1, parent);
                model.comes_out(key, Tie::Owned, parent, got);
            }
            4..10 => {
                let (key, parent) = (key(script), some_handle(model, script));
                let got = table.lend(key.0, key.1, parent);
                model.comes_out(key, Tie::Lent, parent, got);
            }
            10..13 => {
                let key = key(script);
                let got = table.lend_for_now(key.0, key.1);
                model.comes_out(key, Tie::ForNow, RawHandle::NONE, got);
            }
            13..16 => {
                let handle = handle(model, script);
                table.forget(handle);
                model.forget(handle);
            }
            16..20 => {
                let (handle, kind) = (handle(model, script), kind(script));
                let need = script.one_of(&[Need::There, Need::Idle, Need::IdleBelow, Need::Owned]);
                assert_eq!(table.pass(handle, kind, need), model.pass(handle, kind, need));
            }
            20..23 => {
                let (handle, kind) = (handle(model, script), kind(script));
                assert_eq!(table.take(handle, kind), model.take(handle, kind));
            }
            23 => {
                let handle = handle(model, script);
                table.invalidate(handle);
                if model.alive(handle).is_some() {
                    let lent = model.children(handle).into_iter().filter(|it| !it.is_owned());
                    lent.for_each(|lent| model.end_lent(lent.handle, handle));
                }
            }
            24 => {
                table.nest();
                model.nest();
            }
            _ if table.end_nested() => model.end_nested(),
            _ => {}
        }
    }
}

fn kind(script: &mut Script<'_>) -> u16 {
    1 + script.below(3) as u16
}

fn key(script: &mut Script<'_>) -> Object {
    (kind(script), 1 + script.below(7))
}

/// A handle that was given out, dead or alive, or one that never was.
fn handle(model: &Model, script: &mut Script<'_>) -> RawHandle {
    match (model.objects.len(), script.below(255)) {
        (_, 254) => RawHandle::NONE,
        (0, _) => RawHandle::NONE,
        (count, which) => model.objects[which % count].handle,
    }
}

/// As [`handle`], or none.
fn some_handle(model: &Model, script: &mut Script<'_>) -> RawHandle {
    if script.below(2) == 0 { RawHandle::NONE } else { handle(model, script) }
}
