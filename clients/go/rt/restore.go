package rt

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"hotcell"
)

// Restore is how objects of a type are made anew when their worker has ended.
type Restore struct {
	// By are functions that make one, whose call is made again; Configure those that configure one, whose last calls are made again
	// behind that.
	By, Configure []Repeated
	// Times is how often one object is made anew at most.
	Times uint32
}

// Repeated is a function whose calls are kept.
type Repeated struct {
	// Function is its index. Object is where the object lies: of what makes one in the result block, else in the argument block.
	Function, Object uint16
	// Parent is where in the argument block what the object belongs to goes in; nil where that is nothing.
	Parent *Owned
	// Inputs is everything else that goes in: [InputNumbers] and [InputData].
	Inputs []Input
	// Key is those of it that say what is set: a call takes the place of one with the same there.
	Key []Input
}

// anew is what is kept of an object so that it can be made anew.
//
// The application's object stays what it is. What stands for it in the next worker is another one, with a handle of its own: nothing
// of the old one is ever passed to the new worker, and each of the two is released once. Workers follow each other, and calls may be
// under way on one that another has replaced: so what stands is replaced by what was made in a later worker alone, and not at all once
// a call has taken it over, in whatever worker.
type anew struct {
	restore *Restore
	// restored is how often it was made anew.
	restored atomic.Uint32

	mutex sync.Mutex
	// made is the call that made it, settings are the last that configured it, in their order.
	made     *record
	settings []setting
	last     uint64
	// bytes is what all of them take, spent those that are overwritten when nobody makes them again.
	bytes int
	spent []*record
	// lost is why it is not made anew any more.
	lost string
	// stands is what stands for it: of generation 0 where nothing does. release is how that is released, taken whether a call has
	// taken it over, or it was left to be released.
	stands  object
	release *Release
	taken   bool
	// late is the first setting that this lacks: a call in the worker before has come back with it when it stood already.
	late uint64
	// givenUp is how long the last try took that was given up, and has cost a worker.
	givenUp time.Duration
	// trying is closed when the goroutine is done that makes it anew; nil where none does.
	trying chan struct{}
	// tried is how often that was tried, but for tries that failed and have ended no worker.
	tried uint32
}

// setting is a call that has configured an object.
type setting struct {
	number uint64
	*record
}

// restoreOf is how objects of a type are made anew; nil where they are not.
func (s *Session) restoreOf(kind uint16) *Restore {
	if s.options.NeverRestore || int(kind) > len(s.pack.Handles) {
		return nil
	}
	return s.pack.Handles[kind-1].Restore
}

// madeAt is what is kept of an object that the call has made, at an offset of the result block; nil where its type is none that is.
func (c *Call) madeAt(offset int, kind uint16) *anew {
	restore := c.session.restoreOf(kind)
	if restore == nil {
		return nil
	}
	kept := &anew{restore: restore}
	if c.reply.entries > 0 || c.flies() {
		kept.lost = "it was made in a batch or in a pipeline"
		return kept
	}
	at := slices.IndexFunc(restore.By, func(it Repeated) bool { return int(it.Function) == c.function && int(it.Object) == offset })
	if at < 0 {
		kept.lost = fmt.Sprintf("its contract does not say so of what `%s` makes", c.fn.Name)
		return kept
	}
	if kept.made, kept.lost = c.record(&restore.By[at]); kept.made != nil {
		kept.bytes = kept.made.size()
	}
	return kept
}

// in is the object as this worker knows it. False where it has none.
func (h *Handle) in(generation uint64) (object, bool) {
	if h.generation == generation || h.anew == nil {
		return h.object, h.generation == generation
	}
	a := h.anew
	a.mutex.Lock()
	defer a.mutex.Unlock()
	return a.stands, a.stands.generation == generation && a.late == 0
}

// latest is the object as the last worker knows it that has it.
func (h *Handle) latest() object {
	if h.anew == nil {
		return h.object
	}
	a := h.anew
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if a.stands.generation == 0 {
		return h.object
	}
	return a.stands
}

// serves tells whether nothing is to be done for this worker. With the mutex.
func (a *anew) serves(generation uint64) bool {
	return a.stands.generation > generation || a.stands.generation == generation && a.late == 0
}

