package rt

import (
	"io"

	"hotcell"
)

// mostStream is how much memory for what is read of a stream is kept for the next callback.
const mostStream = 1 << 20

// ReadFrom answers a callback that is to fill the library's memory, of which there is room at an offset, with the next bytes of a
// stream: how many there were, no more than most, and none at the end.
func (in *Invocation) ReadFrom(offset int, from io.Reader, most uint64) (uint64, error) {
	// A stream is read in pieces: whatever room there is.
	into := in.next(offset, min(most, mostStream))
	if err := in.Err(); err != nil || len(into) == 0 {
		in.Fill(nil)
		return 0, err
	}
	// What comes with an error counts: whoever reads on gets the error then.
	count, err := io.ReadAtLeast(from, into, 1)
	if err == io.EOF {
		err = nil
	}
	in.Fill(into[:count])
	return uint64(count), err
}

// ReadFull is as ReadFrom, of one that is to fill all of it: a stream that ends before is an error.
func (in *Invocation) ReadFull(offset int, from io.Reader) (uint64, error) {
	into := in.next(offset, in.call.session.options.MaxOutput)
	if err := in.Err(); err != nil {
		return 0, err
	}
	_, err := io.ReadFull(from, into)
	if err == io.EOF {
		// The library wants all of it.
		err = io.ErrUnexpectedEOF
	}
	in.Fill(into)
	return 0, err
}

// next is where the next bytes are read to: the same memory for all callbacks of a call.
func (in *Invocation) next(offset int, most uint64) []byte {
	room := int(min(uint64(in.Room(offset)), most))
	if cap(in.stream) < room {
		in.stream = make([]byte, room)
	}
	return in.stream[:room]
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
