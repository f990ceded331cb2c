package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// resident returns a line of a process's memory in /proc, in KiB.
func resident(t *testing.T, pid int, name string) (size int) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "\n"+name+":")
	if _, err := fmt.Sscan(rest, &size); err != nil {
		t.Fatalf("no %s in %s: %v", name, status, err)
	}
	return size
}

// startProcess builds the program, starts it and returns its address and id.
func startProcess(t *testing.T, env ...string) (url string, pid int) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "social-server")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	server := exec.CommandContext(t.Context(), program)
	server.Dir = t.TempDir()
	server.Env = append([]string{"LISTEN_ADDR=127.0.0.1:0", "DATA_DIR=" + filepath.Join(t.TempDir(), "data")}, env...)
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	server.Stderr = server.Stdout
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if m := readyLine.FindStringSubmatch(lines.Text()); m != nil {
			go func() {
				for lines.Scan() { // until it ends, so that it can write
				}
			}()
			return m[1], server.Process.Pid
		}
	}
	t.Fatal("it ended before it was ready")
	return "", 0
}

// Fault E3: a flood of parallel log-ins.
// [SPEC W7] It takes 64 MiB at most, waiting requests included: one password is
// hashed at a time, and above a bounded line each is sent away with Retry-After.
func TestFloodOfLogins(t *testing.T) {
	const clients, each, most = 200, 3, 64 << 10
	url, pid := startProcess(t, "LOGINS_PER_MINUTE=100000", "LOGIN_FAILURES_PER_MINUTE=1000000", "MAX_CONNECTIONS_PER_ADDRESS=1000")
	try := func(name string) (status int, later string) {
		body := fmt.Sprintf(`{"deviceName":%q,"password":"not the right one"}`, name)
		answer, err := http.Post(url+"/api/v1/login", "application/json", strings.NewReader(body))
		if err != nil {
			t.Error(err)
			return 0, ""
		}
		_, _ = io.Copy(io.Discard, answer.Body) // so that the connection is used again
		_ = answer.Body.Close()
		return answer.StatusCode, answer.Header.Get("Retry-After")
	}
	before := resident(t, pid, "VmRSS")
	var hashed, sentAway atomic.Int64
	var flood sync.WaitGroup
	for i := range clients {
		flood.Go(func() {
			for n := range each {
				status, later := try(fmt.Sprintf("device %d %d", i, n))
				switch {
				case status == http.StatusUnauthorized:
					hashed.Add(1)
				case status == http.StatusServiceUnavailable && later != "":
					sentAway.Add(1)
				default:
					t.Errorf("answered %d, Retry-After %q", status, later)
				}
			}
		})
	}
	flood.Wait()
	grown := resident(t, pid, "VmHWM") - before
	t.Logf("%d hashed, %d sent away, %d MiB more", hashed.Load(), sentAway.Load(), grown>>10)
	if grown > most || sentAway.Load() == 0 || hashed.Load() == 0 {
		t.Errorf("%d hashed, %d sent away, %d MiB more, want at most %d", hashed.Load(), sentAway.Load(), grown>>10, most>>10)
	}
	http.DefaultClient.CloseIdleConnections()
}
