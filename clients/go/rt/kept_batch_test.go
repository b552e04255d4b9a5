package rt

import (
	"context"
	"encoding/binary"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"hotcell"
	"hotcell/internal/wire"
)

// keeper is a session of a library that keeps a callback, and calls it back in a batch, or in a call of function 2. In all others it
// gives the number of replies it has given.
type keeper struct {
	server  *fakeServer
	session *Session
	// number is that of the callback, does what it does.
	number atomic.Uint64
	does   func(ctx context.Context) error
	// inBatch tells whether a batch calls it back, calledBack counts how often it was called.
	inBatch             atomic.Bool
	replies, calledBack atomic.Int32
}

// keeps is one whose calls have so much time.
func keeps(t *testing.T, deadline time.Duration) *keeper {
	t.Helper()
	var options hotcell.Options
	k := new(keeper)
	k.server, options = fake(t, 1, func(_ *fakeWorker, c *fakeCall) {
		batch := c.function == wire.BatchFunction
		if c.function == 2 || batch && k.inBatch.Load() {
			k.calledBack.Add(1)
			c.reply(wire.ReplyStateCallback, 0, nil, func(r *fakeReply) { r.errno, r.length = int32(k.number.Load()), 0 })
			c.resumed()
		}
		block := make([]byte, 8)
		if batch {
			block = batchReply(c.slot, 1, 8)
		}
		binary.NativeEndian.PutUint32(block[len(block)-8:], uint32(k.replies.Add(1)))
		c.reply(wire.ReplyStateReturned, 0, block, nil)
	})
	options.Deadline = deadline
	one := Function{Name: "f", Args: 8, Results: 8}
	k.session = open(t, options, one, one, one)
	thing := newHandle(k.session, object{1, 1<<wire.HandleTypeShift | 1<<wire.HandleGenerationShift}, true, &Release{}, nil)
	call := k.session.Begin(context.Background(), 1)
	defer call.End()
	call.PutKept(0, "run", 0, func(ctx context.Context, _ *Invocation) (uint64, error) { return 0, k.does(ctx) }, thing)
	k.number.Store(binary.NativeEndian.Uint64(call.block))
	if err := call.Finish().Err(); err != nil {
		t.Fatal(err)
	}
	return k
}

// What a callback does that is called back in a batch is told by the batch. Its entries have what became of them, whatever that is:
// nothing of a run before.
func TestCallbacksInABatch(t *testing.T) {
	enough := errors.New("enough")
	for name, test := range map[string]struct {
		does func(context.Context) error
		// whole is the batch's error, entry that of the entry; got what comes out of Run.
		whole, entry error
		got          any
		workers      uint64
	}{
		"nothing":  {does: func(context.Context) error { return nil }, workers: 1},
		"an error": {does: func(context.Context) error { return enough }, whole: hotcell.ErrCallbackFailed, workers: 1},
		"a panic":  {does: func(context.Context) error { panic("out of it") }, got: "out of it", workers: 1},
		"the end of its goroutine": {
			does: func(context.Context) error { goexit(); return nil }, entry: hotcell.ErrCancelled, workers: 2,
		},
	} {
		for _, before := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				k := keeps(t, 10*time.Second)
				k.does = test.does
				batch := NewBatch(k.session)
				if before {
					old := Values(batch.Begin(0), first)
					if err := batch.Run(context.Background()); err != nil {
						t.Fatal(err)
					}
					if got, err := old.Result(); got != k.replies.Load() || err != nil {
						t.Fatal(got, err)
					}
					batch.Reset()
				}
				k.inBatch.Store(true)
				ticket := Values(batch.Begin(0), first)
				got, whole := runElsewhere(batch)
				if !errors.Is(whole, test.whole) || got != test.got {
					t.Error(whole, got)
				}
				if got, err := ticket.Result(); !errors.Is(err, test.entry) || err == nil && got != k.replies.Load() {
					t.Error(got, err)
				}
				k.inBatch.Store(false)
				if _, err := add(context.Background(), k.session, 1, 2); err != nil {
					t.Error(err)
				}
				if workers, calls := k.session.Generation(), k.calledBack.Load(); workers != test.workers || calls != 1 {
					t.Error(workers, calls)
				}
			})
		}
	}
}

// runElsewhere runs a batch on a goroutine of its own, which may end meanwhile: what it panics with, or gives.
func runElsewhere(batch *Batch) (raised any, err error) {
	over := make(chan struct{})
	go func() {
		defer close(over)
		defer func() { raised = recover() }()
		err = batch.Run(context.Background())
	}()
	<-over
	return raised, err
}

// What a callback fails with comes out of rows as out of a call, also where the function has told its caller.
func TestRowsGiveWhatAKeptCallbackFailsWith(t *testing.T) {
	enough := errors.New("enough")
	for _, fails := range []bool{false, true} {
		var number atomic.Uint64
		_, options := fake(t, 1, func(_ *fakeWorker, c *fakeCall) {
			block := make([]byte, 8)
			if c.function == wire.BatchFunction {
				c.reply(wire.ReplyStateCallback, 0, nil, func(r *fakeReply) { r.errno, r.length = int32(number.Load()), 0 })
				c.resumed()
				block = batchReply(c.slot, 2, 16)
				if fails {
					block[wire.BatchResultSize+2*wire.BatchFailureSize+1] = byte(wire.ReplyStateLibraryError)
				}
			}
			c.reply(wire.ReplyStateReturned, 0, block, nil)
		})
		one := Function{Name: "f", Args: 8, Results: 8}
		session := open(t, options, one, one, one)
		thing := newHandle(session, object{1, 1<<wire.HandleTypeShift | 1<<wire.HandleGenerationShift}, true, &Release{}, nil)
		call := session.Begin(context.Background(), 1)
		call.PutKept(0, "run", 0, func(context.Context, *Invocation) (uint64, error) { return 0, enough }, thing)
		number.Store(binary.NativeEndian.Uint64(call.block))
		if err := call.Finish().Err(); err != nil {
			t.Fatal(err)
		}
		call.End()
		got, err := CallRows(context.Background(), session, 0, []Column{{"a", 2}}, func(RowArguments) {}, func(RowResults, []int32) {})
		whole := 2
		if fails {
			whole = 1
		}
		if len(got) != whole || !errors.Is(err, enough) || !errors.Is(err, hotcell.ErrCallbackFailed) {
			t.Errorf("where the row fails: %v: %v, %v", fails, got, err)
		}
	}
}
