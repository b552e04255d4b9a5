package rt

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"

	"hotcell"
	"hotcell/internal/wire"
)

// Handle is an object of the library. It keeps what it belongs to alive.
//
// [Handle.Close] releases an object that the application owns. One that is collected without it is released by the runtime, as
// soon as the worker is free. An object whose worker has ended went with it.
type Handle struct {
	session *Session
	object
	owned   bool
	release *Release
	// parent is what must outlive it.
	parent *Handle
	// kin is an object of its family, where it is lent to a callback; of is the family of what is to be released.
	kin *Handle
	of  object
	// gone is set when it was released, or taken over by a call that was published, or was lent and is not any more.
	gone *atomic.Bool
	// anew is what is kept of it so that it can be made anew; nil where its type is none that is.
	anew *anew
	// inFlight is how many calls in flight were passed it, or what belongs to it.
	inFlight atomic.Int32
}

// object is what a worker calls one.
type object struct {
	generation uint64
	raw        uint64
}

func (o object) kind() uint16 { return uint16(o.raw >> wire.HandleTypeShift) }

// numbered is the generation of a handle, which is never 0.
func (o object) numbered() uint64 {
	return o.raw >> wire.HandleGenerationShift & (1<<(wire.HandleTypeShift-wire.HandleGenerationShift) - 1)
}

// Session is the session that it belongs to; nil of nil.
func (h *Handle) Session() *Session {
	if h == nil {
		return nil
	}
	return h.session
}

// TypeName is the name of its type; a question mark of nil.
func (h *Handle) TypeName() string {
	if h == nil {
		return "?"
	}
	return h.session.typeName(h.kind())
}

func (s *Session) typeName(kind uint16) string {
	if kind == 0 || int(kind) > len(s.pack.Handles) {
		return "?"
	}
	return s.pack.Handles[kind-1].Name
}

// Begin is as [Session.Begin] of its session; of nil it is a call that has failed.
func (h *Handle) Begin(ctx context.Context, function int) *Call {
	if h == nil {
		return nobody.stillborn(nobody.refused(hotcell.ErrInvalidArgument, "", "the object is nil", nil))
	}
	if h.session.families.on {
		return h.session.beginWith(ctx, function, h)
	}
	return h.session.Begin(ctx, function)
}

// NoFunction stands for the function of what is asked of an object, and is no call of the library.
const NoFunction = -1

// NoObject is a call of a function of this package that has failed, for the object that it is a method of is not there: text says so.
func NoObject(pack *Package, function int, text string) *Call {
	none, name := &Session{pack: pack}, ""
	if function != NoFunction {
		name = pack.Functions[function].Name
	}
	return none.stillborn(none.refused(hotcell.ErrInvalidArgument, name, text, nil))
}

// Close has the library release the object, if it is owned and there. It waits for its turn, but not in a callback: then the
// object is released behind the call that calls back. It is closed once, and never fails.
func (h *Handle) Close() error {
	if h == nil {
		return nil
	}
	gone := h.gone.Swap(true)
	switch {
	case h.anew != nil && h.anew.leave(h.session):
		// Its own worker has gone.
	case gone || !h.owned:
		return nil
	default:
		family, _ := h.family()
		h.session.objects.leave(note{h.object, h.release, family})
	}
	h.session.sweepSoon()
	return nil
}

// usage is what a call does with an object.
type usage uint8

const (
	kept usage = iota
	consumed
	consumedOnSuccess
)

// passed is an object that a call was passed. It holds it, so that it is not collected meanwhile.
type passed struct {
	handle *Handle
	usage  usage
	// object is what stands for it in the worker.
	object
}

// take says that the call takes it over, if it does; giveBack that it has not.
func (p passed) take() {
	if p.usage == kept {
		return
	}
	p.handle.gone.Store(true)
	if p.handle.anew != nil {
		p.handle.anew.take(p.object)
	}
}

func (p passed) giveBack() {
	p.handle.gone.Store(false)
	if p.handle.anew != nil {
		p.handle.anew.giveBack(p.object)
	}
}

// PutHandle writes a handle of this type. It must belong to this session and its worker, and be there.
func (c *Call) PutHandle(offset int, name string, handle *Handle, kind uint16) {
	c.PutUint64(offset, c.pass(name, handle, kind, kept))
}

