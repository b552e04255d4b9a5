package rt

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"hotcell"
	"hotcell/internal/wire"
)

// fakeThatStops is a fake whose calls can be stopped, and come to such an end.
func fakeThatStops(t *testing.T, grace time.Duration, serve func(*fakeWorker, *fakeCall), stops func(w *fakeWorker, call uint64) string) hotcell.Options {
	t.Helper()
	server, options := fake(t, 1, serve)
	server.stops.Store(&stops)
	options.CancelGrace = grace
	return options
}

// givenUp makes a call that is given up in its first callback, if it has one, or else when it has begun.
func givenUp(t *testing.T, options hotcell.Options) (*Session, error) {
	t.Helper()
	session := open(t, options, addFunction)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	call := session.Begin(ctx, 0)
	defer call.End()
	call.PutCallback(0, 0, func(ctx context.Context, _ *Invocation) (uint64, error) {
		<-ctx.Done()
		return 0, nil
	})
	return session, call.Finish().Err()
}

// densely has a worker ask again and again, each time as soon as it has its answer, and say that it sleeps all the while: so that
// there is a message whenever the host looks.
func densely(w *fakeWorker, c *fakeCall, ask func()) {
	park := word(w.reply, wire.Line+wire.ChannelWorkerPark)
	for !w.ended.Load() {
		atomic.StoreUint32(park, uint32(wire.ParkFutex))
		ask()
		c.resumedAtOnce()
	}
}

// resumedAtOnce is as resumed, and does not sleep.
func (c *fakeCall) resumedAtOnce() {
	commit := word(c.worker.request, slotOf(c.lane, c.slot))
	for c.resumes++; atomic.LoadUint32(commit) != c.resumes && !c.worker.ended.Load(); {
		runtime.Gosched()
	}
}

func called(*fakeWorker, uint64) string { return "called" }

func asksToBeCalled(c *fakeCall) func() {
	return func() { c.reply(wire.ReplyStateCallback, 0, nil, func(r *fakeReply) { r.errno, r.length = 1, 0 }) }
}

// A library that was told to stop and calls back on and on has no more time than a silent one.
func TestAStoppedCallThatGoesOnAskingIsEndedInItsGrace(t *testing.T) {
	for _, grace := range []time.Duration{1, 50 * time.Millisecond} {
		var asked atomic.Int64
		options := fakeThatStops(t, grace, func(w *fakeWorker, c *fakeCall) {
			densely(w, c, func() { asked.Add(1); asksToBeCalled(c)() })
		}, called)
		options.MaxCallbacks = 1 << 40
		if _, err := givenUp(t, options); !errors.Is(err, hotcell.ErrHung) {
			t.Fatal(err)
		}
		// One that is run, one that is answered, and what there is at a last look.
		if grace == 1 && asked.Load() > 4 {
			t.Errorf("it has asked %d times behind its time", asked.Load())
		}
	}
}

// What a call may ask for is counted while it is being stopped, too.
func TestAStoppedCallAsksForNoMoreThanAnyOther(t *testing.T) {
	var asked atomic.Int32
	callsBack := func(w *fakeWorker, c *fakeCall) {
		densely(w, c, func() { asked.Add(1); asksToBeCalled(c)() })
	}
	options := fakeThatStops(t, time.Minute, callsBack, called)
	options.MaxCallbacks = 100
	if _, err := givenUp(t, options); !errors.Is(err, hotcell.ErrLimitExceeded) || asked.Load() != 101 {
		t.Error(asked.Load(), err)
	}
	asked.Store(0)
	needs := func(w *fakeWorker, c *fakeCall) {
		asksToBeCalled(c)()
		c.resumed()
		densely(w, c, func() { asked.Add(1); c.reply(wire.ReplyStateNeedSpace, 4096, nil, nil) })
	}
	options = fakeThatStops(t, time.Minute, needs, called)
	_, err := givenUp(t, options)
	if !errors.Is(err, hotcell.ErrProtocolViolation) || !strings.Contains(err.Error(), "space without end") || asked.Load() != mostGrants+1 {
		t.Error(asked.Load(), err)
	}
}

