// What happens today in Go: a program that calls the faulty library directly, by cgo, one scenario a run. It says and does what
// direct.c does: functions of numbers are called from here, and so is what has to do with callbacks; the rest are that program's own
// scenarios, which are called from here as a library.
package main

/*
#cgo LDFLAGS: -ldl
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>

typedef int program(int count, char **words);
typedef int scenario(const char *name);
typedef int function(int first, int second);

static int run(void *symbol, int count, char **words) { return ((program *)symbol)(count, words); }
static int is_scenario(void *symbol, char *name) { return ((scenario *)symbol)(name); }
static int call(void *symbol, int first, int second) { return ((function *)symbol)(first, second); }
*/
import "C"

import (
	"fmt"
	"os"
	"strconv"
	"unsafe"
)

// The next call was right, or was not.
const (
	lives = 77
	wrong = 78
)

var library unsafe.Pointer

func main() {
	path, words := C.CString(os.Args[1]), os.Args[2:]
	if library = C.dlopen(path, C.RTLD_NOW); library == nil {
		fmt.Fprintln(os.Stderr, C.GoString(C.dlerror()))
		os.Exit(1)
	}
	run(words)
	if C.call(symbol("faulty_add"), 2, 3) == 5 {
		os.Exit(lives)
	}
	os.Exit(wrong)
}

func run(words []string) {
	if own, is := scenarios[words[0]]; is {
		fmt.Println("began")
		fmt.Println("returned", own())
		return
	}
	if C.is_scenario(symbol("is_scenario"), C.CString(words[0])) != 0 {
		list := make([]*C.char, len(words)+2) // the program's name before them, and NULL behind
		for at, word := range words {
			list[at+1] = C.CString(word)
		}
		os.Exit(int(C.run(symbol("direct"), C.int(len(words)+1), cArray(list))))
	}
	fmt.Println("began")
	fmt.Println("returned", C.call(symbol("faulty_"+words[0]), number(words, 1), number(words, 2)))
}

// cArray is a list as C has it: in its own memory.
func cArray(list []*C.char) **C.char {
	array := (**C.char)(C.calloc(C.size_t(len(list)), C.size_t(unsafe.Sizeof(list[0]))))
	copy(unsafe.Slice(array, len(list)), list)
	return array
}

// symbol is a function of the library.
func symbol(name string) unsafe.Pointer {
	found := C.dlsym(library, C.CString(name))
	if found == nil {
		fmt.Fprintln(os.Stderr, "there is no", name)
		os.Exit(2)
	}
	return found
}

func number(words []string, at int) C.int {
	if at >= len(words) {
		return 0
	}
	value, _ := strconv.Atoi(words[at])
	return C.int(value)
}
