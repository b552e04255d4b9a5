package rt

import (
	"context"
	"sync"
	"time"

	"hotcell"
	"hotcell/internal/shm"
)

// buffers are the buffers of a session in one worker: segments of request memory that hold nothing else.
type buffers struct {
	mutex sync.Mutex
	list  []*buffer
}

// buffer is a segment that is a buffer.
type buffer struct {
	worker  *worker
	id      uint16
	mapping *shm.Mapping
}

// Alloc makes a buffer of so many bytes in memory that the worker can read. Passed to a function, a part of it is not copied, as
// long as this worker serves; with another one it is copied, like any slice.
func (s *Session) Alloc(bytes int) (*hotcell.Buffer, error) {
	if bytes < 0 || uint64(bytes) > s.options.MaxInput {
		return nil, s.refused(hotcell.ErrLimitExceeded, "", "a buffer may not be so long",
			&hotcell.LimitError{Limit: hotcell.LimitExceededMemory, Value: s.options.MaxInput})
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.options.Deadline)
	defer cancel()
	worker, err := s.serving(ctx, "")
	if err != nil {
		return nil, s.failed(err, "")
	}
	id, mapping, err := worker.Grow(ctx, shm.Request, max(bytes, 1))
	if err != nil {
		worker.Channel.Drop()
		return nil, s.failed(err, "")
	}
	made := &buffer{worker, id, mapping}
	s.buffers.mutex.Lock()
	s.buffers.list = append(s.buffers.list, made)
	s.buffers.mutex.Unlock()
	return hotcell.NewBuffer(mapping.Bytes()[:bytes:bytes], func() { s.free(made) }), nil
}

// free unmaps a buffer. A call that it was passed to goes on in the worker's own map.
func (s *Session) free(freed *buffer) {
	s.buffers.mutex.Lock()
	defer s.buffers.mutex.Unlock()
	for at, buffer := range s.buffers.list {
		if buffer == freed {
			s.buffers.list = append(s.buffers.list[:at], s.buffers.list[at+1:]...)
			break
		}
	}
	freed.mapping.Unmap()
	freed.worker.Channel.Drop()
}

// inBuffer is the place of data that lie in a buffer of the call's worker.
func (c *Call) inBuffer(data []byte) (shm.Place, bool) {
	all := &c.session.buffers
	all.mutex.Lock()
	defer all.mutex.Unlock()
	for _, buffer := range all.list {
		if buffer.worker.generation != c.generation() {
			continue
		}
		if offset, within := buffer.mapping.OffsetOf(data); within {
			return shm.PlaceOf(buffer.id, offset), true
		}
	}
	return shm.Null, false
}

// Retried makes a call of an idempotent function, and makes it again behind a fault, as often as the session's options say.
func Retried[T any](ctx context.Context, s *Session, once func(ctx context.Context) (T, error)) (T, error) {
	for tries := 1; ; tries++ {
		value, err := once(ctx)
		if err == nil || tries > s.options.Retries || !mayRepeat(ctx, err) {
			return value, tried(err, tries)
		}
		pause(ctx, tries)
	}
}

// mayRepeat tells whether a call may be made again behind an error of it.
func mayRepeat(ctx context.Context, err error) bool {
	failed, ok := err.(*hotcell.Error)
	if !ok || ctx.Err() != nil {
		return false
	}
	idempotent, later := failed.Kind.MayRetry()
	return idempotent || later && failed.Executed == hotcell.ExecutedNo
}

// tried notes how often a call was made.
func tried(err error, tries int) error {
	if failed, ok := err.(*hotcell.Error); ok {
		failed.Tries = tries
	}
	return err
}

// pause lets a while pass before the next try, longer with each.
func pause(ctx context.Context, tries int) {
	timer := time.NewTimer(time.Millisecond << min(tries, 8))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
