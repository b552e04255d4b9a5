package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"hotcell"
	"hotcell/internal/shm"
	"hotcell/internal/sys"
)

// Session is one library at a server: its socket there, and the workers that are known.
type Session struct {
	// Callers is how many calls at a time there may be.
	Callers int
	// Spin is how long a caller polls, Grace how long a call may take to end that the library is told to stop.
	Spin, Grace time.Duration
	// Tries is how often a call of an idempotent function is made at most, by what is in force; 0 where nothing is said.
	Tries int

	packets *packets

	mutex sync.Mutex
	// waiting are orders without an answer, by number.
	waiting map[uint64]*waiting
	last    uint64
	// workers are those that were offered and have not ended, by generation.
	workers map[uint64]*Worker
	// gone is closed when the socket has ended; then err says why.
	gone chan struct{}
	err  error
}

// waiting is an order without an answer.
type waiting struct {
	answer chan answer
	// mapping is the segment that the server offers for it, and its file until it is sealed.
	direction shm.Direction
	mapping   *shm.Mapping
	file      int
}

// Library is what a session is opened for.
type Library struct {
	// Name is the library's, for errors.
	Name string
	// Interface is its interface as JSON, Shim its shim.
	Interface, Shim []byte
}

// Open opens a session at the server of these options, which is started where there is none. One that has ended just now may
// not be known to have: then another is started.
func Open(ctx context.Context, library Library, given hotcell.Options) (*Session, error) {
	session, server, err := openOnce(ctx, library, given)
	if errors.Is(err, errGone) && server.ends(ctx) {
		session, _, err = openOnce(ctx, library, given)
	}
	return session, err
}

func openOnce(ctx context.Context, library Library, given hotcell.Options) (*Session, *server, error) {
	server, err := serverFor(given)
	if err != nil {
		return nil, nil, err
	}
	packets, err := server.session()
	if err != nil {
		return nil, server, err
	}
	session := &Session{
		packets: packets, waiting: make(map[uint64]*waiting), workers: make(map[uint64]*Worker), gone: make(chan struct{}),
	}
	go session.attend()
	if err := session.open(ctx, library, given); err != nil {
		session.packets.close()
		return nil, server, err
	}
	return session, server, nil
}

func (s *Session) open(ctx context.Context, library Library, given hotcell.Options) error {
	face, err := memory("interface", library.Interface)
	if err != nil {
		return err
	}
	defer func() { _ = face.Close() }()
	shim, err := memory("shim", library.Shim)
	if err != nil {
		return err
	}
	defer func() { _ = shim.Close() }()
	opened, err := s.ask(ctx, &waiting{file: -1}, message{
		"kind": "open", "interface_bytes": len(library.Interface), "shim_bytes": len(library.Shim), "options": optionsOf(given),
	}, face, shim)
	if err != nil {
		return err
	}
	s.Callers, s.Spin = max(opened.Callers, 1), time.Duration(opened.SpinNS)
	s.Tries = opened.Options.Retries.Tries
	s.Grace = time.Duration(opened.Options.CancelGraceMS * float64(time.Millisecond))
	return nil
}

