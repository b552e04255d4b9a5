package hotcell

import "time"

// Waiting is how a caller and its worker wait for each other.
type Waiting string

// Ways of waiting.
const (
	// WaitBalanced polls for some 100 µs, then sleeps.
	WaitBalanced Waiting = "balanced"
	// WaitLatency polls for 10 ms: calls that come every few milliseconds find the worker awake, which then takes a CPU.
	WaitLatency Waiting = "latency"
	// WaitEconomy never polls.
	WaitEconomy Waiting = "economy"
)

// Options is how a library is opened. The zero value has the defaults.
type Options struct {
	// Deadline of calls whose context has none, and whose contract says none. 30 s.
	Deadline time.Duration
	// CancelGrace is how long a call may take to end that the library is told to stop, where its contract says how. 25 ms.
	CancelGrace time.Duration
	// StartDeadline is how long the library may take to load. 10 s.
	StartDeadline time.Duration
	// Program is the program hotcell. Empty: $HOTCELL, beside this program, on $PATH.
	Program string
	// Socket is that of a server that runs already (hotcell serve --socket). Empty: $HOTCELL_SERVE; without it one is started.
	Socket string
	// Libraries are the files to load, in order. Empty: those that the package finds.
	Libraries []string
	// Environment is what the library finds in its environment; nothing else is inherited.
	Environment map[string]string
	// Directory is where the library works, an absolute path. "/".
	Directory string
	// Sandbox is the name of the profile that says what the library may do. Empty: what its contract says.
	Sandbox string
	// MemoryBytes is how much memory the library may have; 0 for the default.
	MemoryBytes uint64
	// MaxInput and MaxOutput bound the data and the results of one call, in bytes. 1 GiB each.
	MaxInput, MaxOutput uint64
	// MaxObjects bounds how many objects of the library there may be at a time. 2²⁰.
	MaxObjects uint32
	// MaxCallbacks bounds the callbacks of one call. 10 million.
	MaxCallbacks uint64
	// MaxCallbackRate bounds how often in a second threads of the library call back: what comes faster waits. 100,000.
	MaxCallbackRate uint64
	// Waiting is how both sides wait for each other. [WaitBalanced].
	Waiting Waiting
	// Callers is how many calls at a time the library may execute, where its contract allows several. 0: one for each CPU.
	Callers int
	// Spares is how many workers are kept ready to take over.
	Spares int
	// Retries is how often a call of an idempotent function is made again behind a fault. 0: as often as its contract says, or
	// once; negative: never.
	Retries int
	// Quarantine has the inputs that are refused, for they have ended workers. nil: one of the session's own, by the default rule.
	Quarantine *Quarantine
}

// WithDefaults is the options with their defaults filled in.
func (o Options) WithDefaults() Options {
	fill(&o.Deadline, 30*time.Second)
	fill(&o.CancelGrace, 25*time.Millisecond)
	fill(&o.StartDeadline, 10*time.Second)
	fill(&o.Directory, "/")
	fill(&o.MaxInput, 1<<30)
	fill(&o.MaxOutput, 1<<30)
	fill(&o.MaxCallbacks, 10_000_000)
	fill(&o.MaxCallbackRate, 100_000)
	fill(&o.Waiting, WaitBalanced)
	if o.Quarantine == nil {
		o.Quarantine = NewQuarantine(QuarantineRule{})
	}
	return o
}

func fill[T comparable](option *T, otherwise T) {
	var zero T
	if *option == zero {
		*option = otherwise
	}
}
