package serve

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"syscall"

	"hotcell"
	"hotcell/internal/shm"
)

// attend hears what the server says, until the socket ends.
func (s *Session) attend() {
	into, rights := make([]byte, most), make([]byte, syscall.CmsgSpace(4*128))
	var err error
	for err == nil {
		var data []byte
		var fds []int
		if data, fds, err = s.packets.receive(into, rights); err == nil {
			err = s.hear(data, fds)
		}
	}
	s.packets.close()
	s.mutex.Lock()
	s.err = err
	workers := s.workers
	s.workers = nil
	s.mutex.Unlock()
	close(s.gone)
	gone := &hotcell.Error{Kind: hotcell.ErrSupervisorGone, Message: "the supervisor has ended the session, or has ended itself"}
	for _, worker := range workers {
		worker.finish(End{Fault: gone, Lane: -1})
		worker.forget()
	}
}

// longest is how many bytes an answer may have that comes as a file.
const longest = 64 << 20

// hear does what a message says. An error ends the session.
func (s *Session) hear(data []byte, fds []int) error {
	var said answer
	if err := json.Unmarshal(data, &said); err != nil {
		closeAll(fds)
		return fmt.Errorf("hotcell says what is no message: %w", err)
	}
	switch {
	case said.Kind == "channel":
		return s.channel(said, fds)
	case said.Kind == "segment" && len(fds) == 1:
		return s.segment(said, fds[0])
	case (said.Kind == "stats" || said.Kind == "frames") && len(fds) == 1:
		file := os.NewFile(uintptr(fds[0]), said.Kind)
		defer func() { _ = file.Close() }()
		said.long = make([]byte, min(max(said.Bytes, 0), longest))
		if _, err := file.ReadAt(said.long, 0); err != nil {
			return err
		}
		return s.answered(said)
	case len(fds) > 0:
		closeAll(fds)
		return fmt.Errorf("%q with %d descriptors", said.Kind, len(fds))
	}
	switch said.Kind {
	case "sealed":
		return s.sealed(said)
	case "ended":
		s.ended(said)
	case "gone":
		s.unserved(said)
	case "worn":
		if worker := s.worker(said); worker != nil {
			worker.worn.Store(true)
		}
	case "retired":
		if worker := s.worker(said); worker != nil {
			worker.retire()
		}
	case "opened", "serves", "ready", "cancelled", "refused":
		return s.answered(said)
	default:
		return fmt.Errorf("hotcell says %q", said.Kind)
	}
	return nil
}

func (s *Session) worker(said answer) *Worker {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.workers[uint64(said.Generation)]
}

// channel maps what is offered, and says so.
func (s *Session) channel(said answer, fds []int) error {
	worker, err := s.offered(said, fds)
	if err != nil {
		return err
	}
	s.mutex.Lock()
	s.workers[worker.Generation] = worker
	s.mutex.Unlock()
	return s.packets.send(message{"kind": "mapped", "generation": text(worker.Generation)})
}

// segment maps what is offered for an order, and says so.
func (s *Session) segment(said answer, fd int) error {
	s.mutex.Lock()
	entry := s.waiting[said.ID]
	s.mutex.Unlock()
	var stat syscall.Stat_t
	if err := syscall.Fstat(fd, &stat); err != nil {
		_ = syscall.Close(fd)
		return err
	}
	if entry == nil {
		// Who has ordered it waits no longer. The worker gets it all the same.
		_ = syscall.Close(fd)
		return s.packets.send(message{"kind": "mapped", "id": said.ID})
	}
	mapping, err := shm.Map(fd, int(stat.Size), entry.direction)
	if err != nil {
		_ = syscall.Close(fd)
		return err
	}
	s.mutex.Lock()
	waits := s.waiting[said.ID] == entry && entry.mapping == nil
	if waits {
		entry.mapping, entry.file = mapping, fd
	}
	s.mutex.Unlock()
	if !waits {
		mapping.Unmap()
		_ = syscall.Close(fd)
	}
	return s.packets.send(message{"kind": "mapped", "id": said.ID})
}

// sealed looks at the seals of a channel.
func (s *Session) sealed(said answer) error {
	worker := s.worker(said)
	if worker == nil || worker.files == nil {
		return nil
	}
	return worker.seal()
}

// answered gives an answer to who has asked. It looks at the seals of a segment first, which the worker has by now.
func (s *Session) answered(said answer) error {
	s.mutex.Lock()
	entry := s.waiting[said.ID]
	file := -1
	if entry != nil {
		file, entry.file = entry.file, -1
	}
	s.mutex.Unlock()
	switch {
	case entry == nil && said.ID == 0 && said.Error != nil:
		return said.Error // The session as a whole is refused.
	case entry == nil:
		return nil // Who has asked waits no longer.
	}
	if file >= 0 && said.Kind == "ready" {
		if err := sealed(file, entry.direction); err != nil {
			return err
		}
	} else if file >= 0 {
		_ = syscall.Close(file)
	}
	select {
	case entry.answer <- said:
		return nil
	default:
		return errors.New("hotcell answers twice")
	}
}

// unserved lets go of a worker that never served.
func (s *Session) unserved(said answer) {
	s.mutex.Lock()
	worker := s.workers[uint64(said.Generation)]
	delete(s.workers, uint64(said.Generation))
	s.mutex.Unlock()
	if worker != nil {
		worker.forget()
	}
}

// ended notes how a worker ended.
func (s *Session) ended(said answer) {
	s.mutex.Lock()
	worker := s.workers[uint64(said.Generation)]
	delete(s.workers, uint64(said.Generation))
	s.mutex.Unlock()
	if worker == nil {
		return
	}
	end := End{Fault: said.Fault, Lane: -1, Stopping: said.Stopping, Function: said.Function, CallID: uint64(said.Call), Why: said.Why}
	if said.Lane != nil {
		end.Lane = *said.Lane
	}
	if end.Fault == nil {
		end.Fault = &hotcell.Error{Kind: hotcell.ErrWorkerLost, Message: "the worker has ended"}
	}
	worker.finish(end)
	worker.forget()
}

// forget gives back what the session has of a worker; lanes that are in use keep their channel.
func (w *Worker) forget() {
	closeAll(w.files)
	w.files = nil
	w.Channel.Drop()
}
