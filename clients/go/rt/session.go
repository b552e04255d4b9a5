package rt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"hotcell"
	"hotcell/internal/serve"
)

// Session is one library in a worker of its own: see [hotcell.Session].
type Session struct {
	pack    *Package
	options hotcell.Options
	turns   turns
	closed  chan struct{}
	closing sync.Once
	// calling is how many callbacks are being run: while there are none, no call is nested.
	calling atomic.Int32
	// threaded is how many callbacks of threads of the library are being run.
	threaded atomic.Int32
	objects  objects
	buffers  buffers
	kept     keptCallbacks
	failures failures
	// batches is memory that the last batch has left, pipes are pipelines that have a seat.
	batches atomic.Pointer[memory]
	pipes   pipes
	// rows is a batch for calls by columns.
	rows atomic.Pointer[Batch]
	// families are what is used by one call at a time, where the library has such a rule.
	families families
	// gates are families whose calls have a seat or are about to: each lets one in.
	gates families
	// said is how often a call of an idempotent function is made at most, as the contract and the server say; 0 where they do not.
	said atomic.Int32
	// faceNumber is a number for the interface, when faced is done.
	faced      sync.Once
	faceNumber uint64

	// renewing has whoever asks for a worker: the others wait for it, as long as their contexts allow.
	renewing chan struct{}
	// mutex is for what follows. Nobody waits for a worker with it.
	mutex  sync.Mutex
	inner  *serve.Session
	worker *worker
	// none is why it is no session: of a library that was not opened.
	none error
	// before is how many generations servers before this one have had.
	before, last uint64
}

var _ hotcell.Session = (*Session)(nil)

// Open opens a library. The worker that is to serve it is up when this returns.
func Open(ctx context.Context, pack *Package, options hotcell.Options) (*Session, error) {
	session := &Session{pack: pack, options: options.WithDefaults(), closed: make(chan struct{}), renewing: make(chan struct{}, 1)}
	session.objects.known, session.turns.crowded = make(map[object]known), session.pipes.settleSoon
	session.families.crowded, session.gates.crowded = session.pipes.settleSoon, func() {}
	if ctx == nil {
		return nil, session.failed(hotcell.NilContext(), "")
	}
	if !session.options.Quarantine.IsMade() {
		text := "Options.Quarantine is no list: NewQuarantine makes one"
		return nil, session.refused(hotcell.ErrInvalidArgument, "", text, nil)
	}
	if pack.Runtime != Version {
		text := fmt.Sprintf("the package was generated for version %d of the runtime; this is version %d: generate it anew", pack.Runtime, Version)
		return nil, session.refused(hotcell.ErrAbiMismatch, "", text, nil)
	}
	if len(pack.Shim) == 0 {
		text := "the package has no compiled shim: run `go generate` in its folder, where a C compiler and the library's header are, or make it by `hotcell build`"
		return nil, session.refused(hotcell.ErrLoadFailed, "", text, nil)
	}
	for name, value := range map[string]time.Duration{"Deadline": options.Deadline, "StartDeadline": options.StartDeadline} {
		if value < 0 {
			text := fmt.Sprintf("Options.%s is %v, and must not be negative", name, value)
			return nil, session.refused(hotcell.ErrInvalidArgument, "", text, nil)
		}
	}
	if len(session.options.Libraries) == 0 {
		session.options.Libraries = pack.Libraries.find()
	}
	// It is the supervisor who holds the library to its time, and says what became of it: that is waited for.
	bounded, cancel := context.WithTimeout(ctx, session.options.StartDeadline+patience)
	defer cancel()
	if _, err := session.connect(bounded); err != nil {
		return nil, pack.Libraries.advise(session.failed(err, ""))
	}
	worker, err := session.serving(bounded, "")
	if err != nil {
		_ = session.Close()
		return nil, pack.Libraries.advise(session.failed(err, ""))
	}
	worker.unbind()
	return session, nil
}

// NotOpened stands for the session of a library of this package that its Open has not made: the zero value of one, or nil. What is asked
// of it says so, but Close and Generation, which have nothing to do.
func NotOpened(name string) *Session {
	return refusing(fmt.Sprintf("the library was not opened: %s.Open opens one", name), nil)
}

// refusing stands for a session that nobody has, and says so of all that is asked of it.
func refusing(text string, cause error) *Session {
	session := &Session{pack: new(Package), closed: make(chan struct{}), renewing: make(chan struct{}, 1)}
	session.objects.known, session.turns.crowded = make(map[object]known), session.pipes.settleSoon
	session.families.crowded, session.gates.crowded = session.pipes.settleSoon, func() {}
	session.closing.Do(func() { close(session.closed) })
	session.none = session.refused(hotcell.ErrInvalidArgument, "", text, cause)
	return session
}

// noSuch is the error of a function that the session does not have.
func (s *Session) noSuch() error {
	if s.none != nil {
		return s.none
	}
	return s.refused(hotcell.ErrInvalidArgument, "", "the package has no such function", nil)
}

// advise says of a file that the system's loader has not found where it is to be named.
func (l Libraries) advise(failed *hotcell.Error) *hotcell.Error {
	if failed.Kind != hotcell.ErrLoadFailed || !strings.Contains(failed.Message, "cannot open shared object file") {
		return failed
	}
	for _, name := range l.Files {
		if strings.Contains(failed.Message, name) {
			failed.Message += fmt.Sprintf(": name the folder of %s in $%s, or the file in Options.Libraries", name, l.Variable)
			break
		}
	}
	return failed
}

