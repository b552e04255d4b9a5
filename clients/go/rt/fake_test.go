package rt

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"hotcell"
	"hotcell/internal/shm"
	"hotcell/internal/sys"
	"hotcell/internal/wire"
)

// fakeServer is the supervisor's side of the sockets, in this process: its workers are goroutines that may do to the memory
// whatever a worker could.
type fakeServer struct {
	t       *testing.T
	serve   func(*fakeWorker, *fakeCall)
	callers int
	// tries is how often calls of idempotent functions are made, by what it says is in force.
	tries atomic.Int32
	// older is by how much it is older than this client.
	older atomic.Int32
	// stops says what becomes of the function that is to stop a call; nil where no call can be stopped.
	stops atomic.Pointer[func(w *fakeWorker, call uint64) string]
	// left is how often a client has let go of a worker.
	left atomic.Int32
	// mutex is for the numbers of workers.
	mutex   sync.Mutex
	workers []*fakeWorker
}

// fakeWorker is one of its workers.
type fakeWorker struct {
	server         *fakeServer
	session        *fakeSession
	generation     uint64
	request, reply []byte
	bells          []int
	ended          atomic.Bool
}

// fakeSession is a session's socket at the server.
type fakeSession struct {
	conn    *net.UnixConn
	sending sync.Mutex
	serving *fakeWorker
	offered map[uint64]chan struct{}
	granted uint16
}

// fakeCall is a call as a worker sees it.
type fakeCall struct {
	worker     *fakeWorker
	lane, slot int
	function   uint16
	id         uint64
	args       []byte
	replies    uint32
	resumes    uint32
}

func slotOf(lane, slot int) int {
	const stride = (wire.LaneHead + 16*wire.SlotStride + 4095) / 4096 * 4096
	return wire.LanesOffset + lane*stride + wire.LaneHead + slot*wire.SlotStride
}

func word(memory []byte, at int) *uint32 { return (*uint32)(unsafe.Pointer(&memory[at])) }

// fake starts a server whose workers serve calls so, and gives options to open a session there.
func fake(t *testing.T, callers int, serve func(*fakeWorker, *fakeCall)) (*fakeServer, hotcell.Options) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "serve")
	listener, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: path, Net: "unixpacket"})
	if err != nil {
		t.Fatal(err)
	}
	server := &fakeServer{t: t, serve: serve, callers: callers}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.AcceptUnix()
			if err != nil {
				return
			}
			go server.greet(conn)
		}
	}()
	return server, hotcell.Options{Socket: path, Deadline: 10 * time.Second, Retries: -1}
}

func packet(conn *net.UnixConn) (said map[string]any, fds []int) {
	into, rights := make([]byte, 1<<16), make([]byte, 4096)
	n, rn, _, _, err := conn.ReadMsgUnix(into, rights)
	if err != nil || n == 0 || json.Unmarshal(into[:n], &said) != nil {
		return nil, nil
	}
	messages, _ := syscall.ParseSocketControlMessage(rights[:rn])
	for _, message := range messages {
		more, _ := syscall.ParseUnixRights(&message)
		fds = append(fds, more...)
	}
	return said, fds
}

func (f *fakeServer) greet(conn *net.UnixConn) {
	defer func() { _ = conn.Close() }()
	for {
		said, fds := packet(conn)
		switch said["kind"] {
		case "hello":
			_, _ = fmt.Fprintf(conn, `{"kind":"hello","version":%d,"server":"fake","pid":1}`, 2-f.older.Load())
		case "session":
			file := os.NewFile(uintptr(fds[0]), "session")
			other, err := net.FileConn(file)
			_ = file.Close()
			if err != nil {
				return
			}
			go f.attend(&fakeSession{conn: other.(*net.UnixConn), offered: map[uint64]chan struct{}{}})
		default:
			return
		}
	}
}

func (s *fakeSession) say(message map[string]any, fds ...int) {
	data, _ := json.Marshal(message)
	s.sending.Lock()
	defer s.sending.Unlock()
	var rights []byte
	if len(fds) > 0 {
		rights = syscall.UnixRights(fds...)
	}
	_, _, _ = s.conn.WriteMsgUnix(data, rights, nil)
}

