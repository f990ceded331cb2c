package main

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// asProgram is a variable that makes this test binary run main and nothing else.
const asProgram = "SOCIAL_SERVER_TEST_RUNS_MAIN"

// newProcess returns the program as people run it: a process in a folder, with
// an environment that has nothing else in it. It ends with the test.
func newProcess(t *testing.T, dir string, env []string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...) // #nosec G204 -- this test
	cmd.Dir, cmd.Env = dir, append(slices.Clone(env), asProgram+"=1")
	return cmd
}

// runCommand runs a command to its end. It returns what was printed, and whether
// the exit code is 0.
func runCommand(t *testing.T, dir string, env []string, args ...string) (text string, good bool) {
	t.Helper()
	cmd := newProcess(t, dir, env, args...)
	printed, err := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); err != nil && code != 1 {
		t.Errorf("%q: exit code %d, %v\n%s", args, code, err, printed)
	}
	return string(printed), err == nil
}

// serving is a server that runs as a process.
type serving struct {
	cmd  *exec.Cmd
	out  *output
	url  string
	done chan error // how it ended
}

// serveIn starts a server in a folder and waits until it is ready.
func serveIn(t *testing.T, dir string, env []string) *serving {
	t.Helper()
	s := &serving{newProcess(t, dir, env), &output{ready: make(chan string, 1)}, "", make(chan error, 1)}
	s.run(t)
	return s
}

// run starts the server and waits until it is ready.
func (s *serving) run(t *testing.T) {
	t.Helper()
	s.cmd.Stdout, s.cmd.Stderr = s.out, s.out
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { s.done <- s.cmd.Wait() }() // ends with the process, which ends with the test
	select {
	case s.url = <-s.out.ready:
	case err := <-s.done:
		t.Fatalf("ended before it was ready: %v\n%s", err, s.out)
	}
}

// end sends signals to the server, which must stop in order.
func (s *serving) end(t *testing.T, signals ...syscall.Signal) {
	t.Helper()
	for _, signal := range signals {
		if err := s.cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-s.done; err != nil || strings.Count(s.out.String(), "msg=stopping") != 1 && !strings.Contains(s.out.String(), `"msg":"stopping"`) {
		t.Errorf("stopped with %v\n%s", err, s.out)
	}
}
