package rt

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"hotcell"
	"hotcell/internal/wire"
)

// sendAdd sends a call of two numbers.
func sendAdd(p *Pipeline, a, b int32) Ticket[int32] {
	call := p.Calls().Begin(0)
	call.PutInt32(0, a)
	call.PutInt32(4, b)
	return Values(call, first)
}

// sendData sends a call with data, which gives data.
func sendData(p *Pipeline, in []byte) Ticket[[]byte] {
	call := p.Calls().Begin(1)
	call.PutBytes(0, "in", in)
	return Read(call, func(r *Reply) []byte { return r.Bytes(0) })
}

// A call that was begun and is not sent, for a panic came in between, keeps nobody from the pipeline and from its seat; what is in flight
// stays. Where nobody has given it up, the next one does.
func TestACallThatWasBegunAndNotSentIsGivenUp(t *testing.T) {
	for name, leave := range map[string]bool{"given up": true, "left": false} {
		for _, before := range []int32{0, 1, 3} {
			t.Run(name+" behind "+strconv.Itoa(int(before)), func(t *testing.T) {
				_, options := fake(t, 1, sum)
				session := open(t, options, addFunction, dataFunction)
				pipe := NewPipeline(context.Background(), session)
				var tickets []Ticket[int32]
				for at := range before {
					tickets = append(tickets, sendAdd(pipe, at, 100))
				}
				func() {
					defer func() { _ = recover() }()
					call := pipe.Calls().Begin(1)
					if leave {
						defer call.Leave()
					}
					call.PutBytes(0, "in", make([]byte, 5000))
					panic("out of what builds an argument")
				}()
				if !leave {
					tickets = append(tickets, sendAdd(pipe, before, 100))
				}
				for at, ticket := range tickets {
					if got, err := ticket.Result(); got != int32(at)+100 || err != nil {
						t.Error(at, got, err)
					}
				}
				pipe.Settle()
				ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
				defer cancel()
				if got, err := add(ctx, session, 1, 2); got != 3 || err != nil {
					t.Error(got, err)
				}
				if got, err := sendAdd(pipe, 3, 4).Result(); got != 7 || err != nil {
					t.Error(got, err)
				}
			})
		}
	}
}

// Many more calls than the ring has slots, whose results are taken in another order, twice, and on another goroutine.
func TestCallsInFlightAreExecutedInOrderAndTakenInAny(t *testing.T) {
	var mutex sync.Mutex
	var order []int32
	_, options := fake(t, 1, func(w *fakeWorker, c *fakeCall) {
		mutex.Lock()
		order = append(order, int32(binary.NativeEndian.Uint32(c.args)))
		mutex.Unlock()
		sum(w, c)
	})
	session := open(t, options, addFunction)
	pipe := NewPipeline(context.Background(), session)
	var tickets []Ticket[int32]
	for at := range int32(100) {
		tickets = append(tickets, sendAdd(pipe, at, 1000))
	}
	if got := pipe.InFlight(); got == 0 || got > wire.RingSlots {
		t.Error(got)
	}
	last := make(chan int32)
	go func() {
		got, _ := tickets[99].Result()
		last <- got
	}()
	if got := <-last; got != 1099 {
		t.Error(got)
	}
	for range 2 {
		for at, ticket := range slices.Backward(tickets) {
			if got, err := ticket.Result(); got != int32(at)+1000 || err != nil {
				t.Fatal(at, got, err)
			}
		}
	}
	mutex.Lock()
	defer mutex.Unlock()
	if !slices.IsSorted(order) || len(order) != 100 || pipe.InFlight() != 0 {
		t.Error(order, pipe.InFlight())
	}
}

// One seat, which the pipeline has: whoever needs it gets it, also the goroutine that would not settle.
func TestWhoNeedsTheSeatOfAPipelineGetsIt(t *testing.T) {
	_, options := fake(t, 1, sum)
	session := open(t, options, addFunction)
	one, other := NewPipeline(context.Background(), session), NewPipeline(context.Background(), session)
	for range 3 {
		first := sendAdd(one, 1, 2)
		if got, err := add(context.Background(), session, 3, 4); got != 7 || err != nil {
			t.Fatal(got, err)
		}
		second := sendAdd(one, 5, 6)
		third := sendAdd(other, 7, 8)
		for at, ticket := range []Ticket[int32]{third, first, second} {
			if got, err := ticket.Result(); got != []int32{15, 3, 11}[at] || err != nil {
				t.Fatal(got, err)
			}
		}
	}
	var all sync.WaitGroup
	for range 4 {
		all.Add(2)
		go func() {
			defer all.Done()
			pipe := NewPipeline(context.Background(), session)
			for at := range int32(200) {
				ticket := sendAdd(pipe, at, 1)
				if at%7 != 0 {
					continue
				}
				if got, err := ticket.Result(); got != at+1 || err != nil {
					t.Error(got, err)
				}
			}
			pipe.Settle()
		}()
		go func() {
			defer all.Done()
			for at := range int32(50) {
				if got, err := add(context.Background(), session, at, 1); got != at+1 || err != nil {
					t.Error(got, err)
				}
			}
		}()
	}
	all.Wait()
}

