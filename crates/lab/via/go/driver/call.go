package main

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"time"
	"unicode"

	"faulty"
)

// objects are the types whose methods functions are.
var objects = []reflect.Type{
	reflect.TypeFor[*faulty.Library](), reflect.TypeFor[*faulty.Db](), reflect.TypeFor[*faulty.Query](), reflect.TypeFor[*faulty.Row](),
}

// call makes a call, on the goroutine that runs this.
func (d *driver) call(ctx context.Context, it order) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if it.WithinMS != nil {
		ctx, cancel = context.WithTimeout(ctx, time.Duration(*it.WithinMS)*time.Millisecond)
		defer cancel()
	}
	d.mutex.Lock()
	d.calls[it.ID] = cancel
	d.mutex.Unlock()
	defer take(d, d.calls, it.ID)
	function, args, err := d.prepare(ctx, it)
	if err != nil {
		d.say(it.ID, nil, err)
		return
	}
	begun := time.Now()
	results := function.Call(args)
	took := time.Since(begun)
	last := len(results) - 1
	err, _ = results[last].Interface().(error)
	values := []any{}
	if err == nil {
		for _, result := range results[:last] {
			values = append(values, d.said(result))
		}
	}
	d.say(it.ID, answer{"values": values, "ns": took.Nanoseconds()}, err)
}

// prepare is the function by its name in C, with what it is called with.
func (d *driver) prepare(ctx context.Context, it order) (reflect.Value, []reflect.Value, error) {
	function, there := method(it.Function)
	if !there {
		return function, nil, impossible(it.Function + " has no method")
	}
	left, args := it.Args, []reflect.Value{}
	for at := range function.Type().NumIn() {
		switch wanted := function.Type().In(at); {
		case at == 0 && wanted == reflect.TypeFor[*faulty.Library]():
			args = append(args, reflect.ValueOf(d.library(it.Session)))
		case wanted == reflect.TypeFor[context.Context]():
			args = append(args, reflect.ValueOf(ctx))
		case len(left) == 0:
			return function, nil, impossible(it.Function + " has another argument")
		default:
			value, err := d.value(it, left[0], wanted)
			if err != nil {
				return function, nil, err
			}
			args, left = append(args, value), left[1:]
		}
	}
	if len(left) > 0 {
		return function, nil, impossible(it.Function + " has fewer arguments: a slice has its length")
	}
	return function, args, nil
}

// method is that of a function, by its name in C: with the library's name in it where another has the shorter one.
func method(name string) (reflect.Value, bool) {
	for _, name := range []string{exported(name), exported(strings.TrimPrefix(name, "faulty_"))} {
		for _, object := range objects {
			if found, there := object.MethodByName(name); there {
				return found.Func, true
			}
		}
	}
	return reflect.Value{}, false
}

// exported is a name of C as Go has it.
func exported(name string) string {
	var text strings.Builder
	for part := range strings.SplitSeq(name, "_") {
		for at, letter := range part {
			if at == 0 {
				letter = unicode.ToUpper(letter)
			}
			text.WriteRune(letter)
		}
	}
	return text.String()
}

// callBack has the lab say what a callback returns, and makes the calls that are to be made in it.
func (d *driver) callBack(ctx context.Context, call order, args []any) (any, error) {
	hears := make(chan order, 1)
	id := keep(d, d.callbacks, hears)
	defer take(d, d.callbacks, id)
	d.say(call.ID, answer{"callback": id, "args": args}, nil)
	for it := range hears {
		switch {
		case it.Do == "call":
			d.call(ctx, it)
		case it.Fail != nil:
			return nil, errors.New(*it.Fail)
		default:
			return it.Value, nil
		}
	}
	return nil, errors.New("the lab does not answer")
}
