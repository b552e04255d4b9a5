//go:build !amd64

package shm

import "sync/atomic"

// polls is how often a caller looks before it asks for the time: some microseconds.
const polls = 2048

// changes looks so often whether a word is another than before.
func changes(word *uint32, before uint32, looks int) bool {
	for range looks {
		if atomic.LoadUint32(word) != before {
			return true
		}
	}
	return false
}
