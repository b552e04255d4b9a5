package hotcell

import (
	"context"
	"io"
)

// Session is one library in a worker of its own: what every generated package's Session method gives.
//
// Any goroutine may call; as many calls are executed at a time as the library's contract and [Options.Callers] allow, others
// wait for their turn. A worker that ends is replaced by the next call.
type Session interface {
	// Close ends the worker. Calls that are under way fail.
	io.Closer
	// Alloc makes a buffer that the library reads where it lies.
	Alloc(bytes int) (*Buffer, error)
	// AllocShared makes a buffer that the library changes where it lies.
	AllocShared(bytes int) (*SharedBuffer, error)
	// Stats is what the supervisor knows of the session, as JSON.
	Stats(ctx context.Context) ([]byte, error)
	// TakeCallbackFailure is what a callback failed with that the library called on a thread of its own: the first failure since
	// the last that was taken, or nil. Who does not ask gets it from the session's next call instead, which is not sent then.
	TakeCallbackFailure() error
	// Generation is the number of the worker that serves, from 1; 0 where none does.
	Generation() uint64
}

// Library is what a generated package opens.
type Library interface {
	io.Closer
	// Session is the library's session.
	Session() Session
}
