package rt

import (
	"bytes"
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
	// functions are the package's.
	functions []Function
	// args has the argument blocks as they are sent: used bytes of entries that were added, then that of the one that is written,
	// up to end, then zeros. blob is the data.
	args, blob []byte
	used, end  int
	// packed is all of it, one behind the other.
	packed []byte
	// entries are what is known of each, readers what reads their results, errs what went wrong with them, by their numbers.
	entries []entry
	readers []func(*Reply)
	errs    map[int]error
	// refused is what is wrong with entries that were not added, by the numbers of their tickets.
	refused []error
	// objects and data are where those of the entries end that were added.
	objects, data int
	// plain tells whether an entry has the session's deadline, longest is that of the others.
	plain   bool
	longest time.Duration
	// blocks is how many bytes the result blocks have.
	blocks int
	// ran tells whether it was run, returned whether all entries have then returned.
	ran, returned bool
	// copied is what came back at once: what is said of entries that failed, then states and results of all.
	reply             Reply
	copied            []byte
	failures, replies []byte
	// results is where the result blocks begin in replies.
	results int
	err     error
}

// entry is a call of a batch. It has no pointers, for there are many.
type entry struct {
	// block is where its result block lies among the others, objects and data are where its objects and its data end among
	// those of the batch.
	block, objects, data uint32
	// reader is the number of what reads its results when the batch has run, from 1; 0 where they are numbers, which are read
	// when they are taken.
	reader   uint32
	function uint16
}

// batchFunction is what a batch is as a call.
var batchFunction = Function{Args: wire.BatchHeadSize, Results: wire.BatchResultSize}

// usualArgs is how many bytes of argument blocks a batch has room for at first.
const usualArgs = 1 << 11

// NewBatch is a batch without entries.
func NewBatch(session *Session) *Batch {
	batch := &Batch{session: session, functions: session.pack.Functions, args: make([]byte, usualArgs)}
	batch.entry = newCall(&seat{session: session}, 0)
	batch.entry.batch, batch.entry.seat = batch, nil
	return batch
}

// Reset forgets the entries, and keeps the memory.
func (b *Batch) Reset() {
	b.giveUp()
	clear(b.args[:b.used])
	b.used, b.end, b.blob, b.entries = 0, 0, b.blob[:0], b.entries[:0]
	b.objects, b.data, b.blocks, b.plain, b.longest = 0, 0, 0, false, 0
	b.ran, b.returned, b.err = false, false, nil
	clear(b.readers)
	clear(b.errs)
	clear(b.refused)
	b.readers, b.refused = b.readers[:0], b.refused[:0]
	clear(b.entry.passed)
	b.entry.passed = b.entry.passed[:0]
}

// Len is how many entries there are.
func (b *Batch) Len() int { return len(b.entries) }

// Begin begins an entry: a call of a function by its index. Arguments are put as into any call; it is added by [Values] or
// [Read], and has no End.
func (b *Batch) Begin(function int) *Call {
	c := b.entry
	if b.end != b.used || c.err != nil {
		b.giveUp()
	}
	if uint(function) >= uint(len(b.functions)) || len(b.entries) >= wire.MaxBatch {
		return b.refuse(function)
	}
	fn := &b.functions[function]
	end := b.used + (int(fn.Args)+7)&^7
	if end > len(b.args) {
		b.grow(end)
	}
	b.end = end
	c.function, c.fn, c.block = function, fn, b.args[b.used:end]
	return c
}

// grow makes room for argument blocks of so many bytes.
func (b *Batch) grow(end int) {
	args := make([]byte, max(end, 2*len(b.args)))
	copy(args, b.args[:b.used])
	b.args = args
}

