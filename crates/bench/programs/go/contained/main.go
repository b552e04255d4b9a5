// Program contained calls the measured library in a worker, through the package that is made of it, without cgo.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"time"

	"hotcell"
	"hotcell-bench/program"
	"hotcell/rt"

	measured "hotcell-measured"
)

const (
	// patience is how long the end of a worker is waited for.
	patience = 5 * time.Second
	// together is how many calls a batch has.
	together = 64
)

var background = context.Background()

func main() {
	program.Serve("pure Go of "+runtime.Version(), map[string]program.Figure{
		"add": add, "crc32.1k": crc32, "callback": callback, "batch.64.add": batchAdd, "batch.64.crc32.1k": batchCrc32,
		"rows.64.add": rowsAdd,
	})
}

// measure opens a worker of its own for each sample. Where a CPU is said for it both sides poll, else all options are as by default.
func measure(ask *program.Ask, block func(library *measured.Library) func(calls int) error) (nanoseconds float64, err error) {
	options := hotcell.Options{Libraries: []string{os.Args[1] + "/libhotcell_measured.so"}}
	if ask.Far != nil {
		options.Waiting, options.Callers = hotcell.WaitLatency, 1
	}
	library, err := measured.Open(background, options)
	if err != nil {
		return 0, err
	}
	worker, err := worker(library)
	defer func() {
		_ = library.Close()
		gone(worker)
	}()
	if err != nil {
		return 0, err
	}
	return ask.Measure(worker, block(library))
}

// worker is the process that has the library.
func worker(library *measured.Library) (int, error) {
	text, err := library.Session().Stats(background)
	if err != nil {
		return 0, err
	}
	var stats struct{ Pid int }
	if err := json.Unmarshal(text, &stats); err != nil {
		return 0, err
	}
	if stats.Pid == 0 {
		return 0, fmt.Errorf("the worker has ended between calls: %s", text)
	}
	return stats.Pid, nil
}

// gone waits for the end of a process: what is measured next has the machine for itself.
func gone(process int) {
	for started := time.Now(); time.Since(started) < patience; time.Sleep(time.Millisecond) {
		if _, err := os.Stat(fmt.Sprintf("/proc/%d", process)); err != nil {
			return
		}
	}
}

func sum(library *measured.Library) error {
	got, err := library.Add(background, 1, 2)
	return check(got, program.Sum, err)
}

func check[T comparable](got, expected T, err error) error {
	if err == nil && got != expected {
		return fmt.Errorf("a call gave %v instead of %v", got, expected)
	}
	return err
}

func add(ask *program.Ask) (float64, error) {
	return measure(ask, func(library *measured.Library) func(calls int) error {
		return func(calls int) error {
			for range calls {
				if err := sum(library); err != nil {
					return err
				}
			}
			return nil
		}
	})
}

func crc32(ask *program.Ask) (float64, error) {
	data := program.Data()
	return measure(ask, func(library *measured.Library) func(calls int) error {
		return func(calls int) error {
			for range calls {
				got, err := library.Crc32(background, 0, data)
				if err := check(got, program.CRC, err); err != nil {
					return err
				}
			}
			return nil
		}
	})
}

func callback(ask *program.Ask) (float64, error) {
	half := func(_ context.Context, number int32) (int32, error) { return number / 2, nil }
	nanoseconds, err := measure(ask, func(library *measured.Library) func(calls int) error {
		return func(calls int) error {
			for range calls {
				got, err := library.Each(background, program.Callbacks, half)
				if err := check(got, program.Each, err); err != nil {
					return err
				}
			}
			return nil
		}
	})
	return nanoseconds / program.Callbacks, err
}

func batchAdd(ask *program.Ask) (float64, error) {
	return batches(ask, func(batch *measured.Batch) rt.Ticket[int32] { return batch.Add(1, 2) }, program.Sum)
}

func batchCrc32(ask *program.Ask) (float64, error) {
	data := program.Data()
	return batches(ask, func(batch *measured.Batch) rt.Ticket[uint32] { return batch.Crc32(0, data) }, program.CRC)
}

// batches is, for each call, batches: filled, sent, and every result taken. The batch is one, as where many are made one behind the
// other: its memory is kept, as Rust's session keeps it by itself.
func batches[T comparable](ask *program.Ask, put func(*measured.Batch) rt.Ticket[T], expected T) (float64, error) {
	nanoseconds, err := measure(ask, func(library *measured.Library) func(calls int) error {
		return func(calls int) error {
			var tickets [together]rt.Ticket[T]
			batch := library.Batch()
			for range calls {
				batch.Reset()
				for at := range tickets {
					tickets[at] = put(batch)
				}
				if err := batch.Run(background); err != nil {
					return err
				}
				for at := range tickets {
					got, err := tickets[at].Result()
					if err := check(got, expected, err); err != nil {
						return err
					}
				}
			}
			return nil
		}
	})
	return nanoseconds / together, err
}

// rowsAdd is, for each call, one by columns of as many rows as a batch has calls.
func rowsAdd(ask *program.Ask) (float64, error) {
	var a, b [together]int32
	for row := range together {
		a[row], b[row] = 1, 2
	}
	nanoseconds, err := measure(ask, func(library *measured.Library) func(calls int) error {
		return func(calls int) error {
			for range calls {
				sums, err := library.AddRows(background, a[:], b[:])
				if err != nil {
					return err
				}
				for _, got := range sums {
					if err := check(got, program.Sum, nil); err != nil {
						return err
					}
				}
			}
			return nil
		}
	})
	return nanoseconds / together, err
}