// memory is a memory file with these bytes, which nobody can change any more.
func memory(name string, data []byte) (*os.File, error) {
	fd, err := shm.Memfd(name, sys.MFD_CLOEXEC|sys.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, fmt.Errorf("a memory file: %w", err)
	}
	file := os.NewFile(uintptr(fd), name)
	if _, err := file.Write(data); err != nil {
		_ = file.Close()
		return nil, err
	}
	const all = sys.F_SEAL_SHRINK | sys.F_SEAL_GROW | sys.F_SEAL_WRITE | sys.F_SEAL_SEAL
	if _, err := sys.FcntlInt(uintptr(fd), sys.F_ADD_SEALS, all); err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

// closeTime is how long the workers of a session may take to end.
const closeTime = 10 * time.Second

// ErrGone says that the supervisor has ended, or that the session was closed.
var ErrGone = errGone

// Gone is closed when the server has ended the session, or has ended.
func (s *Session) Gone() <-chan struct{} { return s.gone }

// Close ends the session: the server ends its workers.
func (s *Session) Close() {
	if s.packets.send(message{"kind": "close"}) == nil {
		// The socket ends when the workers have, whose libraries may have something to do before.
		timer := time.NewTimer(closeTime)
		defer timer.Stop()
		select {
		case <-s.gone:
		case <-timer.C:
		}
	}
	s.packets.close()
	<-s.gone
}

// ask sends an order and waits for its answer.
func (s *Session) ask(ctx context.Context, entry *waiting, order message, files ...*os.File) (answer, error) {
	entry.answer = make(chan answer, 1)
	s.mutex.Lock()
	s.last++
	id := s.last
	s.waiting[id] = entry
	s.mutex.Unlock()
	defer s.forget(id)
	order["id"] = id
	if err := s.packets.send(order, files...); err != nil {
		return answer{}, errors.Join(errGone, err)
	}
	select {
	case answer := <-entry.answer:
		s.mutex.Lock()
		answer.mapping, entry.mapping = entry.mapping, nil
		s.mutex.Unlock()
		if answer.Kind == "refused" {
			// What was offered before that the worker never has.
			if answer.mapping != nil {
				answer.mapping.Unmap()
			}
			if answer.Error == nil {
				return answer, errors.New("hotcell has refused an order")
			}
			return answer, answer.Error
		}
		return answer, nil
	case <-s.gone:
		return answer{}, s.whyGone()
	case <-ctx.Done():
		return answer{}, ctx.Err()
	}
}

// whyGone says why the socket has ended, where that is known.
func (s *Session) whyGone() error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.err == nil || errors.Is(s.err, io.EOF) || errors.Is(s.err, net.ErrClosed) {
		return errGone
	}
	return errors.Join(errGone, s.err)
}

// forget forgets an order; what was mapped for it and not taken is unmapped.
func (s *Session) forget(id uint64) {
	s.mutex.Lock()
	entry := s.waiting[id]
	delete(s.waiting, id)
	s.mutex.Unlock()
	if entry != nil && entry.mapping != nil {
		entry.mapping.Unmap()
	}
	if entry != nil && entry.file >= 0 {
		_ = syscall.Close(entry.file)
	}
}

// Worker is the one that serves, for a call of this function; one is brought up where there is none. Its channel is held for
// the caller, who drops it.
//
// The server may not have come to a kill that was sent before, or answer with a worker of whose end it has told already: then
// this waits, and asks again.
func (s *Session) Worker(ctx context.Context, function string) (*Worker, error) {
	for {
		worker, err := s.askForWorker(ctx, function)
		if err != nil || worker != nil && !worker.IsOver() {
			return worker, err
		}
		ended, pause := (<-chan struct{})(nil), time.NewTimer(time.Millisecond)
		if worker != nil {
			worker.Channel.Drop()
			ended = worker.ended
			pause.Stop()
		}
		select {
		case <-ended:
		case <-pause.C:
		case <-ctx.Done():
			err = ctx.Err()
		}
		if pause.Stop(); err != nil {
			return nil, err
		}
	}
}