// A call that ends in its grace was stopped, whoever stopped it: its worker goes on. Its reply may be there just before it is known
// that nothing will stop it.
func TestACallThatEndsInItsGraceKeepsItsWorker(t *testing.T) {
	for outcome, says := range map[string]string{
		"called": "the library stopped it", "no-thread": "it ended by itself", "impossible": "it ended by itself", "not-under-way": "it ended by itself",
	} {
		calls := make(chan *fakeCall, 1)
		options := fakeThatStops(t, time.Minute, func(w *fakeWorker, c *fakeCall) {
			if c.args[0] != 0 {
				sum(w, c)
				return
			}
			calls <- c
		}, func(*fakeWorker, uint64) string {
			select {
			case call := <-calls:
				call.reply(wire.ReplyStateReturned, 0, make([]byte, 8), nil)
			default: // It is asked again.
			}
			return outcome
		})
		session := open(t, options, addFunction)
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		_, err := add(ctx, session, 0, 0)
		if cancel(); !errors.Is(err, hotcell.ErrDeadlineExceeded) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", outcome, err)
		}
		if got, err := add(context.Background(), session, 1, 2); got != 3 || err != nil || session.Generation() != 1 {
			t.Errorf("%s: %d, %v, worker %d", outcome, got, err, session.Generation())
		}
	}
}

// One that does not end has lost its worker, and what is known of that is said.
func TestACallThatDoesNotEndInItsGraceLosesItsWorker(t *testing.T) {
	for outcome, says := range map[string]string{
		"called": "the library was told to stop it, and went on", "no-thread": "there was no thread to stop it on", "": "has not returned",
	} {
		options := fakeThatStops(t, 20*time.Millisecond, func(w *fakeWorker, c *fakeCall) {
			if w.generation > 1 {
				sum(w, c)
			}
		}, func(*fakeWorker, uint64) string { return outcome })
		session, err := givenUp(t, options)
		if !errors.Is(err, hotcell.ErrHung) || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", outcome, err)
		}
		if got, err := add(context.Background(), session, 1, 2); got != 3 || err != nil || session.Generation() != 2 {
			t.Errorf("%q: %d, %v, worker %d", outcome, got, err, session.Generation())
		}
	}
}

// Without time for it the library is told nothing.
func TestWithoutGraceNothingIsTold(t *testing.T) {
	var told atomic.Int32
	options := fakeThatStops(t, -1, func(*fakeWorker, *fakeCall) {}, func(*fakeWorker, uint64) string {
		told.Add(1)
		return "called"
	})
	if _, err := givenUp(t, options); !errors.Is(err, hotcell.ErrHung) || strings.Contains(err.Error(), "stop") || told.Load() != 0 {
		t.Error(told.Load(), err)
	}
}

// A crash in the function that stops a call is none of the call's: no input is to blame. Several may be stopped at a time.
func TestACrashInWhatStopsACallIsNotTheCalls(t *testing.T) {
	for _, in := range []struct {
		lanes  []int
		kind   hotcell.Kind
		blamed int
	}{{[]int{0}, hotcell.ErrHung, 0}, {[]int{3, 0}, hotcell.ErrHung, 0}, {[]int{3}, hotcell.ErrCrashed, 1}, {nil, hotcell.ErrCrashed, 1}} {
		options := fakeThatStops(t, time.Minute, func(*fakeWorker, *fakeCall) {}, func(w *fakeWorker, _ uint64) string {
			fault := map[string]any{"kind": "Crashed", "message": "it crashed", "cause": map[string]any{"signal": "SIGSEGV", "number": 11}}
			w.end(fault, nil, "stopping", in.lanes)
			return ""
		})
		options.Quarantine = hotcell.NewQuarantine(hotcell.QuarantineRule{Crashes: 1})
		session := open(t, options, Function{Name: "eat", Args: 16, Inputs: []Input{{Kind: InputData}}})
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		call := session.Begin(ctx, 0)
		call.PutText(0, "text", "bread")
		err := call.Finish().Err()
		call.End()
		if cancel(); !errors.Is(err, in.kind) || len(options.Quarantine.Inputs()) != in.blamed {
			t.Errorf("%v: %v, %v", in.lanes, err, options.Quarantine.Inputs())
		}
	}
}

// The time of a callback is the call's, also where the reply comes at once behind it: here it is there before the callback has ended.
func TestACallbackThatOutlivesTheDeadlineEndsTheCall(t *testing.T) {
	runs, replied := make(chan struct{}), make(chan struct{})
	_, options := fake(t, 1, func(_ *fakeWorker, c *fakeCall) {
		asksToBeCalled(c)()
		<-runs
		c.reply(wire.ReplyStateReturned, 0, make([]byte, 8), nil)
		replied <- struct{}{}
	})
	session := open(t, options, addFunction)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	call := session.Begin(ctx, 0)
	defer call.End()
	call.PutCallback(0, 0, func(ctx context.Context, _ *Invocation) (uint64, error) {
		runs <- struct{}{}
		<-replied
		<-ctx.Done()
		return 0, nil
	})
	if err := call.Finish().Err(); !errors.Is(err, hotcell.ErrHung) {
		t.Fatal(err)
	}
}