// PutOptHandle is as PutHandle; nil is NULL.
func (c *Call) PutOptHandle(offset int, name string, handle *Handle, kind uint16) {
	if handle == nil {
		c.PutUint64(offset, 0)
		return
	}
	c.PutHandle(offset, name, handle, kind)
}

// PutHandles writes handles of this type one behind the other, and a reference to them.
func (c *Call) PutHandles(offset int, name string, handles []*Handle, kind uint16) {
	list := NewImage(8 * len(handles))
	for at, handle := range handles {
		if handle == nil {
			c.invalid(fmt.Sprintf("%s[%d]", name, at), "must not be nil")
		}
		list.PutUint64(8*at, c.pass(name, handle, kind, kept))
	}
	c.PutBytes(offset, name, list.block)
}

// PutConsumed writes the handle of an object that the call takes over: once it is sent, the object cannot be used any more.
func (c *Call) PutConsumed(offset int, name string, handle *Handle, kind uint16) {
	c.PutUint64(offset, c.pass(name, handle, kind, consumed))
}

// PutConsumedOnSuccess is as PutConsumed, of a call that takes the object over only if it does not fail.
func (c *Call) PutConsumedOnSuccess(offset int, name string, handle *Handle, kind uint16) {
	c.PutUint64(offset, c.pass(name, handle, kind, consumedOnSuccess))
}

// pass checks an object and notes that the call was passed it. What must not be passed is 0.
func (c *Call) pass(name string, handle *Handle, kind uint16, usage usage) uint64 {
	if c.err != nil {
		return 0
	}
	argument := &hotcell.ArgumentError{Name: name}
	refuse := func(kind hotcell.Kind, format string, arguments ...any) uint64 {
		c.fail(kind, hotcell.ExecutedNo, argument, "`"+name+"` "+format, arguments...)
		return 0
	}
	if handle == nil {
		return refuse(hotcell.ErrInvalidArgument, "must not be nil")
	}
	object, there := handle.object, true
	if c.batch == nil {
		object, there = handle.in(c.generation())
	} else if handle.anew != nil {
		object = handle.latest()
	}
	switch {
	case handle.session != c.session:
		return refuse(hotcell.ErrUnknownHandle, "is an object of another session")
	case handle.kind() != kind:
		return refuse(hotcell.ErrWrongHandleType, "is a %s; the function takes a %s", handle.TypeName(), c.session.typeName(kind))
	case !there:
		why := handle.whyNot(c.generation())
		return refuse(hotcell.ErrStaleHandle, "was made by worker %d; worker %d serves%s", handle.generation, c.generation(), why)
	case usage != kept && !handle.owned:
		return refuse(hotcell.ErrInvalidArgument, "is only lent, and cannot be given away")
	}
	for at := handle; at != nil; at = at.parent {
		if at.gone.Load() {
			return refuse(hotcell.ErrStaleHandle, "was released, or what it belongs to was")
		}
	}
	if usage != kept {
		for _, other := range c.passed {
			if other.usage != kept && other.handle == handle {
				return refuse(hotcell.ErrInvalidArgument, "is taken over by another argument")
			}
		}
	}
	c.passed = append(c.passed, passed{handle, usage, object})
	return object.raw
}

// countInFlight counts a call in flight, or one that is no more, for what it was passed and for what that belongs to.
func (c *Call) countInFlight(count int32) {
	for _, passed := range c.passed {
		for at := passed.handle; at != nil; at = at.parent {
			at.inFlight.Add(count)
		}
	}
}

// giveBack says that the call has not taken over what it takes over so.
func (c *Call) giveBack(usages ...usage) {
	for _, passed := range c.passed {
		for _, usage := range usages {
			if passed.usage == usage {
				passed.giveBack()
			}
		}
	}
}

// Handle is an object of this type. parent is what must outlive it; NULL is an error.
func (r *Reply) Handle(offset int, kind uint16, owned bool, parent *Handle) *Handle {
	handle := r.OptHandle(offset, kind, owned, parent)
	if handle == nil && r.call.err == nil {
		r.call.lie("the library returned NULL where its contract promises an object")
	}
	return handle
}

// OptHandle is as Handle; NULL is nil.
func (r *Reply) OptHandle(offset int, kind uint16, owned bool, parent *Handle) *Handle {
	raw := r.Uint64(offset)
	if r.call.err != nil || raw == 0 {
		return nil
	}
	handle := r.adopt(offset, raw, kind, owned, parent)
	if owned && handle != nil {
		r.made = append(r.made, handle)
	}
	return handle
}

