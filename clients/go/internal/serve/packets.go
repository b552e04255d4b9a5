package serve

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// most is how many bytes a packet may have.
const most = 64 << 10

// sendTime is how long the other side may take to have room for a message.
const sendTime = 5 * time.Second

// packets is a socket on which whole messages travel, with descriptors.
type packets struct {
	conn *net.UnixConn
	// sending: messages are sent by any goroutine, one at a time.
	sending sync.Mutex
}

// pair makes both ends of a socket: one to be kept, one to be given away.
func pair() (*packets, *os.File, error) {
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_SEQPACKET|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("making a socket: %w", err)
	}
	theirs := os.NewFile(uintptr(ends[1]), "session")
	ours, err := take(ends[0])
	if err != nil {
		_ = theirs.Close()
		return nil, nil, err
	}
	return ours, theirs, nil
}

// take makes packets of a socket's descriptor, which belongs to them from now on.
func take(fd int) (*packets, error) {
	file := os.NewFile(uintptr(fd), "session")
	// net.FileConn has a descriptor of its own.
	defer func() { _ = file.Close() }()
	conn, err := net.FileConn(file)
	if err != nil {
		return nil, fmt.Errorf("a socket: %w", err)
	}
	unixConn, ok := conn.(*net.UnixConn)
	if !ok {
		_ = conn.Close()
		return nil, errors.New("a socket of another family")
	}
	return &packets{conn: unixConn}, nil
}

// send sends a message with descriptors, which stay the caller's.
func (p *packets) send(message any, files ...*os.File) error {
	data, err := json.Marshal(message)
	if err != nil {
		return err
	}
	if len(data) > most {
		return fmt.Errorf("a message of %d bytes", len(data))
	}
	var rights []byte
	if len(files) > 0 {
		fds := make([]int, len(files))
		for at, file := range files {
			// Fd would make the description blocking, for everybody who has it.
			conn, err := file.SyscallConn()
			if err != nil {
				return err
			}
			if err := conn.Control(func(fd uintptr) { fds[at] = int(fd) }); err != nil {
				return err
			}
		}
		rights = syscall.UnixRights(fds...)
	}
	p.sending.Lock()
	defer p.sending.Unlock()
	// A server that is stopped takes nothing any more: deadlines of calls are to hold all the same.
	if err := p.conn.SetWriteDeadline(time.Now().Add(sendTime)); err != nil {
		return err
	}
	if _, _, err = p.conn.WriteMsgUnix(data, rights, nil); err != nil {
		p.close()
	}
	for _, file := range files {
		keep(file)
	}
	return err
}

// receive waits for a message. The descriptors are the caller's.
func (p *packets) receive(into []byte, rights []byte) (json []byte, fds []int, err error) {
	count, rightsCount, flags, _, err := p.conn.ReadMsgUnix(into, rights)
	if err != nil {
		return nil, nil, err
	}
	if fds, err = descriptors(rights[:rightsCount]); err != nil {
		return nil, nil, err
	}
	if flags&(syscall.MSG_TRUNC|syscall.MSG_CTRUNC) != 0 {
		closeAll(fds)
		if flags&syscall.MSG_TRUNC == 0 {
			return nil, nil, errNoDescriptors
		}
		return nil, nil, errors.New("a message that is too long")
	}
	if count == 0 {
		closeAll(fds)
		return nil, nil, io.EOF
	}
	return into[:count], fds, nil
}

// errNoDescriptors says that this process has lost what came with a message. There is room for more than any message has.
var errNoDescriptors = errors.New("this process has as many descriptors as it may have: what hotcell has sent for the session is lost")

func descriptors(rights []byte) (all []int, err error) {
	messages, err := syscall.ParseSocketControlMessage(rights)
	if err != nil {
		return nil, err
	}
	for _, message := range messages {
		fds, err := syscall.ParseUnixRights(&message)
		if err != nil {
			continue // Something else than descriptors, which nobody asked for.
		}
		all = append(all, fds...)
	}
	return all, nil
}

func closeAll(fds []int) {
	for _, fd := range fds {
		_ = syscall.Close(fd)
	}
}

// close closes the socket: who reads it hears that at once.
func (p *packets) close() { _ = p.conn.Close() }
