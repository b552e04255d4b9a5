package hotcell

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
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
	switch {
	case p == nil || p.open == nil:
		return none, refused("the pool opens nothing: NewPool makes one, with the Open function of a package")
	case ctx == nil:
		return none, NilContext()
	}
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
// borrower's: it is forgotten, unless it was asked for by [Session.TakeCallbackFailure]. What is not lent stays where it is: a session that
// was given back before, or one that the pool has not lent, for it lends none.
func (p *Pool[L]) Put(lent L) {
	if p == nil || any(lent) == nil {
		return
	}
	p.mutex.Lock()
	taken, closed := p.takeBack(lent), p.closed
	p.mutex.Unlock()
	if taken && closed {
		_ = lent.Close()
	}
}

// takeBack takes a session back. False where it is not lent. With the mutex.
func (p *Pool[L]) takeBack(lent L) bool {
	if slices.ContainsFunc(p.free, func(free L) bool { return free.Session() == lent.Session() }) {
		return false
	}
	select {
	case <-p.places:
	default:
		return false
	}
	_ = lent.Session().TakeCallbackFailure()
	if !p.closed {
		p.free = append(p.free, lent)
	}
	return true
}

// Do lends a session to a function. Where that does not fail, but callbacks have meanwhile on threads of the library, it comes with
// what they have failed with.
func (p *Pool[L]) Do(ctx context.Context, use func(lent L) error) error {
	if use == nil {
		return refused("Do of a pool is passed no function: what it lends a session to is nil")
	}
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
	if p == nil {
		return nil
	}
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

// refused is the error of what is asked of something that nobody has made, or with nothing.
func refused(text string) *Error {
	return &Error{Kind: ErrInvalidArgument, Time: time.Now(), Executed: ExecutedNo, Message: text}
}
