// Package shm is the client's half of a channel: memory that is shared with one worker. Everything that it reads from the
// reply segment is hostile: it is copied once into private memory, judged there, and never read again.
//
// It is the only package with unsafe code. No slice of memory that a worker can write leaves it.
package shm

import (
	"fmt"
	"sync/atomic"
	"syscall"
	"unsafe"

	"hotcell/internal/sys"
	"hotcell/internal/wire"
)

// Direction tells who writes a segment.
type Direction int

const (
	// Request memory is written by this process and mapped read-only by the worker.
	Request Direction = iota
	// Reply memory is written by the worker.
	Reply
	// Shared memory is reply memory that this process writes, too.
	Shared
)

// String is the direction's name in messages to the supervisor.
func (d Direction) String() string {
	if d == Request {
		return "request"
	}
	return "reply"
}

// Mapping is a mapped segment. Offsets are from its start; who passes one that is not within has made a mistake, and panics.
type Mapping struct {
	memory []byte
}

// Map maps a memory file of so many bytes: request and shared memory to be read and written, reply memory to be read. It is left out of
// core dumps and of forked children.
func Map(fd int, bytes int, direction Direction) (*Mapping, error) {
	protection := syscall.PROT_READ
	if direction != Reply {
		protection |= syscall.PROT_WRITE
	}
	memory, err := syscall.Mmap(fd, 0, bytes, protection, syscall.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("mapping %d bytes of %s memory: %w", bytes, direction, err)
	}
	for _, advice := range []int{sys.MADV_DONTDUMP, syscall.MADV_DONTFORK} {
		if err := syscall.Madvise(memory, advice); err != nil {
			_ = syscall.Munmap(memory)
			return nil, fmt.Errorf("advice on %s memory: %w", direction, err)
		}
	}
	return &Mapping{memory}, nil
}

// Unmap gives the memory back. Nothing of it may be used any more.
func (m *Mapping) Unmap() {
	if m.memory != nil {
		_ = syscall.Munmap(m.memory)
		m.memory = nil
	}
}

// Length is how many bytes there are.
func (m *Mapping) Length() int { return len(m.memory) }

// holds tells whether so many bytes from an offset on lie within.
func (m *Mapping) holds(offset, bytes uint64) bool {
	length := uint64(len(m.memory))
	return offset <= length && bytes <= length-offset
}

// word is an aligned word of the segment. The slice's bounds are checked here; the address stays valid until Unmap.
func (m *Mapping) word(offset int) *uint32 {
	return (*uint32)(unsafe.Pointer(&m.memory[offset : offset+4][0]))
}

// word64 is as word, of eight bytes.
func (m *Mapping) word64(offset int) *uint64 {
	return (*uint64)(unsafe.Pointer(&m.memory[offset : offset+8][0]))
}

// load32 reads a word once. Nothing is ordered by it that a caller could rely on but what its comment says.
func (m *Mapping) load32(offset int) uint32 { return atomic.LoadUint32(m.word(offset)) }

func (m *Mapping) load64(offset int) uint64 { return atomic.LoadUint64(m.word64(offset)) }

func (m *Mapping) store32(offset int, value uint32) { atomic.StoreUint32(m.word(offset), value) }

func (m *Mapping) store64(offset int, value uint64) { atomic.StoreUint64(m.word64(offset), value) }

// copyOut copies bytes into private memory. A worker may change them meanwhile; what was copied stays as it is.
func (m *Mapping) copyOut(into []byte, offset int) { copy(into, m.memory[offset:offset+len(into)]) }

// copyIn copies bytes into request memory.
func (m *Mapping) copyIn(offset int, bytes []byte) {
	copy(m.memory[offset:offset+len(bytes)], bytes)
}

// copyText is as copyIn, of a string.
func (m *Mapping) copyText(offset int, text string) {
	copy(m.memory[offset:offset+len(text)], text)
}

// zero clears bytes of request memory.
func (m *Mapping) zero(offset, bytes int) { clear(m.memory[offset : offset+bytes]) }

// Bytes is request memory as a slice, for buffers that an application fills. No worker can write it.
func (m *Mapping) Bytes() []byte { return m.memory }

// CopyIn copies bytes into shared memory.
func (m *Mapping) CopyIn(offset int, bytes []byte) { m.copyIn(offset, bytes) }

// CopyOut copies bytes of shared memory into private memory. A worker may change them meanwhile.
func (m *Mapping) CopyOut(into []byte, offset int) { m.copyOut(into, offset) }

// Clear clears bytes of shared memory, from the first one.
func (m *Mapping) Clear(bytes int) { m.zero(0, bytes) }

// OffsetOf tells where a slice begins in the mapping, if it lies within.
func (m *Mapping) OffsetOf(data []byte) (int, bool) {
	start := uintptr(unsafe.Pointer(unsafe.SliceData(m.memory)))
	at := uintptr(unsafe.Pointer(unsafe.SliceData(data)))
	within := at >= start && at-start <= uintptr(len(m.memory)) && uintptr(len(data)) <= uintptr(len(m.memory))-(at-start)
	return int(at - start), within
}

// BytesOf is a text as bytes, which nobody may change.
func BytesOf(text string) []byte { return unsafe.Slice(unsafe.StringData(text), len(text)) }

// TextOf is bytes as a text, for as long as nobody changes them.
func TextOf(bytes []byte) string { return unsafe.String(unsafe.SliceData(bytes), len(bytes)) }

// Place names bytes of a segment on the wire: all ones is NULL.
type Place uint64

// Null is the place of a null pointer.
const Null = Place(wire.PlaceNull)

// PlaceOf is an offset in a segment.
func PlaceOf(segment uint16, offset int) Place {
	return Place(uint64(segment)<<wire.PlaceSegmentShift | uint64(offset))
}

// Segment is the number of its segment.
func (p Place) Segment() uint16 { return uint16(p >> wire.PlaceSegmentShift) }

// Offset is where in the segment it is.
func (p Place) Offset() uint64 { return uint64(p) & (1<<wire.PlaceSegmentShift - 1) }
