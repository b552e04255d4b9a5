package hotcell

import (
	"fmt"
	"time"
)

// CrashError is the cause of [ErrCrashed]: a signal ended the worker.
type CrashError struct {
	// Signal is its number, Name its name.
	Signal int
	Name   string
	// Address is the address at fault, where the signal has one: else HasAddress is false.
	Address    uint64
	HasAddress bool
	// StackOverflow tells whether the stack ran over.
	StackOverflow bool
	// External tells whether another process sent the signal, instead of the code causing it.
	External bool
}

// Error says which signal, and where.
func (e *CrashError) Error() string {
	switch {
	case e.StackOverflow:
		return e.Name + ": the stack ran over"
	case e.HasAddress:
		return fmt.Sprintf("%s at address %#x", e.Name, e.Address)
	}
	return e.Name
}

// ExitError is the cause of [ErrExited]: the library ended its process.
type ExitError struct {
	// Status is the exit status.
	Status int
}

// Error says with which status.
func (e *ExitError) Error() string { return fmt.Sprintf("exit status %d", e.Status) }

// DeadlineError is the cause of [ErrHung].
type DeadlineError struct {
	// After is how long the call was given.
	After time.Duration
}

// Error says how long that was.
func (e *DeadlineError) Error() string { return fmt.Sprintf("not done after %v", e.After) }

// SuspectError is the cause of [ErrWorkerLost], where another call ended the worker.
type SuspectError struct {
	// Function and CallID are of that call, as far as they are known.
	Function string
	CallID   uint64
}

// Error names the call.
func (e *SuspectError) Error() string {
	return fmt.Sprintf("call %d of %s ended the worker", e.CallID, e.Function)
}

// LimitError is the cause of [ErrLimitExceeded].
type LimitError struct {
	// Limit is which one, Value what it is.
	Limit Reason
	Value uint64
}

// Error says which limit.
func (e *LimitError) Error() string { return fmt.Sprintf("limit of %s: %d", e.Limit, e.Value) }

// QuarantinedError is the cause of [ErrQuarantined]: what goes in has ended workers before.
type QuarantinedError struct {
	// Input is what it goes by in its [Quarantine], Left how long it is refused from now on.
	Input Input
	Left  time.Duration
}

// Error names the input.
func (e *QuarantinedError) Error() string { return "input " + e.Input.String() + " is in quarantine" }

// UnavailableError is the cause of [ErrUnavailable].
type UnavailableError struct {
	// Reason is why no worker could take the call.
	Reason Reason
}

// Error says why.
func (e *UnavailableError) Error() string { return string(e.Reason) }

// ArgumentError is the cause of [ErrInvalidArgument] and of errors of objects.
type ArgumentError struct {
	// Name is the parameter's.
	Name string
}

// Error names the parameter.
func (e *ArgumentError) Error() string { return "argument " + e.Name }

// DetailError is the cause of an error that has no type of its own: what the supervisor says of it.
type DetailError struct {
	// Fields are as in the JSON form of the error.
	Fields map[string]any
}

// Error shows the fields.
func (e *DetailError) Error() string { return fmt.Sprint(e.Fields) }
