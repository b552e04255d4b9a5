package rt

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hotcell"
	"hotcell/internal/serve"
)

// refused is the error of something that was never sent.
func (s *Session) refused(kind hotcell.Kind, function, message string, cause error) *hotcell.Error {
	return &hotcell.Error{
		Kind: kind, Library: s.pack.Library, Function: function, Time: time.Now(), Executed: hotcell.ExecutedNo, Tries: 1,
		Message: message, Cause: cause,
	}
}

// failed is the error of what the supervisor has not done. Nothing was sent to a worker.
func (s *Session) failed(err error, function string) *hotcell.Error {
	var known *hotcell.Error
	switch {
	case errors.As(err, &known):
		failed := *known
		failed.Library, failed.Time, failed.Executed, failed.Tries = s.pack.Library, time.Now(), hotcell.ExecutedNo, 1
		if failed.Function == "" {
			failed.Function = function
		}
		return &failed
	case errors.Is(err, context.Canceled):
		return s.refused(hotcell.ErrCancelled, function, "the call was cancelled before it was sent", err)
	case errors.Is(err, context.DeadlineExceeded):
		return s.late(function, err)
	case errors.Is(err, errClosed):
		return s.refused(hotcell.ErrUnavailable, function, err.Error(), nil)
	case errors.Is(err, serve.ErrGone):
		return s.refused(hotcell.ErrSupervisorGone, function, err.Error(), nil)
	}
	return s.refused(hotcell.ErrLoadFailed, function, err.Error(), err)
}

// late is the error of a call whose time was over before it was sent.
func (s *Session) late(function string, cause error) *hotcell.Error {
	if cause == nil {
		cause = &hotcell.UnavailableError{Reason: hotcell.UnavailablePoolExhausted}
	}
	text := "the deadline passed before the call was sent"
	if s.calling.Load() > 0 {
		// Nobody knows on whose goroutine it was made.
		text += ": a callback is running, and a call that it makes takes the context that it was given"
	}
	return s.refused(hotcell.ErrUnavailable, function, text, cause)
}

// fail notes the first thing that goes wrong with a call.
func (c *Call) fail(kind hotcell.Kind, executed hotcell.Executed, cause error, format string, arguments ...any) {
	if c.err == nil {
		c.setErr(c.wrong(kind, executed, cause, fmt.Sprintf(format, arguments...)))
	}
}

// isFault tells whether an error means that the worker broke.
func isFault(err error) bool {
	var failed *hotcell.Error
	return errors.As(err, &failed) && failed.IsFault()
}

func (c *Call) setErr(err error) {
	c.err = err
	c.reply.block = zeros[:]
}

// zeros is what a call that has failed gives.
var zeros [2048]byte

func (c *Call) wrong(kind hotcell.Kind, executed hotcell.Executed, cause error, message string) *hotcell.Error {
	return &hotcell.Error{
		Kind: kind, Library: c.session.pack.Library, Function: c.fn.Name, CallID: c.id, Generation: c.generation(),
		Time: time.Now(), Executed: executed, Tries: 1, Message: message, Cause: cause, Once: c.calledBack || c.depth > 0,
	}
}

// invalid notes that an argument cannot be passed.
func (c *Call) invalid(name, format string, arguments ...any) {
	c.fail(hotcell.ErrInvalidArgument, hotcell.ExecutedNo, &hotcell.ArgumentError{Name: name}, "`"+name+"` "+format, arguments...)
}

// patience is how long a caller waits for the reason of a worker's end.
const patience = 5 * time.Second

// ended notes that the worker has ended: with the reason, as soon as it is told.
func (c *Call) ended(executed hotcell.Executed) {
	if c.err != nil {
		return
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-c.seat.worker.Ended():
	case <-timer.C:
		c.fail(hotcell.ErrWorkerLost, executed, nil, "the worker has ended, and nobody said why")
		return
	}
	end := c.seat.worker.End()
	fault := *end.Fault
	fault.Library, fault.Function, fault.CallID = c.session.pack.Library, c.fn.Name, c.id
	fault.Generation, fault.Time, fault.Executed, fault.Tries = c.generation(), time.Now(), executed, 1
	fault.Once = c.calledBack || c.depth > 0
	if fault.Kind == hotcell.ErrSupervisorGone && c.session.isClosed() {
		fault.Message = "the session was closed while the call was under way"
	}
	if end.Lane >= 0 && (end.Lane != c.seat.index || !c.isOrIsIn(end.CallID)) {
		fault.Kind, fault.Cause = hotcell.ErrWorkerLost, &hotcell.SuspectError{Function: end.Function, CallID: end.CallID}
		fault.Message = fmt.Sprintf("call %d of %s ended the worker", end.CallID, end.Function)
	} else {
		fault.Stack = c.session.framesOf(c.seat.worker.Worker)
	}
	if end.Lane >= 0 || c.isAlone() && isSignalOfCode(&fault) {
		c.suspect(fault.Kind)
	}
	c.setErr(&fault)
}

// framesOf asks for the frames of the stack on which a worker ended.
func (s *Session) framesOf(worker *serve.Worker) func(context.Context) ([]hotcell.Frame, error) {
	return func(ctx context.Context) ([]hotcell.Frame, error) {
		frames, err := worker.Frames(ctx)
		if err != nil {
			return nil, s.failed(err, "")
		}
		return frames, nil
	}
}

// isAlone tells whether no call of another lane can be under way.
func (c *Call) isAlone() bool { return c.seat.worker.Channel.Callers() == 1 }

// isSignalOfCode tells whether a signal ended the worker that the code has caused: it counts where no word is left of whose.
func isSignalOfCode(fault *hotcell.Error) bool {
	crash, ok := fault.Cause.(*hotcell.CrashError)
	return ok && !crash.External
}

// isOrIsIn tells whether a call of this lane is this one, one around it, or was nested in one of these; 0 is any. Numbers of a
// seat's calls grow; between that of a call in flight and those nested in it are the others in flight.
func (c *Call) isOrIsIn(id uint64) bool {
	outermost := c.seat.calls[0]
	return id == 0 || id == outermost.id || outermost.nestedFrom <= id && id < c.seat.nextID
}

// violation ends the worker, which broke a rule.
func (c *Call) violation(rule string) {
	c.kill("violation", rule)
	if c.err == nil {
		c.suspect(hotcell.ErrProtocolViolation)
	}
	c.fail(hotcell.ErrProtocolViolation, hotcell.ExecutedMaybe, nil, "%s", rule)
}

// lie ends the worker, whose library says what cannot be.
func (c *Call) lie(text string) {
	c.kill("invalid-reply", "")
	if c.err == nil {
		c.suspect(hotcell.ErrInvalidReply)
	}
	c.fail(hotcell.ErrInvalidReply, hotcell.ExecutedYes, nil, "%s", text)
}

// kill has the worker ended, if it has not yet. The lane is not used any more.
func (c *Call) kill(why, rule string) {
	if c.seat == nil || c.seat.worker == nil || c.lost.Load() {
		return
	}
	c.lost.Store(true)
	_ = c.seat.worker.Kill(c.seat.index, c.fn.Name, c.id, why, rule)
}