func (f *fakeServer) attend(s *fakeSession) {
	defer func() { _ = s.conn.Close() }()
	for {
		said, fds := packet(s.conn)
		for _, fd := range fds {
			_ = syscall.Close(fd)
		}
		id := said["id"]
		switch said["kind"] {
		case "open":
			given := said["options"].(map[string]any)
			options := map[string]any{"retries": map[string]any{"tries": f.tries.Load()}, "cancel_grace_ms": given["cancel_grace_ms"]}
			s.say(map[string]any{"kind": "opened", "id": id, "callers": f.callers, "spin_ns": 50000, "session": 1, "options": options})
		case "worker":
			if s.serving == nil || s.serving.ended.Load() {
				s.serving = f.bringUp(s)
			}
			var all uint64 = wire.CapabilitiesNeedSpace | wire.CapabilitiesCallbacks | wire.CapabilitiesBatch | wire.CapabilitiesHandles | wire.CapabilitiesDispatcher
			if f.stops.Load() != nil {
				all |= wire.CapabilitiesCancel
			}
			s.say(map[string]any{"kind": "serves", "id": id, "generation": s.serving.generation, "capabilities": all})
		case "lane":
			s.say(map[string]any{"kind": "ready", "id": id})
		case "grow":
			f.grow(s, said)
		case "kill":
			// The worker that is killed is the one that serves: this server has no others.
			s.serving.end(map[string]any{"kind": "WorkerLost", "message": "killed", "output": "last words"}, nil, "why", said["why"])
		case "cancel":
			call, _ := strconv.ParseUint(said["call"].(string), 10, 64)
			go func(worker *fakeWorker) {
				s.say(map[string]any{"kind": "cancelled", "id": id, "outcome": (*f.stops.Load())(worker, call)})
			}(s.serving)
		case "left":
			s.serving.ended.Store(true)
			f.left.Add(1)
		case "mapped":
		default:
			if s.serving != nil {
				s.serving.ended.Store(true)
			}
			return
		}
	}
}

// mapped waits until the client has mapped what it was offered.
func (s *fakeSession) mapped() {
	for {
		if said, _ := packet(s.conn); said == nil || said["kind"] == "mapped" {
			return
		}
	}
}

func memfd(bytes int) (int, []byte) {
	fd, err := shm.Memfd("segment", sys.MFD_ALLOW_SEALING|sys.MFD_CLOEXEC)
	if err != nil {
		panic(err)
	}
	if err := syscall.Ftruncate(fd, int64(bytes)); err != nil {
		panic(err)
	}
	memory, err := syscall.Mmap(fd, 0, bytes, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		panic(err)
	}
	return fd, memory
}

const sealed = sys.F_SEAL_GROW | sys.F_SEAL_SHRINK | sys.F_SEAL_FUTURE_WRITE | sys.F_SEAL_SEAL

func (f *fakeServer) bringUp(s *fakeSession) *fakeWorker {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	worker := &fakeWorker{server: f, session: s, generation: uint64(len(f.workers) + 1)}
	f.workers = append(f.workers, worker)
	// The last lane is for threads of the library.
	lanes := f.callers + 1
	bytes := shm.SegmentLength(lanes)
	fds := make([]int, 2, 2+lanes)
	fds[0], worker.request = memfd(bytes)
	fds[1], worker.reply = memfd(bytes)
	binary.NativeEndian.PutUint64(worker.request[wire.ChannelHeadMagic:], wire.Magic)
	binary.NativeEndian.PutUint16(worker.request[wire.ChannelHeadMajor:], wire.VersionMajor)
	binary.NativeEndian.PutUint32(worker.request[wire.ChannelHeadSlotStride:], wire.SlotStride)
	for range lanes {
		bell, err := sys.Eventfd(0, sys.EFD_CLOEXEC|sys.EFD_NONBLOCK)
		if err != nil {
			panic(err)
		}
		fds = append(fds, bell)
		worker.bells = append(worker.bells, bell)
	}
	s.say(map[string]any{
		"kind": "channel", "generation": worker.generation, "epoch": 1, "lanes": lanes, "request_bytes": bytes, "reply_bytes": bytes,
	}, fds...)
	s.mapped()
	for _, fd := range fds[:2] {
		_, _ = sys.FcntlInt(uintptr(fd), sys.F_ADD_SEALS, sealed)
		_ = syscall.Close(fd)
	}
	s.say(map[string]any{"kind": "sealed", "generation": worker.generation})
	for lane := range lanes {
		go worker.run(lane)
	}
	return worker
}

func (f *fakeServer) grow(s *fakeSession, said map[string]any) {
	bytes := int(said["bytes"].(float64))
	fd, memory := memfd(bytes)
	s.say(map[string]any{"kind": "segment", "id": said["id"], "generation": said["generation"]}, fd)
	s.mapped()
	_, _ = sys.FcntlInt(uintptr(fd), sys.F_ADD_SEALS, sealed)
	_ = syscall.Close(fd)
	s.granted++
	fakeSegments.Store(segmentKey{s, s.granted + 1}, memory)
	s.say(map[string]any{"kind": "ready", "id": said["id"], "number": s.granted + 1})
}

type segmentKey struct {
	session *fakeSession
	number  uint16
}

// fakeSegments has the memory of added segments, by session and number.
var fakeSegments sync.Map

func (w *fakeWorker) segment(number uint16) []byte {
	if number == wire.SegmentRequest {
		return w.request
	}
	memory, _ := fakeSegments.Load(segmentKey{w.session, number})
	return memory.([]byte)
}

