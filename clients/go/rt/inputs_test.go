package rt

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"testing"

	"hotcell"
	"hotcell/internal/shm"
	"hotcell/internal/wire"
)

// everything has an argument of each kind that an input is made of: a number, room, a handle, data, texts and a structure.
var everything = Function{Name: "eat", Args: 80, Inputs: []Input{
	{Kind: InputNumbers, Offset: 0, Bytes: 8}, {Kind: InputRoom, Offset: 8}, {Kind: InputPresence, Offset: 16},
	{Kind: InputData, Offset: 24}, {Kind: InputReferences, Offset: 40}, {Kind: InputImages, Offset: 56},
}}

// meal is what is put into such a call. A field that is changed makes another input.
type meal struct {
	number, room, object uint64
	data                 []byte
	texts                []string
	field                int32
	text, inner          string
	// lends is lent as the room, where it is there.
	lends *hotcell.SharedBuffer
}

func (m meal) put(c *Call) {
	c.PutUint64(0, m.number)
	c.PutUint64(8, m.room)
	if m.lends != nil {
		c.LendRoom(8, "room", m.lends)
	}
	c.PutUint64(16, m.object)
	c.PutOptBytes(24, "data", m.data)
	c.PutOptTexts(40, "texts", UTF8, m.texts)
	inner, image := NewImage(16), NewImage(40)
	inner.PutText(c, 0, "inner", m.inner)
	image.PutInt32(0, m.field)
	image.PutText(c, 8, "text", m.text)
	image.PutImage(c, 24, "inner", inner)
	c.PutImage(56, "structure", image)
}

func TestAnInputIsWhatGoesInWhereverItLies(t *testing.T) {
	_, options := fake(t, 1, func(_ *fakeWorker, c *fakeCall) { c.reply(wire.ReplyStateReturned, 0, nil, nil) })
	session := open(t, options, everything, Function{Name: "plain", Args: 8, Inputs: nil})
	buffer, err := session.Alloc(3000)
	if err != nil {
		t.Fatal(err)
	}
	of := func(m meal, before int) hotcell.Input {
		t.Helper()
		call := session.Begin(context.Background(), 0)
		defer call.End()
		// What lies in front moves all of it.
		call.place("before", make([]byte, before), 0)
		m.put(call)
		input, some := call.inputOf()
		if !some || call.err != nil {
			t.Fatal("there is no input", call.err)
		}
		return input
	}
	long := bytes.Repeat([]byte("long"), 700)
	copy(buffer.Bytes(), long)
	base := meal{number: 1, room: 2, object: 3, data: long, texts: []string{"a", "bc"}, field: 7, text: "text", inner: "inner"}
	expected := of(base, 0)
	same := map[string]hotcell.Input{"the same": of(base, 0), "elsewhere": of(base, 500), "far away": of(base, 100_000)}
	other := base
	other.object = 99
	same["another object"] = of(other, 0)
	other = base
	other.data = buffer.Bytes()[:len(long)]
	same["in a buffer"] = of(other, 0)
	room, err := session.AllocShared(2)
	if err != nil {
		t.Fatal(err)
	}
	other = base
	other.lends = room
	same["room that is lent"] = of(other, 0)
	for name, got := range same {
		if got != expected {
			t.Errorf("%s is another input", name)
		}
	}
	for name, change := range map[string]func(*meal){
		"number":    func(m *meal) { m.number++ },
		"room":      func(m *meal) { m.room++ },
		"no object": func(m *meal) { m.object = 0 },
		"data":      func(m *meal) { m.data = m.data[1:] },
		"no data":   func(m *meal) { m.data = nil },
		"empty":     func(m *meal) { m.data = []byte{} },
		"texts":     func(m *meal) { m.texts = []string{"ab", "c"} },
		"fewer":     func(m *meal) { m.texts = m.texts[:1] },
		"field":     func(m *meal) { m.field++ },
		"text":      func(m *meal) { m.text += "s" },
		"inner":     func(m *meal) { m.inner = "inmer" },
	} {
		changed := base
		change(&changed)
		if of(changed, 0) == expected {
			t.Errorf("another %s is the same input", name)
		}
	}
	call := session.Begin(context.Background(), 1)
	defer call.End()
	if _, some := call.inputOf(); some {
		t.Error("a number alone is an input")
	}
}

