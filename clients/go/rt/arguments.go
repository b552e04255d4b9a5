package rt

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"hotcell"
	"hotcell/internal/shm"
	"hotcell/internal/wire"
)

// PutUint8 writes a number at an offset of the argument block, as do its like.
func (c *Call) PutUint8(offset int, value uint8) { Arguments(c.block).PutUint8(offset, value) }

// PutUint16 writes a number.
func (c *Call) PutUint16(offset int, value uint16) { Arguments(c.block).PutUint16(offset, value) }

// PutUint32 writes a number.
func (c *Call) PutUint32(offset int, value uint32) { Arguments(c.block).PutUint32(offset, value) }

// PutUint64 writes a number.
func (c *Call) PutUint64(offset int, value uint64) { Arguments(c.block).PutUint64(offset, value) }

// PutInt8 writes a number.
func (c *Call) PutInt8(offset int, value int8) { Arguments(c.block).PutInt8(offset, value) }

// PutInt16 writes a number.
func (c *Call) PutInt16(offset int, value int16) { Arguments(c.block).PutInt16(offset, value) }

// PutInt32 writes a number.
func (c *Call) PutInt32(offset int, value int32) { Arguments(c.block).PutInt32(offset, value) }

// PutInt64 writes a number.
func (c *Call) PutInt64(offset int, value int64) { Arguments(c.block).PutInt64(offset, value) }

// PutFloat32 writes a number.
func (c *Call) PutFloat32(offset int, value float32) { Arguments(c.block).PutFloat32(offset, value) }

// PutFloat64 writes a number.
func (c *Call) PutFloat64(offset int, value float64) { Arguments(c.block).PutFloat64(offset, value) }

// PutBool writes a truth value, which is a byte.
func (c *Call) PutBool(offset int, value bool) { Arguments(c.block).PutBool(offset, value) }

// PutNull writes a null reference.
func (c *Call) PutNull(offset int) { c.putReference(offset, shm.Null, 0) }

// PutRoom writes how many elements the caller has room for.
func (c *Call) PutRoom(offset int, name string, elements int) {
	if elements < 0 {
		c.invalid(name, "cannot have room for %d elements", elements)
		return
	}
	c.PutUint64(offset, uint64(elements))
}

// PutBytes copies data in and writes a reference to them; nil is empty. Data in a [hotcell.Buffer] of the session are read where
// they lie, if they are more than fits a slot.
func (c *Call) PutBytes(offset int, name string, data []byte) {
	if place, ok := c.placeBytes(name, data); ok {
		c.putReference(offset, place, len(data))
	}
}

// PutOptBytes is as PutBytes; nil is NULL.
func (c *Call) PutOptBytes(offset int, name string, data []byte) {
	if data == nil {
		c.PutNull(offset)
		return
	}
	c.PutBytes(offset, name, data)
}

// PutElements copies numbers in and writes a reference to them; nil is empty.
func PutElements[T Element](c *Call, offset int, name string, elements []T) {
	c.PutBytes(offset, name, bytesOf(elements))
}

// PutOptElements is as PutElements; nil is NULL.
func PutOptElements[T Element](c *Call, offset int, name string, elements []T) {
	if elements == nil {
		c.PutNull(offset)
		return
	}
	PutElements(c, offset, name, elements)
}

// PutText copies a text in, with a NUL behind it, and writes a reference to it.
func (c *Call) PutText(offset int, name string, text string) {
	c.PutTextAs(offset, name, UTF8, text)
}

// PutOptText is as PutText; nil is NULL.
func (c *Call) PutOptText(offset int, name string, text *string) {
	if text == nil {
		c.PutNull(offset)
		return
	}
	c.PutText(offset, name, *text)
}

// PutTextAs is as PutText, for a library that takes another encoding.
func (c *Call) PutTextAs(offset int, name string, encoding Encoding, text string) {
	if place, length, ok := c.placeTextAs(name, encoding, text); ok {
		c.putReference(offset, place, length)
	}
}

// PutOptTextAs is as PutTextAs; nil is NULL.
func (c *Call) PutOptTextAs(offset int, name string, encoding Encoding, text *string) {
	if text == nil {
		c.PutNull(offset)
		return
	}
	c.PutTextAs(offset, name, encoding, *text)
}

