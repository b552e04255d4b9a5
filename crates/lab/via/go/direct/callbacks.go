package main

/*
#include <stdint.h>

typedef int visitor(void *user, int number);
typedef int visited(visitor *visit, void *user);

extern int visit(void *user, int number);

static int with_visit(void *symbol) { return ((visited *)symbol)((visitor *)visit, 0); }
static int inner(void *symbol, int number) { return ((int (*)(int))symbol)(number); }
*/
import "C"

import (
	"fmt"
	"syscall"
	"unsafe"
)

// visits is what the library calls.
var visits func(number C.int) C.int

//export visit
func visit(_ unsafe.Pointer, number C.int) C.int { return visits(number) }

// scenarios are those in which the library calls back.
var scenarios = map[string]func() string{
	"jump_out":            jumpOut,
	"recurse":             recurse,
	"throw_through":       throwThrough,
	"call_back_in_thread": callBackInThread,
}

// jumpOut has the library jump over the frames of this program's callback.
func jumpOut() string {
	ended := 0
	visits = func(number C.int) C.int {
		seen := C.inner(symbol("faulty_inner"), number)
		ended++
		return seen
	}
	sum := C.with_visit(symbol("faulty_outer"))
	return fmt.Sprintf("%d, and %d of its callbacks ended", sum, ended)
}

// recurse calls the library in its own callback, and so on.
func recurse() string {
	visits = func(number C.int) C.int { return C.with_visit(symbol("faulty_outer")) + number }
	return fmt.Sprint(C.with_visit(symbol("faulty_outer")))
}

// throwThrough panics in a callback, which the library is never returned to; then once more.
func throwThrough() string {
	visits = func(C.int) C.int { panic("the program's own failure") }
	for range 2 {
		func() {
			defer func() { fmt.Println("caught", recover()) }()
			C.with_visit(symbol("faulty_locked"))
		}()
	}
	return "in order"
}

// callBackInThread is called back from a thread of the library.
func callBackInThread() string {
	here, there := syscall.Gettid(), 0
	visits = func(number C.int) C.int {
		there = syscall.Gettid()
		return number
	}
	C.with_visit(symbol("faulty_call_back_in_thread"))
	if here != there {
		return "when the program's function had run on a foreign thread"
	}
	return "in order"
}
