// The package of sluice, through which streams flow, used as an application would.
package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing/iotest"

	"hotcell"
	sluice "sluice-hotcell"
)

var ctx = context.Background()

func main() {
	lib := must(sluice.Open(ctx, hotcell.Options{Libraries: []string{os.Getenv("SLUICE")}}))
	defer lib.Close()
	for _, part := range []func(*sluice.Library){flows, failures, whole, counts, kept} {
		part(lib)
	}
	equal(lib.Session().Generation(), uint64(1))
	fmt.Println("all is well")
}

func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func equal(got, expected any) {
	if !reflect.DeepEqual(got, expected) {
		_, file, line, _ := runtime.Caller(1)
		panic(fmt.Sprintf("%s:%d: %#v is not %#v", file, line, got, expected))
	}
}

func is(err, expected error) {
	if !errors.Is(err, expected) {
		_, file, line, _ := runtime.Caller(1)
		panic(fmt.Sprintf("%s:%d: %v is not %v", file, line, err, expected))
	}
}

// flows: readers of any manners, and writers, end to end.
func flows(lib *sluice.Library) {
	text := strings.Repeat("der Fluss fließt. ", 40_000)
	for name, reader := range map[string]io.Reader{
		"whole":           strings.NewReader(text),
		"byte by byte":    iotest.OneByteReader(strings.NewReader(text[:3000])),
		"halves":          iotest.HalfReader(strings.NewReader(text)),
		"end with data":   iotest.DataErrReader(strings.NewReader(text)),
		"nothing":         strings.NewReader(""),
		"with an empty":   io.MultiReader(strings.NewReader(""), strings.NewReader("x")),
		"through a pipe":  piped(text),
		"what is in gzip": unpacked(text),
	} {
		expected := map[string]string{"byte by byte": text[:3000], "nothing": "", "with an empty": "x"}
		want, short := expected[name]
		if !short {
			want = text
		}
		var into bytes.Buffer
		count := must(lib.Raise(ctx, reader, &into, 4000))
		equal(count, int64(len(want)))
		// What is no letter of ASCII stays as it is.
		if upper := strings.Map(raised, want); into.String() != upper {
			panic(name)
		}
	}
}

func raised(letter rune) rune {
	if 'a' <= letter && letter <= 'z' {
		return letter - 32
	}
	return letter
}

func piped(text string) io.Reader {
	reader, writer := io.Pipe()
	go func() {
		_, err := io.WriteString(writer, text)
		writer.CloseWithError(err)
	}()
	return reader
}

func unpacked(text string) io.Reader {
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	must(io.WriteString(writer, text))
	check(writer.Close())
	return must(gzip.NewReader(&packed))
}

var errTorn = errors.New("the hose is torn")

// short takes less than it is given, and says nothing.
type short struct{}

func (short) Write(data []byte) (int, error) { return len(data) - 1, nil }

// failures of a reader and of a writer come out of the call.
func failures(lib *sluice.Library) {
	half := io.MultiReader(strings.NewReader("half"), iotest.ErrReader(errTorn))
	var into bytes.Buffer
	_, err := lib.Raise(ctx, half, &into, 100)
	is(err, errTorn)
	equal(into.String(), "HALF")
	// Only io.EOF itself is the end.
	_, err = lib.Raise(ctx, iotest.ErrReader(fmt.Errorf("torn: %w", io.EOF)), &into, 100)
	is(err, io.EOF)
	reader, writer := io.Pipe()
	check(reader.CloseWithError(errTorn))
	_, err = lib.Raise(ctx, strings.NewReader("x"), writer, 100)
	is(err, errTorn)
	_, err = lib.Raise(ctx, strings.NewReader("x"), short{}, 100)
	is(err, io.ErrShortWrite)
	_, err = lib.Raise(ctx, nil, &into, 100)
	is(err, hotcell.ErrInvalidArgument)
	func() {
		defer func() { equal(recover(), "dam") }()
		_, _ = lib.Raise(ctx, panics{}, io.Discard, 100)
		panic("it has not panicked")
	}()
	equal(must(lib.Raise(ctx, strings.NewReader("x"), io.Discard, 1)), int64(1))
}

type panics struct{}

func (panics) Read([]byte) (int, error) { panic("dam") }

// whole: what has no result is filled to the last byte, or fails.
func whole(lib *sluice.Library) {
	equal(must(lib.Sum(ctx, iotest.OneByteReader(strings.NewReader("\x01\x02\x03\x04")), 4)), int32(10))
	equal(must(lib.Sum(ctx, strings.NewReader(""), 0)), int32(0))
	_, err := lib.Sum(ctx, strings.NewReader("\x01\x02\x03"), 4)
	is(err, io.ErrUnexpectedEOF)
}

// counts: more at once than the callback's type can say is an error, and never a wrong number.
func counts(lib *sluice.Library) {
	var into bytes.Buffer
	equal(must(lib.Pour(ctx, &into, 127)), int32(127))
	equal(into.Len(), 127)
	_, err := lib.Pour(ctx, &into, 128)
	is(err, hotcell.ErrLimitExceeded)
	equal(into.Len(), 127)
}

// kept: a writer that the library keeps.
func kept(lib *sluice.Library) {
	log := must(lib.LogNew(ctx))
	equal(must(log.Line(ctx, "unheard")), int32(0))
	var lines bytes.Buffer
	check(log.To(ctx, &lines))
	equal(must(log.Line(ctx, "one")), int32(2))
	equal(must(log.Line(ctx, "two")), int32(2))
	check(log.To(ctx, nil))
	equal(must(log.Line(ctx, "three")), int32(0))
	equal(lines.String(), "one\ntwo\n")
	check(log.Close())
}
