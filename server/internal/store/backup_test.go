package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"social-server/internal/settings"
)

// digest returns what a user has in a database file, as one word: its revision
// and every key with revision and value.
func digest(t testing.TB, path string) string {
	t.Helper()
	db, err := sql.Open("sqlite", plainDSN(path, "mode=ro"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var text string
	err = db.QueryRowContext(t.Context(), "SELECT (SELECT revision FROM users WHERE id = 'u_1') || ' ' || (SELECT coalesce(group_concat(line), '') FROM"+
		" (SELECT block || '.' || key || ':' || revision || '=' || value AS line FROM settings WHERE user_id = 'u_1' ORDER BY block, key))").Scan(&text)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// digestAt returns what digest would have said when u_1 was at a revision.
func digestAt(t testing.TB, s *Store, revision uint64) string {
	t.Helper()
	page := history(t, s, "u_1", settings.HistoryQuery{Limit: 1 << 30, Before: revision + 1})
	newest := map[settings.Key]string{}
	var keys []string
	for _, r := range page.Records {
		if newest[r.Key] == "" {
			newest[r.Key] = fmt.Sprintf("%s:%d=%s", r.Key, r.Revision, r.Text)
			keys = append(keys, newest[r.Key])
		}
	}
	return fmt.Sprint(revision, " ", strings.Join(keys, ",")) // of one revision with one key, or two in order
}

// A backup taken while others write is whole, checked, private, and exactly the
// state at its head; the writers are not stopped by it.
func TestBackupUnderLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "test.db")
	s := openAt(t, path)
	populate(t, s)
	stop := make(chan struct{})
	written := make(chan int, 1000)
	var all sync.WaitGroup
	all.Go(func() {
		defer close(written)
		for i := 0; ; i++ {
			commit(t, s, write("u_1", "d_1", fmt.Sprint("p", i), fmt.Sprintf(`{"billing":{"period":%d,"salary":%d}}`, i%12+1, i)))
			select {
			case written <- i:
			case <-stop:
				return
			}
		}
	})
	for n := range 5 {
		for range 10 {
			<-written
		}
		file := filepath.Join(t.TempDir(), "backup.db")
		held, err := Backup(t.Context(), path, file)
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 || info.Size() != held.Bytes {
			t.Errorf("%v %v", info, err)
		}
		got := digest(t, file)
		if want := digestAt(t, s, uint64(held.Revisions)); got != want || held.Revisions < 10*(n+1) {
			t.Errorf("backup %d: %s, want %s", n, got, want)
		}
		if left, _ := filepath.Glob(filepath.Join(filepath.Dir(file), ".social-backup-*")); left != nil {
			t.Errorf("left behind: %v", left)
		}
	}
	close(stop)
	for range written {
	}
	all.Wait()
}

func TestBackupRefuses(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "test.db")
	s := openAt(t, path)
	populate(t, s)
	existing := filepath.Join(dir, "existing")
	mustWrite(t, existing, "precious")
	tests := map[string]struct{ path, file, says string }{
		"to replace a file":    {path, existing, "exists already"},
		"to invent a database": {filepath.Join(dir, "none.db"), filepath.Join(dir, "b1"), "no database"},
		"a folder not there":   {path, filepath.Join(dir, "none", "b2"), "no such file"},
		"what is no database":  {existing, filepath.Join(dir, "b3"), "damaged"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Backup(t.Context(), tt.path, tt.file)
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want %q", err, tt.says)
			}
		})
	}
	if text, err := os.ReadFile(existing); err != nil || string(text) != "precious" {
		t.Errorf("the file is %q now", text)
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "b*")); files != nil {
		t.Errorf("failed backups have names: %v", files)
	}
	if _, err := os.Stat(filepath.Join(dir, "none.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a backup made a database")
	}
}

