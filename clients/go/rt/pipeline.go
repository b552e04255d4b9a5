package rt

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"hotcell"
	"hotcell/internal/wire"
)

// Pipeline is calls of one session that are sent as they are made, and executed in that order, while the application goes on: several
// are in flight, and their results are taken as they are needed. Each fails for itself.
//
// While calls are in flight it has the session's worker, or a lane of it. Eight are in flight at most: the next one waits for the
// first. Each call has its time from when its reply is waited for, and none in front of it is. What a caller that waits for the worker
// meets in its way is waited for by a goroutine of the session, and results stay where they are taken.
//
// One goroutine at a time makes calls. Tickets may be taken on any.
type Pipeline struct {
	session *Session
	ctx     context.Context
	// collects is what methods put calls into.
	collects *Batch
	// latch is held by who sends a call or waits for one. What follows is for who has it.
	latch latch
	// seat is there while calls are in flight, own what it has for calls by themselves.
	seat *seat
	own  *Call
	// flights are the calls in flight, by their numbers: as many as inFlight, from the first one on. spare is the memory of others.
	flights [wire.RingSlots]flight
	first   uint32
	spare   []*Call
	// inFlight is changed by who has the lock.
	inFlight atomic.Int32
	// callbacks counts the callbacks of its calls that were begun, and those that have ended: it is odd while one is run.
	callbacks atomic.Uint32
	// sent is how many were sent since it has the seat.
	sent int
	// families is what its calls have that nobody else may use, open whether one is being written.
	families []object
	open     bool
	// sweeps tells whether objects are to be released when the lock was given back.
	sweeps bool
	// settling tells whether a goroutine is about to wait for what is in flight.
	settling atomic.Bool
}

// flight is a call in flight.
type flight struct {
	call *Call
	// reads reads results that are no numbers.
	reads func(*Reply)
	flown *flown
}

// NewPipeline is a pipeline without calls. The context is that of all its calls: its deadline bounds each, and where it is cancelled,
// what is in flight is given up.
func NewPipeline(ctx context.Context, session *Session) *Pipeline {
	if ctx == nil {
		failed := hotcell.NilContext()
		ctx, session = context.Background(), refusing(failed.Message, failed.Cause)
	}
	p := &Pipeline{session: session, ctx: ctx, latch: newLatch()}
	p.collects = &Batch{session: session, pipe: p, expects: none, last: none, alike: none, epoch: firstEpoch}
	return p
}

// Calls is what methods put calls into, by [Batch.Begin].
func (p *Pipeline) Calls() *Batch { return p.collects }

// Settle waits for all calls in flight, and keeps their results. Behind it others have the worker, or the lane. In a callback of one
// of them it gives up when the time of a call is over.
func (p *Pipeline) Settle() {
	if p == nil {
		return
	}
	if p.lockToWait(&nothing) == nil {
		defer p.unlock()
		p.settle()
	}
}

// InFlight is how many calls were sent whose reply nobody has looked at.
func (p *Pipeline) InFlight() int {
	if p == nil {
		return 0
	}
	return int(p.inFlight.Load())
}

func (p *Pipeline) unlock() {
	sweeps := p.sweeps
	p.sweeps = false
	p.latch.unlock()
	if sweeps {
		p.session.sweepSoon()
	}
}

// begin begins a call. The lock is held until it is sent, given up by [Call.Leave], or something is wrong with it.
func (p *Pipeline) begin(function int) *Call {
	s := p.session
	if before := p.collects.entry; before != nil {
		before.Leave()
	}
	fn := &nothing
	if uint(function) < uint(len(s.pack.Functions)) {
		fn = &s.pack.Functions[function]
	} else {
		return p.stillborn(s.noSuch(), fn)
	}
	left, err := p.enter(fn)
	if err != nil {
		return p.stillborn(s.failed(err, fn.Name), fn)
	}
	call, err := p.write(function, fn, left)
	if err != nil {
		return p.stillborn(s.failed(err, fn.Name), fn)
	}
	return call
}

// write begins a call that is to be written. The lock stays held, unless something is wrong or a callback ends the goroutine.
func (p *Pipeline) write(function int, fn *Function, left time.Duration) (call *Call, err error) {
	begun := false
	defer func() {
		if !begun {
			p.unlock()
		}
	}()
	if err = p.turn(left); err != nil {
		return nil, err
	}
	call = p.blank()
	call.begin(p.ctx, function, fn, left)
	if p.seat.lane == nil {
		call.bind()
	}
	if call.err != nil {
		p.giveSeat()
		return nil, call.err
	}
	if p.inFlight.Load() == 0 {
		p.takeOff()
	}
	call.wait.Spin = p.seat.worker.spin
	p.seat.lane.Open()
	begun, call.writing = true, true
	return call, nil
}

