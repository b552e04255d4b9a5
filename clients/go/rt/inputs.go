package rt

import (
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"slices"
	"time"

	"hotcell"
	"hotcell/internal/shm"
	"hotcell/internal/wire"
)

// Input is a part of the argument block that tells one input of a function from another. Of objects and callbacks it is only
// whether they are there, for others stand for them in the next worker.
type Input struct {
	Kind InputKind
	// Offset is where it lies, Bytes how many these are: of numbers, or of the handle at the start of an image.
	Offset, Bytes uint16
}

// InputKind is what lies there.
type InputKind uint8

// What may lie there.
const (
	// InputNumbers: numbers.
	InputNumbers InputKind = iota + 1
	// InputRoom: how much room the caller has for results.
	InputRoom
	// InputPresence: an object or a callback, or none.
	InputPresence
	// InputObjects: a reference to objects.
	InputObjects
	// InputData: a reference to data.
	InputData
	// InputReferences: a reference to references to data.
	InputReferences
	// InputImages: a reference to images of structures.
	InputImages
)

// deepest is how deep structures may point to structures in an input.
const deepest = 32

// mostNoted is how many references structures may have in an input.
const mostNoted = 1 << 16

// inputReader makes a number of what a call is given, by what this process holds of it, in memory that no worker can write.
type inputReader struct {
	call *Call
	hash maphash.Hash
	// left is how many bytes may be read: no more than were put there.
	left uint64
	// data tells whether there were any, unknown whether something was met that is no input.
	data, unknown bool
}

// inputOf is a number for what the call is given. False where no data go in.
func (c *Call) inputOf() (hotcell.Input, bool) {
	if len(c.fn.Inputs) == 0 || c.batch != nil || len(c.noted) > mostNoted {
		return 0, false
	}
	slices.Sort(c.noted)
	c.noted = slices.Compact(c.noted)
	reader := inputReader{call: c, left: 2*c.input + 1<<20}
	reader.hash.SetSeed(c.session.options.Quarantine.Seed())
	reader.number(c.session.face())
	reader.number(uint64(c.function))
	for _, input := range c.fn.Inputs {
		reader.read(input)
	}
	return hotcell.Input(reader.hash.Sum64()), reader.data && !reader.unknown
}

func (r *inputReader) read(input Input) {
	block, at := r.call.block[:], int(input.Offset)
	switch input.Kind {
	case InputNumbers:
		_, _ = r.hash.Write(block[at : at+int(input.Bytes)])
	case InputRoom:
		r.room(binary.NativeEndian.Uint64(block[at:]))
	case InputPresence:
		r.truth(binary.NativeEndian.Uint64(block[at:]) != 0)
	case InputObjects:
		r.begin(referenceAt(block[at:]))
	case InputData:
		r.dataAt(referenceAt(block[at:]), 0)
	case InputReferences:
		if list := referenceAt(block[at:]); r.begin(list) {
			references := r.bytes(list)
			for ; len(references) >= wire.ReferenceSize; references = references[wire.ReferenceSize:] {
				r.dataAt(referenceAt(references), 0)
			}
		}
	case InputImages:
		r.images(referenceAt(block[at:]), uint64(input.Bytes))
	default:
		r.unknown = true
	}
}

// room reads how much room there is. Of what is lent the worker has the place, which is another each time.
func (r *inputReader) room(elements uint64) {
	if elements&wire.Lent != 0 {
		if said := r.bytes(reference{shm.Place(elements &^ wire.Lent), wire.ReferenceSize}); said != nil {
			elements = referenceAt(said).length
		}
	}
	r.number(elements)
}

// images reads structures, of which so many bytes at the start are a handle. Those of a call on an object are no data by
// themselves: what is the same in all calls of a stream is no input.
func (r *inputReader) images(images reference, handle uint64) {
	if !r.begin(images) {
		return
	}
	if handle > 0 {
		bytes := r.bytes(reference{images.place, 8})
		r.truth(len(bytes) == 8 && binary.NativeEndian.Uint64(bytes) != 0)
	}
	if handle == 0 && len(r.call.passed) == 0 && images.length > 0 {
		r.data = true
	}
	r.parts(images, handle, 0)
}

// dataAt reads data, by what they are and not by where they lie.
func (r *inputReader) dataAt(from reference, depth int) {
	if r.begin(from) {
		r.data = r.data || from.length > 0
		r.parts(from, 0, depth)
	}
}

// begin reads whether something is there, and how much. True where there may be more to read.
func (r *inputReader) begin(from reference) bool {
	r.truth(from.place != shm.Null)
	r.number(from.length)
	return from.place != shm.Null
}

