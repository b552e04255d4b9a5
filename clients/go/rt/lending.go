package rt

import (
	"context"
	"encoding/binary"
	"errors"
	"math/bits"

	"hotcell"
	"hotcell/internal/shm"
	"hotcell/internal/wire"
)

// shared is a segment of reply memory that is a buffer, in one worker, and that this process writes, too.
type shared struct {
	buffer
	// lent is how many calls have it. When it is freed, others have it when there are none; if it is spoilt, nobody, for a call that
	// had it was given up, and its worker may write it still.
	lent          int
	freed, spoilt bool
}

// lent is a buffer that a call has.
type lent struct {
	of     *hotcell.SharedPart
	shared *shared
	place  shm.Place
	// length is how long it was when it was lent: it may have been freed since.
	length uint64
}

// AllocShared makes a buffer of so many bytes in memory that the worker can write. A function that it is lent to changes it where it lies,
// as long as this worker serves; with another one it is copied, there and back. Its bytes are zero.
func (s *Session) AllocShared(bytes int) (*hotcell.SharedBuffer, error) {
	if s.none != nil {
		return nil, s.none
	}
	if err := s.mayBeLong(bytes); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.options.Deadline)
	defer cancel()
	made, err := s.makeShared(ctx, bytes)
	if errors.Is(err, hotcell.ErrLimitExceeded) {
		// As of other buffers: the next worker has room.
		made, err = s.makeShared(ctx, bytes)
	}
	if err != nil {
		return nil, s.failed(err, "")
	}
	var it *hotcell.SharedBuffer
	it = hotcell.NewSharedBuffer(made.mapping, bytes, func() { s.freeShared(it.Part()) })
	s.buffers.mutex.Lock()
	defer s.buffers.mutex.Unlock()
	if s.buffers.shared == nil {
		s.buffers.shared = make(map[*hotcell.SharedPart]*shared)
	}
	s.buffers.shared[it.Part()] = made
	return it, nil
}

func (s *Session) makeShared(ctx context.Context, bytes int) (*shared, error) {
	worker, err := s.serving(ctx, "")
	if err != nil {
		return nil, err
	}
	defer worker.unbind()
	if spare := s.buffers.takeShared(worker, bytes); spare != nil {
		// Nobody sees what is another's.
		spare.mapping.Clear(bytes)
		return spare, nil
	}
	id, mapping, err := worker.Grow(ctx, shm.Shared, 1<<bits.Len(uint(max(bytes, 4096)-1)))
	if err != nil {
		return nil, err
	}
	worker.Channel.Hold()
	return &shared{buffer: buffer{worker, id, mapping}}, nil
}

// takeShared finds one of so many bytes that was freed, and that is not much larger.
func (b *buffers) takeShared(worker *worker, bytes int) *shared {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	for at, spare := range b.spareShared {
		if spare.serves(worker, bytes) {
			b.spareShared = append(b.spareShared[:at], b.spareShared[at+1:]...)
			spare.freed = false
			return spare
		}
	}
	return nil
}

// serves tells whether one that was freed is one of so many bytes of this worker, and not much larger.
func (b *buffer) serves(worker *worker, bytes int) bool {
	length := b.mapping.Length()
	return b.worker == worker && length >= bytes && length/4 <= max(bytes, 4096)
}

func (s *Session) freeShared(it *hotcell.SharedPart) {
	s.buffers.mutex.Lock()
	defer s.buffers.mutex.Unlock()
	freed := s.buffers.shared[it]
	if freed == nil {
		// Two goroutines have freed it at once.
		return
	}
	delete(s.buffers.shared, it)
	freed.freed = true
	s.recycle(freed)
}

// recycle leaves one that nobody has to others, or unmaps it. With the mutex.
func (s *Session) recycle(it *shared) {
	switch {
	case !it.freed || it.lent > 0:
	case it.spoilt || it.worker.IsOver() || s.isClosed():
		it.unmap()
	default:
		s.buffers.spareShared = append(s.buffers.spareShared, it)
	}
}

