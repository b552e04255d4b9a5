//! Where things lie in a channel's two segments.

use hotcell_protocol::wire;

/// Slots of a lane.
pub(crate) const SLOTS: usize = (wire::RING_SLOTS + wire::STACK_SLOTS) as usize;

/// Bytes of a lane half, rounded to pages so that lanes share none.
pub(crate) const LANE_STRIDE: usize = (wire::LANE_HEAD + SLOTS * wire::SLOT_STRIDE).next_multiple_of(4096);

/// Offset of the channel's control line in either segment.
pub(crate) const CONTROL: usize = wire::LINE;

/// Offset of the crash record in the reply segment.
pub(crate) const CRASH: usize = 2 * wire::LINE;

/// Offset of the two denial records in the reply segment, one behind the other.
pub(crate) const DENIALS: usize = CRASH + wire::crash_record::SIZE;

/// Offset of the state record in the reply segment.
pub(crate) const STATE: usize = DENIALS + 2 * wire::denial_record::SIZE;

/// Offset of a lane in either segment.
pub(crate) const fn lane(lane: u32) -> usize {
    wire::LANES_OFFSET + lane as usize * LANE_STRIDE
}

/// Offset of a lane's progress line in the reply segment.
pub(crate) const fn progress(lane_index: u32) -> usize {
    lane(lane_index) + wire::PROGRESS_OFFSET
}

/// Offset of a slot in either segment.
pub(crate) const fn slot(lane_index: u32, slot: usize) -> usize {
    lane(lane_index) + wire::LANE_HEAD + slot * wire::SLOT_STRIDE
}

/// The slot of a call: in turn at depth 0, where `number` counts calls; else the depth's own.
#[inline]
pub(crate) const fn slot_of(depth: u8, number: u32) -> usize {
    match depth {
        0 => (number % wire::RING_SLOTS) as usize,
        depth => wire::RING_SLOTS as usize + depth as usize - 1,
    }
}

/// Bytes of each segment of a channel with this many lanes.
pub(crate) const fn segment_length(lanes: u32) -> usize {
    lane(lanes)
}

const _: () = {
    assert!(wire::RING_SLOTS.is_power_of_two());
    assert!(wire::SLOT_STRIDE.is_multiple_of(wire::LINE));
    assert!(wire::LANE_HEAD.is_multiple_of(wire::LINE));
    assert!(wire::PROGRESS_OFFSET + wire::LINE <= wire::LANE_HEAD);
    assert!(wire::CALL_OFFSET + wire::call_head::SIZE == wire::ARGS_OFFSET);
    assert!(wire::ARGS_OFFSET + wire::MAX_ARGS == wire::SLOT_STRIDE);
    assert!(wire::RESULT_OFFSET == wire::reply_head::SIZE);
    assert!(wire::RESULT_OFFSET + wire::MAX_RESULT == wire::SLOT_STRIDE);
    assert!(STATE + wire::state_record::SIZE <= wire::LANES_OFFSET);
};

#[cfg(test)]
mod tests;
