package rt

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"hotcell"
	"hotcell/internal/shm"
	"hotcell/internal/wire"
)

// Callback is a function of the application that the library calls, on the goroutine that waits for the call. What it returns
// goes to C in the low bits: an integer as it is, a floating-point number by its bits. An error ends the call as soon as the
// library has returned, and comes out of it; so does a panic.
//
// Calls that it makes with the context that it is given are nested in the one that calls back.
type Callback func(ctx context.Context, in *Invocation) (uint64, error)

// callback is one that was passed.
type callback struct {
	size int
	run  Callback
}

// raised is what went wrong in a callback: kept until the library has returned.
type raised struct {
	err   error
	panic any
	// count is how many callbacks there were.
	count uint64
}

// nothingRaised is of a call that nothing went wrong in.
var nothingRaised raised

// PutCallback writes a callback of this call, whose argument block has so many bytes; nil is NULL.
func (c *Call) PutCallback(offset, argsSize int, run Callback) {
	if run == nil {
		c.PutUint64(offset, 0)
		return
	}
	c.callbacks = append(c.callbacks, callback{argsSize, run})
	c.PutUint64(offset, uint64(len(c.callbacks)))
}

// Invocation is the arguments of a callback, at the offsets of its argument block. They are there until it returns.
type Invocation struct {
	reader
	lent   []*Handle
	filled []byte
	fills  bool
	// stream is memory for what is read of a stream.
	stream []byte
}

// Err is the first thing that is wrong with the arguments. A callback returns it.
func (in *Invocation) Err() error { return in.call.err }

// Handle is an object of this type, lent for the time of the callback; NULL is an error.
func (in *Invocation) Handle(offset int, kind uint16) *Handle {
	handle := in.OptHandle(offset, kind)
	if handle == nil && in.call.err == nil {
		in.call.lie("the library passed NULL where its contract promises an object")
	}
	return handle
}

// OptHandle is as Handle; NULL is nil.
func (in *Invocation) OptHandle(offset int, kind uint16) *Handle {
	return in.lend(in.Uint64(offset), kind)
}

// Handles is objects of this type, lent for the time of the callback.
func (in *Invocation) Handles(offset int, kind uint16) []*Handle {
	list := Elements[uint64](in, offset)
	if len(list) > wire.MaxHandles {
		cause := &hotcell.LimitError{Limit: hotcell.LimitExceededHandles, Value: wire.MaxHandles}
		in.call.fail(hotcell.ErrLimitExceeded, hotcell.ExecutedMaybe, cause, "the library passed more than %d objects to a callback", wire.MaxHandles)
		return nil
	}
	handles := make([]*Handle, 0, len(list))
	for _, raw := range list {
		handle := in.lend(raw, kind)
		if handle == nil {
			in.call.lie("the library passed NULL where its contract promises an object")
			return nil
		}
		handles = append(handles, handle)
	}
	return handles
}

func (in *Invocation) lend(raw uint64, kind uint16) *Handle {
	c := in.call
	object := object{c.generation(), raw}
	if c.err != nil || raw == 0 {
		return nil
	}
	if object.kind() != kind || object.numbered() == 0 {
		c.violation("an object has another type than its contract says")
		return nil
	}
	if known := c.session.objects.find(object); known != nil {
		return known
	}
	handle := &Handle{session: c.session, object: object, gone: new(atomic.Bool)}
	if c.session.families.on {
		handle.kin = c.kin()
	}
	in.lent = append(in.lent, handle)
	return handle
}

// Room is how many bytes of memory the library has to be filled: they are said at an offset of the block.
func (in *Invocation) Room(offset int) int {
	room := in.Uint64(offset)
	if room > in.call.session.options.MaxOutput {
		cause := &hotcell.LimitError{Limit: hotcell.LimitExceededOutput, Value: in.call.session.options.MaxOutput}
		in.call.fail(hotcell.ErrLimitExceeded, hotcell.ExecutedMaybe, cause, "the library has more room than a call may return")
		return 0
	}
	return int(room)
}

// Fill fills the first bytes of that memory. A callback that has Room says what it fills, if nothing.
func (in *Invocation) Fill(data []byte) { in.filled, in.fills = data, true }

