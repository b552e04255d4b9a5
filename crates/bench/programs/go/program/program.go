// Package program is how programs of `hotcell bench` answer: a line of JSON asks for a figure, a line has the nanoseconds of a call.
package program

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"runtime"
	"slices"
	"syscall"
	"time"
)

// warm is how long calls go on before they are measured: until both sides run where they stay.
const warm = 20 * time.Millisecond

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

// questions are lines, and so are answers.
var questions = bufio.NewScanner(os.Stdin)

func tell(answer map[string]any) {
	if err := json.NewEncoder(os.Stdout).Encode(answer); err != nil {
		os.Exit(1)
	}
}

// Serve answers until there is nobody to answer.
func Serve(about string, figures map[string]Figure) {
	// What is pinned is this thread.
	runtime.LockOSThread()
	tell(map[string]any{"about": about})
	for questions.Scan() {
		var ask Ask
		if err := json.Unmarshal(questions.Bytes(), &ask); err != nil {
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

// Measure gives the nanoseconds of a call, in the block in the middle: the clock is read between blocks only. The worker is a process,
// or 0.
func (ask *Ask) Measure(worker int, block func(calls int) error) (float64, error) {
	if err := ask.pin(worker); err != nil {
		return 0, err
	}
	for ready := time.Now().Add(warm); ; {
		if err := block(ask.Calls); err != nil {
			return 0, err
		}
		if time.Now().After(ready) {
			break
		}
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

// pin has this thread, and a worker, put where the figure says, until it is answered.
func (ask *Ask) pin(worker int) error {
	if ask.Near == nil {
		return nil
	}
	tell(map[string]any{"thread": syscall.Gettid(), "worker": worker})
	var said struct{ Pinned bool }
	if !questions.Scan() {
		return io.ErrUnexpectedEOF
	}
	if err := json.Unmarshal(questions.Bytes(), &said); err != nil {
		return err
	}
	if !said.Pinned {
		return errors.New("it may not be pinned")
	}
	return nil
}
