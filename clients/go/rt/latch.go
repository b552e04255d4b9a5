package rt

import (
	"context"
	"sync/atomic"
	"time"
)

// latch is a lock for which may be waited with a deadline.
//
// Who waits says so, then tries again; who lets go looks behind that whether somebody waits. Operations of sync/atomic have one order:
// either the one finds the latch open, or the other one sees it wait.
type latch struct {
	shut    atomic.Bool
	waiting atomic.Int32
	// opened has a token for one that waits.
	opened chan struct{}
}

func newLatch() latch { return latch{opened: make(chan struct{}, 1)} }

func (l *latch) tryLock() bool { return l.shut.CompareAndSwap(false, true) }

func (l *latch) lock() {
	if !l.tryLock() {
		_ = l.wait(context.Background(), nil)
	}
}

// lockWithin waits so long at most, and no longer than the context allows.
func (l *latch) lockWithin(ctx context.Context, left time.Duration) error {
	if l.tryLock() {
		return nil
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	return l.wait(ctx, timer.C)
}

func (l *latch) wait(ctx context.Context, late <-chan time.Time) error {
	l.waiting.Add(1)
	defer l.waiting.Add(-1)
	for !l.tryLock() {
		select {
		case <-l.opened:
		case <-late:
			return context.DeadlineExceeded
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (l *latch) unlock() {
	l.shut.Store(false)
	if l.waiting.Load() > 0 {
		select {
		case l.opened <- struct{}{}:
		default:
		}
	}
}
