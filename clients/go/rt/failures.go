package rt

import (
	"fmt"
	"sync"
	"sync/atomic"

	"hotcell"
)

// failures is what callbacks have failed with that threads of the library called: there is no call that it could come out of. The
// first is kept, and how many came behind it: whatever the library does, it is no more.
type failures struct {
	// some tells whether there is one.
	some atomic.Bool

	mutex sync.Mutex
	first *hotcell.Error
	more  int
}

func (f *failures) note(err *hotcell.Error) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.first != nil {
		f.more++
		return
	}
	f.first = err
	f.some.Store(true)
}

// take is the first failure that nobody has heard of; nil where there is none.
func (f *failures) take() *hotcell.Error {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	first := f.first
	if first != nil && f.more > 0 {
		first.Message = fmt.Sprintf("%s (and %d more after it)", first.Message, f.more)
	}
	f.some.Store(false)
	f.first, f.more = nil, 0
	return first
}

// TakeCallbackFailure is what a callback failed with that the library called on a thread of its own: the first failure since the
// last that was taken, or nil. Who does not ask gets it from the session's next call instead, which is not sent then.
func (s *Session) TakeCallbackFailure() error {
	if failed := s.failures.take(); failed != nil {
		return failed
	}
	return nil
}
