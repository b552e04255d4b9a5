// The package of shelf, used as an application would.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"time"

	"hotcell"
	"hotcell/rt"
	shelf "shelf-hotcell"
)

var ctx = context.Background()

func main() {
	lib := open()
	defer lib.Close()
	for _, part := range []func(*shelf.Library){
		notOpened, none, objects, collected, failed, callbacks, keptCallbacks, structures, texts, failures, streams, longStructures,
		truthsAndRows, batches, batchesAgain, keptInBatches, pipelines, contexts, crashes,
	} {
		part(lib)
	}
	fmt.Println("all is well")
}

func open() *shelf.Library {
	return must(shelf.Open(ctx, hotcell.Options{Libraries: []string{os.Getenv("SHELF")}}))
}

// must is a value that came without an error.
func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// equal holds what is there against what is expected.
func equal(got, expected any) {
	if !reflect.DeepEqual(got, expected) {
		_, file, line, _ := runtime.Caller(1)
		panic(fmt.Sprintf("%s:%d: %#v is not %#v", file, line, got, expected))
	}
}

// fails is that a call failed so.
func fails(err error, expected error) {
	if !errors.Is(err, expected) {
		_, file, line, _ := runtime.Caller(1)
		panic(fmt.Sprintf("%s:%d: %v is not %v", file, line, err, expected))
	}
}

func objects(lib *shelf.Library) {
	books := must(lib.Open(ctx, "books"))
	equal(must(books.Name(ctx)), "books")
	first := must(books.BoxNew(ctx, shelf.SizeSmall))
	equal(must(first.Label(ctx)), (*shelf.Label)(nil))
	check(first.Add(ctx, 3))
	check(first.Add(ctx, 4))
	equal(must(first.Sum(ctx)), int64(7))
	label := must(first.Label(ctx))
	equal(must(label.Length(ctx)), int32(2))
	// What was given away is stale.
	check(books.Put(ctx, first))
	equal(must(books.Total(ctx)), int64(7))
	fails(second(first.Sum(ctx)), hotcell.ErrStaleHandle)
	fails(second(label.Length(ctx)), hotcell.ErrStaleHandle)
	equal(must(lib.Alive(ctx)), int32(2))
	equal(must(books.ShelfClose(ctx)), int32(0))
	equal(must(lib.Alive(ctx)), int32(0))
	check(books.Close())
	// What was not taken over is its owner's.
	tiny := must(lib.Open(ctx, "tiny"))
	box := must(tiny.BoxNew(ctx, shelf.SizeSmall))
	fails(tiny.Put(ctx, box), hotcell.ErrLibraryError)
	equal(must(box.Sum(ctx)), int64(0))
	check(box.Close())
	check(box.Close())
	equal(must(lib.Alive(ctx)), int32(1))
	check(tiny.Close())
	equal(must(lib.Alive(ctx)), int32(0))
	// Another worker's objects are not this one's, and what is nil is none.
	other := open()
	foreign := must(must(other.Open(ctx, "foreign")).BoxNew(ctx, shelf.SizeSmall))
	here := must(lib.Open(ctx, "here"))
	fails(here.Put(ctx, foreign), hotcell.ErrUnknownHandle)
	fails(here.Put(ctx, nil), hotcell.ErrInvalidArgument)
	fails((*shelf.Box)(nil).Add(ctx, 1), hotcell.ErrInvalidArgument)
	check(here.Close())
	check(other.Close())
}

// notOpened is that of a library that Open has not made every call says so, and none panics.
func notOpened(*shelf.Library) {
	for _, lib := range []*shelf.Library{nil, {}} {
		says := func(err error) {
			fails(err, hotcell.ErrInvalidArgument)
			equal(strings.Contains(err.Error(), "the library was not opened: shelf.Open opens one"), true)
		}
		says(second(lib.Alive(ctx)))
		says(second(lib.Open(ctx, "books")))
		says(shelf.NewStream(lib).Start(ctx, 7))
		says(second(lib.Session().Alloc(8)))
		batch := lib.Batch()
		alive := batch.Alive()
		says(batch.Run(ctx))
		says(second(alive.Result()))
		says(second(lib.Pipeline(ctx).Alive().Result()))
		check(lib.Close())
	}
}

