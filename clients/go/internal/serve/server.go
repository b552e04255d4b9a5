package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"hotcell"
)

// server is a program hotcell serve that runs: the first socket to it.
type server struct {
	first *packets
	// command is the program, where this process has started it.
	command *exec.Cmd
	// gone is closed when it has ended.
	gone chan struct{}
}

// servers are those that this process has, by program or socket: one for each.
var servers struct {
	sync.Mutex
	by map[string]*server
}

// patience is how long a server may take to say hello.
const patience = 10 * time.Second

// serverFor is the server of these options. It is started where there is none, or where it has ended.
func serverFor(options hotcell.Options) (*server, error) {
	socket := options.Socket
	if socket == "" {
		socket = os.Getenv("HOTCELL_SERVE")
	}
	key := socket
	if socket == "" {
		program, err := find(options.Program)
		if err != nil {
			return nil, err
		}
		key = program
	}
	servers.Lock()
	defer servers.Unlock()
	if known := servers.by[key]; known != nil && !known.ended() {
		return known, nil
	}
	begin := start
	if socket != "" {
		begin = connect
	}
	made, err := begin(key)
	if err != nil {
		return nil, err
	}
	if servers.by == nil {
		servers.by = make(map[string]*server)
	}
	servers.by[key] = made
	return made, nil
}

// ends waits a moment for what is ending: false where the server goes on.
func (s *server) ends(ctx context.Context) bool {
	timer := time.NewTimer(time.Second)
	defer timer.Stop()
	select {
	case <-s.gone:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}

func (s *server) ended() bool {
	select {
	case <-s.gone:
		return true
	default:
		return false
	}
}

// start starts the program with one end of a socket as descriptor 3. It ends when the other end is closed: with this process.
func start(program string) (*server, error) {
	ours, theirs, err := pair()
	if err != nil {
		return nil, err
	}
	defer func() { _ = theirs.Close() }()
	command := exec.CommandContext(context.Background(), program, "serve", "--fd", "3")
	command.ExtraFiles = []*os.File{theirs}
	command.Stderr = os.Stderr
	// What is meant for the terminal's programs is not for this one, which ends with its socket.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := command.Start(); err != nil {
		ours.close()
		return nil, fmt.Errorf("starting %s: %w", program, err)
	}
	return greeted(&server{first: ours, command: command, gone: make(chan struct{})})
}

// connect connects to one that runs.
func connect(path string) (*server, error) {
	conn, err := net.DialUnix("unixpacket", nil, &net.UnixAddr{Name: path, Net: "unixpacket"})
	if err != nil {
		var why *net.OpError
		if errors.As(err, &why) {
			err = why.Err
		}
		return nil, fmt.Errorf("no server can be reached at %s, which Options.Socket or $HOTCELL_SERVE names: %w", path, err)
	}
	if err := isOwn(conn); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return greeted(&server{first: &packets{conn: conn}, gone: make(chan struct{})})
}

// isOwn refuses a server of another user: it would be given all data of calls.
func isOwn(conn *net.UnixConn) error {
	socket, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var peer *syscall.Ucred
	if err := socket.Control(func(fd uintptr) {
		peer, err = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	}); err != nil {
		return err
	}
	if err != nil {
		return err
	}
	if own := os.Getuid(); int(peer.Uid) != own && peer.Uid != 0 {
		return fmt.Errorf("the server is one of user %d; this is user %d", peer.Uid, own)
	}
	return nil
}

// greeted says hello, waits for the answer, and from then on for the end.
func greeted(s *server) (*server, error) {
	if err := s.greet(); err != nil {
		s.first.close()
		if s.command != nil {
			_ = s.command.Process.Kill()
			_ = s.command.Wait()
		}
		return nil, err
	}
	go s.attend()
	return s, nil
}

func (s *server) greet() error {
	if err := s.first.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if err := s.first.send(message{"kind": "hello", "version": version, "client": "go"}); err != nil {
		return fmt.Errorf("greeting hotcell: %w", err)
	}
	data, fds, err := s.first.receive(make([]byte, most), make([]byte, 256))
	closeAll(fds)
	if err != nil {
		return fmt.Errorf("hotcell has not answered: %w", err)
	}
	var hello answer
	if err := json.Unmarshal(data, &hello); err != nil {
		return fmt.Errorf("hotcell has answered nonsense: %w", err)
	}
	switch {
	case hello.Error != nil:
		return hello.Error
	case hello.Kind != "hello":
		return fmt.Errorf("hotcell has answered %q", hello.Kind)
	case hello.Version != version:
		return &hotcell.Error{
			Kind: hotcell.ErrAbiMismatch, Time: time.Now(), Executed: hotcell.ExecutedNo,
			Message: fmt.Sprintf("hotcell %s speaks version %d to its clients, this client %d", hello.Server, hello.Version, version),
		}
	}
	return s.first.conn.SetDeadline(time.Time{})
}

// attend waits until the server has ended: there is no message but the hello.
func (s *server) attend() {
	for into, rights := make([]byte, 256), make([]byte, 256); ; {
		_, fds, err := s.first.receive(into, rights)
		closeAll(fds)
		if err != nil {
			break
		}
	}
	s.first.close()
	close(s.gone)
	if s.command != nil {
		_ = s.command.Wait()
	}
}

// session has the server take one end of a socket as a new session's; the other one comes back.
func (s *server) session() (*packets, error) {
	ours, theirs, err := pair()
	if err != nil {
		return nil, err
	}
	defer func() { _ = theirs.Close() }()
	if err := s.first.send(message{"kind": "session"}, theirs); err != nil {
		ours.close()
		return nil, errors.Join(errGone, err)
	}
	return ours, nil
}

// errGone says that the server has ended.
var errGone = errors.New("the supervisor has ended")
