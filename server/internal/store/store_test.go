package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jinzhu/gorm"
	"modernc.org/sqlite"

	"social-server/internal/errs"
)

// open returns a new SQLite store on a file of its own, closed when the test ends.
func open(t testing.TB) *Store {
	t.Helper()
	return onFile.open(t)
}

func openAt(t testing.TB, path string) *Store {
	t.Helper()
	return onFile.openAt(t, path)
}

func TestPragmasOfBothPools(t *testing.T) {
	s := open(t)
	tests := map[string]struct{ write, read string }{
		"journal_mode": {"wal", "wal"},
		"synchronous":  {"2", "2"}, // FULL: an acknowledged commit survives a power cut
		"foreign_keys": {"1", "1"},
		"busy_timeout": {"5000", "5000"},
		"query_only":   {"0", "1"},

		"cache_size": {"-16384", "-2000"},
	}
	for pragma, want := range tests {
		t.Run(pragma, func(t *testing.T) {
			for db, want := range map[*sql.DB]string{s.write: want.write, s.read: want.read} {
				var got string
				if err := db.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil {
					t.Fatal(err)
				}
				if got != want {
					t.Errorf("PRAGMA %s = %s, want %s", pragma, got, want)
				}
			}
		})
	}
}

func TestOnlyTheOwnerReadsTheFiles(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data")
	path := filepath.Join(folder, "test.db")
	s := openAt(t, path)
	if err := s.inTx(t.Context(), func(tx *gorm.DB) error { return nil }); err != nil {
		t.Fatal(err)
	}
	modes := map[string]fs.FileMode{folder: 0o700, path: 0o600, path + "-wal": 0o600, path + "-shm": 0o600}
	for name, want := range modes {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("mode of %s is %o, want %o", filepath.Base(name), got, want)
		}
	}
}

func TestEpochIsMadeOnceAndStays(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		path := on.place(t)
		first := on.openAt(t, path)
		epoch, err := first.Epoch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`^[a-z2-7]{8}$`).MatchString(epoch) {
			t.Errorf("epoch %q is not 8 letters of base32", epoch)
		}
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
		again, err := on.openAt(t, path).Epoch(t.Context())
		if err != nil || again != epoch {
			t.Errorf("epoch after opening again = %q, %v, want %q", again, err, epoch)
		}
		if other, _ := on.open(t).Epoch(t.Context()); other == epoch {
			t.Error("two databases share an epoch")
		}
	})
}

// Fault A1: a relative path, and names with characters that mean something in a
// URI, in SQL or to a shell: every function that opens a database takes them.
func TestOddPaths(t *testing.T) {
	names := map[string]string{
		"plain": "data", "below": "./a//./b/", "URI": "a?b#c %41&d=e;f:g", "quotes": `it's "odd"`,
		"line": "two\nlines\t", "drive": "c:data", "no UTF-8": "\xff\xfe", "flag": "-data", "home": "~",
	}
	for name, folder := range names {
		for _, absolute := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", absolute ", absolute), func(t *testing.T) {
				t.Chdir(t.TempDir())
				if absolute {
					folder = filepath.Join(t.TempDir(), folder)
				}
				checkPath(t, folder)
			})
		}
	}
}

// checkPath opens a database in a folder in every way there is.
func checkPath(t *testing.T, folder string) {
	t.Helper()
	path, file := folder+"/test.db", folder+"/a backup?.db"
	s, err := Open(t.Context(), path)
	must(t, err)
	_, err = os.Stat(path)
	must(t, err)
	beside, err := OpenBeside(t.Context(), path)
	must(t, err)
	must(t, beside.Close())
	_, err = Backup(t.Context(), path, file)
	must(t, err)
	whole, err := check(t.Context(), path, checkRestWithin)
	if must(t, err); !whole {
		t.Error("it was not checked as a whole")
	}
	must(t, s.Close())
	_, err = Restore(t.Context(), path, file, noon)
	must(t, err)
	db, err := openToCopy(t.Context(), path)
	must(t, err)
	must(t, db.Close())
	entries, err := os.ReadDir(".")
	must(t, err)
	if len(entries) > 1 || filepath.IsAbs(folder) && len(entries) > 0 {
		t.Errorf("files beside the folder: %v", entries)
	}
}