// callBack runs a callback and answers.
func (c *Call) callBack(head shm.ReplyHead) {
	if !c.callsBack() {
		return
	}
	number := int(head.Errno)
	switch {
	case number >= wire.KeptCallbacks:
		c.callKept(head, uint64(number))
	case number < 1 || number > len(c.callbacks):
		c.violation("a callback that was not passed to this call")
	default:
		c.invoke(head, c.callbacks[number-1])
	}
}

// callsBack counts that. False where the library has called back too often, and its worker is being ended.
func (c *Call) callsBack() bool {
	c.seat.lane.ExpectAnswer()
	c.calledBack = true
	c.raised.count++
	if most := c.session.options.MaxCallbacks; c.raised.count > most {
		c.kill("callbacks", "")
		cause := &hotcell.LimitError{Limit: hotcell.LimitExceededCallbacks, Value: most}
		c.fail(hotcell.ErrLimitExceeded, hotcell.ExecutedMaybe, cause, "the library called back more than %d times", most)
	}
	return c.err == nil
}

// callKept runs a callback that the library has kept. One that has gone, or is being run, gets the library its default.
func (c *Call) callKept(head shm.ReplyHead, number uint64) {
	kept, found := c.session.kept.begin(number, c.generation(), c.seat, c.waitFor)
	switch found {
	case keptGone:
		c.answer(0, false)
	case keptInside:
		if c.raised.err == nil {
			c.raised.err = c.wrong(hotcell.ErrCallbackFailed, hotcell.ExecutedMaybe, nil, "a callback that the library keeps was called inside of itself")
		}
		c.answer(0, false)
	case keptReady:
		defer c.session.kept.end(kept)
		c.invoke(head, kept.callback)
	case keptLate:
		// The call's time is over, as is seen before its next message. Without an answer the library could not be stopped.
		if !c.seat.lane.Channel().IsDead() {
			c.answer(0, false)
		}
	}
}

// waitFor waits for something else than a message, as long as the call may take. False where it did not come.
func (c *Call) waitFor(something <-chan struct{}) bool {
	timer := time.NewTimer(time.Until(c.wait.Deadline))
	defer timer.Stop()
	select {
	case <-something:
		return true
	case <-c.seat.worker.Ended():
	case <-c.ctx.Done():
	case <-timer.C:
	}
	return false
}

// invoke runs a callback with its arguments, and answers.
func (c *Call) invoke(head shm.ReplyHead, callback callback) {
	in := c.argumentsOf(head, callback.size)
	if in == nil {
		return
	}
	if c.raised.err != nil || c.raised.panic != nil {
		c.answer(0, false)
		return
	}
	value, ok := c.run(callback.run, in)
	if in.call.lost.Load() && c.err == nil {
		// The worker has lied, and is being ended.
		c.lost.Store(true)
		if failed := (*hotcell.Error)(nil); errors.As(in.call.err, &failed) {
			c.suspect(failed.Kind)
		}
		c.setErr(in.call.err)
	}
	c.respond(in, value, ok)
}

// argumentsOf copies the arguments of a callback, which have so many bytes; nil where they break a rule.
func (c *Call) argumentsOf(head shm.ReplyHead, size int) *Invocation {
	if int(head.ResultLength) != size {
		c.violation("the arguments of a callback have another size than was agreed on")
		return nil
	}
	in := c.invocation(size)
	if size > 0 {
		found, granted := c.seat.lane.Locate(&c.seat.arena, int(c.fn.Results), shm.Place(head.Value), uint64(size))
		if !granted {
			c.violation("the arguments of a callback lie outside of the memory granted to its call")
			return nil
		}
		found.CopyTo(in.block)
	}
	return in
}

