package hotcell

import (
	"errors"
	"io"
)

// Buffer is memory that is shared with a worker: a function that is passed a part of it reads it where it lies.
//
// Its bytes are to be left alone while a call with them is under way, and not to be used behind Free.
type Buffer struct{ of *buffer }

// buffer is what copies of a Buffer have in common: of memory that somebody else may have by now none of them knows.
type buffer struct {
	bytes []byte
	free  func()
}

// NewBuffer is for the runtime: a buffer of these bytes.
func NewBuffer(bytes []byte, free func()) *Buffer { return &Buffer{&buffer{bytes, free}} }

// Bytes is the memory; none behind Free, and of nil.
func (b *Buffer) Bytes() []byte {
	if b == nil || b.of == nil {
		return nil
	}
	return b.of.bytes
}

// Free gives the memory back. A buffer that is not freed stays until the process ends.
func (b *Buffer) Free() {
	if b == nil || b.of == nil {
		return
	}
	free := b.of.free
	b.of.bytes, b.of.free = nil, nil
	if free != nil {
		free()
	}
}

// SharedBuffer is memory that a worker and this process write: a method whose name ends with InPlace or Into lends it to the library, which
// changes it where it lies, and nothing of it is copied. There is no slice of it, for the worker can write it at any time: it is read and
// written by copies.
//
// It is one goroutine's at a time. What is not freed stays until the process ends.
type SharedBuffer struct{ of *SharedPart }

// SharedPart is for the runtime, which knows a buffer by it: what copies of a [SharedBuffer] have in common.
type SharedPart struct {
	memory SharedMemory
	bytes  int
	free   func()
}

// SharedMemory is for the runtime: memory that a worker writes, too.
type SharedMemory interface {
	CopyIn(offset int, bytes []byte)
	CopyOut(into []byte, offset int)
}

var (
	_ io.ReaderAt = (*SharedBuffer)(nil)
	_ io.WriterAt = (*SharedBuffer)(nil)
)

// ErrFreed is the error of a buffer that was freed.
var ErrFreed = errors.New("hotcell: the buffer was freed")

// NewSharedBuffer is for the runtime: a buffer of the first bytes of this memory.
func NewSharedBuffer(memory SharedMemory, bytes int, free func()) *SharedBuffer {
	return &SharedBuffer{&SharedPart{memory, bytes, free}}
}

// Part is for the runtime: what it knows the buffer by, nil where there is none.
func (b *SharedBuffer) Part() *SharedPart {
	if b == nil {
		return nil
	}
	return b.of
}

// Len is how many bytes it has; 0 behind Free, and of nil.
func (b *SharedBuffer) Len() int {
	if b == nil || b.of == nil {
		return 0
	}
	return b.of.bytes
}

// ReadAt copies bytes from an offset on.
func (b *SharedBuffer) ReadAt(into []byte, offset int64) (int, error) {
	if err := b.within(offset); err != nil {
		return 0, err
	}
	count := min(len(into), b.of.bytes-int(offset))
	b.of.memory.CopyOut(into[:count], int(offset))
	if count < len(into) {
		return count, io.EOF
	}
	return count, nil
}

// WriteAt copies bytes in, from an offset on. Those that do not fit are left out, with io.ErrShortWrite.
func (b *SharedBuffer) WriteAt(data []byte, offset int64) (int, error) {
	if err := b.within(offset); err != nil {
		return 0, err
	}
	count := min(len(data), b.of.bytes-int(offset))
	b.of.memory.CopyIn(int(offset), data[:count])
	if count < len(data) {
		return count, io.ErrShortWrite
	}
	return count, nil
}

func (b *SharedBuffer) within(offset int64) error {
	switch {
	case b == nil || b.of == nil:
		return refused("the buffer has no memory: AllocShared of a session makes one that has")
	case b.of.memory == nil:
		return ErrFreed
	case offset < 0 || offset > int64(b.of.bytes):
		return errors.New("hotcell: an offset outside of a buffer")
	}
	return nil
}

// Free gives the memory back. Where it is lent to a call that is under way, others have it behind that.
func (b *SharedBuffer) Free() {
	if b == nil || b.of == nil || b.of.memory == nil {
		return
	}
	free := b.of.free
	b.of.memory, b.of.bytes, b.of.free = nil, 0, nil
	if free != nil {
		free()
	}
}
