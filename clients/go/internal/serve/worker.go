package serve

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"

	"hotcell"
	"hotcell/internal/shm"
	"hotcell/internal/sys"
)

// Worker is one worker of a session, as far as its client knows: its channel, and how it ended.
type Worker struct {
	// Generation is its number, from 1.
	Generation uint64
	// Channel is shared with it.
	Channel *shm.Channel
	// Capabilities are those in force; they are known when it serves.
	Capabilities uint64

	session *Session
	// known tells whether they are.
	known bool
	// over is set before either of the two channels below is closed.
	over atomic.Bool
	// worn is set when it is to go as soon as nothing of it is used.
	worn atomic.Bool
	// files are the segments before they are sealed.
	files []int
	// ended is closed when it has ended; then end says how.
	ended chan struct{}
	once  sync.Once
	end   End
	// retired is closed when it serves nobody new.
	retired   chan struct{}
	retireOne sync.Once
	leaving   sync.Once
}

// End is how a worker ended.
type End struct {
	// Fault is the error of the call that is to blame.
	Fault *hotcell.Error
	// Lane is that call's; -1 where every call's fault it is.
	Lane int
	// Function and CallID are that call's, as far as they are known.
	Function string
	CallID   uint64
	// Why is that of the kill that has ended it; empty where it ended by itself, be it just before.
	Why string
	// Stopping are the lanes of the calls that it was to stop, where it ended in a function for that.
	Stopping []int
}

// Ended is closed when the worker has ended.
func (w *Worker) Ended() <-chan struct{} { return w.ended }

// HasEnded tells whether it has: then End says how.
func (w *Worker) HasEnded() bool {
	select {
	case <-w.ended:
		return true
	default:
		return false
	}
}

// End says how it ended. Only behind Ended.
func (w *Worker) End() End { return w.end }

// Retired is closed when it serves nobody new.
func (w *Worker) Retired() <-chan struct{} { return w.retired }

// IsOver tells whether it has ended, or serves nobody new.
func (w *Worker) IsOver() bool { return w.over.Load() }

// finish notes how it ended, and wakes whoever waits for it.
func (w *Worker) finish(end End) {
	w.once.Do(func() {
		w.end = end
		w.over.Store(true)
		close(w.ended)
		w.Channel.Bury()
	})
}

// letGo notes that nothing more is heard of it. Whoever waits for its end has it.
func (w *Worker) letGo() {
	w.finish(End{Fault: &hotcell.Error{Kind: hotcell.ErrWorkerLost, Message: "the session has let go of the worker"}, Lane: -1})
}

// IsWorn tells whether it is to go as soon as nothing of it is used: see [Worker.Retire].
func (w *Worker) IsWorn() bool { return w.worn.Load() }

// Retire has it serve nobody new.
func (w *Worker) Retire() { w.retire() }

func (w *Worker) retire() {
	w.retireOne.Do(func() {
		w.over.Store(true)
		close(w.retired)
	})
}

// offered maps a channel that the server offers. The descriptors are taken over.
func (s *Session) offered(offer answer, fds []int) (*Worker, error) {
	if len(fds) < 3 || len(fds)-2 != offer.Lanes {
		closeAll(fds)
		return nil, fmt.Errorf("a channel of %d lanes with %d descriptors", offer.Lanes, len(fds))
	}
	files, events := fds[:2], fds[2:]
	bells, err := bellsOf(events)
	if err != nil {
		closeAll(files)
		return nil, err
	}
	channel, err := mapped(files, offer, bells)
	if err != nil {
		closeAll(files)
		for _, bell := range bells {
			bell.Close()
		}
		return nil, err
	}
	worker := &Worker{
		Generation: uint64(offer.Generation), Channel: channel, session: s, files: files,
		ended: make(chan struct{}), retired: make(chan struct{}),
	}
	return worker, nil
}

func mapped(files []int, offer answer, bells []*shm.Bell) (*shm.Channel, error) {
	for at, bytes := range []int{offer.RequestBytes, offer.ReplyBytes} {
		// Behind the end of a file there is a signal and no data.
		var stat syscall.Stat_t
		if err := syscall.Fstat(files[at], &stat); err != nil {
			return nil, err
		}
		if stat.Size != int64(bytes) {
			return nil, fmt.Errorf("a segment of %d bytes has %d", bytes, stat.Size)
		}
	}
	request, err := shm.Map(files[0], offer.RequestBytes, shm.Request)
	if err != nil {
		return nil, err
	}
	reply, err := shm.Map(files[1], offer.ReplyBytes, shm.Reply)
	if err != nil {
		request.Unmap()
		return nil, err
	}
	channel, err := shm.NewChannel(request, reply, bells, offer.Lanes, offer.Epoch)
	if err != nil {
		request.Unmap()
		reply.Unmap()
	}
	return channel, err
}

func bellsOf(fds []int) (bells []*shm.Bell, err error) {
	for at, fd := range fds {
		// The description may have lost this, or never had it; setting it changes nothing that a worker relies on.
		if err = syscall.SetNonblock(fd, true); err == nil {
			var bell *shm.Bell
			if bell, err = shm.NewBell(os.NewFile(uintptr(fd), "lane")); err == nil {
				bells = append(bells, bell)
				continue
			}
		}
		for _, bell := range bells {
			bell.Close()
		}
		closeAll(fds[at:])
		return nil, err
	}
	return bells, nil
}

// seals are those of both directions: nobody changes a segment's length, nor its seals.
const seals = sys.F_SEAL_SHRINK | sys.F_SEAL_GROW | sys.F_SEAL_SEAL

// sealed looks at the seals of a file that the worker is to get, and closes it.
func sealed(fd int, direction shm.Direction) error {
	defer func() { _ = syscall.Close(fd) }()
	wanted := seals
	if direction == shm.Request {
		wanted |= sys.F_SEAL_FUTURE_WRITE
	}
	have, err := sys.FcntlInt(uintptr(fd), sys.F_GET_SEALS, 0)
	if err != nil {
		return err
	}
	if have&wanted != wanted {
		return fmt.Errorf("%s memory has seals %#x", direction, have)
	}
	return nil
}

// seal looks at the seals of the channel's files.
func (w *Worker) seal() error {
	files := w.files
	w.files = nil
	if len(files) != 2 {
		return fmt.Errorf("worker %d is sealed twice", w.Generation)
	}
	first := sealed(files[0], shm.Request)
	if second := sealed(files[1], shm.Reply); first == nil {
		return second
	}
	return first
}
