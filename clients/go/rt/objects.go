package rt

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"hotcell"
	"hotcell/internal/shm"
)

// nullPlace is that of a null pointer.
const nullPlace = shm.Null

// objects are those of a session that somebody holds, and those that are to be released.
type objects struct {
	// left is how many notes there are.
	left atomic.Int32

	mutex sync.Mutex
	known map[object]known
	// purge is how many there are when those that were collected are looked for.
	purge int
	notes []note
	// aside are notes that the worker refused: what belongs to the object is there. They are sent again behind others.
	aside []note
	// held are notes of objects whose families are used, or that calls in flight were passed.
	held []note
	// sweeping tells whether somebody sends notes.
	sweeping bool
}

// known is a handle that does not hold its object.
type known = weak.Pointer[Handle]

// note says that an object is to be released.
type note struct {
	object
	release *Release
	// family is whose it is.
	family object
}

// dropped is an object whose handle was collected.
type dropped struct {
	note
	gone *atomic.Bool
	anew *anew
}

// addAs notes that a handle is that of an object.
func (o *objects) addAs(object object, handle *Handle) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	if len(o.known) >= max(64, o.purge) {
		// As many again have come as were left the last time: those that were collected are forgotten.
		for object, pointer := range o.known {
			if pointer.Value() == nil {
				delete(o.known, object)
			}
		}
		o.purge = 2 * len(o.known)
	}
	o.known[object] = weak.Make(handle)
}

// forget forgets an object, whose worker has gone.
func (o *objects) forget(object object) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	delete(o.known, object)
}

// find is the handle of an object, if somebody holds it and it is there.
func (o *objects) find(object object) *Handle {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	handle := o.known[object].Value()
	if handle == nil || handle.gone.Load() {
		return nil
	}
	return handle
}

// has tells whether somebody holds an object of a worker, or one is to be released.
func (o *objects) has(generation uint64) bool {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	for object, pointer := range o.known {
		if handle := pointer.Value(); object.generation == generation && handle != nil && !handle.gone.Load() {
			return true
		}
	}
	return len(o.notes)+len(o.held) > 0
}

// leave leaves a note.
func (o *objects) leave(note note) {
	if note.release == nil {
		return
	}
	o.mutex.Lock()
	defer o.mutex.Unlock()
	o.notes = append(o.notes, note)
	o.left.Add(1)
}

// collected is called when a handle was collected that was not closed.
func (s *Session) collected(dropped dropped) {
	gone := dropped.gone.Swap(true)
	if dropped.anew == nil || !dropped.anew.leave(s) {
		if gone {
			return
		}
		s.objects.leave(dropped.note)
	}
	go s.sweep()
}

// next takes the next note, or says that there is none: then nobody sweeps any more.
func (o *objects) next(first bool) (note, bool) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	if first && o.sweeping {
		return note{}, false
	}
	if len(o.notes) == 0 {
		o.sweeping = false
		return note{}, false
	}
	o.sweeping = true
	next := o.notes[0]
	o.notes = o.notes[1:]
	o.left.Add(-1)
	return next, true
}

// releaseTime is how long a release may take.
const releaseTime = 5 * time.Second

// sweepSoon sweeps, on another goroutine where this may be in a callback of a thread of the library: the call that has the turn may
// wait for that thread.
func (s *Session) sweepSoon() {
	if s.threaded.Load() > 0 {
		go s.sweep()
		return
	}
	s.sweep()
}

// isHeldUp takes the family of an object that the call is to release. Where another call uses it, the note waits for that, and keeps
// nothing from others: who gives the family back looks for it behind that.
func (c *Call) isHeldUp(note note) bool {
	s, family := c.session, []object{note.family}
	s.objects.mutex.Lock()
	defer s.objects.mutex.Unlock()
	held := !s.families.tryTake(family)
	if held {
		s.objects.held = append(s.objects.held, note)
	} else {
		c.families = append(c.families[:0], note.family)
	}
	return held
}

// isInFlight tells whether calls in flight were passed an object. Then the note waits for these: another lane would release it before
// they are executed. Who gives the seat of a pipeline back looks for it behind that.
func (o *objects) isInFlight(note note) bool {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	handle := o.known[note.object].Value()
	if handle == nil || handle.inFlight.Load() == 0 {
		return false
	}
	o.held = append(o.held, note)
	return true
}

// again has those released that waited for their families, or for calls in flight.
func (o *objects) again() {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	o.notes = append(o.notes, o.held...)
	o.left.Add(int32(len(o.held)))
	o.held = nil
}

// sweep sends the notes that there are, in the order in which they were left. While a callback is run, whose caller may be this
// goroutine, they stay.
func (s *Session) sweep() {
	if s.calling.Load() > 0 || s.isClosed() {
		return
	}
	for note, more := s.objects.next(true); more; note, more = s.objects.next(false) {
		if !s.let(note) {
			// Whoever comes next tries again.
			s.objects.putBack(note)
			return
		}
	}
}

// putBack leaves a note in front, and ends the sweep.
func (o *objects) putBack(back note) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	o.notes = append([]note{back}, o.notes...)
	o.left.Add(1)
	o.sweeping = false
}

// let has the library release an object. Nobody hears of a failure: one that crashes costs the worker.
// False where nothing could be sent, and the object is there.
func (s *Session) let(note note) bool {
	if s.turns.most > 1 && s.objects.isInFlight(note) {
		s.pipes.settleSoon()
		return true
	}
	ctx, cancel := context.WithTimeout(context.Background(), releaseTime)
	defer cancel()
	function := int(note.release.Function)
	call := s.start(ctx, function, &s.pack.Functions[function])
	if call.err != nil || call.generation() != note.generation {
		there := call.err != nil && s.Generation() == note.generation
		call.End()
		return !there
	}
	if s.families.on && call.isHeldUp(note) {
		call.End()
		return true
	}
	if size := note.release.Image; size == 0 {
		call.PutUint64(int(note.release.Offset), note.raw)
	} else {
		image := NewImage(int(size))
		image.PutUint64(0, note.raw)
		call.PutImage(int(note.release.Offset), "", image)
	}
	// What a shim refuses of an object only counts where one went in.
	call.passed = append(call.passed, passed{&Handle{session: s, object: note.object, of: note.family, gone: new(atomic.Bool)}, kept, note.object})
	err := call.Finish().Err()
	call.End()
	if !errors.Is(err, hotcell.ErrInvalidArgument) {
		s.kept.forget(func(until object) bool { return until == note.object })
	}
	s.objects.mutex.Lock()
	defer s.objects.mutex.Unlock()
	if errors.Is(err, hotcell.ErrInvalidArgument) {
		s.objects.aside = append(s.objects.aside, note)
		return true
	}
	delete(s.objects.known, note.object)
	s.objects.notes = append(s.objects.notes, s.objects.aside...)
	s.objects.left.Add(int32(len(s.objects.aside)))
	s.objects.aside = nil
	return true
}
