// The package of vault, whose objects are made anew, used as an application would.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"hotcell"
	vault "vault-hotcell"
)

var ctx = context.Background()

func main() {
	parts := []func(*vault.Library){
		madeAnew, data, belongs, takenOver, closed, garbage, lentAgain, inCallbacks, worse, little, waiting, often, notKept, batches, pipelines, unsent, keptFunctions,
		failedSettings, lies, together,
	}
	if os.Getenv("SEVERAL") != "" {
		parts = []func(*vault.Library){together, late, closedLate, before}
	}
	for _, part := range parts {
		lib := open(hotcell.Options{})
		part(lib)
		check(lib.Close())
	}
	never()
	fmt.Println("all is well")
}

// open opens the library. Nothing of this is about the breaker.
func open(options hotcell.Options) *vault.Library {
	options.Libraries = []string{os.Getenv("VAULT")}
	options.Restart = &hotcell.Restart{Faults: 1000, Within: time.Second, Pause: time.Second, LongestPause: time.Second}
	options.Callers = 3
	return must(vault.Open(ctx, options))
}

func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func equal(got, expected any) {
	if !reflect.DeepEqual(got, expected) {
		_, file, line, _ := runtime.Caller(1)
		panic(fmt.Sprintf("%s:%d: %#v is not %#v", file, line, got, expected))
	}
}

// stale is that an object is not there in this worker, for this reason.
func stale(err error, serving uint64, why string) {
	var failed *hotcell.Error
	if !errors.As(err, &failed) || failed.Kind != hotcell.ErrStaleHandle || failed.Executed != hotcell.ExecutedNo ||
		failed.Generation != serving || !strings.Contains(failed.Message, why) {
		_, file, line, _ := runtime.Caller(1)
		panic(fmt.Sprintf("%s:%d: %v is not stale in worker %d: %s", file, line, err, serving, why))
	}
}

func breakWorker(lib *vault.Library) {
	if err := lib.VaultsBreak(ctx); !errors.Is(err, hotcell.ErrCrashed) {
		panic(err)
	}
}

func count(lib *vault.Library) int { return int(must(lib.VaultsOpen(ctx))) }

// reload has the supervisor load another edition of the library.
func reload(files ...string) {
	words := []string{"reload", supervisor()}
	for _, file := range files {
		words = append(words, "--file", file)
	}
	if out, err := exec.Command(os.Getenv("HOTCELL"), words...).CombinedOutput(); err != nil {
		panic(fmt.Sprintf("%v: %s", err, out))
	}
}

// supervisor is the process of this program's supervisor.
func supervisor() string {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, stat := range stats {
		text, err := os.ReadFile(stat)
		if err != nil {
			continue
		}
		words := strings.Fields(string(text))
		if words[1] == "(hotcell)" && words[3] == strconv.Itoa(os.Getpid()) {
			return words[0]
		}
	}
	panic("there is no supervisor")
}

func madeAnew(lib *vault.Library) {
	it := must(lib.Open(ctx, "first", 7))
	must(it.Limit(ctx, 50))
	must(it.Word(ctx, 3, "three"))
	must(it.Limit(ctx, 60))
	must(it.Word(ctx, 4, "four"))
	must(it.Word(ctx, 3, "drei"))
	if _, err := it.Limit(ctx, -1); !errors.Is(err, hotcell.ErrLibraryError) {
		panic(err)
	}
	equal(must(it.Fill(ctx, 1000)), int32(1000))
	equal(must(it.Settings(ctx)), int32(5))
	for round := range 2 {
		// The call that meets the end is not made again.
		if err := it.Break(ctx); !errors.Is(err, hotcell.ErrCrashed) {
			panic(err)
		}
		equal(it.Restored(), round)
		equal(must(it.Name(ctx)), "first")
		equal(it.Restored(), round+1)
		equal(must(it.Size(ctx)), int32(7))
		equal(must(it.Most(ctx)), int32(60))
		equal(must(it.Told(ctx, 3)), "drei")
		equal(must(it.Told(ctx, 4)), "four")
		// One of each that sets the same; what nothing says again is lost.
		equal(must(it.Settings(ctx)), int32(3))
		equal(must(it.Fill(ctx, 1)), int32(1))
		equal(count(lib), 1)
	}
	equal(lib.Session().Generation(), uint64(3))
	check(it.Close())
	equal(count(lib), 0)
	stale(second(it.Size(ctx)), 3, "released")
}

func second[T any](_ T, err error) error { return err }

