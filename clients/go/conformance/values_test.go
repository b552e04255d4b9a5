package conformance

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"math"
	"reflect"
	"strconv"
	"strings"
)

// errByType is that a type of Go has no such value: a program with it is not compiled.
var errByType = errors.New("the type has no such value")

// errCallback is what the callback `fail` fails with.
var errCallback = errors.New("this one fails, as it was asked to")

// value is a value of the grid, as a type of the generated package has it.
func (r *running) value(given any, wanted reflect.Type) (reflect.Value, error) {
	fields, _ := given.(map[string]any)
	if name, ok := fields["object"].(string); ok {
		return ofType(r.saved[name], wanted)
	}
	if wanted.Kind() == reflect.Pointer && given != nil {
		inner, err := r.value(given, wanted.Elem())
		pointer := reflect.New(wanted.Elem())
		if err == nil {
			pointer.Elem().Set(inner)
		}
		return pointer, err
	}
	switch given := given.(type) {
	case nil:
		if wanted.Kind() != reflect.Pointer {
			return reflect.Value{}, errByType
		}
		return reflect.Zero(wanted), nil
	case []any:
		return r.list(given, wanted)
	case map[string]any:
		return r.named(given, wanted)
	}
	return ofType(reflect.ValueOf(given), wanted)
}

func ofType(value reflect.Value, wanted reflect.Type) (reflect.Value, error) {
	if !value.Type().AssignableTo(wanted) {
		return reflect.Value{}, errByType
	}
	return value, nil
}

func (r *running) list(items []any, wanted reflect.Type) (reflect.Value, error) {
	if wanted.Kind() != reflect.Slice {
		return reflect.Value{}, errByType
	}
	list := reflect.MakeSlice(wanted, 0, len(items))
	for _, item := range items {
		value, err := r.value(item, wanted.Elem())
		if err != nil {
			return reflect.Value{}, err
		}
		list = reflect.Append(list, value)
	}
	return list, nil
}

// named is a value that the grid writes with its kind.
func (r *running) named(fields map[string]any, wanted reflect.Type) (reflect.Value, error) {
	text := func(key string) string { text, _ := fields[key].(string); return text }
	times := 1
	if given, ok := fields["times"].(float64); ok {
		times = int(given)
	}
	for key := range fields {
		switch key {
		case "int", "float":
			return number(key, text(key), wanted)
		case "bytes":
			data, err := hex.DecodeString(text(key))
			r.check(err)
			return ofType(reflect.ValueOf(bytes.Repeat(data, times)), wanted)
		case "repeat":
			return ofType(reflect.ValueOf(strings.Repeat(text(key), times)), wanted)
		case "struct":
			return r.structure(fields["fields"].(map[string]any), wanted)
		case "callback":
			if stream := r.stream(text(key)); wanted.Kind() == reflect.Interface {
				return reflect.ValueOf(stream), nil
			}
			return r.callback(text(key), wanted), nil
		}
	}
	r.Fatalf("an unknown value: %v", fields)
	return reflect.Value{}, nil
}

// number is one that the type holds without loss: what is out of its range no program can write.
func number(kind, text string, wanted reflect.Type) (reflect.Value, error) {
	value := reflect.New(wanted).Elem()
	var err error
	switch {
	case kind == "int" && value.CanInt():
		var number int64
		number, err = strconv.ParseInt(text, 10, wanted.Bits())
		value.SetInt(number)
	case kind == "int" && value.CanUint():
		var number uint64
		number, err = strconv.ParseUint(text, 10, wanted.Bits())
		value.SetUint(number)
	case kind == "float" && value.CanFloat():
		var number float64
		number, err = strconv.ParseFloat(text, wanted.Bits())
		value.SetFloat(number)
	default:
		err = errByType
	}
	if err != nil {
		return reflect.Value{}, errByType
	}
	return value, nil
}

func (r *running) structure(fields map[string]any, wanted reflect.Type) (reflect.Value, error) {
	made := reflect.New(wanted).Elem()
	if len(fields) != made.NumField() {
		r.Fatalf("%v has %d fields, and not those of %v", wanted, made.NumField(), fields)
	}
	for name, given := range fields {
		field := made.FieldByName(exported(name))
		value, err := r.value(given, field.Type())
		if err != nil {
			return reflect.Value{}, err
		}
		field.Set(value)
	}
	return made, nil
}

// stream is one of the callbacks that move bytes.
func (r *running) stream(name string) any {
	switch name {
	case "source":
		return bytes.NewReader([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
	case "sink":
		return &r.sunk
	}
	reader, writer := io.Pipe()
	r.check(reader.CloseWithError(errCallback))
	return writer
}

// callback is one of the four that the grid knows. It gives a number where the function asks for one.
func (r *running) callback(name string, wanted reflect.Type) reflect.Value {
	own, known := map[string]func(ctx context.Context, value int32) (int32, error){
		"double": func(_ context.Context, value int32) (int32, error) { return 2 * value, nil },
		"fail":   func(context.Context, int32) (int32, error) { return 0, errCallback },
		"nested": func(ctx context.Context, value int32) (int32, error) { return r.lib.Add(ctx, value, 1) },
		"note":   r.note,
	}[name]
	if !known {
		r.Fatalf("an unknown callback: %s", name)
	}
	return reflect.MakeFunc(wanted, func(in []reflect.Value) []reflect.Value {
		given, err := own(in[0].Interface().(context.Context), in[1].Interface().(int32))
		failure := reflect.Zero(reflect.TypeFor[error]())
		if err != nil {
			failure = reflect.ValueOf(&err).Elem()
		}
		if wanted.NumOut() == 1 {
			return []reflect.Value{failure}
		}
		return []reflect.Value{reflect.ValueOf(given), failure}
	})
}

// note keeps a number, on whatever goroutine it is told.
func (r *running) note(_ context.Context, value int32) (int32, error) {
	r.noting.Lock()
	defer r.noting.Unlock()
	r.noted = append(r.noted, value)
	return 0, nil
}

// same tells whether two values are the same: of fractions that are no numbers, both.
func same(one, other reflect.Value) bool {
	switch {
	case one.CanFloat():
		return one.Float() == other.Float() || math.IsNaN(one.Float()) && math.IsNaN(other.Float())
	case one.Kind() == reflect.Slice && one.Len() == 0:
		return other.Len() == 0
	}
	return reflect.DeepEqual(one.Interface(), other.Interface())
}

// exported is a name of C as Go exports it: `length_or_none` is LengthOrNone.
func exported(name string) string {
	var text strings.Builder
	for word := range strings.SplitSeq(name, "_") {
		text.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return text.String()
}
