package hotcell

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// counted is a library that knows how many of it are open.
type counted struct {
	open    *atomic.Int32
	session *failing
}

func (c counted) Close() error     { c.open.Add(-1); return nil }
func (c counted) Session() Session { return c.session }

// failing is a session of which callbacks have failed.
type failing struct {
	Session
	failure error
}

func (f *failing) TakeCallbackFailure() error {
	failure := f.failure
	f.failure = nil
	return failure
}

// lent is a library with such a session.
type lent struct{ session *failing }

func (lent) Close() error       { return nil }
func (l lent) Session() Session { return l.session }

// What a callback of a thread has failed with is its borrower's, and no other's.
func TestAPoolLendsNoFailureOfWhoBorrowedBefore(t *testing.T) {
	ctx := context.Background()
	library := lent{&failing{}}
	pool := NewPool(1, func(context.Context) (lent, error) { return library, nil })
	torn, own := errors.New("torn"), errors.New("own")
	fails := func(err error) func(lent) error {
		return func(lent) error { library.session.failure = torn; return err }
	}
	if err := pool.Do(ctx, fails(nil)); err != torn {
		t.Error(err)
	}
	if err := pool.Do(ctx, fails(own)); err != own {
		t.Error(err)
	}
	if err := pool.Do(ctx, func(l lent) error { return l.session.failure }); err != nil {
		t.Error("of who borrowed before:", err)
	}
}

func TestAPoolOpensNoMoreThanItMay(t *testing.T) {
	var open, opened, using, most atomic.Int32
	pool := NewPool(3, func(context.Context) (counted, error) {
		open.Add(1)
		opened.Add(1)
		return counted{&open, &failing{}}, nil
	})
	var all sync.WaitGroup
	for range 50 {
		all.Add(1)
		go func() {
			defer all.Done()
			err := pool.Do(context.Background(), func(counted) error {
				now := using.Add(1)
				for before := most.Load(); now > before && !most.CompareAndSwap(before, now); before = most.Load() {
				}
				time.Sleep(time.Millisecond)
				using.Add(-1)
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		}()
	}
	all.Wait()
	if opened.Load() > 3 || most.Load() > 3 {
		t.Errorf("%d were opened, %d used at a time", opened.Load(), most.Load())
	}
	lent, err := pool.Get(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if err := pool.Close(); err != nil || open.Load() != 1 {
		t.Errorf("%d are open behind Close, %v", open.Load(), err)
	}
	if pool.Put(lent); open.Load() != 0 {
		t.Error("what was lent stays open")
	}
	if _, err := pool.Get(context.Background()); !errors.Is(err, ErrUnavailable) {
		t.Error(err)
	}
}

func TestWhoWaitsForAPoolLeavesWithTheContext(t *testing.T) {
	other := &failing{}
	failing := errors.New("it cannot be opened")
	pool := NewPool(1, func(context.Context) (counted, error) { return counted{}, failing })
	if _, err := pool.Get(context.Background()); !errors.Is(err, failing) {
		t.Error(err)
	}
	var open atomic.Int32
	pool.open = func(context.Context) (counted, error) { return counted{&open, other}, nil }
	if _, err := pool.Get(context.Background()); err != nil {
		t.Fatal("a session that could not be opened keeps its place", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	if _, err := pool.Get(ctx); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, ErrUnavailable) {
		t.Error(err)
	}
}