func mustWrite(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// scene is a database with a backup of it, and changes made since.
type scene struct {
	path, backup  string
	before, after string // digests: of the backup, and of the database now
	epoch         string
}

func newScene(t testing.TB, leaveWAL bool) scene {
	t.Helper()
	dir := t.TempDir()
	sc := scene{path: filepath.Join(dir, "data", "social.db"), backup: filepath.Join(dir, "backup.db")}
	s := openAt(t, sc.path)
	populate(t, s)
	commit(t, s, write("u_1", "d_1", "a", `{"billing":{"salary":1}}`), write("u_1", "d_1", "b", `{"billing":{"salary":2}}`))
	if _, err := Backup(t.Context(), sc.path, sc.backup); err != nil {
		t.Fatal(err)
	}
	commit(t, s, write("u_1", "d_1", "c", `{"billing":{"salary":3}}`))
	var err error
	if sc.epoch, err = s.Epoch(t.Context()); err != nil {
		t.Fatal(err)
	}
	sc.before, sc.after = digest(t, sc.backup), digest(t, sc.path)
	if !leaveWAL {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		return sc
	}
	// What a killed server leaves: a database whose last commits are in its WAL.
	copied := filepath.Join(dir, "killed", "social.db")
	if err := os.Mkdir(filepath.Dir(copied), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"", "-wal"} {
		text, err := os.ReadFile(sc.path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		mustWrite(t, copied+suffix, string(text))
	}
	sc.path = copied
	return sc
}

// A restored database is the backup with another epoch; the one from before is
// kept whole, and the server starts on the new one.
func TestRestore(t *testing.T) {
	for _, killed := range []bool{false, true} {
		t.Run(fmt.Sprint("after a kill: ", killed), func(t *testing.T) {
			sc := newScene(t, killed)
			sum := sha256.Sum256(mustRead(t, sc.backup))
			result, err := Restore(t.Context(), sc.path, sc.backup, noon)
			if err != nil {
				t.Fatal(err)
			}
			if result.Epoch == sc.epoch || result.Epoch == "" || result.Revisions != 2 || result.Users != 2 {
				t.Errorf("%+v, epoch was %s", result, sc.epoch)
			}
			if want := sc.path + ".before-restore-20261123T120000Z"; result.Kept != want {
				t.Fatalf("kept as %s, want %s", result.Kept, want)
			}
			if got := digest(t, result.Kept); got != sc.after {
				t.Errorf("kept %s, want %s", got, sc.after)
			}
			if sha256.Sum256(mustRead(t, sc.backup)) != sum {
				t.Error("the backup itself was changed")
			}
			s := openAt(t, sc.path)
			epoch, err := s.Epoch(t.Context())
			if got := digest(t, sc.path); got != sc.before || err != nil || epoch != result.Epoch {
				t.Errorf("restored %s epoch %s (%v), want %s epoch %s", got, epoch, err, sc.before, result.Epoch)
			}
			if o := commit(t, s, write("u_1", "d_1", "c", `{"billing":{"salary":9}}`))[0]; o.Duplicate || o.Answer.Revision != 3 {
				t.Errorf("a patch the backup has never seen: %+v", o)
			}
		})
	}
}

func mustRead(t testing.TB, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Where there is no database yet, and where the one there is damaged, a backup can be restored all the same.
func TestRestoreOverNothingAndOverDamage(t *testing.T) {
	sc := newScene(t, false)
	fresh := filepath.Join(t.TempDir(), "new", "social.db")
	if result, err := Restore(t.Context(), fresh, sc.backup, noon); err != nil || result.Kept != "" || digest(t, fresh) != sc.before {
		t.Errorf("over nothing: %+v %v", result, err)
	}
	mustWrite(t, sc.path, "no database at all")
	mustWrite(t, sc.path+"-wal", "nor this")
	result, err := Restore(t.Context(), sc.path, sc.backup, noon)
	if err != nil || digest(t, sc.path) != sc.before {
		t.Fatalf("over damage: %+v %v", result, err)
	}
	if string(mustRead(t, result.Kept)) != "no database at all" || string(mustRead(t, result.Kept+"-wal")) != "nor this" {
		t.Error("what was there is not kept")
	}
	openAt(t, sc.path)
}

func TestRestoreRefuses(t *testing.T) {
	sc := newScene(t, false)
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	mustWrite(t, file("text"), "hello")
	mustWrite(t, file("empty"), "")
	whole := mustRead(t, sc.backup)
	mustWrite(t, file("cut"), string(whole[:len(whole)/2]))
	exec := func(name string, statements ...string) {
		db, err := sql.Open("sqlite", plainDSN(file(name), "mode=rwc"))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		for _, statement := range statements {
			if _, err := db.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
	}
	exec("other", "CREATE TABLE recipes (name TEXT)")
	mustWrite(t, file("newer"), string(whole))
	exec("newer", "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)")
	mustWrite(t, file("live"), string(whole))
	mustWrite(t, file("live-wal"), "frames")
	tests := map[string]string{
		"text": "not a database", "empty": "not a database of social-server", "cut": "cannot be restored", "other": "not a database of social-server",
		"newer": "newer social-server", "live": "in use", "missing": "no such file",
	}
	for name, says := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Restore(t.Context(), sc.path, file(name), noon)
			if err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("got %v, want %q", err, says)
			}
		})
	}
	t.Run("beside a server", func(t *testing.T) {
		s, err := Open(t.Context(), sc.path)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if _, err := Restore(t.Context(), sc.path, sc.backup, noon); err == nil || !strings.Contains(err.Error(), "in use by another social-server") {
			t.Errorf("got %v", err)
		}
	})
	if got := digest(t, sc.path); got != sc.after {
		t.Errorf("a refused restore left %s, want %s", got, sc.after)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(sc.path), ".restore-*")); left != nil {
		t.Errorf("left behind: %v", left)
	}
}

