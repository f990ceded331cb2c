package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// The negative controls: a server with a bug planted in it goes through the
// same faults as the true one, and the oracles must find the bug. "none" is the
// same build without a bug: it must pass.
func TestPlantedBugsAreFound(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		plant string
		fault func(*rig)
		found string // in what the oracles say
	}{
		{"ack-early", killInTheMiddle, "LOST"},
		{"publish-early", killInTheMiddle, ""},
		{"ids-forgotten", loseAcks, "DUPLICATE"},
		{"revision-outside", writeTogether, "two patches"},
		{"resume-repeats", comeBack, ""},
		{"resume-skips", comeBack, ""},
		{"epoch-kept", restoreOlder, ""},
		{"none", killInTheMiddle, ""},
		{"none", loseAcks, ""},
		{"none", writeTogether, ""},
		{"none", comeBack, ""},
		{"none", restoreOlder, ""},
	} {
		t.Run(tt.plant, func(t *testing.T) {
			t.Parallel()
			binary, err := builder.Planted()
			if err != nil {
				t.Fatal(err)
			}
			for range 20 {
				r := newStoppedRig(t, "PLANT="+tt.plant)
				r.Binary = binary
				r.start()
				tt.fault(r)
				_, wrong := r.findings()
				hit := strings.Contains(strings.Join(wrong, "\n"), tt.found) && len(wrong) > 0
				switch {
				case tt.plant == "none":
					r.none("without a bug", wrong)
					return
				case hit:
					t.Logf("found: %.150s", wrong[0])
					return
				}
			}
			t.Errorf("not found in 20 scenarios")
		})
	}
}

// killInTheMiddle: load, kill -9, restart, load again.
func killInTheMiddle(r *rig) {
	writers := []*Client{r.client(0), r.client(1), r.client(2)}
	r.live(writers...)
	for range 2 {
		l := write(writers)
		r.ok(Poll(r.Context(), patient, "30 writes", func() bool { return l.acked.Load() >= 30 }))
		r.ok(r.Kill())
		l.end()
		r.start()
		for _, c := range writers {
			for _, p := range c.waiting() {
				r.answered(p)
			}
		}
	}
	r.live(writers...)
}

// loseAcks: five times the answer is lost on the wire, and the patch comes again.
func loseAcks(r *rig) {
	proxy := r.proxy()
	device, watcher := r.client(0, r.through(proxy)), r.client(1)
	r.live(device, watcher)
	for run := range 5 {
		proxy.DropDown(true)
		text := fmt.Sprint(run)
		p := device.Patch(one(key(run), text), nil)
		r.ok(watcher.Await(r.Context(), patient, func(s *Replica) bool { return s.Values[key(run)].Text == text }))
		proxy.Cut()
		proxy.DropDown(false)
		r.answered(p)
	}
}

// writeTogether: many writers at once, so that commits hold several patches.
func writeTogether(r *rig) {
	var writers []*Client
	for n := range 8 {
		writers = append(writers, r.client(n))
	}
	r.live(writers...)
	for n, c := range writers {
		for i := range 10 { // a key each: the bug must not trip over a constraint
			c.Patch(one(key(n*10+i), fmt.Sprint(i)), nil)
		}
	}
	for _, c := range writers {
		for _, p := range c.waiting() {
			r.answered(p)
		}
	}
}

// comeBack: a device is away while others write, and resumes.
func comeBack(r *rig) {
	away, writer := r.client(0), r.client(1)
	r.live(away, writer)
	for i := range 6 {
		r.put(writer, key(i), `"before"`)
		away.SetOffline(true)
		r.put(writer, key(10+i), `"while away"`)
		r.put(writer, key(i), `"again"`)
		away.SetOffline(false)
		r.ok(away.Await(r.Context(), patient, func(*Replica) bool { return true }))
	}
	head := writer.State().Revision
	_ = away.Await(r.Context(), time.Second, func(s *Replica) bool { return s.Revision >= head })
}

// restoreOlder: an older backup is put back with the restore command, which
// makes a new epoch; the bug is to put the file back without. Then others write on.
func restoreOlder(r *rig) {
	away, writer := r.client(0), r.client(1)
	r.live(away, writer)
	for i := range 10 {
		r.put(writer, key(i), `"kept"`)
	}
	backup := filepath.Join(r.TempDir(), fmt.Sprint("backup", time.Now().UnixNano()))
	r.ok(r.Command(r.Context(), "backup", backup))
	kept := r.Ledger.Patches()
	for i := range 5 {
		r.put(writer, key(20+i), `"lost by the restore"`)
	}
	head := writer.State().Revision
	r.ok(away.Await(r.Context(), patient, func(s *Replica) bool { return s.Revision == head }))
	away.SetOffline(true)
	writer.SetOffline(true)
	r.ok(r.Stop(r.Context()))
	if slices.Contains(r.Env, "PLANT=epoch-kept") {
		r.ok(putBack(backup, r.Dir))
	} else {
		r.ok(r.Command(r.Context(), "restore", backup))
	}
	r.Ledger.Forget(kept) // the restore lost the others on purpose
	r.start()
	writer = r.client(2)
	r.live(writer)
	for i := range 9 {
		r.put(writer, key(30+i), `"after the restore"`)
	}
	away.SetOffline(false)
	head = writer.State().Revision
	_ = away.Await(r.Context(), time.Second, func(s *Replica) bool { return s.Revision == head })
}

// putBack copies a backup over the database, and leaves it at that.
func putBack(backup, dir string) error {
	data, err := os.ReadFile(backup)
	if err != nil {
		return err
	}
	_ = os.Remove(filepath.Join(dir, databaseFile+"-wal"))
	_ = os.Remove(filepath.Join(dir, databaseFile+"-shm"))
	return os.WriteFile(filepath.Join(dir, databaseFile), data, 0o600)
}
