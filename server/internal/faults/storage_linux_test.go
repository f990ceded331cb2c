package faults

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// S-SQL-1: another program holds the database. For as long as the busy timeout
// writes wait and then succeed; reads and live sockets go on meanwhile.
func TestDatabaseHeldByAnotherProgram(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.client(0)
	r.live(c)
	r.put(c, key(1), `"before"`)
	db, err := SQLite(r.Dir).Open()
	r.ok(err)
	defer db.Close()
	conn, err := db.Conn(t.Context())
	r.ok(err)
	defer conn.Close()
	_, err = conn.ExecContext(t.Context(), "BEGIN IMMEDIATE")
	r.ok(err)
	p := c.Patch(one(key(1), `"meanwhile"`), nil)
	begin := time.Now()
	for time.Since(begin) < 3*time.Second {
		if read, ok := r.read(0); !ok || read.Values[key(1)].Text != `"before"` {
			t.Fatalf("a read while it is held: %+v", read)
		}
		pause(t.Context(), 100*time.Millisecond)
	}
	if p.Answered() {
		t.Errorf("INVALID: the write was answered while the database was held: %+v", p.Result)
	}
	_, err = conn.ExecContext(t.Context(), "ROLLBACK")
	r.ok(err)
	r.acked(p)
	r.put(c, key(2), `"after"`)
	r.converged(2*time.Second, c)
	if opened, _, _, _ := c.Counts(); opened != 1 {
		t.Errorf("%d connections", opened)
	}
	r.judge()
	if Soak() {
		t.Run("too long", func(t *testing.T) { heldTooLong(t, newRig(t)) })
	}
}

// heldTooLong: after the busy timeout writes are refused, and may come again.
func heldTooLong(t *testing.T, r *rig) {
	c := r.client(0, func(o *Options) { o.NoRetry = true })
	r.live(c)
	db, err := SQLite(r.Dir).Open()
	r.ok(err)
	defer db.Close()
	conn, err := db.Conn(t.Context())
	r.ok(err)
	defer conn.Close()
	_, err = conn.ExecContext(t.Context(), "BEGIN IMMEDIATE")
	r.ok(err)
	p := c.Patch(one(key(1), `"never"`), nil)
	r.answered(p)
	if p.Acked || p.Code != "unavailable" {
		t.Errorf("after the busy timeout: %+v", p.Result)
	}
	_, err = conn.ExecContext(t.Context(), "ROLLBACK")
	r.ok(err)
	r.put(c, key(1), `"after"`)
	r.judge()
}

// smallDisk starts the server with its data on a tmpfs of its own, in a mount
// namespace that nobody else sees. Its files are reached through /proc.
func smallDisk(t *testing.T, r *rig, size string) {
	t.Helper()
	flags := "-m"
	if os.Geteuid() != 0 {
		flags = "-rm"
	}
	if out, err := exec.Command("unshare", flags, "mount", "-t", "tmpfs", "tmpfs", r.Dir).CombinedOutput(); err != nil {
		t.Fatalf("this test needs a mount namespace of its own (root, or user namespaces): %v: %s", err, out)
	}
	from := filepath.Join(t.TempDir(), "from")
	r.ok(copyData(from, r.Dir))
	script := fmt.Sprintf("mount -t tmpfs -o size=%s,mode=700 tmpfs '%s' && cp -a '%s'/. '%s' && cd '%s' && exec \"$0\"",
		size, r.Dir, from, r.Dir, r.Dir)
	r.Wrap = []string{"unshare", flags, "sh", "-c", script}
	r.start()
	r.files = filepath.Join("/proc", fmt.Sprint(r.PID()), "root", r.Dir)
}

