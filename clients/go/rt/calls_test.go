package rt

import (
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hotcell"
	"hotcell/internal/shm"
	"hotcell/internal/wire"
)

func TestADeadWorkerWakesItsCaller(t *testing.T) {
	server, options := fake(t, 1, func(w *fakeWorker, c *fakeCall) {
		if w.generation > 1 {
			sum(w, c)
			return
		}
		time.Sleep(20 * time.Millisecond)
		w.end(map[string]any{"kind": "Exited", "message": "it left", "cause": map[string]any{"status": 3}}, 0)
	})
	session := open(t, options, addFunction)
	_, err := add(context.Background(), session, 1, 2)
	var exit *hotcell.ExitError
	if !errors.Is(err, hotcell.ErrExited) || !errors.As(err, &exit) || exit.Status != 3 {
		t.Fatal(err)
	}
	if got, err := add(context.Background(), session, 1, 2); got != 3 || err != nil || len(server.workers) != 2 {
		t.Fatal(got, err)
	}
}

// A reply that was committed before the end is delivered.
func TestAReplyBeforeTheEndCounts(t *testing.T) {
	_, options := fake(t, 1, func(w *fakeWorker, c *fakeCall) {
		sum(w, c)
		w.end(map[string]any{"kind": "Crashed"}, nil)
	})
	session := open(t, options, addFunction)
	for at := range int32(20) {
		if got, err := add(context.Background(), session, at, 2); got != at+2 || err != nil {
			t.Fatal(got, err)
		}
		// A call that is sent before the end is known meets it.
		for session.Generation() != 0 {
			time.Sleep(time.Millisecond)
		}
	}
}

func TestADeadlineEndsACallAndItsWorker(t *testing.T) {
	_, options := fake(t, 1, func(w *fakeWorker, c *fakeCall) {
		if w.generation > 1 {
			sum(w, c)
		}
	})
	session := open(t, options, addFunction)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	_, err := add(ctx, session, 1, 2)
	var failed *hotcell.Error
	if !errors.Is(err, hotcell.ErrHung) || !errors.As(err, &failed) || failed.Output != "last words" {
		t.Fatal(err)
	}
	if _, err := add(ctx, session, 1, 2); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if got, err := add(context.Background(), session, 1, 2); got != 3 || err != nil {
		t.Fatal(got, err)
	}
}

// A worker that rings without end, and says nothing, is ended: it would keep this process from its work.
func TestAWorkerThatRingsForNothingIsEnded(t *testing.T) {
	_, options := fake(t, 1, func(w *fakeWorker, c *fakeCall) {
		for !w.ended.Load() {
			w.ring(c.lane)
			time.Sleep(100 * time.Microsecond)
		}
	})
	session := open(t, options, addFunction)
	if _, err := add(context.Background(), session, 1, 2); !errors.Is(err, hotcell.ErrProtocolViolation) {
		t.Fatal(err)
	}
}

func TestAKeptCallbackIsRunUntilItsObjectGoes(t *testing.T) {
	// Function 0 releases a thing, 1 passes a callback that is kept, 2 calls back what it is told to.
	_, options := fake(t, 1, func(_ *fakeWorker, c *fakeCall) {
		block := make([]byte, 8)
		if c.function == 2 {
			number := int32(binary.NativeEndian.Uint64(c.args))
			c.reply(wire.ReplyStateCallback, 0, nil, func(r *fakeReply) { r.errno, r.length = number, 0 })
			kind, _, value := c.resumed()
			binary.NativeEndian.PutUint32(block, uint32(value))
			if kind != wire.ResumeCallbackReturned {
				binary.NativeEndian.PutUint32(block, 99)
			}
		}
		c.reply(wire.ReplyStateReturned, 0, block, nil)
	})
	one := Function{Name: "f", Args: 8, Results: 8}
	session := open(t, options, one, one, one)
	thing := newHandle(session, object{1, 1<<wire.HandleTypeShift | 1<<wire.HandleGenerationShift}, true, &Release{}, nil)
	ran := 0
	call := session.Begin(context.Background(), 1)
	call.PutKept(0, "run", 0, func(ctx context.Context, _ *Invocation) (uint64, error) {
		ran++
		if ran == 3 {
			return 0, errors.New("enough")
		}
		return 41, nil
	}, thing)
	number := binary.NativeEndian.Uint64(call.block[:])
	if err := call.Finish().Err(); err != nil || number < wire.KeptCallbacks {
		t.Fatal(number, err)
	}
	call.End()
	callBack := func() (int32, error) {
		call := session.Begin(context.Background(), 2)
		defer call.End()
		call.PutUint64(0, number)
		reply := call.Finish()
		return reply.Int32(0), reply.Err()
	}
	for range 2 {
		if got, err := callBack(); got != 41 || err != nil {
			t.Fatal(got, err)
		}
	}
	if _, err := callBack(); !errors.Is(err, hotcell.ErrCallbackFailed) {
		t.Fatal(err)
	}
	_ = thing.Close()
	if got, err := callBack(); got != 99 || err != nil || ran != 3 {
		t.Fatal("the library gets its default", got, err, ran)
	}
}