// run is the thread that serves a lane.
func (w *fakeWorker) run(lane int) {
	var replies, resumes [wire.RingSlots]uint32
	for next := uint32(0); !w.ended.Load(); {
		slot := int(next % wire.RingSlots)
		turn := next/wire.RingSlots + 1
		at := slotOf(lane, slot)
		if atomic.LoadUint32(word(w.request, at+wire.CallOffset)) != turn {
			runtime.Gosched()
			time.Sleep(5 * time.Microsecond)
			continue
		}
		next++
		call := w.call(lane, slot, replies[slot])
		call.resumes = resumes[slot]
		w.server.serve(w, call)
		if call.function != wire.ListenFunction {
			// Else others go on with it.
			replies[slot], resumes[slot] = call.replies, call.resumes
		}
	}
}

func (w *fakeWorker) call(lane, slot int, before uint32) *fakeCall {
	head := w.request[slotOf(lane, slot)+wire.CallOffset:]
	length := binary.NativeEndian.Uint16(head[wire.CallHeadArgsLength:])
	call := &fakeCall{
		worker: w, lane: lane, slot: slot, function: binary.NativeEndian.Uint16(head[wire.CallHeadFunction:]),
		id: binary.NativeEndian.Uint64(head[wire.CallHeadCallId:]), replies: before,
	}
	call.args = append(call.args, head[wire.CallHeadSize:][:length]...)
	return call
}

// answer is a reply's head as a worker writes it.
type fakeReply struct {
	state  wire.ReplyState
	commit uint32
	id     uint64
	errno  int32
	length uint32
	value  uint64
}

// reply commits a reply; change makes a lie of it.
func (c *fakeCall) reply(state wire.ReplyState, value uint64, block []byte, change func(*fakeReply)) {
	c.replies++
	reply := fakeReply{state, c.replies, c.id, 0, uint32(len(block)), value}
	if change != nil {
		change(&reply)
	}
	at := slotOf(c.lane, c.slot)
	copy(c.worker.reply[at+wire.ResultOffset:], block)
	head := c.worker.reply[at:]
	binary.NativeEndian.PutUint16(head[wire.ReplyHeadState:], uint16(reply.state))
	binary.NativeEndian.PutUint64(head[wire.ReplyHeadCallId:], reply.id)
	binary.NativeEndian.PutUint32(head[wire.ReplyHeadErrno:], uint32(reply.errno))
	binary.NativeEndian.PutUint32(head[wire.ReplyHeadResultLength:], reply.length)
	binary.NativeEndian.PutUint64(head[wire.ReplyHeadValue:], reply.value)
	atomic.StoreUint32(word(c.worker.reply, at+wire.ReplyHeadCommit), reply.commit)
	c.worker.ring(c.lane)
}

func (w *fakeWorker) ring(lane int) {
	park := word(w.request, slotOf(lane, 0)-wire.LaneHead+wire.LaneHostPark)
	if atomic.LoadUint32(park) != uint32(wire.ParkAwake) {
		_, _ = syscall.Write(w.bells[lane], []byte{1, 0, 0, 0, 0, 0, 0, 0})
	}
}

// resumed waits until the host has answered: the resume's kind, place and value.
func (c *fakeCall) resumed() (wire.Resume, shm.Place, uint64) {
	c.resumes++
	at := slotOf(c.lane, c.slot)
	for commit := word(c.worker.request, at); atomic.LoadUint32(commit) != c.resumes && !c.worker.ended.Load(); {
		time.Sleep(time.Microsecond)
	}
	line := c.worker.request[at:]
	return wire.Resume(binary.NativeEndian.Uint16(line[wire.ResumeLineKind:])),
		shm.Place(binary.NativeEndian.Uint64(line[wire.ResumeLinePlace:])), binary.NativeEndian.Uint64(line[wire.ResumeLineValue:])
}

// end has the worker be dead. More may be said of that: names and values.
func (w *fakeWorker) end(fault map[string]any, lane any, more ...any) {
	if w.ended.Swap(true) {
		return
	}
	ended := map[string]any{"kind": "ended", "generation": w.generation, "fault": fault, "lane": lane, "function": "f", "call": nil}
	for at := 0; at < len(more); at += 2 {
		ended[more[at].(string)] = more[at+1]
	}
	w.session.say(ended)
}

// open opens a session there, of a package with these functions.
func open(t *testing.T, options hotcell.Options, functions ...Function) *Session {
	t.Helper()
	pack := &Package{
		Runtime: Version, Library: "fake", Interface: []byte(`{"threads":"reentrant"}`), Shim: []byte("shim"), Functions: functions,
		Handles: []HandleType{{Name: "thing", Release: &Release{}}},
	}
	session, err := Open(context.Background(), pack, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = session.Close() })
	return session
}

// goexit ends the goroutine, as t.FailNow does.
func goexit() { runtime.Goexit() }
