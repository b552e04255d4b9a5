// The package of halt, several of whose calls are told to stop at once: what is to stop one hangs, what is to stop the other crashes.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	halt "halt-hotcell"
	"hotcell"
)

// long is what no call takes to its end.
const long = 600_000

func main() {
	options := hotcell.Options{Libraries: []string{os.Getenv("HALT")}, CancelGrace: 20 * time.Second, Callers: 3}
	lib, err := halt.Open(context.Background(), options)
	check(err == nil, err)
	defer lib.Close()
	one, other := begin(lib), begin(lib)
	open(lib)
	lost := make(chan error)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, err := one.TurnHung(ctx, long)
		lost <- err
	}()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_, err = other.TurnCrashed(ctx, long)
	check(errors.Is(err, hotcell.ErrHung) && strings.Contains(err.Error(), "what was to stop it ended the worker"), err)
	err = <-lost
	var suspect *hotcell.SuspectError
	var failed *hotcell.Error
	check(errors.As(err, &failed) && failed.Kind == hotcell.ErrWorkerLost && failed.Executed == hotcell.ExecutedMaybe, err)
	check(errors.As(err, &suspect) && suspect.Function == "halt_turn_crashed", err)
	check(strings.Count(failed.Output, "halt: told to stop") == 2, failed.Output)
	fmt.Println("all is well")
}

// open has every lane opened.
func open(lib *halt.Library) {
	var over sync.WaitGroup
	for range 3 {
		job := begin(lib)
		over.Add(1)
		go func() {
			defer over.Done()
			_, err := job.Turn(context.Background(), 100)
			check(err == nil, err)
		}()
	}
	over.Wait()
}

func begin(lib *halt.Library) *halt.Job {
	job, err := lib.Begin(context.Background())
	check(err == nil, err)
	return job
}

func check(holds bool, seen any) {
	if !holds {
		panic(seen)
	}
}