// refuse is an entry that cannot be added.
func (b *Batch) refuse(function int) *Call {
	c := b.entry
	b.giveUp()
	// What is put into it is not sent.
	c.block = c.own[:]
	if uint(function) >= uint(len(b.functions)) {
		c.fn = &nothing
		c.fail(hotcell.ErrInvalidArgument, hotcell.ExecutedNo, nil, "the package has no such function")
		return c
	}
	c.function, c.fn = function, &b.functions[function]
	c.fail(hotcell.ErrLimitExceeded, hotcell.ExecutedNo, &hotcell.LimitError{Limit: hotcell.LimitExceededEntries, Value: wire.MaxBatch}, "a batch has %d entries at most", wire.MaxBatch)
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

// push adds the entry that is being written. One that something is wrong with leaves no trace but its ticket, whose number is
// below 0.
func (b *Batch) push(reader uint32) (number int) {
	c := b.entry
	if c.err != nil {
		return b.pushRefused()
	}
	number = len(b.entries)
	if number < cap(b.entries) {
		b.entries = b.entries[:number+1]
	} else {
		b.entries = append(b.entries, entry{})
	}
	// Field by field where it lies: what was stored in parts is slow to be loaded as a whole.
	added := &b.entries[number]
	fn := c.fn
	b.objects, b.data, b.used = len(c.passed), len(b.blob), b.end
	added.block, added.objects, added.data = uint32(b.blocks), uint32(b.objects), uint32(b.data)
	added.reader, added.function = reader, uint16(c.function)
	b.plain, b.longest = b.plain || fn.Deadline == 0, max(b.longest, fn.Deadline)
	b.blocks += blockSize(fn)
	return number
}

// pushRefused keeps what is wrong with an entry that was not added.
func (b *Batch) pushRefused() (number int) {
	b.refused = append(b.refused, b.entry.err)
	b.giveUp()
	return -len(b.refused)
}

// giveUp forgets what was put into an entry that was not added.
func (b *Batch) giveUp() {
	c := b.entry
	c.err = nil
	clear(b.args[b.used:b.end])
	b.end, b.blob = b.used, b.blob[:b.data]
	clear(c.passed[b.objects:])
	c.passed = c.passed[:b.objects]
}

// blockSize is how many bytes the result block of an entry has.
func blockSize(fn *Function) int { return max((int(fn.Results)+7)&^7, 8) }

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
	if call.settle(); call.err == nil && call.reply.failure != nil {
		call.violation("a batch has another reply than a batch can have")
	}
	if call.err == nil {
		b.judge(call)
	}
	if call.err != nil {
		b.lose(call)
	}
	return b.err
}

// pass passes the objects of all entries. An entry with one that has gone meanwhile has failed, and is not executed.
func (b *Batch) pass(call *Call) {
	if call.err != nil || len(b.entry.passed) == 0 {
		return
	}
	for number := range b.entries {
		before := len(call.passed)
		for _, passed := range b.passedBy(number) {
			call.pass(passed.handle.TypeName(), passed.handle, passed.handle.kind(), passed.usage)
			if call.err != nil {
				b.fail(number, call.err)
				call.err = nil
				call.passed = call.passed[:before]
				break
			}
		}
	}
}

// fail notes the first thing that is wrong with an entry.
func (b *Batch) fail(number int, err error) {
	if b.errs == nil {
		b.errs = make(map[int]error)
	}
	if b.errs[number] == nil {
		b.errs[number] = err
	}
}

// passedBy is the objects of an entry.
func (b *Batch) passedBy(number int) []passed {
	first := uint32(0)
	if number > 0 {
		first = b.entries[number-1].objects
	}
	return b.entry.passed[first:b.entries[number].objects]
}

// functionOf is the function of an entry.
func (b *Batch) functionOf(number int) *Function {
	return &b.functions[b.entries[number].function]
}

