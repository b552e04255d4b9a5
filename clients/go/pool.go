package hotcell

import (
	"context"
	"errors"
	"sync"
)

// Pool lends sessions of a library that takes one caller at a time: each has a worker of its own, so that as many calls are
// executed at a time as there are sessions. They are opened when they are needed.
type Pool[L Library] struct {
	open func(ctx context.Context) (L, error)
	// places is a place for each session that may be lent, free are those that are open and not lent.
	places chan struct{}
	mutex  sync.Mutex
	free   []L
	closed bool
}

// NewPool makes a pool of at most so many sessions. It opens them with open: the Open function of a generated package.
func NewPool[L Library](most int, open func(ctx context.Context) (L, error)) *Pool[L] {
	return &Pool[L]{open: open, places: make(chan struct{}, max(most, 1))}
}

// Get lends a session, until [Pool.Put]. It waits for one where all are lent, and no longer than the context allows.
//
// Objects of one session are none of another: what one is lent for should end before it is given back.
func (p *Pool[L]) Get(ctx context.Context) (L, error) {
	var none L
	select {
	case p.places <- struct{}{}:
	default:
		select {
		case p.places <- struct{}{}:
		case <-ctx.Done():
			return none, &Error{
				Kind: ErrUnavailable, Executed: ExecutedNo, Message: "all sessions of the pool are lent",
				Cause: errors.Join(context.Cause(ctx), &UnavailableError{Reason: UnavailablePoolExhausted}),
			}
		}
	}
	p.mutex.Lock()
	last := len(p.free) - 1
	switch {
	case p.closed:
		p.mutex.Unlock()
		<-p.places
		return none, &Error{Kind: ErrUnavailable, Executed: ExecutedNo, Message: "the pool is closed"}
	case last >= 0:
		lent := p.free[last]
		p.free = p.free[:last]
		p.mutex.Unlock()
		return lent, nil
	}
	p.mutex.Unlock()
	opened, err := p.open(ctx)
	if err != nil {
		<-p.places
		return none, err
	}
	return opened, nil
}

// Put gives a session back. What callbacks have failed with meanwhile that the library called on a thread of its own is not the next
// borrower's: it is forgotten, unless it was asked for by [Session.TakeCallbackFailure].
func (p *Pool[L]) Put(lent L) {
	_ = lent.Session().TakeCallbackFailure()
	p.mutex.Lock()
	closed := p.closed
	if !closed {
		p.free = append(p.free, lent)
	}
	p.mutex.Unlock()
	if closed {
		_ = lent.Close()
	}
	<-p.places
}

// Do lends a session to a function. Where that does not fail, but callbacks have meanwhile on threads of the library, it comes with
// what they have failed with.
func (p *Pool[L]) Do(ctx context.Context, use func(lent L) error) error {
	lent, err := p.Get(ctx)
	if err != nil {
		return err
	}
	defer p.Put(lent)
	if err := use(lent); err != nil {
		return err
	}
	return lent.Session().TakeCallbackFailure()
}

// Close closes all sessions: those that are lent when they come back.
func (p *Pool[L]) Close() error {
	p.mutex.Lock()
	free := p.free
	p.free, p.closed = nil, true
	p.mutex.Unlock()
	var errs []error
	for _, session := range free {
		errs = append(errs, session.Close())
	}
	return errors.Join(errs...)
}
