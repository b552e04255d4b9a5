package rt

import (
	"context"

	"hotcell"
)

// inside is the key of the call whose callback a context was made for.
type inside struct {
	session *Session
}

// beginNested begins a call in a callback, inside of the call that calls back. False where the context is none of a callback
// of this session that is being run.
func (s *Session) beginNested(ctx context.Context, function int, fn *Function) (*Call, bool) {
	outer, found := ctx.Value(inside{s}).(*Call)
	if !found || outer.ctx == nil {
		return nil, false
	}
	seat := outer.seat
	left, err := s.left(ctx, fn)
	switch {
	case err != nil:
		return s.stillborn(s.failed(err, fn.Name)), true
	case outer.busy:
		text := "another call is nested in this callback: a callback makes one call at a time"
		cause := &hotcell.UnavailableError{Reason: hotcell.UnavailablePoolExhausted}
		return s.stillborn(s.refused(hotcell.ErrUnavailable, fn.Name, text, cause)), true
	}
	outer.busy = true
	call := seat.call(outer.depth + 1)
	call.begin(ctx, function, fn, left)
	call.outer = seat.arena.Descend()
	if outer.lost || seat.lane.Channel().IsDead() {
		// No other worker takes it: the callback belongs to a call of this one.
		call.ended(hotcell.ExecutedNo)
		return call, true
	}
	seat.lane.Open()
	return call, true
}

// endNested gives the lane back to the call around.
func (c *Call) endNested() {
	outer := c.seat.calls[c.depth-1]
	c.seat.arena.Ascend(c.outer)
	outer.lost = outer.lost || c.lost
	outer.busy = false
}