// Environment of the process that is killed in the middle of a restore.
const (
	killAt     = "SOCIAL_TEST_KILL_AT"
	killPath   = "SOCIAL_TEST_KILL_PATH"
	killBackup = "SOCIAL_TEST_KILL_BACKUP"
)

// restoreAndDie restores, and kills its own process after a step.
func restoreAndDie() {
	_, err := restore(context.Background(), os.Getenv(killPath), os.Getenv(killBackup), noon, func(step string) {
		if step == os.Getenv(killAt) {
			if self, err := os.FindProcess(os.Getpid()); err == nil && self.Kill() == nil {
				select {} // the kill is on its way
			}
		}
	})
	fmt.Println("it was not killed:", err)
}

// A restore that is killed, at whichever step, leaves either the old database
// with all its commits or the new one, and can be done again.
func TestRestoreKilled(t *testing.T) {
	for _, step := range []string{"copied", "renewed", "folded", "kept", "cleared", "in place"} {
		t.Run(step, func(t *testing.T) {
			sc := newScene(t, true)
			child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
			child.Env = append(os.Environ(), killAt+"="+step, killPath+"="+sc.path, killBackup+"="+sc.backup)
			out, err := child.CombinedOutput()
			if err == nil || len(out) > 0 {
				t.Fatalf("the child ended with %v: %s", err, out)
			}
			s, err := Open(t.Context(), sc.path)
			if err != nil {
				t.Fatal(err)
			}
			epoch, err := s.Epoch(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			want, isNew := sc.after, step == "in place"
			if isNew {
				want = sc.before
			}
			if got := digest(t, sc.path); got != want || (epoch != sc.epoch) != isNew {
				t.Errorf("%s at epoch %s, want %s (the epoch was %s)", got, epoch, want, sc.epoch)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if _, err := Restore(t.Context(), sc.path, sc.backup, noon.Add(time.Second)); err != nil || digest(t, sc.path) != sc.before {
				t.Errorf("again: %v, %s", err, digest(t, sc.path))
			}
		})
	}
}
