package rt

import (
	"fmt"
	"io"
	"slices"

	"hotcell"
)

// mostStream is how much of a stream is read at a time, and how much memory for that is kept for the next callback.
const mostStream = 1 << 20

// mostEmpty is how often a reader may have nothing to say.
const mostEmpty = 100

// ReadFrom answers a callback that is to fill the library's memory, of which there is room at an offset, with the next bytes of a
// stream: how many there were, no more than most, and none at the end.
func (in *Invocation) ReadFrom(offset int, from io.Reader, most uint64) (uint64, error) {
	// A stream is read in pieces: whatever room there is.
	room := int(min(uint64(in.Room(offset)), most, mostStream))
	if err := in.Err(); err != nil || room == 0 {
		in.Fill(nil)
		return 0, err
	}
	if cap(in.stream) < room {
		in.stream = make([]byte, room)
	}
	into := in.stream[:room]
	count, err := readSome(from, into)
	in.Fill(into[:count])
	return uint64(count), err
}

// ReadFull is as ReadFrom, of one that is to fill all of it: a stream that ends before is an error.
func (in *Invocation) ReadFull(offset int, from io.Reader) (uint64, error) {
	room := in.Room(offset)
	if err := in.Err(); err != nil {
		return 0, err
	}
	// Memory grows with what has come: the room is what the library says.
	into := in.stream[:0]
	for len(into) < room {
		piece := min(room-len(into), mostStream)
		into = slices.Grow(into, piece)
		count, err := readSome(from, into[len(into):len(into)+piece])
		if err == nil && count == 0 {
			// The library wants all of it.
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return 0, err
		}
		into = into[:len(into)+count]
	}
	in.stream = into
	in.Fill(into)
	return 0, nil
}

// readSome reads what there is next: at least a byte, or none at the end. What comes with an error counts: whoever reads on gets the
// error then.
func readSome(from io.Reader, into []byte) (int, error) {
	for range mostEmpty {
		count, err := from.Read(into)
		switch {
		case count < 0 || count > len(into):
			return 0, fmt.Errorf("the reader says that it has read %d bytes into %d", count, len(into))
		case count > 0 || err == io.EOF:
			return count, nil
		case err != nil:
			return 0, err
		}
	}
	return 0, io.ErrNoProgress
}

// WriteTo answers a callback that has data at an offset, which go to a stream: how many bytes they were, no more than most.
func (in *Invocation) WriteTo(offset int, to io.Writer, most uint64) (uint64, error) {
	data := in.Bytes(offset)
	if uint64(len(data)) > most && in.call.err == nil {
		cause := &hotcell.LimitError{Limit: hotcell.LimitExceededOutput, Value: most}
		in.call.fail(hotcell.ErrLimitExceeded, hotcell.ExecutedMaybe, cause, "the library writes %d bytes at once, more than its callback can say", len(data))
	}
	if err := in.Err(); err != nil {
		return 0, err
	}
	count, err := to.Write(data)
	if err == nil && count != len(data) {
		err = io.ErrShortWrite
	}
	return uint64(len(data)), err
}

// WriteAll is as WriteTo, of one that returns nothing.
func (in *Invocation) WriteAll(offset int, to io.Writer) (uint64, error) {
	_, err := in.WriteTo(offset, to, in.call.session.options.MaxOutput)
	return 0, err
}
