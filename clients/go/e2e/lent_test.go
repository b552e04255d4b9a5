package e2e

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"hotcell"
)

// invert has the library invert data in a buffer, as a generated method does.
func (s *session) invert(buffer *hotcell.SharedBuffer) (int, error) {
	call := s.begin(background, "measured_invert")
	defer call.End()
	call.LendData(0, "data", buffer)
	reply := call.Finish()
	return reply.Filled(0, buffer), reply.Err()
}

// sharedOf is a buffer with these bytes.
func sharedOf(t *testing.T, session *session, data []byte) *hotcell.SharedBuffer {
	t.Helper()
	buffer, err := session.AllocShared(len(data))
	if err != nil {
		t.Fatal(err)
	}
	if wrote, err := buffer.WriteAt(data, 0); wrote != len(data) || err != nil {
		t.Fatal(wrote, err)
	}
	return buffer
}

// holds is what a buffer holds.
func holds(t *testing.T, buffer *hotcell.SharedBuffer) []byte {
	t.Helper()
	data, err := io.ReadAll(io.NewSectionReader(buffer, 0, int64(buffer.Len())))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// inverted is data of so many bytes, and what comes of them.
func inverted(length int) (data, expected []byte) {
	data, expected = make([]byte, length), make([]byte, length)
	for at := range data {
		data[at] = byte(at * 7)
		expected[at] = ^data[at]
	}
	return data, expected
}

// The library changes what it is lent where it lies; what is another session's, or of a worker that has gone, is copied there and back.
func TestABufferIsLentAndChangedInPlace(t *testing.T) {
	library := measured(t)
	own, other := library.open(t, hotcell.Options{}), library.open(t, hotcell.Options{})
	for _, length := range []int{0, 1, 100, 4096, 1 << 20, 5<<20 + 3} {
		for name, owner := range map[string]*session{"own": own, "another's": other} {
			data, expected := inverted(length)
			buffer := sharedOf(t, owner, data)
			for range 2 {
				if filled, err := own.invert(buffer); filled != length || err != nil {
					t.Fatal(name, length, filled, err)
				}
				if !bytes.Equal(holds(t, buffer), expected) {
					t.Fatal(name, length, "bytes are not inverted")
				}
				data, expected = expected, data
			}
			buffer.Free()
		}
	}
	data, expected := inverted(100_000)
	buffer := sharedOf(t, own, data)
	defer buffer.Free()
	endSupervisors(t)
	for tries := 0; ; tries++ {
		filled, err := own.invert(buffer)
		if err == nil {
			if filled != len(data) || !bytes.Equal(holds(t, buffer), expected) {
				t.Fatal(filled)
			}
			return
		}
		if tries > 10 || !errors.Is(err, hotcell.ErrWorkerLost) && !errors.Is(err, hotcell.ErrSupervisorGone) {
			t.Fatal(err)
		}
	}
}

// A new buffer is zeros, also where it is one that was freed; one that was freed is refused.
func TestABufferIsNobodyElses(t *testing.T) {
	session := measured(t).open(t, hotcell.Options{})
	for range 1000 {
		buffer, err := session.AllocShared(5000)
		if err != nil {
			t.Fatal(err)
		}
		if data := holds(t, buffer); !bytes.Equal(data, make([]byte, 5000)) {
			t.Fatal("it is not zeros")
		}
		data, _ := inverted(5000)
		_, _ = buffer.WriteAt(data, 0)
		if filled, err := session.invert(buffer); filled != 5000 || err != nil {
			t.Fatal(filled, err)
		}
		buffer.Free()
	}
	buffer := sharedOf(t, session, []byte("four"))
	same := *buffer
	if filled, err := session.invert(&same); filled != 4 || err != nil || holds(t, buffer)[0] == 'f' {
		t.Fatal("a copy is another buffer", filled, err)
	}
	buffer.Free()
	buffer.Free()
	if _, err := buffer.ReadAt(make([]byte, 1), 0); !errors.Is(err, hotcell.ErrFreed) || buffer.Len() != 0 {
		t.Fatal(err)
	}
	for _, gone := range []*hotcell.SharedBuffer{buffer, &same, nil} {
		if _, err := session.invert(gone); !errors.Is(err, hotcell.ErrInvalidArgument) {
			t.Fatal(err)
		}
	}
}

// What does not fit is left out, and said so.
func TestABufferIsReadAndWrittenWithinItsBytes(t *testing.T) {
	session := measured(t).open(t, hotcell.Options{})
	buffer := sharedOf(t, session, []byte("abcdef"))
	into := make([]byte, 4)
	if n, err := buffer.ReadAt(into, 4); n != 2 || err != io.EOF || string(into[:n]) != "ef" {
		t.Error(n, err)
	}
	if n, err := buffer.WriteAt([]byte("xyz"), 5); n != 1 || !errors.Is(err, io.ErrShortWrite) {
		t.Error(n, err)
	}
	if n, err := buffer.ReadAt(nil, 6); n != 0 || err != nil {
		t.Error(n, err)
	}
	for _, offset := range []int64{-1, 7} {
		if _, err := buffer.ReadAt(into, offset); err == nil {
			t.Error(offset)
		}
		if _, err := buffer.WriteAt(into, offset); err == nil {
			t.Error(offset)
		}
	}
	if got := string(holds(t, buffer)); got != "abcdex" {
		t.Error(got)
	}
}
