package rt

import (
	"context"
	"errors"
	"math"
	"sync/atomic"
	"time"

	"hotcell"
	"hotcell/internal/shm"
	"hotcell/internal/wire"
)

// Call is a call whose arguments are being written, then waited for. It has a seat of its session until [Call.End].
//
// Arguments are written into private memory; the call is sent as a whole. A call stays with its goroutine.
type Call struct {
	session *Session
	seat    *seat
	// depth is how many calls it is nested in.
	depth    int
	ctx      context.Context
	function int
	fn       *Function
	id       uint64
	// nestedFrom is the first number that a call nested in it may have.
	nestedFrom uint64
	// err is the first thing that went wrong.
	err error
	// block is the argument block, of which so many bytes are in use, data behind the fixed part included. It is the call's own
	// memory, or that of its batch.
	block []byte
	used  int
	// input is how many bytes of data were passed, granted how many bytes of reply space were, in so many requests.
	input, granted uint64
	grants         int
	// noSpace is why the last request for space was not granted.
	noSpace error
	// wait is how its reply is waited for.
	wait shm.Patience
	// writing tells whether it is being written and holds the lock of its pipeline. Only who makes the calls of that knows.
	writing bool
	// sent tells whether it was published, done whether its final reply has come, calledBack whether the library has called back.
	sent, done, calledBack bool
	// lost tells whether its worker is being ended. Two goroutines may say so where a callback leaves a nested call behind.
	lost atomic.Bool
	// outer is where the lane's data memory stood before a nested call.
	outer shm.Outer
	// noted are where in the data references to other data are.
	noted []shm.Place
	// panicked tells whether a callback has.
	panicked bool
	// keepers are objects that can be made anew, for which the library is to keep a callback.
	keepers []*anew
	// passed are the objects that go in, callbacks the functions; families is what it has that nobody else may use.
	passed   []passed
	families []object
	// gate is the family of the object that it was begun with.
	gate object
	// lent are the buffers that it lends.
	lent      []lent
	callbacks []callback
	raised    raised
	// in is the arguments of the callback that is run, inner the context that callbacks are given.
	in    Invocation
	inner context.Context
	// view is this call as those arguments are read by it: what is wrong with them is the callback's error, and the call's only
	// where the worker has lied.
	view  *Call
	frame *frame
	reply Reply
	small [64]byte
	large []byte
	// batch is the one whose entry this is; then there is no seat.
	batch *Batch
	// collects is what the call was begun by, where that is no method: a batch, or what collects for a pipeline.
	collects *Batch
}

func newCall(seat *seat, depth int) *Call {
	call := &Call{session: seat.session, seat: seat, depth: depth}
	call.reply.call, call.block = call, make([]byte, wire.MaxArgs)
	return call
}

// nothing stands for the function of a call that has none.
var nothing Function

// Begin begins a call of a function by its index. It waits for the session's turn, and for a worker where there is none.
//
// The context's deadline is the call's; without one the function's counts, or the session's. When it is cancelled, the call
// is given up, whatever the library does. In a callback it must be the context that the callback was given: then the call is
// nested in the one that calls back.
func (s *Session) Begin(ctx context.Context, function int) *Call {
	if uint(function) >= uint(len(s.pack.Functions)) {
		return s.stillborn(s.noSuch())
	}
	return s.begin(ctx, function, &s.pack.Functions[function])
}

func (s *Session) begin(ctx context.Context, function int, fn *Function) *Call {
	if s.failures.some.Load() {
		if failed := s.failures.take(); failed != nil {
			return s.stillborn(failed)
		}
	}
	return s.start(ctx, function, fn)
}

// start begins a call, whatever callbacks of threads have failed with.
func (s *Session) start(ctx context.Context, function int, fn *Function) *Call {
	return s.startWithin(ctx, function, fn, math.MaxInt64)
}

// startUntil is as start, of a call that was begun before, and has time until then.
func (s *Session) startUntil(ctx context.Context, function int, fn *Function, until time.Time) *Call {
	left := time.Until(until)
	if left <= 0 {
		return s.stillborn(s.late(fn.Name, nil))
	}
	return s.startWithin(ctx, function, fn, left)
}

// startWithin is as start, of a call that may take no longer than that.
func (s *Session) startWithin(ctx context.Context, function int, fn *Function, most time.Duration) *Call {
	if s.calling.Load() > 0 && ctx != nil {
		if call, nested := s.beginNested(ctx, function, fn, most); nested {
			return call
		}
	}
	left, err := s.left(ctx, fn)
	if err != nil {
		return s.stillborn(s.failed(err, fn.Name))
	}
	left = min(left, most)
	seat := s.turns.first.Swap(nil)
	if seat == nil {
		if seat, left, err = s.queue(ctx, left); seat == nil {
			return s.stillborn(s.failed(err, fn.Name))
		}
	}
	call := seat.calls[0]
	call.begin(ctx, function, fn, left)
	if seat.lane == nil || seat.worker.IsOver() {
		call.bind()
	}
	if call.err == nil {
		call.wait.Spin = seat.worker.spin
		seat.lane.Open()
		seat.arena.Reset()
	}
	return call
}

