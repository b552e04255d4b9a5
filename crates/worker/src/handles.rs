//! The handle table: which object of the library each handle stands for.
//!
//! Pointers never leave the worker. A handle is an index into this table, with the generation of the entry and
//! the type of the object; what was released keeps its number, but not its entry's generation.

use std::collections::HashMap;
use std::ffi::c_void;
use std::hash::{BuildHasher, RandomState};

use hotcell_protocol::RawHandle;
use hotcell_protocol::wire::{self, Refusal};

/// No entry.
const NONE: u32 = u32::MAX;

/// The objects of one worker. Only the serving thread touches it.
///
/// An object has one handle for each type it is known as. Children hang on their parent's entry as a list, so that
/// what goes with a parent is found without a search.
#[derive(Debug)]
pub(crate) struct Handles {
    entries: Vec<Entry>,
    /// Entries that can be used again.
    free: Vec<u32>,
    /// Live handles by type and address.
    objects: HashMap<(u16, usize), u32>,
    /// Most handles at a time.
    limit: usize,
    /// The generation an entry starts with: another one in each worker, so that the handles of one are not taken for
    /// those of another.
    first_generation: u32,
    /// The generation after which an entry is not used again.
    last_generation: u32,
}

#[derive(Debug)]
struct Entry {
    /// Of the object that is there, or was there last.
    generation: u32,
    kind: u16,
    alive: bool,
    owned: bool,
    object: *mut c_void,
    parent: RawHandle,
    first_child: u32,
    /// Neighbours among the children of the same parent.
    previous: u32,
    next: u32,
}

impl Handles {
    /// An empty table.
    pub(crate) fn new() -> Handles {
        let random = RandomState::new().hash_one(0) as u32;
        Handles {
            entries: Vec::new(),
            free: Vec::new(),
            objects: HashMap::new(),
            limit: wire::MAX_HANDLES as usize,
            first_generation: 1 + random % (RawHandle::LAST_GENERATION / 2),
            last_generation: RawHandle::LAST_GENERATION,
        }
    }

    /// A new handle for an object somebody owns. One that is there for this address and type stood for an object
    /// that is gone.
    pub(crate) fn own(
        &mut self,
        kind: u16,
        object: *mut c_void,
        parent: RawHandle,
    ) -> Result<RawHandle, Refusal> {
        if let Some(&index) = self.objects.get(&(kind, object.addr())) {
            self.remove(index);
        }
        self.insert(kind, object, parent, true)
    }

    /// The handle of an object of the library: the one it has, or a new one.
    pub(crate) fn lend(
        &mut self,
        kind: u16,
        object: *mut c_void,
        parent: RawHandle,
    ) -> Result<RawHandle, Refusal> {
        match self.objects.get(&(kind, object.addr())) {
            Some(&index) => Ok(self.name(index)),
            None => self.insert(kind, object, parent, false),
        }
    }

    /// The object of a handle.
    pub(crate) fn get(&self, handle: RawHandle, kind: u16) -> Result<*mut c_void, Refusal> {
        self.entry_of(handle, kind).map(|index| self.entries[index as usize].object)
    }

    /// The object of a handle, which is stale from now on, with everything below it. It must be owned, and nothing
    /// below it may be.
    pub(crate) fn take(&mut self, handle: RawHandle, kind: u16) -> Result<*mut c_void, Refusal> {
        let object = self.owned(handle, kind)?;
        self.remove(handle.index());
        Ok(object)
    }

    /// The object of a handle that could be taken.
    pub(crate) fn owned(&self, handle: RawHandle, kind: u16) -> Result<*mut c_void, Refusal> {
        let index = self.entry_of(handle, kind)?;
        if !self.entries[index as usize].owned {
            return Err(Refusal::NotOwned);
        }
        if self.owned_below(index).is_some() {
            return Err(Refusal::HasChildren);
        }
        Ok(self.entries[index as usize].object)
    }

    /// Makes stale what was lent under this handle, and everything below that.
    pub(crate) fn invalidate(&mut self, handle: RawHandle) {
        let Ok(index) = self.find(handle) else { return };
        let mut child = self.entries[index as usize].first_child;
        while child != NONE {
            let Entry { next, owned, .. } = self.entries[child as usize];
            if !owned {
                self.remove(child);
            }
            child = next;
        }
    }

    /// Makes an object stale that was lent for a while, and what was lent under it. One that somebody owns, or that lives
    /// as long as its parent, stays. So does what is owned below one that goes: it belongs to nothing from now on.
    pub(crate) fn forget(&mut self, handle: RawHandle) {
        let Ok(index) = self.find(handle) else { return };
        let Entry { owned, parent, .. } = self.entries[index as usize];
        if owned || !parent.is_none() {
            return;
        }
        while let Some(owned) = self.owned_below(index) {
            self.unhang(owned);
            self.entries[owned as usize].parent = RawHandle::NONE;
        }
        self.remove(index);
    }