// invocation is the arguments of the next callback, of so many bytes: the memory of the one before.
func (c *Call) invocation(size int) *Invocation {
	in := &c.in
	block := in.block
	if cap(block) < size {
		block = make([]byte, size)
	}
	if c.view == nil {
		c.view = &Call{session: c.session, depth: c.depth}
	}
	view := c.view
	view.seat, view.ctx, view.function, view.fn, view.id, view.err = c.seat, c.ctx, c.function, c.fn, c.id, nil
	view.reply.call, view.calledBack = view, true
	if view.lost.Load() != c.lost.Load() {
		view.lost.Store(c.lost.Load())
	}
	if cap(in.stream) > mostStream {
		in.stream = nil
	}
	*in = Invocation{reader: reader{numbers: numbers{block[:size]}, call: view}, lent: in.lent[:0], stream: in.stream}
	return in
}

// respond answers a callback that has returned.
func (c *Call) respond(in *Invocation, value uint64, ok bool) {
	switch {
	case c.err != nil || c.lost.Load():
		return // A lie, for which the worker is being ended.
	case c.seat.lane.Channel().IsDead():
		return // Who waits for the next message hears of it.
	case ok && in.fills:
		answer := NewImage(16 + len(in.filled))
		answer.PutUint64(0, value)
		answer.PutUint64(8, uint64(len(in.filled)))
		copy(answer.block[16:], in.filled)
		place, err := c.seat.lend(c.ctx, answer.block)
		if err != nil {
			c.raised.err = c.wrong(hotcell.ErrLimitExceeded, hotcell.ExecutedMaybe, nil, "there is no room for what a callback filled in: "+err.Error())
		}
		value, ok = uint64(place), err == nil
	}
	c.answer(value, ok)
}

func (c *Call) answer(value uint64, ok bool) {
	if ok {
		c.seat.lane.Resume(wire.ResumeCallbackReturned, shm.Null, 0, value)
		return
	}
	c.seat.lane.Resume(wire.ResumeCallbackFailed, shm.Null, 0, 0)
}

// run runs a callback, one level deeper. False where it failed.
func (c *Call) run(run Callback, in *Invocation) (value uint64, ok bool) {
	if !c.seat.lane.Descend() {
		c.raised.err = c.wrong(hotcell.ErrLimitExceeded, hotcell.ExecutedMaybe,
			&hotcell.LimitError{Limit: hotcell.LimitExceededDepth, Value: wire.StackSlots}, "calls are nested too deep")
		return 0, false
	}
	c.session.calling.Add(1)
	if c.flies() {
		c.collects.pipe.callbacks.Add(1)
	}
	done := false
	if c.inner == nil {
		c.frame = &frame{call: c}
		c.inner = context.WithValue(c.ctx, inside{c.session}, c.frame)
	}
	c.frame.state.Store(running)
	defer func() {
		c.leave()
		c.session.calling.Add(-1)
		if c.flies() {
			c.collects.pipe.callbacks.Add(1)
		}
		c.seat.lane.Ascend()
		for _, handle := range in.lent {
			handle.gone.Store(true)
		}
		if done {
			return
		}
		// A panic, or the end of the goroutine: then this is nil, and Call.End gives the call up.
		if c.raised.panic = recover(); c.raised.panic != nil {
			value, ok = 0, false
		}
	}()
	value, err := run(c.inner, in)
	done = true
	if err != nil {
		c.raised.err = c.callbackFailed(err)
		return 0, false
	}
	return value, true
}

// callbackFailed is the error of a call whose callback has failed: one of this runtime as it is, another as its cause.
func (c *Call) callbackFailed(err error) error {
	var known *hotcell.Error
	if errors.As(err, &known) {
		return err
	}
	return c.wrong(hotcell.ErrCallbackFailed, hotcell.ExecutedMaybe, err, err.Error())
}

// rethrow has what went wrong in a callback come out of the call: a panic in any case, an error unless the worker broke. A batch
// does so itself, when its entries were judged.
func (c *Call) rethrow() {
	raised := c.raised
	if raised.count == 0 || c.reply.entries > 0 {
		return
	}
	c.raised = nothingRaised
	if raised.panic != nil {
		c.panicked = true
		panic(raised.panic)
	}
	if raised.err == nil {
		return
	}
	if isFault(c.err) {
		return
	}
	if c.err == nil && c.reply.readable {
		// The function has returned: what it left can be read, as behind a failure of its own.
		c.reply.failure = raised.err
		return
	}
	c.setErr(raised.err)
}
