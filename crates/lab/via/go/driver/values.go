package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"hotcell"
)

// impossible says that the types of Go have no such call: a program with it is not compiled.
type impossible string

func (i impossible) Error() string { return "a program in Go with this is not compiled: " + string(i) }

// lacks says that the client has no such thing.
type lacks string

func (l lacks) Error() string { return string(l) }

// failed is what the lab is told of a call that failed.
func failed(err error) answer {
	var known *hotcell.Error
	if !errors.As(err, &known) {
		why := "refused"
		switch err.(type) {
		case impossible:
			why = "impossible"
		case lacks:
			why = "lacks"
		}
		return answer{"why": why, "message": err.Error()}
	}
	text := fmt.Sprintf("%v; %v; executed: %s; %s; %s", known, known.Cause, known.Executed, known.Kind.Advice(), known.Output)
	return answer{
		"kind": known.Kind.String(), "message": known.Message, "text": text, "output": known.Output,
		"shortage": nil, // this client is not told
	}
}

// said is a result as the lab is told it.
func (d *driver) said(value reflect.Value) any {
	switch value.Kind() {
	case reflect.Pointer:
		if value.IsNil() {
			return nil
		}
		for _, object := range objects {
			if value.Type() == object {
				return answer{"object": keep(d, d.objects, value.Interface())}
			}
		}
		return d.said(value.Elem())
	case reflect.Bool:
		return value.Bool()
	case reflect.String:
		return value.String()
	case reflect.Float32, reflect.Float64:
		return answer{"float": strconv.FormatFloat(value.Float(), 'g', -1, 64)}
	case reflect.Slice:
		if data, ok := value.Interface().([]byte); ok {
			return answer{"bytes": hex.EncodeToString(data)}
		}
		items := []any{}
		for at := range value.Len() {
			items = append(items, d.said(value.Index(at)))
		}
		return items
	}
	return answer{"int": fmt.Sprintf("%d", value.Interface())}
}

// value is what the lab says, as a type of the package has it.
func (d *driver) value(call order, given any, wanted reflect.Type) (reflect.Value, error) {
	value := reflect.New(wanted).Elem()
	fields, _ := given.(map[string]any)
	switch {
	case fields["callback"] != nil && wanted.Kind() == reflect.Func:
		return d.function(call, wanted), nil
	case fields["object"] != nil:
		d.mutex.Lock()
		object := reflect.ValueOf(d.objects[uint64(fields["object"].(float64))])
		d.mutex.Unlock()
		if !object.IsValid() || !object.Type().AssignableTo(wanted) {
			return value, impossible(fmt.Sprintf("an object of another type than %v", wanted))
		}
		return object, nil
	case wanted.Kind() == reflect.Pointer && given == nil:
		return value, nil
	case wanted.Kind() == reflect.Pointer:
		inner, err := d.value(call, given, wanted.Elem())
		value.Set(reflect.New(wanted.Elem()))
		if err == nil {
			value.Elem().Set(inner)
		}
		return value, err
	}
	return value, d.set(call, value, given)
}

// set sets a value of a plain type.
func (d *driver) set(call order, value reflect.Value, given any) error {
	none := impossible(fmt.Sprintf("%v of type %v", given, value.Type()))
	fields, _ := given.(map[string]any)
	text, _ := fields["int"].(string)
	switch value.Kind() {
	case reflect.Bool:
		truth, ok := given.(bool)
		if value.SetBool(truth); !ok {
			return none
		}
	case reflect.String:
		text, ok := given.(string)
		if letter, repeats := fields["repeat"].(string); repeats {
			times, isNumber := fields["times"].(float64)
			text, ok = strings.Repeat(letter, int(times)), isNumber
		}
		if value.SetString(text); !ok {
			return none
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		number, err := strconv.ParseInt(text, 10, value.Type().Bits())
		if value.SetInt(number); err != nil {
			return none
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		number, err := strconv.ParseUint(text, 10, value.Type().Bits())
		if value.SetUint(number); err != nil {
			return none
		}
	case reflect.Slice:
		return d.slice(call, value, given)
	default:
		return none
	}
	return nil
}

func (d *driver) slice(call order, value reflect.Value, given any) error {
	fields, _ := given.(map[string]any)
	if data, ok := fields["bytes"].(string); ok && value.Type() == reflect.TypeFor[[]byte]() {
		bytes, err := hex.DecodeString(data)
		value.SetBytes(bytes)
		return err
	}
	items, ok := given.([]any)
	if !ok {
		return impossible(fmt.Sprintf("%v of type %v", given, value.Type()))
	}
	for _, item := range items {
		one, err := d.value(call, item, value.Type().Elem())
		if err != nil {
			return err
		}
		value.Set(reflect.Append(value, one))
	}
	return nil
}

// function is a callback: what it returns the lab says.
func (d *driver) function(call order, wanted reflect.Type) reflect.Value {
	return reflect.MakeFunc(wanted, func(args []reflect.Value) []reflect.Value {
		ctx, told := args[0].Interface().(context.Context), []any{}
		for _, arg := range args[1:] {
			told = append(told, d.said(arg))
		}
		given, err := d.callBack(ctx, call, told)
		result := reflect.Zero(wanted.Out(0))
		if err == nil {
			result, err = d.value(call, given, wanted.Out(0))
		}
		fails := reflect.New(wanted.Out(1)).Elem()
		if err != nil {
			fails.Set(reflect.ValueOf(err))
		}
		return []reflect.Value{result, fails}
	})
}
