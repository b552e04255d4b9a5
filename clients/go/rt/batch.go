package rt

import (
	"context"
	"encoding/binary"
	"math"
	"time"

	"hotcell"
	"hotcell/internal/shm"
	"hotcell/internal/wire"
)

// Batch is calls of one session that are sent together: one wake, one deadline. They are executed in order, and each fails for
// itself. Nothing is sent before [Batch.Run].
//
// It is run once. Behind that it is to be made anew, or cleared by [Batch.Reset].
type Batch struct {
	session *Session
	// entry is the one that is being written.
	entry *Call
	// heads, args and blob are the entries as they are sent: which functions, argument blocks, data.
	heads, args, blob []byte
	// packed is all of it, one behind the other.
	packed []byte
	// entries are what is known of each.
	entries []entry
	// blocks is how many bytes the result blocks have.
	blocks int
	ran    bool
	// copied is what came back at once: what is said of entries that failed, then states and results of all.
	reply             Reply
	copied            []byte
	failures, replies []byte
	err               error
}

// entry is a call of a batch.
type entry struct {
	function int
	// block is where its result block lies among the others.
	block int
	// objects is where its objects end among all of the batch.
	objects int
	// data is where its data end.
	data int
	// read reads its results when the batch has run; nil where they are numbers, which are read when they are taken.
	read func(*Reply)
	err  error
}

// batchFunction is what a batch is as a call.
var batchFunction = Function{Args: wire.BatchHeadSize, Results: wire.BatchResultSize}

// NewBatch is a batch without entries.
func NewBatch(session *Session) *Batch {
	batch := &Batch{session: session, entry: newCall(&seat{session: session}, 0)}
	batch.entry.batch, batch.entry.seat = batch, nil
	return batch
}

// Reset forgets the entries, and keeps the memory.
func (b *Batch) Reset() {
	b.heads, b.args, b.blob, b.entries = b.heads[:0], b.args[:0], b.blob[:0], b.entries[:0]
	b.blocks, b.ran, b.err = 0, false, nil
	clear(b.entry.passed)
	b.entry.passed = b.entry.passed[:0]
}

// Len is how many entries there are.
func (b *Batch) Len() int { return len(b.entries) }

// Begin begins an entry: a call of a function by its index. Arguments are put as into any call; it is added by [Values] or
// [Read], and has no End.
func (b *Batch) Begin(function int) *Call {
	c := b.entry
	b.giveUp()
	if uint(function) >= uint(len(b.session.pack.Functions)) {
		c.fn = &nothing
		c.fail(hotcell.ErrInvalidArgument, hotcell.ExecutedNo, nil, "the package has no such function")
		return c
	}
	c.function, c.fn = function, &b.session.pack.Functions[function]
	if len(b.entries) == wire.MaxBatch {
		c.fail(hotcell.ErrLimitExceeded, hotcell.ExecutedNo, &hotcell.LimitError{Limit: hotcell.LimitExceededEntries, Value: wire.MaxBatch}, "a batch has %d entries at most", wire.MaxBatch)
	}
	clear(c.block[:min((int(c.fn.Args)+7)&^7, len(c.block))])
	return c
}

// add copies data of the entry, and tail zero bytes.
func (b *Batch) add(data []byte, tail int) shm.Place {
	place := shm.PlaceOf(wire.SegmentBatch, len(b.blob))
	b.blob = append(b.blob, data...)
	b.blob = pad(append(b.blob, zeros[:tail]...))
	return place
}

// pad fills up to a multiple of 8.
func pad(data []byte) []byte {
	return append(data, zeros[:-len(data)&7]...)
}

// push adds the entry that is being written. One that something is wrong with leaves no trace.
func (b *Batch) push(read func(*Reply)) (number int, err error) {
	c := b.entry
	if err := c.err; err != nil {
		b.giveUp()
		return 0, err
	}
	number = len(b.entries)
	b.entries = append(b.entries, entry{c.function, b.blocks, len(c.passed), len(b.blob), read, nil})
	// The function, and no flags.
	b.heads = binary.LittleEndian.AppendUint32(b.heads, uint32(c.function))
	// The block is zero behind the arguments, as far as it is padded.
	b.args = append(b.args, c.block[:(c.fn.Args+7)&^7]...)
	b.blocks += blockSize(c.fn)
	return number, nil
}

// giveUp forgets what was put into an entry that was not added.
func (b *Batch) giveUp() {
	c := b.entry
	c.err = nil
	objects, data := 0, 0
	if last := len(b.entries) - 1; last >= 0 {
		objects, data = b.entries[last].objects, b.entries[last].data
	}
	b.blob = b.blob[:data]
	clear(c.passed[objects:])
	c.passed = c.passed[:objects]
}

// blockSize is how many bytes the result block of an entry has.
func blockSize(fn *Function) int { return max((int(fn.Results)+7)&^7, 8) }