// PutTextBytes is as PutText, of a text in no known encoding.
func (c *Call) PutTextBytes(offset int, name string, text []byte) {
	c.PutTextAs(offset, name, raw, shm.TextOf(text))
}

// PutOptTextBytes is as PutTextBytes; nil is NULL.
func (c *Call) PutOptTextBytes(offset int, name string, text []byte) {
	if text == nil {
		c.PutNull(offset)
		return
	}
	c.PutTextBytes(offset, name, text)
}

// PutTexts copies texts in and writes a reference to an array of references to them.
func (c *Call) PutTexts(offset int, name string, encoding Encoding, texts []string) {
	references := make([]byte, 0, len(texts)*wire.ReferenceSize)
	for _, text := range texts {
		place, length, ok := c.placeTextAs(name, encoding, text)
		if !ok {
			return
		}
		references = binary.NativeEndian.AppendUint64(references, uint64(place))
		references = binary.NativeEndian.AppendUint64(references, uint64(length))
	}
	if place, ok := c.placeBytes(name, references); ok {
		c.putReference(offset, place, len(references))
	}
}

// PutOptTexts is as PutTexts; nil is NULL.
func (c *Call) PutOptTexts(offset int, name string, encoding Encoding, texts []string) {
	if texts == nil {
		c.PutNull(offset)
		return
	}
	c.PutTexts(offset, name, encoding, texts)
}

// PutTextsBytes is as PutTexts, of texts in no known encoding.
func (c *Call) PutTextsBytes(offset int, name string, texts [][]byte) {
	all := make([]string, len(texts))
	for at, text := range texts {
		all[at] = shm.TextOf(text)
	}
	c.PutTexts(offset, name, raw, all)
}

// PutImage copies the image of a structure in and writes a reference to it.
func (c *Call) PutImage(offset int, name string, image *Image) {
	if image == nil {
		c.invalid(name, "must not be nil")
		return
	}
	if place, ok := c.placeImage(name, image); ok {
		c.putReference(offset, place, len(image.block))
	}
}

// placeImage copies an image in, and notes where it has references.
func (c *Call) placeImage(name string, image *Image) (shm.Place, bool) {
	place, ok := c.placeBytes(name, image.block)
	if ok && c.batch == nil {
		for _, offset := range image.references {
			c.noted = append(c.noted, place+shm.Place(offset))
		}
	}
	return place, ok
}

// PutOptImage is as PutImage; nil is NULL.
func (c *Call) PutOptImage(offset int, name string, image *Image) {
	if image == nil {
		c.PutNull(offset)
		return
	}
	c.PutImage(offset, name, image)
}

// Refuse notes that a package cannot pass an argument.
func (c *Call) Refuse(name, format string, arguments ...any) { c.invalid(name, format, arguments...) }

// CheckBits refuses a number that a bit-field of so many bits cannot hold.
func (c *Call) CheckBits(name string, value int64, width uint, signed bool) {
	low, high := int64(0), int64(1)<<width-1
	if signed {
		low, high = -(int64(1) << (width - 1)), int64(1)<<(width-1)-1
	}
	if value < low || value > high {
		c.invalid(name, "is %d; %d bits hold %d to %d", value, width, low, high)
	}
}

func (c *Call) putReference(offset int, place shm.Place, length int) {
	c.PutUint64(offset+wire.ReferencePlace, uint64(place))
	c.PutUint64(offset+wire.ReferenceLength, uint64(length))
}

// placeTextAs copies a text in, in this encoding, with a NUL behind it. Comes with its bytes there.
func (c *Call) placeTextAs(name string, encoding Encoding, text string) (place shm.Place, length int, ok bool) {
	if at := strings.IndexByte(text, 0); at >= 0 {
		c.invalid(name, "has a NUL at byte %d; C would end the text there", at)
		return shm.Null, 0, false
	}
	data, at := shm.BytesOf(text), -1
	switch encoding {
	case UTF8:
		at = invalid(text)
	case raw:
	default:
		data, at = encoding.encode(text)
	}
	if at >= 0 {
		message := fmt.Sprintf("`%s` has a character at byte %d that %s has not", name, at, encoding)
		c.fail(hotcell.ErrBadEncoding, hotcell.ExecutedNo, &hotcell.ArgumentError{Name: name}, "%s", message)
		return shm.Null, 0, false
	}
	place, ok = c.place(name, data, encoding.unit())
	return place, len(data), ok
}

