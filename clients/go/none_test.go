package hotcell

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// What nobody has made is an error that says what makes it, or does nothing; it is no panic, and nobody waits for it.
func TestWhatNobodyHasMadeSaysSo(t *testing.T) {
	ctx := context.Background()
	says := func(what string, err error, words string) {
		t.Helper()
		var failed *Error
		if !errors.Is(err, ErrInvalidArgument) || !errors.As(err, &failed) || failed.Executed != ExecutedNo || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v", what, err)
		}
	}
	opens := func(context.Context) (lent, error) { return lent{&failing{}}, nil }
	uses := func(lent) error { return nil }
	for what, pool := range map[string]*Pool[lent]{"nil": nil, "zero": {}, "one that opens nothing": NewPool[lent](1, nil)} {
		_, err := pool.Get(ctx)
		says(what, err, "NewPool makes one, with the Open function of a package")
		says(what, pool.Do(ctx, uses), "NewPool makes one")
		pool.Put(lent{&failing{}})
		if err := pool.Close(); err != nil {
			t.Error(what, err)
		}
	}
	pool := NewPool(1, opens)
	none := context.Context(nil)
	_, err := pool.Get(none)
	says("no context", err, "the context is nil: pass context.Background()")
	says("nothing to do", pool.Do(ctx, nil), "is passed no function")
	NewPool(1, func(context.Context) (Library, error) { return lent{&failing{}}, nil }).Put(nil)

	for what, buffer := range map[string]*Buffer{"nil": nil, "zero": {}} {
		if buffer.Free(); buffer.Bytes() != nil {
			t.Error(what)
		}
	}
	for what, buffer := range map[string]*SharedBuffer{"nil": nil, "zero": {}} {
		_, err := buffer.ReadAt(make([]byte, 1), 0)
		says(what, err, "AllocShared of a session makes one that has")
		_, err = buffer.WriteAt(nil, 0)
		says(what, err, "the buffer has no memory")
		if buffer.Free(); buffer.Len() != 0 {
			t.Error(what)
		}
		if _, err := buffer.ReadAt(nil, 0); errors.Is(err, ErrFreed) {
			t.Error("what was never there was freed:", what)
		}
	}
	times := 0
	freed := NewSharedBuffer(memory{}, 8, func() { times++ })
	shared := *freed
	bytes := NewBuffer(make([]byte, 8), func() { times++ })
	same := *bytes
	for range 2 {
		freed.Free()
		bytes.Free()
	}
	// Copies know that it was freed: others may have the memory by now.
	for _, freed := range []*SharedBuffer{freed, &shared} {
		if _, err := freed.ReadAt(nil, 0); !errors.Is(err, ErrFreed) || freed.Len() != 0 {
			t.Error(err)
		}
	}
	shared.Free()
	if same.Free(); same.Bytes() != nil || times != 2 {
		t.Error("a copy of what was freed is one still, or it was freed again", times)
	}

	var list *Quarantine
	if list.ReleaseAll(); list.Release(1) || list.Inputs() != nil {
		t.Error("nil has inputs")
	}
	for what, list := range map[string]*Quarantine{"nil": nil, "zero": {}} {
		list.Note(1, "z", "f")
		if list.IsOn() || list.IsMade() || list.IsRefusing() || list.HasOf("z", "f") || !list.Refuses(1).IsZero() || list.Seed() == NewQuarantine(QuarantineRule{}).Seed() {
			t.Error(what)
		}
	}
	if new(Quarantine).IsMade() || !NewQuarantine(QuarantineRule{}).IsMade() || new(Quarantine).IsOn() {
		t.Error("which are lists")
	}
	var failed *Error
	if frames, err := failed.Frames(ctx); frames != nil || err != nil {
		t.Error(frames, err)
	}
	if failed.Error() != "no error" || failed.Unwrap() != nil || failed.IsFault() || errors.Is(failed, ErrCrashed) || errors.Is(failed, context.Canceled) {
		t.Error("nil is a failure")
	}
	_, err = (&Error{Stack: func(context.Context) ([]Frame, error) { return nil, nil }}).Frames(none)
	says("frames", err, "the context is nil")
}

// memory is none.
type memory struct{}

func (memory) CopyIn(int, []byte)  {}
func (memory) CopyOut([]byte, int) {}

// What is given back twice, or was never lent, is lent to nobody, and nobody waits.
func TestAPoolTakesBackWhatItHasLent(t *testing.T) {
	ctx, opened := context.Background(), 0
	pool := NewPool(2, func(context.Context) (lent, error) { opened++; return lent{&failing{}}, nil })
	first, err := pool.Get(ctx)
	if err != nil {
		t.Fatal(err)
	}
	pool.Put(first)
	pool.Put(first)
	pool.Put(lent{&failing{}})
	one, err := pool.Get(ctx)
	if err != nil || one != first {
		t.Fatal(one, err)
	}
	other, err := pool.Get(ctx)
	if err != nil || other == first || opened != 2 {
		t.Fatal("it was lent twice", err, opened)
	}
	// Both places are taken still.
	short, cancel := context.WithTimeout(ctx, time.Millisecond)
	defer cancel()
	if _, err := pool.Get(short); !errors.Is(err, ErrUnavailable) {
		t.Error(err)
	}
	pool.Put(one)
	pool.Put(other)
	// What comes back when the pool has closed is closed once, and so is no other.
	for _, want := range []*lent{&one, &other} {
		if got, err := pool.Get(ctx); err != nil || got != one && got != other {
			t.Error(want, got, err)
		}
	}
	var open atomic.Int32
	counts := NewPool(2, func(context.Context) (closing, error) { open.Add(1); return closing{&failing{}, &open}, nil })
	first1, _ := counts.Get(ctx)
	second, _ := counts.Get(ctx)
	_ = counts.Close()
	counts.Put(first1)
	counts.Put(first1)
	if left := open.Load(); left != 1 {
		t.Error("closed twice:", left)
	}
	if counts.Put(second); open.Load() != 0 {
		t.Error("the other is open")
	}
}

// closing is a library that says that it was closed.
type closing struct {
	*failing
	open *atomic.Int32
}

func (c closing) Close() error     { c.open.Add(-1); return nil }
func (c closing) Session() Session { return c.failing }

// A function that opens nothing, or panics, leaves the place to others.
func TestAPlaceIsFreeWhereNothingWasOpened(t *testing.T) {
	ctx, opens := context.Background(), func() (*lent, error) { panic("torn") }
	pool := NewPool(1, func(context.Context) (Library, error) {
		opened, err := opens()
		if opened == nil {
			return nil, err
		}
		return *opened, err
	})
	func() {
		defer func() {
			if recover() != "torn" {
				t.Error("the panic is the caller's")
			}
		}()
		_, _ = pool.Get(ctx)
	}()
	opens = func() (*lent, error) { return nil, nil }
	if _, err := pool.Get(ctx); !errors.Is(err, ErrInvalidArgument) || !strings.Contains(err.Error(), "has opened none, and gave no error") {
		t.Error(err)
	}
	opens = func() (*lent, error) { return &lent{&failing{}}, nil }
	if _, err := pool.Get(ctx); err != nil {
		t.Error(err)
	}
}
