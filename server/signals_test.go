package main

import (
	"bufio"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
)

// Fault D2: the reader of standard output and standard error goes away, for
// example a journal or a pager. Log lines are lost; the server serves and stops
// in order.
func TestLogReaderGoesAway(t *testing.T) {
	cmd := newProcess(t, t.TempDir(), []string{"LISTEN_ADDR=127.0.0.1:0", "LOG_LEVEL=debug"})
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	cmd.Stdout, cmd.Stderr = write, write
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	write.Close()
	line, err := bufio.NewReader(read).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	read.Close()
	url := readyLine.FindStringSubmatch(line)[1]
	for range 3 { // each writes a line
		if status, _ := get(t, url+"/readyz"); status != 200 {
			t.Errorf("readyz: %d", status)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("ended with %v", err)
	}
}

// Fault D2: a terminal that closes sends SIGHUP, perhaps twice. The server stops in order.
func TestHangup(t *testing.T) {
	handled := make(chan os.Signal, 1)
	signal.Notify(handled, syscall.SIGHUP) // or the server inherits that it is ignored, if these tests run under nohup
	defer signal.Stop(handled)
	s := serveIn(t, t.TempDir(), []string{"LISTEN_ADDR=127.0.0.1:0"})
	s.end(t, syscall.SIGHUP, syscall.SIGHUP)
}

// Under nohup, SIGHUP stays ignored.
func TestNohup(t *testing.T) {
	s := &serving{out: &output{ready: make(chan string, 1)}, done: make(chan error, 1)}
	plain := newProcess(t, t.TempDir(), []string{"LISTEN_ADDR=127.0.0.1:0"})
	s.cmd = exec.CommandContext(t.Context(), "sh", "-c", `trap "" HUP; exec "$0"`, plain.Path) // #nosec G204 -- this test
	s.cmd.Dir, s.cmd.Env = plain.Dir, plain.Env
	s.run(t)
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if status, _ := get(t, s.url+"/readyz"); status != 200 || strings.Contains(s.out.String(), "stopping") {
		t.Errorf("readyz: %d\n%s", status, s.out)
	}
	s.end(t, syscall.SIGTERM)
}
