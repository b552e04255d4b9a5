package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"hotcell"
	"hotcell/rt"
)

var background = context.Background()

func TestNumbersBytesTextsAndStructures(t *testing.T) {
	session := measured(t).open(t, hotcell.Options{})
	if got, err := session.numbers(background, "measured_add", 40, 2); got != 42 || err != nil {
		t.Fatal(got, err)
	}
	for _, length := range []int{0, 1, 900, 1024, 1 << 20, 3 << 20} {
		data := bytes.Repeat([]byte{1, 2, 3, 250}, length/4)
		call := session.begin(background, "measured_crc32")
		call.PutUint32(16, 0)
		call.PutBytes(0, "data", data)
		reply := call.Finish()
		if got, err := reply.Uint32(0), reply.Err(); got != crc32.ChecksumIEEE(data) || err != nil {
			t.Errorf("crc32 of %d bytes: %x, %v", length, got, err)
		}
		call.End()
		call = session.begin(background, "measured_invert")
		call.PutBytes(0, "data", data)
		reply = call.Finish()
		got, err := reply.Bytes(0), reply.Err()
		if call.End(); err != nil || len(got) != len(data) || len(got) > 0 && (got[0] != ^data[0] || got[len(got)-1] != ^data[len(got)-1]) {
			t.Errorf("%d bytes inverted: %d, %v", length, len(got), err)
		}
	}
	call := session.begin(background, "measured_capitals")
	call.PutText(0, "text", "größe")
	reply := call.Finish()
	if got, err := reply.Text(0), reply.Err(); got != "GRößE" || err != nil {
		t.Error(got, err)
	}
	call.End()
	call = session.begin(background, "measured_rectangle_of")
	call.PutFloat64(0, 3)
	call.PutFloat64(8, 4)
	reply = call.Finish()
	image := reply.Image(0, 32)
	if width, area, err := image.Float64(0), image.Float64(16), reply.Err(); width != 3 || area != 12 || err != nil {
		t.Error(width, area, err)
	}
	call.End()
}

