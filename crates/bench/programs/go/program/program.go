// Package program is how programs of `hotcell bench` answer: a line of JSON asks for a figure, a line has the nanoseconds of a call.
package program

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// What the programs call with, and what the library's description says comes of it.
const (
	Callbacks = 1000
	Each      = Callbacks / 2 * (Callbacks/2 - 1)
	Sum       = 3
	CRC       = 0xa9da8aa6
)

// Data is what the checksum is of.
func Data() []byte {
	data := make([]byte, 1024)
	for at := range data {
		data[at] = 0x5a
	}
	return data
}

// Ask is a figure that is asked for.
type Ask struct {
	Figure string
	// Near is the CPU of who calls, Far that of who answers; nil where nothing is pinned.
	Near, Far *int
	// Blocks of so many calls, and no further one when so much time has passed.
	Blocks, Calls int
	Seconds       float64
}

// Figure measures one.
type Figure func(ask *Ask) (nanoseconds float64, err error)

// Serve answers until there is nobody to answer.
func Serve(about string, figures map[string]Figure) {
	// Whatever is pinned is this thread.
	runtime.LockOSThread()
	answers := json.NewEncoder(os.Stdout)
	tell := func(answer map[string]any) {
		if err := answers.Encode(answer); err != nil {
			os.Exit(1)
		}
	}
	tell(map[string]any{"about": about})
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var ask Ask
		if err := json.Unmarshal(lines.Bytes(), &ask); err != nil {
			tell(map[string]any{"failed": err.Error()})
			continue
		}
		measure, found := figures[ask.Figure]
		if !found {
			tell(map[string]any{"failed": "there is no figure " + ask.Figure})
			continue
		}
		if nanoseconds, err := measure(&ask); err != nil {
			tell(map[string]any{"failed": err.Error()})
		} else {
			tell(map[string]any{"nanoseconds": nanoseconds})
		}
	}
}

// Measure gives the nanoseconds of a call, in the block in the middle: the clock is read between blocks only.
func (ask *Ask) Measure(block func(calls int) error) (float64, error) {
	// Caches and pages first.
	if err := block(ask.Calls); err != nil {
		return 0, err
	}
	var samples []float64
	started := time.Now()
	end := started.Add(time.Duration(ask.Seconds * float64(time.Second)))
	for range ask.Blocks {
		if err := block(ask.Calls); err != nil {
			return 0, err
		}
		now := time.Now()
		samples = append(samples, float64(now.Sub(started).Nanoseconds())/float64(ask.Calls))
		if now.After(end) {
			break
		}
		started = now
	}
	slices.Sort(samples)
	return (samples[len(samples)/2] + samples[(len(samples)-1)/2]) / 2, nil
}

// Pin puts this thread on the CPU of who calls, and all threads of a process on that of who answers, where the figure says so. What
// it gives puts the thread back.
func (ask *Ask) Pin(process int) (back func(), err error) {
	if ask.Near == nil {
		return func() {}, nil
	}
	var before unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return nil, fmt.Errorf("asking where this thread may run: %w", err)
	}
	if err := pin(0, *ask.Near); err != nil {
		return nil, err
	}
	back = func() { _ = unix.SchedSetaffinity(0, &before) }
	if ask.Far == nil || process == 0 {
		return back, nil
	}
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", process))
	for _, thread := range threads {
		number, _ := strconv.Atoi(thread.Name())
		if err == nil {
			err = pin(number, *ask.Far)
		}
	}
	if err != nil {
		back()
		return nil, err
	}
	return back, nil
}

func pin(thread, cpu int) error {
	var set unix.CPUSet
	set.Set(cpu)
	if err := unix.SchedSetaffinity(thread, &set); err != nil {
		return fmt.Errorf("pinning a thread to CPU %d: %w", cpu, err)
	}
	return nil
}
