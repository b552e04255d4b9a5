package rt

import (
	"context"
	"encoding/binary"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hotcell"
	"hotcell/internal/wire"
)

// calledBack sends a call that calls back, and send one that does not, passed this object if there is one.
func calledBack(p *Pipeline, with *Handle) Ticket[int32] { return sendTo(p, 2, with) }

func sendTo(p *Pipeline, function int, with *Handle) Ticket[int32] {
	call := p.Calls().Begin(function)
	if with != nil {
		call.PutHandle(0, "thing", with, 1)
	}
	return Values(call, first)
}

// ends fails where this does not come to an end, or its goroutine does not.
func ends(t *testing.T, run func()) {
	t.Helper()
	over := make(chan struct{})
	go func() {
		defer close(over)
		run()
	}()
	select {
	case <-over:
	case <-time.After(20 * time.Second):
		t.Fatal("it waits without end")
	}
}

// thingOf is an object of the first worker.
func thingOf(s *Session, number uint64, parent *Handle) *Handle {
	raw := 1<<wire.HandleTypeShift | 1<<wire.HandleGenerationShift | number
	return newHandle(s, object{1, raw}, true, &Release{}, parent)
}

// A callback that waits for the pipeline whose call calls it waits for itself: as long as a call has time, or until the context is
// cancelled. What it was refused is in flight all the same.
func TestACallbackThatWaitsForItsOwnPipelineIsToldSo(t *testing.T) {
	for _, test := range []struct {
		deadline time.Duration
		kind     hotcell.Kind
	}{{100 * time.Millisecond, hotcell.ErrUnavailable}, {time.Hour, hotcell.ErrCancelled}} {
		k := keeps(t, test.deadline)
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		pipe := NewPipeline(ctx, k.session)
		var behind Ticket[int32]
		k.does = func(context.Context) error {
			if got := pipe.InFlight(); got != 1 {
				t.Error(got)
			}
			if test.kind == hotcell.ErrCancelled {
				time.AfterFunc(10*time.Millisecond, cancel)
			}
			var failed *hotcell.Error
			if _, err := behind.Result(); !errors.As(err, &failed) || failed.Kind != test.kind || failed.Executed != hotcell.ExecutedMaybe {
				t.Error(err)
			}
			pipe.Settle()
			return nil
		}
		calls := calledBack(pipe, nil)
		behind = sendTo(pipe, 0, nil)
		ends(t, func() {
			if _, err := calls.Result(); err == nil {
				t.Error("its time was over", err)
			}
			pipe.Settle()
		})
		if got := pipe.InFlight(); got != 0 {
			t.Error(got)
		}
		ends(t, func() {
			if _, err := add(context.Background(), k.session, 1, 2); err != nil {
				t.Error(err)
			}
		})
	}
}

// A callback that ends its goroutine does so wherever that waits for a reply. What is left can be used by others.
func TestACallbackMayEndTheGoroutineThatMakesCalls(t *testing.T) {
	for name, makes := range map[string]func(k *keeper, pipe *Pipeline){
		"for a slot": func(_ *keeper, pipe *Pipeline) {
			for range wire.RingSlots + 1 {
				calledBack(pipe, nil)
			}
		},
		"for who stands in line": func(k *keeper, pipe *Pipeline) {
			calledBack(pipe, nil)
			pipe.latch.lock()
			pipe.sent = mostAhead
			k.session.turns.waiting.Add(1)
			pipe.latch.unlock()
			defer k.session.turns.waiting.Add(-1)
			calledBack(pipe, nil)
		},
		"for a family": func(k *keeper, pipe *Pipeline) {
			a, b := thingOf(k.session, 1, nil), thingOf(k.session, 2, nil)
			k.session.families.on = true
			k.session.families.tryTake([]object{b.object})
			defer k.session.families.give([]object{b.object})
			calledBack(pipe, a)
			calledBack(pipe, b)
		},
	} {
		t.Run(name, func(t *testing.T) {
			k := keeps(t, 10*time.Second)
			k.does = func(context.Context) error { goexit(); return nil }
			pipe := NewPipeline(context.Background(), k.session)
			went := false
			ends(t, func() {
				defer pipe.Settle()
				makes(k, pipe)
				went = true
			})
			if got := pipe.InFlight(); got != 0 || went {
				t.Error(got, "in flight; it went on:", went)
			}
			if _, err := add(context.Background(), k.session, 1, 2); err != nil || len(k.session.families.used) > 0 {
				t.Error(err, k.session.families.used)
			}
			if _, err := sendTo(pipe, 0, nil).Result(); err != nil {
				t.Error(err)
			}
		})
	}
}

