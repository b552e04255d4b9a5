//! What calls have to look at before they begin: for one load, as long as there is nothing.

use std::sync::atomic::{AtomicU32, Ordering};

/// A bit for each kind of it.
#[derive(Debug, Default)]
pub(crate) struct Notices(AtomicU32);

/// A callback of a thread of the library has failed, and nobody has heard of it.
pub(super) const FAILURE: u32 = 1;

/// Some input is in quarantine.
pub(crate) const QUARANTINE: u32 = 2;

impl Notices {
    /// Whether there is anything.
    #[inline]
    pub(super) fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed) != 0
    }

    /// Whether there is this.
    #[inline]
    pub(crate) fn has(&self, bit: u32) -> bool {
        self.0.load(Ordering::Relaxed) & bit != 0
    }

    /// Says whether there is this. What it is about is read under a lock.
    pub(crate) fn set(&self, bit: u32, is_there: bool) {
        match is_there {
            true => self.0.fetch_or(bit, Ordering::Relaxed),
            false => self.0.fetch_and(!bit, Ordering::Relaxed),
        };
    }
}
