// Program cgo calls the measured library in this process.
package main

// #cgo LDFLAGS: -l:libhotcell_measured.so
// #include "measured.h"
// int32_t visit(void *user, int32_t number);
import "C"

import (
	"fmt"
	"runtime"

	"hotcell-bench/program"
)

func main() {
	program.Serve("cgo of "+runtime.Version(), map[string]program.Figure{"add": add, "crc32.1k": crc32, "callback": callback})
}

//export visit
func visit(_ *C.void, number C.int32_t) C.int32_t { return number / 2 }

func add(ask *program.Ask) (float64, error) {
	return ask.Measure(0, func(calls int) error {
		for range calls {
			if got := C.measured_add(1, 2); got != program.Sum {
				return fmt.Errorf("a sum is %d", got)
			}
		}
		return nil
	})
}

func crc32(ask *program.Ask) (float64, error) {
	data := program.Data()
	return ask.Measure(0, func(calls int) error {
		for range calls {
			if got := C.measured_crc32(0, (*C.uchar)(&data[0]), C.size_t(len(data))); got != program.CRC {
				return fmt.Errorf("a checksum is %#x", got)
			}
		}
		return nil
	})
}

func callback(ask *program.Ask) (float64, error) {
	nanoseconds, err := ask.Measure(0, func(calls int) error {
		for range calls {
			if got := C.measured_each(program.Callbacks, (*[0]byte)(C.visit), nil); got != program.Each {
				return fmt.Errorf("callbacks add up to %d", got)
			}
		}
		return nil
	})
	return nanoseconds / program.Callbacks, err
}
