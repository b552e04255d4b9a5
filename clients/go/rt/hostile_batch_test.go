package rt

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"hotcell"
	"hotcell/internal/wire"
)

// batchOf runs a batch of numbers and data, and gives the error of each.
func batchOf(s *Session, entries int) (errs []error) {
	batch := NewBatch(s)
	var numbers []Ticket[int32]
	var data []Ticket[[]byte]
	for range entries {
		call := batch.Begin(0)
		call.PutInt32(0, 1)
		numbers = append(numbers, Values(call, func(r Numbers) int32 { return r.Int32(0) }))
		call = batch.Begin(1)
		call.PutBytes(0, "in", []byte("some"))
		data = append(data, Read(call, func(r *Reply) []byte { return r.Bytes(0) }))
	}
	_ = batch.Run(context.Background())
	for at := range entries {
		_, first := numbers[at].Result()
		_, second := data[at].Result()
		errs = append(errs, first, second)
	}
	return errs
}

// batchReply is packed replies of so many entries, all of which returned, behind the result block in the slot.
func batchReply(slot, entries int, blocks int) []byte {
	length := entries*wire.BatchFailureSize + (entries+7)&^7 + blocks
	reply := make([]byte, wire.BatchResultSize, wire.BatchResultSize+length)
	place := uint64(wire.SegmentReply)<<wire.PlaceSegmentShift | uint64(slotOf(0, slot)+wire.ResultOffset+wire.BatchResultSize)
	binary.NativeEndian.PutUint64(reply[wire.BatchResultPlace:], place)
	binary.NativeEndian.PutUint64(reply[wire.BatchResultLength:], uint64(length))
	reply = append(reply, make([]byte, length)...)
	states := reply[wire.BatchResultSize+entries*wire.BatchFailureSize:]
	for entry := range entries {
		states[entry] = byte(wire.ReplyStateReturned)
	}
	for block := states[(entries+7)&^7:]; len(block) >= 24; block = block[24:] {
		binary.NativeEndian.PutUint64(block[8:], wire.PlaceNull)
	}
	return reply
}

// Entries before a lie stand; it is a violation of its entry, and those behind it are lost.
func TestALieInABatchIsAnErrorOfItsEntry(t *testing.T) {
	const entries = 4 // two of numbers, two of data
	for name, test := range map[string]struct {
		lie   func(reply []byte)
		kinds [entries]hotcell.Kind
	}{
		"none": {func([]byte) {}, [entries]hotcell.Kind{}},
		"a length that is too small": {func(reply []byte) { binary.NativeEndian.PutUint64(reply[wire.BatchResultLength:], 8) },
			[entries]hotcell.Kind{hotcell.ErrWorkerLost, hotcell.ErrWorkerLost, hotcell.ErrWorkerLost, hotcell.ErrWorkerLost}},
		"a place elsewhere": {func(reply []byte) { binary.NativeEndian.PutUint64(reply[wire.BatchResultPlace:], 0) },
			[entries]hotcell.Kind{hotcell.ErrWorkerLost, hotcell.ErrWorkerLost, hotcell.ErrWorkerLost, hotcell.ErrWorkerLost}},
		"a state of an entry": {func(reply []byte) { reply[wire.BatchResultSize+entries*wire.BatchFailureSize+1] = 99 },
			[entries]hotcell.Kind{0, hotcell.ErrProtocolViolation, hotcell.ErrWorkerLost, hotcell.ErrWorkerLost}},
		"data of an entry": {func(reply []byte) {
			block := reply[wire.BatchResultSize+entries*wire.BatchFailureSize+8+8:]
			binary.NativeEndian.PutUint64(block, 12)
			binary.NativeEndian.PutUint64(block[8:], 1)
		}, [entries]hotcell.Kind{0, hotcell.ErrProtocolViolation, hotcell.ErrWorkerLost, hotcell.ErrWorkerLost}},
	} {
		t.Run(name, func(t *testing.T) {
			_, options := fake(t, 1, func(_ *fakeWorker, c *fakeCall) {
				reply := batchReply(c.slot, entries, 2*24)
				test.lie(reply)
				c.reply(wire.ReplyStateReturned, 0, reply, nil)
			})
			session := open(t, options, addFunction, dataFunction)
			for entry, err := range batchOf(session, entries/2) {
				if want := test.kinds[entry]; want == 0 && err != nil || want != 0 && !errors.Is(err, want) {
					t.Errorf("entry %d: %v", entry, err)
				}
			}
		})
	}
}

// Whatever a worker writes into the replies of a batch, each entry has a value or one of the errors.
func TestScribblingInBatchesEndsInErrors(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	_, options := fake(t, 1, func(_ *fakeWorker, c *fakeCall) {
		random := rand.New(rand.NewPCG(seed, c.id))
		reply := batchReply(c.slot, 8, 4*24)
		for range 1 + random.IntN(20) {
			reply[random.IntN(len(reply))] = byte(random.Uint32())
		}
		c.reply(wire.ReplyStateReturned, 0, reply, nil)
	})
	options.Deadline = 50 * time.Millisecond
	session := open(t, options, addFunction, dataFunction)
	for range 200 {
		for _, err := range batchOf(session, 4) {
			var failed *hotcell.Error
			if err != nil && (!errors.As(err, &failed) || failed.Kind.String() == "") {
				t.Fatalf("%T %v", err, err)
			}
		}
	}
}