// askForWorker asks once; nil where the answer names one that has ended meanwhile.
func (s *Session) askForWorker(ctx context.Context, function string) (*Worker, error) {
	serves, err := s.ask(ctx, &waiting{file: -1}, message{"kind": "worker", "left_ns": left(ctx), "function": function})
	if err != nil {
		return nil, err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	worker := s.workers[uint64(serves.Generation)]
	if worker == nil {
		return nil, nil
	}
	if worker.files != nil {
		return nil, fmt.Errorf("worker %d serves with segments that are not sealed", worker.Generation)
	}
	if !worker.known {
		// Once: those who have the worker read them as they like.
		worker.Capabilities, worker.known = uint64(serves.Capabilities), true
	}
	worker.Channel.Hold()
	return worker, nil
}

// OpenLane has the worker serve a lane from 1 on by a thread of its own.
func (w *Worker) OpenLane(ctx context.Context, lane int) error {
	_, err := w.session.ask(ctx, &waiting{file: -1}, message{
		"kind": "lane", "generation": text(w.Generation), "lane": lane, "left_ns": left(ctx),
	})
	return err
}

// Grow adds a segment of so many bytes, which the worker has mapped, too.
func (w *Worker) Grow(ctx context.Context, direction shm.Direction, bytes int) (uint16, *shm.Mapping, error) {
	entry := &waiting{direction: direction, file: -1}
	ready, err := w.session.ask(ctx, entry, message{
		"kind": "grow", "generation": text(w.Generation), "direction": direction.String(), "bytes": bytes, "left_ns": left(ctx),
	})
	if err != nil {
		if errors.Is(err, hotcell.ErrLimitExceeded) {
			// It has no room for more: the next call has another one.
			w.retire()
		}
		return 0, nil, err
	}
	if ready.mapping == nil || ready.mapping.Length() < bytes {
		return 0, nil, errors.New("hotcell has added a segment that it has not offered")
	}
	return ready.Number, ready.mapping, nil
}

// Cancelled is what became of the function that was to stop a call.
type Cancelled string

// What may have become of it.
const (
	// CancelUnknown: it has not returned.
	CancelUnknown Cancelled = ""
	// CancelCalled: it was called, and has returned.
	CancelCalled Cancelled = "called"
	// CancelNotUnderWay: there was nothing to stop.
	CancelNotUnderWay Cancelled = "not-under-way"
	// CancelNoThread: there was no thread to call it on.
	CancelNoThread Cancelled = "no-thread"
	// CancelImpossible: the worker cannot be told.
	CancelImpossible Cancelled = "impossible"
)

// Cancel has the library stop a call, and waits for what becomes of that until the context's deadline.
func (w *Worker) Cancel(ctx context.Context, lane int, call uint64) Cancelled {
	answer, err := w.session.ask(ctx, &waiting{file: -1}, message{
		"kind": "cancel", "generation": text(w.Generation), "lane": lane, "call": text(call), "left_ns": left(ctx),
	})
	switch {
	case err == nil:
		return answer.Outcome
	case ctx.Err() != nil:
		return CancelUnknown
	}
	return CancelImpossible
}

// Kill has the worker ended for a call; Ended follows. It is over from now on.
func (w *Worker) Kill(lane int, function string, call uint64, why, rule string) error {
	order := message{
		"kind": "kill", "generation": text(w.Generation), "lane": lane, "function": function, "call": text(call), "why": why,
	}
	if rule != "" {
		order["rule"] = rule
	}
	w.over.Store(true)
	return w.session.packets.send(order)
}

// Left says that no call is under way any more on the worker, if it serves nobody new and has not ended.
func (w *Worker) Left() {
	select {
	case <-w.ended:
	case <-w.retired:
		w.leaving.Do(w.leave)
	default:
	}
}

// leave says so. Nothing more is said of the worker then: it is forgotten here, too.
func (w *Worker) leave() {
	s := w.session
	s.mutex.Lock()
	known := s.workers[w.Generation] == w
	delete(s.workers, w.Generation)
	s.mutex.Unlock()
	if known {
		_ = s.packets.send(message{"kind": "left", "generation": text(w.Generation)})
		w.letGo()
		w.forget()
	}
}

// Stats is what the server knows of the session.
func (s *Session) Stats(ctx context.Context) ([]byte, error) {
	stats, err := s.ask(ctx, &waiting{file: -1}, message{"kind": "stats"})
	return stats.long, err
}

// Frames are those of the stack on which this worker ended.
func (w *Worker) Frames(ctx context.Context) ([]hotcell.Frame, error) {
	said, err := w.session.ask(ctx, &waiting{file: -1}, message{"kind": "frames", "generation": text(w.Generation)})
	if err != nil {
		return nil, err
	}
	var frames []hotcell.Frame
	if err := json.Unmarshal(said.long, &frames); err != nil {
		return nil, fmt.Errorf("hotcell says what are no frames: %w", err)
	}
	return frames, nil
}

// left is how long a context has, in nanoseconds.
func left(ctx context.Context) int64 {
	deadline, has := ctx.Deadline()
	if !has {
		return int64(time.Minute)
	}
	return max(int64(time.Until(deadline)), 0)
}
