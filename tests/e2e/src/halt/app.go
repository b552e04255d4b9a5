// The package of halt, whose calls can be told to stop, used as an application would.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"strings"
	"time"

	halt "halt-hotcell"
	"hotcell"
)

const (
	// long is what no call takes to its end, short a deadline that passes.
	long  = 600_000
	short = 50 * time.Millisecond
	// patient is what an obedient library may take on a busy machine.
	patient = 20 * time.Second
)

var ctx = context.Background()

func main() {
	for _, part := range []func(*halt.Library, *halt.Job){
		deadlines, others, made, cancelled, callsBack, nested, lingers, crashes, leaves, batches,
	} {
		with(patient, part)
	}
	for _, part := range []func(*halt.Library, *halt.Job){deaf, hangs, impossible} {
		with(3*time.Second, part)
	}
	fmt.Println("all is well")
}

func with(grace time.Duration, part func(*halt.Library, *halt.Job)) {
	lib := must(halt.Open(ctx, hotcell.Options{Libraries: []string{os.Getenv("HALT")}, CancelGrace: grace}))
	part(lib, must(lib.Begin(ctx)))
	check(lib.Close())
}

func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func equal(got, expected any) {
	if !reflect.DeepEqual(got, expected) {
		_, file, line, _ := runtime.Caller(1)
		panic(fmt.Sprintf("%s:%d: %#v is not %#v", file, line, got, expected))
	}
}

// fails is that a call failed so, with this said of it.
func fails(err error, kind hotcell.Kind, executed hotcell.Executed, text string) {
	var failed *hotcell.Error
	if !errors.As(err, &failed) || failed.Kind != kind || failed.Executed != executed || !strings.Contains(err.Error(), text) {
		_, file, line, _ := runtime.Caller(1)
		panic(fmt.Sprintf("%s:%d: %v, %+v", file, line, err, failed))
	}
}

// shortly calls with a deadline that passes.
func shortly[T any](call func(context.Context) (T, error)) error {
	soon, cancel := context.WithTimeout(ctx, short)
	defer cancel()
	_, err := call(soon)
	return err
}

// wellAfter is that nobody died: the first worker has served all the while, and its objects are there.
func wellAfter(lib *halt.Library, job *halt.Job, told int32) {
	equal(must(job.Told(ctx)), told)
	equal(lib.Session().Generation(), uint64(1))
}

func deadlines(lib *halt.Library, job *halt.Job) {
	for told := range int32(5) {
		begun := time.Now()
		err := shortly(func(ctx context.Context) (int32, error) { return job.Turn(ctx, long) })
		fails(err, hotcell.ErrDeadlineExceeded, hotcell.ExecutedYes, "the library stopped it")
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) < short {
			panic(err)
		}
		wellAfter(lib, job, told+1)
		// The next call has nothing of it.
		equal(must(job.Turn(ctx, 3)), int32(3))
	}
}

// others: what stops it finds the object through another one, or needs none.
func others(lib *halt.Library, job *halt.Job) {
	part := must(job.PartOf(ctx))
	fails(shortly(func(ctx context.Context) (int32, error) { return part.TurnPart(ctx, long) }),
		hotcell.ErrDeadlineExceeded, hotcell.ExecutedYes, "the library stopped it")
	wellAfter(lib, job, 1)
	fails(shortly(func(ctx context.Context) (int32, error) { return lib.Wait(ctx, long) }),
		hotcell.ErrDeadlineExceeded, hotcell.ExecutedYes, "the library stopped it")
	equal(must(lib.Wait(ctx, 2)), int32(2))
	wellAfter(lib, job, 1)
}

// made: what a call has made that was stopped is released.
func made(lib *halt.Library, job *halt.Job) {
	fails(shortly(job.Make), hotcell.ErrDeadlineExceeded, hotcell.ExecutedYes, "the library stopped it")
	equal(must(job.Parts(ctx)), int32(0))
	wellAfter(lib, job, 1)
}

// cancelledAt cancels a call when it has come to the library.
func cancelledAt(call func(context.Context) (int32, error)) error {
	cancelled, cancel := context.WithCancelCause(ctx)
	time.AfterFunc(100*time.Millisecond, func() { cancel(errors.New("nobody wants it")) })
	_, err := call(cancelled)
	return err
}

func cancelled(lib *halt.Library, job *halt.Job) {
	for told := range int32(3) {
		err := cancelledAt(func(ctx context.Context) (int32, error) { return job.Turn(ctx, long) })
		fails(err, hotcell.ErrCancelled, hotcell.ExecutedYes, "the library stopped it")
		if !errors.Is(err, context.Canceled) {
			panic(err)
		}
		wellAfter(lib, job, told+1)
	}
}