// A panic comes out of the call as itself, and one that ends its goroutine costs the worker and nothing else.
func TestACallbackMayEndItsGoroutine(t *testing.T) {
	_, options := fake(t, 1, func(w *fakeWorker, c *fakeCall) {
		if w.generation > 1 {
			sum(w, c)
			return
		}
		c.reply(wire.ReplyStateCallback, 0, nil, func(r *fakeReply) { r.errno, r.length = 1, 0 })
	})
	session := open(t, options, addFunction)
	var over sync.WaitGroup
	over.Add(1)
	go func() {
		defer over.Done()
		call := session.Begin(context.Background(), 0)
		defer call.End()
		call.PutCallback(0, 0, func(context.Context, *Invocation) (uint64, error) {
			goexit()
			return 0, nil
		})
		call.Finish()
	}()
	over.Wait()
	if got, err := add(context.Background(), session, 1, 2); got != 3 || err != nil || session.Generation() != 2 {
		t.Fatal(got, err)
	}
}

func TestWhoWaitsForATurnLeavesWithTheContext(t *testing.T) {
	release := make(chan struct{})
	_, options := fake(t, 1, func(w *fakeWorker, c *fakeCall) {
		<-release
		sum(w, c)
	})
	session := open(t, options, addFunction)
	ctx, cancel := context.WithCancel(context.Background())
	var queued sync.WaitGroup
	var first sync.WaitGroup
	first.Add(1)
	go func() {
		defer first.Done()
		if got, err := add(context.Background(), session, 1, 2); got != 3 || err != nil {
			t.Error(got, err)
		}
	}()
	begun := func() bool {
		session.turns.mutex.Lock()
		defer session.turns.mutex.Unlock()
		return session.turns.made == 1 && session.turns.first.Load() == nil
	}
	for !begun() {
		time.Sleep(time.Millisecond)
	}
	for range 1000 {
		queued.Add(1)
		go func() {
			defer queued.Done()
			if _, err := add(ctx, session, 1, 2); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}()
	}
	for session.turns.waiting.Load() < 1000 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	queued.Wait()
	close(release)
	first.Wait()
	if session.turns.waiting.Load() != 0 || session.turns.line.Len() != 0 {
		t.Error("somebody is left in line")
	}
	_ = session.Close()
	if _, err := add(context.Background(), session, 1, 2); !errors.Is(err, hotcell.ErrUnavailable) {
		t.Error(err)
	}
}

// Where objects are bound to their thread, there is one caller, whatever else is said.
func TestHowManyCallersALibraryHas(t *testing.T) {
	for face, want := range map[string]int{
		`{"threads":"reentrant"}`: 7, `{"threads":"per-handle"}`: 7, `{"threads":"serialized"}`: 1, `{}`: 1, `x`: 1,
		`{"threads":"reentrant","handles":{"pen":{"thread_affine":true}}}`:                                1,
		`{"threads":"per-handle","handles":{"ink":{"thread_affine":false},"pen":{"thread_affine":true}}}`: 1,
	} {
		got, byFamily := (&Package{Interface: []byte(face)}).callers(7)
		if got != want || byFamily != (want == 7 && strings.Contains(face, "per-handle")) {
			t.Errorf("%s: %d, %t", face, got, byFamily)
		}
	}
}

