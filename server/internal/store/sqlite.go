package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // registers the driver "sqlite"

	"social-server/internal/deep"
)

// readers is the size of the read pool. SQLite reads are short and WAL lets
// them run beside the writer, so few are enough.
const readers = 4

// busyTimeout is how long a statement waits for another process that holds the
// database before it fails with errs.Unavailable.
const busyTimeout = 5 * time.Second

// oldestSQLite is the first version without the WAL-reset bug, which can
// corrupt a database.
const oldestSQLite = "3.51.3"

// onSQLite is the dialect of SQLite. One connection writes, so that writers
// queue in Go, in order and under their contexts, instead of failing with
// "database is locked".
var onSQLite = dialect{
	orm:      "sqlite3",
	reading:  &sql.TxOptions{ReadOnly: true},
	folded:   func(column string) string { return column }, // they are COLLATE NOCASE
	name:     "?",
	elements: "json_each(?)",
}

// Open opens the SQLite database at path, makes it if it is missing, and brings
// its tables up to date. The caller must Close it. It refuses a database that
// another process serves, that is damaged, or that is of a newer program.
func Open(ctx context.Context, path string) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	s := &Store{dialect: &onSQLite, path: path}
	if err := s.open(ctx, path); err != nil {
		return nil, errors.Join(fmt.Errorf("open database: %w", err), s.Close())
	}
	return s, nil
}

// open opens the two pools; the writer first, for it makes the WAL and tables.
func (s *Store) open(ctx context.Context, path string) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if s.lock, err = takeLock(path); err != nil {
		return err
	}
	whole, err := check(ctx, path, checkWithin)
	if err != nil {
		return err
	}
	s.unchecked = !whole
	if err := private(path); err != nil {
		return err
	}
	if s.write, err = pool(dsn(path, "_txlock=immediate")+writerCache, 1); err != nil {
		return err
	}
	if err := checkVersion(ctx, s.write); err != nil {
		return err
	}
	if err := sqliteSchema.migrate(ctx, s.write); err != nil {
		return err
	}
	if s.read, err = pool(dsn(path, "_query_only=1"), readers); err != nil {
		return err
	}
	if err := startEpoch(ctx, s.write); err != nil {
		return err
	}
	if err := s.prepareReads(ctx); err != nil {
		return err
	}
	if err := s.fillKeys(ctx); err != nil {
		return err
	}
	if s.files, err = trackFiles(path); err != nil {
		return err
	}
	s.deep = deep.Start(readers)
	s.groups, err = newSQLiteGroups(ctx, s.write)
	return err
}

// private makes the database, for its owner alone, if there is none. SQLite gives
// the files beside it (-wal, -shm) the mode of the database itself; that of one
// which is there already is config.PrepareDataDir's.
func private(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) // #nosec G304 -- the database of the configuration
	if err != nil {
		return err
	}
	return file.Close()
}

// writerCache is the writer's page cache: 16 MiB.
const writerCache = "&_pragma=cache_size(-16384)"

// dsn returns the address of the database for the driver. The "file:" form is
// needed for its parameters to be obeyed.
func dsn(path, mode string) string {
	return plainDSN(path, mode) + "&_journal_mode=WAL&_synchronous=FULL&_foreign_keys=1"
}

// plainDSN is dsn without what only a server's database needs to be. The path
// may be relative and hold any character: the URI has no authority, which would
// take the first folder of a relative path.
func plainDSN(path, mode string) string {
	address := url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(filepath.Clean(path))}
	return fmt.Sprintf("%s?%s&_busy_timeout=%d", address.String(), mode, busyTimeout.Milliseconds())
}

// pool opens connections that stay open.
func pool(dsn string, size int) (*sql.DB, error) {
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	return db, nil
}

// checkVersion refuses an SQLite that can corrupt the database.
func checkVersion(ctx context.Context, db *sql.DB) error {
	var version string
	if err := db.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&version); err != nil {
		return err
	}
	if older(version, oldestSQLite) {
		return fmt.Errorf("SQLite %s can corrupt a database: %s or newer is needed", version, oldestSQLite)
	}
	return nil
}

// older reports whether version a, like 3.51.3, is before b.
func older(a, b string) bool {
	var x, y [3]int
	_, _ = fmt.Sscanf(a, "%d.%d.%d", &x[0], &x[1], &x[2]) // what is missing counts as 0
	_, _ = fmt.Sscanf(b, "%d.%d.%d", &y[0], &y[1], &y[2])
	for i := range x {
		if x[i] != y[i] {
			return x[i] < y[i]
		}
	}
	return false
}
