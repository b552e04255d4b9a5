package sys

// Numbers of system calls.
const (
	SYS_GETCPU       = 309
	SYS_MEMFD_CREATE = 319
)
