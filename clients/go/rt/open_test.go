package rt

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hotcell"
)

func TestWhatCannotBeOpenedSaysWhichOptionIsWrong(t *testing.T) {
	nowhere := filepath.Join(t.TempDir(), "nobody")
	for want, options := range map[string]hotcell.Options{
		"Options.Deadline is -1ns":                                   {Deadline: -1},
		"Options.StartDeadline is -1s":                               {StartDeadline: -time.Second},
		"Options.Quarantine is no list: NewQuarantine makes one":     {Quarantine: new(hotcell.Quarantine)},
		nowhere + ", which Options.Socket or $HOTCELL_SERVE names: ": {Socket: nowhere},
	} {
		_, err := Open(context.Background(), &Package{Runtime: Version, Library: "fake", Shim: []byte("shim")}, options)
		var failed *hotcell.Error
		if !errors.As(err, &failed) || !strings.Contains(failed.Message, want) {
			t.Errorf("%v does not say %q", err, want)
		}
		if options.Socket == "" && !errors.Is(err, hotcell.ErrInvalidArgument) {
			t.Error(err)
		}
	}
}

func TestALibraryThatWasNotOpenedSaysSo(t *testing.T) {
	session, ctx := NotOpened("fake"), context.Background()
	says := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, hotcell.ErrInvalidArgument) || !strings.Contains(err.Error(), "the library was not opened: fake.Open opens one") {
			t.Errorf("%s: %v", what, err)
		}
	}
	says("a call", session.Begin(ctx, 0).Finish().Err())
	says("one with objects", session.BeginWith(ctx, 0, nil).Finish().Err())
	tries := 0
	_, err := Retried(ctx, session, func(ctx context.Context) (int, error) {
		tries++
		return 0, session.Begin(ctx, 0).Finish().Err()
	})
	if says("one that may be made again", err); tries != 1 {
		t.Error(tries)
	}
	batch := NewBatch(session)
	ticket := Values(batch.Begin(0), first)
	says("a batch", batch.Run(ctx))
	_, err = ticket.Result()
	says("an entry of it", err)
	_, err = Values(NewPipeline(ctx, session).Calls().Begin(0), first).Result()
	says("a pipeline", err)
	uneven := []Column{{"a", 1}, {"b", 2}}
	_, err = CallRows(ctx, session, 0, uneven, func(RowArguments) {}, func(RowResults, []int) {})
	says("columns", err)
	_, err = session.Alloc(8)
	says("memory", err)
	_, err = session.AllocShared(8)
	says("shared memory", err)
	_, err = session.Stats(ctx)
	says("what is known", err)
	if session.Generation() != 0 || session.TakeCallbackFailure() != nil || session.Close() != nil || session.Close() != nil {
		t.Error("it has a worker")
	}
	// Of an object that is nil there is no session either, and no panic.
	var none *Handle
	_, err = Retried(ctx, none.Session(), func(ctx context.Context) (int, error) {
		return 0, none.Begin(ctx, 0).Finish().Err()
	})
	if !errors.Is(err, hotcell.ErrInvalidArgument) || none.TypeName() != "?" {
		t.Error(err, none.TypeName())
	}
}

func TestAnObjectInAListThatIsNilIsNamed(t *testing.T) {
	pack := &Package{Functions: []Function{{Name: "take", Args: 16}}}
	call := NoObject(pack, 0, "the Box is nil: Library.Open gives one")
	want := "take: InvalidArgument: the Box is nil: Library.Open gives one"
	if err := call.Finish().Err(); !errors.Is(err, hotcell.ErrInvalidArgument) || err.Error() != want {
		t.Error(err)
	}
	call = (&Session{pack: pack}).stillborn(nil)
	call.PutHandles(0, "boxes", []*Handle{nil}, 1)
	var argument *hotcell.ArgumentError
	if err := call.err; !errors.As(err, &argument) || argument.Name != "boxes[0]" || !strings.Contains(err.Error(), "`boxes[0]` must not be nil") {
		t.Error(err)
	}
	// A buffer that is none is not lent.
	call = (&Session{pack: pack}).stillborn(nil)
	call.LendData(0, "data", new(hotcell.SharedBuffer))
	if err := call.err; !errors.Is(err, hotcell.ErrInvalidArgument) || !strings.Contains(err.Error(), "`data` has no memory") {
		t.Error(err)
	}
}
