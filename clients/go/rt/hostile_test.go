package rt

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"hotcell"
	"hotcell/internal/shm"
	"hotcell/internal/wire"
)

var addFunction = Function{Name: "add", Args: 8, Results: 8}
var dataFunction = Function{Name: "data", Args: 16, Results: 16}

func add(ctx context.Context, s *Session, a, b int32) (int32, error) {
	call := s.Begin(ctx, 0)
	defer call.End()
	call.PutInt32(0, a)
	call.PutInt32(4, b)
	reply := call.Finish()
	return reply.Int32(0), reply.Err()
}

func data(ctx context.Context, s *Session) ([]byte, error) {
	call := s.Begin(ctx, 1)
	defer call.End()
	call.PutBytes(0, "in", []byte("in"))
	reply := call.Finish()
	return reply.Bytes(0), reply.Err()
}

// sum answers an addition as it should be.
func sum(_ *fakeWorker, c *fakeCall) {
	block := make([]byte, 8)
	binary.NativeEndian.PutUint32(block, binary.NativeEndian.Uint32(c.args)+binary.NativeEndian.Uint32(c.args[4:]))
	c.reply(wire.ReplyStateReturned, 0, block, nil)
}

func TestCallsGoThereAndBack(t *testing.T) {
	_, options := fake(t, 1, sum)
	session := open(t, options, addFunction)
	for at := range int32(1000) {
		if got, err := add(context.Background(), session, at, 7); err != nil || got != at+7 {
			t.Fatalf("%d and 7 are %d, %v", at, got, err)
		}
	}
}

// Whatever a worker says of its reply, the call is a violation and the next one has another worker.
func TestALieInTheHeadOfAReplyIsAViolation(t *testing.T) {
	lies := map[string]func(*fakeReply){
		"a state that there is not":    func(r *fakeReply) { r.state = 99 },
		"state 0":                      func(r *fakeReply) { r.state = 0 },
		"a state that was not agreed":  func(r *fakeReply) { r.state = wire.ReplyStateDenied },
		"another call":                 func(r *fakeReply) { r.id++ },
		"no call":                      func(r *fakeReply) { r.id = 0 },
		"a commit word that skips one": func(r *fakeReply) { r.commit++ },
		"a commit word from before":    func(r *fakeReply) { r.commit -= 2 },
		"results that are too short":   func(r *fakeReply) { r.length = 7 },
		"results longer than the slot": func(r *fakeReply) { r.length = wire.MaxResult + 1 },
		"a callback nobody passed":     func(r *fakeReply) { r.state, r.errno = wire.ReplyStateCallback, 1 },
		"a callback below 1":           func(r *fakeReply) { r.state, r.errno = wire.ReplyStateCallback, -1 },
		"a refusal that there is not":  func(r *fakeReply) { r.state, r.value = wire.ReplyStateRefused, 1<<40 },
		"a refusal of objects":         func(r *fakeReply) { r.state, r.value = wire.ReplyStateRefused, uint64(wire.RefusalStaleHandle) },
		"a refusal of what this wrote": func(r *fakeReply) { r.state, r.value = wire.ReplyStateRefused, uint64(wire.RefusalBadArguments) },
	}
	for name, lie := range lies {
		t.Run(name, func(t *testing.T) {
			_, options := fake(t, 1, func(w *fakeWorker, c *fakeCall) {
				if w.generation > 1 {
					sum(w, c)
					return
				}
				c.reply(wire.ReplyStateReturned, 0, make([]byte, 8), lie)
			})
			session := open(t, options, addFunction)
			_, err := add(context.Background(), session, 1, 2)
			var failed *hotcell.Error
			if !errors.Is(err, hotcell.ErrProtocolViolation) || !errors.As(err, &failed) || failed.Executed != hotcell.ExecutedMaybe {
				t.Fatalf("%v", err)
			}
			if got, err := add(context.Background(), session, 1, 2); got != 3 || err != nil || session.Generation() != 2 {
				t.Fatalf("the next call: %d, %v", got, err)
			}
		})
	}
}

// A reference must lie in memory that was granted to this very call.
func TestAReferenceToOtherMemoryIsAViolation(t *testing.T) {
	slot := uint64(slotOf(0, 0))
	place := func(segment uint16, offset uint64) uint64 { return uint64(segment)<<wire.PlaceSegmentShift | offset }
	behind := slot + wire.ResultOffset + 16
	for name, lie := range map[string][2]uint64{
		"the fixed results":      {place(wire.SegmentReply, behind-1), 1},
		"behind the slot":        {place(wire.SegmentReply, slot+wire.SlotStride-1), 2},
		"before the slot":        {place(wire.SegmentReply, 0), 8},
		"far too long":           {place(wire.SegmentReply, behind), 1 << 29},
		"a sum that overflows":   {place(wire.SegmentReply, behind), 1<<64 - 9},
		"the request":            {place(wire.SegmentRequest, behind), 8},
		"a segment there is not": {place(7, 0), 8},
		"a batch's":              {place(wire.SegmentBatch, 0), 8},
		"the last offset":        {1<<64 - 2, 1},
	} {
		t.Run(name, func(t *testing.T) {
			_, options := fake(t, 1, func(_ *fakeWorker, c *fakeCall) {
				block := binary.NativeEndian.AppendUint64(nil, lie[0])
				c.reply(wire.ReplyStateReturned, 0, binary.NativeEndian.AppendUint64(block, lie[1]), nil)
			})
			session := open(t, options, addFunction, dataFunction)
			got, err := data(context.Background(), session)
			if !errors.Is(err, hotcell.ErrProtocolViolation) && !errors.Is(err, hotcell.ErrLimitExceeded) || got != nil {
				t.Fatalf("%q, %v", got, err)
			}
		})
	}
}

