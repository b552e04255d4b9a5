package rt

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"hotcell"
)

// families tells who may use which objects, where a library takes several calls at a time but one for each family: an object that
// belongs to no other, with all that belongs to it. A family goes by the object that it begins with.
//
// A call waits for all of its families, and then has all of them; until then it holds none. Who came first is first: a family that
// is free is waited for too, while somebody who came before waits for it and for another.
type families struct {
	// on tells whether the library has such a rule. It is not changed behind the opening of the session.
	on    bool
	mutex sync.Mutex
	used  map[object]struct{}
	line  []*claim
	// crowded is called by who stands in line.
	crowded func()
}

// claim is who stands in line, and for what.
type claim struct {
	wants []object
	// given is closed when it has them.
	given chan struct{}
}

// callers is how many calls at a time there may be of a library, of so many that the server allows, and whether that is one for each
// family. Where objects are bound to the thread that made them there is one: lanes are not chosen here.
func (p *Package) callers(most int) (callers int, byFamily bool) {
	var face struct {
		Threads string
		Handles map[string]struct {
			Affine bool `json:"thread_affine"`
		}
	}
	if json.Unmarshal(p.Interface, &face) != nil {
		return 1, false
	}
	for _, handle := range face.Handles {
		if handle.Affine {
			return 1, false
		}
	}
	switch face.Threads {
	case "reentrant":
		return most, false
	case "per-handle":
		return most, most > 1
	}
	return 1, false
}

// family is the object that the handle's family begins with. False where that belongs to nobody that a caller owns: then it is the
// library's own, and several calls use it at once.
func (h *Handle) family() (object, bool) {
	root := h
	for root.parent != nil || root.kin != nil {
		if root = root.parent; root == nil {
			root = h.kin
		}
		h = root
	}
	if root.of.raw != 0 {
		return root.of, true
	}
	return root.object, root.owned
}

// kin is an object of the families of this call and those around it; nil where these have none.
func (c *Call) kin() *Handle {
	for depth := range c.depth + 1 {
		for _, passed := range c.seat.calls[depth].passed {
			if _, some := passed.handle.family(); some {
				return passed.handle
			}
		}
	}
	return nil
}

// isFree tells whether all of these may be taken by somebody who stands behind these claims. With the mutex.
func (f *families) isFree(wants []object, before []*claim) bool {
	for _, want := range wants {
		if _, used := f.used[want]; used {
			return false
		}
		for _, claim := range before {
			if slices.Contains(claim.wants, want) {
				return false
			}
		}
	}
	return true
}

// use takes these. With the mutex.
func (f *families) use(wants []object) {
	if f.used == nil {
		f.used = make(map[object]struct{})
	}
	for _, want := range wants {
		f.used[want] = struct{}{}
	}
}

// tryTake takes these if nobody has one of them, or stands in line for it.
func (f *families) tryTake(wants []object) bool {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	free := f.isFree(wants, f.line)
	if free {
		f.use(wants)
	}
	return free
}

// take takes these when they are free. False where the context ends before. Who goes ahead has others already, and stands in front.
func (f *families) take(ctx context.Context, wants []object, ahead bool) bool {
	f.mutex.Lock()
	before := f.line
	if ahead {
		before = nil
	}
	if f.isFree(wants, before) {
		f.use(wants)
		f.mutex.Unlock()
		return true
	}
	mine := &claim{wants, make(chan struct{})}
	if ahead {
		f.line = slices.Insert(f.line, 0, mine)
	} else {
		f.line = append(f.line, mine)
	}
	f.mutex.Unlock()
	f.crowded()
	select {
	case <-mine.given:
		return true
	case <-ctx.Done():
		return !f.leave(mine)
	}
}

// leave takes a claim out of the line. False where it was given all meanwhile.
func (f *families) leave(mine *claim) bool {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	at := slices.Index(f.line, mine)
	if at < 0 {
		return false
	}
	f.line = slices.Delete(f.line, at, at+1)
	f.serve()
	return true
}