// adopt makes a handle of an object that the worker speaks of, at an offset of the result block.
func (r *Reply) adopt(offset int, raw uint64, kind uint16, owned bool, parent *Handle) *Handle {
	c := r.call
	object, release, known := r.judge(offset, raw, kind, owned)
	switch {
	case c.err != nil:
		return nil
	case known != nil && owned && known.owned:
		c.violation("an object that is there came out as a new one")
		return nil
	case known != nil && !owned:
		return known
	case owned:
		return newOwned(c.session, object, release, parent, c.madeAt(offset, kind))
	}
	return newHandle(c.session, object, owned, release, parent)
}

// judge is an object that the worker speaks of, how it is released, and its handle, if somebody holds it.
func (r *Reply) judge(offset int, raw uint64, kind uint16, owned bool) (object, *Release, *Handle) {
	c := r.call
	said := object{c.generation(), raw}
	if said.kind() != kind || said.numbered() == 0 {
		c.violation("an object has another type than its contract says")
		return object{}, nil, nil
	}
	release := c.session.pack.Handles[kind-1].Release
	for at, field := range c.fn.Owned {
		if int(field.Offset) == offset {
			r.taken |= 1 << at
			if field.Release != nil {
				release = field.Release
			}
		}
	}
	return said, release, c.session.objects.find(said)
}

// newHandle stands for an object from now on.
func newHandle(session *Session, object object, owned bool, release *Release, parent *Handle) *Handle {
	if owned {
		return newOwned(session, object, release, parent, nil)
	}
	handle := &Handle{session: session, object: object, release: release, parent: parent, gone: new(atomic.Bool)}
	session.objects.addAs(object, handle)
	return handle
}

// newOwned is as newHandle, of an object that the caller owns, of which this is kept so that it can be made anew.
func newOwned(session *Session, object object, release *Release, parent *Handle, anew *anew) *Handle {
	handle := &Handle{
		session: session, object: object, owned: true, release: release, parent: parent, gone: new(atomic.Bool), anew: anew,
	}
	session.objects.addAs(object, handle)
	family, _ := handle.family()
	runtime.AddCleanup(handle, session.collected, dropped{note{object, release, family}, handle.gone, anew})
	return handle
}

// takeBack has the objects released that were taken out of a reply of which something else was wrong: beside an error nobody
// looks for them.
func (r *Reply) takeBack() {
	for _, handle := range r.made {
		if r.call.err != nil && !r.call.lost.Load() && !handle.gone.Swap(true) {
			family, _ := handle.family()
			r.call.session.objects.leave(note{handle.object, handle.release, family})
			if handle.anew != nil {
				handle.anew.lose("it was released")
			}
		}
	}
	clear(r.made)
	r.made = r.made[:0]
}

// letGo has the objects released that the caller owns and has not taken out.
func (r *Reply) letGo() {
	c := r.call
	if len(r.made) > 0 {
		r.takeBack()
	}
	if len(c.fn.Owned) == 0 || !r.readable || c.lost.Load() {
		return
	}
	for at, field := range c.fn.Owned {
		if r.taken&(1<<at) != 0 {
			continue
		}
		raw := r.owned(field)
		release := field.Release
		if object := (object{c.generation(), raw}); raw != 0 && object.kind() == field.Kind {
			if release == nil {
				release = c.session.pack.Handles[field.Kind-1].Release
			}
			family := object
			if len(c.families) > 0 {
				family = c.families[0]
			}
			c.session.objects.leave(note{object, release, family})
		}
	}
}

// owned is the handle in a field, as the fixed results have it, also behind an error.
func (r *Reply) owned(field Owned) uint64 {
	block := numbers{r.call.small[:]}
	switch {
	case r.entries > 0:
		block = r.numbers
	case int(r.call.fn.Results) > len(r.call.small):
		block = numbers{r.call.large}
	}
	if field.Image == 0 {
		return block.Uint64(int(field.Offset))
	}
	from := block.reference(int(field.Offset))
	if from.place == nullPlace || r.call.seat.lane == nil {
		return 0
	}
	found, granted := r.call.seat.lane.Locate(&r.call.seat.arena, int(r.call.fn.Results), from.place, 8)
	if !granted {
		return 0
	}
	handle := NewImage(8)
	found.CopyTo(handle.block)
	return handle.Uint64(0)
}
