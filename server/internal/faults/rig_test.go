package faults

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

// rig is one test's server on SQLite, and the user whose devices it serves.
type rig struct {
	*group
	*Process
	files string // where the data is seen from here, if not in Dir
}

// newRig copies the template and starts a server on it. env is added to roomy's.
func newRig(t *testing.T, env ...string) *rig {
	t.Helper()
	r := newStoppedRig(t, env...)
	r.start()
	return r
}

func newStoppedRig(t *testing.T, env ...string) *rig {
	t.Helper()
	w, err := template()
	if err != nil {
		t.Fatal(err)
	}
	p := newProcess(t, w.devices, env...)
	if err := copyData(p.Dir, w.dir); err != nil {
		t.Fatal(err)
	}
	r := &rig{group: newGroup(t, user, w.devices, p.Addr), Process: p}
	r.stored = func(ctx context.Context) (*UserRows, error) { return SQLite(r.dataDir()).ReadUser(ctx, user) }
	return r
}

// newProcess returns a server that is yet to be started, with no data so far.
// When the test ends it is killed, and its log is read (O5).
func newProcess(t *testing.T, devices []Device, env ...string) *Process {
	t.Helper()
	binary, err := builder.Binary()
	if err != nil {
		t.Fatal(err)
	}
	p := &Process{Binary: binary, Dir: filepath.Join(t.TempDir(), "data"), Env: append(roomy(), env...), Log: &Log{}}
	t.Cleanup(func() {
		if err := p.Kill(); err != nil {
			t.Error(err)
		}
		secrets := []string{signingKey}
		for _, d := range devices {
			secrets = append(secrets, d.Token)
		}
		for _, text := range CheckLog(p.Log.String(), secrets) {
			t.Errorf("log (O5): %s", text)
		}
		if t.Failed() {
			text := p.Log.String()
			t.Logf("the end of a server's log:\n%s", text[max(0, len(text)-4000):])
		}
	})
	return p
}

// copyData copies a data directory, which only its owner may read.
func copyData(to, from string) error {
	if err := os.Mkdir(to, 0o700); err != nil {
		return err
	}
	files, err := os.ReadDir(from)
	for _, f := range files {
		var data []byte
		if data, err = os.ReadFile(filepath.Join(from, f.Name())); err == nil {
			err = os.WriteFile(filepath.Join(to, f.Name()), data, 0o600)
		}
		if err != nil {
			break
		}
	}
	return err
}

func (r *rig) start() {
	r.Helper()
	r.ok(r.Start(r.Context()))
}

// proxy starts a proxy to the server, closed when the test ends.
func (r *rig) proxy() *Proxy {
	r.Helper()
	return newProxy(r.T, r.Addr)
}

func newProxy(t *testing.T, target func() string) *Proxy {
	t.Helper()
	p, err := NewProxy(target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// dataDir returns a folder where SQLite can open the database. It resolves links
// by itself, and so would not find another mount namespace's files: of those it
// gets a copy.
func (r *rig) dataDir() string {
	r.Helper()
	if r.files == "" {
		return r.Dir
	}
	copied := filepath.Join(r.TempDir(), "copy")
	r.ok(os.MkdirAll(copied, 0o700))
	for _, name := range []string{databaseFile, databaseFile + "-wal"} {
		data, err := os.ReadFile(filepath.Join(r.files, name))
		r.ok(err)
		r.ok(os.WriteFile(filepath.Join(copied, name), data, 0o600))
	}
	return copied
}

// judge is the group's, and SQLite's own word on the file.
func (r *rig) judge() *UserRows {
	r.Helper()
	rows, wrong := r.findings()
	r.none("judge", wrong)
	return rows
}

func (r *rig) findings() (*UserRows, []string) {
	r.Helper()
	rows, wrong := r.group.findings()
	word, err := Integrity(context.Background(), r.dataDir())
	r.ok(err)
	if word != "ok" {
		wrong = append(wrong, "integrity_check: "+word)
	}
	return rows, wrong
}
