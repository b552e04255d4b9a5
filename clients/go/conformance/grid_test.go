// Package conformance runs the conformance grid in Go, by a generated package of its library:
// clients/conformance/README.md says what a runner does. `cargo dev conformance` generates the package and runs this.
package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"grid"
	"hotcell"
)

// byType are the cases that no program in Go can have: it would not be compiled.
var byType = map[string]bool{
	"data\tnumbers in: one does not fit":    true,
	"numbers\ti8: below and above":          true,
	"numbers\tu8: below and above":          true,
	"numbers\ti16: below and above":         true,
	"numbers\tu16: below and above":         true,
	"numbers\ti32: below and above":         true,
	"numbers\tu32: below and above":         true,
	"numbers\ti64: below and above":         true,
	"numbers\tu64: below and above":         true,
	"numbers\tf32: above":                   true,
	"numbers\tnumbers: a text is none":      true,
	"numbers\tnumbers: a missing argument":  true,
	"objects\tof another type":              true,
	"structures\ta field that does not fit": true,
	"texts\tno text where one must be":      true,
}

// objects are the types whose methods functions are, by how the names of these begin.
var objects = map[string]reflect.Type{
	"grid_box_":     reflect.TypeFor[*grid.Box](),
	"grid_item_":    reflect.TypeFor[*grid.Item](),
	"grid_counter_": reflect.TypeFor[*grid.Counter](),
}

type group struct {
	Format         int
	Group, Library string
	Cases          []struct {
		Name  string
		Steps []step
	}
}

type step struct {
	Call    string
	Args    []any
	Returns *[]any
	Changed map[string]any
	Save    string
	Noted   *[]any
	Sunk    map[string]any
	Error   map[string]any
	Refused string
	Failed  string
	// Restore is the object that is to be there in the worker that serves, in the place of a call.
	Restore string
	// Restored is how often objects were made anew by then.
	Restored map[string]int
}

// restorable is an object that can be made anew.
type restorable interface {
	Restore(context.Context) error
	Restored() int
}

// running is a case that runs, with what its steps have saved.
type running struct {
	*testing.T
	lib    *grid.Library
	saved  map[string]reflect.Value
	noting sync.Mutex
	noted  []int32
	sunk   bytes.Buffer
	byType bool
}

