package rt

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"hotcell/internal/shm"
	"hotcell/internal/wire"
)

// Image is a structure's fields in private memory, each at its offset. Texts and data of a field go into the call, and the image
// has the reference.
type Image struct {
	numbers
	// from is where in a result block the reference to it was.
	from int
	// references are where it has some.
	references []int
}

// NewImage is an image of so many bytes, all zero.
func NewImage(size int) *Image { return &Image{numbers: numbers{make([]byte, size)}} }

// PutUint8 writes a number at an offset, as do its like.
func (i *Image) PutUint8(offset int, value uint8) { i.block[offset] = value }

// PutUint16 writes a number.
func (i *Image) PutUint16(offset int, value uint16) {
	binary.NativeEndian.PutUint16(i.block[offset:], value)
}

// PutUint32 writes a number.
func (i *Image) PutUint32(offset int, value uint32) {
	binary.NativeEndian.PutUint32(i.block[offset:], value)
}

// PutUint64 writes a number.
func (i *Image) PutUint64(offset int, value uint64) {
	binary.NativeEndian.PutUint64(i.block[offset:], value)
}

// PutInt8 writes a number.
func (i *Image) PutInt8(offset int, value int8) { i.PutUint8(offset, uint8(value)) }

// PutInt16 writes a number.
func (i *Image) PutInt16(offset int, value int16) { i.PutUint16(offset, uint16(value)) }

// PutInt32 writes a number.
func (i *Image) PutInt32(offset int, value int32) { i.PutUint32(offset, uint32(value)) }

// PutInt64 writes a number.
func (i *Image) PutInt64(offset int, value int64) { i.PutUint64(offset, uint64(value)) }

// PutFloat32 writes a number.
func (i *Image) PutFloat32(offset int, value float32) { i.PutUint32(offset, math.Float32bits(value)) }

// PutFloat64 writes a number.
func (i *Image) PutFloat64(offset int, value float64) { i.PutUint64(offset, math.Float64bits(value)) }

// PutBool writes a truth value.
func (i *Image) PutBool(offset int, value bool) {
	i.block[offset] = 0
	if value {
		i.block[offset] = 1
	}
}

// PutArray writes the numbers of an array.
func PutArray[T Element](i *Image, offset int, elements []T) {
	copy(i.block[offset:], bytesOf(elements))
}

// Array is the numbers of an array of so many.
func Array[T Element](i *Image, offset, count int) []T {
	return elementsOf[T](append([]byte(nil), i.block[offset:offset+count*sizeOf[T]()]...))
}

// PutNull writes a null reference.
func (i *Image) PutNull(offset int) { i.putReference(offset, shm.Null, 0) }

func (i *Image) putReference(offset int, place shm.Place, length int) {
	if place != shm.Null {
		i.references = append(i.references, offset)
	}
	i.PutUint64(offset+wire.ReferencePlace, uint64(place))
	i.PutUint64(offset+wire.ReferenceLength, uint64(length))
}

// PutBytes copies data into the call and writes a reference to them; nil is NULL.
func (i *Image) PutBytes(c *Call, offset int, name string, data []byte) {
	if data == nil {
		i.PutNull(offset)
	} else if place, ok := c.placeBytes(name, data); ok {
		i.putReference(offset, place, len(data))
	}
}

// PutImageElements is as PutBytes, of numbers.
func PutImageElements[T Element](i *Image, c *Call, offset int, name string, elements []T) {
	if elements == nil {
		i.PutNull(offset)
		return
	}
	i.PutBytes(c, offset, name, bytesOf(elements))
}

// PutText copies a text into the call, with a NUL behind it, and writes a reference to it.
func (i *Image) PutText(c *Call, offset int, name string, text string) {
	i.PutTextAs(c, offset, name, UTF8, text)
}

// PutTextAs is as PutText, for a library that takes another encoding.
func (i *Image) PutTextAs(c *Call, offset int, name string, encoding Encoding, text string) {
	if place, length, ok := c.placeTextAs(name, encoding, text); ok {
		i.putReference(offset, place, length)
	}
}

// PutTextBytes is as PutText, of a text in no known encoding; nil is NULL.
func (i *Image) PutTextBytes(c *Call, offset int, name string, text []byte) {
	if text == nil {
		i.PutNull(offset)
		return
	}
	i.PutTextAs(c, offset, name, raw, shm.TextOf(text))
}

// PutImage copies the image of a structure that a field points to into the call; nil is NULL.
func (i *Image) PutImage(c *Call, offset int, name string, image *Image) {
	if image == nil {
		i.PutNull(offset)
		return
	}
	if place, ok := c.placeImage(name, image); ok {
		i.putReference(offset, place, len(image.block))
	}
}

