package rt

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"

	"hotcell"
	"hotcell/internal/shm"
	"hotcell/internal/wire"
)

// blocksAt is where the result blocks begin in what was copied, which begins with the states.
func (b *Batch) blocksAt() int { return (b.count + 7) &^ 7 }

// Run sends the entries and waits until all were executed. Its error is that of the batch as a whole, or of a callback that the
// library keeps; what became of an entry, its ticket says. A panic of a callback goes on here, when the tickets have theirs.
func (b *Batch) Run(ctx context.Context) error {
	if b.ran && b.count > 0 {
		return b.session.refused(hotcell.ErrInvalidArgument, "", "the batch has run: reset it, or begin another", nil)
	}
	b.ran = true
	b.expectNothing()
	if b.session.none != nil {
		return b.session.none
	}
	if b.count == 0 {
		return nil
	}
	defer b.leaveMemory()
	call := b.session.begin(ctx, wire.BatchFunction, b.function())
	defer call.End()
	call.reply.entries = b.count
	b.pass(call)
	b.put(call)
	b.exchange(call)
	b.rethrow(call)
	return b.err
}

// exchange sends the entries, and says of each what became of it.
func (b *Batch) exchange(call *Call) {
	judged := false
	defer func() {
		if judged {
			return
		}
		// A callback has ended the goroutine: the batch has no reply.
		call.raised = nothingRaised
		call.fail(hotcell.ErrCancelled, hotcell.ExecutedMaybe, nil, "a callback has ended its goroutine")
		b.lose(call)
	}()
	call.settle()
	b.configured(call)
	if call.err == nil && call.reply.failure != nil {
		call.violation("a batch has another reply than a batch can have")
	}
	if call.err == nil {
		b.judge(call)
	}
	if call.err != nil {
		b.lose(call)
	}
	judged = true
}

// configured says of objects that can be made anew that an entry configures them, which was sent.
func (b *Batch) configured(call *Call) {
	if !call.sent || len(b.entry.passed) == 0 {
		return
	}
	for number := range b.count {
		for _, passed := range b.passedBy(number) {
			if passed.handle.anew != nil && b.errs[number] == nil {
				passed.handle.anew.configuredElsewhere(b.session, b.functionOf(number))
			}
		}
	}
}

// rethrow has what went wrong in a callback come out of the batch: a panic in any case, an error unless the worker broke.
func (b *Batch) rethrow(call *Call) {
	raised := call.raised
	call.raised = nothingRaised
	if raised.panic != nil {
		panic(raised.panic)
	}
	if raised.err != nil && !call.lost.Load() && !isFault(call.err) {
		b.err = raised.err
	}
}

// pass passes the objects of all entries. An entry with one that has gone meanwhile has failed, and is not executed.
func (b *Batch) pass(call *Call) {
	if call.err != nil || len(b.entry.passed) == 0 {
		return
	}
	for number := range b.count {
		before := len(call.passed)
		for _, passed := range b.passedBy(number) {
			call.pass(passed.handle.TypeName(), passed.handle, passed.handle.kind(), passed.usage)
			if call.err != nil {
				b.fail(number, call.err)
				call.err = nil
				call.passed = call.passed[:before]
				break
			}
			if at := len(call.passed) - 1; call.passed[at].object != passed.object {
				b.fail(number, passed.handle.stale(b.functionOf(number), call.generation(), "; it was made anew behind what was put into the batch"))
				call.passed = call.passed[:before]
				break
			}
		}
	}
}

// function is what the batch is as a call: its time is the longest that an entry has by itself.
func (b *Batch) function() *Function {
	if b.alike >= 0 {
		b.hasTime(&b.functions[b.alike])
	}
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
	parts := b.parts()
	place, ok := call.placeParts("the entries", &parts)
	if !ok {
		return
	}
	data := len(parts[0]) + len(parts[1])
	call.PutUint32(wire.BatchHeadCount, uint32(b.count))
	call.PutUint32(wire.BatchHeadRepliesLength, uint32(b.repliesLength()))
	call.PutUint64(wire.BatchHeadPlace, uint64(place))
	call.PutUint64(wire.BatchHeadData, uint64(data))
	call.PutUint64(wire.BatchHeadLength, uint64(data+len(parts[2])))
}

// parts is all that is sent, which lies one behind the other: which functions, argument blocks, data.
func (b *Batch) parts() [3][]byte {
	if b.alike >= 0 {
		b.fillHeads()
		b.results = b.count * b.resultsSize
	}
	written := b.count * wire.BatchEntrySize
	heads := b.heads[:(written+7)&^7]
	clear(heads[written:])
	b.memory.filled = min(b.memory.filled, b.count)
	for number := range b.errs {
		b.memory.filled = 0
		head := heads[number*wire.BatchEntrySize:]
		binary.LittleEndian.PutUint32(head, binary.LittleEndian.Uint32(head)|wire.EntryFlagsSkip<<16)
	}
	return [...][]byte{heads, b.args[:b.sent()], b.blob}
}

// repliesLength is how many bytes the packed replies have: of each entry what is to be said where it failed, its state, and its
// results.
func (b *Batch) repliesLength() int {
	return b.count*wire.BatchFailureSize + b.blocksAt() + b.results
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
	failures := b.count * wire.BatchFailureSize
	copied := int(min(used, length+mostPool))
	if cap(b.copied) < copied {
		b.copied = make([]byte, copied)
	}
	all := b.copied[:copied]
	found.CopyFirst(all)
	call.expectAnother()
	b.failures, b.replies = all[:failures], all[failures:]
	b.values = b.replies[b.blocksAt():]
	b.reply.call = call
	b.reply.pool = pool{place: place, data: all}
	returned := len(b.errs) == 0 && b.allReturned()
	if len(b.readers) > 0 || !returned {
		for number := range b.count {
			b.judgeEntry(call, number)
		}
	}
	if b.returned = returned && len(b.errs) == 0; b.returned && b.alike >= 0 {
		b.ready = b.epoch >> 32
	}
	b.reply.call = b.entry
	b.entry.err, call.err = nil, nil
	call.fn, call.reply.readable = &batchFunction, false
}

// returnedState is the state of an entry that has returned.
var returnedState = []byte{byte(wire.ReplyStateReturned)}

// allReturned tells whether no entry has failed.
func (b *Batch) allReturned() bool {
	return bytes.Count(b.replies[:b.count], returnedState) == b.count
}

// judgeEntry judges the reply of an entry. When it breaks a rule, it gets the fault, and those behind it are lost.
func (b *Batch) judgeEntry(call *Call, number int) {
	entry, block := b.extraOf(number), b.blockAt(number)
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
	reply.block, reply.pool = b.values[block:], b.reply.pool
	reply.readable, reply.failure, reply.taken = true, nil, 0
	if state == wire.ReplyStateReturned {
		b.readers[entry.reader-1](reply)
	} else {
		b.judgeFailure(call, number, state)
	}
	reply.block = b.values[block:]
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
			passed.giveBack()
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
		for number := range b.count {
			b.fail(number, call.err)
		}
		return
	}
	id, blamed := uint64(0), uint32(0)
	if call.seat != nil && call.seat.lane != nil {
		id, blamed = call.seat.lane.Channel().Executing(call.seat.lane.Index())
	}
	for number := range b.count {
		if b.count == 1 || id == call.id && uint32(number) == blamed {
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
