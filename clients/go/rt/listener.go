package rt

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"hotcell"
	"hotcell/internal/shm"
	"hotcell/internal/wire"
)

// listener runs what threads of the library call back, on a goroutine of its own that holds no thread while it waits. It has the
// standing call on the last lane of a worker, for as long as that lives.
type listener struct {
	session *Session
	// call is the standing call. Its seat is in no line: nobody else calls there.
	call *Call
	// fn is what the callback was passed to that came last.
	fn   Function
	pace pace
	// dense tells whether the last message came while it was polled for.
	dense bool
	// end ends the context that callbacks are given.
	end context.CancelFunc
}

// listen sees to it that somebody listens to threads of the library, before it is passed what they may call.
func (c *Call) listen() {
	if c.err != nil {
		return
	}
	worker := c.seat.worker
	if worker.Capabilities&wire.CapabilitiesDispatcher == 0 {
		c.fail(hotcell.ErrAbiMismatch, hotcell.ExecutedNo, nil, "the worker cannot have callbacks on threads of the library")
		return
	}
	worker.listening.Do(func() { c.session.listen(worker, c.fn.Name) })
}

// listen publishes the standing call and starts who attends it.
func (s *Session) listen(worker *worker, function string) {
	index := worker.Channel.Callers()
	seat := newSeat(s, index)
	seat.worker, seat.lane = worker, worker.Channel.Lane(index)
	ctx, end := context.WithCancel(context.WithValue(context.Background(), onThread{s}, true))
	listener := &listener{session: s, call: seat.calls[0], end: end, pace: newPace(s.options.MaxCallbackRate)}
	listener.fn.Name = function
	call := listener.call
	call.begin(ctx, wire.ListenFunction, &listener.fn, s.options.Deadline)
	seat.lane.Open()
	seat.lane.Publish(shm.CallHead{Function: wire.ListenFunction, CallID: call.id}, nil)
	worker.Channel.Hold()
	go func() {
		// Who runs a callback may wait for it without end.
		<-worker.Ended()
		end()
	}()
	go listener.run()
}

// run runs callbacks until the worker has ended. One that ends its goroutine, as testing.T.FailNow does, does not end that.
func (l *listener) run() {
	over := false
	defer func() {
		if !over {
			go l.run()
			return
		}
		l.end()
		l.call.seat.arena.Close()
		l.call.seat.worker.Channel.Drop()
	}()
	for !over {
		over = !l.next()
	}
}

// next waits for a message and answers it. False where there will be no more.
func (l *listener) next() bool {
	c := l.call
	c.err, c.raised = nil, nothingRaised
	c.wait = shm.Patience{Endless: true}
	if l.dense {
		c.wait.Spin = c.seat.worker.spin
	}
	begun := time.Now()
	head, outcome, rule := c.seat.lane.Await(c.id, &c.wait)
	l.dense = time.Since(begun) < c.seat.worker.spin
	switch outcome {
	case shm.Replied:
	case shm.Broken:
		c.violation(rule)
		l.noteFault()
		return false
	default:
		return false
	}
	l.pace.keep()
	switch head.State {
	case wire.ReplyStateNeedSpace:
		l.grant(head.Value)
	case wire.ReplyStateCallback:
		l.callBack(head)
	case wire.ReplyStateRefused:
		l.refused(head)
	default:
		c.violation("the standing call was answered with a result")
	}
	if c.lost.Load() {
		l.noteFault()
		return false
	}
	return true
}

// grant answers one that asks for space: the limits of a call hold for each callback.
func (l *listener) grant(needed uint64) {
	c := l.call
	if c.grants == mostGrants {
		c.seat.lane.Resume(wire.ResumeNotGranted, shm.Null, 0, 0)
		return
	}
	c.wait.Deadline = time.Now().Add(l.session.options.Deadline)
	c.grant(needed)
}