// enter takes the lock, and says how long a call may wait.
func (p *Pipeline) enter(fn *Function) (time.Duration, error) {
	s := p.session
	if s.failures.some.Load() {
		if failed := s.failures.take(); failed != nil {
			return 0, failed
		}
	}
	if s.calling.Load() > 0 {
		if frame, found := p.ctx.Value(inside{s}).(*frame); found && frame.state.Load() != over {
			text := "calls of a callback are nested in the call that calls back, and none of them can be in a pipeline"
			return 0, s.refused(hotcell.ErrUnavailable, fn.Name, text, &hotcell.UnavailableError{Reason: hotcell.UnavailablePoolExhausted})
		}
	}
	left, err := s.left(p.ctx, fn)
	if err != nil {
		return 0, err
	}
	return left, p.latch.lockWithin(p.ctx, left)
}

// mostAhead is how many calls go in front of others that wait.
const mostAhead = 64

// goesOn tells whether another call may be sent before those in flight have their replies.
func (p *Pipeline) goesOn() bool {
	s, seat := p.session, p.seat
	waits := s.turns.waiting.Load() > 0 && p.sent >= mostAhead
	return !waits && !seat.worker.IsOver() && !seat.worker.IsWorn() && s.objects.left.Load() == 0 && !seat.arena.IsCrowded(p.sent)
}

// turn sees to it that there is a seat, and a slot for another call.
func (p *Pipeline) turn(left time.Duration) error {
	if p.inFlight.Load() == wire.RingSlots {
		p.endFirst()
	}
	if p.seat != nil && !p.goesOn() {
		p.settle()
	}
	if p.seat != nil {
		return nil
	}
	seat := p.session.turns.first.Swap(nil)
	if seat == nil {
		var err error
		if seat, _, err = p.session.queue(p.ctx, left); err != nil {
			return err
		}
	}
	if seat.lane != nil && seat.worker.IsOver() {
		seat.unbind()
	}
	p.seat, p.own, p.sent = seat, seat.calls[0], 0
	return nil
}

// takeOff prepares the seat for calls in flight, of which there is none yet.
func (p *Pipeline) takeOff() {
	if p.seat.arena.BeginFlight() {
		p.seat.lane.Announce(nullPlace, 0)
	}
	p.session.pipes.add(p)
	if p.session.turns.waiting.Load() > 0 {
		p.settleSoon()
	}
}

// blank is memory for a call.
func (p *Pipeline) blank() *Call {
	last := len(p.spare) - 1
	if last < 0 {
		call := newCall(p.seat, 0)
		call.collects = p.collects
		return call
	}
	call := p.spare[last]
	p.spare = p.spare[:last]
	call.seat = p.seat
	return call
}

// stillborn is a call that has failed before it began. The lock is not held.
func (p *Pipeline) stillborn(err error, fn *Function) *Call {
	call := p.session.stillborn(err)
	call.fn, call.collects = fn, p.collects
	return call
}

// Leave gives up a call that was begun and put into nothing, for a panic came in between: others wait for its pipeline. In a batch, the
// next entry takes its place.
func (c *Call) Leave() {
	if c.writing {
		c.writing = false
		c.collects.pipe.giveUp(c)
	}
}

// giveUp forgets a call that was begun, and lets go of the lock.
func (p *Pipeline) giveUp(c *Call) {
	defer p.unlock()
	p.forget(c)
	if p.inFlight.Load() == 0 {
		p.giveSeat()
	}
}

// send sends a call that was begun, or says what is wrong with it.
func (p *Pipeline) send(c *Call, reads func(*Reply)) *flown {
	flown := &flown{pipe: p, fn: c.fn}
	if c.seat == nil {
		flown.end(c.err)
		return flown
	}
	c.writing = false
	defer p.unlock()
	if c.err == nil && c.session.options.Quarantine.IsRefusing() {
		c.isQuarantined()
	}
	if c.err == nil && c.session.families.on {
		p.takeFamilies(c)
	}
	if c.err == nil && p.seat.lane.Channel().IsDead() {
		c.fail(hotcell.ErrWorkerLost, hotcell.ExecutedNo, nil, "the worker has ended before the call was sent")
	}
	if c.err != nil {
		flown.end(c.err)
		p.forget(c)
		if p.inFlight.Load() == 0 {
			p.giveSeat()
		}
		return flown
	}
	c.takeOver()
	c.countInFlight(1)
	c.sent = true
	// It has no time of its own: that begins when its reply is waited for.
	inFlight := int(p.inFlight.Load())
	number := p.seat.lane.PublishBehind(c.head(0), c.block[:c.used], inFlight)
	if inFlight == 0 {
		p.first = number
	}
	p.flights[number%wire.RingSlots] = flight{c, reads, flown}
	p.inFlight.Add(1)
	p.sent++
	return flown
}

// settle waits for all calls in flight.
func (p *Pipeline) settle() {
	for p.inFlight.Load() > 0 {
		p.endFirst()
	}
}

// takeFirst takes the oldest of them out.
func (p *Pipeline) takeFirst() flight {
	at := &p.flights[p.first%wire.RingSlots]
	first := *at
	*at = flight{}
	p.first++
	p.inFlight.Add(-1)
	return first
}

