// The package of clan, whose objects are used by one call at a time with what belongs to them: the library aborts when two meet.
package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"time"

	clan "clan-hotcell"
	"hotcell"
	"hotcell/rt"
)

var ctx = context.Background()

// long is more than any of this takes, unless something is wrong.
const long = 20_000

func main() {
	lib := must(clan.Open(ctx, hotcell.Options{Libraries: []string{os.Getenv("CLAN")}, Callers: 4}))
	defer lib.Close()
	for _, part := range []func(*clan.Library){together, mixed, heldUp, dropped, calledBack} {
		part(lib)
		equal(lib.Session().Generation(), uint64(1))
	}
	equal(must(lib.Count(ctx)), int32(0))
	fmt.Println("all is well")
}

// must is a value that came without an error.
func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		_, file, line, _ := runtime.Caller(2)
		panic(fmt.Sprintf("%s:%d: %v", file, line, err))
	}
}

// equal holds what is there against what is expected.
func equal[T comparable](got, expected T) {
	if got != expected {
		_, file, line, _ := runtime.Caller(1)
		panic(fmt.Sprintf("%s:%d: %v is not %v", file, line, got, expected))
	}
}

// at once does all of these on goroutines, and waits for them.
func atOnce(all ...func()) {
	var over sync.WaitGroup
	for _, one := range all {
		over.Add(1)
		go func() {
			defer over.Done()
			one()
		}()
	}
	over.Wait()
}

// together has three families inside at once, and two calls of one family never.
func together(lib *clan.Library) {
	a, b, c := must(lib.New(ctx)), must(lib.New(ctx)), must(lib.New(ctx))
	defer a.Close()
	defer b.Close()
	defer c.Close()
	member := must(c.MemberNew(ctx, 5))
	defer member.Close()
	atOnce(
		func() { equal(must(a.Meet(ctx, 3, long)), 0) },
		func() { equal(must(b.Meet(ctx, 3, long)), 0) },
		func() { equal(must(member.Meet(ctx, 3, long)), 0) },
	)
	atOnce(
		func() { equal(must(c.Meet(ctx, 2, 30)), -1) },
		func() { equal(must(member.Meet(ctx, 2, 30)), -1) },
	)
}

// mixed is calls of all sorts: by themselves, of several families, in batches and in pipelines, with objects that come and go.
func mixed(lib *clan.Library) {
	var all []*clan.Clan
	var members []*clan.Member
	for range 3 {
		one := must(lib.New(ctx))
		all, members = append(all, one), append(members, must(one.MemberNew(ctx, 7)))
	}
	calls := func() {
		for range 60 {
			one, other := rand.IntN(3), rand.IntN(3)
			switch kind := rand.IntN(6); {
			case kind == 0:
				must(all[one].Use(ctx))
			case kind == 1:
				equal(must(members[one].Number(ctx)), 7)
			case kind == 2 && one != other:
				must(all[one].UseBoth(ctx, all[other]))
			case kind == 3:
				batch := lib.Batch()
				used, number := batch.Use(all[one]), batch.MemberNumber(members[other])
				check(batch.Run(ctx))
				must(used.Result())
				equal(must(number.Result()), 7)
			case kind == 4:
				pipe := lib.Pipeline(ctx)
				tickets := []rt.Ticket[int32]{pipe.Use(all[one]), pipe.MemberNumber(members[one]), pipe.Use(all[other])}
				must(all[other].Use(ctx))
				for _, ticket := range tickets {
					must(ticket.Result())
				}
			default:
				member := must(all[one].MemberNew(ctx, 9))
				equal(must(member.Number(ctx)), 9)
				check(member.Close())
			}
		}
	}
	atOnce(calls, calls, calls, calls, calls, calls)
	for at := range all {
		check(members[at].Close())
		check(all[at].Close())
	}
}

// stays has somebody stay in a clan, and gives what calls him off.
func stays(lib *clan.Library, in *clan.Clan) (end func()) {
	over := make(chan struct{})
	go func() {
		defer close(over)
		equal(must(in.Stay(ctx, long)), 1)
	}()
	for must(lib.Staying(ctx)) == 0 {
		time.Sleep(time.Millisecond)
	}
	return func() {
		check(lib.CallOff(ctx, 1))
		<-over
	}
}

// heldUp is a call whose object is used for longer than it has time; what is free is used meanwhile.
func heldUp(lib *clan.Library) {
	a, b := must(lib.New(ctx)), must(lib.New(ctx))
	end := stays(lib, a)
	within, cancel := context.WithTimeout(ctx, 30*time.Millisecond)
	defer cancel()
	var failed *hotcell.Error
	if _, err := a.Use(within); !errors.As(err, &failed) || failed.Kind != hotcell.ErrUnavailable || failed.Executed != hotcell.ExecutedNo {
		panic(err)
	}
	cancelled, give := context.WithCancel(ctx)
	time.AfterFunc(10*time.Millisecond, give)
	if _, err := b.UseBoth(cancelled, a); !errors.Is(err, hotcell.ErrCancelled) {
		panic(err)
	}
	for range 10 {
		must(b.Use(ctx))
	}
	end()
	must(a.Use(ctx))
	check(a.Close())
	check(b.Close())
}

// dropped is an object that is closed while its family is used: it goes behind that, and holds up nobody.
func dropped(lib *clan.Library) {
	a, b := must(lib.New(ctx)), must(lib.New(ctx))
	member := must(a.MemberNew(ctx, 1))
	before := must(lib.Count(ctx))
	end := stays(lib, a)
	check(member.Close())
	must(b.Use(ctx))
	equal(must(lib.Count(ctx)), before)
	end()
	must(a.Use(ctx))
	equal(must(lib.Count(ctx)), before-1)
	check(a.Close())
	check(b.Close())
}

// calledBack is calls in callbacks: they have the families of the calls around, and others where these are free.
func calledBack(lib *clan.Library) {
	a, b := must(lib.New(ctx)), must(lib.New(ctx))
	nested := func(ctx context.Context, number int32) (int32, error) {
		if _, err := a.Use(ctx); err != nil {
			return 0, err
		}
		_, err := b.Use(ctx)
		return number, err
	}
	each := func() { equal(must(a.Each(ctx, 20, nested)), 190) }
	atOnce(each, func() {
		for range 50 {
			must(b.Use(ctx))
		}
	}, each)
	seen := must(a.Show(ctx, func(ctx context.Context, member *clan.Member) (int32, error) { return member.Number(ctx) }))
	equal(seen, 7)
	check(a.Close())
	check(b.Close())
}
