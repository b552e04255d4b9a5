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

// Guard says which blocks of memory lie alone, so that a write beyond one, or behind its end, crashes at once.
type Guard string

// Blocks that are guarded.
const (
	GuardNone    Guard = "none"
	GuardSampled Guard = "sampled"
	GuardAll     Guard = "all"
)

// Recycle says when a worker is replaced though it has not failed, without any call failing for it. A limit of 0 is none.
type Recycle struct {
	// Every is how often is looked. Zero: as seldom as by default.
	Every time.Duration
	// Calls is how many a worker serves, Age how long.
	Calls uint64
	Age   time.Duration
	// Memory is how many bytes of it may be in memory, for MemoryFor.
	Memory    uint64
	MemoryFor time.Duration
	// Descriptors and Threads are how many it may have, Leaked how many bytes that its calls have left.
	Descriptors, Threads, Leaked uint64
}

// Restart says when a library is given no other worker for a while: behind so many faults within a time. The pause grows with each
// time that this was of no use.
type Restart struct {
	Faults                      uint32
	Within, Pause, LongestPause time.Duration
}

// Options is how a library is opened. The zero value has the defaults.
type Options struct {
	// Deadline of calls whose context has none, and whose contract says none. 30 s.
	Deadline time.Duration
	// CancelGrace is how long a call may take to end that the library is told to stop, where its contract says how. 25 ms; negative:
	// no time, and it is not told.
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
	// SandboxRules says the same rule by rule, as the table [sandbox] of a contract does, instead of Sandbox.
	SandboxRules map[string]any
	// Guard says which blocks of the library's memory are guarded. Empty: what its contract says.
	Guard Guard
	// MemoryBytes is how much memory the library may have; 0 for the default, which is no limit of its own.
	MemoryBytes uint64
	// TemporaryBytes is how much it may have in temporary files. 1 GiB.
	TemporaryBytes uint64
	// ControlGroups are the directories of control groups that workers join, absolute paths: what is limited there is the administrator's to say.
	ControlGroups []string
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
	// Recycle says when a worker is replaced though it has not failed. nil: what the contract says.
	Recycle *Recycle
	// Restart says when a library that ends its workers again and again is given no other one for a while. nil: behind five faults in
	// 30 s, for a second, and longer each time, up to a minute.
	Restart *Restart
	// Worker is the program hotcell-worker, an absolute path. Empty: the supervisor finds it.
	Worker string
	// Spares is how many workers are kept ready to take over.
	Spares int
	// Retries is how often a call of an idempotent function is made again behind a fault. 0: as often as its contract says, or
	// once; negative: never.
	Retries int
	// NeverRestore leaves objects stale when their worker has ended, whatever their contract says.
	NeverRestore bool
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