// lend lends the worker a buffer until the call's End. False where it cannot have it.
func (c *Call) lend(it *hotcell.SharedBuffer) (shm.Place, bool) {
	if c.err != nil || c.collects != nil || c.seat == nil || it.Len() == 0 {
		return shm.Null, false
	}
	all := &c.session.buffers
	all.mutex.Lock()
	defer all.mutex.Unlock()
	found := all.shared[it.Part()]
	if found == nil || found.worker.generation != c.generation() {
		return shm.Null, false
	}
	found.lent++
	place := shm.PlaceOf(found.id, 0)
	c.lent = append(c.lent, lent{it.Part(), found, place, uint64(it.Len())})
	return place, true
}

// takeBack takes back what the call has lent, which is over.
func (c *Call) takeBack() {
	all := &c.session.buffers
	all.mutex.Lock()
	defer all.mutex.Unlock()
	for _, lent := range c.lent {
		lent.shared.lent--
		lent.shared.spoilt = lent.shared.spoilt || c.sent && (!c.done || c.lost.Load())
		c.session.recycle(lent.shared)
	}
	clear(c.lent)
	c.lent = c.lent[:0]
}

// hasBuffer tells whether there is one to be lent; else the call has failed.
func (c *Call) hasBuffer(name string, it *hotcell.SharedBuffer) bool {
	if it == nil {
		c.invalid(name, "must not be nil")
		return false
	}
	switch _, err := it.ReadAt(nil, 0); {
	case errors.Is(err, hotcell.ErrFreed):
		c.invalid(name, "was freed")
		return false
	case err != nil:
		c.invalid(name, "has no memory: AllocShared of a session makes a buffer that has")
		return false
	}
	return true
}

// LendData lends the library a buffer with data that go in and out: it changes them where they lie. Where it cannot be lent, for it is none
// of this session, or of a worker that has gone, they are copied. [Reply.Filled] comes with what came out.
func (c *Call) LendData(offset int, name string, it *hotcell.SharedBuffer) {
	if !c.hasBuffer(name, it) {
		return
	}
	place, ok := c.lend(it)
	if !ok {
		data := make([]byte, it.Len())
		_, _ = it.ReadAt(data, 0)
		c.PutBytes(offset, name, data)
		return
	}
	if c.counts(name, it.Len()) {
		c.putReference(offset, place|wire.Lent, it.Len())
	}
}

// LendRoom is as LendData, where nothing goes in: it stands where a capacity does.
func (c *Call) LendRoom(offset int, name string, it *hotcell.SharedBuffer) {
	if !c.hasBuffer(name, it) {
		return
	}
	place, ok := c.lend(it)
	if !ok {
		c.PutRoom(offset, name, it.Len())
		return
	}
	said := binary.NativeEndian.AppendUint64(make([]byte, 0, wire.ReferenceSize), uint64(place))
	said = binary.NativeEndian.AppendUint64(said, uint64(it.Len()))
	if where, ok := c.place(name, said, 0); ok {
		c.PutUint64(offset, uint64(where|wire.Lent))
	}
}

// Filled is how many bytes of a buffer the library says it has filled, which went in by [Call.LendData] or [Call.LendRoom]. Where it could
// not be lent they are copied into it.
func (r *Reply) Filled(offset int, it *hotcell.SharedBuffer) int {
	c, from := r.call, r.reference(offset)
	if c.err != nil {
		return 0
	}
	for _, lent := range c.lent {
		switch {
		case lent.of != it.Part():
			continue
		case from.length == wire.LengthImpossible:
			c.lie("the library claims to have written more than a result buffer holds, or less than nothing")
		case from.place != lent.place || from.length > lent.length:
			c.violation("a result does not lie in the buffer that was lent for it")
		default:
			return int(from.length)
		}
		return 0
	}
	data := r.fetch(from)
	switch _, err := it.WriteAt(data, 0); {
	case errors.Is(err, hotcell.ErrFreed):
		c.fail(hotcell.ErrInvalidArgument, hotcell.ExecutedYes, nil, "a buffer that a result is to be copied into was freed in the call")
	case err != nil:
		c.violation("a result is longer than the buffer that is to hold it")
	default:
		return len(data)
	}
	return 0
}