func TestAWorkerThatRetiresIsLeftBehindItsCalls(t *testing.T) {
	server, options := fake(t, 2, sum)
	session := open(t, options, addFunction)
	for generation := uint64(1); generation <= 3; generation++ {
		if got, err := add(context.Background(), session, 1, 2); got != 3 || err != nil || session.Generation() != generation {
			t.Fatal(got, err, session.Generation())
		}
		server.mutex.Lock()
		worker := server.workers[generation-1]
		server.mutex.Unlock()
		worker.session.say(map[string]any{"kind": "retired", "generation": generation})
		for server.left.Load() != int32(generation) {
			time.Sleep(time.Millisecond)
		}
	}
}

func TestAWornWorkerIsLeftWhenItsObjectsAreGone(t *testing.T) {
	server, options := fake(t, 1, sum)
	session := open(t, options, Function{Name: "release", Args: 8, Results: 8})
	if _, err := add(context.Background(), session, 1, 2); err != nil {
		t.Fatal(err)
	}
	thing := newHandle(session, object{1, 1<<wire.HandleTypeShift | 1<<wire.HandleGenerationShift}, true, &Release{}, nil)
	worker := server.workers[0]
	worker.session.say(map[string]any{"kind": "worn", "generation": 1})
	for !session.worker.IsWorn() {
		time.Sleep(time.Millisecond)
	}
	if _, err := add(context.Background(), session, 1, 2); err != nil || server.left.Load() != 0 || session.Generation() != 1 {
		t.Fatal("it has an object", err)
	}
	_ = thing.Close()
	for server.left.Load() != 1 {
		time.Sleep(time.Millisecond)
	}
	if got, err := add(context.Background(), session, 1, 2); got != 3 || err != nil || session.Generation() != 2 {
		t.Fatal(got, err, session.Generation())
	}
}

func TestAnIdempotentCallIsMadeAgain(t *testing.T) {
	server, options := fake(t, 1, func(w *fakeWorker, c *fakeCall) {
		if w.generation < 3 {
			w.end(map[string]any{"kind": "Crashed", "message": "m"}, 0)
			return
		}
		sum(w, c)
	})
	options.Retries = 0
	server.tries.Store(3)
	session := open(t, options, addFunction)
	once := func(ctx context.Context) (int32, error) { return add(ctx, session, 1, 2) }
	if got, err := Retried(context.Background(), session, once); got != 3 || err != nil || session.Generation() != 3 {
		t.Fatal(got, err)
	}
	var failed *hotcell.Error
	never, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Retried(never, session, once); !errors.As(err, &failed) || failed.Tries != 1 || failed.Kind != hotcell.ErrCancelled {
		t.Error(err)
	}
	for _, kind := range []hotcell.Kind{hotcell.ErrLibraryError, hotcell.ErrInvalidArgument, hotcell.ErrSandboxDenied} {
		tries := 0
		_, err := Retried(context.Background(), session, func(context.Context) (int, error) {
			tries++
			return 0, &hotcell.Error{Kind: kind, Executed: hotcell.ExecutedMaybe}
		})
		if tries != 1 || !errors.Is(err, kind) {
			t.Errorf("%v was tried %d times", kind, tries)
		}
	}
}

// How often a call is made the options say, or what is in force at the server, or else it is made twice; and where the breaker is
// open not again.
func TestCallsAreMadeAsOftenAsIsSaid(t *testing.T) {
	for _, it := range []struct {
		given int
		said  int32
		most  int
	}{{0, 0, 2}, {0, 5, 5}, {3, 5, 4}, {-1, 5, 1}} {
		server, options := fake(t, 1, sum)
		options.Retries = it.given
		server.tries.Store(it.said)
		session, tries := open(t, options, addFunction), 0
		fails := func(context.Context) (int, error) {
			tries++
			return 0, &hotcell.Error{Kind: hotcell.ErrCrashed, Executed: hotcell.ExecutedMaybe}
		}
		var failed *hotcell.Error
		if _, err := Retried(context.Background(), session, fails); tries != it.most || !errors.As(err, &failed) || failed.Tries != tries {
			t.Errorf("%+v: %d times: %v", it, tries, err)
		}
	}
	_, options := fake(t, 1, sum)
	options.Retries = 5
	session := open(t, options, addFunction)
	for reason, most := range map[hotcell.Reason]int{hotcell.UnavailableBreakerOpen: 1, hotcell.UnavailableRestarting: 6} {
		tries := 0
		_, _ = Retried(context.Background(), session, func(context.Context) (int, error) {
			tries++
			return 0, &hotcell.Error{Kind: hotcell.ErrUnavailable, Executed: hotcell.ExecutedNo, Cause: &hotcell.UnavailableError{Reason: reason}}
		})
		if tries != most {
			t.Errorf("%s: %d times", reason, tries)
		}
	}
}

