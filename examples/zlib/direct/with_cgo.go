// The program beside this folder without Hotcell: zlib in this process, by cgo.
package main

/*
#cgo LDFLAGS: -lz
#include <stdlib.h>
#include <zlib.h>

// deflateInit is a macro, which cgo cannot call.
static int deflate_init(z_stream *stream, int level)
{
	return deflateInit(stream, level);
}
*/
import "C"

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"unsafe"
)

const piece = 16 << 10

type failure struct {
	function string
	code     C.int
}

func (f *failure) Error() string {
	return fmt.Sprintf("zlib: %s: LibraryError: %s (code %d)", f.function, C.GoString(C.zError(f.code)), f.code)
}

func checked(function string, code C.int) error {
	if code < 0 {
		return &failure{function, code}
	}
	return nil
}

func crc32(data []byte) uint64 {
	return uint64(C.crc32(0, (*C.Bytef)(unsafe.SliceData(data)), C.uInt(len(data))))
}

func uncompress(length int, packed []byte) ([]byte, error) {
	out, size := make([]byte, length), C.uLongf(length)
	to, from := (*C.Bytef)(unsafe.SliceData(out)), (*C.Bytef)(unsafe.SliceData(packed))
	if err := checked("uncompress", C.uncompress(to, &size, from, C.uLong(len(packed)))); err != nil {
		return nil, err
	}
	return out[:size], nil
}

// deflate compresses data in pieces, as if it came from a socket.
func deflate(data []byte) ([]byte, error) {
	// In memory of C: zlib keeps the address of its stream, and compares.
	stream := (*C.z_stream)(C.calloc(1, C.sizeof_z_stream))
	defer C.free(unsafe.Pointer(stream))
	if err := checked("deflateInit_", C.deflate_init(stream, C.Z_BEST_COMPRESSION)); err != nil {
		return nil, err
	}
	defer C.deflateEnd(stream)
	// Memory of Go whose address lies in memory of C is to be pinned, and that is checked by nobody.
	var pinned runtime.Pinner
	defer pinned.Unpin()
	out := make([]byte, piece)
	pinned.Pin(unsafe.SliceData(out))
	var packed []byte
	for len(data) > 0 {
		next := data[:min(piece, len(data))]
		data = data[len(next):]
		pinned.Pin(unsafe.SliceData(next))
		stream.next_in, stream.avail_in = (*C.Bytef)(unsafe.SliceData(next)), C.uInt(len(next))
		flush := C.int(C.Z_NO_FLUSH)
		if len(data) == 0 {
			flush = C.Z_FINISH
		}
		for {
			stream.next_out, stream.avail_out = (*C.Bytef)(unsafe.SliceData(out)), piece
			status := C.deflate(stream, flush)
			if err := checked("deflate", status); err != nil {
				return nil, err
			}
			packed = append(packed, out[:piece-stream.avail_out]...)
			if status == C.Z_STREAM_END || flush == C.Z_NO_FLUSH && stream.avail_out > 0 {
				break
			}
		}
	}
	return packed, nil
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	log := logged()
	fmt.Printf("a log of %d bytes, checksum %08x\n", len(log), crc32(log))

	packed, err := deflate(log)
	if err != nil {
		return err
	}
	fmt.Println("smaller than a third:", len(packed)*3 < len(log))

	restored, err := uncompress(len(log), packed)
	if err != nil {
		return err
	}
	fmt.Println("restored:", bytes.Equal(restored, log))

	packed[100] ^= 0xff
	var refused *failure
	switch _, err := uncompress(len(log), packed); {
	case err == nil:
		fmt.Println("taken for intact")
	case errors.As(err, &refused):
		fmt.Println("damaged:", err)
	default:
		return err
	}
	return nil
}

// logged is lines as a service writes them.
func logged() []byte {
	var log strings.Builder
	for request := range 5_000 {
		fmt.Fprintf(&log, "%05d GET /catalogue/items/%d 200 %d ms\n", request, request%97, request*7%31)
	}
	return []byte(log.String())
}
