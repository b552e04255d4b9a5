package shm

import (
	"runtime"
	"syscall"
	"testing"
	"unsafe"
)

// Where it is known, it is the CPU that the kernel has put the thread on.
func TestTheOwnCPUIsThatOfTheThread(t *testing.T) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		// The thread ends with the goroutine: nobody else gets one that is bound.
		runtime.LockOSThread()
		var allowed [128]uint64
		size, at := unsafe.Sizeof(allowed), uintptr(unsafe.Pointer(&allowed))
		if _, _, errno := syscall.RawSyscall(syscall.SYS_SCHED_GETAFFINITY, 0, size, at); errno != 0 {
			t.Error(errno)
			return
		}
		for cpu := range uint32(64 * len(allowed)) {
			if allowed[cpu/64]>>(cpu%64)&1 == 0 {
				continue
			}
			var one [128]uint64
			one[cpu/64] = 1 << (cpu % 64)
			if _, _, errno := syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, 0, size, uintptr(unsafe.Pointer(&one))); errno != 0 {
				// Taken away since.
				continue
			}
			if said, known := ownCPU(); known && said != cpu {
				t.Errorf("on CPU %d it says %d", cpu, said)
			}
		}
	}()
	<-done
}