// S-DISK-1: the disk is full: writes are refused as storage-full (507), reads
// and live sockets go on, and it recovers by itself.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	r := newStoppedRig(t)
	smallDisk(t, r, "6m")
	c, watcher := r.client(0, func(o *Options) { o.NoRetry = true }), r.client(1)
	r.live(c, watcher)
	filler := filepath.Join(r.files, "filler")
	var slowest time.Duration
	for cycle := range Runs(3, 20) {
		r.put(c, key(1), fmt.Sprintf(`"before %d"`, cycle))
		fill(t, filler)
		refused := r.writeUntilFull(c)
		status, body, err := Do(t.Context(), r.Addr(), r.rest(0, refused))
		if err != nil || status != http.StatusInsufficientStorage {
			t.Errorf("over HTTP: %d %s %v", status, body, err)
		}
		if read, ok := r.read(0); !ok || read.Head != c.State().Revision {
			t.Errorf("a read on the full disk: %v %+v", ok, read)
		}
		r.ok(os.Remove(filler))
		slowest = max(slowest, r.recovers(c, refused))
	}
	for _, each := range []*Client{c, watcher} {
		if opened, _, _, _ := each.Counts(); opened != 1 {
			t.Errorf("%s had %d connections", each.Name, opened)
		}
	}
	r.converged(2*time.Second, c, watcher)
	r.judge()
	if slowest > 2*time.Second {
		t.Errorf("slowest recovery %v", slowest)
	}
	t.Logf("%+v, slowest recovery %v", r.Ledger.Tally(), slowest)
}

// Faults A6, A7: a stop on a full disk, with and without a write that was refused
// before it. Nothing acknowledged is lost, so the exit code is 0; the log has one
// line about what could not be stored.
func TestStopOnFullDisk(t *testing.T) {
	for _, refused := range []bool{false, true} {
		t.Run(fmt.Sprint("after a refused write: ", refused), func(t *testing.T) {
			t.Parallel()
			r := newStoppedRig(t)
			smallDisk(t, r, "6m")
			c := r.client(0, func(o *Options) { o.NoRetry = true })
			r.live(c)
			r.put(c, key(1), `"before"`)
			fill(t, filepath.Join(r.files, "filler"))
			if refused {
				r.writeUntilFull(c)
			}
			r.ok(r.Signal(syscall.SIGTERM))
			code, err := r.Wait(t.Context(), patient)
			r.ok(err)
			log := r.Log.String()
			if code != 0 || strings.Contains(log, "panic") || strings.Count(log, "not stored") != 1 {
				t.Errorf("exit code %d, log\n%s", code, log)
			}
		})
	}
}

// fill takes all the space there is.
func fill(t *testing.T, path string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for size := 1 << 20; size > 0; size /= 2 {
		for err = nil; err == nil; {
			_, err = file.Write(make([]byte, size))
		}
	}
}

// writeUntilFull writes until a patch is refused, which it returns. What the
// database file has room for inside is stored.
func (r *rig) writeUntilFull(c *Client) *Patch {
	r.Helper()
	long := `"` + fmt.Sprintf("%04000d", 0) + `"`
	for i := range 2000 {
		p := c.Patch(one(key(i%10), long), nil)
		r.answered(p)
		if p.Acked {
			continue
		}
		if p.Code != "storage-full" {
			r.Errorf("refused with %s", p.Code)
		}
		return p
	}
	r.Fatal("INVALID: the disk never filled")
	return nil
}

// recovers waits until writes are stored again, and returns how long it took.
// The refused patch may be sent again under its id.
func (r *rig) recovers(c *Client, refused *Patch) time.Duration {
	r.Helper()
	begin := time.Now()
	ctx, cancel := context.WithTimeout(r.Context(), patient)
	defer cancel()
	for ctx.Err() == nil {
		p := c.Patch(one(key(2), `"room again"`), nil)
		r.answered(p)
		if p.Acked {
			return time.Since(begin)
		}
		pause(ctx, 20*time.Millisecond)
	}
	r.Errorf("no write is stored though there is room; %s was the first refused", refused.ID)
	return patient
}
