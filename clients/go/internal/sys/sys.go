// Package sys has the few things of Linux that package syscall, which is frozen, lacks. Names are those of golang.org/x/sys/unix.
package sys

import "syscall"

// Numbers that are the same on every machine.
const (
	EFD_CLOEXEC         = 0x80000
	EFD_NONBLOCK        = 0x800
	F_ADD_SEALS         = 0x409
	F_GET_SEALS         = 0x40a
	F_SEAL_SEAL         = 0x1
	F_SEAL_SHRINK       = 0x2
	F_SEAL_GROW         = 0x4
	F_SEAL_WRITE        = 0x8
	F_SEAL_FUTURE_WRITE = 0x10
	MADV_DONTDUMP       = 0x10
	MFD_CLOEXEC         = 0x1
	MFD_ALLOW_SEALING   = 0x2
)

// Eventfd makes a counter that a thread can wait for.
func Eventfd(initial uint, flags int) (int, error) {
	fd, _, errno := syscall.Syscall(syscall.SYS_EVENTFD2, uintptr(initial), uintptr(flags), 0)
	return result(fd, errno)
}

// FcntlInt calls fcntl with a number.
func FcntlInt(fd uintptr, command, argument int) (int, error) {
	value, _, errno := syscall.Syscall(syscall.SYS_FCNTL, fd, uintptr(command), uintptr(argument))
	return result(value, errno)
}

func result(value uintptr, errno syscall.Errno) (int, error) {
	if errno != 0 {
		return -1, errno
	}
	return int(value), nil
}
