package sys

// Numbers of system calls.
const (
	SYS_GETCPU       = 168
	SYS_MEMFD_CREATE = 279
)
