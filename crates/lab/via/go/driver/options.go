package main

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"faulty"
	"hotcell"
)

// milliseconds is a time as the lab says it.
type milliseconds float64

func (m milliseconds) duration() time.Duration {
	return time.Duration(float64(m) * float64(time.Millisecond))
}

// given are the options that rows of the lab give: one that is not here is an error.
type given struct {
	DeadlineMS      milliseconds      `json:"deadline_ms"`
	StartDeadlineMS milliseconds      `json:"start_deadline_ms"`
	Worker          string            `json:"worker"`
	Libraries       []string          `json:"libraries"`
	Environment     map[string]string `json:"environment"`
	Sandbox         any               `json:"sandbox"`
	Guard           string            `json:"guard"`
	Limits          struct {
		Descriptors, Stack uint64
		Memory, Temporary  *uint64
		Data, Threads      *uint64
		AddressSpace       *uint64 `json:"address_space"`
		CPUMS              *uint64 `json:"cpu_ms"`
	} `json:"limits"`
	MaxInput     uint64 `json:"max_input"`
	MaxOutput    uint64 `json:"max_output"`
	MaxObjects   uint32 `json:"max_objects"`
	MaxCallbacks uint64 `json:"max_callbacks"`
	Recycle      *struct {
		EveryMS     milliseconds  `json:"every_ms"`
		Calls       *uint64       `json:"calls"`
		AgeMS       *milliseconds `json:"age_ms"`
		Memory      *uint64       `json:"memory"`
		MemoryForMS milliseconds  `json:"memory_for_ms"`
		Descriptors *uint64       `json:"descriptors"`
		Threads     *uint64       `json:"threads"`
		Leaked      *uint64       `json:"leaked"`
		PatienceMS  *milliseconds `json:"patience_ms"`
		ProbeMS     *milliseconds `json:"probe_ms"`
	} `json:"recycle"`
	Restart *struct {
		Faults         uint32       `json:"faults"`
		WithinMS       milliseconds `json:"within_ms"`
		PauseMS        milliseconds `json:"pause_ms"`
		LongestPauseMS milliseconds `json:"longest_pause_ms"`
	} `json:"restart"`
}

// open opens the library with these options.
func open(text json.RawMessage) (*faulty.Library, error) {
	var given given
	reader := json.NewDecoder(bytes.NewReader(text))
	reader.DisallowUnknownFields()
	if err := reader.Decode(&given); err != nil {
		return nil, lacks("the Go client has no such option: " + err.Error())
	}
	return faulty.Open(context.Background(), given.options())
}

func (g *given) options() hotcell.Options {
	options := hotcell.Options{
		Deadline: g.DeadlineMS.duration(), StartDeadline: g.StartDeadlineMS.duration(), Worker: g.Worker,
		Libraries: g.Libraries, Environment: g.Environment, Guard: hotcell.Guard(g.Guard),
		MaxInput: g.MaxInput, MaxOutput: g.MaxOutput, MaxObjects: g.MaxObjects, MaxCallbacks: g.MaxCallbacks,
		MemoryBytes: number(g.Limits.Memory), TemporaryBytes: number(g.Limits.Temporary),
	}
	switch sandbox := g.Sandbox.(type) {
	case string:
		options.Sandbox = sandbox
	case map[string]any:
		options.SandboxRules = sandbox
	}
	if it := g.Recycle; it != nil {
		options.Recycle = &hotcell.Recycle{
			Every: it.EveryMS.duration(), Calls: number(it.Calls), Memory: number(it.Memory), MemoryFor: it.MemoryForMS.duration(),
			Descriptors: number(it.Descriptors), Threads: number(it.Threads), Leaked: number(it.Leaked),
		}
	}
	if it := g.Restart; it != nil {
		options.Restart = &hotcell.Restart{
			Faults: it.Faults, Within: it.WithinMS.duration(), Pause: it.PauseMS.duration(), LongestPause: it.LongestPauseMS.duration(),
		}
	}
	return options
}

// number is one that may be missing: 0 then.
func number(it *uint64) uint64 {
	if it == nil {
		return 0
	}
	return *it
}
