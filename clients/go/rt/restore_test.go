package rt

import (
	"bytes"
	"strings"
	"sync/atomic"
	"testing"

	"hotcell/internal/wire"
)

// thing is the name of an object of the first type in a worker.
func thing(generation, index uint64) object {
	return object{generation, 1<<wire.HandleTypeShift | 1<<wire.HandleGenerationShift | index}
}

func newAnew(times uint32) *anew {
	return &anew{restore: &Restore{Times: times, Configure: []Repeated{{}}}, made: &record{inputs: []part{{bytes: []byte("a password")}}}}
}

// What is kept may be a secret: it is overwritten when nobody needs it any more, and not while it is made again.
func TestWhatIsKeptIsOverwrittenWhenItGoes(t *testing.T) {
	kept := newAnew(3)
	first, second := &record{repeated: &Repeated{}, inputs: []part{{bytes: []byte{1}}}}, &record{repeated: &Repeated{}, inputs: []part{{bytes: []byte{2}}}}
	kept.configured(first, "", 1)
	kept.configured(second, "", 1)
	if first.inputs[0].bytes[0] != 0 || second.inputs[0].bytes[0] != 2 || len(kept.settings) != 1 {
		t.Fatal(first, second, kept.settings)
	}
	session := &Session{pack: &Package{}}
	handle := &Handle{session: session, object: thing(1, 1), owned: true, gone: new(atomic.Bool), anew: kept}
	mine, _, err := kept.begin(handle, wanted{fn: &nothing, generation: 2})
	if err != nil || !bytes.Equal(mine.made.inputs[0].bytes, []byte("a password")) {
		t.Fatal(err)
	}
	kept.lose("of this test")
	if second.inputs[0].bytes[0] != 2 || !bytes.Equal(mine.made.inputs[0].bytes, []byte("a password")) {
		t.Error("it is overwritten while it is made again")
	}
	kept.end()
	if second.inputs[0].bytes[0] != 0 || !bytes.Equal(mine.made.inputs[0].bytes, make([]byte, 10)) {
		t.Error("it is not overwritten")
	}
}

// What stands for an object is released once, when that goes, and not where a call has taken it over.
func TestWhatStandsIsReleasedOnce(t *testing.T) {
	for _, taken := range []bool{false, true} {
		session := &Session{pack: &Package{}}
		session.objects.known = make(map[object]known)
		kept := newAnew(3)
		handle := &Handle{session: session, object: thing(1, 1), owned: true, gone: new(atomic.Bool), anew: kept}
		mine, _, err := kept.begin(handle, wanted{fn: &nothing, generation: 2})
		if err != nil {
			t.Fatal(err)
		}
		mine.target, mine.release = thing(2, 7), &Release{}
		if !kept.stand(session, handle, mine) || handle.Restored() != 1 {
			t.Fatal("it does not stand")
		}
		kept.end()
		if at, there := handle.in(2); !there || at != thing(2, 7) || handle.latest() != at {
			t.Error(at, there)
		}
		if at, there := handle.in(1); !there || at != thing(1, 1) {
			t.Error(at, there)
		}
		if taken {
			passed{handle, consumed, thing(2, 7)}.take()
		}
		kept.leave(session)
		kept.leave(session)
		if want := map[bool]int{false: 1, true: 0}[taken]; len(session.objects.notes) != want {
			t.Errorf("taken over %v: %d notes", taken, len(session.objects.notes))
		}
	}
}

// What another call takes over while an object is made anew, or what was made in a later worker, is not replaced.
func TestWhatIsMadeTooLateDoesNotStand(t *testing.T) {
	for name, meanwhile := range map[string]func(*Handle){
		"taken over": func(handle *Handle) { passed{handle, consumed, thing(1, 1)}.take() },
		"later":      func(handle *Handle) { handle.anew.stands, handle.anew.release = thing(3, 1), &Release{} },
		"lost":       func(handle *Handle) { handle.anew.lose("of this test") },
	} {
		session := &Session{pack: &Package{}}
		session.objects.known = make(map[object]known)
		handle := &Handle{session: session, object: thing(1, 1), owned: true, gone: new(atomic.Bool), anew: newAnew(3)}
		mine, _, err := handle.anew.begin(handle, wanted{fn: &nothing, generation: 2})
		if err != nil {
			t.Fatal(err)
		}
		mine.target, mine.release = thing(2, 7), &Release{}
		meanwhile(handle)
		if !handle.anew.stand(session, handle, mine) || mine.standing || handle.Restored() != 0 {
			t.Errorf("%s: it stands", name)
		}
	}
}

// A call gives back what it has not taken over, and what stands for it then is released when it goes.
func TestWhatWasGivenBackIsReleased(t *testing.T) {
	session := &Session{pack: &Package{}}
	session.objects.known = make(map[object]known)
	kept := newAnew(3)
	kept.stands, kept.release = thing(2, 7), &Release{}
	handle := &Handle{session: session, object: thing(1, 1), owned: true, gone: new(atomic.Bool), anew: kept}
	with := passed{handle, consumedOnSuccess, thing(2, 7)}
	with.take()
	with.giveBack()
	if kept.taken || handle.gone.Load() {
		t.Fatal("it was not given back")
	}
	kept.leave(session)
	if len(session.objects.notes) != 1 || session.objects.notes[0].object != thing(2, 7) {
		t.Error(session.objects.notes)
	}
	if why := handle.whyNot(3); !strings.Contains(why, "it was released") {
		t.Error(why)
	}
}
