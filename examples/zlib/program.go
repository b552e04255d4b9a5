// zlib at work: a log goes into a stream piece by piece, comes back, and a damaged copy of it is refused.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"hotcell"
	zlib "zlib-hotcell"
)

// piece is how many bytes are passed with one call, and the room for what comes out of it.
const piece = 16 << 10

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	lib, err := zlib.Open(ctx, hotcell.Options{})
	if err != nil {
		return err
	}
	defer lib.Close()
	log := logged()
	sum, err := lib.Crc32(ctx, 0, log)
	if err != nil {
		return err
	}
	fmt.Printf("a log of %d bytes, checksum %08x\n", len(log), sum)

	packed, err := deflate(ctx, lib, log)
	if err != nil {
		return err
	}
	fmt.Println("smaller than a third:", len(packed)*3 < len(log))

	restored, err := lib.Uncompress(ctx, len(log), packed)
	if err != nil {
		return err
	}
	fmt.Println("restored:", bytes.Equal(restored, log))

	// What zlib refuses is an error value, and so would be a crash of zlib.
	packed[100] ^= 0xff
	var refused *hotcell.LibraryError
	switch _, err := lib.Uncompress(ctx, len(log), packed); {
	case err == nil:
		fmt.Println("taken for intact")
	case errors.As(err, &refused):
		fmt.Println("damaged:", err)
	default:
		return err
	}
	return nil
}

// deflate compresses data in pieces, as if it came from a socket.
func deflate(ctx context.Context, lib *zlib.Library, data []byte) ([]byte, error) {
	stream := zlib.NewZStream(lib)
	defer stream.Close()
	if err := stream.DeflateInit_(ctx, zlib.BestCompression); err != nil {
		return nil, err
	}
	var packed []byte
	for len(data) > 0 {
		stream.NextIn, data = data[:min(piece, len(data))], data[min(piece, len(data)):]
		flush := int32(zlib.NoFlush)
		if len(data) == 0 {
			flush = zlib.Finish
		}
		for {
			stream.AvailOut = piece
			status, err := stream.Deflate(ctx, flush)
			if err != nil {
				return nil, err
			}
			packed = append(packed, stream.NextOut...)
			// Room that is left says that zlib has nothing more to give for now.
			if status == zlib.StreamEnd || flush == zlib.NoFlush && stream.AvailOut > 0 {
				break
			}
		}
	}
	_, err := stream.DeflateEnd(ctx)
	return packed, err
}

// logged is lines as a service writes them.
func logged() []byte {
	var log strings.Builder
	for request := range 5_000 {
		fmt.Fprintf(&log, "%05d GET /catalogue/items/%d 200 %d ms\n", request, request%97, request*7%31)
	}
	return []byte(log.String())
}
