//! The handle table: which object of the library each handle stands for.
//!
//! Pointers never leave the worker. A handle is an index into this table, with the generation of the entry and
//! the type of the object; what was released keeps its number, but not its entry's generation.
//!
//! An object that somebody owns has one entry. One that is only lent has an entry for each parent that lends it, for
//! each may make it stale by itself, and one of its own while it is lent to callbacks.

use std::collections::HashMap;
use std::ffi::c_void;
use std::hash::{BuildHasher, RandomState};

use hotcell_protocol::RawHandle;
use hotcell_protocol::wire::{self, Refusal};

use entries::{Entries, NONE};
use uses::Uses;

mod entries;
mod uses;

/// The objects of one worker. Only the serving thread touches it.
#[derive(Debug)]
pub(crate) struct Handles {
    entries: Entries,
    /// Live entries by type and address. Where there are several they are all lent, and hang together.
    objects: HashMap<Object, u32>,
    /// Those of them that are lent, by what lends them: a parent, or none for ever, or callbacks (`None`).
    lent: HashMap<(Object, Option<RawHandle>), u32>,
    /// Most handles at a time.
    limit: usize,
    uses: Uses,
}

/// What the library knows an object by: one address may be an object of several types.
type Object = (u16, usize);

/// How long a handle lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tie {
    /// Somebody owns the object: until it is taken.
    Owned,
    /// As long as its parent; without one, for ever.
    Lent,
    /// As long as callbacks are running that were passed it.
    ForNow,
}

/// What a call wants of an object that it is passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// That it is there.
    There,
    /// That no call uses it which this one is nested in.
    Idle,
    /// That no such call uses what was lent from it, at any depth.
    IdleBelow,
    /// That it can be taken: it is owned, nothing below it is, and no such call uses any of that.
    Owned,
}

impl Handles {
    /// An empty table. Its generations start where those of no other worker do, so that the handles of one are not taken
    /// for those of another.
    pub(crate) fn new() -> Handles {
        let random = RandomState::new().hash_one(0) as u32;
        let first_generation = 1 + random % (RawHandle::LAST_GENERATION / 2);
        Handles {
            entries: Entries::new(first_generation, RawHandle::LAST_GENERATION),
            objects: HashMap::new(),
            lent: HashMap::new(),
            limit: wire::MAX_HANDLES as usize,
            uses: Uses::default(),
        }
    }

    /// A new handle for an object that somebody owns from now on. Those under which it was lent go, and what is owned
    /// below them belongs to the new one. An object that is owned already is refused: nothing but [`Handles::take`] ends
    /// it.
    pub(crate) fn own(
        &mut self,
        kind: u16,
        object: *mut c_void,
        parent: RawHandle,
    ) -> Result<RawHandle, Refusal> {
        let key = (kind, object.addr());
        let before = self.objects.get(&key).copied();
        if before.is_some_and(|index| self.entries[index].tie == Tie::Owned) {
            return Err(Refusal::AlreadyOwned);
        }
        let parent = self.surviving(parent, key)?;
        if before.is_none() && self.entries.living() >= self.limit {
            return Err(Refusal::TooManyHandles);
        }
        let index = self.entries.add(kind, object, Tie::Owned, parent).ok_or(Refusal::TooManyHandles)?;
        while let Some(&lent) = self.objects.get(&key) {
            self.entries.move_owned(lent, index);
            self.remove(lent);
        }
        self.objects.insert(key, index);
        Ok(self.entries.name(index))
    }

    /// The handle of an object of the library as this parent lends it, or as it is lent for ever: the one it has, or a
    /// new one. One that is owned keeps its handle.
    pub(crate) fn lend(
        &mut self,
        kind: u16,
        object: *mut c_void,
        parent: RawHandle,
    ) -> Result<RawHandle, Refusal> {
        let index = match self.there(kind, object, Some(parent)) {
            Some(index) => index,
            None => self.add_lent(kind, object, Some(parent))?,
        };
        Ok(self.entries.name(index))
    }

    /// The handle of an object that a callback is passed, until [`Handles::forget`] was called as often. Until then
    /// it is in use.
    pub(crate) fn lend_for_now(&mut self, kind: u16, object: *mut c_void) -> Result<RawHandle, Refusal> {
        let index = match self.there(kind, object, None) {
            Some(index) => index,
            None => self.add_lent(kind, object, None)?,
        };
        self.entries[index].lends += 1;
        self.uses.begin((kind, object.addr()));
        Ok(self.entries.name(index))
    }

    /// A callback that was passed this object has returned. What was lent from it goes with its last callback, and
    /// what is owned below it belongs to nothing from then on.
    ///
    /// Shims before 1.3 lend to callbacks what is without a parent: that goes, too.
    pub(crate) fn forget(&mut self, handle: RawHandle) {
        let Some(index) = self.entries.last_known(handle) else { return };
        let entry = &mut self.entries[index];
        let (key, tie, alive) = (entry.key(), entry.tie, entry.alive);
        let goes = if entry.lends > 0 {
            entry.lends -= 1;
            let last = entry.lends == 0;
            self.uses.end(key);
            last && (!alive || tie == Tie::ForNow)
        } else {
            alive && tie == Tie::Lent && entry.parent.is_none()
        };
        match alive {
            true if goes => {
                self.entries.move_owned(index, NONE);
                self.remove(index);
            }
            false if goes => self.entries.reuse(index),
            _ => {}
        }
    }