    fn entry_of(&self, handle: RawHandle, kind: u16) -> Result<u32, Refusal> {
        let index = self.find(handle)?;
        if handle.kind() == kind { Ok(index) } else { Err(Refusal::WrongHandleType) }
    }

    fn find(&self, handle: RawHandle) -> Result<u32, Refusal> {
        if handle.is_none() {
            return Err(Refusal::NullArgument);
        }
        let entry = self.entries.get(handle.index() as usize).ok_or(Refusal::UnknownHandle)?;
        let generation = handle.generation();
        if generation < self.first_generation || generation > entry.generation {
            return Err(Refusal::UnknownHandle);
        }
        if generation < entry.generation || !entry.alive {
            return Err(Refusal::StaleHandle);
        }
        // An index and a generation that were given out have one type.
        if handle.kind() == entry.kind { Ok(handle.index()) } else { Err(Refusal::UnknownHandle) }
    }

    fn name(&self, index: u32) -> RawHandle {
        let entry = &self.entries[index as usize];
        RawHandle::new(entry.kind, entry.generation, index)
    }

    fn insert(
        &mut self,
        kind: u16,
        object: *mut c_void,
        parent: RawHandle,
        owned: bool,
    ) -> Result<RawHandle, Refusal> {
        let parent_index = if parent.is_none() { NONE } else { self.find(parent)? };
        if self.objects.len() >= self.limit {
            return Err(Refusal::TooManyHandles);
        }
        let index = self.vacant().ok_or(Refusal::TooManyHandles)?;
        let next = if parent_index == NONE { NONE } else { self.entries[parent_index as usize].first_child };
        let entry = &mut self.entries[index as usize];
        let generation = entry.generation + 1;
        *entry = Entry {
            generation,
            kind,
            alive: true,
            owned,
            object,
            parent,
            first_child: NONE,
            previous: NONE,
            next,
        };
        if next != NONE {
            self.entries[next as usize].previous = index;
        }
        if parent_index != NONE {
            self.entries[parent_index as usize].first_child = index;
        }
        self.objects.insert((kind, object.addr()), index);
        Ok(self.name(index))
    }

    fn vacant(&mut self) -> Option<u32> {
        if let Some(index) = self.free.pop() {
            return Some(index);
        }
        let index = u32::try_from(self.entries.len()).ok().filter(|&index| index < RawHandle::INDEX_END)?;
        self.entries.push(Entry {
            generation: self.first_generation - 1,
            kind: 0,
            alive: false,
            owned: false,
            object: std::ptr::null_mut(),
            parent: RawHandle::NONE,
            first_child: NONE,
            previous: NONE,
            next: NONE,
        });
        Some(index)
    }

    /// The first owned object below an entry, anywhere.
    fn owned_below(&self, top: u32) -> Option<u32> {
        let mut at = self.entries[top as usize].first_child;
        while at != NONE {
            let entry = &self.entries[at as usize];
            if entry.owned {
                return Some(at);
            }
            at = if entry.first_child != NONE { entry.first_child } else { self.behind(at, top) };
        }
        None
    }

    /// The next entry below `top` that is no longer below this one.
    fn behind(&self, mut at: u32, top: u32) -> u32 {
        while at != top {
            let entry = &self.entries[at as usize];
            if entry.next != NONE {
                return entry.next;
            }
            at = entry.parent.index();
        }
        NONE
    }

    /// Removes an entry and everything below it, leaves first: without recursion, for chains may be long.
    fn remove(&mut self, top: u32) {
        let mut at = top;
        loop {
            while self.entries[at as usize].first_child != NONE {
                at = self.entries[at as usize].first_child;
            }
            let parent = self.entries[at as usize].parent.index();
            self.remove_leaf(at);
            if at == top {
                return;
            }
            at = parent;
        }
    }

    /// Takes an entry out of its parent's list.
    fn unhang(&mut self, index: u32) {
        let Entry { previous, next, parent, .. } = self.entries[index as usize];
        match previous {
            NONE if parent.is_none() => {}
            NONE => self.entries[parent.index() as usize].first_child = next,
            previous => self.entries[previous as usize].next = next,
        }
        if next != NONE {
            self.entries[next as usize].previous = previous;
        }
        let entry = &mut self.entries[index as usize];
        (entry.previous, entry.next) = (NONE, NONE);
    }

    fn remove_leaf(&mut self, index: u32) {
        self.unhang(index);
        let Entry { kind, object, generation, .. } = self.entries[index as usize];
        self.objects.remove(&(kind, object.addr()));
        self.entries[index as usize].alive = false;
        if generation < self.last_generation {
            self.free.push(index);
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
