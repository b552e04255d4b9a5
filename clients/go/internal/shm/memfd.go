package shm

import (
	"syscall"
	"unsafe"

	"hotcell/internal/sys"
)

// Memfd makes a file in memory. The name is for whoever looks at it from outside.
func Memfd(name string, flags int) (int, error) {
	text, err := syscall.BytePtrFromString(name)
	if err != nil {
		return -1, err
	}
	fd, _, errno := syscall.Syscall(sys.SYS_MEMFD_CREATE, uintptr(unsafe.Pointer(text)), uintptr(flags), 0)
	if errno != 0 {
		return -1, errno
	}
	return int(fd), nil
}
