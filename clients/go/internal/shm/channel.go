package shm

import (
	"fmt"
	"runtime"
	"sync/atomic"

	"hotcell/internal/wire"
)

// Channel is the two segments shared with one worker, for its life.
type Channel struct {
	request, reply *Mapping
	epoch          uint16
	lanes          int
	bells          []*Bell
	// taken are the lanes that were ever taken, one bit each.
	taken atomic.Uint64
	// dead is set when the worker has ended; see [Channel.Bury].
	dead atomic.Bool
	// users is how many hold it: the last one unmaps it.
	users atomic.Int32
}

// NewChannel makes a channel of both segments, which it owns from now on, and of the eventfds of its lanes.
// The request segment's head, which no worker can write, must be what was announced.
func NewChannel(request, reply *Mapping, bells []*Bell, lanes int, epoch uint16) (*Channel, error) {
	if lanes < 2 || lanes > wire.MaxLanes || len(bells) != lanes {
		return nil, fmt.Errorf("a channel of %d lanes with %d eventfds", lanes, len(bells))
	}
	need := SegmentLength(lanes)
	if request.Length() < need || reply.Length() < need {
		return nil, fmt.Errorf("segments of %d and %d bytes; %d lanes need %d", request.Length(), reply.Length(), lanes, need)
	}
	if magic := request.load64(wire.ChannelHeadMagic); magic != wire.Magic {
		return nil, fmt.Errorf("a segment begins with %#x", magic)
	}
	if major := uint16(request.load32(wire.ChannelHeadMajor)); major != wire.VersionMajor {
		return nil, fmt.Errorf("a channel of version %d; this client speaks %d", major, wire.VersionMajor)
	}
	if stride := request.load32(wire.ChannelHeadSlotStride); stride != wire.SlotStride {
		return nil, fmt.Errorf("slots of %d bytes", stride)
	}
	channel := &Channel{request: request, reply: reply, bells: bells, lanes: lanes, epoch: epoch}
	channel.users.Store(1)
	return channel, nil
}

// Hold says that one more uses the channel's memory.
func (c *Channel) Hold() { c.users.Add(1) }

// Drop says that one uses it no more. The last one unmaps it.
func (c *Channel) Drop() {
	if c.users.Add(-1) > 0 {
		return
	}
	c.request.Unmap()
	c.reply.Unmap()
	for _, bell := range c.bells {
		bell.Close()
	}
}

// Bury says that the worker has ended, and wakes every caller that sleeps.
//
// The flag is stored before anybody is woken: who goes to sleep behind that sees it, for a caller looks at it when it has
// set its deadline (see [Bell.Sleep]).
func (c *Channel) Bury() {
	c.dead.Store(true)
	for _, bell := range c.bells {
		bell.Wake()
	}
}

// Callers is how many lanes are for callers: all but the last, on which threads of the library call back.
func (c *Channel) Callers() int { return c.lanes - 1 }

// IsDead tells whether the worker has ended.
func (c *Channel) IsDead() bool { return c.dead.Load() }

// Executing is the call that a lane's worker says it is executing, and the entry if that is a batch. Evidence, never for trust.
func (c *Channel) Executing(lane int) (call uint64, entry uint32) {
	line := laneAt(lane) + wire.ProgressOffset
	return c.reply.load64(line + wire.LaneProgressExecuting), c.reply.load32(line + wire.LaneProgressEntry)
}

// Lane is a lane for one caller at a time. Each is taken once in a channel's life, for the counters of both sides start
// together: the second time there is none. Lane 0 is served by the worker's first thread, others by one of their own, and the
// last one, which is no caller's, by the threads that the library makes.
func (c *Channel) Lane(index int) *Lane {
	if bit := uint64(1) << index; c.taken.Or(bit)&bit != 0 {
		return nil
	}
	lane := &Lane{channel: c, index: index, bell: c.bells[index], cpu: wire.CpuUnknown, alone: runtime.GOMAXPROCS(0) == 1}
	lane.parkAt, lane.cpuAt, lane.doorbellAt = control+wire.ChannelWorkerPark, control+wire.ChannelWorkerCpu, control+wire.ChannelHostDoorbell
	if index > 0 {
		of := laneAt(index)
		lane.parkAt, lane.cpuAt, lane.doorbellAt = of+wire.LaneWorkerPark, of+wire.LaneWorkerCpu, of+wire.LaneHostDoorbell
	}
	c.request.store32(laneAt(index)+wire.LaneHostCpu, wire.CpuUnknown)
	if index == 0 {
		// The worker's first thread looks at the lanes that have a bit here. Nobody else changes the word.
		c.request.store64(control+wire.ChannelHostActive, 1)
	}
	return lane
}
