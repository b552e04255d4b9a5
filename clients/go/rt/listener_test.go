package rt

import (
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"time"

	"hotcell"
	"hotcell/internal/shm"
	"hotcell/internal/wire"
)

// listening opens a session whose calls pass a callback for threads, and whose worker does this with the standing call.
func listening(t *testing.T, run Callback, thread func(w *fakeWorker, c *fakeCall, number uint64)) (*fakeServer, *Session) {
	t.Helper()
	passed := make(chan uint64, 8)
	server, options := fake(t, 1, func(w *fakeWorker, c *fakeCall) {
		if c.function == wire.ListenFunction {
			go thread(w, c, <-passed)
			return
		}
		passed <- binary.NativeEndian.Uint64(c.args)
		c.reply(wire.ReplyStateReturned, 0, nil, nil)
	})
	options.MaxOutput = 1 << 20
	session := open(t, options, Function{Name: "keep", Args: 8})
	call := session.Begin(context.Background(), 0)
	handle := &Handle{session: session, object: object{call.generation(), 1}}
	call.PutKeptByThreads(0, "run", 8, run, handle)
	if err := call.Finish().Err(); err != nil {
		t.Fatal(err)
	}
	call.End()
	return server, session
}

// thread calls back with a number, as a thread of the library does. What it answered.
func (c *fakeCall) callBack(number uint64, value int64) (wire.Resume, uint64) {
	block := binary.NativeEndian.AppendUint64(nil, uint64(value))
	place := uint64(shm.PlaceOf(wire.SegmentReply, slotOf(c.lane, c.slot)+wire.ResultOffset))
	c.reply(wire.ReplyStateCallback, place, block, func(reply *fakeReply) { reply.errno = int32(number) })
	kind, _, answer := c.resumed()
	return kind, answer
}

func TestThreadsOfTheLibraryCallBack(t *testing.T) {
	type answer struct {
		kind  wire.Resume
		value uint64
	}
	answers := make(chan answer, 4)
	_, session := listening(t, func(_ context.Context, in *Invocation) (uint64, error) {
		return uint64(2 * in.Int64(0)), nil
	}, func(_ *fakeWorker, c *fakeCall, number uint64) {
		for value := range int64(3) {
			kind, value := c.callBack(number, value)
			answers <- answer{kind, value}
		}
		kind, _ := c.callBack(number+1, 7)
		answers <- answer{kind, 0}
	})
	for value := range uint64(3) {
		if got := <-answers; got != (answer{wire.ResumeCallbackReturned, 2 * value}) {
			t.Fatal(got)
		}
	}
	// One that there is not has gone.
	if got := <-answers; got.kind != wire.ResumeCallbackFailed {
		t.Fatal(got)
	}
	if err := session.TakeCallbackFailure(); err != nil {
		t.Fatal(err)
	}
}

