package rt

import (
	"sync"
	"sync/atomic"
	"time"

	"hotcell"
)

// flown is what became of a call of a pipeline. Its ticket has it.
type flown struct {
	pipe *Pipeline
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
func taken[T any](f *flown, read func(*Reply) T) (result T, err error) {
	if !f.over.Load() {
		f.wait()
	}
	if f.raised != nil {
		panic(f.raised)
	}
	if f.err != nil {
		return result, f.err
	}
	p := f.pipe
	if !p.latch.tryLock() {
		// Who has it may wait for long.
		reply := &Reply{}
		reply.call = p.collects.reply.call
		return read(f.turn(reply)), nil
	}
	defer p.unlock()
	return read(f.turn(&p.collects.reply)), nil
}

// wait waits for the reply, and for those to the calls in front.
func (f *flown) wait() {
	p := f.pipe
	p.latch.lock()
	defer p.unlock()
	for !f.over.Load() && p.inFlight > 0 {
		p.endFirst()
	}
	if !f.over.Load() {
		f.end(p.session.refused(hotcell.ErrInvalidArgument, "", "the call was begun and not sent", nil))
	}
}

// turn has numbers read from the result block.
func (f *flown) turn(reply *Reply) *Reply {
	if reply.block = f.long; f.long == nil {
		reply.block = f.short[:]
	}
	return reply
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
		p.Settle()
	}()
}
