package rt

import (
	"encoding/binary"
	"math"

	"hotcell"
	"hotcell/internal/shm"
	"hotcell/internal/wire"
)

// numbers are read from a block of private memory, by their offsets.
type numbers struct {
	block []byte
}

// Uint8 is the number at an offset, as are its like.
func (n numbers) Uint8(offset int) uint8 { return n.block[offset] }

// Uint16 is the number at an offset.
func (n numbers) Uint16(offset int) uint16 { return binary.NativeEndian.Uint16(n.block[offset:]) }

// Uint32 is the number at an offset.
func (n numbers) Uint32(offset int) uint32 { return binary.NativeEndian.Uint32(n.block[offset:]) }

// Uint64 is the number at an offset.
func (n numbers) Uint64(offset int) uint64 { return binary.NativeEndian.Uint64(n.block[offset:]) }

// Int8 is the number at an offset.
func (n numbers) Int8(offset int) int8 { return int8(n.Uint8(offset)) }

// Int16 is the number at an offset.
func (n numbers) Int16(offset int) int16 { return int16(n.Uint16(offset)) }

// Int32 is the number at an offset.
func (n numbers) Int32(offset int) int32 { return int32(n.Uint32(offset)) }

// Int64 is the number at an offset.
func (n numbers) Int64(offset int) int64 { return int64(n.Uint64(offset)) }

// Float32 is the number at an offset.
func (n numbers) Float32(offset int) float32 { return math.Float32frombits(n.Uint32(offset)) }

// Float64 is the number at an offset.
func (n numbers) Float64(offset int) float64 { return math.Float64frombits(n.Uint64(offset)) }

// Bool is the truth value at an offset.
func (n numbers) Bool(offset int) bool { return n.block[offset] != 0 }

// Numbers are the results of a call that has numbers alone.
type Numbers struct{ numbers }

// reference is the place and the length at an offset.
func (n numbers) reference(offset int) reference {
	return reference{shm.Place(n.Uint64(offset + wire.ReferencePlace)), n.Uint64(offset + wire.ReferenceLength)}
}

// reference is where data lie, as the worker says.
type reference struct {
	place  shm.Place
	length uint64
}

// reader reads data that a worker refers to. Everything is copied once and checked.
type reader struct {
	numbers
	call *Call
	// copied is how many bytes were copied so far: references may overlap, copies do not.
	copied uint64
	// pool is what was copied of a batch's reply memory.
	pool pool
}

// Reader is what data are read from: a [Reply], or the [Invocation] of a callback.
type Reader interface {
	data() *reader
}

func (r *reader) data() *reader { return r }

// fetch copies the data of a reference; nil for a null one, and behind an error.
func (r *reader) fetch(from reference) []byte {
	c := r.call
	switch {
	case c.err != nil || from.place == shm.Null:
		return nil
	case from.length == wire.LengthImpossible:
		c.lie("the library claims to have written more than a result buffer holds, or less than nothing")
		return nil
	}
	limit := c.session.options.MaxOutput
	if from.length > limit-min(r.copied, limit) {
		cause := &hotcell.LimitError{Limit: hotcell.LimitExceededOutput, Value: limit}
		c.fail(hotcell.ErrLimitExceeded, hotcell.ExecutedMaybe, cause, "the results are more than the %d bytes that a call may return", limit)
		return nil
	}
	if data, found := r.pool.find(from); found {
		r.copied += from.length
		return append(make([]byte, 0, max(len(data), 1)), data...)
	}
	if c.lost.Load() || c.seat == nil {
		c.fail(hotcell.ErrWorkerLost, hotcell.ExecutedMaybe, nil, "the worker is gone that the results are in")
		return nil
	}
	found, granted := c.seat.lane.Locate(&c.seat.arena, int(c.fn.Results), from.place, from.length)
	if !granted {
		c.violation("a result lies outside of the memory granted to its call")
		return nil
	}
	r.copied += from.length
	data := make([]byte, found.Len())
	found.CopyTo(data)
	return data
}

// Bytes is the data that a reference points to; NULL is nil.
func (r *reader) Bytes(offset int) []byte { return r.fetch(r.reference(offset)) }

// OptBytes is as Bytes: NULL is nil, no data are not.
func (r *reader) OptBytes(offset int) []byte { return r.fetch(r.reference(offset)) }

// PromisedBytes is as Bytes; NULL is an error.
func (r *reader) PromisedBytes(offset int) []byte {
	return promised(r, r.fetch(r.reference(offset)), "data")
}

// promised is what must not be NULL.
func promised(r *reader, data []byte, what string) []byte {
	if data == nil && r.call.err == nil {
		r.call.lie("the library returned NULL where its contract promises " + what)
	}
	return data
}

// Elements is the numbers that a reference points to; NULL is nil.
func Elements[T Element](r Reader, offset int) []T {
	reader := r.data()
	return elementsAt[T](reader, reader.reference(offset))
}

// OptElements is as Elements: NULL is nil, none are not.
func OptElements[T Element](r Reader, offset int) []T { return Elements[T](r, offset) }

// PromisedElements is as Elements; NULL is an error.
func PromisedElements[T Element](r Reader, offset int) []T {
	elements := Elements[T](r, offset)
	if elements == nil && r.data().call.err == nil {
		r.data().call.lie("the library returned NULL where its contract promises data")
	}
	return elements
}

