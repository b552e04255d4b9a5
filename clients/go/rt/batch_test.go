package rt

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"hotcell"
	"hotcell/internal/wire"
	"math/rand/v2"
	"time"
)

// emptyBatch is one of a package whose functions take these many bytes.
func emptyBatch(args ...uint16) *Batch {
	var options hotcell.Options
	pack := &Package{Library: "test"}
	for _, args := range args {
		pack.Functions = append(pack.Functions, Function{Name: "f", Args: args, Results: 4})
	}
	return NewBatch(&Session{pack: pack, options: options.WithDefaults()})
}

// packedOf is all that a batch would send.
func packedOf(b *Batch) string {
	parts := b.parts()
	return string(slices.Concat(parts[0], parts[1], parts[2]))
}

func first(r Numbers) int32 { return r.Int32(0) }

func firstRead(r *Reply) int32 { return r.Int32(0) }

// What was put into an entry that was not added is nowhere: neither in the next one, nor in what is sent.
func TestWhatWasGivenUpIsForgotten(t *testing.T) {
	batch := emptyBatch(8, 24)
	call := batch.Begin(0)
	call.PutInt32(0, 1)
	Values(call, first)
	call = batch.Begin(1)
	call.PutBytes(0, "data", []byte("forgotten"))
	call.PutUint64(16, ^uint64(0))
	call = batch.Begin(0)
	call.PutInt32(0, 2)
	Values(call, first)
	// One that something is wrong with.
	call = batch.Begin(1)
	call.PutUint64(8, ^uint64(0))
	call.PutText(0, "text", "a\x00b")
	bad := Values(call, first)
	call = batch.Begin(1)
	call.PutUint32(16, 3)
	Values(call, first)
	batch.Begin(1).PutUint64(0, ^uint64(0))
	batch.giveUp()
	if _, err := bad.Result(); !errors.Is(err, hotcell.ErrInvalidArgument) || batch.Len() != 3 {
		t.Fatal(err, batch.Len())
	}
	packed := packedOf(batch)
	sent := make([]byte, 16+8+8+24)
	binary.LittleEndian.PutUint16(sent[8:], 1)
	sent[16], sent[24], sent[48] = 1, 2, 3
	if packed != string(sent) || len(batch.blob) != 0 {
		t.Fatalf("% x", packed)
	}
}

// A batch that is made again has the memory of the one before, and nothing of what was in it.
func TestABatchThatIsResetHasNothingOfBefore(t *testing.T) {
	batch := emptyBatch(24)
	for range 2 {
		for range 300 {
			Values(batch.Begin(0), first)
			batch.entry.PutUint64(16, ^uint64(0))
		}
		batch.Begin(0).PutUint64(0, ^uint64(0))
		batch.Reset()
		Values(batch.Begin(0), first)
		Values(batch.Begin(0), first)
		if packed := packedOf(batch); packed != string(make([]byte, 8+48)) {
			t.Fatalf("% x", packed)
		}
		batch.leaveMemory()
		batch.Reset()
	}
}

// An entry more than a batch may have is refused, and so is a function that there is not. Those that were added stay.
func TestEntriesThatAreRefusedHaveTickets(t *testing.T) {
	batch := emptyBatch(8)
	for range wire.MaxBatch {
		Values(batch.Begin(0), first)
	}
	call := batch.Begin(0)
	call.PutInt32(0, 7)
	many := Read(call, firstRead)
	none := Values(batch.Begin(1), first)
	if _, err := many.Result(); !errors.Is(err, hotcell.ErrLimitExceeded) {
		t.Fatal(err)
	}
	if _, err := none.Result(); !errors.Is(err, hotcell.ErrInvalidArgument) || !strings.Contains(err.Error(), "no such function") {
		t.Fatal(err)
	}
	if batch.Len() != wire.MaxBatch || len(batch.readers) != 0 {
		t.Fatal(batch.Len(), len(batch.readers))
	}
}

