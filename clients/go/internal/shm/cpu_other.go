//go:build !amd64

package shm

// ownCPU is not known on this architecture without a system call.
func ownCPU() (cpu uint32, known bool) { return 0, false }
