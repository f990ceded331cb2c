package faults

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// needStrace makes sure of strace, with the project's own script.
func needStrace(t *testing.T) {
	t.Helper()
	out, err := exec.Command("sh", "../../../.ci/need.sh", "strace", "strace").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// S-KILL-3, oracle O7: between reading a patch and writing its ack there is a
// completed fsync or fdatasync of the WAL. kill -9 cannot show that: what was
// written survives the process, not the power.
func TestFsyncBeforeAck(t *testing.T) {
	t.Parallel()
	needStrace(t)
	r := newStoppedRig(t)
	trace := filepath.Join(t.TempDir(), "trace")
	r.Wrap = []string{"strace", "-D", "-f", "-yy", "-s", "2000", "-o", trace, "-e", "trace=fsync,fdatasync,read,write"}
	r.start()
	device := r.client(0)
	r.live(device)
	count := Runs(50, 1000)
	acked := make(map[string]bool)
	for i := range count {
		acked[r.put(device, key(i%10), fmt.Sprint(i)).ID] = true
	}
	r.ok(r.Stop(t.Context()))
	file, err := os.Open(trace)
	r.ok(err)
	defer file.Close()
	synced, early := scanTrace(bufio.NewScanner(file), acked)
	for _, id := range early {
		t.Errorf("patch %s was acked without an fsync of the WAL after it was read", id)
	}
	if synced != count {
		t.Errorf("%d of %d acks followed an fsync", synced, count)
	}
	r.judge()
	t.Logf("%d of %d acks were written after a completed fsync of the WAL", synced, count)
}

var (
	// 4711 read(9<TCP:[127.0.0.1:1->127.0.0.1:2]>, "\201\376"..., 4096) = 152
	traceLine = regexp.MustCompile(`^(\d+) +(?:<\.\.\. )?(\w+)(?:\((\d+)<([^>]*(?:->)?[^>]*)>| resumed>)?(.*)$`)
	ackText   = regexp.MustCompile(`\\"type\\":\\"ack\\",\\"id\\":\\"(\w+)`)
)

// scanTrace follows the system calls: a read from a socket forgets what was
// synced, a completed fsync of the WAL notes it, an ack must find it noted.
func scanTrace(lines *bufio.Scanner, acked map[string]bool) (synced int, early []string) {
	inSync := make(map[string]bool) // thread → its fsync that has not ended is of the WAL
	durable := false
	for lines.Scan() {
		m := traceLine.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		thread, call, file, rest := m[1], m[2], m[4], m[5]
		unfinished := strings.Contains(rest, "<unfinished")
		switch call {
		case "read":
			if strings.Contains(file, "TCP") && strings.Contains(rest, `"\2`) && !unfinished {
				durable = false // a frame from the device: the patch, or a pong
			}
		case "fsync", "fdatasync":
			if file != "" {
				inSync[thread] = strings.HasSuffix(file, "-wal")
			}
			if !unfinished && strings.HasSuffix(rest, "= 0") && inSync[thread] {
				durable = true
			}
		case "write":
			if id := ackText.FindStringSubmatch(rest); id != nil && acked[id[1]] {
				if durable {
					synced++
				} else {
					early = append(early, id[1])
				}
			}
		}
	}
	return synced, early
}

// S-KILL-2: the server is killed at the n-th write, and at the n-th fsync, of
// its life: each commit is there whole or not at all.
func TestKillAtEverySystemCall(t *testing.T) {
	t.Parallel()
	needStrace(t)
	step := Runs(15, 1)
	for _, call := range []string{"pwrite64", "fsync,fdatasync"} {
		for n := 2; n <= 40; n += step {
			t.Run(fmt.Sprint(call, n), func(t *testing.T) { killAt(t, call, n) })
		}
	}
}

func killAt(t *testing.T, call string, n int) {
	r := newStoppedRig(t)
	r.Wrap = []string{
		"strace", "-D", "-f", "-o", os.DevNull, "-e", "trace=" + call,
		"-e", fmt.Sprintf("inject=%s:signal=SIGKILL:when=%d", call, n),
	}
	if err := r.Start(t.Context()); err != nil {
		t.Logf("it died at its start: %.60s", err)
	}
	device := r.client(0)
	for i := 0; i < 60 && !r.Ended(); i++ {
		p := device.Patch(map[string]string{key(i % 10): fmt.Sprint(i), key(10 + i%10): fmt.Sprint(-i)}, nil)
		r.ok(Poll(t.Context(), patient, "killed, or stored", func() bool { return r.Ended() || p.Answered() }))
	}
	fired := r.Ended()
	r.ok(r.Kill())
	r.Wrap = nil
	r.start()
	for _, p := range device.waiting() {
		r.answered(p)
	}
	r.live(device)
	r.converged(5*time.Second, device)
	r.judge()
	t.Logf("fired: %v, %+v", fired, r.Ledger.Tally())
}
