// Package e2e has the Go runtime call real libraries in real workers. The environment says where what it needs was built:
// HOTCELL the program hotcell, beside which hotcell-worker lies; HOTCELL_GO_FAULTY the folder with the lab's library and shim.
// `cargo dev test` sets both.
package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"hotcell"
	"hotcell/rt"
)

// root is that of the repository.
func root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "..")
}

// library is a package that is made of an interface at run time.
type library struct {
	pack    *rt.Package
	numbers map[string]int
	files   []string
}

// load reads an interface and a shim.
func load(tb testing.TB, face, shim string, files ...string) *library {
	tb.Helper()
	text, err := os.ReadFile(face)
	if err != nil {
		tb.Fatal(err)
	}
	code, err := os.ReadFile(shim)
	if err != nil {
		tb.Fatal(err)
	}
	var said struct {
		Library   string
		Functions []struct {
			Name   string
			Layout struct {
				Args, Result struct {
					Size   uint16
					Fields []struct {
						Carries struct{ Carries string }
						Kind    string
						Offset  uint16
					}
				}
			}
		}
	}
	if err := json.Unmarshal(text, &said); err != nil {
		tb.Fatal(err)
	}
	made := &library{numbers: map[string]int{}, files: files}
	made.pack = &rt.Package{Runtime: rt.Version, Library: said.Library, Interface: text, Shim: code}
	kinds := map[string]rt.Kind{"i32": rt.Int32, "i64": rt.Int64, "u32": rt.Uint32, "u64": rt.Uint64}
	for number, function := range said.Functions {
		row := rt.Function{Name: function.Name, Args: function.Layout.Args.Size, Results: function.Layout.Result.Size}
		fails := &rt.Failure{Message: rt.None}
		for _, field := range function.Layout.Result.Fields {
			switch carries := field.Carries.Carries; {
			case carries == "message":
				fails.Message = int(field.Offset)
			case carries == "code" || carries == "returned" && fails.Code.Kind == 0:
				fails.Code = rt.Field{Offset: field.Offset, Kind: kinds[field.Kind]}
			}
		}
		row.Fails = fails
		made.pack.Functions = append(made.pack.Functions, row)
		made.numbers[function.Name] = number
	}
	return made
}

// Handle types of the lab's library, in the order of its contract.
const (
	kindDB = 1 + iota
	kindQuery
)

// faulty is the library of the crash lab.
func faulty(tb testing.TB) *library {
	tb.Helper()
	folder := os.Getenv("HOTCELL_GO_FAULTY")
	if folder == "" {
		tb.Fatal("HOTCELL_GO_FAULTY names no folder: these tests are run by `cargo dev test`")
	}
	lab := load(tb, filepath.Join(root(), "lab/faulty/interface.json"), filepath.Join(folder, "shim.so"), filepath.Join(folder, "libfaulty.so"))
	release := func(name string) *rt.Release { return &rt.Release{Function: uint16(lab.numbers[name])} }
	lab.pack.Handles = []rt.HandleType{
		{Name: "faulty_db", Release: release("faulty_close")},
		{Name: "faulty_query", Release: release("faulty_finish")},
		{Name: "faulty_row"},
		{Name: "faulty_stream"},
	}
	lab.pack.Functions[lab.numbers["faulty_open"]].Owned = []rt.Owned{{Offset: 0, Kind: kindDB}}
	lab.pack.Functions[lab.numbers["faulty_prepare"]].Owned = []rt.Owned{{Offset: 0, Kind: kindQuery}}
	lab.pack.Functions[lab.numbers["faulty_open"]].Fails.Symbols = []rt.Symbol{{Code: 7, Name: "FAULTY_BROKEN"}}
	return lab
}

// measured is the library of the benchmark, which is reentrant.
func measured(tb testing.TB) *library {
	tb.Helper()
	folder, source := tb.TempDir(), filepath.Join(root(), "crates/bench/measured")
	compile := func(arguments string, more ...string) {
		command := exec.Command("cc", append(strings.Fields(arguments), more...)...)
		command.Dir = folder
		if out, err := command.CombinedOutput(); err != nil {
			tb.Fatalf("%v: %v\n%s", command.Args, err, out)
		}
	}
	compile("-std=gnu17 -O3 -fPIC -shared -Wl,-soname,libhotcell_measured.so -o libhotcell_measured.so", filepath.Join(source, "library/measured.c"))
	compile("-std=gnu17 -O2 -fno-builtin -fPIC -fvisibility=hidden -shared -o shim.so -I", filepath.Join(source, "shim"), "-I",
		filepath.Join(source, "library"), filepath.Join(source, "shim/shim.c"), "-Wl,-z,defs", "-Wl,--no-as-needed", "-L.", "-l:libhotcell_measured.so")
	return load(tb, filepath.Join(source, "interface.json"), filepath.Join(folder, "shim.so"), filepath.Join(folder, "libhotcell_measured.so"))
}

// open opens a session.
func (l *library) open(tb testing.TB, options hotcell.Options) *session {
	tb.Helper()
	options.Libraries = l.files
	opened, err := rt.Open(context.Background(), l.pack, options)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = opened.Close() })
	return &session{opened, l}
}

// session is one with the functions by their names.
type session struct {
	*rt.Session
	library *library
}

func (s *session) begin(ctx context.Context, name string) *rt.Call {
	number, found := s.library.numbers[name]
	if !found {
		panic("there is no " + name)
	}
	return s.Begin(ctx, number)
}

// numbers calls a function that takes ints, and returns one.
func (s *session) numbers(ctx context.Context, name string, arguments ...int32) (int32, error) {
	call := s.begin(ctx, name)
	defer call.End()
	for at, argument := range arguments {
		call.PutInt32(4*at, argument)
	}
	reply := call.Finish()
	if s.library.pack.Functions[s.library.numbers[name]].Results == 0 {
		return 0, reply.Err()
	}
	return reply.Int32(0), reply.Err()
}

func kindOf(err error) string {
	var failed *hotcell.Error
	if !errors.As(err, &failed) {
		return fmt.Sprint(err)
	}
	return failed.Kind.String()
}
