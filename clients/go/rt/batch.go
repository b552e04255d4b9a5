package rt

import (
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
// It is run once. Behind that it is to be made anew, or cleared by [Batch.Reset]. It stays with its goroutine, and so do its tickets.
type Batch struct {
	session *Session
	// pipe is what the calls are sent by, where this collects for a pipeline: then nothing stays here.
	pipe *Pipeline
	// entry is the one that is being written, if open; then used is where its argument block begins, and end where it ends.
	entry *Call
	open  bool
	// expects is the function of entries so far, where they are alike and there is room for another; it is writing while such a one is
	// written, and else none.
	expects int
	// functions are the package's.
	functions []Function
	// count is how many entries were added.
	count int
	// last is the function of the entry before, whose blocks have so many bytes, and alike the same as long as all entries are of
	// it: then where their blocks lie follows from their numbers, and nothing is kept of them. There is room for so many such.
	last, alike           int
	argsSize, resultsSize int
	room                  int
	// args has the argument blocks as they are sent, then zeros, blob the data.
	args, blob []byte
	used, end  int
	// heads are the heads of entries as they are sent, blocks where the result blocks lie among the others, where they are not alike.
	// Of entries that have more than numbers, and those in front of them, extras has what is known besides.
	heads  []byte
	blocks []uint32
	extras []extra
	// memory is what these came in, which another batch has when this one was sent.
	memory *memory
	// readers are what reads results that are no numbers, errs what went wrong with entries, by their numbers.
	readers []func(*Reply)
	errs    map[int]error
	// refused is what is wrong with entries that were not added, by the numbers of their tickets.
	refused []error
	// objects and data are where those of the entries end that were added.
	objects, data int
	// plain tells whether an entry has the session's deadline, longest is that of the others.
	plain   bool
	longest time.Duration
	// results is how many bytes the result blocks have.
	results int
	// epoch tells tickets of this batch from those of what it was before: it is in the upper half. ready is the upper half when all
	// entries have returned, and are alike.
	epoch, ready uint64
	// ran tells whether it was run, returned whether all entries have then returned.
	ran, returned bool
	// copied is what came back at once: what is said of entries that failed, then states and results of all.
	reply  Reply
	copied []byte
	// values are the result blocks.
	failures, replies, values []byte
	// flown is what becomes of the call that was sent last, of a pipeline.
	flown *flown
	err   error
}

// extra is what is known of an entry besides its function: where its objects end among those of the batch, and the number of what
// reads its results when the batch has run, from 1; 0 where they are numbers, which are read when they are taken.
type extra struct {
	objects, reader uint32
}

// batchFunction is what a batch is as a call.
var batchFunction = Function{Args: wire.BatchHeadSize, Results: wire.BatchResultSize}

// usualEntries is how many entries the first batch of a session has room for, and usualArgs how many bytes of argument blocks.
const (
	usualEntries = 1 << 6
	usualArgs    = 1 << 10
)

// memory is what a batch needs until it was sent. The session keeps that of the last one, which the next one takes. The argument
// blocks are zeros.
type memory struct {
	args, blob, heads []byte
	// filled is how many of the heads are those of function: another batch of it need not write them.
	filled, function int
}

// mostKept is how many bytes of memory the session keeps at most.
const mostKept = 1 << 20

// NewBatch is a batch without entries.
func NewBatch(session *Session) *Batch {
	// Together they are one piece of memory.
	both := &struct {
		batch Batch
		entry Call
	}{}
	batch, entry := &both.batch, &both.entry
	batch.session, batch.functions, batch.epoch = session, session.pack.Functions, firstEpoch
	batch.expects, batch.last, batch.alike = none, none, none
	entry.session, entry.batch, entry.collects, entry.reply.call = session, batch, batch, entry
	batch.entry = entry
	return batch
}

// NotBegun stands for the calls of a batch or a pipeline that no library has begun: the zero value of one.
func NotBegun() *Batch {
	return NewBatch(refusing("no library has begun this batch or pipeline: its Batch and Pipeline methods do", nil))
}

// firstEpoch is that of a new batch, and lastEpoch the last one, behind which they begin anew.
const (
	firstEpoch = 1 << 32
	lastEpoch  = 1<<63 - 1<<32
)

// No package has these functions: none stands for that of an entry that is not there, writing is what is expected while one is written.
const (
	none    = math.MinInt
	writing = math.MinInt + 1
)

// Reset forgets the entries, and keeps the memory. Tickets from before give an error.
func (b *Batch) Reset() {
	b.giveUp()
	if b.memory != nil {
		clear(b.args[:b.sent()])
	}
	b.used, b.blob, b.blocks, b.extras = 0, b.blob[:0], b.blocks[:0], b.extras[:0]
	b.count, b.last, b.alike, b.objects, b.data, b.results, b.plain, b.longest = 0, none, none, 0, 0, 0, false, 0
	b.ran, b.returned, b.err = false, false, nil
	b.failures, b.replies, b.values = nil, nil, nil
	if b.epoch += 1 << 32; b.epoch > lastEpoch {
		b.epoch = firstEpoch
	}
	b.ready = 0
	b.entry.input = 0
	if len(b.readers)+len(b.refused)+len(b.errs)+len(b.entry.passed) == 0 {
		return
	}
	clear(b.readers)
	clear(b.errs)
	clear(b.refused)
	b.readers, b.refused = b.readers[:0], b.refused[:0]
	clear(b.entry.passed)
	b.entry.passed = b.entry.passed[:0]
}

// Len is how many entries there are.
func (b *Batch) Len() int { return b.count }

// sent is how many bytes the argument blocks have of entries that were added.
func (b *Batch) sent() int {
	if b.alike >= 0 {
		return b.count * b.argsSize
	}
	return b.used
}

// Begin begins an entry: a call of a function by its index. Arguments are put as into any call; it is added by [Values] or
// [Read], and has no End.
func (b *Batch) Begin(function int) *Call {
	if function != b.expects {
		return b.beginOther(function)
	}
	b.expects = writing
	c, start := b.entry, b.count*b.argsSize
	c.block = b.args[start : start+b.argsSize]
	return c
}

// BeginNumbers begins an entry that is passed numbers alone, and has numbers as its results. It is added by [Added], for which comes its
// stamp: one that is as those before is added already, for nothing can go wrong with it.
func (b *Batch) BeginNumbers(function int) (arguments Arguments, stamp uint64) {
	if function != b.expects {
		return b.beginOther(function).block, toAdd
	}
	number := b.count
	if b.count = number + 1; b.count == b.room {
		b.expects = none
	}
	start := number * b.argsSize
	return b.args[start : start+b.argsSize], b.epoch | uint64(number)
}

// toAdd is the stamp of an entry that is not added yet. There is no such epoch.
const toAdd = 0

// expect has the next entry be one like those before, if they are alike and there is room for it.
func (b *Batch) expect() {
	if b.alike >= 0 && b.count < b.room {
		b.expects = b.alike
	}
}

// expectNothing has the next entry begun as any other. One that is written is written still.
func (b *Batch) expectNothing() {
	b.open = b.open || b.expects == writing
	b.expects = none
}

// beginOther begins an entry that is not as those before, or for which there is no room.
func (b *Batch) beginOther(function int) *Call {
	if b.pipe != nil {
		b.entry = b.pipe.begin(function)
		return b.entry
	}
	c := b.entry
	if b.expectNothing(); b.open || c.err != nil {
		b.giveUp()
	}
	if uint(function) >= uint(len(b.functions)) || b.count >= wire.MaxBatch || b.ran {
		return b.refuse(function)
	}
	if function != b.last {
		b.turnTo(function)
	}
	b.used = b.sent()
	b.end = b.used + b.argsSize
	if b.end > len(b.args) || b.count >= len(b.heads)/wire.BatchEntrySize {
		b.grow(b.end, b.count+1)
	}
	if b.alike >= 0 {
		b.room = min(len(b.args)/max(b.argsSize, 1), len(b.heads)/wire.BatchEntrySize)
	}
	b.open, c.block = true, b.args[b.used:b.end]
	return c
}

// turnTo has the next entry be of another function than the one before.
func (b *Batch) turnTo(function int) {
	switch {
	case b.count == 0:
		b.alike = function
	case b.alike >= 0:
		b.spread()
	}
	fn := &b.functions[function]
	b.entry.function, b.entry.fn = function, fn
	b.last, b.argsSize, b.resultsSize, b.room = function, (int(fn.Args)+7)&^7, blockSize(fn), 0
}

// spread writes down where the blocks of entries lie that were alike: the next one is not.
func (b *Batch) spread() {
	b.used, b.results = b.count*b.argsSize, b.count*b.resultsSize
	b.fillHeads()
	// Those behind are about to be of others.
	b.memory.filled = b.count
	for number := range b.count {
		b.blocks = append(b.blocks, uint32(number*b.resultsSize))
	}
	b.hasTime(&b.functions[b.alike])
	b.alike, b.room = none, 0
}

// fillHeads writes the heads of entries that are alike, but for those that are there from the batch before.
func (b *Batch) fillHeads() {
	m := b.memory
	if m.function != b.alike {
		m.filled, m.function = 0, b.alike
	}
	if m.filled >= b.count {
		return
	}
	heads := b.heads[m.filled*wire.BatchEntrySize : b.count*wire.BatchEntrySize]
	for at := 0; at < len(heads); at += wire.BatchEntrySize {
		binary.LittleEndian.PutUint32(heads[at:], uint32(b.alike))
	}
	m.filled = b.count
}

// hasTime notes how long an entry of this function may take.
func (b *Batch) hasTime(fn *Function) {
	b.plain, b.longest = b.plain || fn.Deadline == 0, max(b.longest, fn.Deadline)
}

// grow makes room for so many entries, and argument blocks of so many bytes.
func (b *Batch) grow(end, entries int) {
	if b.memory == nil {
		b.takeMemory()
	}
	if end > len(b.args) {
		args := make([]byte, max(end, 2*len(b.args), usualArgs))
		copy(args, b.args[:b.used])
		b.args = args
	}
	if room := len(b.heads) / wire.BatchEntrySize; entries > room {
		room = min(max(2*room, usualEntries, (entries+1)&^1), wire.MaxBatch)
		heads := make([]byte, room*wire.BatchEntrySize)
		copy(heads, b.heads)
		b.heads = heads
	}
}

// takeMemory takes the memory of the batch before, if it was left.
func (b *Batch) takeMemory() {
	if b.memory = b.session.batches.Swap(nil); b.memory == nil {
		b.memory = new(memory)
	}
	b.args, b.blob, b.heads = b.memory.args, b.memory.blob[:0], b.memory.heads
}

// leaveMemory leaves the memory to the next batch: what was in it was sent.
func (b *Batch) leaveMemory() {
	left := b.memory
	if left == nil {
		return
	}
	b.giveUp()
	clear(b.args[:b.sent()])
	left.args, left.blob, left.heads = b.args, b.blob, b.heads
	if len(left.args)+cap(left.blob)+len(left.heads) <= mostKept {
		b.session.batches.Store(left)
	}
	b.memory, b.args, b.blob, b.heads = nil, nil, nil, nil
	b.used, b.data, b.last, b.room = 0, 0, none, 0
}

// refuse is an entry that cannot be added.
func (b *Batch) refuse(function int) *Call {
	c := b.entry
	b.giveUp()
	// What is put into it is not sent.
	c.block, b.last, b.room = make([]byte, wire.MaxArgs), none, 0
	if b.session.none != nil {
		c.fn = &nothing
		c.setErr(b.session.none)
		return c
	}
	if uint(function) >= uint(len(b.functions)) {
		c.fn = &nothing
		c.fail(hotcell.ErrInvalidArgument, hotcell.ExecutedNo, nil, "the package has no such function")
		return c
	}
	c.function, c.fn = function, &b.functions[function]
	if b.ran {
		c.fail(hotcell.ErrInvalidArgument, hotcell.ExecutedNo, nil, "the batch has run: reset it, or begin another")
		return c
	}
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

// push adds the entry that is being written, and gives its stamp. One that something is wrong with leaves no trace but its ticket.
func (b *Batch) push(reader func(*Reply)) (stamp uint64) {
	c, count := b.entry, b.count+1
	if b.expects != writing || reader != nil || c.err != nil || len(c.passed) != b.objects || count >= b.room {
		return b.pushOther(reader)
	}
	b.count, b.data, b.expects = count, len(b.blob), b.alike
	return b.epoch | uint64(count-1)
}

// pushOther adds one that is not as those before, or has more than numbers.
func (b *Batch) pushOther(reader func(*Reply)) (stamp uint64) {
	c := b.entry
	b.expectNothing()
	switch {
	case b.pipe != nil:
		b.flown = b.pipe.send(c, reader)
		return b.epoch
	case c.err != nil:
		return b.pushRefused()
	}
	if reader != nil || len(c.passed) != b.objects {
		b.knowMore(reader)
	}
	if b.alike < 0 {
		b.hasTime(c.fn)
		b.blocks = append(b.blocks, uint32(b.results))
		binary.LittleEndian.PutUint32(b.heads[b.count*wire.BatchEntrySize:], uint32(c.function))
		b.results += b.resultsSize
		b.used = b.end
	}
	b.count, b.open, b.data = b.count+1, false, len(b.blob)
	b.expect()
	return b.epoch | uint64(b.count-1)
}

// knowMore notes objects of the entry that is written, and what reads its results.
func (b *Batch) knowMore(reader func(*Reply)) {
	for len(b.extras) < b.count {
		b.extras = append(b.extras, extra{objects: uint32(b.objects)})
	}
	b.objects = len(b.entry.passed)
	known := extra{objects: uint32(b.objects)}
	if reader != nil {
		b.readers = append(b.readers, reader)
		known.reader = uint32(len(b.readers))
	}
	b.extras = append(b.extras, known)
}

// pushRefused keeps what is wrong with an entry that was not added.
func (b *Batch) pushRefused() (stamp uint64) {
	b.refused = append(b.refused, b.entry.err)
	b.giveUp()
	return refused | b.epoch | uint64(len(b.refused)-1)
}

// giveUp forgets what was put into an entry that was not added.
func (b *Batch) giveUp() {
	c := b.entry
	c.err = nil
	if b.expectNothing(); b.open {
		start := b.sent()
		clear(b.args[start : start+b.argsSize])
	}
	b.open, b.blob = false, b.blob[:b.data]
	clear(c.passed[b.objects:])
	c.passed = c.passed[:b.objects]
}

// blockSize is how many bytes the result block of an entry has.
func blockSize(fn *Function) int { return max((int(fn.Results)+7)&^7, 8) }

// extraOf is what is known of an entry besides its function.
func (b *Batch) extraOf(number int) extra {
	if number < len(b.extras) {
		return b.extras[number]
	}
	return extra{objects: uint32(b.objects)}
}

// passedBy is the objects of an entry.
func (b *Batch) passedBy(number int) []passed {
	first := uint32(0)
	if number > 0 {
		first = b.extraOf(number - 1).objects
	}
	return b.entry.passed[first:b.extraOf(number).objects]
}

// blockAt is where the result block of an entry lies among those of all.
func (b *Batch) blockAt(number int) int {
	if b.alike >= 0 {
		return number * b.resultsSize
	}
	return int(b.blocks[number])
}

// functionOf is the function of an entry.
func (b *Batch) functionOf(number int) *Function {
	if b.alike >= 0 {
		return &b.functions[b.alike]
	}
	return &b.functions[binary.LittleEndian.Uint16(b.heads[number*wire.BatchEntrySize:])]
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