func data(lib *vault.Library) {
	it := must(lib.Of(ctx, []byte{1, 2, 3}))
	breakWorker(lib)
	equal(must(it.Seal(ctx)), int64(1+4+9))
	// What configures what was made anew is kept as well.
	must(it.Limit(ctx, 8))
	breakWorker(lib)
	equal(must(it.Most(ctx)), int32(8))
	equal(it.Restored(), 2)
	// Data in memory that the application may change meanwhile are not kept.
	buffer := must(lib.Session().Alloc(8000))
	elsewhere := must(lib.Of(ctx, buffer.Bytes()))
	breakWorker(lib)
	stale(second(elsewhere.Seal(ctx)), 4, "lies in memory that others may change")
	buffer.Free()
}

func belongs(lib *vault.Library) {
	it := must(lib.Open(ctx, "house", 9))
	shelf := must(it.ShelfOpen(ctx, "upper"))
	item := must(it.ItemNew(ctx))
	breakWorker(lib)
	// Of the shelf first: the vault is made anew for it.
	equal(must(shelf.Name(ctx)), "upper")
	equal(must(shelf.Size(ctx)), int32(9))
	equal([]int{it.Restored(), shelf.Restored()}, []int{1, 1})
	stale(second(item.Size(ctx)), 2, "was made by worker 1; worker 2 serves")
	check(item.Close())
	item = must(it.ItemNew(ctx))
	equal(must(item.Size(ctx)), int32(9))
	equal(count(lib), 2)
	check(item.Close())
	check(shelf.Close())
	check(it.Close())
	equal(count(lib), 0)
}

func takenOver(lib *vault.Library) {
	kept, gone := must(lib.Open(ctx, "kept", 1)), must(lib.Open(ctx, "gone", 2))
	breakWorker(lib)
	stale(gone.VaultClose(ctx), 2, "does not take it over")
	equal([]int{gone.Restored(), count(lib)}, []int{0, 0})
	equal(must(kept.Size(ctx)), int32(1))
	check(kept.VaultClose(ctx))
	stale(second(kept.Size(ctx)), 2, "released")
	breakWorker(lib)
	equal(count(lib), 0)
	stale(second(kept.Size(ctx)), 3, "released")
	equal(kept.Restored(), 1)
	check(kept.Close())
	check(gone.Close())
	equal(count(lib), 0)
}

func closed(lib *vault.Library) {
	it := must(lib.Open(ctx, "closed", 1))
	breakWorker(lib)
	equal(count(lib), 0)
	check(it.Close())
	// To close what has gone makes nothing anew, and behind that there is nothing.
	stale(second(it.Size(ctx)), 2, "released")
	equal([]int{it.Restored(), count(lib)}, []int{0, 0})
}

