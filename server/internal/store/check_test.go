package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A second server on the same database is refused at once, with one line that
// says so; the first goes on, and when it has ended the second may come.
func TestSecondServerIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "test.db")
	s := openAt(t, path)
	populate(t, s)
	_, err := Open(t.Context(), path)
	if err == nil || !strings.Contains(err.Error(), "in use by another social-server") || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v", err)
	}
	if o := commit(t, s, write("u_1", "d_1", "a", `{"billing":{"salary":1}}`))[0]; o.Err != nil {
		t.Errorf("the first one: %v", o.Err)
	}
	if info, err := os.Stat(path + ".lock"); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	openAt(t, path)
}

// Damage that shows is refused before anything is touched, with the way out in the message.
func TestDamageIsRefused(t *testing.T) {
	whole := func() []byte {
		sc := newScene(t, false)
		return mustRead(t, sc.path)
	}()
	page := func(from, to int, what byte) func([]byte) []byte {
		return func(text []byte) []byte {
			for i := from; i < to; i++ {
				text[i] = what
			}
			return text
		}
	}
	tests := map[string]func([]byte) []byte{
		"header of zeros":  page(0, 100, 0),
		"another header":   page(0, 16, 'x'),
		"a page of zeros":  page(4096, 8192, 0),
		"pages of rubbish": page(8192, 5*4096, 0xa5),
		"cut in half":      func(text []byte) []byte { return text[:len(text)/2] },
		"cut in a page":    func(text []byte) []byte { return text[:len(text)-4096-1000] }, // the last page may be an empty table
		"a few bytes":      func(text []byte) []byte { return text[:10] },
	}
	for name, harm := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "test.db")
			harmed := harm(append([]byte{}, whole...))
			mustWrite(t, path, string(harmed))
			_, err := Open(t.Context(), path)
			if err == nil || !strings.Contains(err.Error(), "social-server restore FILE") {
				t.Errorf("got %v", err)
			}
			if string(mustRead(t, path)) != string(harmed) {
				t.Error("the file was changed")
			}
		})
	}
}

// Tables of a newer program are refused; nobody guesses at what they mean.
func TestNewerDatabaseIsRefused(t *testing.T) {
	sc := newScene(t, false)
	db, err := sql.Open("sqlite", plainDSN(sc.path, "mode=rw"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), sc.path); err == nil || !strings.Contains(err.Error(), "newer social-server (its tables are version 99, this program knows") {
		t.Errorf("got %v", err)
	}
	if _, err := Backup(t.Context(), sc.path, sc.backup+"2"); err == nil {
		t.Error("it was backed up by a program that does not know it")
	}
}

// The look at a database when it is opened is bounded in time: where that is
// not enough for all of it, what was seen must be sound, and the store says so.
func TestCheckIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	s := openAt(t, path)
	if s.Unchecked() {
		t.Error("a new database is unchecked")
	}
	whole, err := check(t.Context(), path, time.Nanosecond)
	if whole || err != nil {
		t.Errorf("within no time: whole %v, %v", whole, err)
	}
	if whole, err := check(t.Context(), path, time.Hour); !whole || err != nil {
		t.Errorf("within an hour: whole %v, %v", whole, err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := check(ended, path, time.Hour); err == nil {
		t.Error("a start that was called off went on")
	}
	if whole, err := check(t.Context(), filepath.Join(t.TempDir(), "none"), time.Hour); !whole || err != nil {
		t.Errorf("a database to be made: whole %v, %v", whole, err)
	}
}

func TestNewestMigration(t *testing.T) {
	for _, s := range []schema{sqliteSchema, postgresSchema} {
		files, err := fs.ReadDir(migrations, s.folder)
		if err != nil {
			t.Fatal(err)
		}
		newest, err := s.newest()
		if want := fmt.Sprintf("%05d_", newest); err != nil || !strings.HasPrefix(files[len(files)-1].Name(), want) {
			t.Errorf("newest is %d (%v), the last file %s", newest, err, files[len(files)-1].Name())
		}
	}
}

// [SPEC B3] What a start has no time for is looked at beside: damage is told in
// the words of a start, soundness as nothing, and after Close nobody is told.
func TestRestIsChecked(t *testing.T) {
	for name, harm := range map[string]bool{"sound": false, "damaged": true} {
		t.Run(name, func(t *testing.T) {
			sc := newScene(t, false)
			s := openAt(t, sc.path)
			if harm {
				text := mustRead(t, sc.path)
				mustWrite(t, sc.path, string(text[:8192])+strings.Repeat("\xa5", 3*4096)+string(text[5*4096:]))
			}
			told := make(chan error, 1)
			s.CheckRest(func(err error) { told <- err })
			var damage *Damaged
			err := <-told
			if found := errors.As(err, &damage); found != harm || !harm && err != nil {
				t.Errorf("told %v", err)
			}
			if harm && (damage.Path != sc.path || !strings.Contains(err.Error(), "social-server restore FILE")) {
				t.Errorf("told %v", err)
			}
		})
	}
	t.Run("closed", func(t *testing.T) {
		s := openAt(t, newScene(t, false).path)
		told := make(chan error, 1)
		s.CheckRest(func(err error) { told <- err })
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		close(told) // whoever tells from here on panics
		for err := range told {
			if err != nil {
				t.Errorf("told %v", err)
			}
		}
	})
}