// function is what the batch is as a call: its time is the longest that an entry has by itself.
func (b *Batch) function() *Function {
	longest := b.longest
	if b.plain {
		longest = max(longest, b.session.options.Deadline)
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
	b.pack()
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

// pack puts all that is sent one behind the other: which functions, argument blocks, data.
func (b *Batch) pack() {
	heads := (len(b.entries)*wire.BatchEntrySize + 7) &^ 7
	length := heads + b.used + len(b.blob)
	if cap(b.packed) < length {
		b.packed = make([]byte, length)
	}
	b.packed = b.packed[:length]
	at := b.packed[:heads]
	for number := range b.entries {
		head := uint32(b.entries[number].function)
		if b.errs != nil && b.errs[number] != nil {
			head |= wire.EntryFlagsSkip << 16
		}
		binary.LittleEndian.PutUint32(at, head)
		at = at[wire.BatchEntrySize:]
	}
	clear(at)
	copy(b.packed[heads:], b.args[:b.used])
	copy(b.packed[heads+b.used:], b.blob)
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
	b.expectBatch(call)
	b.failures, b.replies = all[:failures], all[failures:]
	b.results = b.blocksAt()
	b.reply.call = call
	b.reply.pool = pool{place: place, data: all}
	returned := len(b.errs) == 0 && b.allReturned()
	if len(b.readers) > 0 || !returned {
		for number := range b.entries {
			b.judgeEntry(call, number)
		}
	}
	b.returned = returned && len(b.errs) == 0
	b.reply.call = b.entry
	b.entry.err, call.err = nil, nil
	call.fn, call.reply.readable = &batchFunction, false
}

// expectBatch says that another batch may follow: one like this.
func (b *Batch) expectBatch(call *Call) {
	if call.used > wire.BatchHeadSize {
		call.seat.lane.ExpectData(call.used)
	} else {
		call.seat.arena.ExpectData()
	}
}

// returnedState is the state of an entry that has returned.
var returnedState = []byte{byte(wire.ReplyStateReturned)}

// allReturned tells whether no entry has failed.
func (b *Batch) allReturned() bool {
	return bytes.Count(b.replies[:len(b.entries)], returnedState) == len(b.entries)
}

// judgeEntry judges the reply of an entry. When it breaks a rule, it gets the fault, and those behind it are lost.
func (b *Batch) judgeEntry(call *Call, number int) {
	entry := b.entries[number]
	if b.errs[number] != nil {
		return
	}
	if call.lost.Load() {
		b.fail(number, b.lost(call, number))
		return
	}
	state := wire.ReplyState(b.replies[number])
	if state == wire.ReplyStateReturned && entry.reader == 0 {
		return
	}
	call.fn, call.err = b.functionOf(number), nil
	reply := &call.reply
	reply.block, reply.pool = b.replies[b.blocksAt()+int(entry.block):], b.reply.pool
	reply.readable, reply.failure, reply.taken = true, nil, 0
	if state == wire.ReplyStateReturned {
		b.readers[entry.reader-1](reply)
	} else {
		b.judgeFailure(call, number, state)
	}
	reply.block = b.replies[b.blocksAt()+int(entry.block):]
	reply.letGo()
	if call.err != nil {
		b.fail(number, call.err)
	}
}

// judgeFailure judges the reply of an entry that has not returned.
func (b *Batch) judgeFailure(call *Call, number int, state wire.ReplyState) {
	failure := numbers{b.failures[number*wire.BatchFailureSize:]}
	switch state {
	case wire.ReplyStateLibraryError:
		b.giveBack(number, consumedOnSuccess)
		if failed := call.libraryError(failure.Int32(wire.BatchFailureErrno)); failed != nil {
			b.fail(number, failed)
		}
	case wire.ReplyStateRefused:
		b.giveBack(number, consumedOnSuccess)
		b.giveBack(number, consumed)
		name := call.reply.fetch(reference{shm.Place(call.reply.Uint64(0)), uint64(failure.Uint32(wire.BatchFailureNameLength))})
		objects := len(b.passedBy(number)) > 0
		if why := call.refusal(wire.Refusal(failure.Uint32(wire.BatchFailureErrno)), string(name), objects); why != nil {
			b.fail(number, why)
		}
	default:
		call.violation("an entry of a batch has another state than it can have")
	}
}

// giveBack says that an entry has not taken over what it takes over so.
func (b *Batch) giveBack(number int, usage usage) {
	for _, passed := range b.passedBy(number) {
		if passed.usage == usage {
			passed.handle.gone.Store(false)
		}
	}
}

// lost is the error of an entry whose worker ended in another one.
func (b *Batch) lost(call *Call, number int) error {
	call.fn = b.functionOf(number)
	return call.wrong(hotcell.ErrWorkerLost, hotcell.ExecutedMaybe, nil, "the worker ended in another entry of the batch")
}

// lose says of every entry what became of it when the batch as a whole has failed.
func (b *Batch) lose(call *Call) {
	failed, ok := call.err.(*hotcell.Error)
	if !ok || !failed.IsFault() || failed.Executed == hotcell.ExecutedNo {
		b.err = call.err
		for number := range b.entries {
			b.fail(number, call.err)
		}
		return
	}
	id, blamed := uint64(0), uint32(0)
	if call.seat != nil && call.seat.lane != nil {
		id, blamed = call.seat.lane.Channel().Executing(call.seat.lane.Index())
	}
	for number := range b.entries {
		if len(b.entries) == 1 || id == call.id && uint32(number) == blamed {
			own := *failed
			own.Function = b.functionOf(number).Name
			b.fail(number, &own)
			continue
		}
		b.fail(number, b.lost(call, number))
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
