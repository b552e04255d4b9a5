// The package of ticker, whose threads call back, used as an application would.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"hotcell"
	ticker "ticker-hotcell"
)

var ctx = context.Background()

func main() {
	for _, part := range []func(*ticker.Library){
		threads, data, failures, oneAtATime, calls, objects, nobodyHoldsAThread, stray, crash, ends,
	} {
		lib := open(hotcell.Options{})
		part(lib)
		check(lib.Close())
	}
	tooFast()
	fmt.Println("all is well")
}

func open(options hotcell.Options) *ticker.Library {
	options.Libraries = []string{os.Getenv("TICKER")}
	return must(ticker.Open(ctx, options))
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

func fails(err error, expected error, text string) {
	if !errors.Is(err, expected) || !strings.Contains(err.Error(), text) {
		_, file, line, _ := runtime.Caller(1)
		panic(fmt.Sprintf("%s:%d: %v is not %v with %q", file, line, err, expected, text))
	}
}

// heard is what comes next, with patience.
func heard[T any](from <-chan T) T {
	select {
	case value := <-from:
		return value
	case <-time.After(20 * time.Second):
		panic("nothing came")
	}
}

// threads: each tick once and in the order of its thread, whether a call is under way or not, and inside of a call where that waits.
func threads(lib *ticker.Library) {
	const count, each = 4, 500
	type tick struct{ number, thread int64 }
	ticks := make(chan tick, count*each+1)
	one := must(lib.New(ctx))
	check(one.OnTick(ctx, func(_ context.Context, number int64, thread int32) (int64, error) {
		ticks <- tick{number, int64(thread)}
		return number + int64(thread), nil
	}))
	check(one.Start(ctx, count, each, 0, 0))
	var next [count]int64
	for range count * each {
		it := heard(ticks)
		equal(it.number, next[it.thread])
		next[it.thread]++
	}
	check(one.Wait(ctx))
	equal(must(one.Ticks(ctx)), int64(count*each))
	equal(must(one.Sum(ctx)), int64(count*(each*(each-1)/2)+each*(0+1+2+3)))
	equal(must(one.TickHere(ctx, 8)), int64(7))
	equal(heard(ticks), tick{8, -1})
	equal(lib.Session().TakeCallbackFailure(), nil)
	equal(lib.Session().Generation(), uint64(1))
}

// data of any size come with them, while a call waits for the thread.
func data(lib *ticker.Library) {
	one := must(lib.New(ctx))
	sizes := make(chan int, 2)
	check(one.OnData(ctx, func(_ context.Context, text string, data []byte) (int32, error) {
		sizes <- len(data)
		turn := 0
		if text == "odd" {
			turn = 1
		}
		for at, value := range data {
			if value != byte(at+turn) {
				return 0, errors.New("other data")
			}
		}
		return int32(len(data)%1000 + 1), nil
	}))
	for _, size := range []int{0, 1, 900, 1100, 70_000, 3_000_001, 5, 9_000_000, 2_999_999} {
		equal(must(one.Send(ctx, uint64(size), 2)), int32(2*(size%1000+1)))
		equal([]int{heard(sizes), heard(sizes)}, []int{size, size})
	}
}

var errTick = errors.New("no second tick")

// failures: an error, a panic, and the end of the goroutine are told by the next call, or where they are asked for.
func failures(lib *ticker.Library) {
	one := must(lib.New(ctx))
	check(one.OnTick(ctx, func(_ context.Context, number int64, _ int32) (int64, error) {
		switch number {
		case 1:
			return 0, errTick
		case 3:
			panic("a fourth tick")
		case 4:
			runtime.Goexit()
		}
		return 100 * number, nil
	}))
	check(one.Run(ctx, 1, 2))
	_, err := one.Sum(ctx)
	fails(err, errTick, "no second tick")
	var failed *hotcell.Error
	if !errors.As(err, &failed) || failed.Kind != hotcell.ErrCallbackFailed || failed.Executed != hotcell.ExecutedNo || failed.Function != "ticker_on_tick" {
		panic(err)
	}
	// The call was not sent, and the library got the contract's default.
	equal(must(one.Sum(ctx)), int64(-1))
	check(one.Run(ctx, 1, 6))
	fails(lib.Session().TakeCallbackFailure(), hotcell.ErrCallbackFailed, "no second tick (and 2 more after it)")
	equal(lib.Session().TakeCallbackFailure(), nil)
	equal(must(one.Sum(ctx)), int64(-1+200+500-3))
	check(one.OnTick(ctx, func(context.Context, int64, int32) (int64, error) { panic("the sky") }))
	check(one.Run(ctx, 1, 1))
	fails(lib.Session().TakeCallbackFailure(), hotcell.ErrCallbackFailed, "the callback panicked: the sky")
	equal(lib.Session().Generation(), uint64(1))
}

// oneAtATime: who wants a callback that runs elsewhere waits for it, a call no longer than its deadline.
func oneAtATime(lib *ticker.Library) {
	one := must(lib.New(ctx))
	begun, goOn := make(chan int64, 4), make(chan bool)
	var inside atomic.Int32
	check(one.OnTick(ctx, func(_ context.Context, number int64, _ int32) (int64, error) {
		if inside.Add(1) > 1 {
			return 0, errors.New("two at a time")
		}
		defer inside.Add(-1)
		begun <- number
		<-goOn
		return number, nil
	}))
	check(one.Start(ctx, 1, 1, 0, 0))
	equal(heard(begun), int64(0))
	sum := make(chan int64)
	go func() { sum <- must(one.TickHere(ctx, 5)) }()
	select {
	case <-begun:
		panic("it runs twice at a time")
	case <-time.After(50 * time.Millisecond):
	}
	goOn <- true
	equal(heard(begun), int64(5))
	goOn <- true
	equal(heard(sum), int64(5))
	check(one.Wait(ctx))
	check(one.Start(ctx, 1, 1, 0, 0))
	equal(heard(begun), int64(0))
	soon, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	_, err := one.TickHere(soon, 5)
	fails(err, hotcell.ErrHung, "")
	goOn <- true
}

// calls: a callback calls the library, with a turn of its own; and has its context until the worker goes.
func calls(lib *ticker.Library) {
	one := must(lib.New(ctx))
	sums := make(chan int64, 3)
	check(one.OnTick(ctx, func(ctx context.Context, number int64, _ int32) (int64, error) {
		sum, err := one.Sum(ctx)
		sums <- sum
		return 10, err
	}))
	check(one.Start(ctx, 1, 3, 0, 0))
	for turn := range int64(3) {
		equal(heard(sums), 10*turn)
	}
	check(one.Wait(ctx))
	over := make(chan error, 1)
	check(one.OnTick(ctx, func(ctx context.Context, number int64, _ int32) (int64, error) {
		sums <- number
		<-ctx.Done()
		over <- ctx.Err()
		return 0, nil
	}))
	check(one.Start(ctx, 1, 1, 0, 0))
	heard(sums)
	fails(lib.Crash(ctx), hotcell.ErrCrashed, "")
	equal(heard(over), context.Canceled)
}

// objects: a callback goes with its object, and one is closed in a callback.
func objects(lib *ticker.Library) {
	one, two := must(lib.New(ctx)), must(lib.New(ctx))
	ticks := make(chan int64, 100)
	check(one.OnTick(ctx, func(_ context.Context, number int64, _ int32) (int64, error) {
		check(two.Close())
		ticks <- number
		return 0, nil
	}))
	// The call waits for the thread, which closes an object meanwhile.
	check(one.Run(ctx, 1, 1))
	heard(ticks)
	check(one.Leave(ctx))
	check(one.Start(ctx, 1, 20, 10_000, 0))
	heard(ticks)
	check(one.Close())
	// Nothing is called any more behind that, and nobody is told.
	for len(ticks) > 0 {
		<-ticks
	}
	time.Sleep(50 * time.Millisecond)
	equal(len(ticks), 0)
	equal(lib.Session().TakeCallbackFailure(), nil)
}

// nobodyHoldsAThread: sessions that only listen cost goroutines.
func nobodyHoldsAThread(lib *ticker.Library) {
	before := systemThreads()
	var libs []*ticker.Library
	ticks := make(chan bool, 100)
	for range 12 {
		next := open(hotcell.Options{})
		libs = append(libs, next)
		one := must(next.New(ctx))
		check(one.OnTick(ctx, func(context.Context, int64, int32) (int64, error) { ticks <- true; return 0, nil }))
		check(one.Start(ctx, 1, 1, 0, 0))
		heard(ticks)
		defer runtime.KeepAlive(one)
	}
	if after := systemThreads(); after > before+8 {
		panic(fmt.Sprintf("%d threads, and there were %d", after, before))
	}
	for _, lib := range libs {
		check(lib.Close())
	}
}

func systemThreads() int { return len(must(os.ReadDir("/proc/self/task"))) }

// stray: a callback that is not for threads ends the worker there.
func stray(lib *ticker.Library) {
	one := must(lib.New(ctx))
	check(one.OnTick(ctx, func(context.Context, int64, int32) (int64, error) { return 0, nil }))
	check(one.OnPoke(ctx, func(_ context.Context, number int32) (int32, error) { return number, nil }))
	equal(must(one.Poke(ctx, 3)), int32(3))
	_, err := one.Stray(ctx, 3)
	var failed *hotcell.Error
	if !errors.As(err, &failed) || !failed.IsFault() {
		panic(err)
	}
	check(must(lib.New(ctx)).Close())
}

// crash: the next worker has a goroutine of its own.
func crash(lib *ticker.Library) {
	for generation := range uint64(3) {
		one := must(lib.New(ctx))
		ticks := make(chan int64, 1)
		check(one.OnTick(ctx, func(_ context.Context, number int64, _ int32) (int64, error) { ticks <- number; return 0, nil }))
		check(one.Start(ctx, 1, 1, 0, 0))
		equal(heard(ticks), int64(0))
		equal(lib.Session().Generation(), generation+1)
		fails(lib.Crash(ctx), hotcell.ErrCrashed, "")
		_, err := one.Sum(ctx)
		fails(err, hotcell.ErrStaleHandle, "")
	}
}

// ends: a session ends while one runs, and goroutines with it.
func ends(*ticker.Library) {
	before := runtime.NumGoroutine()
	lib := open(hotcell.Options{})
	one := must(lib.New(ctx))
	begun, goOn := make(chan int64, 1), make(chan bool)
	check(one.OnTick(ctx, func(_ context.Context, number int64, _ int32) (int64, error) {
		begun <- number
		<-goOn
		return 0, nil
	}))
	check(one.Start(ctx, 1, 1, 0, 0))
	heard(begun)
	check(lib.Close())
	close(goOn)
	for range 500 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	panic(fmt.Sprintf("%d goroutines, and there were %d", runtime.NumGoroutine(), before))
}

// tooFast: what comes too fast waits, and nothing is lost.
func tooFast() {
	lib := open(hotcell.Options{MaxCallbackRate: 1000})
	defer lib.Close()
	one := must(lib.New(ctx))
	check(one.OnTick(ctx, func(_ context.Context, number int64, _ int32) (int64, error) { return number, nil }))
	begun := time.Now()
	check(one.Run(ctx, 1, 300))
	if took := time.Since(begun); took < 250*time.Millisecond {
		panic(took)
	}
	equal(must(one.Sum(ctx)), int64(300*299/2))
}
