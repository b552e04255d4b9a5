package shm

// ownCPU is the CPU that this thread is on, without a system call. It is what the kernel's own shared code for that reads: the limit of a
// segment that has a number for each CPU. Where there is no such segment, it is not known.
//
//go:noescape
func ownCPU() (cpu uint32, known bool)
