//! Where things lie in the memory of a channel, and writing there as the other side may.

use hotcell_protocol::wire;
use hotcell_shm::Mapping;

use crate::script::Script;

/// Bytes of a lane in either segment.
const LANE: usize = (wire::LANE_HEAD + SLOTS * wire::SLOT_STRIDE).next_multiple_of(4096);

/// Slots of a lane.
pub(crate) const SLOTS: usize = (wire::RING_SLOTS + wire::STACK_SLOTS) as usize;

/// Where a lane begins.
pub(crate) fn lane(index: usize) -> usize {
    wire::LANES_OFFSET + index * LANE
}

/// Where a slot begins.
pub(crate) fn slot(lane_index: usize, slot: usize) -> usize {
    lane(lane_index) + wire::LANE_HEAD + slot * wire::SLOT_STRIDE
}

/// A raw place.
pub(crate) fn place(segment: u16, offset: u64) -> u64 {
    u64::from(segment) << wire::PLACE_SEGMENT_SHIFT | offset & ((1 << wire::PLACE_SEGMENT_SHIFT) - 1)
}

/// Writes a few bytes anywhere.
pub(crate) fn scribble(script: &mut Script<'_>, memory: &Mapping) {
    let length = 1 + script.below(16);
    let bytes = script.take(length);
    let at = script.u32() as usize % (memory.length() - bytes.len());
    memory.copy_in(at, bytes);
}