// endFirst waits for the first of them, and judges its reply.
func (p *Pipeline) endFirst() {
	number := p.first
	first := p.takeFirst()
	c := first.call
	p.seat.calls[0] = c
	defer func() {
		// What a callback panics with that the library keeps comes out when the result is taken. Where it ends its goroutine, there is
		// no panic, and the call is given up.
		raised := recover()
		if !c.done {
			c.kill("given-up", "")
		}
		p.land(first, raised)
	}()
	p.seat.lane.TurnTo(number)
	// What is nested in it has the numbers from here on, behind those of all in flight.
	c.nestedFrom = p.seat.nextID
	left, err := p.session.left(p.ctx, c.fn)
	if err != nil {
		// What has come all the same is looked at.
		left = 1
	}
	c.await(left)
	if c.err == nil && c.reply.failure == nil && first.reads != nil {
		first.reads(&c.reply)
	}
}

// land keeps what became of a call, and what is left of it goes.
func (p *Pipeline) land(first flight, raised any) {
	c := first.call
	c.reply.letGo()
	first.flown.keep(c, first.reads == nil)
	if first.flown.raised = raised; raised == nil && !c.done && first.flown.err == nil {
		first.flown.err = c.wrong(hotcell.ErrCancelled, hotcell.ExecutedMaybe, nil, "a callback has ended its goroutine")
	}
	first.flown.over.Store(true)
	c.forgetTaken()
	p.forget(c)
	p.seat.arena.EndOfCall()
	if c.lost.Load() {
		p.lose(c, first.flown.err)
	}
	if p.inFlight.Load() == 0 && !p.open {
		p.giveSeat()
	}
}

// takeFamilies waits until a call may use all that it was passed. Where others use it, all in flight have their replies first: who
// waits holds nothing but the seat.
func (p *Pipeline) takeFamilies(c *Call) {
	all, wants := &p.session.families, c.missing()
	if len(wants) == 0 || all.tryTake(wants) {
		p.families = append(p.families, wants...)
		return
	}
	p.settleAround(c)
	p.giveFamilies()
	c.takeFamilies()
	p.families, c.families = append(p.families, c.families...), c.families[:0]
	p.seat.lane.Open()
}

// settleAround waits for all calls in flight and keeps the seat, for a call that was written. It is given up where a callback ends the
// goroutine.
func (p *Pipeline) settleAround(c *Call) {
	settled := false
	p.open = true
	defer func() {
		p.open = false
		if !settled {
			p.forget(c)
			if p.inFlight.Load() == 0 {
				p.giveSeat()
			}
		}
	}()
	p.settle()
	settled = true
}

// giveFamilies gives back what nobody else could use, and has objects released that waited for it, or for calls in flight, of which
// there are none.
func (p *Pipeline) giveFamilies() {
	if len(p.families) > 0 {
		p.session.families.give(p.families)
		p.families = p.families[:0]
	}
	p.session.objects.again()
}

// forget forgets what a call was passed, and keeps its memory.
func (p *Pipeline) forget(c *Call) {
	c.giveFamilies()
	if c.sent {
		c.countInFlight(-1)
	}
	clear(c.passed)
	c.passed, c.keepers = c.passed[:0], nil
	clear(c.callbacks)
	c.callbacks, c.noted = c.callbacks[:0], c.noted[:0]
	c.ctx, c.inner, c.frame, c.wait.Context = nil, nil, nil, nil
	p.spare = append(p.spare, c)
}

// lose says of the calls in flight that their worker was lost with the one in front of them.
func (p *Pipeline) lose(first *Call, why error) {
	for p.inFlight.Load() > 0 {
		behind := p.takeFirst()
		c := behind.call
		if errors.Is(why, hotcell.ErrCancelled) {
			c.fail(hotcell.ErrCancelled, hotcell.ExecutedMaybe, context.Cause(p.ctx), "the call was cancelled")
		}
		cause := &hotcell.SuspectError{Function: first.fn.Name, CallID: first.id}
		c.fail(hotcell.ErrWorkerLost, hotcell.ExecutedMaybe, cause, "the worker was lost with calls in flight: it was at call %d of %s", first.id, first.fn.Name)
		behind.flown.end(c.err)
		p.forget(c)
	}
}

// giveSeat gives the seat back.
func (p *Pipeline) giveSeat() {
	seat, s := p.seat, p.session
	s.pipes.remove(p)
	p.giveFamilies()
	seat.calls[0], p.seat, p.own = p.own, nil, nil
	if seat.lane != nil {
		if window, some := seat.arena.EndFlight(); some {
			seat.lane.Announce(window.Place, window.Length)
		}
	}
	if seat.worker != nil && (seat.worker.IsOver() || seat.worker.IsWorn()) {
		seat.leave()
	}
	s.turns.give(seat)
	p.sweeps = p.sweeps || s.objects.left.Load() > 0
}
