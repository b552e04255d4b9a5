package hotcell

// Buffer is memory that is shared with a worker: a function that is passed a part of it reads it where it lies.
//
// Its bytes are to be left alone while a call with them is under way, and not to be used behind Free.
type Buffer struct {
	bytes []byte
	free  func()
}

// NewBuffer is for the runtime: a buffer of these bytes.
func NewBuffer(bytes []byte, free func()) *Buffer { return &Buffer{bytes, free} }

// Bytes is the memory.
func (b *Buffer) Bytes() []byte { return b.bytes }

// Free gives the memory back. A buffer that is not freed stays until the process ends.
func (b *Buffer) Free() {
	if b.free != nil {
		b.free()
	}
	b.bytes, b.free = nil, nil
}
