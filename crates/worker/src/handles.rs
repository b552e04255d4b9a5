//! The handle table: which object of the library each handle stands for.
//!
//! Pointers never leave the worker. A handle is an index into this table, with the generation of the entry and
//! the type of the object; what was released keeps its number, but not its entry's generation.
//!
//! An object that somebody owns has one entry. One that is only lent has an entry for each parent that lends it, for
//! each may make it stale by itself, and one of its own while it is lent to callbacks. One that a call under way was
//! promised may be gone already, and its address that of a new one: then it is retired. Nothing but that call knows it any
//! more, and with that call it goes.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ffi::c_void;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use hotcell_protocol::RawHandle;
use hotcell_protocol::wire::{self, Refusal};

use entries::{Entries, NONE};
use uses::Uses;

mod alone;
mod entries;
mod holds;
mod keeping;
mod kept;
mod shared;
mod uses;
mod walls;

use holds::Holds;
use kept::KeptByObjects;
pub(crate) use kept::KeptData;
pub(crate) use shared::{SharedHandles, ThreadHandles};
pub(crate) use uses::Before;

/// The objects of one worker. One serving thread at a time touches it.
#[derive(Debug)]
pub(crate) struct Handles {
    entries: Entries,
    /// Live entries by type and address.
    objects: HashMap<Object, Known>,
    /// Most handles at a time.
    limit: usize,
    uses: Uses,
    /// Those that are retired, of calls under way.
    retired: Vec<RawHandle>,
    copies: KeptByObjects,
    holds: Holds,
}

/// What the library knows an object by: one address may be an object of several types.
type Object = (u16, usize);

/// The entries of an object.
#[derive(Debug)]
enum Known {
    /// Most have one.
    Once(u32),
    /// It is lent by several.
    Lent(HashMap<Lender, u32>),
}

/// What lends an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Lender {
    /// What the object belongs to; none when it is lent for ever.
    Parent(RawHandle),
    /// Callbacks that are running.
    Callbacks,
}

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
pub enum Need {
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
    /// An empty table for so many serving threads. Its generations start where those of no other worker do, so that the handles of one are not taken
    /// for those of another.
    pub(crate) fn new(threads: usize) -> Handles {
        let random = RandomState::new().hash_one(0) as u32;
        let first_generation = 1 + random % (RawHandle::LAST_GENERATION / 2);
        Handles {
            entries: Entries::new(first_generation, RawHandle::LAST_GENERATION),
            objects: HashMap::new(),
            limit: wire::MAX_HANDLES as usize,
            uses: Uses::of_threads(threads),
            retired: Vec::new(),
            copies: KeptByObjects::default(),
            holds: Holds::default(),
        }
    }

    /// A new handle for an object that somebody owns from now on. Those under which it was lent go, and what is owned
    /// below them belongs to the new one. An object that is owned already is refused: nothing but [`Handles::take`] ends
    /// it, unless a call under way was promised it. That has freed it, and something new is at its address.
    pub(crate) fn own(
        &mut self,
        kind: u16,
        object: *mut c_void,
        parent: RawHandle,
    ) -> Result<RawHandle, Refusal> {
        let key = (kind, object.addr());
        let (mut lent, mut freed) = (Vec::new(), None);
        match self.objects.get(&key) {
            Some(Known::Once(index)) if self.entries[*index].tie == Tie::Owned => {
                let old = self.entries.name(*index);
                if !self.uses.is_promised_anywhere(old) {
                    return Err(Refusal::AlreadyOwned);
                }
                freed = Some(old);
            }
            Some(Known::Once(index)) => lent.push(*index),
            Some(Known::Lent(list)) => lent.extend(list.values()),
            None => {}
        }
        let parent = self.surviving(parent, key)?;
        if lent.is_empty() && self.entries.living() >= self.limit {
            return Err(Refusal::TooManyHandles);
        }
        let index = self.entries.add(kind, object, Tie::Owned, parent).ok_or(Refusal::TooManyHandles)?;
        if let Some(old) = freed {
            self.uses.retire(old);
            self.retired.push(old);
        }
        let name = self.entries.name(index);
        for lent in lent {
            // One may have gone with another.
            if self.entries[lent].alive {
                self.entries.move_owned(lent, index);
                self.remove_for(lent, Some(name));
            }
        }
        self.objects.insert(key, Known::Once(index));
        self.inherit_kept(name);
        Ok(name)
    }

    /// The handle of an object of the library as this parent lends it, or as it is lent for ever: the one it has, or a
    /// new one. One that is owned keeps its handle.
    pub(crate) fn lend(
        &mut self,
        kind: u16,
        object: *mut c_void,
        parent: RawHandle,
    ) -> Result<RawHandle, Refusal> {
        let index = self.lent(kind, object, Lender::Parent(parent))?;
        Ok(self.entries.name(index))
    }

