package rt

import (
	"context"
	"sync/atomic"

	"hotcell"
	"hotcell/internal/serve"
	"hotcell/internal/shm"
	"hotcell/internal/wire"
)

// seat is a place for one call at a time, with those nested in it: a lane of the worker, and what is known of the calls.
type seat struct {
	session *Session
	// index is its number, and that of its lane.
	index int
	// worker is the one it is bound to, lane that worker's. Both are nil before the first call and behind a worker's end.
	worker *worker
	lane   *shm.Lane
	arena  shm.Arena
	// calls are those in progress by depth: the memory is used again and again.
	calls [1 + wire.StackSlots]*Call
	// nextID is the number of the next call, endID the first that is not this seat's any more.
	nextID, endID uint64
}

// worker is one that serves a session, and how many seats are bound to it.
type worker struct {
	*serve.Worker
	// generation is unique in the session, whatever server it came from.
	generation uint64
	bound      atomic.Int32
}

// ids are call numbers of this process: seats take blocks of them.
var ids atomic.Uint64

// idBlock is how many numbers a seat takes at a time.
const idBlock = 1 << 16

func newSeat(session *Session, index int) *seat {
	seat := &seat{session: session, index: index}
	seat.calls[0] = newCall(seat, 0)
	return seat
}

// id is the number of a new call.
func (s *seat) id() uint64 {
	if s.nextID == s.endID {
		s.endID = ids.Add(idBlock) + 1
		s.nextID = s.endID - idBlock
	}
	s.nextID++
	return s.nextID - 1
}

// call is the memory for a call of this depth.
func (s *seat) call(depth int) *Call {
	if s.calls[depth] == nil {
		s.calls[depth] = newCall(s, depth)
	}
	return s.calls[depth]
}

// bind sees to it that the seat has a lane of a worker that serves.
func (s *seat) bind(ctx context.Context, function string) error {
	s.unbind()
	worker, err := s.session.serving(ctx, function)
	if err != nil {
		return err
	}
	if s.index > 0 {
		if err := worker.OpenLane(ctx, s.index); err != nil {
			worker.Channel.Drop()
			return err
		}
	}
	worker.bound.Add(1)
	s.worker, s.lane = worker, worker.Channel.Lane(s.index)
	return nil
}

// leave lets go of a worker that is over, or worn and without objects.
func (s *seat) leave() {
	if !s.worker.IsOver() {
		if s.session.objects.has(s.worker.generation) {
			return
		}
		s.worker.Retire()
	}
	s.unbind()
}

// unbind lets go of a worker. No call is under way here.
func (s *seat) unbind() {
	if s.worker == nil {
		return
	}
	worker := s.worker
	s.arena.Close()
	s.worker, s.lane = nil, nil
	if worker.bound.Add(-1) == 0 && worker.IsOver() {
		worker.Left()
	}
	worker.Channel.Drop()
}

// place copies data, and tail zero bytes, into request memory of the lane, which grows where there is no room.
func (s *seat) place(ctx context.Context, data []byte, tail int) (shm.Place, error) {
	if place, fits := s.arena.CopyIn(data, tail); fits {
		return place, nil
	}
	id, mapping, err := s.worker.Grow(ctx, shm.Request, s.arena.Wanted(len(data)+tail))
	if err != nil {
		return shm.Null, err
	}
	s.arena.AddRequest(id, mapping)
	place, _ := s.arena.CopyIn(data, tail)
	return place, nil
}

// grant finds reply memory for so many bytes, of which a call may have limit. Without there is none.
func (s *seat) grant(ctx context.Context, needed, limit int, nested bool) (shm.Window, error) {
	if window, found := s.arena.Regrant(needed, nested); found {
		return window, nil
	}
	wanted, fits := s.arena.NextWindow(needed, limit)
	if !fits {
		return shm.Window{}, &hotcell.LimitError{Limit: hotcell.LimitExceededOutput, Value: uint64(limit)}
	}
	id, mapping, err := s.worker.Grow(ctx, shm.Reply, wanted)
	if err != nil {
		return shm.Window{}, err
	}
	return s.arena.AddWindow(id, mapping, nested), nil
}
