//! Copies of data that the library keeps, until the objects that they belong to have gone.
//!
//! | a copy is | from | to |
//! |---|---|---|
//! | its call's | `keep` | `keep_until`, or the end of the call: then it goes |
//! | an object's | `keep_until` | the removal of the object, and of all that may have it from that |
//! | over | the removal of the object | the end of the outermost call of that thread: then it goes. The library may still be releasing the object |

use std::alloc::{Layout, alloc, dealloc};
use std::collections::HashMap;
use std::ffi::c_void;
use std::ptr::NonNull;
use std::sync::Arc;

use hotcell_protocol::RawHandle;

use crate::handles::walls::Walls;

/// As `malloc` aligns.
const ALIGN: usize = 16;

/// Memory of the library's that C did not allocate.
#[derive(Debug)]
pub(crate) struct KeptData {
    memory: NonNull<u8>,
    held: Held,
}

/// What gives the memory back.
#[derive(Debug)]
enum Held {
    Heap(Layout),
    /// Their end is that of the memory between them.
    Walls {
        _walls: Walls,
    },
}

// SAFETY: it owns its memory, which nothing refers to but the library; what that does with it is the library's affair.
unsafe impl Send for KeptData {}
// SAFETY: nothing but the library looks into it; what is shared are its address and its end.
unsafe impl Sync for KeptData {}

impl KeptData {
    /// A copy; `None` when there is no memory for it.
    pub(crate) fn of(data: &[u8]) -> Option<KeptData> {
        let layout = Layout::from_size_align(data.len().max(1), ALIGN).ok()?;
        // SAFETY: the layout has a size.
        let memory = NonNull::new(unsafe { alloc(layout) })?;
        // SAFETY: the memory is new, and has so many bytes.
        unsafe { std::ptr::copy_nonoverlapping(data.as_ptr(), memory.as_ptr(), data.len()) };
        Some(KeptData { memory, held: Held::Heap(layout) })
    }

    /// A copy that ends before a wall; `None` when there is no memory for it.
    pub(crate) fn walled(data: &[u8]) -> Option<KeptData> {
        let (memory, walls) = Walls::around(data)?;
        Some(KeptData { memory, held: Held::Walls { _walls: walls } })
    }

    fn address(&self) -> *mut c_void {
        self.memory.as_ptr().cast()
    }
}

impl Drop for KeptData {
    fn drop(&mut self) {
        if let Held::Heap(layout) = self.held {
            // SAFETY: it was allocated with this layout.
            unsafe { dealloc(self.memory.as_ptr(), layout) };
        }
    }
}

/// The copies that belong to objects.
#[derive(Debug, Default)]
pub(super) struct KeptByObjects(HashMap<RawHandle, Vec<Arc<KeptData>>>);

impl KeptByObjects {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn add(&mut self, owner: RawHandle, copy: KeptData) {
        self.0.entry(owner).or_default().push(Arc::new(copy));
    }

    /// Another object may have what belongs to this one: it stays until both have gone.
    pub(super) fn share(&mut self, owner: RawHandle, other: RawHandle) {
        let Some(copies) = self.0.get(&owner).filter(|_| owner != other).cloned() else { return };
        let own = self.0.entry(other).or_default();
        let new = copies.into_iter().filter(|copy| !own.iter().any(|other| Arc::ptr_eq(copy, other)));
        let new: Vec<_> = new.collect();
        own.extend(new);
    }

    /// How many belong to an object.
    #[cfg(test)]
    pub(super) fn count(&self, owner: RawHandle) -> usize {
        self.0.get(&owner).map_or(0, Vec::len)
    }

    /// Those of an object that has gone.
    pub(super) fn of(&mut self, owner: RawHandle) -> Vec<Arc<KeptData>> {
        self.0.remove(&owner).unwrap_or_default()
    }
}

/// The copies that a thread's calls have.
#[derive(Debug, Default)]
pub(super) struct KeptByCalls {
    /// Those of open calls, the innermost last.
    calls: Vec<KeptData>,
    /// Those that are over.
    over: Vec<Arc<KeptData>>,
}

impl KeptByCalls {
    pub(super) fn len(&self) -> usize {
        self.calls.len()
    }

    /// How many are over.
    #[cfg(test)]
    pub(super) fn over(&self) -> usize {
        self.over.len()
    }

    /// Whether there is anything to be seen to when a call ends.
    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty() && self.over.is_empty()
    }

    pub(super) fn keep(&mut self, copy: KeptData) -> *mut c_void {
        let address = copy.address();
        self.calls.push(copy);
        address
    }

    pub(super) fn take(&mut self, address: *mut c_void) -> Option<KeptData> {
        let at = self.calls.iter().rposition(|copy| copy.address() == address)?;
        Some(self.calls.swap_remove(at))
    }

    pub(super) fn end(&mut self, copies: Vec<Arc<KeptData>>) {
        self.over.extend(copies);
    }

    /// The innermost call has ended, whose copies begin there; whether it was the outermost.
    pub(super) fn leave(&mut self, start: usize, outermost: bool) {
        self.calls.truncate(start);
        if outermost {
            self.over.clear();
        }
    }
}
