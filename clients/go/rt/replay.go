package rt

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"hotcell"
)

// wanted is who wants an object made anew: a call of a function that has met this worker, by when, and whether the application asks for it,
// no call that is passed the object.
type wanted struct {
	fn         *Function
	generation uint64
	until      time.Time
	asked      bool
}

// try is one that makes an object anew.
type try struct {
	made *record
	// target is the new object, release how it is released. Where standing is set it stands already, and lacks settings.
	target   object
	release  *Release
	standing bool
	// applied is the number of the last setting that was made again.
	applied uint64
}

// cost is what a try has cost that has failed.
type cost int

const (
	// costNothing: the worker is there.
	costNothing cost = iota
	// costTime: the worker, which was ended because the library had not come back in time.
	costTime
	// costOther: the worker, and not by what the library did in this try.
	costOther
	// costWorker: the worker.
	costWorker
)

// makeAnew makes an object anew in the worker that serves by then, unless another goroutine has. The caller looks again.
func (s *Session) makeAnew(ctx context.Context, h *Handle, wanted wanted) error {
	a := h.anew
	mine, other, failed := a.begin(h, wanted)
	switch {
	case failed != nil:
		return failed
	case other != nil:
		return s.waitForOther(ctx, h, other, wanted)
	case mine == nil:
		return nil
	}
	begun := time.Now()
	cost, err := s.tryIt(ctx, h, mine, wanted.until)
	if err == nil {
		return nil
	}
	switch why := err.Error(); cost {
	case costNothing:
		a.mutex.Lock()
		a.tried--
		a.mutex.Unlock()
	case costTime:
		a.mutex.Lock()
		a.givenUp = time.Since(begun)
		a.mutex.Unlock()
	case costWorker:
		// No second worker for it.
		a.lose(why)
	}
	var known *hotcell.Error
	switch {
	case !errors.As(err, &known):
	case known.Kind == hotcell.ErrCancelled:
		return s.failed(context.Canceled, wanted.fn.Name)
	case known.Kind == hotcell.ErrUnavailable, known.Kind == hotcell.ErrLoadFailed, known.Kind == hotcell.ErrSupervisorGone:
		own := *known
		own.Function, own.Executed = wanted.fn.Name, hotcell.ExecutedNo
		return &own
	}
	return h.stale(wanted.fn, wanted.generation, "; it was not made anew: "+err.Error())
}

// begin begins to make it anew for a worker. Where another goroutine is at it, that is told by other, which is closed behind it. Nothing
// comes back where nothing is to be done.
func (a *anew) begin(h *Handle, wanted wanted) (mine *try, other <-chan struct{}, failed error) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	lost := func(why string) (*try, <-chan struct{}, error) {
		return nil, nil, h.stale(wanted.fn, wanted.generation, "; it was not made anew: "+why)
	}
	switch {
	case a.trying != nil:
		return nil, a.trying, nil
	case a.serves(wanted.generation):
		return nil, nil, nil
	case a.lost != "":
		return lost(a.lost)
	case h.gone.Load():
		return lost("it was released")
	case a.tried >= a.restore.Times:
		a.loseBy(fmt.Sprintf("that was tried %d times", a.tried))
		return lost(a.lost)
	case a.givenUp > 0 && !wanted.asked && time.Until(wanted.until) < 2*a.givenUp:
		took := a.givenUp.Round(time.Millisecond)
		return lost(fmt.Sprintf("that was given up after %v, which cost a worker; a call with twice that time tries it again, and Restore does", took))
	}
	a.tried++
	a.trying = make(chan struct{})
	mine = &try{made: a.made}
	if a.stands.generation == wanted.generation {
		mine.target, mine.release, mine.standing, mine.applied = a.stands, a.release, true, a.late-1
	}
	return mine, nil, nil
}

// end says that nobody makes it anew any more.
func (a *anew) end() {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	close(a.trying)
	a.trying = nil
	for _, record := range a.spent {
		record.overwrite()
	}
	a.spent = nil
}

// waitForOther waits for another goroutine that makes an object anew. In a callback it does not: what calls back may be what the other
// waits for.
func (s *Session) waitForOther(ctx context.Context, h *Handle, other <-chan struct{}, wanted wanted) error {
	if !s.isInCallback(ctx) {
		timer := time.NewTimer(time.Until(wanted.until))
		defer timer.Stop()
		select {
		case <-other:
			return nil
		case <-s.closed:
			return s.failed(errClosed, wanted.fn.Name)
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.Canceled) {
				return s.failed(ctx.Err(), wanted.fn.Name)
			}
		case <-timer.C:
		}
	}
	text := fmt.Sprintf("another goroutine is making the `%s` anew, and has not ended", h.TypeName())
	return s.refused(hotcell.ErrUnavailable, wanted.fn.Name, text, &hotcell.UnavailableError{Reason: hotcell.UnavailablePoolExhausted})
}

