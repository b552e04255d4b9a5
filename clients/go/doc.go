// Package hotcell calls C libraries that run in sandboxed worker processes, without cgo.
//
// Applications call generated packages: one for each library, made by hotcell gen from its header and a contract. This package
// has what these have in common: [Options] to open a library with, the [Error] that every failed call returns, [Buffer] for
// data that are not to be copied, and [Pool] for libraries that take one caller at a time.
//
//	lib, err := zlib.Open(ctx, hotcell.Options{})
//	if err != nil {
//		return err
//	}
//	defer lib.Close()
//	sum, err := lib.Crc32(ctx, 0, data)
//	var crash *hotcell.CrashError
//	switch {
//	case errors.As(err, &crash): // the library crashed; this process did not, and the next call has a new worker
//	case errors.Is(err, hotcell.ErrHung): // it did not return by the context's deadline
//	}
//
// # What a generated package has
//
// Its Library has the functions, each with a context first and an error last, and its objects are types with methods and Close:
//
//	database, err := lib.Open(ctx, ":memory:")
//	defer database.Close()
//
// Calls that are all known go into a batch, with one wake for all of them:
//
//	batch := lib.Batch()
//	first, second := batch.Crc32(0, one), batch.Crc32(0, other)
//	err := batch.Run(ctx)
//	sum, err := first.Result()
//
// Calls of which a result is needed now and then go into a pipeline, which sends each and waits for none:
//
//	pipe := lib.Pipeline(ctx)
//	first := pipe.Crc32(0, one)   // the worker is at it
//	second := pipe.Crc32(0, other)
//	sum, err := first.Result()    // waits
//
// Long data that are passed often are made where the library can read them: [Session].Alloc.
//
// # Goroutines and threads
//
// Any number of goroutines may call. They wait for their turn in line, as many are inside the library as its contract allows: one, one
// for each object and what belongs to it, or any. A goroutine that waits for the library polls for some microseconds, then parks in the runtime's poller: it holds no thread.
// The context's deadline and its cancellation end a call, and if need be the worker that executes it.
//
// The workers are made and watched by the program hotcell, which this package starts once for each process. It is looked for
// at [Options.Program], in $HOTCELL, beside the running program, and on $PATH.
package hotcell