    /// The object of a handle that the call in progress is passed. It is in use from now on, as calls see it that are
    /// nested in this one.
    pub(crate) fn pass(&mut self, handle: RawHandle, kind: u16, need: Need) -> Result<*mut c_void, Refusal> {
        let index = self.entry_of(handle, kind)?;
        let (key, object) = (self.entries[index].key(), self.entries[index].object);
        match need {
            Need::There => {}
            Need::Idle if self.uses.any(key) => return Err(Refusal::InUse),
            Need::IdleBelow if self.used_below(index) => return Err(Refusal::InUse),
            Need::Idle | Need::IdleBelow => {}
            Need::Owned => self.can_be_taken(index)?,
        }
        self.uses.pass(handle, key, need == Need::Owned);
        Ok(object)
    }

    /// The object of a handle, which is stale from now on, with everything below it. It must be owned, nothing below it
    /// may be, and no call may use it which this one is nested in. When the call was passed it as one that could be
    /// taken, it is taken, come what may: the library has it. What is owned below it by now belongs to nothing.
    pub(crate) fn take(&mut self, handle: RawHandle, kind: u16) -> Result<*mut c_void, Refusal> {
        let index = self.entry_of(handle, kind)?;
        match self.uses.is_promised(handle) {
            true => self.entries.move_owned(index, NONE),
            false => self.can_be_taken(index)?,
        }
        let object = self.entries[index].object;
        self.remove(index);
        Ok(object)
    }

    /// Makes stale what was lent under this handle, and what was lent below that. What is owned there stays, and belongs
    /// to this one.
    pub(crate) fn invalidate(&mut self, handle: RawHandle) {
        let Ok(index) = self.entries.find(handle) else { return };
        let mut child = self.entries[index].first_child;
        while child != NONE {
            let (next, tie) = (self.entries[child].next, self.entries[child].tie);
            if tie != Tie::Owned {
                self.entries.move_owned(child, index);
                self.remove(child);
            }
            child = next;
        }
    }

    /// A call begins; what [`Handles::leave`] wants of it.
    pub(crate) fn enter(&mut self) -> uses::Before {
        self.uses.enter()
    }

    /// The call has ended.
    pub(crate) fn leave(&mut self, before: uses::Before) {
        self.uses.leave(before);
    }

    /// Calls are nested in the call in progress from now on: what it was passed and did not take is in use.
    pub(crate) fn hold(&mut self) {
        self.uses.hold(|handle| self.entries.find(handle).is_ok());
    }

    /// The call goes on.
    pub(crate) fn let_go(&mut self) {
        self.uses.let_go();
    }

    fn entry_of(&self, handle: RawHandle, kind: u16) -> Result<u32, Refusal> {
        let index = self.entries.find(handle)?;
        if handle.kind() == kind { Ok(index) } else { Err(Refusal::WrongHandleType) }
    }

    /// The entry of an object that is owned, or lent by this.
    fn there(&self, kind: u16, object: *mut c_void, by: Option<RawHandle>) -> Option<u32> {
        let key = (kind, object.addr());
        let &index = self.objects.get(&key)?;
        if self.entries[index].tie == Tie::Owned { Some(index) } else { self.lent.get(&(key, by)).copied() }
    }

    fn add_lent(&mut self, kind: u16, object: *mut c_void, by: Option<RawHandle>) -> Result<u32, Refusal> {
        let (tie, parent) = by.map_or((Tie::ForNow, RawHandle::NONE), |parent| (Tie::Lent, parent));
        if !parent.is_none() {
            self.entries.find(parent)?;
        }
        if self.entries.living() >= self.limit {
            return Err(Refusal::TooManyHandles);
        }
        let index = self.entries.add(kind, object, tie, parent).ok_or(Refusal::TooManyHandles)?;
        let key = (kind, object.addr());
        if let Some(other) = self.objects.insert(key, index) {
            self.entries.join(index, other);
        }
        self.lent.insert((key, by), index);
        Ok(index)
    }

    /// What a new owned object belongs to: the parent, or what that belongs to where it is, or is lent by, the object
    /// itself as it was lent.
    fn surviving(&self, parent: RawHandle, object: Object) -> Result<RawHandle, Refusal> {
        if parent.is_none() {
            return Ok(parent);
        }
        self.entries.find(parent)?;
        let (mut survives, mut at) = (parent, parent);
        while !at.is_none() {
            let entry = &self.entries[at.index()];
            at = entry.parent;
            if entry.key() == object {
                survives = at;
            }
        }
        Ok(survives)
    }

    fn can_be_taken(&self, index: u32) -> Result<(), Refusal> {
        let entry = &self.entries[index];
        if entry.tie != Tie::Owned {
            return Err(Refusal::NotOwned);
        }
        if self.entries.any_below(index, true, |below| below.tie == Tie::Owned) {
            return Err(Refusal::HasChildren);
        }
        match self.uses.any(entry.key()) || self.used_below(index) {
            true => Err(Refusal::InUse),
            false => Ok(()),
        }
    }

    /// Whether anything is in use that was lent from an object.
    fn used_below(&self, index: u32) -> bool {
        !self.uses.is_empty() && self.entries.any_below(index, false, |below| self.uses.any(below.key()))
    }

    /// Removes an entry and everything below it, leaves first: without recursion, for chains may be long.
    fn remove(&mut self, top: u32) {
        let mut at = top;
        loop {
            let leaf = self.entries.first_leaf(at);
            let entry = &self.entries[leaf];
            let (key, tie, parent) = (entry.key(), entry.tie, entry.parent);
            if tie != Tie::Owned {
                self.lent.remove(&(key, (tie == Tie::Lent).then_some(parent)));
            }
            match self.entries.part(leaf) {
                Some(other) => self.objects.insert(key, other),
                None => self.objects.remove(&key),
            };
            self.entries.end(leaf);
            if leaf == top {
                return;
            }
            at = parent.index();
        }
    }
}

impl Default for Handles {
    fn default() -> Self {
        Handles::new()
    }
}

#[cfg(test)]
mod tests;