// give gives these back.
func (f *families) give(had []object) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	for _, had := range had {
		delete(f.used, had)
	}
	f.serve()
}

// serve gives those in line what is free, in their order. With the mutex.
func (f *families) serve() {
	for at := 0; at < len(f.line); {
		next := f.line[at]
		if !f.isFree(next.wants, f.line[:at]) {
			at++
			continue
		}
		f.use(next.wants)
		f.line = slices.Delete(f.line, at, at+1)
		close(next.given)
	}
}

// missing is the families of what the call is passed that neither it has nor a call around it.
func (c *Call) missing() (wants []object) {
	for _, passed := range c.passed {
		family, some := passed.handle.family()
		if some && !c.hasFamily(family) && !slices.Contains(wants, family) {
			wants = append(wants, family)
		}
	}
	return wants
}

// hasFamily tells whether the call has a family, or one around it, or its pipeline.
func (c *Call) hasFamily(family object) bool {
	has := func(c *Call) bool {
		return slices.Contains(c.families, family) || c.flies() && slices.Contains(c.collects.pipe.families, family)
	}
	for depth := range c.depth {
		if has(c.seat.calls[depth]) {
			return true
		}
	}
	return has(c)
}

// takeFamilies waits until the call may use all that it was passed.
func (c *Call) takeFamilies() {
	wants := c.missing()
	if len(wants) == 0 {
		return
	}
	// In a callback the calls around have theirs meanwhile: who waits for these may be waited for.
	ahead := c.depth > 0
	c.wait.Reckon()
	until := c.wait.Deadline
	if ahead {
		until = time.Now().Add(time.Until(until) / 2)
	}
	ctx, cancel := context.WithDeadline(c.ctx, until)
	defer cancel()
	if !c.session.families.take(ctx, wants, ahead) {
		c.heldUp()
		return
	}
	c.families = append(c.families, wants...)
}

// heldUp is the error of a call that has not got its families in time.
func (c *Call) heldUp() {
	if c.isCancelled() {
		c.fail(hotcell.ErrCancelled, hotcell.ExecutedNo, context.Cause(c.ctx), "the call was cancelled before it was sent")
		return
	}
	cause := &hotcell.UnavailableError{Reason: hotcell.UnavailablePoolExhausted}
	c.fail(hotcell.ErrUnavailable, hotcell.ExecutedNo, cause, "other calls used its objects, or waited for them before it, for as long as it had")
}

// giveFamilies gives back what the call had.
func (c *Call) giveFamilies() {
	s := c.session
	if len(c.families) > 0 {
		s.families.give(c.families)
		c.families = c.families[:0]
		s.objects.again()
	}
	if c.gate != (object{}) {
		s.gates.give([]object{c.gate})
		c.gate = object{}
	}
}

// beginWith begins a call that is passed this object first, when no other call that began so has its family. Until then it has no seat,
// and takes none from calls with other objects. Its time counts from then.
//
// Who has a seat waits for families and never for a gate, and who has a family has a seat: nobody waits for himself.
func (s *Session) beginWith(ctx context.Context, function int, handle *Handle) *Call {
	family, some := handle.family()
	if !some || s.calling.Load() > 0 || uint(function) >= uint(len(s.pack.Functions)) {
		return s.Begin(ctx, function)
	}
	gate := []object{family}
	if !s.gates.tryTake(gate) {
		fn := &s.pack.Functions[function]
		left, err := s.left(ctx, fn)
		if err != nil {
			return s.stillborn(s.failed(err, fn.Name))
		}
		bounded, cancel := context.WithTimeout(ctx, left)
		defer cancel()
		if !s.gates.take(bounded, gate, false) {
			call := s.stillborn(nil)
			call.ctx, call.fn = ctx, fn
			call.heldUp()
			return call
		}
	}
	call := s.Begin(ctx, function)
	if call.seat == nil {
		s.gates.give(gate)
		return call
	}
	call.gate = family
	return call
}