// What a callback was given counts while that callback runs: no longer, and for one call at a time.
func TestTheContextOfACallbackEndsWithIt(t *testing.T) {
	_, options := fake(t, 1, func(w *fakeWorker, c *fakeCall) {
		if c.function == 1 {
			c.reply(wire.ReplyStateCallback, 0, nil, func(r *fakeReply) { r.errno, r.length = 1, 0 })
			c.resumed()
			c.reply(wire.ReplyStateReturned, 0, make([]byte, 8), nil)
			return
		}
		sum(w, c)
	})
	session := open(t, options, addFunction, addFunction)
	callBack := func(run func(ctx context.Context)) error {
		call := session.Begin(context.Background(), 1)
		defer call.End()
		call.PutCallback(0, 0, func(ctx context.Context, _ *Invocation) (uint64, error) {
			run(ctx)
			return 0, nil
		})
		return call.Finish().Err()
	}
	var kept context.Context
	if err := callBack(func(ctx context.Context) { kept = ctx }); err != nil {
		t.Fatal(err)
	}
	if got, err := add(kept, session, 1, 2); got != 3 || err != nil {
		t.Error("it is a context like any other", got, err)
	}
	err := callBack(func(ctx context.Context) {
		// One that belongs to another callback waits for its turn, and one that begins two calls at once is refused.
		short, cancel := context.WithTimeout(kept, 10*time.Millisecond)
		defer cancel()
		if _, err := add(short, session, 1, 2); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "takes the context that it was given") {
			t.Error(err)
		}
		first := session.Begin(ctx, 0)
		defer first.End()
		if _, err := add(ctx, session, 1, 2); !errors.Is(err, hotcell.ErrUnavailable) {
			t.Error(err)
		}
	})
	if err != nil {
		t.Error(err)
	}
	// A call that is left behind on another goroutine costs the worker, and nothing else.
	var left sync.WaitGroup
	begun := make(chan struct{})
	_ = callBack(func(ctx context.Context) {
		left.Add(1)
		go func() {
			defer left.Done()
			call := session.Begin(ctx, 0)
			close(begun)
			time.Sleep(20 * time.Millisecond)
			call.Finish()
			call.End()
		}()
		<-begun
	})
	left.Wait()
	if got, err := add(context.Background(), session, 1, 2); got != 3 || err != nil || session.Generation() != 2 {
		t.Fatal(got, err, session.Generation())
	}
}

// What is wrong with the arguments of a callback is its own error: the library hears that it has failed, and the worker stays.
func TestATextThatIsNoneIsTheCallbacksError(t *testing.T) {
	_, options := fake(t, 1, func(w *fakeWorker, c *fakeCall) {
		if c.function == 0 {
			sum(w, c)
			return
		}
		at := slotOf(c.lane, c.slot) + wire.ResultOffset + 8
		w.reply[at+16] = 0xFF
		binary.NativeEndian.PutUint64(w.reply[at:], uint64(wire.SegmentReply)<<wire.PlaceSegmentShift|uint64(at+16))
		binary.NativeEndian.PutUint64(w.reply[at+8:], 1)
		place := uint64(wire.SegmentReply)<<wire.PlaceSegmentShift | uint64(at)
		c.reply(wire.ReplyStateCallback, place, nil, func(r *fakeReply) { r.errno, r.length = 1, 16 })
		if kind, _, _ := c.resumed(); kind != wire.ResumeCallbackFailed {
			w.end(map[string]any{"kind": "Crashed"}, 0)
			return
		}
		c.reply(wire.ReplyStateReturned, 0, make([]byte, 8), nil)
	})
	session := open(t, options, addFunction, addFunction)
	call := session.Begin(context.Background(), 1)
	call.PutCallback(0, 16, func(_ context.Context, in *Invocation) (uint64, error) {
		_ = in.Text(0)
		return 0, in.Err()
	})
	err := call.Finish().Err()
	call.End()
	var failed *hotcell.Error
	if !errors.Is(err, hotcell.ErrBadEncoding) || !errors.As(err, &failed) || !failed.Once {
		t.Fatal(err)
	}
	if got, err := add(context.Background(), session, 1, 2); got != 3 || err != nil || session.Generation() != 1 {
		t.Fatal(got, err, session.Generation())
	}
}

