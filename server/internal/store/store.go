// Package store keeps accounts, devices, users and settings in a database. It
// is the only room with SQL and gorm. Its rows are its own types; what leaves
// it are the types of packages account and settings, and errors of package errs.
package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jinzhu/gorm"
	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // registers the driver "sqlite"
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

//go:embed migrations
var migrations embed.FS

// Store is an open database. All its methods may be called from many goroutines.
//
// One connection writes, so that writers queue in Go, in order and under their
// contexts, instead of failing with "database is locked".
type Store struct {
	write, read     *gorm.DB
	writeDB, readDB *sql.DB
	stmt            statements // of Commit, on the writing connection
	lock            *os.File
	unchecked       bool
}

// Open opens the SQLite database at path, makes it if it is missing, and brings
// its tables up to date. The caller must Close it. It refuses a database that
// another process serves, that is damaged, or that is of a newer program.
func Open(ctx context.Context, path string) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	s := &Store{}
	if err := s.open(ctx, path); err != nil {
		return nil, errors.Join(fmt.Errorf("open database: %w", err), s.Close())
	}
	return s, nil
}

// Unchecked reports that the database was too large to be checked as a whole
// while it was opened. A backup checks all of it.
func (s *Store) Unchecked() bool { return s.unchecked }

// private makes sure that only the owner may read the database. SQLite gives
// the files beside it (-wal, -shm) the mode of the database itself.
func private(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) // #nosec G304 -- the database of the configuration
	if err != nil {
		return err
	}
	return errors.Join(file.Chmod(0o600), file.Close())
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
	if s.writeDB, s.write, err = pool(dsn(path, "_txlock=immediate"), 1); err != nil {
		return err
	}
	if err := s.checkVersion(ctx); err != nil {
		return err
	}
	if err := s.migrate(ctx); err != nil {
		return err
	}
	if s.readDB, s.read, err = pool(dsn(path, "_query_only=1"), readers); err != nil {
		return err
	}
	if err := s.startEpoch(ctx); err != nil {
		return err
	}
	return s.prepare(ctx)
}

// dsn returns the address of the database for the driver. The "file:" form is
// needed for its parameters to be obeyed.
func dsn(path, mode string) string {
	return plainDSN(path, mode) + "&_journal_mode=WAL&_synchronous=FULL&_foreign_keys=1"
}

// plainDSN is dsn without what only a server's database needs to be.
func plainDSN(path, mode string) string {
	address := url.URL{Scheme: "file", Path: filepath.ToSlash(path)}
	return fmt.Sprintf("%s?%s&_busy_timeout=%d", address.String(), mode, busyTimeout.Milliseconds())
}

// pool opens connections and a gorm handle on them that is silent (its errors
// are returned) and refuses an update or delete without a condition.
func pool(dsn string, size int) (*sql.DB, *gorm.DB, error) {
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, nil, err
	}
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	orm, err := gorm.Open("sqlite3", db)
	if err != nil {
		return db, nil, err
	}
	return db, orm.LogMode(false).BlockGlobalUpdate(true), nil
}

// checkVersion refuses an SQLite that can corrupt the database.
func (s *Store) checkVersion(ctx context.Context) error {
	var version string
	if err := s.writeDB.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&version); err != nil {
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

// migrate runs the migrations that this database has not seen, each in a
// transaction of its own.
func (s *Store) migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations/sqlite")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, s.writeDB, files,
		goose.WithLogger(goose.NopLogger()), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}

// startEpoch gives a new database its epoch, and leaves that of an old one.
func (s *Store) startEpoch(ctx context.Context) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		return tx.Exec("INSERT INTO epoch (only, epoch) VALUES (1, ?) ON CONFLICT (only) DO NOTHING", newEpoch()).Error
	})
}

// newEpoch returns a word that no other database has.
func newEpoch() string { return strings.ToLower(rand.Text()[:8]) }

// Epoch returns the word that stands for this life of the database: revisions
// of another epoch cannot be compared with its own.
func (s *Store) Epoch(ctx context.Context) (epoch string, err error) {
	err = s.inSnapshot(ctx, func(tx *gorm.DB) error {
		epoch, err = epochOf(tx)
		return err
	})
	return epoch, err
}

// epochOf returns the epoch as tx sees it.
func epochOf(tx *gorm.DB) (string, error) {
	var epoch string
	err := tx.Raw("SELECT epoch FROM epoch").Row().Scan(&epoch)
	return epoch, err
}

// Ping reports whether the database can be read.
func (s *Store) Ping(ctx context.Context) error {
	_, err := s.Epoch(ctx)
	return err
}

// Close closes the database. The readers go first, so that the writer is the
// last to leave and folds the WAL into the database file; the lock, last.
func (s *Store) Close() error {
	var failures []error
	for _, db := range []*sql.DB{s.readDB, s.writeDB} {
		if db != nil {
			failures = append(failures, db.Close())
		}
	}
	if s.lock != nil {
		_ = s.lock.Close() // fails only if it is closed already
	}
	return errors.Join(failures...)
}

// inTx runs work in the one writing transaction and commits it. Any error of
// work, and a panic, rolls it back. Nothing may be told to others from inside.
func (s *Store) inTx(ctx context.Context, work func(tx *gorm.DB) error) error {
	return transact(ctx, s.write, nil, work)
}

// inSnapshot runs work on a state of the database that does not change meanwhile.
func (s *Store) inSnapshot(ctx context.Context, work func(tx *gorm.DB) error) error {
	return transact(ctx, s.read, &sql.TxOptions{ReadOnly: true}, work)
}

// Atomically makes one transaction of all that work does: either all of it is
// stored, or nothing. Work must give the context it gets to every method of the
// store, must not wait for anything else, and tells nobody: it may yet fail.
func (s *Store) Atomically(ctx context.Context, work func(ctx context.Context) error) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		return work(context.WithValue(ctx, txKey{}, tx))
	})
}

// txKey finds the transaction that Atomically began.
type txKey struct{}

// transact is inTx and inSnapshot. gorm's own Transaction takes no context.
func transact(ctx context.Context, db *gorm.DB, options *sql.TxOptions, work func(tx *gorm.DB) error) error {
	if tx, ok := ctx.Value(txKey{}).(*gorm.DB); ok {
		return translate(work(tx)) // part of a larger one, which commits, or does not
	}
	tx := db.BeginTx(ctx, options)
	if tx.Error != nil {
		return translate(tx.Error)
	}
	defer tx.Rollback() // after a commit it does nothing
	if err := work(tx); err != nil {
		return translate(err)
	}
	return translate(tx.Commit().Error)
}
