package rt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"

	"hotcell"
)

// inRoom is the arguments of a callback that is to fill so many bytes.
func inRoom(room uint64) *Invocation {
	session := &Session{pack: &Package{}, options: hotcell.Options{}.WithDefaults()}
	block := binary.NativeEndian.AppendUint64(nil, room)
	return &Invocation{reader: reader{numbers: numbers{block}, call: &Call{session: session, fn: &nothing}}}
}

// odd is a reader that says of each read what this gives, and notes how much it is to read at most.
type odd struct {
	says func(into []byte) (int, error)
	most int
}

func (o *odd) Read(into []byte) (int, error) {
	o.most = max(o.most, len(into))
	return o.says(into)
}

func TestAStreamThatEndsIsNoErrorUnlessAllOfItIsWanted(t *testing.T) {
	torn := fmt.Errorf("torn: %w", io.EOF)
	nothing := &odd{says: func([]byte) (int, error) { return 0, nil }}
	for _, in := range []struct {
		from       func() io.Reader
		some, full error
	}{
		{func() io.Reader { return strings.NewReader("") }, nil, io.ErrUnexpectedEOF},
		{func() io.Reader { return strings.NewReader("abc") }, nil, io.ErrUnexpectedEOF},
		{func() io.Reader { return iotest.OneByteReader(strings.NewReader("abcd")) }, nil, nil},
		{func() io.Reader { return iotest.DataErrReader(strings.NewReader("abcd")) }, nil, nil},
		// Only the plain one is the end.
		{func() io.Reader { return iotest.ErrReader(torn) }, torn, torn},
		{func() io.Reader { return nothing }, io.ErrNoProgress, io.ErrNoProgress},
	} {
		if _, err := inRoom(4).ReadFrom(0, in.from(), 4); err != in.some {
			t.Error(err, "is not", in.some)
		}
		if _, err := inRoom(4).ReadFull(0, in.from()); err != in.full {
			t.Error(err, "is not", in.full)
		}
	}
}

func TestAReaderThatMiscountsIsTheCallbacksError(t *testing.T) {
	for _, count := range []int{-1, 5, math.MinInt} {
		from := &odd{says: func([]byte) (int, error) { return count, nil }}
		for _, read := range []func(*Invocation) (uint64, error){
			func(in *Invocation) (uint64, error) { return in.ReadFrom(0, from, 4) },
			func(in *Invocation) (uint64, error) { return in.ReadFull(0, from) },
		} {
			in := inRoom(4)
			if _, err := read(in); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%d bytes into 4", count)) || len(in.filled) > 0 {
				t.Error(count, err, in.filled)
			}
		}
	}
}

// What a library says that it has room for costs no memory: only what has come does.
func TestAStreamIsReadInPieces(t *testing.T) {
	data := make([]byte, 3*mostStream+7)
	for at := range data {
		data[at] = byte(at >> 3)
	}
	source := bytes.NewReader(data)
	from := &odd{says: source.Read}
	in := inRoom(uint64(len(data)))
	if _, err := in.ReadFull(0, from); err != nil || !bytes.Equal(in.filled, data) || from.most > mostStream {
		t.Error(err, len(in.filled), from.most)
	}
	few := &odd{says: strings.NewReader("ten bytes.").Read}
	if _, err := inRoom(1<<30).ReadFull(0, few); !errors.Is(err, io.ErrUnexpectedEOF) || few.most > mostStream {
		t.Error(err, few.most)
	}
	some := inRoom(1 << 30)
	if count, err := some.ReadFrom(0, bytes.NewReader(data), math.MaxInt64); count != mostStream || err != nil || !bytes.Equal(some.filled, data[:mostStream]) {
		t.Error(count, err)
	}
}