// garbage has what stands for an object released that nobody holds any more.
func garbage(lib *vault.Library) {
	it := must(lib.Open(ctx, "garbage", 3))
	breakWorker(lib)
	equal(must(it.Size(ctx)), int32(3))
	equal(count(lib), 1)
	runtime.KeepAlive(it)
	for range 500 {
		runtime.GC()
		if count(lib) == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	panic("nobody has released it")
}

func lentAgain(lib *vault.Library) {
	it := must(lib.Open(ctx, "lent", 6))
	breakWorker(lib)
	item := must(it.ItemNew(ctx))
	equal(it.Restored(), 1)
	again := must(item.In(ctx))
	equal([]int{again.Restored(), int(must(again.Size(ctx)))}, []int{1, 6})
	breakWorker(lib)
	equal(must(again.Size(ctx)), int32(6))
	equal([]int{it.Restored(), again.Restored(), count(lib)}, []int{2, 2, 1})
	check(item.Close())
	check(again.Close())
	equal(count(lib), 0)
}

func inCallbacks(lib *vault.Library) {
	outer, inner := must(lib.Open(ctx, "outer", 1)), must(lib.Open(ctx, "inner", 2))
	breakWorker(lib)
	looked, err := outer.Look(ctx, func(ctx context.Context, _ int32) (int32, error) {
		size, err := inner.Size(ctx)
		return size + 40, err
	})
	check(err)
	equal([]int{int(looked), outer.Restored(), inner.Restored(), count(lib)}, []int{42, 1, 1, 2})
	// Two of one call.
	breakWorker(lib)
	must(outer.Add(ctx, inner))
	equal([]int{outer.Restored(), inner.Restored(), count(lib)}, []int{2, 2, 2})
}

func worse(lib *vault.Library) {
	var all []*vault.Vault
	for _, name := range []string{"well", "gone", "breaks", "strict"} {
		all = append(all, must(lib.Open(ctx, name, 3)))
	}
	must(all[3].Limit(ctx, 13))
	reload(os.Getenv("WORSE"))
	equal(must(all[0].Size(ctx)), int32(3))
	served := lib.Session().Generation()
	// The library says no: so it does the next time, however often that is.
	for range 9 {
		stale(second(all[1].Size(ctx)), served, "it was not made anew: vault: vault_open: ")
	}
	// A setting fails: what was made is released.
	stale(second(all[3].Size(ctx)), served, "vault_limit: LibraryError")
	equal(count(lib), 1)
	equal(lib.Session().Generation(), served)
	// One that ends its worker does so once.
	stale(second(all[2].Size(ctx)), served, "vault_open: Crashed")
	must(lib.VaultsOpen(ctx))
	equal(lib.Session().Generation(), served+1)
	stale(second(all[2].Size(ctx)), served+1, "it is not made anew: ")
	equal(lib.Session().Generation(), served+1)
	equal(must(all[0].Size(ctx)), int32(3))
	equal(all[0].Restored(), 2)
}

// little has calls with little time end one worker, and not one after the other.
func little(lib *vault.Library) {
	slow, other := must(lib.Open(ctx, "slow", 6)), must(lib.Open(ctx, "other", 1))
	reload(os.Getenv("WORSE"))
	size := func(left time.Duration) (int32, error) {
		ctx, cancel := context.WithTimeout(ctx, left)
		defer cancel()
		return slow.Size(ctx)
	}
	stale(second(size(60*time.Millisecond)), 2, "Hung")
	equal(must(other.Fill(ctx, 5)), int32(5))
	serves := lib.Session().Generation()
	for _, left := range []time.Duration{10, 60, 100} {
		stale(second(size(left*time.Millisecond)), serves, "a call with twice that time tries it again")
	}
	equal(lib.Session().Generation(), serves)
	equal(must(other.Fill(ctx, 1)), int32(6))
	equal(must(size(5*time.Second)), int32(6))
	equal(slow.Restored(), 1)
}

// waiting is for another goroutine that makes an object anew: with one's own time, and until one is given up.
func waiting(lib *vault.Library) {
	it := must(lib.Open(ctx, "slowest", 4))
	reload(os.Getenv("WORSE"))
	made := make(chan error)
	go func() { made <- second(it.Size(ctx)) }()
	time.Sleep(500 * time.Millisecond)
	given, cancel := context.WithCancel(ctx)
	time.AfterFunc(50*time.Millisecond, cancel)
	if err := second(it.Size(given)); !errors.Is(err, hotcell.ErrCancelled) {
		panic(err)
	}
	hasty, end := context.WithTimeout(ctx, 50*time.Millisecond)
	defer end()
	var failed *hotcell.Error
	if err := second(it.Size(hasty)); !errors.As(err, &failed) || failed.Kind != hotcell.ErrUnavailable || failed.Executed != hotcell.ExecutedNo {
		panic(err)
	}
	select {
	case err := <-made:
		panic(fmt.Sprint("this came too late: it proves nothing: ", err))
	default:
	}
	check(<-made)
	equal([]int{it.Restored(), count(lib)}, []int{1, 1})
}

func often(lib *vault.Library) {
	it := must(lib.Open(ctx, "often", 1))
	for round := range 6 {
		breakWorker(lib)
		must(it.Size(ctx))
		equal(it.Restored(), round+1)
	}
	breakWorker(lib)
	for range 2 {
		stale(second(it.Size(ctx)), 8, "that was tried 6 times")
	}
	equal(it.Restored(), 6)
}

func notKept(lib *vault.Library) {
	fits, much := must(lib.Of(ctx, make([]byte, 60_000))), must(lib.Of(ctx, make([]byte, 70_000)))
	full := must(lib.Open(ctx, "full", 1))
	must(full.Word(ctx, 1, strings.Repeat("x", 70_000)))
	breakWorker(lib)
	equal(must(fits.Size(ctx)), int32(60_000))
	stale(second(much.Size(ctx)), 2, "what `vault_of` was given is more than the 65536 bytes that are kept")
	stale(second(full.Size(ctx)), 2, "`vault_word` was given is more than the 65536 bytes")
}

// batches take what is there, and make nothing anew.
func batches(lib *vault.Library) {
	it, limited := must(lib.Open(ctx, "batched", 8)), must(lib.Open(ctx, "limited", 1))
	batch := lib.Batch()
	limit, made := batch.Limit(limited, 3), batch.Open("made", 1)
	check(batch.Run(ctx))
	must(limit.Result())
	inBatch := must(made.Result())
	breakWorker(lib)
	equal(count(lib), 0)
	stale(second(limited.Size(ctx)), 2, "`vault_limit` configured it in a batch or in a pipeline")
	stale(second(inBatch.Size(ctx)), 2, "it was made in a batch or in a pipeline")
	batch = lib.Batch()
	size := batch.Size(it)
	check(batch.Run(ctx))
	stale(second(size.Result()), 2, "Restore makes it anew")
	// What was put there before it was made anew is of the worker before.
	batch = lib.Batch()
	size = batch.Size(it)
	check(it.Restore(ctx))
	check(it.Restore(ctx))
	check(batch.Run(ctx))
	stale(second(size.Result()), 2, "it was made anew behind what was put into the batch")
	batch = lib.Batch()
	size, closes := batch.Size(it), batch.Close(it)
	check(batch.Run(ctx))
	equal(must(size.Result()), int32(8))
	must(closes.Result())
	equal([]int{it.Restored(), count(lib)}, []int{1, 0})
	check(it.Close())
	equal(count(lib), 0)
}

func pipelines(lib *vault.Library) {
	it, limited := must(lib.Open(ctx, "flown", 8)), must(lib.Open(ctx, "limited", 1))
	breakWorker(lib)
	pipe := lib.Pipeline(ctx)
	size := pipe.Size(it)
	stale(second(size.Result()), 2, "Restore makes it anew")
	pipe.Settle()
	check(it.Restore(ctx))
	must(limited.Size(ctx))
	pipe = lib.Pipeline(ctx)
	size, limit, made := pipe.Size(it), pipe.Limit(limited, 4), pipe.Open("made", 1)
	equal(must(size.Result()), int32(8))
	must(limit.Result())
	inFlight := must(made.Result())
	pipe.Settle()
	breakWorker(lib)
	equal(must(it.Size(ctx)), int32(8))
	stale(second(limited.Size(ctx)), 3, "`vault_limit` configured it in a batch or in a pipeline")
	stale(second(inFlight.Size(ctx)), 3, "it was made in a batch or in a pipeline")
}

// unsent is that a batch that is not run, and an entry that is refused, lose nothing.
func unsent(lib *vault.Library) {
	it := must(lib.Open(ctx, "kept", 5))
	batch := lib.Batch()
	batch.Limit(it, 3)
	batch.Reset()
	refused := batch.Word(it, 3, "a\x00b")
	check(batch.Run(ctx))
	if err := second(refused.Result()); !errors.Is(err, hotcell.ErrInvalidArgument) {
		panic(err)
	}
	breakWorker(lib)
	equal(must(it.Size(ctx)), int32(5))
	equal(it.Restored(), 1)
}

// keptFunctions are not to be gone on without.
func keptFunctions(lib *vault.Library) {
	guarded, plain := must(lib.Open(ctx, "guarded", 1)), must(lib.Open(ctx, "plain", 2))
	check(guarded.OnLimit(ctx, func(context.Context, int32) (int32, error) { return 0, nil }))
	unguarded := must(lib.Open(ctx, "unguarded", 3))
	check(unguarded.OnLimit(ctx, nil))
	breakWorker(lib)
	for range 2 {
		stale(second(guarded.Size(ctx)), 2, "`vault_on_limit` gave it a function of the application to keep")
	}
	equal(must(unguarded.Size(ctx)), int32(3))
	equal(must(plain.Size(ctx)), int32(2))
	// What stands for one is used, and its function called, as long as its worker is there.
	asked := int32(0)
	check(plain.OnLimit(ctx, func(_ context.Context, most int32) (int32, error) { asked = most; return 0, nil }))
	must(plain.Limit(ctx, 11))
	equal([]int{int(asked), plain.Restored()}, []int{11, 1})
	breakWorker(lib)
	stale(second(plain.Size(ctx)), 3, "`vault_on_limit` gave it a function")
}

// failedSettings failed for their caller, by an error or a panic of a callback, and are not made again.
func failedSettings(lib *vault.Library) {
	it, teller := must(lib.Open(ctx, "first", 1)), must(lib.Open(ctx, "teller", 1))
	must(it.Limit(ctx, 50))
	check(teller.OnLimit(ctx, func(_ context.Context, most int32) (int32, error) {
		if most == 70 {
			panic("not that one")
		}
		return 0, errors.New("not this one")
	}))
	if err := second(it.Limit(ctx, 60)); !errors.Is(err, hotcell.ErrCallbackFailed) {
		panic(err)
	}
	func() {
		defer func() { equal(recover(), "not that one") }()
		_, _ = it.Limit(ctx, 70)
	}()
	equal(must(it.Most(ctx)), int32(70))
	breakWorker(lib)
	equal(must(it.Most(ctx)), int32(50))
}

func lies(lib *vault.Library) {
	it := must(lib.Open(ctx, "titled", 1))
	equal(must(it.Title(ctx, "good")), "good")
	if err := second(it.Title(ctx, "lies")); !errors.Is(err, hotcell.ErrInvalidReply) {
		panic(err)
	}
	equal(must(it.Told(ctx, 9)), "good")
	equal(it.Restored(), 1)
}

// together has several goroutines get one object.
func together(lib *vault.Library) {
	it := must(lib.Open(ctx, "shared", 5))
	for round := range 5 {
		breakWorker(lib)
		var all sync.WaitGroup
		for range 6 {
			all.Go(func() { equal(must(it.Size(ctx)), int32(5)) })
		}
		all.Wait()
		equal([]int{it.Restored(), count(lib)}, []int{round + 1, 1})
	}
}

// never is what options can say.
func never() {
	lib := open(hotcell.Options{NeverRestore: true})
	it := must(lib.Open(ctx, "once", 4))
	breakWorker(lib)
	err := second(it.Size(ctx))
	stale(err, 2, "worker 2 serves")
	if strings.Contains(err.Error(), "anew") {
		panic(err)
	}
	equal(it.Restored(), 0)
	check(lib.Close())
}

// waitUntil waits until something is so.
func waitUntil(is func() bool) {
	for range 2000 {
		if is() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	panic("it never was")
}

// configuredLate has a setting come back in the worker that another has replaced; meanwhile is done in that one.
func configuredLate(lib *vault.Library, meanwhile func(*vault.Vault)) *vault.Vault {
	it := must(lib.Open(ctx, "late", 7))
	must(it.Limit(ctx, 20))
	came := make(chan error, 1)
	go func() { came <- second(it.Word(ctx, 1, "late")) }()
	time.Sleep(100 * time.Millisecond)
	var reloads sync.WaitGroup
	reloads.Go(func() { reload() })
	waitUntil(func() bool { must(lib.VaultsOpen(ctx)); return lib.Session().Generation() == 2 })
	meanwhile(it)
	select {
	case <-came:
		panic("this came too late: it proves nothing")
	default:
	}
	check(<-came)
	reloads.Wait()
	return it
}

func late(lib *vault.Library) {
	it := configuredLate(lib, func(it *vault.Vault) {
		equal(must(it.Fill(ctx, 5)), int32(5))
		equal(it.Restored(), 1)
	})
	// It is the one that stood, with the setting that came late.
	equal(must(it.Fill(ctx, 1)), int32(6))
	equal(must(it.Told(ctx, 1)), "late")
	equal([]int{int(must(it.Settings(ctx))), it.Restored(), int(lib.Session().Generation())}, []int{2, 1, 2})
	breakWorker(lib)
	equal(must(it.Told(ctx, 1)), "late")
	equal(must(it.Most(ctx)), int32(20))
	check(it.Close())
	equal(count(lib), 0)
}

func closedLate(lib *vault.Library) {
	it := configuredLate(lib, func(it *vault.Vault) {
		equal(must(it.Size(ctx)), int32(7))
		check(it.VaultClose(ctx))
	})
	for generation := range 2 {
		stale(second(it.Size(ctx)), uint64(2+generation), "released")
		equal([]int{it.Restored(), count(lib)}, []int{1, 0})
		breakWorker(lib)
		equal(count(lib), 0)
	}
}

// before is that nothing is made anew in a worker before that in which it stands. A callback runs in the worker of its call.
func before(lib *vault.Library) {
	outer, inner := must(lib.Open(ctx, "outer", 1)), must(lib.Open(ctx, "inner", 2))
	breakWorker(lib)
	var reloads sync.WaitGroup
	looked := must(outer.Look(ctx, func(inside context.Context, _ int32) (int32, error) {
		reloads.Go(func() { reload() })
		waitUntil(func() bool { must(lib.VaultsOpen(ctx)); return lib.Session().Generation() == 3 })
		equal(must(inner.Fill(ctx, 4)), int32(4))
		equal(inner.Restored(), 1)
		stale(second(inner.Size(inside)), 2, "it was made anew in worker 3, which follows this one")
		// What closes the other there closes it here, too.
		must(outer.Size(ctx))
		equal(outer.Restored(), 2)
		check(outer.Close())
		return 9, nil
	}))
	reloads.Wait()
	equal([]int{int(looked), inner.Restored()}, []int{9, 1})
	equal(must(inner.Fill(ctx, 1)), int32(5))
	equal(count(lib), 1)
}
