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
	// until is the object that it goes with.
	until object
	// running tells whether it is being run.
	running bool
}

// PutKept writes a callback that the library keeps: from now on any call of the session may call it, on the goroutine that
// waits for that call, until the object goes, or the worker. nil is NULL, as a library takes it to end an earlier one.
func (c *Call) PutKept(offset int, name string, argsSize int, run Callback, until *Handle) {
	c.PutUint64(offset, 0)
	if run == nil || c.err != nil {
		return
	}
	if until == nil {
		c.invalid(name, "is kept by an object that is nil")
		return
	}
	all := &c.session.kept
	all.mutex.Lock()
	defer all.mutex.Unlock()
	if all.last == 1<<31-1-wire.KeptCallbacks {
		cause := &hotcell.LimitError{Limit: hotcell.LimitExceededCallbacks, Value: wire.KeptCallbacks}
		c.fail(hotcell.ErrLimitExceeded, hotcell.ExecutedNo, cause, "this session has kept as many callbacks as it can tell apart")
		return
	}
	if all.by == nil {
		all.by = make(map[uint64]*keptCallback)
	}
	number := wire.KeptCallbacks + all.last
	all.last++
	// The library may call it from the moment it has the call. Where the call is not sent, it goes with the object all the same.
	all.by[number] = &keptCallback{callback{argsSize, run}, until.object, false}
	c.PutUint64(offset, number)
}

// begin finds a callback that is to be run; nil where it has gone. False where it is being run already.
func (k *keptCallbacks) begin(number uint64, generation uint64) (*keptCallback, bool) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	found := k.by[number]
	if found == nil || found.until.generation != generation {
		return nil, true
	}
	if found.running {
		return found, false
	}
	found.running = true
	return found, true
}

func (k *keptCallbacks) end(ran *keptCallback) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	ran.running = false
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
