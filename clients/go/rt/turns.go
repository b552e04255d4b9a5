package rt

import (
	"context"
	"sync"
	"sync/atomic"
)

// turns tells whose turn it is: which callers have the seats of a session, each of which is a lane with what is known of the
// call in progress.
//
//	first     a seat that is free: taken and put back by one atomic operation each
//	idle      other seats that are free
//	line      callers that wait, first come first served
//	waiting   how many they are
//
// A caller that finds no seat says that it waits, then looks at first again; who puts a seat there looks at waiting behind
// that. Operations of sync/atomic have one order: either the caller sees the seat, or the other one sees the caller.
type turns struct {
	first   atomic.Pointer[seat]
	waiting atomic.Int32

	mutex sync.Mutex
	idle  []*seat
	line  []chan *seat
	// made is how many seats there are, of most.
	made, most int
}

// take is a seat, when it is this caller's turn; nil where the context ends before, or the session.
func (t *turns) take(ctx context.Context, closed <-chan struct{}, add func(index int) *seat) *seat {
	if seat := t.first.Swap(nil); seat != nil {
		return seat
	}
	t.mutex.Lock()
	t.waiting.Add(1)
	if seat := t.free(add); seat != nil {
		t.waiting.Add(-1)
		t.mutex.Unlock()
		return seat
	}
	mine := make(chan *seat, 1)
	t.line = append(t.line, mine)
	t.mutex.Unlock()
	select {
	case seat := <-mine:
		return seat
	case <-ctx.Done():
	case <-closed:
	}
	t.leave(mine)
	return nil
}

// free is a seat that nobody has, or a new one. With the mutex.
func (t *turns) free(add func(index int) *seat) *seat {
	if seat := t.first.Swap(nil); seat != nil {
		return seat
	}
	if last := len(t.idle) - 1; last >= 0 {
		seat := t.idle[last]
		t.idle = t.idle[:last]
		return seat
	}
	if t.made < t.most {
		t.made++
		return add(t.made - 1)
	}
	return nil
}

// leave takes a caller out of the line. A seat that it was given meanwhile goes on.
func (t *turns) leave(mine chan *seat) {
	t.mutex.Lock()
	for at, other := range t.line {
		if other == mine {
			t.line = append(t.line[:at], t.line[at+1:]...)
			t.waiting.Add(-1)
			break
		}
	}
	t.mutex.Unlock()
	select {
	case seat := <-mine:
		t.give(seat)
	default:
	}
}

// give puts a seat back, or gives it to the first in line.
func (t *turns) give(seat *seat) {
	if t.waiting.Load() == 0 && t.first.CompareAndSwap(nil, seat) {
		if t.waiting.Load() == 0 || !t.first.CompareAndSwap(seat, nil) {
			return
		}
	}
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if len(t.line) == 0 {
		t.idle = append(t.idle, seat)
		return
	}
	next := t.line[0]
	t.line = t.line[1:]
	t.waiting.Add(-1)
	next <- seat
}

// vacant takes every seat out that nobody has. They are to be given back.
func (t *turns) vacant() (seats []*seat) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if seat := t.first.Swap(nil); seat != nil {
		seats = append(seats, seat)
	}
	seats = append(seats, t.idle...)
	t.idle = nil
	return seats
}