// parts reads data from an offset on. What stands for a reference is what is behind it: the call has noted where it put some.
func (r *inputReader) parts(from reference, start uint64, depth int) {
	noted := r.call.noted
	first, _ := slices.BinarySearch(noted, from.place)
	last, _ := slices.BinarySearch(noted, from.place+shm.Place(from.length))
	if noted = noted[first:max(first, last)]; len(noted) > 0 && depth > deepest {
		r.unknown = true
	}
	r.number(uint64(len(noted)))
	for _, place := range noted {
		offset := uint64(place - from.place)
		if r.unknown || offset < start {
			r.unknown = true
			return
		}
		r.number(offset)
		r.plain(reference{from.place + shm.Place(start), offset - start})
		if named := r.bytes(reference{place, wire.ReferenceSize}); named != nil {
			r.dataAt(referenceAt(named), depth+1)
		}
		start = offset + wire.ReferenceSize
	}
	if start > from.length {
		r.unknown = true
		return
	}
	r.plain(reference{from.place + shm.Place(start), from.length - start})
}

// plain reads bytes without references.
func (r *inputReader) plain(from reference) {
	if from.length > 0 {
		_, _ = r.hash.Write(r.bytes(from))
	}
}

// bytes is what lies there, wherever this process has put it; nil where that is nowhere.
func (r *inputReader) bytes(from reference) []byte {
	data := r.call.put(from)
	if data == nil || uint64(len(data)) > r.left {
		r.unknown = true
		return nil
	}
	r.left -= uint64(len(data))
	return data
}

func (r *inputReader) number(number uint64) {
	var bytes [8]byte
	binary.NativeEndian.PutUint64(bytes[:], number)
	_, _ = r.hash.Write(bytes[:])
}

func (r *inputReader) truth(truth bool) {
	if truth {
		r.number(1)
		return
	}
	r.number(0)
}

func referenceAt(data []byte) reference {
	block := numbers{data}
	return block.reference(0)
}

// put is data that were put into the call; nil where they were not.
func (c *Call) put(from reference) []byte {
	if data := c.putHere(from); data != nil {
		return data
	}
	return c.session.buffers.put(c.generation(), from)
}

// putHere is as put, of data that nobody but the call has put there.
func (c *Call) putHere(from reference) []byte {
	if from.length == 0 {
		return []byte{}
	}
	if start := c.seat.lane.ArgsPlace(0); from.place >= start && from.place.Segment() == start.Segment() {
		at := uint64(from.place - start)
		if at > uint64(c.used) || from.length > uint64(c.used)-at {
			return nil
		}
		return c.block[at : at+from.length]
	}
	return c.seat.arena.Put(from.place, from.length)
}

// put is data in a buffer of a worker.
func (b *buffers) put(generation uint64, from reference) []byte {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	for _, buffer := range b.used {
		data, offset := buffer.mapping.Bytes(), from.place.Offset()
		if buffer.worker.generation != generation || buffer.id != from.place.Segment() {
			continue
		}
		if offset <= uint64(len(data)) && from.length <= uint64(len(data))-offset {
			// It may be freed while this is read.
			return append([]byte(nil), data[offset:offset+from.length]...)
		}
	}
	return nil
}

// face is a number for the package's interface, made once.
func (s *Session) face() uint64 {
	s.faced.Do(func() { s.faceNumber = maphash.Bytes(s.options.Quarantine.Seed(), s.pack.Interface) })
	return s.faceNumber
}

// isQuarantined refuses the call where its input is in quarantine. Nothing was sent.
func (c *Call) isQuarantined() bool {
	if !c.session.options.Quarantine.HasOf(c.session.pack.Library, c.fn.Name) {
		return false
	}
	input, some := c.inputOf()
	if !some {
		return false
	}
	until := c.session.options.Quarantine.Refuses(input)
	if until.IsZero() {
		return false
	}
	left := time.Until(until)
	text := fmt.Sprintf("this input has ended workers before; it is in quarantine for the next %v, or until it is released", left.Round(time.Second))
	c.fail(hotcell.ErrQuarantined, hotcell.ExecutedNo, &hotcell.QuarantinedError{Input: input, Left: left}, "%s", text)
	return true
}

// suspect counts the input of a call that has ended its worker, which counts once.
func (c *Call) suspect(kind hotcell.Kind) {
	switch kind {
	case hotcell.ErrCrashed, hotcell.ErrExited, hotcell.ErrOutOfMemory, hotcell.ErrSandboxDenied, hotcell.ErrProtocolViolation,
		hotcell.ErrInvalidReply:
	default:
		return
	}
	list := c.session.options.Quarantine
	// What a callback was given is not what went in, and a batch is many calls.
	if !c.sent || c.reply.entries > 0 || !list.IsOn() || len(c.fn.Inputs) == 0 {
		return
	}
	if input, some := c.inputOf(); some && !c.seat.worker.counted.Swap(true) {
		list.Note(input, c.session.pack.Library, c.fn.Name)
	}
}