// Ticket stands for the result of an entry.
type Ticket[T any] struct {
	batch *Batch
	entry int
	read  func(*Reply) T
	value *T
	err   error
}

// Values adds an entry whose results are numbers, which are read when they are taken.
func Values[T any](c *Call, read func(*Reply) T) Ticket[T] {
	number, err := c.batch.push(nil)
	return Ticket[T]{batch: c.batch, entry: number, read: read, err: err}
}

// Read adds an entry whose results are read when the batch has run.
func Read[T any](c *Call, read func(*Reply) T) Ticket[T] {
	value := new(T)
	number, err := c.batch.push(func(r *Reply) { *value = read(r) })
	return Ticket[T]{batch: c.batch, entry: number, value: value, err: err}
}

// Result is the entry's result, behind [Batch.Run].
func (t Ticket[T]) Result() (result T, err error) {
	b := t.batch
	switch {
	case t.err != nil:
		err = t.err
	case !b.ran:
		err = b.session.refused(hotcell.ErrInvalidArgument, "", "the batch has not run", nil)
	case b.entries[t.entry].err != nil:
		err = b.entries[t.entry].err
	case t.value != nil:
		result = *t.value
	default:
		b.reply.block = b.replies[b.blocksAt()+b.entries[t.entry].block:]
		result = t.read(&b.reply)
	}
	return result, err
}

// blocksAt is where the result blocks begin in what was copied, which begins with the states.
func (b *Batch) blocksAt() int { return (len(b.entries) + 7) &^ 7 }

// Run sends the entries and waits until all were executed. Its error is that of the batch as a whole; what became of an entry,
// its ticket says.
func (b *Batch) Run(ctx context.Context) error {
	b.ran = true
	if len(b.entries) == 0 {
		return nil
	}
	call := b.session.begin(ctx, wire.BatchFunction, b.function())
	defer call.End()
	call.reply.entries = len(b.entries)
	b.pass(call)
	b.put(call)
	if call.settle(); call.err == nil {
		b.judge(call)
	}
	if call.err != nil {
		b.lose(call)
	}
	return b.err
}

// pass passes the objects of all entries. An entry with one that has gone meanwhile has failed, and is not executed.
func (b *Batch) pass(call *Call) {
	if call.err != nil {
		return
	}
	for number := range b.entries {
		entry := &b.entries[number]
		count := b.objectsOf(number)
		for _, passed := range b.entry.passed[entry.objects-count : entry.objects] {
			call.pass(passed.handle.TypeName(), passed.handle, passed.handle.kind(), passed.usage)
			if call.err != nil {
				entry.err, call.err = call.err, nil
				binary.NativeEndian.PutUint16(b.heads[number*wire.BatchEntrySize+2:], wire.EntryFlagsSkip)
				break
			}
		}
	}
}

// function is what the batch is as a call: its time is the longest that an entry has by itself.
func (b *Batch) function() *Function {
	longest := time.Duration(0)
	for _, entry := range b.entries {
		own := b.session.pack.Functions[entry.function].Deadline
		if own == 0 {
			own = b.session.options.Deadline
		}
		longest = max(longest, own)
	}
	if longest == b.session.options.Deadline {
		return &batchFunction
	}
	function := batchFunction
	function.Deadline = longest
	return &function
}

// put writes the entries.
func (b *Batch) put(call *Call) {
	if call.err != nil {
		return
	}
	if call.seat.worker.Capabilities&wire.CapabilitiesBatch == 0 {
		call.fail(hotcell.ErrAbiMismatch, hotcell.ExecutedNo, nil, "the worker takes no batches")
		return
	}
	b.packed = pad(append(b.packed[:0], b.heads...))
	b.packed = append(append(b.packed, b.args...), b.blob...)
	place, ok := call.place("the entries", b.packed, 0)
	if !ok {
		return
	}
	call.PutUint32(wire.BatchHeadCount, uint32(len(b.entries)))
	call.PutUint32(wire.BatchHeadRepliesLength, uint32(b.repliesLength()))
	call.PutUint64(wire.BatchHeadPlace, uint64(place))
	call.PutUint64(wire.BatchHeadData, uint64(len(b.packed)-len(b.blob)))
	call.PutUint64(wire.BatchHeadLength, uint64(len(b.packed)))
}

// repliesLength is how many bytes the packed replies have: of each entry what is to be said where it failed, its state, and its
// results.
func (b *Batch) repliesLength() int {
	return len(b.entries)*wire.BatchFailureSize + b.blocksAt() + b.blocks
}

// mostPool is how many bytes of data behind the replies are copied with them.
const mostPool = 1 << 16