// isDue tells whether the object is to be made anew before a call in this worker.
func (h *Handle) isDue(session *Session, generation uint64) bool {
	if h == nil || h.anew == nil || h.session != session || h.generation >= generation || h.gone.Load() {
		return false
	}
	a := h.anew
	a.mutex.Lock()
	defer a.mutex.Unlock()
	return a.lost == "" && !a.serves(generation)
}

// whyNot is why the object is not there in this worker, behind a semicolon.
func (h *Handle) whyNot(generation uint64) string {
	a := h.anew
	if a == nil {
		return ""
	}
	a.mutex.Lock()
	defer a.mutex.Unlock()
	switch {
	case h.gone.Load():
		return "; it was released"
	case a.lost != "":
		return "; it is not made anew: " + a.lost
	case a.stands.generation > generation:
		return fmt.Sprintf("; it was made anew in worker %d, which follows this one", a.stands.generation)
	}
	return "; Restore makes it anew, and so does a call that waits for it and does not take it over"
}

// lose says that it is never made anew from now on.
func (a *anew) lose(why string) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.loseBy(why)
}

// loseBy is as lose. With the mutex.
func (a *anew) loseBy(why string) {
	if a.lost == "" {
		a.lost = why
	}
	if a.made != nil {
		a.spend(a.made)
	}
	for _, setting := range a.settings {
		a.spend(setting.record)
	}
	a.made, a.settings = nil, nil
}

// spend overwrites what nobody needs any more, as soon as nobody makes it again. With the mutex.
func (a *anew) spend(record *record) {
	if a.trying != nil {
		a.spent = append(a.spent, record)
		return
	}
	record.overwrite()
}

// take says that a call takes over what stands for it there; giveBack that it has not.
func (a *anew) take(taken object) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.taken = a.taken || a.stands == taken
}

func (a *anew) giveBack(taken object) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if a.stands == taken {
		a.taken = false
	}
}

// leave has what stands for it released, for the application's object goes. True where something does.
func (a *anew) leave(s *Session) bool {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.loseBy("it was released")
	if a.stands.generation == 0 {
		return false
	}
	if !a.taken {
		a.taken = true
		s.objects.leave(note{a.stands, a.release, a.stands})
	}
	return true
}

// configures is the function that configures it, if this one does.
func (a *anew) configures(s *Session, fn *Function) *Repeated {
	for at := range a.restore.Configure {
		if repeated := &a.restore.Configure[at]; &s.pack.Functions[repeated.Function] == fn {
			return repeated
		}
	}
	return nil
}

// keepSettings keeps what the call was given where it has configured objects that can be made anew.
func (c *Call) keepSettings() {
	if !c.sent || !c.done || c.panicked || c.err != nil || c.reply.failure != nil || c.reply.entries > 0 || c.lost.Load() || c.flies() {
		return
	}
	for _, passed := range c.passed {
		a := passed.handle.anew
		if a == nil || passed.usage != kept {
			continue
		}
		repeated := a.configures(c.session, c.fn)
		if repeated != nil && binary.NativeEndian.Uint64(c.block[repeated.Object:]) == passed.raw {
			made, why := c.record(repeated)
			a.configured(made, why, c.generation())
		}
	}
}

// configured keeps a call that has configured it in this worker; nil where it cannot be kept, for a reason.
func (a *anew) configured(made *record, why string, generation uint64) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	number := a.last + 1
	if a.stands.generation > generation && a.late == 0 {
		a.late = number
	}
	switch {
	case a.lost != "":
		if made != nil {
			made.overwrite()
		}
		return
	case made == nil:
		a.loseBy(why)
		return
	}
	if at := slices.IndexFunc(a.settings, func(it setting) bool { return it.setsTheSame(made) }); at >= 0 {
		before := a.settings[at].record
		a.settings = slices.Delete(a.settings, at, at+1)
		a.bytes -= before.size()
		a.spend(before)
	}
	a.bytes += made.size()
	a.last = number
	a.settings = append(a.settings, setting{number, made})
	if a.bytes > mostRecorded {
		a.loseBy(fmt.Sprintf("what it was configured with is more than the %d bytes that are kept", mostRecorded))
	}
}