// placeBytes finds data in a buffer of the session, or copies them in.
func (c *Call) placeBytes(name string, data []byte) (shm.Place, bool) {
	if len(data) > wire.MaxArgs && c.collects == nil && c.err == nil {
		if place, found := c.inBuffer(data); found && c.counts(name, len(data)) {
			return place, true
		}
	}
	return c.place(name, data, 0)
}

// place copies data and tail zero bytes in: behind the argument block, or into request memory. What has failed places nothing.
func (c *Call) place(name string, data []byte, tail int) (shm.Place, bool) {
	if c.err != nil || !c.counts(name, len(data)) {
		return shm.Null, false
	}
	if c.batch != nil {
		return c.batch.add(data, tail), true
	}
	start := (c.used + 7) &^ 7
	if end := start + len(data) + tail; end <= wire.MaxArgs {
		clear(c.block[c.used:start])
		copy(c.block[start:], data)
		clear(c.block[end-tail : end])
		c.used = end
		return c.seat.lane.ArgsPlace(start), true
	}
	return c.placeFar(name, data, tail)
}

// placeFar copies data into request memory: at once where there is room, as nearly always.
func (c *Call) placeFar(name string, data []byte, tail int) (shm.Place, bool) {
	place, fits := c.seat.arena.CopyIn(data, tail)
	if !fits {
		if !c.grow(name, len(data)+tail) {
			return shm.Null, false
		}
		place, _ = c.seat.arena.CopyIn(data, tail)
	}
	return place, true
}

// placeParts is as place, of data that lie in three parts.
func (c *Call) placeParts(name string, parts *[3][]byte) (shm.Place, bool) {
	bytes := len(parts[0]) + len(parts[1]) + len(parts[2])
	if c.err != nil || !c.counts(name, bytes) {
		return shm.Null, false
	}
	start := (c.used + 7) &^ 7
	if end := start + bytes; end <= wire.MaxArgs {
		clear(c.block[c.used:start])
		at := start
		for _, part := range parts {
			at += copy(c.block[at:], part)
		}
		c.used = end
		return c.seat.lane.ArgsPlace(start), true
	}
	place, fits := c.seat.arena.CopyPartsIn(parts, bytes)
	if !fits {
		if !c.grow(name, bytes) {
			return shm.Null, false
		}
		place, _ = c.seat.arena.CopyPartsIn(parts, bytes)
	}
	return place, true
}

// grow sees to it that there is request memory for so many bytes more.
func (c *Call) grow(name string, bytes int) bool {
	c.wait.Reckon()
	ctx, cancel := context.WithDeadline(c.ctx, c.wait.Deadline)
	defer cancel()
	err := c.seat.grow(ctx, bytes)
	if err != nil && !errors.Is(err, hotcell.ErrLimitExceeded) {
		c.setErr(c.session.failed(err, c.fn.Name))
		return false
	}
	if err != nil {
		cause := &hotcell.LimitError{Limit: hotcell.LimitExceededMemory, Value: uint64(bytes)}
		c.fail(hotcell.ErrLimitExceeded, hotcell.ExecutedNo, cause, "there is no memory to pass `%s`: %v", name, err)
		return false
	}
	return true
}

// counts tells whether so many bytes more may be passed.
func (c *Call) counts(name string, bytes int) bool {
	if c.input += uint64(bytes); c.input <= c.session.options.MaxInput {
		return true
	}
	cause := &hotcell.LimitError{Limit: hotcell.LimitExceededMemory, Value: c.session.options.MaxInput}
	c.fail(hotcell.ErrLimitExceeded, hotcell.ExecutedNo, cause, "`%s` makes the data of the call more than %d bytes", name, c.session.options.MaxInput)
	return false
}
