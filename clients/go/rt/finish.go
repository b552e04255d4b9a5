package rt

import (
	"context"
	"errors"
	"time"

	"hotcell"
	"hotcell/internal/shm"
	"hotcell/internal/wire"
)

// mostGrants is how often a call may ask for space: an honest one doubles its window.
const mostGrants = 64

// Finish sends the call and waits for its reply. Behind a failure that the library reports, all results are zero. A panic of a
// callback goes on here.
func (c *Call) Finish() *Reply {
	if c.Settle(); c.err == nil && c.reply.failure != nil {
		c.setErr(c.reply.failure)
	}
	return &c.reply
}

// Settle is as Finish, of a function that leaves something behind when it fails: then the results can be read, and [Reply.Err]
// says that it failed.
func (c *Call) Settle() *Reply {
	if c.settle(); c.err == nil {
		c.expectAnother()
	}
	return &c.reply
}

func (c *Call) settle() {
	if c.err == nil && c.session.families.on {
		c.takeFamilies()
	}
	if c.err != nil {
		return
	}
	if c.lost.Load() || c.seat.lane == nil || c.seat.lane.Channel().IsDead() {
		c.fail(hotcell.ErrWorkerLost, hotcell.ExecutedNo, nil, "the worker has ended before the call was sent")
		return
	}
	if c.session.options.Quarantine.IsRefusing() && c.isQuarantined() {
		return
	}
	c.publish()
	head, outcome, rule := c.seat.lane.Await(c.id, &c.wait)
	if outcome == shm.Replied && head.State == wire.ReplyStateReturned {
		// As most calls go.
		c.returned(head)
		return
	}
	c.goOn(head, outcome, rule)
}

// expectAnother says that another call like this one may follow: it asks for the lines that it will be written into.
func (c *Call) expectAnother() {
	c.seat.lane.ExpectData(c.used)
	c.seat.arena.ExpectData()
}

// await waits for the reply to a call in flight, for so long, and judges it.
func (c *Call) await(left time.Duration) {
	c.wait = shm.Patience{Spin: c.wait.Spin, Left: left}
	if c.ctx.Done() != nil {
		c.wait.Context = c.ctx
	}
	head, outcome, rule := c.seat.lane.Await(c.id, &c.wait)
	if outcome == shm.Replied && head.State == wire.ReplyStateReturned {
		c.seat.lane.Awake()
		c.returned(head)
		return
	}
	c.goOn(head, outcome, rule)
}

// flies tells whether it is in flight with others: then no window is announced.
func (c *Call) flies() bool { return c.collects != nil && c.batch == nil }

// takeOver says that what the call takes over counts as released from now on.
func (c *Call) takeOver() {
	for _, passed := range c.passed {
		passed.take()
		if passed.handle.anew != nil && c.flies() {
			passed.handle.anew.configuredElsewhere(c.session, c.fn)
		}
	}
	for _, keeper := range c.keepers {
		keeper.keepsCallback(c.fn)
	}
}

// head is what the call says besides its arguments.
func (c *Call) head(left time.Duration) shm.CallHead {
	return shm.CallHead{Function: uint16(c.function), CallID: c.id, Time: uint64(left)}
}

// publish sends the call.
func (c *Call) publish() {
	if len(c.passed)+len(c.keepers) > 0 {
		c.takeOver()
	}
	if c.ctx.Done() != nil {
		c.wait.Context = c.ctx
	}
	if !c.wait.Deadline.IsZero() {
		// Some of it has passed where arguments needed memory.
		c.wait.Left = max(time.Until(c.wait.Deadline), 1)
	}
	c.sent = true
	c.seat.lane.Publish(c.head(c.wait.Left), c.block[:c.used])
}

// isCancelled tells whether the context was cancelled. That its deadline has passed is seen by the clock.
func (c *Call) isCancelled() bool { return errors.Is(c.ctx.Err(), context.Canceled) }

