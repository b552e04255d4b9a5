package rt

import (
	"container/list"
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
	line  list.List
	// made is how many seats there are, of most.
	made, most int
	// crowded is called by who stands in line.
	crowded func()
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
	place := t.line.PushBack(mine)
	t.mutex.Unlock()
	if t.crowded != nil {
		t.crowded()
	}
	select {
	case seat := <-mine:
		return seat
	case <-ctx.Done():
	case <-closed:
	}
	t.leave(place, mine)
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
func (t *turns) leave(place *list.Element, mine chan *seat) {
	t.mutex.Lock()
	select {
	case seat := <-mine:
		t.mutex.Unlock()
		t.give(seat)
	default:
		t.line.Remove(place)
		t.waiting.Add(-1)
		t.mutex.Unlock()
	}
}

// give puts a seat back, or gives it to the first in line.
func (t *turns) give(back *seat) {
	if t.waiting.Load() == 0 && t.first.CompareAndSwap(nil, back) {
		if t.waiting.Load() == 0 || !t.first.CompareAndSwap(back, nil) {
			return
		}
	}
	t.mutex.Lock()
	defer t.mutex.Unlock()
	next := t.line.Front()
	if next == nil {
		t.idle = append(t.idle, back)
		return
	}
	t.waiting.Add(-1)
	t.line.Remove(next).(chan *seat) <- back
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
