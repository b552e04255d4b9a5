package rt

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"hotcell"
)

// flown is what became of a call of a pipeline. Its ticket has it.
type flown struct {
	pipe *Pipeline
	fn   *Function
	// over is set when the rest is known: what a callback has panicked with, what went wrong, or the result block.
	over   atomic.Bool
	raised any
	err    error
	short  [32]byte
	long   []byte
}

// end says what went wrong with a call that has no reply.
func (f *flown) end(err error) {
	f.err = err
	f.over.Store(true)
}

// keep keeps the results of a call, where they are numbers.
func (f *flown) keep(c *Call, numbers bool) {
	if f.err = c.reply.Err(); f.err != nil || !numbers {
		return
	}
	if block := c.reply.block; len(block) > len(f.short) {
		f.long = append([]byte(nil), block...)
	} else {
		copy(f.short[:], block)
	}
}

// taken is the result of a call of a pipeline.
func taken[T any](f *flown, read func(Numbers) T) (result T, err error) {
	if !f.over.Load() {
		if err := f.wait(); err != nil {
			return result, err
		}
	}
	if f.raised != nil {
		panic(f.raised)
	}
	if f.err != nil {
		return result, f.err
	}
	return read(f.numbers()), nil
}

// wait waits for the reply, and for those to the calls in front. It has an error where the call is in flight all the same.
func (f *flown) wait() error {
	p := f.pipe
	if err := p.lockToWait(f.fn); err != nil {
		return err
	}
	defer p.unlock()
	for !f.over.Load() && p.inFlight.Load() > 0 {
		p.endFirst()
	}
	if !f.over.Load() {
		f.end(p.session.refused(hotcell.ErrInvalidArgument, "", "the call was begun and not sent", nil))
	}
	return nil
}

// lockToWait takes the lock, to wait for replies. Who has it waits for one, which comes in its time or costs the worker; or is in a
// callback, which has no time: that may be the one that this is in. When the same callback has been run for as long as a call of the
// function may take, this is an error.
func (p *Pipeline) lockToWait(fn *Function) error {
	for {
		callback, ctx := p.callbacks.Load(), p.ctx
		left, err := p.session.left(ctx, fn)
		if err != nil {
			// Nobody has time any more, but what has come is there for who takes it.
			ctx, left = context.Background(), soon
		}
		if p.latch.lockWithin(ctx, left) == nil {
			return nil
		}
		if callback%2 == 1 && p.callbacks.Load() == callback {
			return p.inCallback(fn)
		}
	}
}

// inCallback is the error of who waits for a reply in a callback, or behind one.
func (p *Pipeline) inCallback(fn *Function) error {
	kind, cause := hotcell.ErrUnavailable, error(&hotcell.UnavailableError{Reason: hotcell.UnavailablePoolExhausted})
	if errors.Is(p.ctx.Err(), context.Canceled) {
		kind, cause = hotcell.ErrCancelled, context.Cause(p.ctx)
	}
	text := "a callback of a call in flight was run for as long as this one had time: none can wait for the pipeline of its own call"
	failed := p.session.refused(kind, fn.Name, text, cause)
	failed.Executed = hotcell.ExecutedMaybe
	return failed
}

// numbers are those of the result block.
func (f *flown) numbers() Numbers {
	if f.long != nil {
		return Numbers{numbers{f.long}}
	}
	return Numbers{numbers{f.short[:]}}
}

// pipes are the pipelines of a session that have a seat.
type pipes struct {
	// some is how many there are.
	some  atomic.Int32
	mutex sync.Mutex
	all   map[*Pipeline]struct{}
}

func (p *pipes) add(pipe *Pipeline) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.all == nil {
		p.all = make(map[*Pipeline]struct{})
	}
	p.all[pipe] = struct{}{}
	p.some.Store(int32(len(p.all)))
}

func (p *pipes) remove(pipe *Pipeline) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	delete(p.all, pipe)
	p.some.Store(int32(len(p.all)))
}

// settleSoon has what is in flight waited for, for somebody needs the seats.
//
// Who stands in line says so first and then looks here; a pipeline that takes a seat puts itself here first and then looks whether
// somebody stands in line. Operations of sync/atomic have one order, so one of the two sees the other.
func (p *pipes) settleSoon() {
	if p.some.Load() == 0 {
		return
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for pipe := range p.all {
		pipe.settleSoon()
	}
}

// soon is how long a pipeline has to go on by itself.
const soon = time.Millisecond

// settleSoon has a goroutine wait for what is in flight: its own may be elsewhere, or be the one that needs the seat.
func (p *Pipeline) settleSoon() {
	if p.settling.Swap(true) {
		return
	}
	go func() {
		time.Sleep(soon)
		p.settling.Store(false)
		p.latch.lock()
		defer p.unlock()
		p.settle()
	}()
}