func TestATextWithANulIsRefusedBeforeItIsSent(t *testing.T) {
	session := measured(t).open(t, hotcell.Options{})
	for text, kind := range map[string]hotcell.Kind{"a\x00b": hotcell.ErrInvalidArgument, "a\xffb": hotcell.ErrBadEncoding} {
		call := session.begin(background, "measured_capitals")
		call.PutText(0, "text", text)
		err := call.Finish().Err()
		call.End()
		var failed *hotcell.Error
		if !errors.Is(err, kind) || !errors.As(err, &failed) || failed.Executed != hotcell.ExecutedNo {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestDataInABufferAreReadWhereTheyLie(t *testing.T) {
	session := measured(t).open(t, hotcell.Options{})
	buffer, err := session.Alloc(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	defer buffer.Free()
	data := buffer.Bytes()
	for at := range data {
		data[at] = byte(at * 31)
	}
	for _, part := range [][]byte{data, data[4096:], data[17:5000]} {
		call := session.begin(background, "measured_crc32")
		call.PutUint32(16, 0)
		call.PutBytes(0, "data", part)
		reply := call.Finish()
		if got, err := reply.Uint32(0), reply.Err(); got != crc32.ChecksumIEEE(part) || err != nil {
			t.Errorf("%d bytes: %x, %v", len(part), got, err)
		}
		call.End()
	}
}

// What has no length is refused as that, and what is too long says how long it may be.
func TestABufferHasALength(t *testing.T) {
	session := measured(t).open(t, hotcell.Options{MaxInput: 1 << 20})
	allocations := map[string]func(bytes int) error{
		"Alloc":       func(bytes int) error { _, err := session.Alloc(bytes); return err },
		"AllocShared": func(bytes int) error { _, err := session.AllocShared(bytes); return err },
	}
	for name, alloc := range allocations {
		for _, bytes := range []int{-1, math.MinInt} {
			var wrong *hotcell.ArgumentError
			if err := alloc(bytes); !errors.Is(err, hotcell.ErrInvalidArgument) || !errors.As(err, &wrong) || wrong.Name != "bytes" {
				t.Error(name, bytes, err)
			}
		}
		for _, bytes := range []int{1<<20 + 1, math.MaxInt} {
			if err := alloc(bytes); !errors.Is(err, hotcell.ErrLimitExceeded) || !strings.Contains(err.Error(), "a call may pass 1048576") {
				t.Error(name, bytes, err)
			}
		}
		if err := alloc(0); err != nil {
			t.Error(name, err)
		}
	}
}

// Who closes a session is told so of a call that was under way.
func TestACallOfASessionThatIsClosedSaysSo(t *testing.T) {
	session := faulty(t).open(t, hotcell.Options{})
	_, err := session.visit(background, session.openDB(t), 1, func(context.Context, []*string) (int32, error) { return 0, session.Close() })
	if !errors.Is(err, hotcell.ErrSupervisorGone) || !strings.Contains(err.Error(), "the session was closed while the call was under way") {
		t.Error(err)
	}
}

// A worker has room for some five hundred segments in its life.
func TestBuffersThatAreFreedServeTheNextOnes(t *testing.T) {
	session := measured(t).open(t, hotcell.Options{})
	for at := range 1200 {
		buffer, err := session.Alloc(1 << 16)
		if err != nil {
			t.Fatal(at, err)
		}
		buffer.Free()
	}
	if session.Generation() != 1 {
		t.Error("a worker was replaced for buffers that were freed")
	}
	var all []*hotcell.Buffer
	for at := range 600 {
		buffer, err := session.Alloc(4096)
		if err != nil {
			t.Fatal(at, err)
		}
		copy(buffer.Bytes(), "data")
		all = append(all, buffer)
	}
	if session.Generation() != 2 {
		t.Error("nobody made room", session.Generation())
	}
	if got, err := session.numbers(background, "measured_add", 1, 2); got != 3 || err != nil {
		t.Error(got, err)
	}
	for _, buffer := range all {
		if string(buffer.Bytes()[:4]) != "data" {
			t.Fatal("a buffer has gone with its worker")
		}
		buffer.Free()
	}
}

func TestALibrarysOwnFailureIsALibraryError(t *testing.T) {
	session := faulty(t).open(t, hotcell.Options{})
	_, err := session.numbers(background, "faulty_errno", int32(syscall.EAGAIN))
	var failed *hotcell.LibraryError
	if !errors.As(err, &failed) || failed.Errno != syscall.EAGAIN || failed.Code != -1 {
		t.Fatal(err)
	}
	if !errors.Is(err, syscall.EAGAIN) || !errors.Is(err, hotcell.ErrLibraryError) || errors.Is(err, hotcell.ErrCrashed) {
		t.Error(err)
	}
	call := session.begin(background, "faulty_open")
	call.PutInt32(0, 7)
	err = call.Finish().Err()
	call.End()
	if !errors.As(err, &failed) || failed.Code != 7 || failed.Message == "" {
		t.Error(err)
	}
	broken := hotcell.Code{Library: "faulty", Value: 7, Name: "FAULTY_BROKEN"}
	if !errors.Is(err, broken) || errors.Is(err, hotcell.Code{Library: "faulty", Value: 8}) || errors.Is(err, hotcell.Code{Library: "other", Value: 7}) {
		t.Error(err)
	}
}

func TestFaultsAreErrorsAndTheNextCallHasANewWorker(t *testing.T) {
	session := faulty(t).open(t, hotcell.Options{})
	var crash *hotcell.CrashError
	var exit *hotcell.ExitError
	for generation, fault := range []struct {
		name      string
		arguments []int32
		kind      hotcell.Kind
		says      func(error) bool
	}{
		{"faulty_null_dereference", nil, hotcell.ErrCrashed, func(err error) bool {
			return errors.As(err, &crash) && crash.Name == "SIGSEGV" && crash.HasAddress && crash.Address == 0
		}},
		{"faulty_abort", nil, hotcell.ErrCrashed, func(err error) bool { return errors.As(err, &crash) && crash.Name == "SIGABRT" }},
		{"faulty_exit", []int32{3}, hotcell.ErrExited, func(err error) bool { return errors.As(err, &exit) && exit.Status == 3 }},
		{"faulty_divide", []int32{1, 0}, hotcell.ErrCrashed, func(err error) bool { return errors.As(err, &crash) && crash.Name == "SIGFPE" }},
	} {
		_, err := session.numbers(background, fault.name, fault.arguments...)
		var failed *hotcell.Error
		if !errors.Is(err, fault.kind) || !fault.says(err) || !errors.As(err, &failed) {
			t.Fatalf("%s: %v", fault.name, err)
		}
		if failed.Function != fault.name || failed.Generation != uint64(generation+1) || !failed.IsFault() || failed.Executed != hotcell.ExecutedMaybe {
			t.Errorf("%+v", failed)
		}
		if got, err := session.numbers(background, "faulty_add", 1, 2); got != 3 || err != nil {
			t.Fatalf("behind %s: %d, %v", fault.name, got, err)
		}
	}
}

func TestTheContextsDeadlineEndsAHungCall(t *testing.T) {
	session := faulty(t).open(t, hotcell.Options{})
	ctx, cancel := context.WithTimeout(background, 60*time.Millisecond)
	defer cancel()
	begun := time.Now()
	_, err := session.numbers(ctx, "faulty_loop")
	if !errors.Is(err, hotcell.ErrHung) || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	if took := time.Since(begun); took < 60*time.Millisecond {
		t.Errorf("it ended after %v", took)
	}
	if got, err := session.numbers(background, "faulty_add", 1, 2); got != 3 || err != nil {
		t.Fatal(got, err)
	}
}

func TestCancellingEndsACallThatIsExecuted(t *testing.T) {
	session := faulty(t).open(t, hotcell.Options{})
	ctx, cancel := context.WithCancel(background)
	time.AfterFunc(50*time.Millisecond, cancel)
	_, err := session.numbers(ctx, "faulty_sleep", 20_000)
	if !errors.Is(err, hotcell.ErrCancelled) || !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if got, err := session.numbers(background, "faulty_add", 1, 2); got != 3 || err != nil || session.Generation() != 2 {
		t.Fatal(got, err, session.Generation())
	}
	if _, err := session.numbers(ctx, "faulty_add", 1, 2); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// openDB opens a database of the lab's library.
func (s *session) openDB(t *testing.T) *rt.Handle {
	t.Helper()
	call := s.begin(background, "faulty_open")
	defer call.End()
	call.PutInt32(0, 0)
	reply := call.Finish()
	db := reply.Handle(0, kindDB, true, nil)
	if err := reply.Err(); err != nil {
		t.Fatal(err)
	}
	return db
}

func (s *session) prepare(db *rt.Handle, text string) (*rt.Handle, error) {
	call := s.begin(background, "faulty_prepare")
	defer call.End()
	call.PutHandle(0, "db", db, kindDB)
	call.PutText(8, "text", text)
	reply := call.Finish()
	return reply.Handle(0, kindQuery, true, db), reply.Err()
}

// events is what became of objects since the last call: opened, prepared, finished, closed.
func (s *session) events(t *testing.T) string {
	t.Helper()
	call := s.begin(background, "faulty_events")
	defer call.End()
	reply := call.Finish()
	events := reply.Text(0)
	if err := reply.Err(); err != nil {
		t.Fatal(err)
	}
	return events
}

func TestObjectsAreReleasedAndChecked(t *testing.T) {
	session := faulty(t).open(t, hotcell.Options{})
	db := session.openDB(t)
	query, err := session.prepare(db, "some text")
	if err != nil {
		t.Fatal(err)
	}
	if events := session.events(t); events != "op" {
		t.Errorf("%q", events)
	}
	// The parent is closed first: it is released behind its child.
	_ = db.Close()
	if _, err := session.prepare(db, "more"); !errors.Is(err, hotcell.ErrStaleHandle) {
		t.Error(err)
	}
	_ = query.Close()
	_ = query.Close()
	if events := session.events(t); events != "fc" {
		t.Errorf("%q", events)
	}
	other := session.openDB(t)
	call := session.begin(background, "faulty_finish")
	call.PutConsumed(0, "query", other, kindQuery)
	err = call.Finish().Err()
	if call.End(); !errors.Is(err, hotcell.ErrWrongHandleType) {
		t.Error(err)
	}
	if _, err := session.numbers(background, "faulty_abort"); !errors.Is(err, hotcell.ErrCrashed) {
		t.Fatal(err)
	}
	if _, err := session.prepare(other, "text"); !errors.Is(err, hotcell.ErrStaleHandle) {
		t.Error(err)
	}
}

func TestWhatIsCollectedIsReleased(t *testing.T) {
	session := faulty(t).open(t, hotcell.Options{})
	for range 20 {
		db := session.openDB(t)
		if _, err := session.prepare(db, "text"); err != nil {
			t.Fatal(err)
		}
	}
	var events strings.Builder
	for range 200 {
		runtime.GC()
		events.WriteString(session.events(t))
		if strings.Count(events.String(), "f") == 20 && strings.Count(events.String(), "c") == 20 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("objects are left that nobody holds: %s", events.String())
}

func (s *session) visit(ctx context.Context, db *rt.Handle, times int32, run func(ctx context.Context, values []*string) (int32, error)) (int32, error) {
	call := s.begin(ctx, "faulty_visit")
	defer call.End()
	call.PutHandle(0, "db", db, kindDB)
	call.PutInt32(16, times)
	call.PutCallback(8, 32, func(ctx context.Context, in *rt.Invocation) (uint64, error) {
		values := in.OptTexts(0, rt.UTF8)
		if err := in.Err(); err != nil {
			return 0, err
		}
		value, err := run(ctx, values)
		return uint64(uint32(value)), err
	})
	reply := call.Finish()
	return reply.Int32(8), reply.Err()
}

func TestCallbacksRunHereAndMayCall(t *testing.T) {
	session := faulty(t).open(t, hotcell.Options{})
	db := session.openDB(t)
	var seen []string
	visited, err := session.visit(background, db, 5, func(ctx context.Context, values []*string) (int32, error) {
		for _, value := range values {
			if value == nil {
				seen = append(seen, "NULL")
			} else {
				seen = append(seen, *value)
			}
		}
		sum, err := session.numbers(ctx, "faulty_add", int32(len(seen)), 1)
		if err == nil && sum != int32(len(seen))+1 {
			err = errors.New("a nested call adds wrong")
		}
		return 0, err
	})
	t.Log(visited, seen)
	if err != nil || len(seen) < 5 {
		t.Fatal(visited, seen, err)
	}
}

func TestWhatACallbackFailsWithComesOut(t *testing.T) {
	session := faulty(t).open(t, hotcell.Options{})
	db := session.openDB(t)
	own := errors.New("the application's own")
	_, err := session.visit(background, db, 5, func(context.Context, []*string) (int32, error) { return 0, own })
	if !errors.Is(err, hotcell.ErrCallbackFailed) || !errors.Is(err, own) {
		t.Error(err)
	}
	func() {
		defer func() {
			if recovered := recover(); recovered != own {
				t.Error(recovered)
			}
		}()
		_, _ = session.visit(background, db, 5, func(context.Context, []*string) (int32, error) { panic(own) })
	}()
	// A nested call meets the worker's end, and so does the one around.
	_, err = session.visit(background, db, 5, func(ctx context.Context, _ []*string) (int32, error) {
		_, err := session.numbers(ctx, "faulty_abort")
		if !errors.Is(err, hotcell.ErrCrashed) {
			t.Error(err)
		}
		_, again := session.numbers(ctx, "faulty_add", 1, 1)
		if again == nil {
			t.Error("another worker took a nested call")
		}
		return 0, nil
	})
	if !errors.Is(err, hotcell.ErrCrashed) {
		t.Error(err)
	}
	if got, err := session.numbers(background, "faulty_add", 1, 2); got != 3 || err != nil {
		t.Fatal(got, err)
	}
}

func TestABatchIsOneCall(t *testing.T) {
	session := measured(t).open(t, hotcell.Options{})
	batch := rt.NewBatch(session.Session)
	var sums []rt.Ticket[int32]
	var inverted []rt.Ticket[[]byte]
	for at := range int32(64) {
		call := batch.Begin(session.library.numbers["measured_add"])
		call.PutInt32(0, at)
		call.PutInt32(4, 1000)
		sums = append(sums, rt.Values(call, func(r rt.Numbers) int32 { return r.Int32(0) }))
		call = batch.Begin(session.library.numbers["measured_invert"])
		call.PutBytes(0, "data", bytes.Repeat([]byte{byte(at)}, int(at)*100))
		inverted = append(inverted, rt.Read(call, func(r *rt.Reply) []byte { return r.Bytes(0) }))
	}
	call := batch.Begin(session.library.numbers["measured_capitals"])
	call.PutText(0, "text", "a\x00b")
	bad := rt.Read(call, func(r *rt.Reply) string { return r.Text(0) })
	if err := batch.Run(background); err != nil {
		t.Fatal(err)
	}
	for at := range int32(64) {
		if got, err := sums[at].Result(); got != at+1000 || err != nil {
			t.Errorf("%d: %d, %v", at, got, err)
		}
		if got, err := inverted[at].Result(); err != nil || !bytes.Equal(got, bytes.Repeat([]byte{^byte(at)}, int(at)*100)) {
			t.Errorf("%d: %d bytes, %v", at, len(got), err)
		}
	}
	if _, err := bad.Result(); !errors.Is(err, hotcell.ErrInvalidArgument) {
		t.Error(err)
	}
}

func TestInABatchEachFailsForItself(t *testing.T) {
	session := faulty(t).open(t, hotcell.Options{})
	batch := rt.NewBatch(session.Session)
	number := func(name string, arguments ...int32) rt.Ticket[int32] {
		call := batch.Begin(session.library.numbers[name])
		for at, argument := range arguments {
			call.PutInt32(4*at, argument)
		}
		return rt.Values(call, func(r rt.Numbers) int32 { return r.Int32(0) })
	}
	first, failing, last := number("faulty_add", 1, 2), number("faulty_errno", int32(syscall.ENOENT)), number("faulty_add", 3, 4)
	if err := batch.Run(background); err != nil {
		t.Fatal(err)
	}
	if got, err := first.Result(); got != 3 || err != nil {
		t.Error(got, err)
	}
	if _, err := failing.Result(); !errors.Is(err, syscall.ENOENT) {
		t.Error(err)
	}
	if got, err := last.Result(); got != 7 || err != nil {
		t.Error(got, err)
	}
	batch.Reset()
	first, crash, last := number("faulty_add", 1, 2), number("faulty_divide", 1, 0), number("faulty_add", 3, 4)
	_ = batch.Run(background)
	_, before := first.Result()
	_, own := crash.Result()
	_, behind := last.Result()
	if kinds := strings.Join([]string{kindOf(before), kindOf(own), kindOf(behind)}, " "); kinds != "WorkerLost Crashed WorkerLost" {
		t.Error(kinds)
	}
}

func TestTheSupervisorsEndIsAnErrorAndARestart(t *testing.T) {
	session := faulty(t).open(t, hotcell.Options{})
	done := make(chan error, 1)
	go func() {
		_, err := session.numbers(background, "faulty_sleep", 20_000)
		done <- err
	}()
	time.Sleep(100 * time.Millisecond)
	endSupervisors(t)
	if err := <-done; !errors.Is(err, hotcell.ErrSupervisorGone) {
		t.Fatal(err)
	}
	if got, err := session.numbers(background, "faulty_add", 1, 2); got != 3 || err != nil {
		t.Fatal(got, err)
	}
}

func TestAServerThatRunsAlreadyServes(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "serve")
	server := exec.Command(os.Getenv("HOTCELL"), "serve", "--socket", socket)
	server.Stderr = os.Stderr
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	})
	for {
		if _, err := os.Stat(socket); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	session := faulty(t).open(t, hotcell.Options{Socket: socket})
	if got, err := session.numbers(background, "faulty_add", 1, 2); got != 3 || err != nil {
		t.Fatal(got, err)
	}
	stats, err := session.Stats(background)
	if err != nil || !json.Valid(stats) || !strings.Contains(string(stats), "faulty") {
		t.Errorf("%s, %v", stats, err)
	}
}

func TestAProgramThatIsNotThereIsSaid(t *testing.T) {
	library := faulty(t)
	_, err := rt.Open(background, library.pack, hotcell.Options{Program: "/nowhere/hotcell", Libraries: library.files})
	if !errors.Is(err, hotcell.ErrLoadFailed) || !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	other := *library.pack
	other.Runtime = rt.Version + 1
	if _, err := rt.Open(background, &other, hotcell.Options{}); !errors.Is(err, hotcell.ErrAbiMismatch) {
		t.Error(err)
	}
	other.Runtime, other.Shim = rt.Version, []byte("no shim")
	if _, err := rt.Open(background, &other, hotcell.Options{Libraries: library.files}); !errors.Is(err, hotcell.ErrLoadFailed) {
		t.Error(err)
	}
}

// An error says where the library was, to who asks while its session is open.
func TestFramesOfACrash(t *testing.T) {
	session := faulty(t).open(t, hotcell.Options{})
	var failed *hotcell.Error
	_, err := session.numbers(background, "faulty_null_dereference")
	if !errors.As(err, &failed) || !errors.Is(err, hotcell.ErrCrashed) {
		t.Fatal(err)
	}
	frames, err := failed.Frames(background)
	if err != nil || len(frames) < 2 || frames[0].Function != "faulty_null_dereference" || !strings.HasSuffix(frames[0].Module, "libfaulty.so") {
		t.Fatal(frames, err)
	}
	if text := frames[0].String(); !strings.HasPrefix(text, "faulty_null_dereference") || !strings.Contains(text, "libfaulty.so+0x") {
		t.Error(text)
	}
	// What hangs has 20 ms to leave its stack, which a busy machine may not give it; what sleeps is woken first.
	frames = nil
	for tries := 0; len(frames) == 0 && tries < 20; tries++ {
		hanging := faulty(t).open(t, hotcell.Options{})
		ctx, cancel := context.WithTimeout(background, 100*time.Millisecond)
		_, err = hanging.numbers(ctx, "faulty_deadlock")
		cancel()
		if !errors.As(err, &failed) || !errors.Is(err, hotcell.ErrHung) {
			t.Fatal(err)
		}
		if frames, err = failed.Frames(background); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.ContainsFunc(frames, func(frame hotcell.Frame) bool { return frame.Function == "faulty_deadlock" }) {
		t.Error(frames)
	}
	_, err = session.numbers(background, "faulty_exit", 3)
	if !errors.As(err, &failed) {
		t.Fatal(err)
	}
	if frames, err = failed.Frames(background); err != nil || len(frames) != 0 {
		t.Error(frames, err)
	}
	_ = session.Close()
}
