package hotcell

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Pool lends sessions of a library that takes one caller at a time: each has a worker of its own, so that as many calls are
// executed at a time as there are sessions. They are opened when they are needed.
type Pool[L Library] struct {
	open func(ctx context.Context) (L, error)
	// places is a place for each session that may be lent, free are those that are open and not lent, lent the others.
	places chan struct{}
	mutex  sync.Mutex
	free   []L
	lent   map[Session]struct{}
	closed bool
}

// NewPool makes a pool of at most so many sessions. It opens them with open: the Open function of a generated package.
func NewPool[L Library](most int, open func(ctx context.Context) (L, error)) *Pool[L] {
	return &Pool[L]{open: open, places: make(chan struct{}, max(most, 1)), lent: make(map[Session]struct{})}
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
	lends := false
	defer func() {
		// Also where a function panics that opens one.
		if !lends {
			<-p.places
		}
	}()
	lent, found, err := p.take()
	if !found && err == nil {
		lent, err = p.open(ctx)
	}
	if err != nil {
		return none, err
	}
	if any(lent) == nil || lent.Session() == nil {
		return none, refused("the function that the pool opens sessions with has opened none, and gave no error")
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.lent[lent.Session()] = struct{}{}
	lends = true
	return lent, nil
}

// take is a session that is free, if one is.
func (p *Pool[L]) take() (free L, found bool, err error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	last := len(p.free) - 1
	switch {
	case p.closed:
		return free, false, &Error{Kind: ErrUnavailable, Executed: ExecutedNo, Message: "the pool is closed"}
	case last < 0:
		return free, false, nil
	}
	free = p.free[last]
	p.free = p.free[:last]
	return free, true, nil
}

// Put gives a session back. What callbacks have failed with meanwhile that the library called on a thread of its own is not the next
// borrower's: it is forgotten, unless it was asked for by [Session.TakeCallbackFailure].
//
// It does nothing with what the pool has not lent, or was given back before. Once a session is lent anew, nobody can tell who gives it back:
// who gives it back twice then takes it from the next borrower.
func (p *Pool[L]) Put(lent L) {
	if p == nil || any(lent) == nil {
		return
	}
	session := lent.Session()
	if closed := p.takeBack(lent, session); closed {
		_ = lent.Close()
	}
}

// takeBack takes a session back that is lent. True where the pool has closed meanwhile.
func (p *Pool[L]) takeBack(lent L, session Session) (closed bool) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if _, lends := p.lent[session]; !lends {
		return false
	}
	delete(p.lent, session)
	defer func() { <-p.places }()
	_ = session.TakeCallbackFailure()
	if !p.closed {
		p.free = append(p.free, lent)
	}
	return p.closed
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