// none is that of what nobody has made, and of what is over, every call says so and what to do, and none panics.
func none(lib *shelf.Library) {
	says := func(err error, words string) {
		fails(err, hotcell.ErrInvalidArgument)
		equal([]any{strings.Contains(err.Error(), words), err.Error()}, []any{true, err.Error()})
	}
	for _, box := range []*shelf.Box{nil, {}} {
		says(box.Add(ctx, 1), "shelf_box_add: InvalidArgument: the Box is nil: Shelf.BoxNew gives one")
		says(second(box.Each(ctx, nil)), "the Box is nil")
		check(box.Close())
	}
	says(second((*shelf.Shelf)(nil).BoxNew(ctx, shelf.SizeSmall)), "the Shelf is nil: Library.Open gives one")
	for _, stream := range []*shelf.Stream{nil, {}} {
		says(stream.Start(ctx, 7), "the Stream is of no library: NewStream makes one that is")
		says(stream.Run(ctx), "the Stream is of no library")
		check(stream.Close())
	}
	// A batch and a pipeline that no library has begun.
	var batch shelf.Batch
	alive := batch.Alive()
	says(batch.Run(ctx), "no library has begun this batch or pipeline")
	says(second(alive.Result()), "no library has begun this batch or pipeline")
	equal(batch.Len(), 0)
	batch.Reset()
	says(second(alive.Result()), "no library has begun this batch or pipeline")
	var pipeline shelf.Pipeline
	says(second(pipeline.Sizes().Result()), "no library has begun this batch or pipeline")
	pipeline.Settle()
	(*shelf.Pipeline)(nil).Settle()
	equal([]any{pipeline.InFlight(), (*shelf.Pipeline)(nil).InFlight()}, []any{0, 0})
	says((*shelf.Batch)(nil).Run(ctx), "no library has begun this batch or pipeline")
	(*shelf.Batch)(nil).Reset()
	equal((*shelf.Batch)(nil).Len(), 0)
	var ticket rt.Ticket[int32]
	says(second(ticket.Result()), "the ticket is of no call")
	// No context.
	const nothing = "the context is nil: pass context.Background() where there is none"
	none := context.Context(nil)
	says(second(lib.Alive(none)), nothing)
	books := must(lib.Open(ctx, "books"))
	says(second(books.Total(none)), nothing)
	entry := lib.Batch()
	alive = entry.Alive()
	says(entry.Run(none), nothing)
	says(second(alive.Result()), nothing)
	pipe := lib.Pipeline(none)
	says(second(pipe.Alive().Result()), nothing)
	pipe.Settle()
	says(second(shelf.Open(none, hotcell.Options{})), nothing)
	says(second(lib.Session().Stats(none)), nothing)
	// What is closed.
	check(books.Close())
	fails(second(books.Total(ctx)), hotcell.ErrStaleHandle)
	over := open()
	kept := must(over.Open(ctx, "kept"))
	entry, pipe = over.Batch(), over.Pipeline(ctx)
	alive = entry.Alive()
	check(over.Close())
	check(over.Close())
	for _, err := range []error{
		second(over.Alive(ctx)), second(kept.Total(ctx)), entry.Run(ctx), second(alive.Result()), second(pipe.Alive().Result()),
		second(over.Session().Alloc(8)), second(over.Session().AllocShared(8)), second(over.Session().Stats(ctx)), shelf.NewStream(over).Start(ctx, 1),
	} {
		fails(err, hotcell.ErrUnavailable)
		equal([]any{strings.Contains(err.Error(), "the session is closed"), err.Error()}, []any{true, err.Error()})
	}
	check(kept.Close())
	equal(must(lib.Alive(ctx)), must(lib.Alive(ctx)))
}