func TestALengthThatIsImpossibleIsALie(t *testing.T) {
	_, options := fake(t, 1, func(_ *fakeWorker, c *fakeCall) {
		block := binary.NativeEndian.AppendUint64(nil, uint64(slotOf(0, 0)))
		c.reply(wire.ReplyStateReturned, 0, binary.NativeEndian.AppendUint64(block, wire.LengthImpossible), nil)
	})
	session := open(t, options, addFunction, dataFunction)
	if _, err := data(context.Background(), session); !errors.Is(err, hotcell.ErrInvalidReply) {
		t.Fatal(err)
	}
}

// A worker that writes anything anywhere never makes this process fail: every call gives a value or one of the errors.
func TestScribblingEndsInErrors(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	_, options := fake(t, 1, func(w *fakeWorker, c *fakeCall) {
		random := rand.New(rand.NewPCG(seed, c.id))
		at := slotOf(0, c.slot)
		for range 64 {
			w.reply[at+random.IntN(wire.SlotStride-4)] = byte(random.Uint32())
		}
		c.reply(wire.ReplyState(random.IntN(9)), random.Uint64()>>random.IntN(64), nil, func(r *fakeReply) {
			r.errno, r.length = int32(random.IntN(4)-1), random.Uint32()>>random.IntN(32)
			if random.IntN(4) == 0 {
				r.commit += uint32(random.IntN(3))
			}
		})
	})
	options.Deadline = 50 * time.Millisecond
	session := open(t, options, addFunction, dataFunction)
	for range 200 {
		_, err := data(context.Background(), session)
		var failed *hotcell.Error
		if err != nil && (!errors.As(err, &failed) || failed.Kind.String() == "") {
			t.Fatalf("%T %v", err, err)
		}
	}
}

func TestSpaceIsGrantedAndItsDataAreRead(t *testing.T) {
	want := make([]byte, 100_000)
	for at := range want {
		want[at] = byte(at * 7)
	}
	_, options := fake(t, 1, func(w *fakeWorker, c *fakeCall) {
		c.reply(wire.ReplyStateNeedSpace, uint64(len(want)), nil, nil)
		kind, place, _ := c.resumed()
		if kind != wire.ResumeGranted {
			c.reply(wire.ReplyStateRefused, uint64(wire.RefusalNoSpace), []byte("out"), nil)
			return
		}
		copy(w.segment(place.Segment()), want)
		block := binary.NativeEndian.AppendUint64(nil, uint64(place))
		c.reply(wire.ReplyStateReturned, 0, binary.NativeEndian.AppendUint64(block, uint64(len(want))), nil)
	})
	session := open(t, options, addFunction, dataFunction)
	for range 3 {
		if got, err := data(context.Background(), session); err != nil || string(got) != string(want) {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
	}
	options.MaxOutput = 1000
	small := open(t, options, addFunction, dataFunction)
	_, err := data(context.Background(), small)
	var limit *hotcell.LimitError
	if !errors.Is(err, hotcell.ErrLimitExceeded) || !errors.As(err, &limit) || limit.Value != 1000 {
		t.Fatal(err)
	}
	_ = shm.Null
}

func TestAWorkerThatAsksForSpaceWithoutEndIsEnded(t *testing.T) {
	_, options := fake(t, 1, func(_ *fakeWorker, c *fakeCall) {
		for range 100 {
			c.reply(wire.ReplyStateNeedSpace, 1, nil, nil)
			c.resumed()
		}
	})
	session := open(t, options, addFunction, dataFunction)
	if _, err := data(context.Background(), session); !errors.Is(err, hotcell.ErrProtocolViolation) {
		t.Fatal(err)
	}
}

func TestAServerOfAnotherVersionIsToldOfBoth(t *testing.T) {
	server, options := fake(t, 1, sum)
	server.older.Store(1)
	_, err := Open(context.Background(), &Package{Runtime: Version, Library: "fake", Shim: []byte("shim")}, options)
	if !errors.Is(err, hotcell.ErrAbiMismatch) || !strings.Contains(err.Error(), "hotcell fake speaks version 1 to its clients, this client 2") {
		t.Error(err)
	}
}

// A package that was made before says neither what tells inputs apart nor how it is called: it goes without nothing in silence.
func TestAPackageWithoutACompiledShimSaysHowItGetsOne(t *testing.T) {
	_, err := Open(t.Context(), &Package{Runtime: Version, Library: "fake"}, hotcell.Options{Program: "/nowhere/hotcell"})
	var failed *hotcell.Error
	if !errors.As(err, &failed) || failed.Kind != hotcell.ErrLoadFailed || failed.Executed != hotcell.ExecutedNo ||
		!strings.Contains(err.Error(), "no compiled shim") || !strings.Contains(err.Error(), "go generate") {
		t.Fatal(err)
	}
}

func TestAPackageOfAnotherVersionIsRefused(t *testing.T) {
	for _, version := range []uint32{0, Version - 1, Version + 1} {
		_, err := Open(context.Background(), &Package{Runtime: version, Library: "fake"}, hotcell.Options{})
		if !errors.Is(err, hotcell.ErrAbiMismatch) || !strings.Contains(err.Error(), "generate it anew") {
			t.Error(version, err)
		}
	}
}
