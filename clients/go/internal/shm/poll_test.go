package shm

import (
	"sync/atomic"
	"testing"
)

func TestAChangeIsSeenAndNothingElse(t *testing.T) {
	words := []uint32{7, 8, 9}
	word := &words[1]
	for _, looks := range []int{1, 2, polls} {
		if changes(word, 8, looks) {
			t.Error("nothing has changed", looks)
		}
		if !changes(word, 7, looks) || !changes(word, 1<<31|8, looks) || !changes(word, 0, looks) {
			t.Error("another word is not seen", looks)
		}
	}
	// What another thread stores is seen, whenever that is.
	go atomic.StoreUint32(word, 9)
	for !changes(word, 8, polls) {
	}
	if seen := atomic.LoadUint32(word); seen != 9 {
		t.Error(seen)
	}
}
