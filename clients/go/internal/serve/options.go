package serve

import (
	"time"

	"hotcell"
)

// options is how a library is opened, by the names that the server takes: docs/reference/serve.md.
type options struct {
	DeadlineMS      int64             `json:"deadline_ms,omitempty"`
	StartDeadlineMS int64             `json:"start_deadline_ms,omitempty"`
	CancelGraceMS   float64           `json:"cancel_grace_ms"`
	Libraries       []string          `json:"libraries,omitempty"`
	Environment     map[string]string `json:"environment,omitempty"`
	Directory       string            `json:"directory,omitempty"`
	Worker          string            `json:"worker,omitempty"`
	Sandbox         any               `json:"sandbox,omitempty"`
	Guard           string            `json:"guard,omitempty"`
	Limits          *limits           `json:"limits,omitempty"`
	ControlGroups   []string          `json:"control_groups,omitempty"`
	MaxInput        uint64            `json:"max_input,omitempty"`
	MaxOutput       uint64            `json:"max_output,omitempty"`
	MaxObjects      uint32            `json:"max_objects,omitempty"`
	Waiting         string            `json:"waiting,omitempty"`
	Callers         int               `json:"callers,omitempty"`
	Spares          int               `json:"spares,omitempty"`
	Recycle         *recycle          `json:"recycle,omitempty"`
	Restart         *restart          `json:"restart,omitempty"`
}

type limits struct {
	Memory    uint64 `json:"memory,omitempty"`
	Temporary uint64 `json:"temporary,omitempty"`
}

// recycle has no limit where null is said, which is not the same as nothing.
type recycle struct {
	EveryMS     float64  `json:"every_ms,omitempty"`
	Calls       *uint64  `json:"calls"`
	AgeMS       *float64 `json:"age_ms"`
	Memory      *uint64  `json:"memory"`
	MemoryForMS float64  `json:"memory_for_ms"`
	Descriptors *uint64  `json:"descriptors"`
	Threads     *uint64  `json:"threads"`
	Leaked      *uint64  `json:"leaked"`
}

type restart struct {
	Faults         uint32  `json:"faults,omitempty"`
	WithinMS       float64 `json:"within_ms,omitempty"`
	PauseMS        float64 `json:"pause_ms,omitempty"`
	LongestPauseMS float64 `json:"longest_pause_ms,omitempty"`
}

func optionsOf(given hotcell.Options) *options {
	options := &options{
		DeadlineMS:      given.Deadline.Milliseconds(),
		StartDeadlineMS: given.StartDeadline.Milliseconds(),
		CancelGraceMS:   max(inMS(given.CancelGrace), 0),
		Libraries:       given.Libraries,
		Environment:     given.Environment,
		Directory:       given.Directory,
		Worker:          given.Worker,
		Guard:           string(given.Guard),
		ControlGroups:   given.ControlGroups,
		MaxInput:        given.MaxInput,
		MaxOutput:       given.MaxOutput,
		MaxObjects:      given.MaxObjects,
		Waiting:         string(given.Waiting),
		Callers:         given.Callers,
		Spares:          given.Spares,
	}
	switch {
	case given.SandboxRules != nil:
		options.Sandbox = given.SandboxRules
	case given.Sandbox != "":
		options.Sandbox = given.Sandbox
	}
	if given.MemoryBytes > 0 || given.TemporaryBytes > 0 {
		options.Limits = &limits{Memory: given.MemoryBytes, Temporary: given.TemporaryBytes}
	}
	if it := given.Recycle; it != nil {
		options.Recycle = &recycle{
			EveryMS: inMS(it.Every), Calls: some(it.Calls), AgeMS: some(inMS(it.Age)), Memory: some(it.Memory), MemoryForMS: inMS(it.MemoryFor),
			Descriptors: some(it.Descriptors), Threads: some(it.Threads), Leaked: some(it.Leaked),
		}
	}
	if it := given.Restart; it != nil {
		options.Restart = &restart{
			Faults: it.Faults, WithinMS: inMS(it.Within), PauseMS: inMS(it.Pause), LongestPauseMS: inMS(it.LongestPause),
		}
	}
	return options
}

// inMS is a time in milliseconds.
func inMS(time_ time.Duration) float64 { return float64(time_) / float64(time.Millisecond) }

// some is a number, and nil for 0.
func some[T uint64 | float64](number T) *T {
	if number == 0 {
		return nil
	}
	return &number
}
