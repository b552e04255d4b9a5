package rt

import (
	"encoding/binary"
	"math"
)

// Element is a number that buffers may hold.
type Element interface {
	bool | uint8 | uint16 | uint32 | uint64 | int8 | int16 | int32 | int64 | float32 | float64
}

// sizeOf is how many bytes an element has.
func sizeOf[T Element]() int {
	var element T
	return binary.Size(element)
}

// bytesOf is a copy of elements as they lie in memory; of bytes it is the slice itself.
func bytesOf[T Element](elements []T) []byte {
	if bytes, same := any(elements).([]byte); same {
		return bytes
	}
	data, err := binary.Append(make([]byte, 0, len(elements)*sizeOf[T]()), binary.NativeEndian, elements)
	if err != nil {
		panic(err) // Every type of Element has a size.
	}
	return data
}

// elementsOf is what lies in memory, as elements: a whole number of them.
func elementsOf[T Element](data []byte) []T {
	if bytes, same := any(data).([]T); same {
		return bytes
	}
	elements := make([]T, len(data)/sizeOf[T]())
	if _, err := binary.Decode(data, binary.NativeEndian, elements); err != nil {
		panic(err) // As above.
	}
	return elements
}

// size is how many bytes a number of this kind has.
func (k Kind) size() int {
	switch k {
	case Uint8, Int8:
		return 1
	case Uint16, Int16:
		return 2
	case Uint32, Int32, Float32:
		return 4
	}
	return 8
}

// number is one of this kind, as an int64, a uint64 or a float64.
func (k Kind) number(data []byte) any {
	switch k {
	case Uint64:
		return binary.NativeEndian.Uint64(data)
	case Float32:
		return float64(math.Float32frombits(binary.NativeEndian.Uint32(data)))
	case Float64:
		return math.Float64frombits(binary.NativeEndian.Uint64(data))
	}
	return k.code(data)
}

// code is a number of this kind as the code of an error.
func (k Kind) code(data []byte) int64 {
	switch k {
	case Uint8:
		return int64(data[0])
	case Int8:
		return int64(int8(data[0]))
	case Uint16:
		return int64(binary.NativeEndian.Uint16(data))
	case Int16:
		return int64(int16(binary.NativeEndian.Uint16(data)))
	case Uint32:
		return int64(binary.NativeEndian.Uint32(data))
	case Int32:
		return int64(int32(binary.NativeEndian.Uint32(data)))
	case Float32:
		return int64(math.Float32frombits(binary.NativeEndian.Uint32(data)))
	case Float64:
		return int64(math.Float64frombits(binary.NativeEndian.Uint64(data)))
	}
	return int64(binary.NativeEndian.Uint64(data))
}
