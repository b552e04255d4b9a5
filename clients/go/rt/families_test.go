package rt

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hotcell"
	"hotcell/internal/wire"
)

// line is families without a session, and how many stand in line.
func line() *families { return &families{on: true, crowded: func() {}} }

func (f *families) waiting() int {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return len(f.line)
}

// waits has somebody wait for these, who says when it has them.
func waits(t *testing.T, f *families, ahead bool, wants ...object) <-chan struct{} {
	t.Helper()
	has, before := make(chan struct{}), f.waiting()
	go func() {
		if f.take(context.Background(), wants, ahead) {
			close(has)
		}
	}()
	for until := time.Now().Add(10 * time.Second); f.waiting() == before; time.Sleep(100 * time.Microsecond) {
		if time.Now().After(until) {
			t.Fatal("it does not wait")
		}
	}
	return has
}

func TestWhoWaitsForAFamilyHoldsNoneAndKeepsItsTurn(t *testing.T) {
	a, b, c := object{1, 1}, object{1, 2}, object{1, 3}
	f := line()
	if !f.tryTake([]object{a}) || f.tryTake([]object{a}) || f.tryTake([]object{b, a}) {
		t.Fatal("one at a time")
	}
	both := waits(t, f, false, a, b)
	if f.tryTake([]object{b}) {
		t.Error("who came before waits for it, too")
	}
	if !f.tryTake([]object{c}) {
		t.Error("nobody has it")
	}
	behind := waits(t, f, false, b)
	ahead := waits(t, f, true, a)
	f.give([]object{a})
	<-ahead
	select {
	case <-both:
		t.Error("it was not first")
	case <-behind:
		t.Error("it was not first")
	case <-time.After(5 * time.Millisecond):
	}
	f.give([]object{a})
	<-both
	f.give([]object{a, b})
	<-behind
	f.give([]object{b, c})
	if len(f.used)+len(f.line) > 0 {
		t.Error(f.used, f.line)
	}
}

func TestWhoLeavesTheLineHoldsNobodyUp(t *testing.T) {
	a, b := object{1, 1}, object{1, 2}
	f := line()
	f.tryTake([]object{a})
	ctx, cancel := context.WithCancel(context.Background())
	gone := make(chan bool)
	go func() { gone <- f.take(ctx, []object{a, b}, false) }()
	for f.waiting() == 0 {
		time.Sleep(time.Millisecond)
	}
	has := waits(t, f, false, b)
	cancel()
	if <-gone {
		t.Error("it has what another has")
	}
	<-has
}

// A library that may be used by several, but each of its things by one: nobody meets anybody, by calls, batches, pipelines and
// callbacks, and two are inside at once.
func TestAFamilyIsUsedByOneCallAtATime(t *testing.T) {
	const things = 3
	var inside [things]atomic.Int32
	var together, most atomic.Int32
	var met atomic.Bool
	enter := func(args []byte) (leave func()) {
		raw := binary.NativeEndian.Uint64(args)
		place := &inside[raw&(1<<wire.HandleGenerationShift-1)]
		if place.Add(1) != 1 {
			met.Store(true)
		}
		now := together.Add(1)
		for seen := most.Load(); now > seen && !most.CompareAndSwap(seen, now); seen = most.Load() {
		}
		time.Sleep(20 * time.Microsecond)
		return func() { together.Add(-1); place.Add(-1) }
	}
	_, options := fake(t, 4, func(_ *fakeWorker, c *fakeCall) {
		if c.function != wire.BatchFunction {
			enter(c.args)()
		}
		c.reply(wire.ReplyStateReturned, 0, make([]byte, 8), nil)
	})
	session := open(t, options, Function{Name: "f", Args: 8, Results: 8})
	session.families.on = true
	var all [things]*Handle
	for at := range all {
		raw := uint64(1<<wire.HandleTypeShift | 1<<wire.HandleGenerationShift | at)
		all[at] = newHandle(session, object{1, raw}, true, nil, nil)
	}
	member := newHandle(session, object{1, 1<<wire.HandleTypeShift | 1<<wire.HandleGenerationShift | 1<<20}, false, nil, all[0])
	if family, some := member.family(); family != all[0].object || !some {
		t.Error("it belongs to the first")
	}
	var callers sync.WaitGroup
	for range 6 {
		callers.Add(1)
		go func() {
			defer callers.Done()
			for range 100 {
				thing := all[rand.IntN(things)]
				if rand.IntN(3) == 0 {
					pipe := NewPipeline(context.Background(), session)
					for range 3 {
						call := pipe.Calls().Begin(0)
						call.PutHandle(0, "thing", thing, 1)
						defer func(ticket Ticket[int32]) {
							if _, err := ticket.Result(); err != nil {
								t.Error(err)
							}
						}(Values(call, first))
						thing = all[rand.IntN(things)]
					}
					continue
				}
				call := thing.Begin(context.Background(), 0)
				call.PutHandle(0, "thing", thing, 1)
				if err := call.Finish().Err(); err != nil {
					t.Error(err)
				}
				call.End()
			}
		}()
	}
	callers.Wait()
	if met.Load() || most.Load() < 2 {
		t.Error("met", met.Load(), "together", most.Load())
	}
	session.pipes.settleSoon()
	// One that waits for as long as it has time was not sent.
	session.families.tryTake([]object{all[0].object})
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	for _, begin := range []func() *Call{
		func() *Call { return all[0].Begin(ctx, 0) }, func() *Call { return session.Begin(ctx, 0) },
	} {
		call := begin()
		call.PutHandle(0, "thing", all[0], 1)
		var failed *hotcell.Error
		if err := call.Finish().Err(); !errors.As(err, &failed) || failed.Kind != hotcell.ErrUnavailable || failed.Executed != hotcell.ExecutedNo {
			t.Error(err)
		}
		call.End()
	}
	session.families.give([]object{all[0].object})
}
