package rt

import (
	"encoding/binary"
	"math"
)

// Arguments is an argument block that numbers are put into, by their offsets.
type Arguments []byte

// PutUint8 writes a number at an offset, as do its like.
func (a Arguments) PutUint8(offset int, value uint8) { a[offset] = value }

// PutUint16 writes a number.
func (a Arguments) PutUint16(offset int, value uint16) {
	binary.NativeEndian.PutUint16(a[offset:], value)
}

// PutUint32 writes a number.
func (a Arguments) PutUint32(offset int, value uint32) {
	binary.NativeEndian.PutUint32(a[offset:], value)
}

// PutUint64 writes a number.
func (a Arguments) PutUint64(offset int, value uint64) {
	binary.NativeEndian.PutUint64(a[offset:], value)
}

// PutInt8 writes a number.
func (a Arguments) PutInt8(offset int, value int8) { a.PutUint8(offset, uint8(value)) }

// PutInt16 writes a number.
func (a Arguments) PutInt16(offset int, value int16) { a.PutUint16(offset, uint16(value)) }

// PutInt32 writes a number.
func (a Arguments) PutInt32(offset int, value int32) { a.PutUint32(offset, uint32(value)) }

// PutInt64 writes a number.
func (a Arguments) PutInt64(offset int, value int64) { a.PutUint64(offset, uint64(value)) }

// PutFloat32 writes a number.
func (a Arguments) PutFloat32(offset int, value float32) {
	a.PutUint32(offset, math.Float32bits(value))
}

// PutFloat64 writes a number.
func (a Arguments) PutFloat64(offset int, value float64) {
	a.PutUint64(offset, math.Float64bits(value))
}

// PutBool writes a truth value, which is a byte.
func (a Arguments) PutBool(offset int, value bool) {
	a[offset] = 0
	if value {
		a[offset] = 1
	}
}