// find is the files that lie in the folders of the variable: all, or none.
func (l Libraries) find() (found []string) {
	for _, folder := range filepath.SplitList(os.Getenv(l.Variable)) {
		if !filepath.IsAbs(folder) {
			continue
		}
		for _, name := range l.Files {
			path := filepath.Join(folder, name)
			if _, err := os.Stat(path); err == nil {
				found = append(found, path)
			}
		}
	}
	return found
}

// connect opens the session at a server.
func (s *Session) connect(ctx context.Context) (*serve.Session, error) {
	library := serve.Library{Name: s.pack.Library, Interface: s.pack.Interface, Shim: s.pack.Shim}
	inner, err := serve.Open(ctx, library, s.options)
	if err != nil {
		return nil, err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.isClosed() {
		inner.Close()
		return nil, errClosed
	}
	s.inner, s.before = inner, s.last
	s.said.Store(int32(min(inner.Tries, 1<<20)))
	if s.turns.most == 0 {
		s.turns.most, s.families.on = s.pack.callers(inner.Callers)
	}
	return inner, nil
}

// serving is the worker that serves; one is asked for where there is none. It is bound to the caller, who calls unbind: so it is
// not left meanwhile.
func (s *Session) serving(ctx context.Context, function string) (*worker, error) {
	if worker, err := s.current(); worker != nil || err != nil {
		return worker, err
	}
	select {
	case s.renewing <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-s.closed:
		return nil, errClosed
	}
	defer func() { <-s.renewing }()
	// Somebody else may have asked meanwhile.
	if worker, err := s.current(); worker != nil || err != nil {
		return worker, err
	}
	return s.renew(ctx, function)
}

// errClosed says that the session was closed.
var errClosed = errors.New("the session is closed")

// current is the worker that serves, bound to the caller; nil where none does.
func (s *Session) current() (*worker, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.isClosed() {
		return nil, errClosed
	}
	if s.worker == nil || s.worker.IsOver() {
		return nil, nil
	}
	s.worker.Channel.Hold()
	s.worker.bound.Add(1)
	return s.worker, nil
}

// renew asks for a worker, at a new server where the one before has ended. It is bound to the caller.
func (s *Session) renew(ctx context.Context, function string) (*worker, error) {
	s.mutex.Lock()
	from := s.inner
	s.mutex.Unlock()
	inner, err := from.Worker(ctx, function)
	if errors.Is(err, serve.ErrGone) && !s.isClosed() {
		if from, err = s.connect(ctx); err == nil {
			inner, err = from.Worker(ctx, function)
		}
	}
	if err != nil {
		return nil, err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.isClosed() {
		inner.Channel.Drop()
		return nil, errClosed
	}
	if s.worker != nil {
		s.worker.Channel.Drop()
	}
	s.last = s.before + inner.Generation
	s.worker = &worker{Worker: inner, generation: s.last, spin: from.Spin, grace: from.Grace}
	s.worker.bound.Add(1)
	go s.attend(s.worker)
	inner.Channel.Hold()
	return s.worker, nil
}

// attend has free seats let go of a worker that serves nobody new, others when their call is over, and forgets it at its end.
func (s *Session) attend(worker *worker) {
	s.retire(worker)
	// Calls that are under way there may call back until then.
	<-worker.Ended()
	s.kept.forget(func(until object) bool { return until.generation == worker.generation })
}

// retire waits until a worker serves nobody new, and lets go of it where nobody calls there.
func (s *Session) retire(worker *worker) {
	select {
	case <-worker.Ended():
	case <-worker.Retired():
	}
	s.pipes.settleSoon()
	for _, seat := range s.turns.vacant() {
		if seat.worker == worker {
			seat.unbind()
		}
		s.turns.give(seat)
	}
	s.buffers.drop(worker)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.worker == worker {
		s.worker = nil
		worker.Channel.Drop()
	}
	// Nobody is bound to it from now on who is not yet.
	if worker.bound.Load() == 0 {
		worker.Left()
	}
}

func (s *Session) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

// Close ends the session and its worker. Calls that are under way fail.
func (s *Session) Close() error {
	s.closing.Do(func() {
		close(s.closed)
		s.mutex.Lock()
		inner, worker := s.inner, s.worker
		s.worker = nil
		s.mutex.Unlock()
		inner.Close()
		s.pipes.settleSoon()
		if worker != nil {
			worker.Channel.Drop()
		}
		for _, seat := range s.turns.vacant() {
			seat.unbind()
			s.turns.give(seat)
		}
		s.buffers.drop(nil)
	})
	return nil
}

// Stats is what the supervisor knows of the session, as JSON.
func (s *Session) Stats(ctx context.Context) ([]byte, error) {
	switch {
	case s.none != nil:
		return nil, s.none
	case ctx == nil:
		return nil, s.failed(hotcell.NilContext(), "")
	}
	s.mutex.Lock()
	inner := s.inner
	s.mutex.Unlock()
	stats, err := inner.Stats(ctx)
	if err != nil && s.isClosed() {
		err = errClosed
	}
	if err != nil {
		return nil, s.failed(err, "")
	}
	return stats, nil
}

// Generation is the number of the worker that serves, from 1; 0 where none does.
func (s *Session) Generation() uint64 {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.worker == nil || s.worker.IsOver() {
		return 0
	}
	return s.worker.generation
}