// Whatever a worker says on the lane of its threads, it is ended, or it costs nothing; and the application hears of it once.
func TestAWorkerThatLiesOnTheLaneOfItsThreadsIsEnded(t *testing.T) {
	for name, lie := range map[string]struct {
		says func(c *fakeCall, number uint64)
		kind hotcell.Kind
		text string
	}{
		"a result": {func(c *fakeCall, _ uint64) { c.reply(wire.ReplyStateReturned, 0, nil, nil) }, hotcell.ErrProtocolViolation, "with a result"},
		"another call": {func(c *fakeCall, _ uint64) {
			c.reply(wire.ReplyStateCallback, 0, nil, func(reply *fakeReply) { reply.id++ })
		}, hotcell.ErrProtocolViolation, "another call"},
		"a callback of a call": {func(c *fakeCall, _ uint64) { c.callBack(1, 1) }, hotcell.ErrProtocolViolation, "not for threads"},
		"another size": {func(c *fakeCall, number uint64) {
			c.reply(wire.ReplyStateCallback, 0, nil, func(reply *fakeReply) { reply.errno, reply.length = int32(number), 16 })
		}, hotcell.ErrProtocolViolation, "another size"},
		"arguments elsewhere": {func(c *fakeCall, number uint64) {
			c.reply(wire.ReplyStateCallback, 64, nil, func(reply *fakeReply) { reply.errno, reply.length = int32(number), 8 })
		}, hotcell.ErrProtocolViolation, "outside"},
		"a refusal": {func(c *fakeCall, _ uint64) {
			c.reply(wire.ReplyStateRefused, uint64(wire.RefusalInUse), nil, nil)
		}, hotcell.ErrProtocolViolation, "cannot have caused"},
		"no room": {func(c *fakeCall, _ uint64) {
			c.reply(wire.ReplyStateRefused, uint64(wire.RefusalNoSpace), nil, nil)
			c.resumed()
		}, hotcell.ErrCallbackFailed, "more than the 1048576 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			// Who keeps the callback has its reply before the worker is ended.
			kept, said := make(chan bool), make(chan bool)
			_, session := listening(t, func(context.Context, *Invocation) (uint64, error) { return 0, nil },
				func(_ *fakeWorker, c *fakeCall, number uint64) { <-kept; lie.says(c, number); close(said) })
			close(kept)
			<-said
			for until := time.Now().Add(20 * time.Second); !session.failures.some.Load(); time.Sleep(time.Millisecond) {
				if time.Now().After(until) {
					t.Fatal("nobody heard of it")
				}
			}
			call := session.Begin(context.Background(), 0)
			err := call.Finish().Err()
			call.End()
			if !errors.Is(err, lie.kind) || !strings.Contains(err.Error(), lie.text) {
				t.Fatal(err)
			}
			if session.failures.some.Load() {
				t.Fatal("it is told twice")
			}
		})
	}
}

// A thread that asks for space has what a call may have, and no more.
func TestAThreadThatAsksForSpaceHasWhatACallMayHave(t *testing.T) {
	grants := make(chan wire.Resume, 200)
	_, session := listening(t, gives0, func(_ *fakeWorker, c *fakeCall, number uint64) {
		for _, bytes := range []uint64{1 << 19, 1 << 18, 1 << 62, 1 << 20} {
			c.reply(wire.ReplyStateNeedSpace, bytes, nil, nil)
			kind, _, _ := c.resumed()
			grants <- kind
		}
		c.callBack(number, 0)
		// Free again behind the answer.
		for range 10 {
			c.reply(wire.ReplyStateNeedSpace, 1, nil, nil)
			kind, _, _ := c.resumed()
			grants <- kind
		}
	})
	expected := []wire.Resume{wire.ResumeGranted, wire.ResumeGranted, wire.ResumeNotGranted, wire.ResumeNotGranted}
	for range 10 {
		expected = append(expected, wire.ResumeGranted)
	}
	for at, want := range expected {
		if got := <-grants; got != want {
			t.Fatalf("request %d: %v", at, got)
		}
	}
	if err := session.TakeCallbackFailure(); err != nil {
		t.Fatal(err)
	}
}

func gives0(context.Context, *Invocation) (uint64, error) { return 0, nil }

func TestWhatComesTooFastWaits(t *testing.T) {
	// Five in 10 ms.
	pace := newPace(500)
	start := time.Now()
	for message := range 5 {
		if left := pace.wait(start.Add(time.Duration(message))); left != 0 {
			t.Fatal(left)
		}
	}
	if left := pace.wait(start.Add(4 * time.Millisecond)); left != 6*time.Millisecond {
		t.Fatal(left)
	}
	for message := range 4 {
		if left := pace.wait(start.Add(while + time.Duration(message))); left != 0 {
			t.Fatal(left, "the first of this while was that one")
		}
	}
	if left := pace.wait(start.Add(while)); left != while {
		t.Fatal(left)
	}
	if newPace(0).most != 1 {
		t.Fatal("one at least goes through")
	}
}
