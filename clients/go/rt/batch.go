package rt

import (
	"encoding/binary"
	"sync/atomic"
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
	// entry is the one that is being written.
	entry *Call
	// functions are the package's.
	functions []Function
	// last is the function of the entry before, whose blocks have so many bytes; timed the last one whose deadline was looked at.
	last, argsSize, resultsSize, timed int
	// args has the argument blocks as they are sent: used bytes of entries that were added, then that of the one that is written,
	// up to end, then zeros. blob is the data.
	args, blob []byte
	used, end  int
	// heads are the heads of entries as they are sent, blocks where the result blocks lie among the others: there is room for as
	// many of both. Of entries that have more than numbers, and those in front of them, extras has what is known besides.
	heads  []byte
	blocks []uint32
	extras []extra
	// packed is all of it, one behind the other.
	packed []byte
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
	// epoch tells tickets of this batch from those of what it was before.
	epoch uint32
	// ran tells whether it was run, returned whether all entries have then returned.
	ran, returned bool
	// copied is what came back at once: what is said of entries that failed, then states and results of all.
	reply             Reply
	copied            []byte
	failures, replies []byte
	// resultsAt is where the result blocks begin in replies.
	resultsAt int
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

// usual is how large the batch before was: the next one has room for as much from the start.
type usual struct {
	entries, args atomic.Int32
}

// NewBatch is a batch without entries.
func NewBatch(session *Session) *Batch {
	// Together they are one piece of memory.
	both := &struct {
		batch Batch
		entry Call
	}{}
	batch, entry := &both.batch, &both.entry
	batch.session, batch.functions, batch.last, batch.timed = session, session.pack.Functions, none, none
	entry.session, entry.batch, entry.collects, entry.reply.call = session, batch, batch, entry
	batch.entry = entry
	return batch
}

// none is the function of the entry before where there is none.
const none = -1

// Reset forgets the entries, and keeps the memory. Tickets from before give an error.
func (b *Batch) Reset() {
	b.giveUp()
	clear(b.args[:b.used])
	b.used, b.end, b.blob, b.blocks, b.extras = 0, 0, b.blob[:0], b.blocks[:0], b.extras[:0]
	b.objects, b.data, b.results, b.plain, b.longest, b.timed = 0, 0, 0, false, 0, none
	b.ran, b.returned, b.err = false, false, nil
	b.epoch++
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
func (b *Batch) Len() int { return len(b.blocks) }

// Begin begins an entry: a call of a function by its index. Arguments are put as into any call; it is added by [Values] or
// [Read], and has no End.
func (b *Batch) Begin(function int) *Call {
	c, end := b.entry, b.used+b.argsSize
	if function != b.last || end > len(b.args) || b.end != b.used || len(b.blocks) == cap(b.blocks) || c.err != nil {
		return b.beginOther(function)
	}
	b.end = end
	c.block = b.args[b.used:end]
	return c
}

// beginOther begins an entry that is not as the one before, or for which there is no room.
func (b *Batch) beginOther(function int) *Call {
	if b.pipe != nil {
		b.entry = b.pipe.begin(function)
		return b.entry
	}
	c := b.entry
	if b.end != b.used || c.err != nil {
		b.giveUp()
	}
	if uint(function) >= uint(len(b.functions)) || len(b.blocks) >= wire.MaxBatch {
		return b.refuse(function)
	}
	fn := &b.functions[function]
	c.function, c.fn = function, fn
	b.last, b.argsSize, b.resultsSize = function, (int(fn.Args)+7)&^7, blockSize(fn)
	b.end = b.used + b.argsSize
	if b.end > len(b.args) || len(b.blocks) == cap(b.blocks) {
		b.grow(b.end)
	}
	c.block = b.args[b.used:b.end]
	return c
}

// grow makes room for another entry, and argument blocks of so many bytes.
func (b *Batch) grow(end int) {
	before := &b.session.batches
	if end > len(b.args) {
		args := make([]byte, max(end, 2*len(b.args), usualArgs, int(before.args.Load())))
		copy(args, b.args[:b.used])
		b.args = args
	}
	if room := cap(b.blocks); len(b.blocks) == room {
		room = min(max(2*room, usualEntries, int(before.entries.Load())), wire.MaxBatch)
		heads, blocks := make([]byte, room*wire.BatchEntrySize), make([]uint32, len(b.blocks), room)
		copy(heads, b.heads)
		copy(blocks, b.blocks)
		b.heads, b.blocks = heads, blocks
	}
}

// refuse is an entry that cannot be added.
func (b *Batch) refuse(function int) *Call {
	c := b.entry
	b.giveUp()
	// What is put into it is not sent.
	c.block, b.last = make([]byte, wire.MaxArgs), none
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
func (b *Batch) push(reader func(*Reply)) (number int32) {
	c, entries := b.entry, len(b.blocks)
	if c.err != nil || b.timed != c.function || entries == cap(b.blocks) || reader != nil || len(c.passed) != b.objects {
		return b.pushOther(reader)
	}
	b.blocks = b.blocks[:entries+1]
	b.blocks[entries] = uint32(b.results)
	binary.LittleEndian.PutUint32(b.heads[entries*wire.BatchEntrySize:], uint32(c.function))
	b.used, b.data = b.end, len(b.blob)
	b.results += b.resultsSize
	return int32(entries)
}

// pushOther adds one that is not as the one before, or has more than numbers.
func (b *Batch) pushOther(reader func(*Reply)) (number int32) {
	c := b.entry
	switch {
	case b.pipe != nil:
		b.flown = b.pipe.send(c, reader)
		return 0
	case c.err != nil:
		return b.pushRefused()
	case b.timed != c.function:
		b.timed = c.function
		b.plain, b.longest = b.plain || c.fn.Deadline == 0, max(b.longest, c.fn.Deadline)
	}
	entries := len(b.blocks)
	if reader != nil || len(c.passed) != b.objects {
		for len(b.extras) < entries {
			b.extras = append(b.extras, extra{objects: uint32(b.objects)})
		}
		known := extra{objects: uint32(len(c.passed))}
		if reader != nil {
			b.readers = append(b.readers, reader)
			known.reader = uint32(len(b.readers))
		}
		b.extras = append(b.extras, known)
		b.objects = len(c.passed)
	}
	if entries == cap(b.blocks) {
		// It was begun twice without being added between.
		b.grow(b.end)
	}
	return b.push(nil)
}

// pushRefused keeps what is wrong with an entry that was not added.
func (b *Batch) pushRefused() (number int32) {
	b.refused = append(b.refused, b.entry.err)
	b.giveUp()
	return -int32(len(b.refused))
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

// functionOf is the function of an entry.
func (b *Batch) functionOf(number int) *Function {
	return &b.functions[binary.LittleEndian.Uint32(b.heads[number*wire.BatchEntrySize:])]
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
