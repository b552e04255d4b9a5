package rt

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"hotcell/internal/shm"
)

// mostRecorded is how many bytes are kept of the calls of one object at most, partSize how many a part counts for besides its own.
const (
	mostRecorded = 64 << 10
	partSize     = 24
)

// record is what went into a call, kept so that the call can be made again in another worker.
type record struct {
	repeated *Repeated
	inputs   []part
	// key is what says what it sets.
	key []part
	// parent is what the object belongs to.
	parent *Handle
}

// part is a part of what went in: numbers, or data, which may be NULL.
type part struct {
	null  bool
	bytes []byte
}

// record is what the call was given, which has returned, or why that cannot be kept.
func (c *Call) record(repeated *Repeated) (made *record, why string) {
	it := &record{repeated: repeated}
	if it.inputs, why = c.parts(repeated.Inputs); why == "" {
		it.key, why = c.parts(repeated.Key)
	}
	if parent := repeated.Parent; parent != nil && why == "" {
		raw := binary.NativeEndian.Uint64(c.block[parent.Offset:])
		at := slices.IndexFunc(c.passed, func(it passed) bool { return it.raw == raw })
		if at < 0 {
			why = fmt.Sprintf("`%s` was given an object that nobody holds any more", c.fn.Name)
		} else {
			it.parent = c.passed[at].handle
		}
	}
	if why != "" {
		it.overwrite()
		return nil, why
	}
	return it, ""
}

func (c *Call) parts(inputs []Input) (all []part, why string) {
	left := mostRecorded
	for _, input := range inputs {
		at := int(input.Offset)
		if input.Kind == InputNumbers {
			all = append(all, part{bytes: bytes.Clone(c.block[at : at+int(input.Bytes)])})
			continue
		}
		from := referenceAt(c.block[at:])
		if from.place == shm.Null {
			all = append(all, part{null: true})
			continue
		}
		if from.length > uint64(left) {
			return all, fmt.Sprintf("what `%s` was given is more than the %d bytes that are kept", c.fn.Name, mostRecorded)
		}
		left -= int(from.length)
		data := c.putHere(from)
		if data == nil || input.Kind != InputData {
			return all, fmt.Sprintf("what `%s` was given lies in memory that others may change", c.fn.Name)
		}
		all = append(all, part{bytes: append([]byte{}, data...)})
	}
	return all, ""
}

// size is how many bytes it takes.
func (r *record) size() (size int) {
	for _, parts := range [...][]part{r.inputs, r.key} {
		for _, part := range parts {
			size += partSize + len(part.bytes)
		}
	}
	return size
}

// overwrite overwrites what it has, which may be a secret.
func (r *record) overwrite() {
	for _, parts := range [...][]part{r.inputs, r.key} {
		for _, part := range parts {
			clear(part.bytes)
		}
	}
}

// setsTheSame tells whether two calls set the same.
func (r *record) setsTheSame(other *record) bool {
	same := func(one, other part) bool { return one.null == other.null && bytes.Equal(one.bytes, other.bytes) }
	return r.repeated.Function == other.repeated.Function && slices.EqualFunc(r.key, other.key, same)
}

// put puts what was kept into a call.
func (r *record) put(c *Call) {
	for at, input := range r.repeated.Inputs {
		offset, part := int(input.Offset), r.inputs[at]
		switch {
		case input.Kind == InputNumbers:
			copy(c.block[offset:], part.bytes)
		case part.null:
			c.PutNull(offset)
		default:
			// Behind a text are NULs; data have them, too.
			if place, ok := c.place(c.fn.Name, part.bytes, textTail); ok {
				c.putReference(offset, place, len(part.bytes))
			}
		}
	}
	if parent := r.repeated.Parent; parent != nil {
		c.PutHandle(int(parent.Offset), c.fn.Name, r.parent, parent.Kind)
	}
}

// textTail is how many NULs are enough behind any text.
const textTail = 4