func elementsAt[T Element](r *reader, from reference) []T {
	data := r.fetch(from)
	if data == nil || !r.whole(len(data), sizeOf[T]()) {
		return nil
	}
	return elementsOf[T](data)
}

// whole tells whether so many bytes are elements of this size.
func (r *reader) whole(bytes, size int) bool {
	if bytes%size != 0 {
		r.call.violation("a result has no whole number of elements")
	}
	return bytes%size == 0
}

// Text is the UTF-8 text that a reference points to; NULL is an error.
func (r *reader) Text(offset int) string { return r.TextAs(offset, UTF8) }

// OptText is as Text; NULL is nil.
func (r *reader) OptText(offset int) *string { return r.OptTextAs(offset, UTF8) }

// TextAs is as Text, in this encoding.
func (r *reader) TextAs(offset int, encoding Encoding) string {
	return r.decode(encoding, promised(r, r.fetch(r.reference(offset)), "a text"))
}

// OptTextAs is as OptText, in this encoding.
func (r *reader) OptTextAs(offset int, encoding Encoding) *string {
	return r.optText(encoding, r.fetch(r.reference(offset)))
}

// TextBytes is a text in no known encoding; NULL is an error.
func (r *reader) TextBytes(offset int) []byte {
	return promised(r, r.fetch(r.reference(offset)), "a text")
}

// OptTextBytes is as TextBytes; NULL is nil.
func (r *reader) OptTextBytes(offset int) []byte { return r.fetch(r.reference(offset)) }

func (r *reader) optText(encoding Encoding, data []byte) *string {
	if data == nil {
		return nil
	}
	text := r.decode(encoding, data)
	if r.call.err != nil {
		return nil
	}
	return &text
}

func (r *reader) decode(encoding Encoding, data []byte) string {
	if encoding == raw {
		return string(data)
	}
	text, at := encoding.decode(data)
	if at >= 0 {
		r.call.fail(hotcell.ErrBadEncoding, hotcell.ExecutedYes, nil, "a text of the library is not %s at byte %d", encoding, at)
		return ""
	}
	return text
}

// Texts is the texts of an array, any of which may be NULL; NULL itself is an error.
func (r *reader) Texts(offset int, encoding Encoding) []*string {
	texts := r.OptTexts(offset, encoding)
	if texts == nil && r.call.err == nil {
		r.call.lie("the library returned NULL where its contract promises texts")
	}
	return texts
}

// OptTexts is as Texts; NULL is nil.
func (r *reader) OptTexts(offset int, encoding Encoding) []*string {
	return r.textsAt(r.reference(offset), encoding)
}

// EndedTexts is the texts of an array that a NULL ends; NULL itself is an error.
func (r *reader) EndedTexts(offset int, encoding Encoding) []string {
	return r.ended(r.Texts(offset, encoding))
}

// OptEndedTexts is as EndedTexts; NULL is nil.
func (r *reader) OptEndedTexts(offset int, encoding Encoding) []string {
	return r.ended(r.OptTexts(offset, encoding))
}

func (r *reader) ended(texts []*string) []string {
	if texts == nil {
		return nil
	}
	all := make([]string, 0, len(texts))
	for _, text := range texts {
		if text == nil {
			if r.call.err == nil {
				r.call.lie("the library returned NULL where its contract promises a text")
			}
			return nil
		}
		all = append(all, *text)
	}
	return all
}

func (r *reader) textsAt(from reference, encoding Encoding) []*string {
	data := r.fetch(from)
	if data == nil || !r.whole(len(data), wire.ReferenceSize) {
		return nil
	}
	list, texts := numbers{data}, make([]*string, 0, len(data)/wire.ReferenceSize)
	for at := 0; at < len(data) && r.call.err == nil; at += wire.ReferenceSize {
		texts = append(texts, r.optText(encoding, r.fetch(list.reference(at))))
	}
	return texts
}

// Image is the image of a structure, which has size bytes. It is never nil: behind an error it is zeros, and NULL is one.
func (r *reader) Image(offset, size int) *Image {
	image := r.OptImage(offset, size)
	if image == nil {
		if r.call.err == nil {
			r.call.lie("the library returned NULL where its contract promises a structure")
		}
		return NewImage(size)
	}
	return image
}

// OptImage is as Image; NULL is nil.
func (r *reader) OptImage(offset, size int) *Image {
	return r.imageAt(r.reference(offset), size, offset)
}

func (r *reader) imageAt(from reference, size, offset int) *Image {
	data := r.fetch(from)
	if data == nil {
		return nil
	}
	if len(data) != size {
		r.call.violation("a structure has another size than its contract says")
		return nil
	}
	return &Image{numbers: numbers{data}, from: offset}
}

// Images is the images of structures one behind the other, each of size bytes; NULL is an error.
func (r *reader) Images(offset, size int) []*Image {
	images := r.OptImages(offset, size)
	if images == nil && r.call.err == nil {
		r.call.lie("the library returned NULL where its contract promises data")
	}
	return images
}

// OptImages is as Images; NULL is nil.
func (r *reader) OptImages(offset, size int) []*Image { return r.imagesAt(r.reference(offset), size) }

func (r *reader) imagesAt(from reference, size int) []*Image {
	data := r.fetch(from)
	if data == nil || !r.whole(len(data), size) {
		return nil
	}
	images := make([]*Image, 0, len(data)/size)
	for ; len(data) > 0; data = data[size:] {
		images = append(images, &Image{numbers: numbers{data[:size:size]}})
	}
	return images
}