// isInCallback tells whether a context is that of a callback of this session that is being run.
func (s *Session) isInCallback(ctx context.Context) bool {
	if frame, found := ctx.Value(inside{s}).(*frame); found && frame.state.Load() != over {
		return true
	}
	return ctx.Value(onThread{s}) != nil
}

// tryIt makes the calls again, in one worker: where another has taken over meanwhile, nothing has come of it, and the caller looks again.
func (s *Session) tryIt(ctx context.Context, h *Handle, mine *try, until time.Time) (cost, error) {
	a := h.anew
	defer a.end()
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	if !mine.standing {
		if cost, err := s.makeAgain(ctx, h, mine); err != nil {
			return cost, err
		}
		// Before anybody is lent it.
		s.objects.addAs(mine.target, h)
		defer func() {
			if !mine.standing {
				s.objects.leave(note{mine.target, mine.release, mine.target})
				s.sweepSoon()
			}
		}()
	}
	target := &Handle{session: s, object: mine.target, owned: true, gone: new(atomic.Bool)}
	for {
		for _, setting := range a.pending(mine.applied) {
			cost, other, err := s.setAgain(ctx, setting.record, target)
			if err != nil || other {
				return cost, err
			}
			mine.applied = setting.number
		}
		if a.stand(s, h, mine) {
			return costNothing, nil
		}
	}
}

// pending is the settings that are to be made again, in order.
func (a *anew) pending(applied uint64) []setting {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	return slices.DeleteFunc(slices.Clone(a.settings), func(it setting) bool { return it.number <= applied })
}

// stand says that the new object stands for the application's from now on. False where there are new settings, which it lacks. One that
// is to be released, for another stands or a call has taken that over meanwhile, does not stand behind it.
func (a *anew) stand(s *Session, h *Handle, mine *try) bool {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if slices.ContainsFunc(a.settings, func(it setting) bool { return it.number > mine.applied }) {
		return false
	}
	if mine.standing && a.stands == mine.target {
		a.late, a.givenUp = 0, 0
		return true
	}
	if h.gone.Load() || a.lost != "" || a.stands.generation >= mine.target.generation {
		return true
	}
	if a.stands.generation != 0 {
		s.objects.forget(a.stands)
	}
	a.stands, a.release, a.taken, a.late, a.givenUp = mine.target, mine.release, false, 0, 0
	mine.standing = true
	a.restored.Add(1)
	return true
}

// makeAgain makes the call again that made an object.
func (s *Session) makeAgain(ctx context.Context, h *Handle, mine *try) (cost, error) {
	repeated := mine.made.repeated
	fn := &s.pack.Functions[repeated.Function]
	call := s.withAnew(s.start(ctx, int(repeated.Function), fn), ctx, []*Handle{mine.made.parent})
	defer call.End()
	mine.made.put(call)
	reply := call.Finish()
	offset := int(repeated.Object)
	raw := reply.Uint64(offset)
	if reply.Err() == nil && raw == 0 {
		return costNothing, s.refused(hotcell.ErrStaleHandle, fn.Name, "the library returned NULL", nil)
	}
	if reply.Err() == nil {
		var known *Handle
		if mine.target, mine.release, known = reply.judge(offset, raw, h.kind(), true); known != nil {
			call.violation("an object that is there came out as a new one")
		}
	}
	return call.cost(), reply.Err()
}

// setAgain makes a call again that configured an object, of the new one. Where another worker has taken over it is not made.
func (s *Session) setAgain(ctx context.Context, made *record, target *Handle) (cost cost, other bool, err error) {
	fn := &s.pack.Functions[made.repeated.Function]
	call := s.start(ctx, int(made.repeated.Function), fn)
	defer call.End()
	if call.err == nil && call.generation() != target.generation {
		return costNothing, true, nil
	}
	made.put(call)
	call.PutHandle(int(made.repeated.Object), fn.Name, target, target.kind())
	err = call.Finish().Err()
	return call.cost(), false, err
}

// cost is what the call has cost that has failed: not by its kind alone, for many limits end the worker, and some only the call.
func (c *Call) cost() cost {
	err := c.err
	if err == nil {
		err = c.reply.failure
	}
	var failed *hotcell.Error
	if !errors.As(err, &failed) {
		return costNothing
	}
	ended := failed.IsFault() || c.sent && (c.lost.Load() || c.seat == nil || c.seat.lane == nil || c.seat.lane.Channel().IsDead())
	crash, _ := failed.Cause.(*hotcell.CrashError)
	switch {
	case !ended || failed.Kind == hotcell.ErrLibraryError:
		// Where the library has come back with an error, another call has ended the worker.
		return costNothing
	case failed.Kind == hotcell.ErrHung || failed.Kind == hotcell.ErrCancelled:
		return costTime
	case failed.Kind == hotcell.ErrWorkerLost || failed.Executed == hotcell.ExecutedNo || crash != nil && crash.External:
		return costOther
	}
	return costWorker
}