// What is wrong with a call is the error of its ticket, and of no other.
func TestInAPipelineEachFailsForItself(t *testing.T) {
	_, options := fake(t, 1, func(w *fakeWorker, c *fakeCall) {
		if binary.NativeEndian.Uint32(c.args) == 7 {
			c.reply(wire.ReplyStateLibraryError, 0, make([]byte, 8), nil)
			return
		}
		sum(w, c)
	})
	failing := addFunction
	failing.Fails = &Failure{Code: Field{0, Int32}, Message: None}
	session := open(t, options, failing, dataFunction)
	pipe := NewPipeline(context.Background(), session)
	before := sendAdd(pipe, 1, 1)
	fails := sendAdd(pipe, 7, 1)
	call := pipe.Calls().Begin(1)
	call.PutText(0, "text", "a\x00b")
	refused := Read(call, func(r *Reply) []byte { return r.Bytes(0) })
	none := Values(pipe.Calls().Begin(9), first)
	behind := sendAdd(pipe, 2, 2)
	if got, err := behind.Result(); got != 4 || err != nil {
		t.Error(got, err)
	}
	if got, err := before.Result(); got != 2 || err != nil {
		t.Error(got, err)
	}
	if _, err := fails.Result(); !errors.Is(err, hotcell.ErrLibraryError) {
		t.Error(err)
	}
	if _, err := refused.Result(); !errors.Is(err, hotcell.ErrInvalidArgument) {
		t.Error(err)
	}
	if _, err := none.Result(); !errors.Is(err, hotcell.ErrInvalidArgument) || !strings.Contains(err.Error(), "no such function") {
		t.Error(err)
	}
}

// Results that need space get it one behind the other, in windows that calls by themselves have, too.
func TestCallsInFlightHaveWindows(t *testing.T) {
	_, options := fake(t, 1, func(w *fakeWorker, c *fakeCall) {
		want := make([]byte, 5000)
		for at := range want {
			want[at] = c.args[16]
		}
		c.reply(wire.ReplyStateNeedSpace, uint64(len(want)), nil, nil)
		_, place, _ := c.resumed()
		copy(w.segment(place.Segment()), want)
		block := binary.NativeEndian.AppendUint64(nil, uint64(place))
		c.reply(wire.ReplyStateReturned, 0, binary.NativeEndian.AppendUint64(block, uint64(len(want))), nil)
	})
	session := open(t, options, addFunction, dataFunction)
	pipe := NewPipeline(context.Background(), session)
	for range 2 {
		var tickets []Ticket[[]byte]
		for at := range 30 {
			tickets = append(tickets, sendData(pipe, []byte{byte(at)}))
		}
		for at, ticket := range slices.Backward(tickets) {
			if got, err := ticket.Result(); err != nil || len(got) != 5000 || got[0] != byte(at) || got[4999] != byte(at) {
				t.Fatal(at, err)
			}
		}
		call := session.Begin(context.Background(), 1)
		call.PutBytes(0, "in", []byte{77})
		if got := call.Finish().Bytes(0); len(got) != 5000 || got[4999] != 77 {
			t.Fatal(len(got), call.err)
		}
		call.End()
	}
}

