package shm

import (
	"testing"

	"hotcell/internal/wire"
)

// Of so many messages one says on which CPU the caller is, however the slots go round, and answers count.
func TestTheCPUIsSaidSeldom(t *testing.T) {
	bytes := SegmentLength(2)
	channel := &Channel{request: &Mapping{make([]byte, bytes)}, reply: &Mapping{make([]byte, bytes)}, lanes: 2}
	lane := &Lane{channel: channel, cpu: wire.CpuUnknown}
	said := 0
	for message := range 10 * seldom {
		lane.cpu = wire.CpuUnknown
		if lane.Open(); message%5 == 4 {
			lane.Resume(wire.ResumeGranted, Null, 0, 0)
		} else {
			lane.Publish(CallHead{CallID: 1}, nil)
		}
		if lane.cpu != wire.CpuUnknown {
			said++
		}
	}
	if said != 10 {
		t.Error(said)
	}
}
