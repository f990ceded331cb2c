package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	readyWithin = 30 * time.Second
	stopWithin  = 40 * time.Second // longer than a node takes to say bye to its sessions
)

// node is one server process.
type node struct {
	name   string
	url    string
	cmd    *exec.Cmd
	asked  atomic.Bool   // to stop: its end is no news
	exited chan struct{} // closed when the process has ended and all it printed was read
}

// readyLine is what a server prints when it serves.
var readyLine = regexp.MustCompile(`is ready at (\S+)`)

// startNode starts a server in a folder of its own, where no .env of anybody's
// is, and waits until it serves. What it prints goes to log, under its name.
func startNode(ctx context.Context, name, server, folder string, log *lines, environ []string) (*node, error) {
	home := filepath.Join(folder, name)
	if err := os.Mkdir(home, 0o700); err != nil {
		return nil, err
	}
	n := &node{name: name, exited: make(chan struct{}), cmd: exec.Command(server)} // #nosec G204 -- the program it is told to run
	n.cmd.Dir, n.cmd.SysProcAttr = home, ownProcess()
	n.cmd.Env = append([]string{"DRAIN_WINDOW=2s"}, os.Environ()...) // nobody waits for a demo to end
	n.cmd.Env = append(append(n.cmd.Env, environ...), "DATA_DIR="+filepath.Join(home, "data"))
	printed, err := n.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	n.cmd.Stderr = n.cmd.Stdout // the same pipe
	if err := n.cmd.Start(); err != nil {
		return nil, err
	}
	ready := make(chan string, 1)
	go func() { // ends with the process, which stop sees to
		defer close(n.exited)
		pass(printed, name, log, ready)
		_ = n.cmd.Wait() // how it ended is in its state
	}()
	return n, n.await(ctx, ready)
}

// pass copies what a node prints, line by line, and finds its address in it.
func pass(printed io.Reader, name string, log *lines, ready chan<- string) {
	scanner := bufio.NewScanner(printed)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		log.say("%s | %s", name, scanner.Text())
		if m := readyLine.FindStringSubmatch(scanner.Text()); m != nil {
			select {
			case ready <- m[1]:
			default: // said before
			}
		}
	}
}

// await waits for the node's address. A node that has none is stopped.
func (n *node) await(ctx context.Context, ready <-chan string) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	select {
	case n.url = <-ready:
		return nil
	case <-n.exited:
		return fmt.Errorf("%s ended at start: %s", n.name, n.cmd.ProcessState)
	case <-ctx.Done():
		return errors.Join(fmt.Errorf("%s is not ready: %w", n.name, ctx.Err()), n.stop())
	}
}

// stop asks the node to stop, and kills it if it does not.
func (n *node) stop() error {
	n.asked.Store(true)
	if err := n.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	timer := time.NewTimer(stopWithin)
	defer timer.Stop()
	select {
	case <-n.exited:
		return nil
	case <-timer.C:
	}
	err := n.cmd.Process.Kill()
	<-n.exited
	return errors.Join(fmt.Errorf("%s did not stop in %v and was killed", n.name, stopWithin), err)
}

// lines is a writer of whole lines for many goroutines.
type lines struct {
	mu sync.Mutex // lets one line out at a time
	to io.Writer
}

// say writes one line; where nobody reads any more, there is nobody to tell.
func (l *lines) say(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = fmt.Fprintf(l.to, format+"\n", args...)
}
