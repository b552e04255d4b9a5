package hotcell_test

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"hotcell"
)

// inflate stands for a method of a generated package, whose library has crashed.
func inflate(context.Context, []byte) ([]byte, error) {
	cause := &hotcell.CrashError{Signal: 11, Name: "SIGSEGV", Address: 0x10, HasAddress: true}
	return nil, &hotcell.Error{
		Kind: hotcell.ErrCrashed, Library: "zlib", Function: "inflate", Executed: hotcell.ExecutedMaybe,
		Message: cause.Error(), Cause: cause,
	}
}

// What a call fails with is told apart by errors.As and errors.Is.
func ExampleError() {
	_, err := inflate(context.Background(), []byte("a bad stream"))
	var crash *hotcell.CrashError
	var refused *hotcell.LibraryError
	switch {
	case errors.As(err, &refused):
		fmt.Println("the library has refused it:", refused.Code, refused.Message)
	case errors.As(err, &crash):
		fmt.Println("the library crashed, and this program did not:", crash)
	case errors.Is(err, hotcell.ErrHung):
		fmt.Println("it was not done by its deadline")
	}
	var failed *hotcell.Error
	if errors.As(err, &failed) {
		fmt.Println(failed.Library, failed.Function, "executed:", failed.Executed, "fault:", failed.IsFault())
	}
	// Output:
	// the library crashed, and this program did not: SIGSEGV at address 0x10
	// zlib inflate executed: maybe fault: true
}

// Where a library has set errno, its error is that, too.
func ExampleLibraryError() {
	var err error = &hotcell.Error{
		Kind: hotcell.ErrLibraryError, Library: "store", Function: "store_open",
		Cause: &hotcell.LibraryError{Library: "store", Code: 3, Symbol: "STORE_IO", Errno: syscall.ENOENT},
	}
	fmt.Println(errors.Is(err, syscall.ENOENT), errors.Is(err, hotcell.ErrLibraryError))
	var refused *hotcell.LibraryError
	if errors.As(err, &refused) {
		fmt.Println(refused.Symbol, refused.Code)
	}
	// Output:
	// true true
	// STORE_IO 3
}

// Two sessions share a list of the inputs that have ended workers.
func ExampleQuarantine() {
	list := hotcell.NewQuarantine(hotcell.QuarantineRule{Crashes: 3, Lasts: 10 * time.Minute})
	options := hotcell.Options{Quarantine: list}
	_ = options // png.Open(ctx, options), and zlib.Open(ctx, options)
	for _, input := range list.Inputs() {
		fmt.Println(input.Library, input.Function, "is refused until", input.Until)
		list.Release(input.Input)
	}
	fmt.Println(len(list.Inputs()))
	// Output: 0
}

// library stands for one of a generated package.
type library struct{ hotcell.Library }

func (library) Session() hotcell.Session { return session{} }
func (library) Close() error             { return nil }

type session struct{ hotcell.Session }

func (session) TakeCallbackFailure() error { return nil }

// A library that takes one caller at a time is called by four, each of which has a worker.
func ExamplePool() {
	ctx := context.Background()
	pool := hotcell.NewPool(4, func(ctx context.Context) (library, error) {
		return library{}, nil // as zlib.Open(ctx, hotcell.Options{})
	})
	defer func() { _ = pool.Close() }()
	err := pool.Do(ctx, func(lib library) error {
		_, err := inflate(ctx, nil) // as lib.Inflate(ctx, data)
		return err
	})
	fmt.Println(errors.Is(err, hotcell.ErrCrashed))
	// Output: true
}

// A call that is not to be sent twice is made again only where it was not executed.
func ExampleError_executed() {
	_, err := inflate(context.Background(), nil)
	var failed *hotcell.Error
	again := errors.As(err, &failed) && failed.Executed == hotcell.ExecutedNo
	fmt.Println(again)
	// Output: false
}
