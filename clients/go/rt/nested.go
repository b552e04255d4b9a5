package rt

import (
	"context"
	"sync/atomic"
	"time"

	"hotcell"
)

// inside is the key of the frame that a context was made for.
type inside struct {
	session *Session
}

// onThread is the key of contexts of callbacks that threads of the library call.
type onThread struct {
	session *Session
}

// frame is the callbacks of a call, as the contexts know them that these are given. It outlives the call with such a context, and
// the memory of the call is used again: so it says itself whether a callback is being run.
type frame struct {
	call  *Call
	state atomic.Int32
}

// States of a frame.
const (
	// over: no callback is being run.
	over = iota
	// running: one is, and may begin a call.
	running
	// nesting: one is, and has begun a call that has not ended.
	nesting
)

// beginNested begins a call in a callback, inside of the call that calls back. False where the context is none of a callback
// of this session that is being run.
func (s *Session) beginNested(ctx context.Context, function int, fn *Function, most time.Duration) (*Call, bool) {
	frame, found := ctx.Value(inside{s}).(*frame)
	if !found || frame.state.Load() == over {
		return nil, false
	}
	left, err := s.left(ctx, fn)
	left = min(left, most)
	switch {
	case err != nil:
		return s.stillborn(s.failed(err, fn.Name)), true
	case !frame.state.CompareAndSwap(running, nesting):
		text := "another call is nested in this callback: a callback makes one call at a time"
		cause := &hotcell.UnavailableError{Reason: hotcell.UnavailablePoolExhausted}
		return s.stillborn(s.refused(hotcell.ErrUnavailable, fn.Name, text, cause)), true
	}
	outer := frame.call
	seat := outer.seat
	call := seat.call(outer.depth + 1)
	// No later than the call around.
	outer.wait.Reckon()
	call.begin(ctx, function, fn, max(min(left, time.Until(outer.wait.Deadline)), 1))
	call.outer = seat.arena.Descend()
	if outer.lost.Load() || seat.lane.Channel().IsDead() {
		// No other worker takes it: the callback belongs to a call of this one.
		call.ended(hotcell.ExecutedNo)
		return call, true
	}
	call.wait.Spin = seat.worker.spin
	seat.lane.Open()
	return call, true
}

// endNested gives the lane back to the call around.
func (c *Call) endNested() {
	outer := c.seat.calls[c.depth-1]
	c.seat.arena.Ascend(c.outer)
	if c.lost.Load() {
		outer.lost.Store(true)
	}
	outer.frame.state.Store(running)
}

// leave ends a callback. A call that it has begun on another goroutine, and not ended, costs the worker: that goroutine uses the
// lane until its call has ended, which it does when the worker has. One that nobody ends is waited for no longer than that.
func (c *Call) leave() {
	for until := time.Now().Add(patience); !c.frame.state.CompareAndSwap(running, over); time.Sleep(time.Millisecond) {
		c.kill("given-up", "")
		if time.Now().After(until) {
			c.frame.state.Store(over)
			return
		}
	}
}
