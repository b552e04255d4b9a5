package e2e

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hotcell"
	"hotcell/rt"
)

// Goroutines that wait, for the library or for their turn, hold no threads; and those in line leave it at once.
func TestTwoHundredExecuteAndTenThousandWait(t *testing.T) {
	const executing, waiting, callers = 200, 10_000, 5
	library := measured(t)
	var sessions []*session
	for range executing / callers {
		sessions = append(sessions, library.open(t, hotcell.Options{Callers: callers}))
	}
	before := threads()
	var running sync.WaitGroup
	var ended atomic.Int32
	over, stop := context.WithCancel(background)
	for at := range executing {
		running.Add(1)
		go func() {
			defer running.Done()
			_, _ = sessions[at%len(sessions)].numbers(over, "measured_loop")
			ended.Add(1)
		}()
	}
	time.Sleep(2 * time.Second)
	ctx, cancel := context.WithCancel(background)
	var queued sync.WaitGroup
	var wrong atomic.Int32
	for at := range waiting {
		queued.Add(1)
		go func() {
			defer queued.Done()
			_, err := sessions[at%len(sessions)].numbers(ctx, "measured_add", 1, 2)
			var failed *hotcell.Error
			if !errors.Is(err, context.Canceled) || !errors.As(err, &failed) || failed.Executed != hotcell.ExecutedNo {
				wrong.Add(1)
			}
		}()
	}
	time.Sleep(500 * time.Millisecond)
	while := threads()
	if ended.Load() > 0 {
		t.Fatalf("%d calls have ended that never return", ended.Load())
	}
	begun := time.Now()
	cancel()
	queued.Wait()
	t.Logf("threads: %d before, %d meanwhile; all left the line within %v", before, while, time.Since(begun))
	if most := runtime.GOMAXPROCS(0) + 10; while > most {
		t.Errorf("%d threads; %d are allowed", while, most)
	}
	if wrong.Load() > 0 {
		t.Errorf("%d of those in line were not cancelled", wrong.Load())
	}
	stop()
	running.Wait()
}

// What ends a worker wakes whoever waits for it.
func TestAWorkersEndWakesAll(t *testing.T) {
	session := measured(t).open(t, hotcell.Options{Callers: 6})
	errs := make(chan error, 5)
	for range 5 {
		go func() {
			_, err := session.numbers(background, "measured_loop")
			errs <- err
		}()
	}
	time.Sleep(time.Second)
	_, crashed := session.numbers(background, "measured_crash")
	if !errors.Is(crashed, hotcell.ErrCrashed) {
		t.Error(crashed)
	}
	for range 5 {
		var suspect *hotcell.SuspectError
		if err := <-errs; !errors.Is(err, hotcell.ErrWorkerLost) || !errors.As(err, &suspect) || suspect.Function != "measured_crash" {
			t.Error(err)
		}
	}
	if got, err := session.numbers(background, "measured_add", 1, 2); got != 3 || err != nil {
		t.Fatal(got, err)
	}
}

// Sessions that were closed, and workers that have ended, leave neither goroutines nor descriptors nor maps.
func TestNothingIsLeft(t *testing.T) {
	library := faulty(t)
	round := func() {
		session := library.open(t, hotcell.Options{})
		for range 3 {
			_, _ = session.numbers(background, "faulty_abort")
			_, _ = session.numbers(background, "faulty_add", 1, 2)
		}
		ctx, cancel := context.WithTimeout(background, 20*time.Millisecond)
		_, _ = session.numbers(ctx, "faulty_loop")
		cancel()
		_ = session.Close()
		other := *library.pack
		other.Shim = []byte("no shim")
		if _, err := rt.Open(background, &other, hotcell.Options{Libraries: library.files}); err == nil {
			t.Fatal("what is no shim was opened")
		}
	}
	round()
	goroutines, files, maps := runtime.NumGoroutine(), descriptors(), lines("/proc/self/maps")
	for range 8 {
		round()
	}
	for range 100 {
		if runtime.NumGoroutine() <= goroutines && descriptors() <= files && lines("/proc/self/maps") <= maps+8 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("goroutines %d, now %d; descriptors %d, now %d; maps %d, now %d", goroutines, runtime.NumGoroutine(), files,
		descriptors(), maps, lines("/proc/self/maps"))
}