// PutTextArray writes a text into an array of so many characters. It must be shorter, and hold no NUL.
func (i *Image) PutTextArray(c *Call, offset int, name, text string, length int) {
	switch {
	case len(text) >= length:
		c.invalid(name, "has %d bytes; the array holds %d", len(text), length-1)
	case strings.IndexByte(text, 0) >= 0:
		c.invalid(name, "has a NUL, which would end it")
	default:
		clear(i.block[offset+copy(i.block[offset:], text) : offset+length])
	}
}

// TextArray is the UTF-8 text in an array of so many characters.
func (i *Image) TextArray(r *Reply, offset, length int) string {
	return r.decode(UTF8, i.BytesArray(offset, length))
}

// BytesArray is the bytes of the text in an array of so many characters.
func (i *Image) BytesArray(offset, length int) []byte {
	text, _, _ := strings.Cut(string(i.block[offset:offset+length]), "\x00")
	return []byte(text)
}

// Bytes is the data that a field refers to; NULL is nil.
func (i *Image) Bytes(r Reader, offset int) []byte { return r.data().fetch(i.reference(offset)) }

// ImageElements is the numbers that a field refers to; NULL is nil.
func ImageElements[T Element](i *Image, r Reader, offset int) []T {
	return elementsAt[T](r.data(), i.reference(offset))
}

// Text is the UTF-8 text that a field refers to; NULL is an error.
func (i *Image) Text(r Reader, offset int) string { return i.TextAs(r, offset, UTF8) }

// TextAs is as Text, in this encoding.
func (i *Image) TextAs(r Reader, offset int, encoding Encoding) string {
	reader := r.data()
	return reader.decode(encoding, promised(reader, reader.fetch(i.reference(offset)), "a text"))
}

// OptText is as Text; NULL is nil.
func (i *Image) OptText(r Reader, offset int) *string { return i.OptTextAs(r, offset, UTF8) }

// OptTextAs is as TextAs; NULL is nil.
func (i *Image) OptTextAs(r Reader, offset int, encoding Encoding) *string {
	return r.data().optText(encoding, r.data().fetch(i.reference(offset)))
}

// TextBytes is the bytes of a text; NULL is nil.
func (i *Image) TextBytes(r Reader, offset int) []byte { return r.data().fetch(i.reference(offset)) }

// Texts is the texts that a field refers to, any of which may be NULL; NULL itself is none.
func (i *Image) Texts(r Reader, offset int, encoding Encoding) []*string {
	return r.data().textsAt(i.reference(offset), encoding)
}

// Image is the image of the structure that a field points to, of size bytes; NULL is nil.
func (i *Image) Image(r Reader, offset, size int) *Image {
	return r.data().imageAt(i.reference(offset), size, 0)
}

// Images is the images of the structures that a field points to, each of size bytes; NULL is nil.
func (i *Image) Images(r Reader, offset, size int) []*Image {
	return r.data().imagesAt(i.reference(offset), size)
}

// Advanced is by how many of its most bytes the library advanced a pointer to data that went in.
func (i *Image) Advanced(r *Reply, offset, most int) int {
	if r.call.err != nil {
		return 0
	}
	return r.within(i.reference(offset).length, most)
}

// PutResident writes the handle of a resident structure. Without one the library makes the object.
func (i *Image) PutResident(c *Call, name string, handle *Handle, kind uint16) {
	i.PutUint64(0, 0)
	if handle != nil {
		i.PutUint64(0, c.pass(name, handle, kind, kept))
	}
}

// PutNew writes that a resident structure has no object yet, for a call that begins it. One that is there is an error.
func (i *Image) PutNew(c *Call, name string, handle *Handle, kind uint16) {
	if handle != nil {
		// One that is gone says so.
		c.pass(name, handle, kind, kept)
		c.invalid(name, "is there already: end it first, or take a new one")
	}
	i.PutUint64(0, 0)
}

// PutConsumed writes the handle of a resident structure whose object ends with the call.
func (i *Image) PutConsumed(c *Call, name string, handle *Handle, kind uint16) {
	i.PutUint64(0, c.pass(name, handle, kind, consumed))
}

// Resident is the object of a resident structure: a new one where there was none.
func (i *Image) Resident(r *Reply, kind uint16, handle, parent *Handle) *Handle {
	raw := i.Uint64(0)
	switch {
	case r.call.err != nil:
		return handle
	case handle != nil && handle.raw == raw:
		return handle
	case handle != nil:
		r.call.violation("a resident structure came back as another object")
		return handle
	case raw == 0 && r.failure != nil:
		return nil
	}
	return r.adopt(i.from, raw, kind, true, parent)
}

// String shows the bytes, for tests.
func (i *Image) String() string { return fmt.Sprintf("%x", i.block) }