func TestACallThatEndsWorkersIsRefusedTheThirdTime(t *testing.T) {
	_, options := fake(t, 1, func(w *fakeWorker, c *fakeCall) {
		if bytes.Contains(c.args, []byte("poison")) {
			w.end(map[string]any{"kind": "Crashed", "message": "it crashed"}, 0)
			return
		}
		c.reply(wire.ReplyStateReturned, 0, nil, nil)
	})
	options.Quarantine = hotcell.NewQuarantine(hotcell.QuarantineRule{})
	eat := Function{Name: "eat", Args: 16, Inputs: []Input{{Kind: InputData}}}
	session, other := open(t, options, eat), open(t, options, eat)
	call := func(session *Session, text string) error {
		call := session.Begin(context.Background(), 0)
		defer call.End()
		call.PutText(0, "text", text)
		return call.Finish().Err()
	}
	for range 2 {
		if err := call(session, "poison"); !errors.Is(err, hotcell.ErrCrashed) {
			t.Fatal(err)
		}
	}
	var failed *hotcell.Error
	var cause *hotcell.QuarantinedError
	for _, session := range []*Session{session, other} {
		// One has to be there.
		if err := call(session, "bread"); err != nil {
			t.Fatal(err)
		}
		before := session.Generation()
		err := call(session, "poison")
		if !errors.As(err, &failed) || failed.Kind != hotcell.ErrQuarantined || failed.Executed != hotcell.ExecutedNo || !errors.As(err, &cause) {
			t.Fatal(err)
		}
		if err := call(session, "bread"); err != nil || session.Generation() != before {
			t.Fatal(err, "a worker was ended for it")
		}
	}
	if !options.Quarantine.Release(cause.Input) {
		t.Fatal("it was not refused")
	}
	if err := call(session, "poison"); !errors.Is(err, hotcell.ErrCrashed) {
		t.Fatal(err)
	}
}

// poisoned is a session whose workers end in each call that goes in with data, or room for them, of this many bytes.
func poisoned(t *testing.T, deadly uint64) *Session {
	_, options := fake(t, 1, func(w *fakeWorker, c *fakeCall) {
		place, length := shm.Place(binary.NativeEndian.Uint64(c.args)), binary.NativeEndian.Uint64(c.args[8:])
		if c.function == 1 {
			// Room: how much, or the place of a reference to what is lent.
			if length = uint64(place); place&wire.Lent != 0 {
				place &^= wire.Lent
				length = binary.NativeEndian.Uint64(w.segment(place.Segment())[place.Offset()+8:])
			}
		}
		if length == deadly {
			w.end(map[string]any{"kind": "Crashed", "message": "it crashed"}, 0)
			return
		}
		c.reply(wire.ReplyStateReturned, 0, make([]byte, 16), nil)
	})
	options.Quarantine = hotcell.NewQuarantine(hotcell.QuarantineRule{})
	change := Function{Name: "change", Args: 16, Results: 16, Inputs: []Input{{Kind: InputData}}}
	into := Function{Name: "into", Args: 32, Results: 16, Inputs: []Input{{Kind: InputRoom}, {Kind: InputData, Offset: 16}}}
	return open(t, options, change, into)
}

// refusedAfter is how many calls have ended a worker before one was refused; limit where none was.
func refusedAfter(t *testing.T, limit int, call func() error) int {
	t.Helper()
	for ended := range limit {
		switch err := call(); {
		case errors.Is(err, hotcell.ErrQuarantined):
			return ended
		case !errors.Is(err, hotcell.ErrCrashed):
			t.Fatal(err)
		}
	}
	return limit
}

