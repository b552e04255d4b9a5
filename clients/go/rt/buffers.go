package rt

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"sync"

	"hotcell"
	"hotcell/internal/shm"
)

// buffers are the buffers of a session: segments of request memory that hold nothing else. A worker may have no more than some
// five hundred segments in its life, so what is freed serves the next buffers.
type buffers struct {
	mutex sync.Mutex
	// used are those that somebody has, spare those that were freed.
	used, spare []*buffer
	// shared are those that the library is lent, spareShared such that were freed.
	shared      map[*hotcell.SharedPart]*shared
	spareShared []*shared
}

// buffer is a segment that is a buffer, in one worker.
type buffer struct {
	worker  *worker
	id      uint16
	mapping *shm.Mapping
}

// Alloc makes a buffer of so many bytes in memory that the worker can read. Passed to a function, a part of it is not copied, as
// long as this worker serves; with another one it is copied, like any slice. Its bytes are zero, or what an earlier buffer left.
func (s *Session) Alloc(bytes int) (*hotcell.Buffer, error) {
	if s.none != nil {
		return nil, s.none
	}
	if err := s.mayBeLong(bytes); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.options.Deadline)
	defer cancel()
	made, err := s.makeBuffer(ctx, bytes)
	if errors.Is(err, hotcell.ErrLimitExceeded) {
		// The worker has no room for another segment, and serves nobody new: the next one has room.
		made, err = s.makeBuffer(ctx, bytes)
	}
	if err != nil {
		return nil, s.failed(err, "")
	}
	return hotcell.NewBuffer(made.mapping.Bytes()[:bytes:bytes], func() { s.free(made) }), nil
}

// mayBeLong says what is wrong with a buffer of so many bytes, or nil.
func (s *Session) mayBeLong(bytes int) error {
	switch most := s.options.MaxInput; {
	case bytes < 0:
		return s.refused(hotcell.ErrInvalidArgument, "", fmt.Sprintf("a buffer cannot have %d bytes", bytes), &hotcell.ArgumentError{Name: "bytes"})
	case uint64(bytes) > most:
		text := fmt.Sprintf("a buffer of %d bytes; a call may pass %d", bytes, most)
		return s.refused(hotcell.ErrLimitExceeded, "", text, &hotcell.LimitError{Limit: hotcell.LimitExceededMemory, Value: most})
	}
	return nil
}

func (s *Session) makeBuffer(ctx context.Context, bytes int) (*buffer, error) {
	worker, err := s.serving(ctx, "")
	if err != nil {
		return nil, err
	}
	if spare := s.buffers.take(worker, bytes); spare != nil {
		worker.unbind()
		return spare, nil
	}
	id, mapping, err := worker.Grow(ctx, shm.Request, 1<<bits.Len(uint(max(bytes, 4096)-1)))
	if err != nil {
		worker.unbind()
		return nil, err
	}
	// The buffer holds the channel; the worker may be left all the same.
	worker.Channel.Hold()
	worker.unbind()
	made := &buffer{worker, id, mapping}
	s.buffers.mutex.Lock()
	defer s.buffers.mutex.Unlock()
	s.buffers.used = append(s.buffers.used, made)
	return made, nil
}

// take finds a buffer of so many bytes that was freed, and that is not much larger.
func (b *buffers) take(worker *worker, bytes int) *buffer {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	for at, spare := range b.spare {
		if spare.serves(worker, bytes) {
			b.spare = append(b.spare[:at], b.spare[at+1:]...)
			b.used = append(b.used, spare)
			return spare
		}
	}
	return nil
}

// free keeps a buffer for the next ones, or unmaps it where its worker is over.
func (s *Session) free(freed *buffer) {
	s.buffers.mutex.Lock()
	defer s.buffers.mutex.Unlock()
	at := slices.Index(s.buffers.used, freed)
	if at < 0 {
		// Two goroutines have freed it at once.
		return
	}
	s.buffers.used = slices.Delete(s.buffers.used, at, at+1)
	if freed.worker.IsOver() || s.isClosed() {
		freed.unmap()
		return
	}
	s.buffers.spare = append(s.buffers.spare, freed)
}

// drop unmaps the freed buffers of a worker, or of all.
func (b *buffers) drop(of *worker) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	isGone := func(it *buffer) bool {
		gone := of == nil || it.worker == of
		if gone {
			it.unmap()
		}
		return gone
	}
	b.spare = slices.DeleteFunc(b.spare, isGone)
	b.spareShared = slices.DeleteFunc(b.spareShared, func(it *shared) bool { return isGone(&it.buffer) })
}

func (b *buffer) unmap() {
	b.mapping.Unmap()
	b.worker.Channel.Drop()
}

// inBuffer is the place of data that lie in a buffer of the call's worker.
func (c *Call) inBuffer(data []byte) (shm.Place, bool) {
	all := &c.session.buffers
	all.mutex.Lock()
	defer all.mutex.Unlock()
	for _, buffer := range all.used {
		if buffer.worker.generation != c.generation() {
			continue
		}
		if offset, within := buffer.mapping.OffsetOf(data); within {
			return shm.PlaceOf(buffer.id, offset), true
		}
	}
	return shm.Null, false
}