    /// The handle of an object that a callback is passed, until [`Handles::forget`] was called as often. Until then
    /// it is in use.
    pub(crate) fn lend_for_now(&mut self, kind: u16, object: *mut c_void) -> Result<RawHandle, Refusal> {
        let index = self.lent(kind, object, Lender::Callbacks)?;
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
        self.not_retired(handle)?;
        let (key, object) = (self.entries[index].key(), self.entries[index].object);
        match need {
            _ if self.uses.are_several() && self.is_claimed_elsewhere(handle) => return Err(Refusal::InUse),
            Need::There => {}
            Need::Idle if self.uses.any(key) => return Err(Refusal::InUse),
            Need::IdleBelow if self.used_below(index) => return Err(Refusal::InUse),
            Need::Idle => {}
            Need::IdleBelow => self.not_looked_at(index)?,
            Need::Owned => self.can_be_taken(index)?,
        }
        self.uses.pass(handle, key, need);
        Ok(object)
    }

    /// The object of a handle, which is stale from now on, with everything below it. It must be owned, nothing below it
    /// may be, and no call may use it which this one is nested in. When the call was passed it as one that could be
    /// taken, it is taken, come what may: the library has it. What is owned below it by now belongs to nothing.
    pub(crate) fn take(&mut self, handle: RawHandle, kind: u16) -> Result<*mut c_void, Refusal> {
        let index = self.entry_of(handle, kind)?;
        match self.uses.is_promised(handle) {
            true => self.entries.move_owned(index, NONE),
            false => {
                self.not_retired(handle)?;
                self.can_be_taken(index)?;
            }
        }
        let object = self.entries[index].object;
        self.hand_over_kept(handle);
        self.uses.took(handle);
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

    /// From now on this serving thread uses the table.
    #[inline]
    fn turn_to(&mut self, thread: usize) {
        self.uses.turn_to(thread);
    }

    /// A call begins; what [`Handles::leave`] wants of it.
    pub(crate) fn enter(&mut self) -> uses::Before {
        self.uses.enter()
    }

    /// An entry of a batch has ended, which is the call: another may begin.
    #[inline]
    pub(crate) fn end_entry(&mut self) {
        if self.uses.has_something() || !self.retired.is_empty() {
            self.end_retired();
            self.end_holds();
            self.uses.forget();
        }
    }

    /// The call has ended.
    pub(crate) fn leave(&mut self, before: uses::Before) {
        if !self.retired.is_empty() {
            self.end_retired();
        }
        self.end_holds();
        self.uses.leave(before);
    }

    /// What was kept by objects that have gone may go behind the outermost call.
    #[inline]
    fn end_holds(&mut self) {
        if !self.holds.is_empty() && self.uses.is_outermost() {
            self.holds.end_over(self.uses.thread());
        }
    }

    /// Has the call in progress keep a copy for the library; its address.
    pub(crate) fn keep(&mut self, copy: KeptData) -> *mut c_void {
        self.uses.copies().keep(copy)
    }

    /// A copy of the call in progress stays until an object has gone: this one, or the nearest above it that is owned. Where
    /// there is none, it stays for ever; where that one has gone, it goes with the outermost call.
    pub(crate) fn keep_until(&mut self, copy: *mut c_void, handle: RawHandle) {
        let Some(copy) = self.uses.copies().take(copy) else { return };
        let mut at = handle;
        while !at.is_none() {
            let Ok(index) = self.entries.find(at) else {
                return self.uses.copies().end(vec![Arc::new(copy)]);
            };
            let entry = &self.entries[index];
            if entry.tie == Tie::Owned {
                return self.copies.add(at, copy);
            }
            at = entry.parent;
        }
        std::mem::forget(copy);
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

    /// Whether a call of another thread may end this object, or what it belongs to, or what is lent from that; or has it for
    /// itself.
    fn is_claimed_elsewhere(&self, handle: RawHandle) -> bool {
        let elsewhere = |handle, needs: &[Need]| self.uses.is_passed_elsewhere(handle, needs);
        if elsewhere(handle, &[Need::Owned, Need::Idle]) {
            return true;
        }
        let mut above = self.entries.find(handle).map_or(RawHandle::NONE, |index| self.entries[index].parent);
        while !above.is_none() {
            if elsewhere(above, &[Need::Owned, Need::IdleBelow]) {
                return true;
            }
            above = self.entries.find(above).map_or(RawHandle::NONE, |index| self.entries[index].parent);
        }
        false
    }

    fn not_retired(&self, handle: RawHandle) -> Result<(), Refusal> {
        if self.retired.contains(&handle) { Err(Refusal::StaleHandle) } else { Ok(()) }
    }

    /// Ends what the innermost call was promised and is retired, though it says that it did not take it: it is gone. What
    /// is owned below it belongs to nothing.
    #[cold]
    fn end_retired(&mut self) {
        for handle in self.retired.extract_if(.., |handle| self.uses.is_promised(*handle)).collect::<Vec<_>>()
        {
            if let Ok(index) = self.entries.find(handle) {
                self.entries.move_owned(index, NONE);
                self.remove(index);
            }
        }
    }

    /// The entry of an object that is owned, or that this lends, or a new one that it lends.
    fn lent(&mut self, kind: u16, object: *mut c_void, by: Lender) -> Result<u32, Refusal> {
        let key = (kind, object.addr());
        let there = match self.objects.get(&key) {
            Some(Known::Once(index)) => {
                self.entries[*index].lent_by().is_none_or(|lender| lender == by).then_some(*index)
            }
            Some(Known::Lent(list)) => list.get(&by).copied(),
            None => None,
        };
        // A call of another thread may have freed it, and this is another at its address.
        let old = there.map(|index| self.entries.name(index));
        match (there, old) {
            (Some(_), Some(old)) if self.uses.is_passed_elsewhere(old, &[Need::Owned]) => {
                self.objects.remove(&key);
                self.uses.retire(old);
                self.retired.push(old);
            }
            (Some(index), _) => return Ok(index),
            (None, _) => {}
        }
        let (tie, parent) = match by {
            Lender::Parent(parent) => (Tie::Lent, parent),
            Lender::Callbacks => (Tie::ForNow, RawHandle::NONE),
        };
        if !parent.is_none() {
            self.entries.find(parent)?;
        }
        if self.entries.living() >= self.limit {
            return Err(Refusal::TooManyHandles);
        }
        let index = self.entries.add(kind, object, tie, parent).ok_or(Refusal::TooManyHandles)?;
        match self.objects.entry(key) {
            Entry::Vacant(place) => {
                place.insert(Known::Once(index));
            }
            Entry::Occupied(mut known) => {
                let first = match known.get() {
                    Known::Once(first) => self.entries[*first].lent_by().map(|lender| (lender, *first)),
                    Known::Lent(_) => None,
                };
                known.get_mut().add(first, (by, index));
            }
        }
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
        if self.entries.any_below(index, true, |_, below| below.tie == Tie::Owned) {
            return Err(Refusal::HasChildren);
        }
        self.not_kept(index)?;
        match self.uses.any(entry.key()) || self.used_below(index) {
            true => Err(Refusal::InUse),
            false => Ok(()),
        }
    }

    /// Whether anything is in use that was lent from an object.
    fn used_below(&self, index: u32) -> bool {
        !self.uses.is_empty() && self.entries.any_below(index, false, |_, below| self.uses.any(below.key()))
    }

    /// Removes an entry and everything below it, leaves first: without recursion, for chains may be long.
    fn remove(&mut self, top: u32) {
        self.remove_for(top, None);
    }

    /// As [`Handles::remove`], where what was kept of it is kept of its heir from then on.
    fn remove_for(&mut self, top: u32, heir: Option<RawHandle>) {
        let mut at = top;
        loop {
            let leaf = self.entries.first_leaf(at);
            let entry = &self.entries[leaf];
            let parent = entry.parent;
            if let Entry::Occupied(mut known) = self.objects.entry(entry.key())
                && !known.get_mut().leaves_some(leaf, entry.lent_by())
            {
                known.remove();
            }
            if !self.holds.is_empty() {
                let name = self.entries.name(leaf);
                self.holds.keeper_went(name, self.uses.thread());
                self.holds.kept_went(name, heir);
            }
            if !self.copies.is_empty() {
                let over = self.copies.of(self.entries.name(leaf));
                self.uses.copies().end(over);
            }
            self.entries.end(leaf);
            if leaf == top {
                return;
            }
            at = parent.index();
        }
    }
}

impl Known {
    /// Adds an entry to a list, which begins with the first where there was only that.
    fn add(&mut self, first: Option<(Lender, u32)>, new: (Lender, u32)) {
        match self {
            Known::Once(_) => *self = Known::Lent(first.into_iter().chain([new]).collect()),
            Known::Lent(list) => {
                list.insert(new.0, new.1);
            }
        }
    }

    /// Takes out an entry, if it is there: a retired one is not. Whether there is anything left.
    fn leaves_some(&mut self, index: u32, by: Option<Lender>) -> bool {
        match (self, by) {
            (Known::Once(other), _) => *other != index,
            (Known::Lent(list), Some(by)) => {
                list.remove(&by);
                !list.is_empty()
            }
            (Known::Lent(_), None) => true,
        }
    }
}

#[cfg(test)]
mod tests;