func TestOpenFails(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "broken.db")
	if err := os.WriteFile(broken, []byte(strings.Repeat("not a database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{"no database": broken, "a folder": t.TempDir()} {
		t.Run(name, func(t *testing.T) {
			if s, err := Open(t.Context(), path); err == nil {
				t.Errorf("Open() = %v, want an error", s)
			}
		})
	}
}

func TestOlder(t *testing.T) {
	tests := map[string]bool{"3.51.2": true, "3.9.9": true, "2.99.99": true, "": true, "3.51.3": false, "3.51.10": false, "3.52": false, "4.0.0": false}
	for version, want := range tests {
		if got := older(version, oldestSQLite); got != want {
			t.Errorf("older(%q) = %v, want %v", version, got, want)
		}
	}
}

func TestTransactionRollsBack(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		s := on.open(t)
		insert := func(tx *gorm.DB, id string) error {
			return tx.Exec("INSERT INTO accounts (id, email, password_hash, created_at) VALUES (?, ?, 'h', 't')", id, id).Error
		}
		refused := errs.New(errs.Conflict, "no")
		if err := s.inTx(t.Context(), func(tx *gorm.DB) error {
			return errors.Join(insert(tx, "a_1"), refused)
		}); !errs.Is(err, errs.Conflict) {
			t.Errorf("inTx() = %v, want the error of its work", err)
		}
		func() {
			defer func() { _ = recover() }()
			_ = s.inTx(t.Context(), func(tx *gorm.DB) error { _ = insert(tx, "a_2"); panic("in the middle") })
		}()
		ended, end := context.WithCancel(t.Context())
		if err := s.inTx(ended, func(tx *gorm.DB) error {
			err := insert(tx, "a_3")
			end()
			return err
		}); !errs.Is(err, errs.Unavailable) {
			t.Errorf("inTx() of an ended request = %v, want unavailable", err)
		}
		if err := s.inTx(t.Context(), func(tx *gorm.DB) error { return insert(tx, "a_4") }); err != nil {
			t.Errorf("inTx() after those = %v", err)
		}
		var ids []string
		if err := s.inSnapshot(t.Context(), func(tx *gorm.DB) error {
			return tx.Table("accounts").Pluck("id", &ids).Error
		}); err != nil {
			t.Fatal(err)
		}
		if len(ids) != 1 || ids[0] != "a_4" {
			t.Errorf("stored accounts = %v, want only a_4", ids)
		}
	})
}

func TestSnapshotDoesNotWrite(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		s := on.open(t)
		err := s.inSnapshot(t.Context(), func(tx *gorm.DB) error {
			return tx.Exec("UPDATE epoch SET epoch = 'x' WHERE only = 1").Error
		})
		if err == nil {
			t.Error("a snapshot let itself be written to")
		}
	})
}

func TestUpdateWithoutConditionIsRefused(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		s := on.open(t)
		err := s.inTx(t.Context(), func(tx *gorm.DB) error {
			return tx.Table("epoch").Updates(map[string]any{"epoch": "x"}).Error
		})
		if err == nil {
			t.Error("an update of every row went through")
		}
	})
}

func TestWritersQueueAndNoneIsLost(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		s := on.open(t)
		if err := s.inTx(t.Context(), func(tx *gorm.DB) error {
			return tx.Exec("INSERT INTO accounts (id, email, password_hash, created_at) VALUES ('a', 'e', '', '')").Error
		}); err != nil {
			t.Fatal(err)
		}
		const writers, each = 32, 5
		var all sync.WaitGroup
		for range writers {
			all.Go(func() {
				for range each {
					err := s.inTx(t.Context(), func(tx *gorm.DB) error {
						return tx.Exec("UPDATE accounts SET password_hash = password_hash || 'x' WHERE id = 'a'").Error
					})
					if err != nil {
						t.Errorf("a writer among many: %v", err)
					}
				}
			})
		}
		all.Wait()
		var marks string
		if err := s.read.QueryRowContext(t.Context(), "SELECT password_hash FROM accounts").Scan(&marks); err != nil {
			t.Fatal(err)
		}
		if len(marks) != writers*each {
			t.Errorf("%d of %d writes are there", len(marks), writers*each)
		}
	})
}

