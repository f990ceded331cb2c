// Package backing starts the services that nodes stand on or behind, PostgreSQL,
// Redis, nginx and Caddy, as processes of its own: in a folder they are given, on free ports
// of this machine, ended with whoever started them. It serves the tests, the
// benchmark and make cluster; the server itself never imports it.
package backing

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// readyWithin is how long a service may take to answer after its start.
const readyWithin = 30 * time.Second

// service is a process that can be started again after it ended, on the same
// port and data.
type service struct {
	argv []string
	dir  string
	env  []string            // added to our own environment
	as   *syscall.Credential // nil: whoever we are
	log  log

	mu     sync.Mutex // guards the following
	cmd    *exec.Cmd
	exited chan struct{} // closed when cmd has ended
}

// log keeps what a process printed.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write appends to the log.
func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String returns all that was printed.
func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// start starts the process and waits until answers says that it serves.
func (s *service) start(ctx context.Context, answers func(context.Context) error) error {
	cmd := exec.Command(s.argv[0], s.argv[1:]...) // #nosec G204 -- a service this package names
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, &s.log, &s.log
	cmd.Env = append(os.Environ(), s.env...)
	cmd.SysProcAttr = ownProcess(s.as)
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	s.mu.Lock()
	s.cmd, s.exited = cmd, exited
	s.mu.Unlock()
	go func() { // ends with the process, which Kill or Stop sees to
		_ = cmd.Wait() // how it ended is told by its log
		close(exited)
	}()
	return s.await(ctx, exited, answers)
}

func (s *service) await(ctx context.Context, exited <-chan struct{}, answers func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := answers(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-exited:
			return fmt.Errorf("%s ended at start: %s", s.argv[0], s.log.String())
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w: %s", s.argv[0], err, s.log.String())
		}
	}
}

// Log returns all that the service printed.
func (s *service) Log() string { return s.log.String() }

// signal sends a signal to the process; one that has ended takes it silently.
func (s *service) signal(sig syscall.Signal) error {
	s.mu.Lock()
	cmd := s.cmd
	s.mu.Unlock()
	if cmd == nil {
		return nil
	}
	if err := cmd.Process.Signal(sig); !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

// end sends a signal that ends the process and waits until it is gone.
func (s *service) end(sig syscall.Signal) error {
	s.mu.Lock()
	exited := s.exited
	s.mu.Unlock()
	if exited == nil {
		return nil
	}
	err := s.signal(sig)
	<-exited
	return err
}

// FreePort returns a port of 127.0.0.1 that nothing listens on. It is below the
// range from which the kernel takes ports by itself, so that no connection has it
// when a stopped service comes back on it.
func FreePort() (int, error) {
	for range 100 {
		port := 10_000 + rand.IntN(20_000) // #nosec G404 -- a test's
		if l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			return port, l.Close()
		}
	}
	return 0, errors.New("no port is free")
}

// program returns the path of a program in PATH or in one of some folders.
func program(name string, folders ...string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	for _, pattern := range folders {
		found, _ := filepath.Glob(filepath.Join(pattern, name)) // the pattern is ours, and good
		if len(found) > 0 {
			return found[len(found)-1], nil
		}
	}
	return "", fmt.Errorf("%s is needed and was not found: please install it", name)
}
