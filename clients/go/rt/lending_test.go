package rt

import (
	"context"
	"encoding/binary"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"hotcell"
	"hotcell/internal/shm"
	"hotcell/internal/wire"
)

// lentFunction is passed data that it is lent, or room for such: a reference, or a capacity, and gives a reference.
var lentFunction = Function{Name: "fill", Args: 16, Results: 16}

// lends is a session whose workers answer calls that lend so, with a buffer of 5,000 bytes.
func lends(t *testing.T, answer func(w *fakeWorker, place shm.Place, length uint64) (shm.Place, uint64)) (*Session, *hotcell.SharedBuffer) {
	t.Helper()
	_, options := fake(t, 1, func(w *fakeWorker, c *fakeCall) {
		place, length := shm.Place(binary.NativeEndian.Uint64(c.args)), binary.NativeEndian.Uint64(c.args[8:])
		if c.function == 1 && place&wire.Lent != 0 {
			// It is the place of a reference.
			place &^= wire.Lent
			said := w.segment(place.Segment())[place.Offset():]
			place, length = shm.Place(binary.NativeEndian.Uint64(said)), binary.NativeEndian.Uint64(said[8:])
		} else if c.function == 1 {
			place, length = shm.Null, uint64(place)
		}
		place, length = answer(w, place&^wire.Lent, length)
		block := make([]byte, 16)
		binary.NativeEndian.PutUint64(block, uint64(place))
		binary.NativeEndian.PutUint64(block[8:], length)
		c.reply(wire.ReplyStateReturned, 0, block, nil)
	})
	session := open(t, options, lentFunction, lentFunction)
	buffer, err := session.AllocShared(5000)
	if err != nil {
		t.Fatal(err)
	}
	return session, buffer
}

// fill makes a call that lends a buffer.
func fill(s *Session, function int, buffer *hotcell.SharedBuffer) (int, error) {
	call := s.Begin(context.Background(), function)
	defer call.End()
	if function == 0 {
		call.LendData(0, "data", buffer)
	} else {
		call.LendRoom(0, "data", buffer)
	}
	reply := call.Finish()
	return reply.Filled(0, buffer), reply.Err()
}

// A result lies in the buffer that was lent for it, and is no longer; else it is a lie, and the worker goes.
func TestAResultLiesInTheBufferThatWasLent(t *testing.T) {
	for name, test := range map[string]struct {
		lie  func(place shm.Place, length uint64) (shm.Place, uint64)
		want hotcell.Kind
		gets int
	}{
		"all of it": {lie: func(place shm.Place, length uint64) (shm.Place, uint64) { return place, length }, gets: 5000},
		"a part":    {lie: func(place shm.Place, _ uint64) (shm.Place, uint64) { return place, 7 }, gets: 7},
		"more":      {lie: func(place shm.Place, length uint64) (shm.Place, uint64) { return place, length + 1 }, want: hotcell.ErrProtocolViolation},
		"elsewhere": {lie: func(place shm.Place, length uint64) (shm.Place, uint64) { return place + 8, 7 }, want: hotcell.ErrProtocolViolation},
		"nowhere":   {lie: func(shm.Place, uint64) (shm.Place, uint64) { return shm.Null, 0 }, want: hotcell.ErrProtocolViolation},
		"in the slot": {lie: func(shm.Place, uint64) (shm.Place, uint64) {
			return shm.PlaceOf(wire.SegmentReply, slotOf(0, 0)+wire.ResultOffset+16), 7
		}, want: hotcell.ErrProtocolViolation},
		"too much": {lie: func(place shm.Place, _ uint64) (shm.Place, uint64) { return place, wire.LengthImpossible }, want: hotcell.ErrInvalidReply},
	} {
		for function := range 2 {
			t.Run(name, func(t *testing.T) {
				wrote := []byte("written")
				session, buffer := lends(t, func(w *fakeWorker, place shm.Place, length uint64) (shm.Place, uint64) {
					if length != 5000 || place == shm.Null {
						t.Errorf("%d bytes at %#x are lent", length, place)
						return place, length
					}
					copy(w.segment(place.Segment()), wrote)
					return test.lie(place, length)
				})
				got, err := fill(session, function, buffer)
				if test.want == 0 && err != nil || test.want != 0 && !errors.Is(err, test.want) || got != test.gets {
					t.Error(got, err)
				}
				if test.want == 0 {
					data := make([]byte, len(wrote))
					if _, err := buffer.ReadAt(data, 0); err != nil || string(data) != string(wrote) {
						t.Error(data, err)
					}
				}
			})
		}
	}
}

// What is freed while it is lent is others' behind the call, and where that was given up, nobody's.
func TestABufferThatIsLentIsNobodyElses(t *testing.T) {
	forever := make(chan struct{})
	defer close(forever)
	var waits atomic.Bool
	session, buffer := lends(t, func(_ *fakeWorker, place shm.Place, length uint64) (shm.Place, uint64) {
		if waits.Load() {
			<-forever
		}
		return place, length
	})
	spare := func() int {
		session.buffers.mutex.Lock()
		defer session.buffers.mutex.Unlock()
		return len(session.buffers.spareShared)
	}
	call := session.Begin(context.Background(), 0)
	call.LendData(0, "data", buffer)
	buffer.Free()
	if spare() != 0 {
		t.Error("others may have it while it is lent")
	}
	generation := session.Generation()
	reply := call.Finish()
	if filled := reply.Filled(0, buffer); filled != 5000 || reply.Err() != nil || session.Generation() != generation {
		t.Error(filled, reply.Err(), "the worker has done nothing wrong")
	}
	call.End()
	if spare() != 1 {
		t.Error("it is lost")
	}
	again, err := session.AllocShared(4097)
	if err != nil || spare() != 0 {
		t.Fatal(err, spare())
	}
	call = session.Begin(context.Background(), 0)
	call.LendData(0, "data", again)
	// As if it had been sent, and nothing had come back.
	call.sent = true
	call.takeBack()
	call.sent = false
	again.Free()
	if spare() != 0 {
		t.Error("the worker that has it writes to it still")
	}
	call.End()
	if again, err = session.AllocShared(5000); err != nil {
		t.Fatal(err)
	}
	waits.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	call = session.Begin(ctx, 0)
	call.LendData(0, "data", again)
	if err := call.Finish().Err(); !errors.Is(err, hotcell.ErrHung) {
		t.Error(err)
	}
	call.End()
	again.Free()
	if spare() != 0 {
		t.Error("a call that was given up may write to it still")
	}
}