func TestEveryCaseOfTheGridHoldsInGo(t *testing.T) {
	lib, err := grid.Open(t.Context(), hotcell.Options{Libraries: []string{os.Getenv("HOTCELL_GRID")}})
	if err != nil {
		t.Fatal(err)
	}
	defer lib.Close()
	var passed strings.Builder
	for _, group := range groups(t) {
		for _, it := range group.Cases {
			name := group.Group + "\t" + it.Name
			good := t.Run(group.Group+": "+it.Name, func(t *testing.T) {
				r := &running{T: t, lib: lib, saved: map[string]reflect.Value{}}
				for at, step := range it.Steps {
					t.Logf("step %d: %s", at+1, step.Call)
					r.step(step)
				}
				r.check(judge(byType, name, r.byType))
			})
			if good {
				passed.WriteString(line(name))
			}
		}
	}
	if byRows.Load() == 0 || byLending.Load() == 0 {
		t.Errorf("%d calls were made by columns, and %d have lent buffers", byRows.Load(), byLending.Load())
	}
	if file := os.Getenv("HOTCELL_CONFORMANCE"); file != "" {
		if err := os.WriteFile(file, []byte(passed.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// judge holds what was found of a case against what the list says of it.
func judge(list map[string]bool, name string, impossible bool) error {
	switch {
	case impossible && !list[name]:
		return errors.New("its types have no such value, and the list does not say so")
	case !impossible && list[name]:
		return errors.New("the list says that its types have no such value, and they have")
	}
	return nil
}

func TestAListThatIsNotTrueFails(t *testing.T) {
	list := map[string]bool{"listed": true}
	for _, it := range []struct {
		name       string
		impossible bool
		good       bool
	}{{"listed", true, true}, {"other", false, true}, {"listed", false, false}, {"other", true, false}} {
		if err := judge(list, it.name, it.impossible); (err == nil) != it.good {
			t.Errorf("%+v: %v", it, err)
		}
	}
}

// line is what is written of a case that passed.
func line(name string) string {
	if byType[name] {
		return name + "\tby type\n"
	}
	return name + "\n"
}

func groups(t *testing.T) (all []group) {
	known := map[string]bool{}
	files, _ := filepath.Glob("../../conformance/cases/*.json")
	for _, file := range files {
		opened, err := os.Open(file)
		var group group
		if err == nil {
			cases := json.NewDecoder(opened)
			cases.DisallowUnknownFields() // what this runner does not know it would not check
			err = errors.Join(cases.Decode(&group), opened.Close())
		}
		if err != nil || group.Format != 1 {
			t.Fatalf("%s: format %d: %v", file, group.Format, err)
		}
		all = append(all, group)
		for _, it := range group.Cases {
			known[group.Group+"\t"+it.Name] = true
		}
	}
	for name := range byType {
		if !known[name] {
			t.Errorf("no case is %q", name)
		}
	}
	if len(all) == 0 {
		t.Fatal("there are no cases")
	}
	return all
}

func (r *running) check(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

func (r *running) step(step step) {
	switch {
	case step.Restore == "":
		r.call(step)
	case step.Error != nil:
		var known *hotcell.Error
		if err := r.object(step.Restore).Restore(r.Context()); !errors.As(err, &known) {
			r.Fatalf("it was made anew: %v", err)
		}
		r.checkError(known, step.Error)
	default:
		r.check(r.object(step.Restore).Restore(r.Context()))
	}
	for name, times := range step.Restored {
		if got := r.object(name).Restored(); got != times {
			r.Fatalf("%s was made anew %d times, expected %d", name, got, times)
		}
	}
}

// object is one that was saved, which can be made anew.
func (r *running) object(name string) restorable { return r.saved[name].Interface().(restorable) }

func (r *running) call(step step) {
	function, args, err := r.prepare(step)
	if errors.Is(err, errByType) && step.Refused != "" {
		r.byType = true
		return
	}
	r.check(err)
	results := function.Call(args)
	last := len(results) - 1
	err, _ = results[last].Interface().(error)
	results = results[:last]
	var known *hotcell.Error
	switch {
	case step.Refused != "":
		if !errors.As(err, &known) || known.Executed != hotcell.ExecutedNo {
			r.Fatalf("it is not refused: %v", err)
		}
	case step.Failed != "":
		if !errors.Is(err, errCallback) {
			r.Fatalf("it has not failed with what its callback failed with: %v", err)
		}
	case step.Error != nil:
		if !errors.As(err, &known) {
			r.Fatalf("it has not failed: %v", err)
		}
		r.checkError(known, step.Error)
	default:
		r.check(err)
		r.checkResults(step, args, results)
		r.checkRows(step, args, results)
		r.checkLending(step, args, results)
	}
}

// row is what a function was passed, and what it gave.
type row struct{ args, results []reflect.Value }

// known is the rows of each function that were met so far.
var known struct {
	sync.Mutex
	rows map[string][]row
}

// checkRows has a function that can be called by columns give the same for each of many rows: those that it was met with, in turn.
func (r *running) checkRows(step step, args, results []reflect.Value) {
	name := exported(strings.TrimPrefix(step.Call, "grid_")) + "Rows"
	method, there := reflect.TypeFor[*grid.Library]().MethodByName(name)
	if !there {
		return
	}
	known.Lock()
	if known.rows == nil {
		known.rows = make(map[string][]row)
	}
	known.rows[name] = append(known.rows[name], row{args[2:], results})
	met := known.rows[name]
	known.Unlock()
	columns := append([]reflect.Value(nil), args[:2]...)
	for at, arg := range args[2:] {
		column := reflect.MakeSlice(reflect.SliceOf(arg.Type()), 0, rows)
		for number := range rows {
			column = reflect.Append(column, met[number%len(met)].args[at])
		}
		columns = append(columns, column)
	}
	got := method.Func.Call(columns)
	if err, _ := got[len(got)-1].Interface().(error); err != nil {
		r.Fatalf("by columns it fails: %v", err)
	}
	if len(results) == 0 {
		return
	}
	byRows.Add(1)
	if got[0].Len() != rows {
		r.Fatalf("%d results for %d rows", got[0].Len(), rows)
	}
	for number := range rows {
		for at, result := range met[number%len(met)].results {
			of := got[0].Index(number)
			if len(results) > 1 {
				of = of.Field(at)
			}
			if !same(of, result) {
				r.Fatalf("row %d gives %v, and a call %v", number, of, result)
			}
		}
	}
}

// checkLending has a function that can be lent its buffers give the same in them.
func (r *running) checkLending(step step, args, results []reflect.Value) {
	name := exported(strings.TrimPrefix(step.Call, "grid_"))
	method, there := reflect.TypeFor[*grid.Library]().MethodByName(name + "InPlace")
	if !there {
		if method, there = reflect.TypeFor[*grid.Library]().MethodByName(name + "Into"); !there {
			return
		}
	}
	var buffers []*hotcell.SharedBuffer
	lent := append([]reflect.Value(nil), args...)
	for at, arg := range args {
		if method.Type.In(at) != reflect.TypeFor[*hotcell.SharedBuffer]() {
			continue
		}
		data, goesIn := arg.Interface().([]byte)
		length := len(data)
		if !goesIn {
			length = int(arg.Int())
		}
		buffer, err := r.lib.Session().AllocShared(length)
		r.check(err)
		defer buffer.Free()
		_, err = buffer.WriteAt(data, 0)
		r.check(err)
		lent[at], buffers = reflect.ValueOf(buffer), append(buffers, buffer)
	}
	got := method.Func.Call(lent)
	if err, _ := got[len(got)-1].Interface().(error); err != nil {
		r.Fatalf("where it is lent buffers it fails: %v", err)
	}
	byLending.Add(1)
	for at, result := range results {
		if data, whole := result.Interface().([]byte); whole && got[at].Kind() == reflect.Int {
			filled := make([]byte, got[at].Int())
			_, err := buffers[0].ReadAt(filled, 0)
			r.check(err)
			buffers = buffers[1:]
			if !bytes.Equal(filled, data) {
				r.Fatalf("a buffer that is lent has %v, and a call gives %v", filled, data)
			}
		} else if !same(got[at], result) {
			r.Fatalf("it gives %v where it is lent buffers, and else %v", got[at], result)
		}
	}
}

// rows is how many rows each call has that is made by columns.
const rows = 1027

// byRows counts such calls, and byLending those that lend buffers.
var byRows, byLending atomic.Int32

// prepare is the function by its name in C, with what it is called with.
func (r *running) prepare(step step) (reflect.Value, []reflect.Value, error) {
	function := r.function(step.Call)
	left := step.Args
	var args []reflect.Value
	for at := range function.Type().NumIn() {
		switch wanted := function.Type().In(at); wanted {
		case reflect.TypeFor[*grid.Library]():
			args = append(args, reflect.ValueOf(r.lib))
		case reflect.TypeFor[context.Context]():
			args = append(args, reflect.ValueOf(r.Context()))
		default:
			if len(left) == 0 {
				return function, nil, errByType
			}
			value, err := r.value(left[0], wanted)
			if err != nil {
				return function, nil, err
			}
			args, left = append(args, value), left[1:]
		}
	}
	if len(left) > 0 {
		return function, nil, errByType
	}
	return function, args, nil
}

// function is a method of an object's type or of the library, which is its first parameter.
func (r *running) function(name string) reflect.Value {
	for begins, object := range objects {
		if rest, ok := strings.CutPrefix(name, begins); ok {
			if method, there := object.MethodByName(exported(rest)); there {
				return method.Func
			}
		}
	}
	method, there := reflect.TypeFor[*grid.Library]().MethodByName(exported(strings.TrimPrefix(name, "grid_")))
	if !there {
		r.Fatalf("there is no function %s", name)
	}
	return method.Func
}

func (r *running) checkResults(step step, args, results []reflect.Value) {
	if step.Save != "" {
		if len(results) != 1 {
			r.Fatalf("%d results cannot be saved as one", len(results))
		}
		r.saved[step.Save] = results[0]
	}
	if step.Returns != nil {
		if len(results) != len(*step.Returns) {
			r.Fatalf("%d results, expected %d", len(results), len(*step.Returns))
		}
		for at, expected := range *step.Returns {
			r.checkSame(results[at], expected)
		}
	}
	for name, expected := range step.Changed {
		r.checkSame(r.changed(name, args), expected)
	}
	if step.Sunk != nil {
		r.checkSame(reflect.ValueOf(r.sunk.Bytes()), step.Sunk)
	}
	if step.Noted != nil {
		r.checkSame(reflect.ValueOf(r.noted), *step.Noted)
	}
}

// changed is the one structure that was passed to be changed.
func (r *running) changed(name string, args []reflect.Value) (found reflect.Value) {
	for _, arg := range args {
		if arg.Type() == reflect.TypeFor[*grid.Point]() && !found.IsValid() {
			found = arg
		}
	}
	if !found.IsValid() {
		r.Fatalf("no structure was passed to be changed as %s", name)
	}
	return found
}

func (r *running) checkSame(got reflect.Value, expected any) {
	r.Helper()
	wanted, err := r.value(expected, got.Type())
	if err != nil || !same(got, wanted) {
		r.Fatalf("%v, expected %v", got, expected)
	}
}

// checkError compares what is expected of an error with the error, in the form that JSON has of it.
func (r *running) checkError(err *hotcell.Error, expected map[string]any) {
	text, failed := json.Marshal(map[string]any{
		"kind": err.Kind.String(), "executed": err.Executed, "fault": err.IsFault(), "cause": cause(err.Cause),
	})
	r.check(failed)
	var got map[string]any
	r.check(json.Unmarshal(text, &got))
	if !errors.Is(err, hotcell.KindOf(expected["kind"].(string))) {
		r.Fatalf("it is not of its kind: %v", err)
	}
	r.checkKeys(got, expected, err)
}

// checkKeys compares those keys that are expected.
func (r *running) checkKeys(got, expected map[string]any, err error) {
	for key, wanted := range expected {
		if inner, ok := wanted.(map[string]any); ok {
			has, _ := got[key].(map[string]any)
			r.checkKeys(has, inner, err)
			continue
		}
		if has, there := got[key]; !there || has != wanted {
			r.Fatalf("%s: %v, expected %v: %v", key, has, wanted, err)
		}
	}
}