// Data that do not fit a slot lie one behind the other, and the segment is used again.
func TestDataInFlightNeverOverlap(t *testing.T) {
	_, options := fake(t, 1, func(w *fakeWorker, c *fakeCall) {
		time.Sleep(50 * time.Microsecond)
		place := binary.NativeEndian.Uint64(c.args)
		from := w.segment(uint16(place >> wire.PlaceSegmentShift))[place&(1<<wire.PlaceSegmentShift-1):]
		block := make([]byte, 16)
		for at, last := range []int{0, 59_999} {
			block[8*at] = from[last]
		}
		c.reply(wire.ReplyStateReturned, 0, block, nil)
	})
	session := open(t, options, addFunction, dataFunction)
	pipe := NewPipeline(context.Background(), session)
	var tickets []Ticket[[2]uint64]
	for at := range 200 {
		data := make([]byte, 60_000)
		for index := range data {
			data[index] = byte(at)
		}
		call := pipe.Calls().Begin(1)
		call.PutBytes(0, "in", data)
		tickets = append(tickets, Values(call, func(r Numbers) [2]uint64 { return [2]uint64{r.Uint64(0), r.Uint64(8)} }))
	}
	for at, ticket := range tickets {
		if got, err := ticket.Result(); err != nil || got != [2]uint64{uint64(byte(at)), uint64(byte(at))} {
			t.Fatal(at, got, err)
		}
	}
}

// Who has no reply when the worker ends has met the end or was lost with it, and the next call has another worker.
func TestTheEndOfAWorkerWithCallsInFlight(t *testing.T) {
	for _, kind := range []hotcell.Kind{hotcell.ErrCrashed, hotcell.ErrProtocolViolation} {
		sent := make(chan struct{})
		_, options := fake(t, 1, func(w *fakeWorker, c *fakeCall) {
			if binary.NativeEndian.Uint32(c.args) != 7 {
				sum(w, c)
				return
			}
			<-sent
			if kind == hotcell.ErrCrashed {
				fault := map[string]any{"kind": "Crashed", "message": "SIGSEGV"}
				w.end(fault, 0, "call", strconv.FormatUint(c.id, 10))
				return
			}
			c.reply(wire.ReplyStateReturned, 0, make([]byte, 8), func(r *fakeReply) { r.id++ })
			for !w.ended.Load() {
				time.Sleep(time.Millisecond)
			}
		})
		pipe := NewPipeline(context.Background(), open(t, options, addFunction))
		before, meets := sendAdd(pipe, 1, 1), sendAdd(pipe, 7, 1)
		behind := []Ticket[int32]{sendAdd(pipe, 2, 2), sendAdd(pipe, 7, 2), sendAdd(pipe, 3, 3)}
		close(sent)
		for _, ticket := range behind {
			var failed *hotcell.Error
			if _, err := ticket.Result(); !errors.As(err, &failed) || failed.Kind != hotcell.ErrWorkerLost || failed.Executed != hotcell.ExecutedMaybe {
				t.Error(kind, err)
			}
		}
		if got, err := before.Result(); got != 2 || err != nil {
			t.Error(got, err)
		}
		if _, err := meets.Result(); !errors.Is(err, kind) {
			t.Error(err)
		}
		if got, err := sendAdd(pipe, 20, 2).Result(); got != 22 || err != nil {
			t.Error(got, err)
		}
	}
}

// A context that is cancelled gives up all that is in flight, and what was not sent is refused.
func TestACancelledContextGivesUpWhatIsInFlight(t *testing.T) {
	_, options := fake(t, 1, func(w *fakeWorker, c *fakeCall) {
		if w.generation > 1 {
			sum(w, c)
		}
	})
	session := open(t, options, addFunction)
	ctx, cancel := context.WithCancel(context.Background())
	pipe := NewPipeline(ctx, session)
	tickets := []Ticket[int32]{sendAdd(pipe, 1, 1), sendAdd(pipe, 2, 2), sendAdd(pipe, 3, 3)}
	time.AfterFunc(10*time.Millisecond, cancel)
	pipe.Settle()
	tickets = append(tickets, sendAdd(pipe, 4, 4))
	for at, ticket := range tickets {
		if _, err := ticket.Result(); !errors.Is(err, hotcell.ErrCancelled) || at < 3 && !errors.Is(err, context.Canceled) {
			t.Error(at, err)
		}
	}
	if got, err := add(context.Background(), session, 1, 2); got != 3 || err != nil {
		t.Fatal(got, err)
	}
}

// A call that hangs is ended when it is waited for, by its own time.
func TestACallInFlightHasItsTimeFromWhenItIsWaitedFor(t *testing.T) {
	_, options := fake(t, 1, func(w *fakeWorker, c *fakeCall) {
		if binary.NativeEndian.Uint32(c.args) != 7 {
			sum(w, c)
		}
	})
	options.Deadline = 30 * time.Millisecond
	session := open(t, options, addFunction)
	pipe := NewPipeline(context.Background(), session)
	good, hangs := sendAdd(pipe, 1, 1), sendAdd(pipe, 7, 1)
	time.Sleep(100 * time.Millisecond)
	if got, err := good.Result(); got != 2 || err != nil {
		t.Error(got, err)
	}
	begun := time.Now()
	if _, err := hangs.Result(); !errors.Is(err, hotcell.ErrHung) || time.Since(begun) < 25*time.Millisecond {
		t.Error(err, time.Since(begun))
	}
}

