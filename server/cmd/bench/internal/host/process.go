//go:build linux

package host

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"time"
)

// readyWithin is how long a program may take to say where it listens.
const readyWithin = time.Minute

// Process is a program under measurement.
type Process struct {
	Addr    netip.AddrPort // where it serves
	Inside  string         // host:port of its profiles
	Started time.Time
	Ready   time.Duration // from its start until /readyz answered 200

	cmd    *exec.Cmd
	core   int
	log    string
	exited chan struct{} // closed when it has ended
	err    error         // how it ended; set before exited is closed
}

// Program is how a process is started.
type Program struct {
	Argv []string
	Env  []string
	Dir  string // its working folder, and where its log goes
}

var (
	readyAt  = regexp.MustCompile(`ready at http://(?:localhost|127\.0\.0\.1):(\d+)\n`)
	insideAt = regexp.MustCompile(`metrics and profiles" address=(\S+)\n`)
)

// Start starts a program on the server's core and waits until it is ready.
func (c Cores) Start(ctx context.Context, p Program) (*Process, error) {
	file, err := os.Create(filepath.Join(p.Dir, "log.txt")) // #nosec G304 -- a folder of the benchmark's own
	if err != nil {
		return nil, err
	}
	argv := c.wrap(c.Server, p.Argv)
	cmd := exec.Command(argv[0], argv[1:]...) // #nosec G204 -- the programs under measurement
	cmd.Dir, cmd.Env = p.Dir, append([]string{"PATH=" + os.Getenv("PATH")}, p.Env...)
	cmd.Stdout, cmd.Stderr = file, file
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	one := &Process{cmd: cmd, core: c.Server, log: file.Name(), exited: make(chan struct{}), Started: time.Now()}
	err = cmd.Start()
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	go func() { // ends with the process, which Stop or Kill sees to
		one.err = cmd.Wait()
		close(one.exited)
	}()
	if err := one.await(ctx); err != nil {
		return nil, errors.Join(err, one.Kill())
	}
	return one, nil
}

// await reads from the log where the process listens, and asks it whether it is ready.
func (p *Process) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		text, err := os.ReadFile(p.log)
		if err != nil {
			return err
		}
		if at := readyAt.FindSubmatch(text); at != nil {
			p.Addr, err = netip.ParseAddrPort("127.0.0.1:" + string(at[1]))
			p.Inside = p.Addr.String()
			if in := insideAt.FindSubmatch(text); in != nil {
				p.Inside = string(in[1])
			}
			if err == nil {
				err = p.get(ctx, "http://"+p.Addr.String()+"/readyz")
			}
			p.Ready = time.Since(p.Started)
			return err
		}
		select {
		case <-tick.C:
		case <-p.exited:
			text, err := os.ReadFile(p.log) // again: its last words may be younger than text
			return errors.Join(fmt.Errorf("it ended at start: %w: %s", p.err, text), err)
		case <-ctx.Done():
			return fmt.Errorf("it is not ready: %w: %s", ctx.Err(), text)
		}
	}
}

func (p *Process) get(ctx context.Context, url string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, answer.Status)
	}
	return nil
}

// Collect makes the process collect its garbage.
func (p *Process) Collect(ctx context.Context) error {
	return p.get(ctx, "http://"+p.Inside+"/debug/pprof/heap?gc=1")
}

// Kill ends the process at once, and waits until it is gone.
func (p *Process) Kill() error {
	err := p.cmd.Process.Kill()
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	<-p.exited // how is known: it was killed, or it had ended before
	return err
}

// Stop ends the process in order.
func (p *Process) Stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return errors.Join(err, p.Kill())
	}
	select {
	case <-p.exited:
		if p.err != nil {
			text, _ := os.ReadFile(p.log) // whatever it says
			return fmt.Errorf("it did not end well: %w: %s", p.err, tail(text))
		}
		return nil
	case <-time.After(time.Minute):
		return errors.Join(errors.New("it did not end in a minute"), p.Kill())
	}
}

// tail is the end of a log.
func tail(text []byte) []byte { return text[max(0, len(text)-2000):] }