// callBack runs a callback and answers.
func (l *listener) callBack(head shm.ReplyHead) {
	c := l.call
	c.seat.lane.ExpectAnswer()
	number := uint64(uint32(head.Errno))
	kept, found := l.session.kept.begin(number, c.generation(), c.seat, func(ran <-chan struct{}) bool {
		select {
		case <-ran:
			return true
		case <-c.ctx.Done():
			return false
		}
	})
	switch {
	case found == keptGone && number < wire.KeptCallbacks, found == keptReady && !kept.byThreads:
		if found == keptReady {
			l.session.kept.end(kept)
		}
		c.violation("a thread of the library called a callback that is not for threads")
	case found != keptReady:
		// It has gone, and the library may well call it: it gets the contract's default.
		l.answer(0, false)
	default:
		defer l.session.kept.end(kept)
		l.invoke(head, kept)
	}
}

// invoke runs a callback, and answers, also where it ends its goroutine.
func (l *listener) invoke(head shm.ReplyHead, kept *keptCallback) {
	c := l.call
	l.fn.Name = kept.function
	in := c.argumentsOf(head, kept.size)
	if in == nil {
		return
	}
	l.session.threaded.Add(1)
	value, ok, done := uint64(0), false, false
	defer func() {
		l.session.threaded.Add(-1)
		if !done {
			text := "the callback ended its goroutine"
			if panicked := recover(); panicked != nil {
				text = fmt.Sprint("the callback panicked: ", panicked)
			}
			l.note(text, nil)
		}
		if in.call.lost.Load() && c.err == nil {
			c.lost.Store(true)
			c.setErr(in.call.err)
			return
		}
		l.free()
		if c.respond(in, value, ok); c.raised.err != nil {
			l.note(c.raised.err.Error(), c.raised.err)
		}
	}()
	value, err := kept.run(c.ctx, in)
	if ok = err == nil; !ok && !in.call.lost.Load() {
		l.note(failedWith(err), err)
	}
	done = true
}

// failedWith is what a callback says that has failed.
func failedWith(err error) string {
	var known *hotcell.Error
	if errors.As(err, &known) && known.Kind != hotcell.ErrCallbackFailed {
		return known.Kind.String() + ": " + known.Message
	}
	return err.Error()
}

// refused hears of a callback of which the library's thread could not pass the arguments.
func (l *listener) refused(head shm.ReplyHead) {
	c := l.call
	name := make([]byte, head.ResultLength)
	c.seat.lane.CopyResult(name)
	why := ""
	switch wire.Refusal(min(head.Value, 1<<16)) {
	case wire.RefusalNoSpace:
		why = fmt.Sprintf("the data need more than the %d bytes they may have", l.session.options.MaxOutput)
		if c.noSpace != nil {
			why = c.noSpace.Error()
		}
	case wire.RefusalSizeOverflow:
		why = fmt.Sprintf("`%s` needs a size that there is not", strings.ToValidUTF8(string(name), "\uFFFD"))
	default:
		c.violation("a refusal that a callback cannot have caused")
		return
	}
	l.note("a callback of a thread of the library could not be run: "+why, nil)
	l.answer(0, false)
}

func (l *listener) answer(value uint64, ok bool) {
	l.free()
	l.call.answer(value, ok)
}

// free has the memory of a callback be that of the next one.
func (l *listener) free() {
	l.call.granted, l.call.grants, l.call.noSpace = 0, 0, nil
	l.call.seat.arena.Reset()
}

// note notes that a callback has failed.
func (l *listener) note(text string, cause error) {
	failed := l.call.wrong(hotcell.ErrCallbackFailed, hotcell.ExecutedNo, cause, text)
	l.session.failures.note(failed)
}

// noteFault notes for what a worker is being ended.
func (l *listener) noteFault() {
	var fault *hotcell.Error
	if errors.As(l.call.err, &fault) {
		// The next call is to fail with it, and not to be made again.
		fault.Executed, fault.Once = hotcell.ExecutedNo, true
		l.session.failures.note(fault)
	}
}