// TestHeldDatabase shows that a wait for another process ends with the request.
func TestHeldDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	s := openAt(t, path)
	tool, err := sql.Open("sqlite", dsn(path, "_txlock=immediate")) // no server: it takes no lock of ours
	if err != nil {
		t.Fatal(err)
	}
	defer tool.Close()
	held, err := tool.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.inTx(short, func(*gorm.DB) error { return nil }); !errs.Is(err, errs.Unavailable) {
		t.Errorf("inTx() while another process writes = %v, want unavailable", err)
	}
	if _, err := s.Epoch(t.Context()); err != nil { // WAL: reading goes on
		t.Error(err)
	}
	if err := held.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := s.inTx(t.Context(), func(*gorm.DB) error { return nil }); err != nil {
		t.Errorf("inTx() once it is free = %v", err)
	}
}

func TestTranslate(t *testing.T) {
	s := open(t)
	full := func() error { // a page limit is a full disk to SQLite
		if _, err := s.write.ExecContext(t.Context(), "PRAGMA max_page_count = 1"); err != nil {
			t.Fatal(err)
		}
		_, err := s.write.ExecContext(t.Context(), "CREATE TABLE t AS SELECT zeroblob(1000000)")
		return err
	}()
	if code(full)&0xff != 13 {
		t.Fatalf("a full database says %v (%d)", full, code(full))
	}
	tests := map[string]struct {
		err  error
		want errs.Code
	}{
		"full disk":        {full, errs.StorageFull},
		"no row, gorm":     {gorm.ErrRecordNotFound, errs.NotFound},
		"no row, sql":      {sql.ErrNoRows, errs.NotFound},
		"cancelled":        {context.Canceled, errs.Unavailable},
		"past its time":    {context.DeadlineExceeded, errs.Unavailable},
		"rolled back":      {sql.ErrTxDone, errs.Unavailable},
		"one of ours":      {errs.New(errs.QuotaExceeded, "no"), errs.QuotaExceeded},
		"anything else":    {errors.New("odd"), errs.Internal},
		"another of SQL's": {new(sqlite.Error), errs.Internal},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := errs.From(translate(tt.err)).Code; got != tt.want {
				t.Errorf("translate(%v) = %s, want %s", tt.err, got, tt.want)
			}
		})
	}
	if translate(nil) != nil {
		t.Error("translate(nil) is not nil")
	}
}

func TestInstant(t *testing.T) {
	var i instant
	for stored, want := range map[any]time.Time{nil: {}, "2026-11-23T09:00:00.123Z": nine} {
		if err := i.Scan(stored); err != nil || !i.Equal(want) {
			t.Errorf("Scan(%v) = %v, %v, want %v", stored, i.Time, err, want)
		}
	}
	for _, odd := range []any{7, "yesterday", []byte("2026-11-23T09:00:00.123Z")} {
		if err := i.Scan(odd); err == nil {
			t.Errorf("Scan(%v) took it", odd)
		}
	}
	berlin := nine.In(time.FixedZone("", 3600)).Add(456 * time.Microsecond)
	if got, err := (instant{berlin}).Value(); err != nil || got != "2026-11-23T09:00:00.123Z" {
		t.Errorf("Value() = %v, %v", got, err)
	}
	if got, err := (instant{}).Value(); err != nil || got != nil {
		t.Errorf("Value() of no time = %v, %v", got, err)
	}
}

// TestBusyDatabase: a writer that another process keeps waiting for too long
// is told when to come back.
func TestBusyDatabase(t *testing.T) {
	s := open(t)
	var busy error
	must(t, s.inTx(t.Context(), func(*gorm.DB) error {
		var path string
		if e := s.read.QueryRowContext(t.Context(), "SELECT file FROM pragma_database_list WHERE name = 'main'").Scan(&path); e != nil {
			return e
		}
		other, e := pool(dsn(path, "_txlock=immediate")+"&_timeout=1", 1)
		if e != nil {
			return e
		}
		defer other.Close()
		_, busy = other.BeginTx(t.Context(), nil)
		return nil
	}))
	wantCode(t, "a busy database", translate(busy), errs.Unavailable)
	if errs.From(translate(busy)).RetryAfter <= 0 {
		t.Error("busy does not say when to come back")
	}
}
