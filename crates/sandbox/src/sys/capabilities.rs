//! Giving up what a process of the administrator may do beyond others.

use std::io;

use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set, set_capabilities,
};

/// Gives up all capabilities of this thread, and of those it will start. They cannot be had again: nothing is executed
/// that could bring them.
pub(crate) fn drop_all() -> io::Result<()> {
    // Older kernels have none of these; then there is nothing to clear.
    let _ = clear_ambient_capability_set();
    let none = CapabilitySets {
        effective: CapabilitySet::empty(),
        permitted: CapabilitySet::empty(),
        inheritable: CapabilitySet::empty(),
    };
    set_capabilities(None, none).map_err(Into::into)
}

/// Whether this thread has none.
pub(crate) fn has_none() -> bool {
    capabilities(None).is_ok_and(|sets| sets.effective.is_empty() && sets.permitted.is_empty())
}
