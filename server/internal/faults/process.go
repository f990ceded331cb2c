package faults

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Builder builds the server, each variant once per test run.
type Builder struct {
	Dir string // where the binaries go

	mu    sync.Mutex
	built map[string]func() (string, error)
}

// Binary returns the path of a built server; with the race detector, if these
// tests run under it.
func (b *Builder) Binary() (string, error) { return b.variant("social-server", nil) }

// Planted returns the path of a server with planted bugs: see plant.
func (b *Builder) Planted() (string, error) {
	return b.variant("social-server-planted", func() ([]string, error) {
		overlay, err := plant(b.Dir)
		return []string{"-overlay", overlay}, err
	})
}

func (b *Builder) variant(name string, flags func() ([]string, error)) (string, error) {
	b.mu.Lock()
	if b.built == nil {
		b.built = make(map[string]func() (string, error))
	}
	build := b.built[name]
	if build == nil {
		build = sync.OnceValues(func() (string, error) { return b.build(name, flags) })
		b.built[name] = build
	}
	b.mu.Unlock()
	return build()
}

func (b *Builder) build(name string, flags func() ([]string, error)) (string, error) {
	path := filepath.Join(b.Dir, name)
	args := []string{"build", "-buildvcs=false", "-o", path}
	if flags != nil {
		more, err := flags()
		if err != nil {
			return "", err
		}
		args = append(args, more...)
	}
	if raceEnabled {
		args = append(args, "-race")
	}
	cmd := exec.Command("go", append(args, "social-server")...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return path, nil
}

// Log keeps what a process printed.
type Log struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write appends to the log.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String returns all that was printed so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Process is the server as a process of its own. It may be started again after
// it ended, on the same data; each time it listens on another free port, so
// clients ask Addr whenever they connect.
type Process struct {
	Binary string
	Dir    string   // DATA_DIR
	Env    []string // besides
	Wrap   []string // a command that runs the binary, such as strace -D
	Log    *Log     // of all its lives

	mu     sync.Mutex // guards the following
	addr   string
	cmd    *exec.Cmd
	exited chan struct{} // closed when cmd has ended
	err    error         // how it ended; set before exited is closed
}

// readyWithin is how long a start may take; under the race detector, beside
// other tests, it is slow.
const readyWithin = 20 * time.Second

// Start starts the server and waits until it is ready to serve.
func (p *Process) Start(ctx context.Context) error {
	before := len(p.Log.String())
	if err := p.spawn(); err != nil {
		return err
	}
	var addr string
	err := Poll(ctx, readyWithin, "server is ready", func() bool {
		_, rest, found := strings.Cut(p.Log.String()[before:], "is ready at http://localhost:")
		port, _, whole := strings.Cut(rest, "\n")
		addr = "127.0.0.1:" + strings.TrimSpace(port)
		return found && whole || p.Ended()
	})
	if err == nil && p.Ended() {
		err = fmt.Errorf("server ended at start: %w", p.err)
	}
	if err != nil {
		return errors.Join(err, p.Kill(), errors.New(p.Log.String()[before:]))
	}
	p.mu.Lock()
	p.addr = addr
	p.mu.Unlock()
	return Poll(ctx, readyWithin, "/readyz answers 200", func() bool { return isReady(ctx, addr) || p.Ended() })
}

func (p *Process) spawn() error {
	argv := append(append([]string{}, p.Wrap...), p.Binary)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = p.Dir // there is no .env there
	cmd.Env = p.environ()
	cmd.Stdout, cmd.Stderr = p.Log, p.Log
	cmd.SysProcAttr = diesWithParent()
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	p.mu.Lock()
	p.cmd, p.exited, p.err = cmd, exited, nil
	p.mu.Unlock()
	go func() { // ends with the process, which Kill or Wait sees to
		err := cmd.Wait()
		p.mu.Lock()
		p.err = err
		p.mu.Unlock()
		close(exited)
	}()
	return nil
}

// Command runs another command of the server's binary on the same data.
func (p *Process) Command(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, p.Binary, args...)
	cmd.Dir, cmd.Env = p.Dir, p.environ()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}

func (p *Process) environ() []string {
	return append([]string{
		"LISTEN_ADDR=127.0.0.1:0", "DATA_DIR=" + p.Dir, "PATH=" + os.Getenv("PATH"), "GORACE=halt_on_error=0",
	}, p.Env...)
}

// Addr returns host:port of the server's current or last life.
func (p *Process) Addr() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.addr
}

// PID returns the process id of the server's current or last life.
func (p *Process) PID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cmd.Process.Pid
}

func (p *Process) current() (*exec.Cmd, chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cmd, p.exited
}

// Ended reports whether the process has ended.
func (p *Process) Ended() bool {
	_, exited := p.current()
	select {
	case <-exited:
		return true
	default:
		return false
	}
}

// Signal sends a signal to the process this Process started.
func (p *Process) Signal(s syscall.Signal) error {
	cmd, _ := p.current()
	if err := cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

// Kill ends the process at once, as kill -9 does, and waits until it is gone.
func (p *Process) Kill() error {
	cmd, exited := p.current()
	if cmd == nil {
		return nil
	}
	err := p.Signal(syscall.SIGKILL)
	<-exited
	return err
}

// Wait waits for the process to end by itself and returns its exit code.
func (p *Process) Wait(ctx context.Context, within time.Duration) (code int, err error) {
	if err := Poll(ctx, within, "server has ended", p.Ended); err != nil {
		return -1, err
	}
	cmd, _ := p.current()
	return cmd.ProcessState.ExitCode(), nil
}

// Stop ends the process in order (SIGTERM) and expects exit code 0.
func (p *Process) Stop(ctx context.Context) error {
	if err := p.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	code, err := p.Wait(ctx, 30*time.Second)
	if err == nil && code != 0 {
		err = fmt.Errorf("exit code %d after SIGTERM", code)
	}
	return err
}
