package shm

import "hotcell/internal/wire"

// slots is how many slots a lane has.
const slots = wire.RingSlots + wire.StackSlots

// page is what lanes share none of.
const page = 4096

// laneStride is how many bytes a lane half has, rounded to pages.
const laneStride = (wire.LaneHead + slots*wire.SlotStride + page - 1) / page * page

// control is where the channel's control line lies in either segment.
const control = wire.Line

// laneAt is where a lane starts in either segment.
func laneAt(lane int) int { return wire.LanesOffset + lane*laneStride }

// slotAt is where a slot starts in either segment.
func slotAt(lane, slot int) int { return laneAt(lane) + wire.LaneHead + slot*wire.SlotStride }

// slotOf is the slot of a call: in turn at depth 0, where number counts calls; else the depth's own.
func slotOf(depth int, number uint32) int {
	if depth == 0 {
		return int(number % wire.RingSlots)
	}
	return wire.RingSlots + depth - 1
}

// SegmentLength is how many bytes each segment of a channel with so many lanes has.
func SegmentLength(lanes int) int { return laneAt(lanes) }