// goOn does what the worker asks for, until its final reply.
func (c *Call) goOn(head shm.ReplyHead, outcome shm.Outcome, rule string) {
	defer c.rethrow()
	c.wait.Reckon()
	for {
		switch outcome {
		case shm.Ended:
			c.done = true
			c.ended(hotcell.ExecutedMaybe)
		case shm.Broken:
			c.violation(rule)
		case shm.TimedOut, shm.Stopped:
			c.giveUp(outcome)
		}
		if outcome != shm.Replied {
			return
		}
		switch head.State {
		case wire.ReplyStateNeedSpace:
			c.grant(head.Value)
		case wire.ReplyStateCallback:
			c.callBack(head)
		default:
			c.conclude(head)
			return
		}
		if c.err != nil {
			return
		}
		// Before the next message, which may be there: what a callback has done meanwhile took the call's time.
		var over bool
		if outcome, over = c.wait.Over(); !over {
			head, outcome, rule = c.seat.lane.Await(c.id, &c.wait)
		}
	}
}

// hung ends the worker, whose call has had so much time, and waits for the end.
func (c *Call) hung(after time.Duration, how string) {
	c.kill("deadline", "")
	output := ""
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-c.seat.worker.Ended():
		end := c.seat.worker.End()
		if end.Why == "" {
			// It has ended by itself before it could be ended for that.
			c.ended(hotcell.ExecutedMaybe)
			return
		}
		output = end.Fault.Output
	case <-timer.C:
	}
	had := after.Round(time.Millisecond).String()
	failed := c.wrong(hotcell.ErrHung, hotcell.ExecutedMaybe, &hotcell.DeadlineError{After: after}, "it was not done after "+had+how)
	failed.Output, failed.Stack = output, c.session.framesOf(c.seat.worker.Worker)
	c.setErr(failed)
}

// conclude judges a final reply that is no plain return.
func (c *Call) conclude(head shm.ReplyHead) {
	switch head.State {
	case wire.ReplyStateReturned:
		c.returned(head)
	case wire.ReplyStateLibraryError:
		c.giveBack(consumedOnSuccess)
		if c.returned(head); c.err == nil {
			c.reply.failure = c.libraryError(head.Errno)
		}
	case wire.ReplyStateRefused:
		c.done = true
		c.giveBack(consumed, consumedOnSuccess)
		c.refusedBy(head)
	default:
		c.violation("a reply uses a capability that was not agreed on")
	}
}

// returned copies the fixed results into private memory.
func (c *Call) returned(head shm.ReplyHead) {
	size := int(c.fn.Results)
	if int(head.ResultLength) < size {
		c.violation("a result block is shorter than the function's")
		return
	}
	c.done = true
	c.reply.readable = true
	if size <= shm.SmallResult {
		c.seat.lane.CopySmallResult((*[shm.SmallResult]byte)(c.small[:]))
		c.reply.block = c.small[:size]
		return
	}
	c.reply.block = c.roomFor(size)
	c.seat.lane.CopyResult(c.reply.block)
}

// roomFor is private memory for so many bytes of fixed results.
func (c *Call) roomFor(size int) []byte {
	if size <= len(c.small) {
		return c.small[:size]
	}
	if cap(c.large) < size {
		c.large = make([]byte, wire.MaxResult)
	}
	return c.large[:size]
}

// grant answers a call that asks for space. Beyond the limit, or where there is no memory, the answer is no, and the shim ends
// the call.
func (c *Call) grant(needed uint64) {
	if !c.asksForSpace() {
		return
	}
	lane := c.seat.lane
	limit := c.session.options.MaxOutput
	c.noSpace = nil
	if needed > limit-min(c.granted, limit) {
		lane.Resume(wire.ResumeNotGranted, shm.Null, 0, 0)
		return
	}
	c.granted += needed
	ctx, cancel := context.WithDeadline(c.ctx, c.wait.Deadline)
	defer cancel()
	window, err := c.seat.grant(ctx, int(needed), int(limit), c.depth > 0 || c.flies())
	if err != nil {
		c.noSpace = err
		lane.Resume(wire.ResumeNotGranted, shm.Null, 0, 0)
		return
	}
	if window.Announce {
		lane.Announce(window.Place, window.Length)
	}
	lane.Resume(wire.ResumeGranted, window.Place, window.Length, 0)
}

// asksForSpace counts that. False where it has asked too often, and its worker is being ended.
func (c *Call) asksForSpace() bool {
	if c.grants++; c.grants > c.mostGrants() {
		c.violation("a call asks for space without end")
	}
	return c.err == nil
}

func (c *Call) mostGrants() int {
	if c.reply.entries > 0 {
		return mostGrants + 2*c.reply.entries
	}
	return mostGrants
}