// left is how long a call may take.
func (s *Session) left(ctx context.Context, fn *Function) (time.Duration, error) {
	if ctx == nil {
		return 0, hotcell.NilContext()
	}
	if ctx.Done() != nil {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
	}
	if deadline, has := ctx.Deadline(); has {
		left := time.Until(deadline)
		if left <= 0 {
			return 0, context.DeadlineExceeded
		}
		return left, nil
	}
	if fn.Deadline > 0 {
		return fn.Deadline, nil
	}
	return s.options.Deadline, nil
}

// queue waits for a seat, and says how long is left then.
func (s *Session) queue(ctx context.Context, left time.Duration) (*seat, time.Duration, error) {
	begun := time.Now()
	bounded, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	if s.isClosed() {
		return nil, 0, errClosed
	}
	seat := s.turns.take(bounded, s.closed, func(index int) *seat { return newSeat(s, index) })
	switch {
	case seat != nil:
		return seat, max(left-time.Since(begun), 1), nil
	case s.isClosed():
		return nil, 0, errClosed
	case errors.Is(ctx.Err(), context.Canceled):
		return nil, 0, ctx.Err()
	}
	return nil, 0, context.DeadlineExceeded
}

// stillborn is a call that has failed before it began.
func (s *Session) stillborn(err error) *Call {
	call := &Call{session: s, fn: &nothing}
	call.reply.call, call.block = call, make([]byte, wire.MaxArgs)
	call.setErr(err)
	return call
}

// begin forgets the call before.
func (c *Call) begin(ctx context.Context, function int, fn *Function, left time.Duration) {
	c.ctx, c.function, c.fn = ctx, function, fn
	c.err, c.noSpace = nil, nil
	c.id = c.seat.id()
	c.nestedFrom = c.seat.nextID
	c.used = int(fn.Args)
	clear(c.block[:fn.Args])
	c.input, c.granted, c.grants = 0, 0, 0
	c.sent, c.done, c.calledBack, c.panicked = false, false, false, false
	if c.lost.Load() {
		// A store is an exchange, which takes longer than a look.
		c.lost.Store(false)
	}
	c.wait.Begin(left)
	c.reply.begin()
}

// forgetTaken forgets callbacks that were kept until an object goes that the call has taken over.
func (c *Call) forgetTaken() {
	for _, passed := range c.passed {
		if passed.usage != kept && passed.handle.gone.Load() {
			c.session.kept.forget(func(until object) bool { return until == passed.object })
		}
	}
}

// bind gives the call's seat a worker.
func (c *Call) bind() {
	begun := time.Now()
	ctx, cancel := context.WithTimeout(c.ctx, c.wait.Left)
	defer cancel()
	if err := c.seat.bind(ctx, c.fn.Name); err != nil {
		c.setErr(c.session.failed(err, c.fn.Name))
		return
	}
	c.wait.Left = max(c.wait.Left-time.Since(begun), 1)
}

func (c *Call) generation() uint64 {
	if c.seat == nil || c.seat.worker == nil {
		return 0
	}
	return c.seat.worker.generation
}

// End gives the turn back. What was not taken out of the reply is released. A call that was sent and has no reply yet, for a
// callback has ended its goroutine, costs the worker.
func (c *Call) End() {
	seat := c.seat
	if seat == nil || c.batch != nil {
		return
	}
	if c.sent && !c.done {
		c.kill("given-up", "")
	}
	// Most calls have nothing of all this, and call nothing for it.
	if len(c.reply.made)+len(c.fn.Owned) > 0 {
		c.reply.letGo()
	}
	if len(c.passed) > 0 {
		c.keepSettings()
		c.forgetTaken()
		clear(c.passed)
		c.passed = c.passed[:0]
	}
	if len(c.callbacks) > 0 {
		clear(c.callbacks)
		c.callbacks = c.callbacks[:0]
	}
	if len(c.lent) > 0 {
		c.takeBack()
	}
	c.noted, c.keepers = c.noted[:0], nil
	c.ctx, c.inner, c.frame = nil, nil, nil
	if len(c.families) > 0 || c.gate != (object{}) {
		c.giveFamilies()
	}
	if c.depth > 0 {
		c.endNested()
		return
	}
	if seat.worker != nil && (seat.worker.IsOver() || seat.worker.IsWorn()) {
		seat.leave()
	}
	c.session.turns.give(seat)
	if c.session.objects.left.Load() > 0 {
		c.session.sweepSoon()
	}
}
