//! The entries of the handle table: their numbers and generations, and how they hang together.
//!
//! Children hang on their parent's entry as a list, so that what goes with a parent is found without a search.

use std::ffi::c_void;
use std::ops::{Index, IndexMut};

use hotcell_protocol::RawHandle;
use hotcell_protocol::wire::Refusal;

use super::{Lender, Object, Tie};

/// No entry.
pub(super) const NONE: u32 = u32::MAX;

/// All entries there have been, by index.
#[derive(Debug)]
pub(super) struct Entries {
    list: Vec<Entry>,
    /// Entries that can be used again.
    free: Vec<u32>,
    living: usize,
    /// The generation an entry starts with.
    first_generation: u32,
    /// The generation after which an entry is not used again.
    last_generation: u32,
}

#[derive(Debug)]
pub(super) struct Entry {
    /// Of the object that is there, or was there last.
    generation: u32,
    kind: u16,
    pub(super) alive: bool,
    pub(super) tie: Tie,
    pub(super) object: *mut c_void,
    /// How many running callbacks were passed it. Until they have returned the entry is not used again.
    pub(super) lends: u32,
    pub(super) parent: RawHandle,
    pub(super) first_child: u32,
    /// Neighbours among the children of the same parent.
    previous: u32,
    pub(super) next: u32,
}

impl Entry {
    pub(super) fn key(&self) -> Object {
        (self.kind, self.object.addr())
    }

    /// What lends it, when it is lent.
    pub(super) fn lent_by(&self) -> Option<Lender> {
        match self.tie {
            Tie::Owned => None,
            Tie::Lent => Some(Lender::Parent(self.parent)),
            Tie::ForNow => Some(Lender::Callbacks),
        }
    }
}

impl Entries {
    pub(super) fn new(first_generation: u32, last_generation: u32) -> Entries {
        Entries { list: Vec::new(), free: Vec::new(), living: 0, first_generation, last_generation }
    }

    pub(super) fn living(&self) -> usize {
        self.living
    }

    /// The live entry of a handle.
    pub(super) fn find(&self, handle: RawHandle) -> Result<u32, Refusal> {
        if handle.is_none() {
            return Err(Refusal::NullArgument);
        }
        let entry = self.list.get(handle.index() as usize).ok_or(Refusal::UnknownHandle)?;
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

    /// The entry of a handle that it was the last one of, alive or not.
    pub(super) fn last_known(&self, handle: RawHandle) -> Option<u32> {
        let entry = self.list.get(handle.index() as usize)?;
        let known = (entry.generation, entry.kind) == (handle.generation(), handle.kind());
        (known && !handle.is_none()).then_some(handle.index())
    }

    /// The handle of an entry.
    pub(super) fn name(&self, index: u32) -> RawHandle {
        let entry = &self[index];
        RawHandle::new(entry.kind, entry.generation, index)
    }

    /// A new entry below this parent, which is alive. `None` when all indices are used up.
    pub(super) fn add(&mut self, kind: u16, object: *mut c_void, tie: Tie, parent: RawHandle) -> Option<u32> {
        let (index, generation) = match self.free.pop() {
            Some(index) => (index, self[index].generation + 1),
            None => (u32::try_from(self.list.len()).ok()?, self.first_generation),
        };
        let entry = Entry {
            generation,
            kind,
            alive: true,
            tie,
            object,
            lends: 0,
            parent: RawHandle::NONE,
            first_child: NONE,
            previous: NONE,
            next: NONE,
        };
        match self.list.get_mut(index as usize) {
            Some(old) => *old = entry,
            None if index >= RawHandle::INDEX_END => return None,
            None => self.list.push(entry),
        }
        self.living += 1;
        self.hang(index, if parent.is_none() { NONE } else { parent.index() });
        Some(index)
    }

    /// Ends an entry without children.
    pub(super) fn end(&mut self, index: u32) {
        self.unhang(index);
        self[index].alive = false;
        self.living -= 1;
        self.reuse(index);
    }

    /// Lets a dead entry be used again, if nobody knows it and it has a generation left.
    pub(super) fn reuse(&mut self, index: u32) {
        let entry = &self[index];
        if entry.lends == 0 && entry.generation < self.last_generation {
            self.free.push(index);
        }
    }

    /// Hangs what is owned below an entry, with all that is below that, on another or on none.
    pub(super) fn move_owned(&mut self, top: u32, to: u32) {
        let mut at = self[top].first_child;
        while at != NONE {
            if self[at].tie == Tie::Owned {
                let next = self.next_below(at, top);
                self.unhang(at);
                self.hang(at, to);
                at = next;
            } else {
                at = self.first_below(at, top);
            }
        }
    }

    /// Whether this holds for any entry below one. What is below owned ones is looked at on demand.
    pub(super) fn any_below(&self, top: u32, also_owned: bool, holds: impl Fn(u32, &Entry) -> bool) -> bool {
        let mut at = self[top].first_child;
        while at != NONE {
            let entry = &self[at];
            let looks = also_owned || entry.tie != Tie::Owned;
            if looks && holds(at, entry) {
                return true;
            }
            at = if looks { self.first_below(at, top) } else { self.next_below(at, top) };
        }
        false
    }

    /// The first entry below this one, itself included, that has nothing below it.
    pub(super) fn first_leaf(&self, mut at: u32) -> u32 {
        while self[at].first_child != NONE {
            at = self[at].first_child;
        }
        at
    }

    /// The entry behind this one, of those below `top`.
    pub(super) fn first_below(&self, at: u32, top: u32) -> u32 {
        if self[at].first_child != NONE { self[at].first_child } else { self.next_below(at, top) }
    }

    /// As [`Entries::first_below`], without those below this one.
    fn next_below(&self, mut at: u32, top: u32) -> u32 {
        while at != top {
            if self[at].next != NONE {
                return self[at].next;
            }
            at = self[at].parent.index();
        }
        NONE
    }

    /// Puts an entry into the list of a parent, if it has one.
    fn hang(&mut self, index: u32, parent: u32) {
        if parent == NONE {
            self[index].parent = RawHandle::NONE;
            return;
        }
        let (next, parent_name) = (self[parent].first_child, self.name(parent));
        let entry = &mut self[index];
        (entry.parent, entry.previous, entry.next) = (parent_name, NONE, next);
        if next != NONE {
            self[next].previous = index;
        }
        self[parent].first_child = index;
    }

    /// Takes an entry out of its parent's list.
    fn unhang(&mut self, index: u32) {
        let Entry { previous, next, parent, .. } = self[index];
        match previous {
            NONE if parent.is_none() => {}
            NONE => self[parent.index()].first_child = next,
            previous => self[previous].next = next,
        }
        if next != NONE {
            self[next].previous = previous;
        }
        (self[index].previous, self[index].next) = (NONE, NONE);
    }
}

impl Index<u32> for Entries {
    type Output = Entry;

    fn index(&self, index: u32) -> &Entry {
        &self.list[index as usize]
    }
}

impl IndexMut<u32> for Entries {
    fn index_mut(&mut self, index: u32) -> &mut Entry {
        &mut self.list[index as usize]
    }
}