// keepsCallback says that the library keeps a function of the application for it, which cannot be given to another object.
func (a *anew) keepsCallback(fn *Function) {
	a.lose(fmt.Sprintf("`%s` gave it a function of the application to keep", fn.Name))
}

// configuredElsewhere says that a call of a batch or a pipeline was sent that configures it, which is not kept.
func (a *anew) configuredElsewhere(s *Session, fn *Function) {
	if a.configures(s, fn) != nil {
		a.lose(fmt.Sprintf("`%s` configured it in a batch or in a pipeline", fn.Name))
	}
}

// BeginWith is as [Session.Begin], of a call that is passed these objects and takes none of them over: those are made anew first, in the
// time of the call, whose worker has ended, where their contract says how.
func (s *Session) BeginWith(ctx context.Context, function int, objects ...*Handle) *Call {
	return s.withAnew(s.Begin(ctx, function), ctx, objects)
}

// BeginWith is as [Session.BeginWith] of its session; of nil it is a call that has failed.
func (h *Handle) BeginWith(ctx context.Context, function int, objects ...*Handle) *Call {
	call := h.Begin(ctx, function)
	if h == nil {
		return call
	}
	return h.session.withAnew(call, ctx, objects)
}

// withAnew makes objects anew that a call is to be passed, and begins it again behind that: others have the seat meanwhile, those too
// that make it anew.
func (s *Session) withAnew(call *Call, ctx context.Context, objects []*Handle) *Call {
	for call.err == nil && call.seat != nil {
		at := slices.IndexFunc(objects, func(it *Handle) bool { return it.isDue(s, call.generation()) })
		if at < 0 {
			return call
		}
		wanted := wanted{fn: call.fn, generation: call.generation(), until: time.Now().Add(call.wait.Left)}
		function := call.function
		call.End()
		if err := s.makeAnew(ctx, objects[at], wanted); err != nil {
			return s.stillborn(err)
		}
		call = s.startUntil(ctx, function, wanted.fn, wanted.until)
	}
	return call
}

// Restored is how often the object was made anew in another worker, because the one that had it had ended.
func (h *Handle) Restored() int {
	if h == nil || h.anew == nil {
		return 0
	}
	return int(h.anew.restored.Load())
}

// Restore sees to it that the object is there in the worker that serves: it is made anew where its own has ended, and its contract says
// how. Calls that wait do that by themselves; those of batches and pipelines do not.
func (h *Handle) Restore(ctx context.Context) error {
	if h == nil {
		return h.Begin(ctx, 0).err
	}
	s := h.session
	var until time.Time
	// None of these calls is ever sent.
	for call := s.start(ctx, 0, &nothing); ; call = s.startUntil(ctx, 0, &nothing, until) {
		if call.err != nil {
			call.End()
			return call.err
		}
		if until.IsZero() {
			until = time.Now().Add(call.wait.Left)
		}
		generation := call.generation()
		call.End()
		if !h.isDue(s, generation) {
			return h.isThere(generation)
		}
		if err := s.makeAnew(ctx, h, wanted{fn: &nothing, generation: generation, until: until, asked: true}); err != nil {
			return err
		}
	}
}

// isThere tells whether the object can be passed in this worker.
func (h *Handle) isThere(generation uint64) error {
	if _, there := h.in(generation); !there {
		return h.stale(&nothing, generation, h.whyNot(generation))
	}
	for at := h; at != nil; at = at.parent {
		if at.gone.Load() {
			return h.session.refused(hotcell.ErrStaleHandle, "", "it was released, or what it belongs to was", nil)
		}
	}
	return nil
}

// stale is the error of a call whose object is not there in the worker that serves. Nothing was sent.
func (h *Handle) stale(fn *Function, generation uint64, why string) *hotcell.Error {
	name := h.TypeName()
	text := fmt.Sprintf("`%s` was made by worker %d; worker %d serves%s", name, h.generation, generation, why)
	failed := h.session.refused(hotcell.ErrStaleHandle, fn.Name, text, &hotcell.ArgumentError{Name: name})
	failed.Generation = generation
	return failed
}