// A callback that the library keeps runs where a reply is waited for: what it panics with comes out where the result is taken, and one
// that ends its goroutine costs the worker.
func TestCallbacksOfCallsInFlight(t *testing.T) {
	_, options := fake(t, 1, func(_ *fakeWorker, c *fakeCall) {
		block := make([]byte, 8)
		if c.function == 2 {
			number := int32(binary.NativeEndian.Uint64(c.args))
			c.reply(wire.ReplyStateCallback, 0, nil, func(r *fakeReply) { r.errno, r.length = number, 0 })
			_, _, value := c.resumed()
			binary.NativeEndian.PutUint32(block, uint32(value))
		}
		c.reply(wire.ReplyStateReturned, 0, block, nil)
	})
	one := Function{Name: "f", Args: 8, Results: 8}
	session := open(t, options, one, one, one)
	thing := newHandle(session, object{1, 1<<wire.HandleTypeShift | 1<<wire.HandleGenerationShift}, true, &Release{}, nil)
	does := func() uint64 { return 41 }
	call := session.Begin(context.Background(), 1)
	call.PutKept(0, "run", 0, func(context.Context, *Invocation) (uint64, error) { return does(), nil }, thing)
	number := binary.NativeEndian.Uint64(call.block)
	if err := call.Finish().Err(); err != nil {
		t.Fatal(err)
	}
	call.End()
	pipe := NewPipeline(context.Background(), session)
	callBack := func() Ticket[int32] {
		call := pipe.Calls().Begin(2)
		call.PutUint64(0, number)
		return Values(call, first)
	}
	if got, err := callBack().Result(); got != 41 || err != nil {
		t.Fatal(got, err)
	}
	does = func() uint64 { panic("out of the callback") }
	panics, behind := callBack(), callBack()
	pipe.Settle()
	for _, ticket := range []Ticket[int32]{panics, behind, panics} {
		func() {
			defer func() {
				if got := recover(); got != "out of the callback" {
					t.Error(got)
				}
			}()
			_, err := ticket.Result()
			t.Error("nothing came out but", err)
		}()
	}
	does = func() uint64 { goexit(); return 0 }
	ends, lost := callBack(), callBack()
	over := make(chan struct{})
	go func() {
		defer close(over)
		pipe.Settle()
	}()
	<-over
	for _, ticket := range []Ticket[int32]{ends, lost} {
		if _, err := ticket.Result(); err == nil {
			t.Error("it has succeeded")
		}
	}
}

// In a callback no pipeline waits for the seat that its caller has.
func TestAPipelineInACallbackIsRefused(t *testing.T) {
	_, options := fake(t, 1, func(_ *fakeWorker, c *fakeCall) {
		c.reply(wire.ReplyStateCallback, 0, nil, func(r *fakeReply) { r.errno, r.length = 1, 0 })
		c.resumed()
		c.reply(wire.ReplyStateReturned, 0, make([]byte, 8), nil)
	})
	session := open(t, options, addFunction)
	call := session.Begin(context.Background(), 0)
	defer call.End()
	call.PutCallback(0, 0, func(ctx context.Context, _ *Invocation) (uint64, error) {
		_, err := sendAdd(NewPipeline(ctx, session), 1, 2).Result()
		if !errors.Is(err, hotcell.ErrUnavailable) {
			t.Error(err)
		}
		return 0, nil
	})
	if err := call.Finish().Err(); err != nil {
		t.Fatal(err)
	}
}

// A session that is closed ends what is in flight.
func TestClosingASessionEndsWhatIsInFlight(t *testing.T) {
	_, options := fake(t, 1, func(*fakeWorker, *fakeCall) {})
	session := open(t, options, addFunction)
	pipe := NewPipeline(context.Background(), session)
	ticket := sendAdd(pipe, 1, 2)
	_ = session.Close()
	if _, err := ticket.Result(); err == nil {
		t.Error("it has succeeded")
	}
	if _, err := sendAdd(pipe, 1, 2).Result(); !errors.Is(err, hotcell.ErrUnavailable) {
		t.Error(err)
	}
}
