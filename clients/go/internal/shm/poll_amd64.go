package shm

// polls is how often a caller looks before it asks for the time: some microseconds, in which its goroutine cannot be preempted.
const polls = 256

// changes looks so often whether a word is another than before, and pauses between looks: the other thread of a core, on which the worker
// may be, has the core meanwhile. Who sees that it has changed reads it again, by an operation that orders.
//
//go:noescape
func changes(word *uint32, before uint32, looks int) bool