// judge copies the packed replies out and reads what lies in the worker's memory.
func (b *Batch) judge(call *Call) {
	place, used := shm.Place(call.reply.Uint64(wire.BatchResultPlace)), call.reply.Uint64(wire.BatchResultLength)
	length := uint64(b.repliesLength())
	if used < length || used > math.MaxInt32 && used > b.session.options.MaxOutput {
		call.violation("the replies of a batch are fewer than its entries")
		return
	}
	found, granted := call.seat.lane.Locate(&call.seat.arena, wire.BatchResultSize, place, used)
	if !granted {
		call.violation("the replies of a batch lie outside of the memory granted to it")
		return
	}
	failures := len(b.entries) * wire.BatchFailureSize
	copied := int(min(used, length+mostPool))
	if cap(b.copied) < copied {
		b.copied = make([]byte, copied)
	}
	all := b.copied[:copied]
	found.CopyFirst(all)
	b.failures, b.replies = all[:failures], all[failures:]
	b.reply.call = call
	b.reply.pool = pool{place: place, data: all}
	for number := range b.entries {
		b.judgeEntry(call, number)
	}
	b.reply.call = b.entry
	b.entry.err, call.err = nil, nil
	call.fn = &batchFunction
}

// judgeEntry judges the reply of an entry. When it breaks a rule, it gets the fault, and those behind it are lost.
func (b *Batch) judgeEntry(call *Call, number int) {
	entry := &b.entries[number]
	if entry.err != nil {
		return
	}
	if call.lost {
		entry.err = b.lost(call, number)
		return
	}
	state := wire.ReplyState(b.replies[number])
	if state == wire.ReplyStateReturned && entry.read == nil {
		return
	}
	call.fn, call.err = &b.session.pack.Functions[entry.function], nil
	reply := &call.reply
	reply.block, reply.pool, reply.readable, reply.failure, reply.taken = b.replies[b.blocksAt()+entry.block:], b.reply.pool, true, nil, 0
	failure := numbers{b.failures[number*wire.BatchFailureSize:]}
	switch state {
	case wire.ReplyStateReturned:
		entry.read(reply)
	case wire.ReplyStateLibraryError:
		b.giveBack(number, consumedOnSuccess)
		if failed := call.libraryError(failure.Int32(wire.BatchFailureErrno)); failed != nil {
			entry.err = failed
		}
	case wire.ReplyStateRefused:
		b.giveBack(number, consumedOnSuccess)
		b.giveBack(number, consumed)
		name := reply.fetch(reference{shm.Place(reply.Uint64(0)), uint64(failure.Uint32(wire.BatchFailureNameLength))})
		objects := b.objectsOf(number) > 0
		if why := call.refusal(wire.Refusal(failure.Uint32(wire.BatchFailureErrno)), string(name), objects); why != nil {
			entry.err = why
		}
	default:
		call.violation("an entry of a batch has another state than it can have")
	}
	if call.err != nil {
		entry.err = call.err
	}
}

// giveBack says that an entry has not taken over what it takes over so.
func (b *Batch) giveBack(number int, usage usage) {
	entry := &b.entries[number]
	for _, passed := range b.entry.passed[entry.objects-b.objectsOf(number) : entry.objects] {
		if passed.usage == usage {
			passed.handle.gone.Store(false)
		}
	}
}

func (b *Batch) objectsOf(number int) int {
	if number == 0 {
		return b.entries[0].objects
	}
	return b.entries[number].objects - b.entries[number-1].objects
}

// lost is the error of an entry whose worker ended in another one.
func (b *Batch) lost(call *Call, number int) error {
	call.fn = &b.session.pack.Functions[b.entries[number].function]
	return call.wrong(hotcell.ErrWorkerLost, hotcell.ExecutedMaybe, nil, "the worker ended in another entry of the batch")
}

// lose says of every entry what became of it when the batch as a whole has failed.
func (b *Batch) lose(call *Call) {
	failed, ok := call.err.(*hotcell.Error)
	if !ok || !failed.IsFault() || failed.Executed == hotcell.ExecutedNo {
		b.err = call.err
		for number := range b.entries {
			if b.entries[number].err == nil {
				b.entries[number].err = call.err
			}
		}
		return
	}
	id, blamed := uint64(0), uint32(0)
	if lane := call.seat.lane; lane != nil {
		id, blamed = lane.Channel().Executing(lane.Index())
	}
	for number := range b.entries {
		entry := &b.entries[number]
		switch {
		case entry.err != nil:
		case len(b.entries) == 1 || id == call.id && uint32(number) == blamed:
			own := *failed
			own.Function = b.session.pack.Functions[entry.function].Name
			entry.err = &own
		default:
			entry.err = b.lost(call, number)
		}
	}
}

// pool is what was copied at once of a batch's reply memory, from a place on.
type pool struct {
	place shm.Place
	data  []byte
}

// find is the data of a reference that lie in it.
func (p pool) find(from reference) ([]byte, bool) {
	if len(p.data) == 0 || from.place < p.place {
		return nil, false
	}
	start := uint64(from.place - p.place)
	if start > uint64(len(p.data)) || from.length > uint64(len(p.data))-start {
		return nil, false
	}
	return p.data[start : start+from.length], true
}
