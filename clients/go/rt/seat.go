package rt

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

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
	// spin is how long its callers poll, grace how long a call may take to end that it is told to stop.
	spin, grace time.Duration
	bound       atomic.Int32
	// listening is done when somebody listens to what threads of the library call back.
	listening sync.Once
	// counted tells whether its end was counted against an input.
	counted atomic.Bool
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
	for tries := 0; ; tries++ {
		worker, err := s.session.serving(ctx, function)
		if err != nil {
			return err
		}
		if s.index >= worker.Channel.Callers() {
			worker.unbind()
			return fmt.Errorf("the supervisor gives %d callers", worker.Channel.Callers())
		}
		if s.index > 0 {
			err = worker.OpenLane(ctx, s.index)
		}
		if err == nil {
			if lane := worker.Channel.Lane(s.index); lane != nil {
				s.worker, s.lane = worker, lane
				return nil
			}
			err = fmt.Errorf("lane %d of worker %d was used before", s.index, worker.generation)
		}
		worker.unbind()
		if tries == mostTries || !errors.Is(err, hotcell.ErrWorkerLost) {
			return err
		}
	}
}

// mostTries is how often another worker is asked for where one ends before it was sent anything.
const mostTries = 3

// unbind says that one uses it no more.
func (w *worker) unbind() {
	if w.bound.Add(-1) == 0 && w.IsOver() {
		w.Left()
	}
	w.Channel.Drop()
}

// leave lets go of a worker that is over, or worn and without objects.
func (s *seat) leave() {
	if !s.worker.IsOver() && !s.session.isUnused(s.worker) {
		return
	}
	s.unbind()
}

// isUnused has a worker that is worn retire, if no object of it is there and no other call is under way, which may be making one.
// False where it goes on.
func (s *Session) isUnused(worker *worker) bool {
	vacant := s.turns.vacant()
	s.turns.mutex.Lock()
	alone := len(vacant)+1 == s.turns.made
	s.turns.mutex.Unlock()
	if alone && !s.objects.has(worker.generation) {
		worker.Retire()
	}
	for _, seat := range vacant {
		s.turns.give(seat)
	}
	return worker.IsOver()
}

// unbind lets go of a worker. No call is under way here.
func (s *seat) unbind() {
	if s.worker == nil {
		return
	}
	worker := s.worker
	s.arena.Close()
	s.worker, s.lane = nil, nil
	worker.unbind()
}

// growTo gives the lane more request memory, and copies data, and tail zero bytes, into it.
func (s *seat) growTo(ctx context.Context, data []byte, tail int) (shm.Place, error) {
	id, mapping, err := s.worker.Grow(ctx, shm.Request, s.arena.Wanted(len(data)+tail))
	if err != nil {
		return shm.Null, err
	}
	s.arena.AddRequest(id, mapping)
	place, _ := s.arena.CopyIn(data, tail)
	return place, nil
}

// lend copies what the worker reads before its next message into request memory.
func (s *seat) lend(ctx context.Context, data []byte) (shm.Place, error) {
	if place, fits := s.arena.Lend(data); fits {
		return place, nil
	}
	id, mapping, err := s.worker.Grow(ctx, shm.Request, s.arena.Wanted(len(data)))
	if err != nil {
		return shm.Null, err
	}
	s.arena.AddRequest(id, mapping)
	place, _ := s.arena.Lend(data)
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
