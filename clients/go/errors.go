package hotcell

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"time"
	"unicode"
)

// Kind is what happened, one of a closed table. A Kind is an error, so that errors.Is(err, ErrHung) asks for it.
type Kind uint16

// Reason tells apart errors of one kind.
type Reason string

// Executed is what is known of whether the library has executed a call that failed. It is evidence, not hope.
type Executed string

// Values of Executed.
const (
	// ExecutedNo: the call was never sent.
	ExecutedNo Executed = "no"
	// ExecutedYes: the function has returned.
	ExecutedYes Executed = "yes"
	// ExecutedMaybe is everything else.
	ExecutedMaybe Executed = "maybe"
)

type retry uint8

const (
	retryNever retry = iota
	retryIdempotent
	retryLater
)

// row is a row of the table of errors.
type row struct {
	name, summary, advice string
	fault                 bool
	retry                 retry
}

func (k Kind) row() row {
	if int(k) < len(kinds) {
		return kinds[k]
	}
	return row{}
}

// String is the kind's name, the same in every language.
func (k Kind) String() string { return k.row().name }

// Error says what happened, in one clause.
func (k Kind) Error() string { return "hotcell: " + k.row().summary }

// Advice says what to do about it.
func (k Kind) Advice() string { return k.row().advice }

// IsFault tells whether the worker died or broke the protocol.
func (k Kind) IsFault() bool { return k.row().fault }

// MayRetry tells whether the same call may be made again: never, if its function is idempotent, or later.
func (k Kind) MayRetry() (ifIdempotent, later bool) {
	return k.row().retry == retryIdempotent, k.row().retry == retryLater
}

// KindOf is the kind of that name, or 0.
func KindOf(name string) Kind {
	for kind := range kinds {
		if kinds[kind].name == name {
			return Kind(kind)
		}
	}
	return 0
}

// Error is a failed call. Every error of a generated package is one, or comes from a callback of the application.
//
// A nil *Error is no error, and its methods say so; an error that holds one is not nil, as everywhere in Go.
//
// Ask for its kind with errors.Is(err, hotcell.ErrCrashed), for what is known beyond that with errors.As and a type such as
// [*CrashError] or [*LibraryError].
type Error struct {
	// Kind is what happened.
	Kind Kind
	// Library and Function are what was called, by their names in C.
	Library, Function string
	// CallID is unique in this process; 0 where no call was involved.
	CallID uint64
	// Generation is the worker's, counted from 1 in its session.
	Generation uint64
	// Time is when the failure was noticed.
	Time time.Time
	// Executed tells whether the library may have executed the call.
	Executed Executed
	// Tries is how often the call was made.
	Tries int
	// Once tells that the call is not made again by itself: it has called back, or was made in a callback.
	Once bool
	// Message is in words. It may quote the library: control characters are as they came.
	Message string
	// Output is the end of what the worker printed, control characters escaped.
	Output string
	// Cause is what is known beyond that: a *CrashError, a *LibraryError, and so on; or the error of a callback. It may be nil.
	Cause error
	// Stack asks the supervisor for the frames; nil where there are none. See [Error.Frames].
	Stack func(context.Context) ([]Frame, error) `json:"-"`
}

// Error is one line, without control characters.
func (e *Error) Error() string {
	if e == nil {
		return "no error"
	}
	var text strings.Builder
	// Of what is wrong before there is a session, the library is not known.
	for _, of := range []string{e.Library, e.Function, e.Kind.String()} {
		if of != "" {
			text.WriteString(of + ": ")
		}
	}
	for _, letter := range e.Message {
		if unicode.IsControl(letter) {
			fmt.Fprintf(&text, "\\u{%x}", letter)
		} else {
			text.WriteRune(letter)
		}
	}
	if e.Tries > 1 {
		fmt.Fprintf(&text, " (tried %d times)", e.Tries)
	}
	return text.String()
}

// NilContext is for the runtime: the error of what is passed no context.
func NilContext() *Error {
	return &Error{
		Kind: ErrInvalidArgument, Time: time.Now(), Executed: ExecutedNo, Message: "the context is nil: pass context.Background() where there is none",
		Cause: &ArgumentError{Name: "ctx"},
	}
}

// Unwrap is the cause.
func (e *Error) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Cause
}

// Is tells whether the target is this error's kind, or the error by which a context says the same.
func (e *Error) Is(target error) bool {
	if e == nil {
		return false
	}
	switch target := target.(type) {
	case Kind:
		return e.Kind == target
	default:
		return target == context.Canceled && e.Kind == ErrCancelled ||
			target == context.DeadlineExceeded && (e.Kind == ErrHung || e.Kind == ErrDeadlineExceeded)
	}
}

// IsFault tells whether the worker died or broke the protocol, as opposed to a failure that the library reports itself.
func (e *Error) IsFault() bool { return e != nil && e.Kind.IsFault() }

// Code is a code by which a library names its failures. Generated packages have one for each, to be asked for with errors.Is.
type Code struct {
	Library string
	Value   int64
	Name    string
}

// Error is the name.
func (c Code) Error() string { return c.Library + ": " + c.Name }

// LibraryError is a failure that the library itself reports, as its contract defines it.
type LibraryError struct {
	// Library is its name.
	Library string
	// Code is what the function returned, or the code that the contract asks for.
	Code int64
	// Symbol is the code's name in the header, or empty.
	Symbol string
	// Message is the library's own text, or empty.
	Message string
	// Errno is errno right after the call; 0 where it was not set.
	Errno syscall.Errno
	// Outputs is what the failed call gave all the same, by the names of parameters: numbers, truth values, texts, data.
	Outputs map[string]any
}

// Error is the code's name, the library's text and the code, as far as they are known.
func (e *LibraryError) Error() string {
	switch {
	case e.Message != "" && e.Symbol != "":
		return fmt.Sprintf("%s: %s (code %d)", e.Symbol, e.Message, e.Code)
	case e.Message != "" && e.Code != 0:
		return fmt.Sprintf("%s (code %d)", e.Message, e.Code)
	case e.Message != "":
		return e.Message
	case e.Symbol != "":
		return fmt.Sprintf("%s (code %d)", e.Symbol, e.Code)
	case e.Code == 0 && e.Errno != 0:
		return e.Errno.Error()
	}
	return fmt.Sprintf("code %d", e.Code)
}

// Is tells whether the target is this code of this library.
func (e *LibraryError) Is(target error) bool {
	code, ok := target.(Code)
	return ok && code.Library == e.Library && code.Value == e.Code
}

// Unwrap is errno, so that errors.Is(err, syscall.EAGAIN) and errors.Is(err, fs.ErrNotExist) work.
func (e *LibraryError) Unwrap() error {
	if e.Errno == 0 {
		return nil
	}
	return e.Errno
}

// RowError is the failure of one row of a call by columns. What is known of it is asked of it as of any failure: errors.Is and
// errors.As look into Err.
type RowError struct {
	// Row is its number, from 0.
	Row int
	Err error
}

// Error says which row it was, and what went wrong.
func (e *RowError) Error() string { return fmt.Sprintf("row %d: %v", e.Row, e.Err) }

// Unwrap is what went wrong.
func (e *RowError) Unwrap() error { return e.Err }
