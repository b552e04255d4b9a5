//! A segment that outlives its channel: it stays mapped for as long as somebody holds data in it.

use std::mem::ManuallyDrop;
use std::sync::Arc;

use crate::fork::ForkGuard;
use crate::mapping::Mapping;

/// A map that callers hold on to. In a forked child it is not there, and its addresses may be anybody's: there it is
/// never touched, not even to unmap it.
#[derive(Debug)]
pub(crate) struct Segment {
    mapping: ManuallyDrop<Mapping>,
    fork: Arc<ForkGuard>,
}

impl Segment {
    pub(crate) fn new(mapping: Mapping, fork: &Arc<ForkGuard>) -> Segment {
        Segment { mapping: ManuallyDrop::new(mapping), fork: Arc::clone(fork) }
    }

    /// The map.
    ///
    /// # Panics
    ///
    /// In a forked child.
    #[inline]
    pub(crate) fn mapping(&self) -> &Mapping {
        assert!(!self.is_forked(), "the process was forked: the memory of a session stays with its parent");
        &self.mapping
    }

    /// Whether this is a child of the process that the segment belongs to.
    #[inline]
    pub(crate) fn is_forked(&self) -> bool {
        self.fork.forked()
    }

    /// Bytes.
    #[inline]
    pub(crate) fn length(&self) -> usize {
        self.mapping.length()
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        if !self.is_forked() {
            // SAFETY: the value is being dropped, so nobody looks at `mapping` any more.
            unsafe { ManuallyDrop::drop(&mut self.mapping) };
        }
    }
}