// Numbers of nested calls come behind those of all in flight: what these cause is none of the others' doing.
func TestTheCrashOfANestedCallIsNotThatOfCallsBehind(t *testing.T) {
	k := keeps(t, 10*time.Second)
	pipe := NewPipeline(context.Background(), k.session)
	var id uint64
	k.does = func(ctx context.Context) error {
		call := k.session.Begin(ctx, 0)
		defer call.End()
		id = call.id
		k.server.mutex.Lock()
		worker := k.server.workers[0]
		k.server.mutex.Unlock()
		worker.end(map[string]any{"kind": "Crashed", "message": "SIGSEGV"}, 0, "call", strconv.FormatUint(id, 10))
		if err := call.Finish().Err(); err == nil {
			t.Error("it has succeeded")
		}
		return nil
	}
	tickets := []Ticket[int32]{calledBack(pipe, nil), sendTo(pipe, 0, nil), sendTo(pipe, 0, nil)}
	_, _ = tickets[0].Result()
	for _, ticket := range tickets[1:] {
		var failed *hotcell.Error
		var suspect *hotcell.SuspectError
		_, err := ticket.Result()
		if !errors.As(err, &failed) || failed.Kind != hotcell.ErrWorkerLost {
			t.Error(err)
		}
		if !errors.As(err, &suspect) || suspect.CallID != id {
			t.Error(suspect, id)
		}
	}
}

// An object whose family calls in flight have is released when they give it back, also where the next call does not get what it needs.
func TestWhatWaitsForAFamilyOfCallsInFlightIsReleased(t *testing.T) {
	var mutex sync.Mutex
	released := make(map[uint64]int)
	_, options := fake(t, 2, func(_ *fakeWorker, c *fakeCall) {
		if c.function == 0 {
			mutex.Lock()
			released[binary.NativeEndian.Uint64(c.args)]++
			mutex.Unlock()
		}
		c.reply(wire.ReplyStateReturned, 0, make([]byte, 8), nil)
	})
	session := open(t, options, Function{Args: 8, Results: 8}, Function{Args: 8, Results: 8, Deadline: 100 * time.Millisecond})
	session.families.on = true
	a, b := thingOf(session, 1, nil), thingOf(session, 2, nil)
	part := thingOf(session, 3, a)
	pipe := NewPipeline(context.Background(), session)
	uses := sendTo(pipe, 1, a)
	_ = part.Close()
	session.objects.mutex.Lock()
	held := len(session.objects.held)
	session.objects.mutex.Unlock()
	if held != 1 {
		t.Fatal(held)
	}
	session.families.tryTake([]object{b.object})
	if _, err := sendTo(pipe, 1, b).Result(); !errors.Is(err, hotcell.ErrUnavailable) {
		t.Error(err)
	}
	session.families.give([]object{b.object})
	if _, err := uses.Result(); err != nil {
		t.Error(err)
	}
	mutex.Lock()
	defer mutex.Unlock()
	if released[part.raw] != 1 || len(released) != 1 {
		t.Error(released)
	}
}

// An object that is closed behind calls that were sent with it, or with what belongs to it, is released behind them, though another
// lane is free. Others are released at once.
func TestAnObjectThatIsClosedInFlightIsReleasedBehindItsCalls(t *testing.T) {
	var released [4]atomic.Int32
	used := make(chan struct{})
	_, options := fake(t, 2, func(_ *fakeWorker, c *fakeCall) {
		number := binary.NativeEndian.Uint64(c.args) & (1<<wire.HandleGenerationShift - 1)
		if c.function == 0 {
			released[number].Add(1)
		} else {
			<-used
		}
		c.reply(wire.ReplyStateReturned, 0, make([]byte, 8), nil)
	})
	session := open(t, options, Function{Args: 8, Results: 8}, Function{Args: 8, Results: 8})
	thing, above, other := thingOf(session, 1, nil), thingOf(session, 2, nil), thingOf(session, 3, nil)
	lent := newHandle(session, object{1, 1<<wire.HandleTypeShift | 1<<wire.HandleGenerationShift}, false, nil, above)
	pipe := NewPipeline(context.Background(), session)
	tickets := []Ticket[int32]{sendTo(pipe, 1, thing), sendTo(pipe, 1, lent)}
	_, _, _ = thing.Close(), above.Close(), other.Close()
	for number, want := range []int32{0, 0, 0, 1} {
		if got := released[number].Load(); got != want {
			t.Errorf("%d was released %d times", number, got)
		}
	}
	close(used)
	for _, ticket := range tickets {
		if _, err := ticket.Result(); err != nil {
			t.Error(err)
		}
	}
	pipe.Settle()
	for until := time.Now().Add(10 * time.Second); released[1].Load() != 1 || released[2].Load() != 1; time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal(released[1].Load(), released[2].Load())
		}
	}
}
