package shm

import (
	"os"
	"syscall"
	"time"
)

// Bell is the eventfd of a lane: what wakes a goroutine that sleeps until its worker has replied.
//
// A worker has the same open file and may spoil it: fill its counter, or make reading it block. So it is neither read nor
// written here. The poller watches it for edges, and each write of the worker is one.
type Bell struct {
	file *os.File
	conn syscall.RawConn
}

// past is a deadline that wakes whoever sleeps.
var past = time.Unix(1, 0)

// NewBell takes an eventfd that does not block.
func NewBell(file *os.File) (*Bell, error) {
	conn, err := file.SyscallConn()
	if err != nil {
		return nil, err
	}
	// Fails where the poller does not watch it: a goroutine would then hold a thread.
	if err := file.SetReadDeadline(time.Time{}); err != nil {
		return nil, err
	}
	return &Bell{file, conn}, nil
}

// Sleep parks this goroutine until look gives true, the time has come, or somebody calls [Bell.Wake]. It looks before it
// parks, and behind each wake-up.
//
// No wake-up is lost. The deadline is set first: a Wake behind that is noticed by the poller, and what a Wake before it had to
// say, look sees. RawConn.Read makes the poller forget earlier edges and then looks; an edge behind that is kept for it.
func (b *Bell) Sleep(until time.Time, look func() bool) {
	if b.file.SetReadDeadline(until) != nil {
		return
	}
	_ = b.conn.Read(func(uintptr) bool { return look() })
}

// Wake makes whoever sleeps look again.
func (b *Bell) Wake() { _ = b.file.SetReadDeadline(past) }

// Close gives the descriptor back.
func (b *Bell) Close() { _ = b.file.Close() }
