package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"social-server/internal/config"
)

// tampering changes a data folder.
type tampering func(data string) error

func removed(name string) tampering {
	return func(data string) error { return os.Remove(filepath.Join(data, name)) }
}

func renamed(from, to string) tampering {
	return func(data string) error { return os.Rename(filepath.Join(data, from), filepath.Join(data, to)) }
}

// both does one change after the other.
func both(first, then tampering) tampering {
	return func(data string) error {
		if err := first(data); err != nil {
			return err
		}
		return then(data)
	}
}

// [SPEC B4] Fault A8: files of the database are removed or replaced under the server. It is
// not ready, names the part, logs one error, and refuses what it would write
// into files that nobody finds. When they are back it goes on.
func TestFilesRemovedUnderServer(t *testing.T) {
	copied := func(data string) error { return os.CopyFS(data, os.DirFS(data+".aside")) }
	empty := func(data string) error { return os.WriteFile(filepath.Join(data, "empty"), nil, 0o600) }
	for name, tt := range map[string]struct {
		harm, mend tampering // mend is nil where nothing can be done
		word       string
	}{
		"folder removed":        {os.RemoveAll, nil, "social.db was removed"},
		"folder moved":          {renamed("", "../data.aside"), renamed("../data.aside", ""), "social.db was removed"},
		"folder copied":         {both(renamed("", "../data.aside"), copied), both(os.RemoveAll, renamed("../data.aside", "")), "social.db was replaced"},
		"database removed":      {removed("social.db"), nil, "social.db was removed"},
		"database renamed":      {renamed("social.db", "other.db"), renamed("other.db", "social.db"), "social.db was removed"},
		"database replaced":     {both(empty, renamed("empty", "social.db")), nil, "social.db was replaced"},
		"log removed":           {removed("social.db-wal"), nil, "social.db-wal was removed"},
		"shared memory removed": {removed("social.db-shm"), nil, "social.db-shm was removed"},
		"lock removed":          {removed("social.db.lock"), nil, "social.db.lock was removed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := filepath.Join(t.TempDir(), "data")
			log := &output{}
			p := startWith(t, log, data)
			d := firstDevice(t, p.url)
			d.patch(p.url, `{"billing":{"salary":1}}`)
			if err := tt.harm(data); err != nil {
				t.Fatal(err)
			}
			refusedSoon(t, d, p.url)
			for range 3 {
				if status, text := get(t, p.url+"/readyz"); status != 503 || !strings.Contains(text, `"field":"database"`) {
					t.Errorf("readyz: %d %s", status, text)
				}
			}
			post(t, p.url+"/api/v1/register", "", `{"deviceName":"two","email":"ben@example.org","password":"correct horse"}`, 503)
			if text := log.String(); strings.Count(text, "level=ERROR") != 1 || !strings.Contains(text, tt.word) || strings.Contains(text, "request failed") {
				t.Errorf("log:\n%s", text)
			}
			if tt.mend == nil {
				if err := p.stop(); err == nil || !strings.Contains(err.Error(), tt.word) || strings.Contains(err.Error(), "\n") {
					t.Errorf("stopped with %v", err)
				}
				return
			}
			if err := tt.mend(data); err != nil {
				t.Fatal(err)
			}
			if status, text := get(t, p.url+"/readyz"); status != 200 {
				t.Errorf("readyz at the end: %d %s", status, text)
			}
			d.patch(p.url, `{"billing":{"salary":2}}`)
			if err := p.stop(); err != nil {
				t.Error(err)
			}
		})
	}
}

// startWith is startHere with a log.
func startWith(t *testing.T, log io.Writer, data string, env ...string) *program {
	t.Helper()
	cfg, err := config.Load("no-such.env", append([]string{"DATA_DIR=" + data, "LISTEN_ADDR=127.0.0.1:0"}, env...))
	if err != nil {
		t.Fatal(err)
	}
	p, err := start(t.Context(), cfg, log)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// refusedSoon patches until that is refused, with nothing but patches to find out.
func refusedSoon(t *testing.T, d device, url string) {
	t.Helper()
	for began := time.Now(); ; {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, url+"/api/v1/users/TestUser6/settings", strings.NewReader(`{"billing":{"period":3}}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+d.token)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode == 503 {
			return
		}
		if took := time.Since(began); took > 3*time.Second {
			t.Fatalf("still answered with %d after %v", answer.StatusCode, took)
		}
	}
}

// Fault D1: between two starts Kubernetes gives every file to the pod's fsGroup.
func TestGroupOwnsTheFiles(t *testing.T) {
	data := t.TempDir()
	files := func() []string {
		all, err := filepath.Glob(filepath.Join(data, "*"))
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	for range 2 {
		if err := os.Chmod(data, 0o770|os.ModeSetgid); err != nil {
			t.Fatal(err)
		}
		for _, file := range files() {
			if err := os.Chmod(file, 0o660); err != nil {
				t.Fatal(err)
			}
		}
		r := runServer(t, data)
		for _, file := range files() {
			if info, err := os.Stat(file); err != nil || info.Mode().Perm()&^0o660 != 0 {
				t.Errorf("%s: %v %v", file, info, err)
			}
		}
		r.end(t)
	}
}
