//! The table by itself, as tests look at it.

use std::ffi::c_void;

use hotcell_protocol::RawHandle;
use hotcell_protocol::wire::Refusal;

use super::entries::Entries;
use super::{Handles, Known};

impl Handles {
    /// A table for one thread whose entries have these generations, and are not used again behind the last.
    pub(crate) fn of_generations(first: u32, last: u32) -> Handles {
        Handles { entries: Entries::new(first, last), ..Handles::new(1) }
    }

    /// The object of a handle, which is not passed anywhere.
    pub(crate) fn get(&self, handle: RawHandle, kind: u16) -> Result<*mut c_void, Refusal> {
        self.entry_of(handle, kind).map(|index| self.entries[index].object)
    }

    /// How many objects are known by their addresses, how many entries live, and how many of them are known by those.
    pub(crate) fn counts(&self) -> [usize; 3] {
        let listed = self.objects.values().map(|known| match known {
            Known::Once(_) => 1,
            Known::Lent(list) => list.len(),
        });
        [self.objects.len(), self.entries.living(), listed.sum()]
    }
}