// callsBack: what is to stop is answered no more.
func callsBack(lib *halt.Library, job *halt.Job) {
	calls := 0
	err := shortly(func(ctx context.Context) (int32, error) {
		return job.Visit(ctx, func(context.Context, int32) (int32, error) { calls++; return 1, nil })
	})
	fails(err, hotcell.ErrDeadlineExceeded, hotcell.ExecutedYes, "the library stopped it")
	if calls == 0 {
		panic("it has not called back")
	}
	before := calls
	wellAfter(lib, job, 1)
	equal(calls, before)
}

// nested: a call in another is stopped alone.
func nested(lib *halt.Library, job *halt.Job) {
	var inner error
	equal(must(job.Ask(ctx, func(ctx context.Context, _ int32) (int32, error) {
		soon, cancel := context.WithTimeout(ctx, short)
		defer cancel()
		_, inner = lib.Wait(soon, long)
		return 7, nil
	})), int32(7))
	fails(inner, hotcell.ErrDeadlineExceeded, hotcell.ExecutedYes, "the library stopped it")
	wellAfter(lib, job, 0)
}

// lingers: a call ends when what stops it has returned, and so that meets no other one.
func lingers(lib *halt.Library, job *halt.Job) {
	begun := time.Now()
	err := shortly(func(ctx context.Context) (int32, error) { return job.TurnLate(ctx, long) })
	fails(err, hotcell.ErrDeadlineExceeded, hotcell.ExecutedYes, "the library stopped it")
	if took := time.Since(begun); took < short+50*time.Millisecond {
		panic(took)
	}
	equal(must(job.Turn(ctx, 120)), int32(120))
	wellAfter(lib, job, 1)
}

// crashes: in the function that stops it, and in the call.
func crashes(lib *halt.Library, job *halt.Job) {
	begun := time.Now()
	err := shortly(func(ctx context.Context) (int32, error) { return job.TurnCrashed(ctx, long) })
	fails(err, hotcell.ErrHung, hotcell.ExecutedMaybe, "what was to stop it ended the worker")
	if !strings.Contains(err.Error(), "SIGSEGV") || time.Since(begun) >= patient {
		panic(err)
	}
	again := must(lib.Begin(ctx))
	err = shortly(func(ctx context.Context) (int32, error) { return again.Fall(ctx, long) })
	fails(err, hotcell.ErrCrashed, hotcell.ExecutedMaybe, "")
	var crash *hotcell.CrashError
	if !errors.As(err, &crash) || crash.Name != "SIGSEGV" {
		panic(err)
	}
}

func leaves(_ *halt.Library, job *halt.Job) {
	err := cancelledAt(func(ctx context.Context) (int32, error) { return job.Leave(ctx, long) })
	fails(err, hotcell.ErrExited, hotcell.ExecutedMaybe, "")
}

// batches are not stopped.
func batches(lib *halt.Library, _ *halt.Job) {
	batch := lib.Batch()
	ticket := batch.Wait(long)
	soon, cancel := context.WithTimeout(ctx, short)
	defer cancel()
	_ = batch.Run(soon)
	_, err := ticket.Result()
	fails(err, hotcell.ErrHung, hotcell.ExecutedMaybe, "")
}

// deaf: a library that does not listen loses its worker as ever.
func deaf(lib *halt.Library, job *halt.Job) {
	err := shortly(func(ctx context.Context) (int32, error) { return job.TurnDeaf(ctx, long) })
	fails(err, hotcell.ErrHung, hotcell.ExecutedMaybe, "the library was told to stop it, and went on")
	said(err)
	check(must(lib.Begin(ctx)).Close())
	equal(lib.Session().Generation(), uint64(2))
}

// hangs: the call obeys at once, and what stops it does not return.
func hangs(_ *halt.Library, job *halt.Job) {
	err := shortly(func(ctx context.Context) (int32, error) { return job.TurnHung(ctx, long) })
	fails(err, hotcell.ErrHung, hotcell.ExecutedMaybe, "what was to stop it has not returned")
	said(err)
}

// said is that the library was told to stop indeed.
func said(err error) {
	var failed *hotcell.Error
	if !errors.As(err, &failed) || !strings.Contains(failed.Output, "halt: told to stop") {
		panic(fmt.Sprintf("%v: %q", err, failed.Output))
	}
}

// impossible: nothing tells this one, and nothing is waited for.
func impossible(_ *halt.Library, job *halt.Job) {
	err := shortly(func(ctx context.Context) (int32, error) { return job.TurnAlone(ctx, long) })
	fails(err, hotcell.ErrHung, hotcell.ExecutedMaybe, "")
	if strings.Contains(err.Error(), "stop") {
		panic(err)
	}
}