func second[T any](_ T, err error) error { return err }

func collected(lib *shelf.Library) {
	func() {
		garbage := must(lib.Open(ctx, "garbage"))
		for range 10 {
			must(garbage.BoxNew(ctx, shelf.SizeLarge))
		}
	}()
	// Released when they are garbage: children before what they belong to.
	for range 500 {
		runtime.GC()
		if must(lib.Alive(ctx)) == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	panic("what is garbage was not released")
}

func failed(lib *shelf.Library) {
	_, err := lib.Open(ctx, "broken")
	fails(err, shelf.ErrBroken)
	var failure *hotcell.LibraryError
	if !errors.As(err, &failure) {
		panic(err)
	}
	equal([]any{failure.Code, failure.Symbol, failure.Message}, []any{int64(shelf.Broken), "SHELF_BROKEN", "the shelf is broken"})
	// The shelf that was there all the same is closed.
	equal(must(lib.Alive(ctx)), int32(0))
	full := must(lib.Open(ctx, "full"))
	defer full.Close()
	small := must(full.BoxNew(ctx, shelf.SizeSmall))
	defer small.Close()
	check(small.Add(ctx, 1))
	check(small.Add(ctx, 1))
	err = small.Add(ctx, 1)
	fails(err, shelf.ErrFull)
	equal(errors.Is(err, shelf.ErrBroken), false)
	equal(err.Error(), "shelf: shelf_box_add: LibraryError: SHELF_FULL (code 1)")
}

func callbacks(lib *shelf.Library) {
	calls := must(lib.Open(ctx, "calls"))
	large := must(calls.BoxNew(ctx, shelf.SizeLarge))
	for number := range int32(100) {
		check(large.Add(ctx, number))
	}
	count, last := 0, ""
	result := must(large.Each(ctx, func(_ context.Context, number int32, text string, names []*string) (int32, error) {
		count, last = count+1, text
		equal(len(names), 3)
		equal([]any{*names[0], names[1], *names[2]}, []any{text, (*string)(nil), "calls"})
		if number == 42 {
			return 7, nil
		}
		return 0, nil
	}))
	equal([]any{result, count, last}, []any{int32(7), 43, "number 42"})
	// An error and a panic come out where the call was made; the session goes on.
	mine := errors.New("of its own")
	fails(second(large.Each(ctx, func(context.Context, int32, string, []*string) (int32, error) { return 0, mine })), mine)
	fails(second(large.Each(ctx, nil)), hotcell.ErrInvalidArgument)
	func() {
		defer func() { equal(recover(), "loud") }()
		large.Each(ctx, func(context.Context, int32, string, []*string) (int32, error) { panic("loud") })
	}()
	// A call in a callback is nested in the one that runs it.
	nested := must(large.Each(ctx, func(ctx context.Context, number int32, _ string, _ []*string) (int32, error) {
		sum, err := large.Sum(ctx)
		return int32(sum), err
	}))
	equal(nested, int32(4950))
	check(large.Close())
	check(calls.Close())
}

func keptCallbacks(lib *shelf.Library) {
	watched := must(lib.Open(ctx, "watched"))
	var names []string
	var sums []int64
	var first *shelf.Box
	check(second(struct{}{}, watched.Watch(ctx, func(ctx context.Context, s *shelf.Shelf, box *shelf.Box, all []*shelf.Box) (int32, error) {
		first, sums = box, nil
		for _, box := range all {
			sums = append(sums, must(box.Sum(ctx)))
		}
		names = append(names, must(s.Name(ctx)))
		return 1000, nil
	})))
	equal(must(watched.Total(ctx)), int64(1000))
	equal([]any{names, first, sums}, []any{[]string{"watched"}, (*shelf.Box)(nil), []int64(nil)})
	for _, number := range []int32{5, 6} {
		box := must(watched.BoxNew(ctx, shelf.SizeSmall))
		check(box.Add(ctx, number))
		check(watched.Put(ctx, box))
	}
	equal(must(watched.Total(ctx)), int64(1011))
	equal(sums, []int64{6, 5})
	// It was lent for the time of the callback.
	fails(second(first.Sum(ctx)), hotcell.ErrStaleHandle)
	check(watched.Watch(ctx, nil))
	equal(must(watched.Total(ctx)), int64(11))
	check(watched.Close())
}

func structures(lib *shelf.Library) {
	metre := must(lib.Open(ctx, "metre"))
	measure := must(metre.MeasureOf(ctx))
	equal(measure, shelf.Measure{Corner: shelf.Corner{X: 1.5, Y: -2.5}, Sides: [3]int32{1, 2, 3}, Unit: "metre", Size: shelf.SizeLarge})
	equal(fmt.Sprint(measure.Size, shelf.Size(5)), "SHELF_SIZE_LARGE Size(5)")
	check(lib.MeasureDouble(ctx, &measure))
	equal(measure, shelf.Measure{Corner: shelf.Corner{X: 3, Y: -5}, Sides: [3]int32{2, 4, 6}, Unit: "doubled", Size: shelf.SizeLarge})
	fails(lib.MeasureDouble(ctx, nil), hotcell.ErrInvalidArgument)
	corner := shelf.Corner{X: 3, Y: 4}
	equal(must(lib.CornerDistance(ctx, corner, new(shelf.Corner))), 25.0)
	equal(must(lib.CornerDistance(ctx, corner, &corner)), 0.0)
	equal(must(lib.CornerDistance(ctx, corner, nil)), 25.0)
	check(metre.Close())
}

func texts(lib *shelf.Library) {
	count, joined, err := lib.Join(ctx, []string{"one ", "", "zwölf"})
	check(err)
	equal([]any{count, *joined}, []any{int32(3), "one zwölf"})
	_, joined, err = lib.Join(ctx, nil)
	check(err)
	equal(joined, (*string)(nil))
	number, end, err := lib.Number(ctx, "12 apples")
	check(err)
	equal([]any{number, end}, []any{int64(12), 2})
	_, end, err = lib.Number(ctx, "apples")
	check(err)
	equal(end, -1)
	// Places in a text are counted as Go counts, in bytes.
	turned, blank, err := lib.Turn(ctx, "zwölf Äpfel")
	check(err)
	equal([]any{turned, blank}, []any{"lefpÄ flöwz", 6})
	_, blank, err = lib.Turn(ctx, "")
	check(err)
	equal(blank, -1)
	_, _, err = lib.Turn(ctx, "🦀")
	fails(err, hotcell.ErrBadEncoding)
	_, _, err = lib.Turn(ctx, "a\x00b")
	fails(err, hotcell.ErrInvalidArgument)
	_, _, err = lib.Number(ctx, "\xff")
	if err == nil {
		panic("a text that is not UTF-8 was passed")
	}
	words, length, err := lib.Words(ctx, "zwölf  Äpfel")
	check(err)
	equal([]any{words, length}, []any{[]*string{new("zwölf"), nil, new("Äpfel")}, int32(3)})
	words, _, err = lib.Words(ctx, "")
	check(err)
	equal(words, []*string(nil))
	equal(must(lib.Sizes(ctx)), []string{"small", "groß"})
	_, squares, err := lib.Squares(ctx, 4)
	check(err)
	equal(squares, []int32{0, 1, 4, 9})
	_, squares, err = lib.Squares(ctx, 0)
	check(err)
	equal(squares, []int32(nil))
}

func failures(lib *shelf.Library) {
	digits := must(lib.Digits(ctx, "-123"))
	equal([]any{digits.Value, digits.Negative, digits.End, digits.Digits, digits.Complaint}, []any{int64(123), true, 4, []int16{1, 2, 3}, (*string)(nil)})
	_, err := lib.Digits(ctx, "-12a")
	fails(err, shelf.ErrBroken)
	var failure *hotcell.LibraryError
	if !errors.As(err, &failure) {
		panic(err)
	}
	outputs := failure.Outputs
	equal(fmt.Sprint(outputs["value"], outputs["negative"], outputs["digits"], outputs["count"]), "12 true [1 2] 2")
	equal(fmt.Sprint(outputs["why"], ", ", outputs["complaint"]), "no digit, what is that?")
	// What is there after a failure is the caller's.
	metre := must(lib.Open(ctx, "metre"))
	measure := must(metre.MeasureOf(ctx))
	measure.Unit = "mile"
	fails(lib.MeasureCut(ctx, &measure), hotcell.ErrLibraryError)
	equal([]any{measure.Sides, measure.Unit}, []any{[3]int32{1, 1, 1}, "mile"})
	check(metre.Close())
}

func streams(lib *shelf.Library) {
	alive := must(lib.Alive(ctx))
	stream := shelf.NewStream(lib)
	err := stream.Run(ctx)
	fails(err, hotcell.ErrInvalidArgument)
	equal(strings.Contains(err.Error(), "call Start first"), true)
	// What nothing has made is an error, too.
	fails((*shelf.Stream)(nil).Run(ctx), hotcell.ErrInvalidArgument)
	fails(new(shelf.Stream).Start(ctx, 1), hotcell.ErrInvalidArgument)
	fails(stream.Start(ctx, -1), shelf.ErrBroken)
	check(stream.Start(ctx, 1))
	equal(must(lib.Alive(ctx)), alive+1)
	// What is there does not begin again.
	fails(stream.Start(ctx, 1), hotcell.ErrInvalidArgument)
	stream.NextIn, stream.AvailOut = []byte{2, 4, 6}, 2
	check(stream.Run(ctx))
	equal([]any{stream.NextIn, stream.NextOut, stream.AvailOut, stream.Total}, []any{[]byte{6}, []byte{3, 5}, uint32(0), uint64(2)})
	stream.AvailOut = 100
	check(stream.Run(ctx))
	equal([]any{len(stream.NextIn), stream.NextOut, stream.AvailOut, stream.Total}, []any{0, []byte{7}, uint32(99), uint64(3)})
	// What a failed call did is there all the same.
	stream.NextIn, stream.AvailOut = []byte{2, 255, 4}, 5
	fails(stream.Run(ctx), shelf.ErrBroken)
	equal([]any{stream.NextIn, stream.NextOut, stream.AvailOut, stream.Total}, []any{[]byte{4}, []byte{3}, uint32(4), uint64(4)})
	check(stream.Run(ctx))
	equal([]any{len(stream.NextIn), stream.NextOut}, []any{0, []byte{5}})
	// So it is when a callback fails.
	stream.NextIn = []byte{7, 8, 9}
	mine := errors.New("an eight")
	_, err = stream.Visit(ctx, func(_ context.Context, value int32) (int32, error) {
		if value == 8 {
			return 0, mine
		}
		return 0, nil
	})
	fails(err, mine)
	equal(stream.NextIn, []byte{9})
	check(stream.End(ctx))
	equal(must(lib.Alive(ctx)), alive)
	closed := shelf.NewStream(lib)
	check(closed.Close())
	check(closed.Start(ctx, 1))
	check(closed.Close())
	equal(must(lib.Alive(ctx)), alive)
}

func longStructures(lib *shelf.Library) {
	tape := shelf.NewTape(lib)
	fails(tape.Start(ctx, 3), hotcell.ErrLibraryError)
	equal(tape.Data[69_999], byte(7))
	check(tape.Start(ctx, 0))
	check(tape.Close())
	equal(must(lib.Alive(ctx)), int32(0))
}

func truthsAndRows(lib *shelf.Library) {
	count, turned, err := lib.Flip(ctx, []bool{true, false, true})
	check(err)
	equal([]any{count, turned}, []any{int32(2), []bool{false, true, false}})
	row := func(n int32) []int16 {
		numbers, _, err := lib.Row(ctx, n)
		check(err)
		return numbers
	}
	equal([]any{row(2), row(0), row(-1)}, []any{[]int16{3, 4}, []int16{}, []int16(nil)})
	full, _, err := lib.FullRow(ctx, 2)
	check(err)
	equal(full, []int16{3, 4})
}

func batches(lib *shelf.Library) {
	batch := lib.Batch()
	distance := batch.CornerDistance(shelf.Corner{X: 3, Y: 4}, nil)
	words, bad := batch.Words("a  b"), batch.Digits("12a")
	opened := batch.Open("batched")
	refused := batch.Number("a\x00b")
	equal(batch.Len(), 4)
	fails(second(distance.Result()), hotcell.ErrInvalidArgument)
	check(batch.Run(ctx))
	equal(must(distance.Result()), 25.0)
	equal(must(words.Result()), shelf.WordsResult{Words: []*string{new("a"), nil, new("b")}, Count: 3})
	fails(second(bad.Result()), shelf.ErrBroken)
	fails(second(refused.Result()), hotcell.ErrInvalidArgument)
	batched := must(opened.Result())
	equal(must(batched.Name(ctx)), "batched")
	check(batched.Close())
}

// batchesAgain fills a batch anew: its tickets are others, its memory is the same.
func batchesAgain(lib *shelf.Library) {
	batch := lib.Batch()
	for round := range 3 {
		before := batch.CornerDistance(shelf.Corner{X: 3, Y: 4}, &shelf.Corner{X: float64(round)})
		words := batch.Words("a  b")
		check(batch.Run(ctx))
		equal(must(before.Result()), float64((3-round)*(3-round)+16))
		equal(must(words.Result()).Count, int32(3))
		batch.Reset()
		equal(batch.Len(), 0)
		fails(second(before.Result()), hotcell.ErrInvalidArgument)
	}
}

// keptInBatches has a callback that the library keeps run in entries of batches: it makes calls, and a batch of its own; it fails, panics,
// and ends its goroutine. What the batch is told of that, and each entry.
func keptInBatches(lib *shelf.Library) {
	watched := must(lib.Open(ctx, "in batches"))
	enough, runs := errors.New("enough"), 0
	// What the callback does, in each of its runs.
	does := func(context.Context) error { return nil }
	check(watched.Watch(ctx, func(ctx context.Context, _ *shelf.Shelf, _ *shelf.Box, _ []*shelf.Box) (int32, error) {
		runs++
		return int32(1000 + runs), does(ctx)
	}))
	// total runs two entries that call back, behind and in front of others; what comes out of the batch, and their results.
	total := func() (raised any, whole error, got []int64, errs []error) {
		runs = 0
		batch := lib.Batch()
		names := []rt.Ticket[string]{batch.Name(watched)}
		totals := []rt.Ticket[int64]{batch.Total(watched)}
		names = append(names, batch.Name(watched))
		totals = append(totals, batch.Total(watched))
		names = append(names, batch.Name(watched))
		over := make(chan struct{})
		go func() {
			defer close(over)
			defer func() { raised = recover() }()
			whole = batch.Run(ctx)
		}()
		<-over
		for _, ticket := range totals {
			result, err := ticket.Result()
			got, errs = append(got, result), append(errs, err)
		}
		for _, ticket := range names {
			if name, err := ticket.Result(); err != nil {
				errs = append(errs, err)
			} else {
				equal(name, "in batches")
			}
		}
		return raised, whole, got, slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	}
	for _, in := range []func(context.Context) error{
		func(context.Context) error { return nil },
		func(ctx context.Context) error {
			equal(must(watched.Name(ctx)), "in batches")
			return nil
		},
		func(ctx context.Context) error {
			inner := lib.Batch()
			name, distance := inner.Name(watched), inner.CornerDistance(shelf.Corner{X: 3}, &shelf.Corner{})
			check(inner.Run(ctx))
			equal(must(name.Result()), "in batches")
			equal(must(distance.Result()), 9.0)
			return nil
		},
	} {
		does = in
		raised, whole, got, errs := total()
		equal([]any{raised, whole, got, len(errs), runs}, []any{nil, error(nil), []int64{1001, 1002}, 0, 2})
	}
	// The second run fails: the library is given what the contract says, the entry has what it made of that, and the batch the error.
	does = func(context.Context) error {
		if runs == 2 {
			return enough
		}
		return nil
	}
	raised, whole, got, errs := total()
	fails(whole, enough)
	equal([]any{raised, got, len(errs), runs}, []any{nil, []int64{1001, -1}, 0, 2})
	does = func(context.Context) error {
		if runs == 1 {
			panic("loud")
		}
		return nil
	}
	generation := lib.Session().Generation()
	raised, whole, got, errs = total()
	equal([]any{raised, whole, got[0], len(errs)}, []any{"loud", error(nil), int64(-1), 0})
	does = func(context.Context) error { return nil }
	equal(must(watched.Total(ctx)), int64(1000+runs))
	equal(lib.Session().Generation(), generation)
	// A goroutine that ends in a callback takes the batch with it, and the worker.
	does = func(context.Context) error {
		runtime.Goexit()
		return nil
	}
	raised, _, got, errs = total()
	equal([]any{raised, got, len(errs)}, []any{nil, []int64{0, 0}, 5})
	for _, err := range errs {
		fails(err, hotcell.ErrCancelled)
	}
	equal(must(lib.Alive(ctx)), int32(0))
	equal(lib.Session().Generation(), generation+1)
	fails(second(watched.Total(ctx)), hotcell.ErrStaleHandle)
	check(watched.Close())
}

// pipelines sends calls and takes their results later, in another order, behind other calls of the same goroutine.
func pipelines(lib *shelf.Library) {
	pipe := lib.Pipeline(ctx)
	opened := pipe.Open("piped")
	bad, refused := pipe.Digits("12a"), pipe.Number("a\x00b")
	// Behind what is in flight, though this goroutine has not waited for it.
	equal(must(lib.Alive(ctx)), int32(1))
	piped := must(opened.Result())
	var distances []rt.Ticket[float64]
	for at := range 100 {
		distances = append(distances, pipe.CornerDistance(shelf.Corner{X: float64(at)}, &shelf.Corner{}))
	}
	words := pipe.Words("a  b")
	pipe.Settle()
	equal(pipe.InFlight(), 0)
	for at := 99; at >= 0; at-- {
		equal(must(distances[at].Result()), float64(at*at))
	}
	equal(must(words.Result()), shelf.WordsResult{Words: []*string{new("a"), nil, new("b")}, Count: 3})
	fails(second(bad.Result()), shelf.ErrBroken)
	fails(second(refused.Result()), hotcell.ErrInvalidArgument)
	equal(must(piped.Name(ctx)), "piped")
	check(piped.Close())
}

func contexts(lib *shelf.Library) {
	done, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := lib.Alive(done); err == nil {
		panic("a call was made for a context that is done")
	}
	equal(must(lib.Alive(ctx)), int32(0))
}

func crashes(lib *shelf.Library) {
	// A promise that is broken costs the worker, and its objects.
	lost := must(lib.Open(ctx, "lost"))
	generation := lib.Session().Generation()
	_, _, err := lib.FullRow(ctx, -1)
	fails(err, hotcell.ErrInvalidReply)
	equal(must(lib.Alive(ctx)), must(lib.Alive(ctx)))
	if lib.Session().Generation() > generation {
		fails(second(lost.Total(ctx)), hotcell.ErrStaleHandle)
		equal(must(lib.Alive(ctx)), int32(0))
	}
	check(lost.Close())
}