// The result of an entry is there when the batch has run.
func TestABatchThatHasNotRunHasNoResults(t *testing.T) {
	batch := emptyBatch(8)
	number, value := Values(batch.Begin(0), first), Read(batch.Begin(0), firstRead)
	for _, ticket := range []Ticket[int32]{number, value} {
		if _, err := ticket.Result(); !errors.Is(err, hotcell.ErrInvalidArgument) || !strings.Contains(err.Error(), "has not run") {
			t.Fatal(err)
		}
	}
	if err := emptyBatch().Run(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// A ticket is of what the batch was when it was given.
func TestTicketsFromBeforeAResetAreRefused(t *testing.T) {
	batch := emptyBatch(16)
	before, bad := Values(batch.Begin(0), first), Values(batch.Begin(7), first)
	batch.Reset()
	after := Values(batch.Begin(0), first)
	for _, ticket := range []Ticket[int32]{before, bad} {
		if _, err := ticket.Result(); !errors.Is(err, hotcell.ErrInvalidArgument) || !strings.Contains(err.Error(), "made anew") {
			t.Error(err)
		}
	}
	if _, err := after.Result(); !strings.Contains(err.Error(), "has not run") {
		t.Error(err)
	}
	// What was put into it before counts no more.
	batch.session.options.MaxInput = 100
	for range 10 {
		batch.Reset()
		call := batch.Begin(0)
		call.PutBytes(0, "in", make([]byte, 90))
		if Values(call, first); batch.Len() != 1 {
			t.Fatal("it has no room any more")
		}
	}
}

// Objects and results that are no numbers are those of their entries, wherever these lie.
func TestWhatIsKnownOfEntriesIsTheirs(t *testing.T) {
	batch := emptyBatch(8, 16)
	things := make([]*Handle, 3)
	for at := range things {
		things[at] = &Handle{session: batch.session, object: object{1, 1<<wire.HandleTypeShift | uint64(at+1)}, gone: new(atomic.Bool)}
	}
	batch.session.pack.Handles = []HandleType{{Name: "thing"}}
	Values(batch.Begin(0), first)
	for at, thing := range things {
		call := batch.Begin(1)
		call.PutHandle(0, "thing", thing, 1)
		if at == 1 {
			Read(call, firstRead)
		} else {
			Values(call, first)
		}
		Values(batch.Begin(0), first)
	}
	for number, want := range [][]*Handle{nil, {things[0]}, nil, {things[1]}, nil, {things[2]}, nil} {
		var got []*Handle
		for _, passed := range batch.passedBy(number) {
			got = append(got, passed.handle)
		}
		if !slices.Equal(got, want) || batch.functionOf(number) != &batch.functions[len(want)] {
			t.Errorf("%d: %v", number, got)
		}
		if has := batch.extraOf(number).reader > 0; has != (number == 3) {
			t.Errorf("%d has a reader: %t", number, has)
		}
	}
}

// Entries of numbers are the same however they are begun, and whatever was given up between them.
func TestEntriesOfNumbersAreAsOthers(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	sizes := []uint16{16, 24, 40}
	for range 200 {
		batch, plain := emptyBatch(sizes...), emptyBatch(sizes...)
		function, tickets := 0, []Ticket[int32]{}
		for entry := range 1 + random.IntN(200) {
			if random.IntN(20) == 0 {
				function = random.IntN(len(sizes))
			}
			if random.IntN(10) == 0 {
				// One that is begun and never added, or refused.
				call := batch.Begin(function)
				call.PutBytes(0, "data", []byte("forgotten"))
				call.PutUint64(0, ^uint64(0))
				if random.IntN(2) == 0 {
					call.PutText(0, "text", "a\x00b")
					Values(call, first)
				}
			}
			if random.IntN(4) == 0 {
				call := batch.Begin(function)
				call.PutUint64(0, uint64(entry))
				tickets = append(tickets, Values(call, first))
			} else {
				block, stamp := batch.BeginNumbers(function)
				block.PutUint64(0, uint64(entry))
				tickets = append(tickets, Added(batch, stamp, first))
			}
			call := plain.Begin(function)
			call.PutUint64(0, uint64(entry))
			Values(call, first)
		}
		if batch.Len() != plain.Len() || packedOf(batch) != packedOf(plain) {
			t.Fatalf("%d entries, not %d:\n% x\n% x", batch.Len(), plain.Len(), packedOf(batch), packedOf(plain))
		}
		for number, ticket := range tickets {
			if int(uint32(ticket.stamp)) != number || ticket.stamp>>32 != batch.epoch>>32 {
				t.Fatalf("ticket %d is that of %#x", number, ticket.stamp)
			}
		}
	}
}

// The heads that a batch has left serve the next one as far as they are the same.
func TestHeadsOfTheBatchBeforeAreTheSame(t *testing.T) {
	batch := emptyBatch(8, 16)
	for at, entries := range [][]int{
		{1, 1, 1}, {1, 1, 1, 1, 1}, {1}, {1, 1, 1}, {1, 1, 1}, {1, 1}, {0, 0}, {1, 0, 1}, {1, 1, 1, 1}, {0, 1}, {1, 1}, {1, 1, 1, 1},
		// One that turns to others where there were heads of its first.
		{1, 0, 1, 1}, {1, 1, 1, 1}, {1, 1, 0, 1}, {1, 1, 1, 1},
	} {
		want := []byte{}
		for number, function := range entries {
			Values(batch.Begin(function), first)
			want = binary.LittleEndian.AppendUint32(want, uint32(function))
			// One that is not to be executed, in every other batch but the last four.
			if number == 1 && at%2 == 0 && at < 12 {
				batch.fail(1, errClosed)
				want[6] |= wire.EntryFlagsSkip
			}
		}
		heads := batch.parts()[0]
		if want = append(want, make([]byte, -len(want)&7)...); string(heads) != string(want) {
			t.Errorf("%d, %v: % x, not % x", at, entries, heads, want)
		}
		batch.leaveMemory()
		batch.Reset()
	}
}
