package rt

import (
	"context"
	"slices"
	"time"

	"hotcell"
	"hotcell/internal/serve"
	"hotcell/internal/shm"
	"hotcell/internal/wire"
)

// tells is how often the library is told again to stop a call where there was nothing to stop, and tellPause how long is waited
// before that: the call may not have come to the library yet, or be back from it.
const (
	tells     = 5
	tellPause = time.Millisecond
)

// stopping is a call that the library was told to stop.
type stopping struct {
	// until is when it is to have stopped.
	until time.Time
	// replied is closed when the call has its reply, or no time any more: then nothing is told any more.
	replied chan struct{}
	// isReplied tells whether it is; then told is the outcome.
	isReplied bool
	told      serve.Cancelled
	// outcome comes when it is known, or nobody waits for it any more.
	outcome chan serve.Cancelled
	// over is done when nothing will stop the call.
	over context.Context
}

// giveUp ends a call whose time is over, or that nobody wants any more. The library is told to stop it, if it can be; where it does
// not obey, the worker is ended.
func (c *Call) giveUp(outcome shm.Outcome) {
	had := c.wait.Left
	how := ""
	if c.mayBeStopped() {
		head, told, obeyed := c.stop()
		switch {
		case c.err != nil || c.lost.Load():
			return // The worker has lied, or has ended otherwise.
		case obeyed:
			c.stopped(head, outcome, told, had)
			return
		}
		how = didNotStop[told]
	}
	if outcome == shm.TimedOut {
		c.hung(had, how)
		return
	}
	c.kill("given-up", "")
	c.fail(hotcell.ErrCancelled, hotcell.ExecutedMaybe, context.Cause(c.ctx), "the call was cancelled%s", how)
}

// didNotStop is what became of the function that was to stop a call, which has not stopped.
var didNotStop = map[serve.Cancelled]string{
	serve.CancelUnknown:  "; what was to stop it has not returned",
	serve.CancelCalled:   "; the library was told to stop it, and went on",
	serve.CancelNoThread: "; there was no thread to stop it on",
}

// mayBeStopped tells whether the library can stop calls, and has time for it. A batch is many.
func (c *Call) mayBeStopped() bool {
	return c.seat.worker.grace > 0 && c.seat.worker.Capabilities&wire.CapabilitiesCancel != 0 && c.reply.entries == 0
}

// stop has the library stop the call, and waits for its reply, and for the end of the function that stops it. What the call asks
// for meanwhile it does not get. It has obeyed where there is a reply, and nothing of this lane is being stopped any more.
func (c *Call) stop() (head shm.ReplyHead, told serve.Cancelled, obeyed bool) {
	stopping, end := c.beginToStop()
	defer end()
	for last := false; ; {
		c.wait = shm.Patience{Left: c.seat.worker.grace, Deadline: stopping.until, Context: stopping.over}
		head, outcome, rule := c.seat.lane.Await(c.id, &c.wait)
		switch outcome {
		case shm.Broken:
			c.violation(rule)
			return head, told, false
		case shm.Ended:
			c.done = true
			c.endedInStop()
			return head, told, false
		case shm.Replied:
			if !c.deny(head) {
				// The call ends when that function has returned, and meets no other one of this lane.
				told = stopping.replies()
				return head, told, told != serve.CancelUnknown
			}
			if c.err != nil {
				return head, told, false
			}
		}
		// A library that goes on asking has no more time than one that is silent.
		if outcome == shm.Replied && time.Now().Before(stopping.until) && !last {
			continue
		}
		// A reply may have come just before it was clear that nothing stops the call: the next wait is but a look.
		if told = stopping.replies(); last {
			return head, told, false
		}
		last = true
	}
}

// deny answers with no what a call asks for that is being stopped; what it may ask for is bounded as ever. False of its reply.
func (c *Call) deny(head shm.ReplyHead) (asks bool) {
	switch head.State {
	case wire.ReplyStateNeedSpace:
		if c.asksForSpace() {
			c.noSpace = nil
			c.seat.lane.Resume(wire.ResumeNotGranted, shm.Null, 0, 0)
		}
	case wire.ReplyStateCallback:
		if c.callsBack() {
			c.answer(0, false)
		}
	default:
		return false
	}
	return true
}

// beginToStop has the library told, on another goroutine, for the reply may be there first.
func (c *Call) beginToStop() (*stopping, func()) {
	worker, lane, id := c.seat.worker, c.seat.index, c.id
	until := time.Now().Add(worker.grace)
	asking, cancel := context.WithDeadline(context.Background(), until)
	over, end := context.WithCancel(context.Background())
	stopping := &stopping{until: until, replied: make(chan struct{}), outcome: make(chan serve.Cancelled, 1), over: over}
	go func() {
		outcome := serve.CancelUnknown
		for range 1 + tells {
			outcome = worker.Cancel(asking, lane, id)
			if outcome != serve.CancelNotUnderWay || !stopping.goesOn() {
				break
			}
		}
		if outcome != serve.CancelCalled && outcome != serve.CancelUnknown {
			end()
		}
		stopping.outcome <- outcome
	}()
	return stopping, func() { cancel(); end() }
}

// replies says that the call has its reply, or no time any more, and waits for what became of the function that was to stop it.
func (s *stopping) replies() serve.Cancelled {
	if !s.isReplied {
		s.isReplied = true
		close(s.replied)
		s.told = <-s.outcome
	}
	return s.told
}

// goesOn waits until it is to be told again. False where the call has its reply.
func (s *stopping) goesOn() bool {
	timer := time.NewTimer(tellPause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.replied:
		return false
	}
}

// stopped judges the reply of a call that was stopped: what the library gave back is dropped, for it came too late.
func (c *Call) stopped(head shm.ReplyHead, outcome shm.Outcome, told serve.Cancelled, had time.Duration) {
	c.conclude(head)
	if c.lost.Load() {
		return
	}
	executed, how := hotcell.ExecutedYes, "; the library stopped it"
	if head.State == wire.ReplyStateRefused {
		executed = hotcell.ExecutedMaybe
	}
	if told != serve.CancelCalled {
		how = "; it ended by itself then"
	}
	c.reply.failure = nil
	if outcome == shm.TimedOut {
		cause := &hotcell.DeadlineError{After: had}
		c.setErr(c.wrong(hotcell.ErrDeadlineExceeded, executed, cause, "no reply within "+had.String()+how))
		return
	}
	c.setErr(c.wrong(hotcell.ErrCancelled, executed, context.Cause(c.ctx), "the call was cancelled"+how))
}

// endedInStop is the end of a worker that was to stop the call. Where it ended in the function for that, the call has not ended by
// itself: its worker is gone as that of any call that does not stop.
func (c *Call) endedInStop() {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-c.seat.worker.Ended():
	case <-timer.C:
	}
	if !c.seat.worker.HasEnded() || !slices.Contains(c.seat.worker.End().Stopping, c.seat.index) {
		c.ended(hotcell.ExecutedMaybe)
		return
	}
	// No input is to blame for that.
	end := c.seat.worker.End()
	failed := c.wrong(hotcell.ErrHung, hotcell.ExecutedMaybe, nil, "what was to stop it ended the worker: "+end.Fault.Message)
	if c.isCancelled() {
		failed.Kind, failed.Cause = hotcell.ErrCancelled, context.Cause(c.ctx)
	}
	failed.Output = end.Fault.Output
	c.setErr(failed)
}