func TestDataInMemoryOfTheSessionAreInputs(t *testing.T) {
	const length = 9000
	session := poisoned(t, length)
	call := func(data []byte) error {
		call := session.Begin(t.Context(), 0)
		defer call.End()
		call.PutBytes(0, "data", data)
		return call.Finish().Err()
	}
	alloc := func() *hotcell.Buffer {
		buffer, err := session.Alloc(length)
		if err != nil {
			t.Fatal(err)
		}
		copy(buffer.Bytes(), bytes.Repeat([]byte("poison"), length/6))
		return buffer
	}
	ended := refusedAfter(t, 9, func() error {
		buffer := alloc()
		defer buffer.Free()
		return call(buffer.Bytes())
	})
	if ended != 2 {
		t.Errorf("it was refused after %d workers", ended)
	}
	// Wherever they lie, they are the same input.
	if err := call(bytes.Repeat([]byte("poison"), length/6)); !errors.Is(err, hotcell.ErrQuarantined) {
		t.Error(err)
	}
	if err := call(bytes.Repeat([]byte("bread!"), length/6)); !errors.Is(err, hotcell.ErrCrashed) {
		t.Error("another input of this length is refused:", err)
	}
}

func TestDataThatAreLentAreNoInput(t *testing.T) {
	const length = 5000
	session := poisoned(t, length)
	var buffer *hotcell.SharedBuffer
	lend := func() error {
		call := session.Begin(t.Context(), 0)
		defer call.End()
		call.LendData(0, "data", buffer)
		reply := call.Finish()
		reply.Filled(0, buffer)
		return reply.Err()
	}
	alloc := func() {
		var err error
		if buffer, err = session.AllocShared(length); err != nil {
			t.Fatal(err)
		}
		if _, err = buffer.WriteAt([]byte("poison"), 0); err != nil {
			t.Fatal(err)
		}
	}
	// The worker may have changed what it was lent: nobody knows what went in.
	if ended := refusedAfter(t, 5, func() error { alloc(); defer buffer.Free(); return lend() }); ended != 5 {
		t.Errorf("it was refused after %d workers", ended)
	}
	// Of a buffer whose worker has ended they are copied, and what was copied is known.
	alloc()
	defer buffer.Free()
	if ended := refusedAfter(t, 9, lend); ended != 3 {
		t.Errorf("it was refused after %d workers", ended)
	}
	// Where the worker is lent it again, nobody looks: it is not refused in doubt.
	alloc()
	if err := lend(); !errors.Is(err, hotcell.ErrCrashed) {
		t.Error(err)
	}
	buffer.Free()
}

func TestRoomThatIsLentIsRoomOfAnInput(t *testing.T) {
	const length = 5000
	session := poisoned(t, length)
	call := func(room int, data string) error {
		buffer, err := session.AllocShared(room)
		if err != nil {
			t.Fatal(err)
		}
		defer buffer.Free()
		call := session.Begin(t.Context(), 1)
		defer call.End()
		call.LendRoom(0, "room", buffer)
		call.PutText(16, "data", data)
		return call.Finish().Err()
	}
	if ended := refusedAfter(t, 9, func() error { return call(length, "poison") }); ended != 2 {
		t.Errorf("it was refused after %d workers", ended)
	}
	plain := session.Begin(t.Context(), 1)
	plain.PutRoom(0, "x", length)
	plain.PutText(16, "data", "poison")
	if err := plain.Finish().Err(); !errors.Is(err, hotcell.ErrQuarantined) {
		t.Error("the same with memory that is not lent:", err)
	}
	plain.End()
	if err := call(length+1, "poison"); err != nil {
		t.Error("with other room it is another input:", err)
	}
	if err := call(length, "bread"); !errors.Is(err, hotcell.ErrCrashed) {
		t.Error("another input is refused:", err)
	}
}
