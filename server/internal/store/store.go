// Package store keeps accounts, devices, users and settings in a database:
// SQLite for one server, PostgreSQL for several. It is the only room with SQL
// and gorm. Its rows are its own types; what leaves it are the types of packages
// account, settings and hub, and errors of package errs.
package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"os"
	"strings"

	"github.com/jinzhu/gorm"

	"social-server/internal/deep"
)

// Store is an open database. All its methods may be called from many goroutines.
type Store struct {
	dialect     *dialect
	write, read *sql.DB
	reads       reads         // of a connect
	deep        *deep.Workers // where they run; nil on PostgreSQL
	groups      committer     // of Commit
	lock        *os.File      // SQLite's, against a second server; nil on PostgreSQL
	path        string        // of SQLite's file
	files       *files        // SQLite's, of a server; nil for a command and on PostgreSQL
	unchecked   bool
	stopCheck   func() // ends what CheckRest began, and waits; nil: it was not called
}

// Unchecked reports that the database was too large to be checked as a whole
// while it was opened: CheckRest does, and a backup.
func (s *Store) Unchecked() bool { return s.unchecked }

// startEpoch gives a new database its epoch, and leaves that of an old one.
func startEpoch(ctx context.Context, db *sql.DB) error {
	_, err := db.ExecContext(ctx, `INSERT INTO epoch ("only", epoch) VALUES (1, '`+newEpoch()+`') ON CONFLICT ("only") DO NOTHING`)
	return err
}

// newEpoch returns a word that no other database has.
func newEpoch() string { return strings.ToLower(rand.Text()[:8]) }

// Epoch returns the word that stands for this life of the database: revisions
// of another epoch cannot be compared with its own.
func (s *Store) Epoch(ctx context.Context) (epoch string, err error) {
	err = s.alone(ctx, s.read, func(db *gorm.DB) error {
		epoch, err = epochOf(db)
		return err
	})
	return epoch, err
}

// NewEpoch gives the database a new epoch and returns it: to be done once after
// the database was put back to an earlier state, so that devices that are ahead
// of it take over what it says instead of drifting away from it.
func (s *Store) NewEpoch(ctx context.Context) (string, error) {
	epoch := newEpoch()
	return epoch, s.inTx(ctx, func(tx *gorm.DB) error {
		return tx.Exec(`UPDATE epoch SET epoch = ? WHERE "only" = 1`, epoch).Error
	})
}

// epochOf returns the epoch as tx sees it.
func epochOf(tx *gorm.DB) (string, error) {
	var epoch string
	err := tx.Raw("SELECT epoch FROM epoch").Row().Scan(&epoch)
	return epoch, err
}

// Ping reports whether the database can be read, and is where it was opened.
func (s *Store) Ping(ctx context.Context) error {
	if s.files.check() != nil {
		return errFilesGone
	}
	_, err := s.Epoch(ctx)
	return err
}

// Close closes the database. The readers go first, so that SQLite's writer is
// the last to leave and folds the WAL into the database file; the lock, last.
func (s *Store) Close() error {
	failures := []error{s.files.close()}
	if s.stopCheck != nil {
		s.stopCheck()
	}
	if s.groups != nil {
		failures = append(failures, s.groups.close())
	}
	s.deep.Close()
	for _, db := range []*sql.DB{s.read, s.write} {
		if db != nil {
			failures = append(failures, db.Close())
		}
	}
	if s.lock != nil {
		_ = s.lock.Close() // fails only if it is closed already
	}
	return errors.Join(failures...)
}

// inTx runs work in a writing transaction and commits it. Any error of work,
// and a panic, rolls it back. Nothing may be told to others from inside, and
// work may run more than once: see Atomically.
func (s *Store) inTx(ctx context.Context, work func(tx *gorm.DB) error) error {
	return s.transact(ctx, s.write, s.dialect.writing, work)
}

// inSnapshot runs work on a state of the database that does not change meanwhile.
func (s *Store) inSnapshot(ctx context.Context, work func(tx *gorm.DB) error) error {
	return s.transact(ctx, s.read, s.dialect.reading, work)
}

// Atomically makes one transaction of all that work does: either all of it is
// stored, or nothing. Work must give the context it gets to every method of the
// store, must not wait for anything else, and tells nobody: it may yet fail, and
// be run again because another transaction came in between. What it sets outside
// of itself it sets anew every time.
func (s *Store) Atomically(ctx context.Context, work func(ctx context.Context) error) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		return work(context.WithValue(ctx, txKey{}, tx))
	})
}

// txKey finds the transaction that Atomically began.
type txKey struct{}

// writable refuses to write through db into files that nobody will find.
func (s *Store) writable(db runner) error {
	if db != s.write {
		return nil
	}
	return s.files.writable()
}

// transact is inTx and inSnapshot. gorm's own Transaction takes no context.
func (s *Store) transact(ctx context.Context, db *sql.DB, options *sql.TxOptions, work func(tx *gorm.DB) error) error {
	if tx, ok := ctx.Value(txKey{}).(*gorm.DB); ok {
		return translate(work(tx)) // part of a larger one, which commits, or does not
	}
	if err := s.writable(db); err != nil {
		return err
	}
	return s.patiently(ctx, func(ctx context.Context) error {
		plain, err := db.BeginTx(ctx, options)
		if err != nil {
			return unbegun{err}
		}
		defer func() { _ = plain.Rollback() }() // after a commit it does nothing
		tx, err := s.dialect.open(ctx, plain)
		if err != nil {
			return err
		}
		if err := work(tx); err != nil {
			return err
		}
		return plain.Commit()
	})
}

// alone runs one statement that needs no transaction around it.
func (s *Store) alone(ctx context.Context, db runner, work func(db *gorm.DB) error) error {
	if tx, ok := ctx.Value(txKey{}).(*gorm.DB); ok {
		return translate(work(tx))
	}
	if err := s.writable(db); err != nil {
		return err
	}
	return s.patiently(ctx, func(ctx context.Context) error {
		orm, err := s.dialect.open(ctx, db)
		if err != nil {
			return err
		}
		return work(orm)
	})
}
