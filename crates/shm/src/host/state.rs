//! How often the library has left the state of its process changed, as its worker tells.

use hotcell_protocol::wire::{self, state_record as at};

use super::HostChannel;
use crate::geometry;

/// Parts of the state of a process.
const PARTS: usize = (at::LOST - at::LOCALE) / size_of::<u32>();

/// All `StateParts`.
pub const STATE_PARTS: u32 = (1 << PARTS) - 1;

/// What was changed and left so. It is the worker's own word.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StateRecord {
    /// How often, by part, in the order of the bits of `StateParts`.
    pub counts: [u32; PARTS],
    /// `StateParts` that could not be put back.
    pub lost: u32,
    /// The function of the call behind which something was changed last.
    pub function: Option<u16>,
    /// Signals whose action was put back: bit n for signal n + 1.
    pub signals: u64,
}

impl StateRecord {
    /// How often one of `StateParts` was left changed.
    pub fn count(&self, part: u32) -> u32 {
        self.counts.get(part.trailing_zeros() as usize).copied().unwrap_or(0)
    }
}

impl HostChannel {
    /// Says which `StateParts` the library may leave changed, before the worker starts.
    pub fn let_leave(&self, parts: u32) {
        self.request.store(geometry::CONTROL + wire::channel_host::LEAVES, parts);
    }

    /// Says how many handles the worker may have at a time, before it starts.
    pub fn limit_objects(&self, most: u32) {
        self.request.store(geometry::CONTROL + wire::channel_host::OBJECTS, most);
    }

    /// What was changed so far.
    pub fn state_record(&self) -> StateRecord {
        let load = |offset| self.reply.load::<u32>(geometry::STATE + offset);
        StateRecord {
            counts: std::array::from_fn(|part| load(at::LOCALE + part * size_of::<u32>())),
            lost: load(at::LOST) & STATE_PARTS,
            function: load(at::FUNCTION).checked_sub(1).and_then(|index| u16::try_from(index).ok()),
            signals: self.reply.load(geometry::STATE + at::SIGNALS),
        }
    }
}
