package rt

import (
	"sync"

	"hotcell"
	"hotcell/internal/wire"
)

// keptCallbacks are functions of the application that the library keeps, by their numbers. No number is given out twice.
type keptCallbacks struct {
	mutex sync.Mutex
	last  uint64
	by    map[uint64]*keptCallback
}

// keptCallback is one of them.
type keptCallback struct {
	callback
	// function is what it was passed to.
	function string
	// until is the object that it goes with.
	until object
	// byThreads tells whether threads of the library may call it.
	byThreads bool
	// runBy is the seat whose goroutine runs it.
	runBy *seat
	// ran is closed when it has run, where somebody waits for that.
	ran chan struct{}
}

// PutKept writes a callback that the library keeps: from now on any call of the session may call it, on the goroutine that
// waits for that call, until the object goes, or the worker. nil is NULL, as a library takes it to end an earlier one.
func (c *Call) PutKept(offset int, name string, argsSize int, run Callback, until *Handle) {
	c.putKept(offset, name, &keptCallback{callback: callback{argsSize, run}}, until)
}

// PutKeptByThreads is as PutKept, of one that the library may call on threads of its own, too, whether a call is under way or
// not: a goroutine of the session runs it then. One goroutine at a time runs it.
func (c *Call) PutKeptByThreads(offset int, name string, argsSize int, run Callback, until *Handle) {
	if run != nil && until != nil {
		c.listen()
	}
	c.putKept(offset, name, &keptCallback{callback: callback{argsSize, run}, byThreads: true}, until)
}

func (c *Call) putKept(offset int, name string, callback *keptCallback, until *Handle) {
	c.PutUint64(offset, 0)
	if callback.run == nil || c.err != nil {
		return
	}
	if until == nil {
		c.invalid(name, "is kept by an object that is nil")
		return
	}
	callback.function, callback.until = c.fn.Name, until.object
	if until.anew != nil {
		c.keepsFor(until, callback)
	}
	number, some := c.session.kept.add(callback)
	if !some {
		cause := &hotcell.LimitError{Limit: hotcell.LimitExceededCallbacks, Value: wire.KeptCallbacks}
		c.fail(hotcell.ErrLimitExceeded, hotcell.ExecutedNo, cause, "this session has kept as many callbacks as it can tell apart")
		return
	}
	c.PutUint64(offset, number)
}

// keepsFor says that the callback is kept by what stands for an object in this worker, which is not made anew from then on.
func (c *Call) keepsFor(until *Handle, callback *keptCallback) {
	if c.batch != nil {
		callback.until = until.latest()
		until.anew.keepsCallback(c.fn)
		return
	}
	if object, there := until.in(c.generation()); there {
		callback.until = object
	}
	c.keepers = append(c.keepers, until.anew)
}

// add keeps a callback. The library may call it from the moment it has the call; where that is not sent, it goes with the object
// all the same. False where all numbers were given out.
func (k *keptCallbacks) add(callback *keptCallback) (uint64, bool) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	if k.last == 1<<31-1-wire.KeptCallbacks {
		return 0, false
	}
	if k.by == nil {
		k.by = make(map[uint64]*keptCallback)
	}
	number := wire.KeptCallbacks + k.last
	k.last++
	k.by[number] = callback
	return number, true
}

// found is what is behind the number of a callback that the library keeps.
type found int

const (
	// keptGone: its object has gone, or its worker.
	keptGone found = iota
	// keptReady: it is to be run, and given back by end.
	keptReady
	// keptInside: it is being run already, further out on this goroutine.
	keptInside
	// keptLate: another goroutine has run it for as long as this one waits.
	keptLate
)

// begin finds a callback that a seat's goroutine is to run. While another one runs it, this one waits, until wait says that
// it does no longer.
func (k *keptCallbacks) begin(number, generation uint64, by *seat, wait func(<-chan struct{}) bool) (*keptCallback, found) {
	for {
		callback, ran, found := k.look(number, generation, by)
		if ran == nil {
			return callback, found
		}
		if !wait(ran) {
			return nil, keptLate
		}
	}
}

// look takes a callback to be run. Where another goroutine runs it, what is closed behind that comes back.
func (k *keptCallbacks) look(number, generation uint64, by *seat) (*keptCallback, <-chan struct{}, found) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	callback := k.by[number]
	switch {
	case callback == nil || callback.until.generation != generation:
		return nil, nil, keptGone
	case callback.runBy == nil:
		callback.runBy = by
		return callback, nil, keptReady
	case callback.runBy == by:
		return callback, nil, keptInside
	case callback.ran == nil:
		callback.ran = make(chan struct{})
	}
	return callback, callback.ran, keptGone
}

func (k *keptCallbacks) end(ran *keptCallback) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	ran.runBy = nil
	if ran.ran != nil {
		close(ran.ran)
		ran.ran = nil
	}
}

// forget forgets those that go with objects for which this is true.
func (k *keptCallbacks) forget(gone func(object) bool) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	for number, callback := range k.by {
		if gone(callback.until) {
			delete(k.by, number)
		}
	}
}