// Messages that come quickly do not keep a call beyond its deadline.
func TestALibraryThatCallsBackWithoutEndIsEndedByTheDeadline(t *testing.T) {
	for number, kept := range map[int32]bool{1: false, wire.KeptCallbacks + 5: true} {
		_, options := fake(t, 1, func(w *fakeWorker, c *fakeCall) {
			for !w.ended.Load() {
				c.reply(wire.ReplyStateCallback, 0, nil, func(r *fakeReply) { r.errno, r.length = number, 0 })
				c.resumed()
			}
		})
		options.MaxCallbacks = 1 << 40
		session := open(t, options, addFunction)
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		call := session.Begin(ctx, 0)
		call.PutCallback(0, 0, func(context.Context, *Invocation) (uint64, error) { return 0, nil })
		err := call.Finish().Err()
		call.End()
		if cancel(); !errors.Is(err, hotcell.ErrHung) {
			t.Errorf("kept %v: %v", kept, err)
		}
	}
}

// What a call gives beside an error nobody looks for: an object is released at once, and not when it is collected.
func TestAnObjectBesideALateErrorIsReleasedAtOnce(t *testing.T) {
	const raw = 1<<wire.HandleTypeShift | 5<<wire.HandleGenerationShift | 7
	released := make(chan uint64, 2)
	var good atomic.Bool
	_, options := fake(t, 1, func(_ *fakeWorker, c *fakeCall) {
		if c.function == 0 {
			released <- binary.NativeEndian.Uint64(c.args)
			c.reply(wire.ReplyStateReturned, 0, nil, nil)
			return
		}
		text := []byte{0xff}
		if good.Load() {
			text = []byte("x")
		}
		block := binary.NativeEndian.AppendUint64(nil, raw)
		place := shm.PlaceOf(wire.SegmentReply, slotOf(c.lane, c.slot)+wire.ResultOffset+24)
		block = binary.NativeEndian.AppendUint64(block, uint64(place))
		block = append(binary.NativeEndian.AppendUint64(block, uint64(len(text))), text...)
		c.reply(wire.ReplyStateReturned, 0, block, nil)
	})
	session := open(t, options, Function{Name: "release", Args: 8}, Function{Name: "make", Results: 24, Owned: []Owned{{Kind: 1}}})
	both := func() (*Handle, string, error) {
		call := session.Begin(context.Background(), 1)
		defer call.End()
		reply := call.Finish()
		return reply.Handle(0, 1, true, nil), reply.Text(8), reply.Err()
	}
	handle, _, err := both()
	if !errors.Is(err, hotcell.ErrBadEncoding) {
		t.Fatal(err)
	}
	if got := <-released; got != raw {
		t.Fatalf("%#x was released", got)
	}
	call := session.Begin(context.Background(), 0)
	call.PutHandle(0, "it", handle, 1)
	if err := call.Finish().Err(); !errors.Is(err, hotcell.ErrStaleHandle) {
		t.Fatal(err)
	}
	call.End()
	// Without an error it is its caller's.
	good.Store(true)
	if handle, _, err = both(); err != nil || len(released) > 0 {
		t.Fatal(err, len(released))
	}
	_ = handle.Close()
	if got := <-released; got != raw {
		t.Fatalf("%#x was released", got)
	}
}
