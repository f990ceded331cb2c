package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jinzhu/gorm"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"social-server/internal/errs"
)

// retryAfter is what a person is told to wait when the database is busy or full.
const retryAfter = 2 * time.Second

// failure is what went wrong, to whoever asked the database.
type failure int

const (
	odd     failure = iota // our fault
	absent                 // there is no such row
	full                   // no room on the disk
	away                   // busy, or gone for now
	taken                  // a row of this name or id exists
	crossed                // another transaction came in between: nothing was done
)

// translate turns a failure of the database into an error of package errs. What
// already is one passes unchanged. Codes decide, never the text of a message.
func translate(err error) error {
	var known *errs.Error
	switch {
	case err == nil, errors.As(err, &known):
		return err
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, sql.ErrTxDone):
		return &errs.Error{Code: errs.Unavailable, Message: "The request ended before the database answered.", Cause: err, RetryAfter: retryAfter}
	}
	switch failureOf(err) {
	case absent:
		return &errs.Error{Code: errs.NotFound, Message: "There is no such thing."}
	case full:
		return &errs.Error{Code: errs.StorageFull, Message: "The server's disk is full.", Cause: err, RetryAfter: retryAfter}
	case away, crossed:
		return &errs.Error{Code: errs.Unavailable, Message: "The database is busy.", Cause: err, RetryAfter: retryAfter}
	}
	return errs.Wrap(err)
}

// failureOf says what kind of failure an error of either database is.
func failureOf(err error) failure {
	var lite *sqlite.Error
	var pg *pgconn.PgError
	switch {
	case errors.Is(err, gorm.ErrRecordNotFound), errors.Is(err, sql.ErrNoRows):
		return absent
	case errors.As(err, &lite):
		return sqliteFailure(lite.Code())
	case unreachable(err):
		return away
	case errors.As(err, &pg):
		return postgresFailure(pg.Code)
	}
	return odd
}

// unreachable reports whether a connection to PostgreSQL could not be made, or was lost.
func unreachable(err error) bool {
	var connecting *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connecting) || errors.As(err, &network) || pgconn.SafeToRetry(err) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone)
}

// unbegun is the failure to begin a transaction on a connection that was lost
// since it was last used: nothing was done.
type unbegun struct{ error }

// Unwrap returns the failure.
func (u unbegun) Unwrap() error { return u.error }

// sqliteFailure knows SQLite's codes: the low byte is the kind, the rest its detail.
func sqliteFailure(code int) failure {
	switch code {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return taken
	}
	switch code & 0xff {
	case sqlite3.SQLITE_FULL:
		return full
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_INTERRUPT:
		return away
	}
	return odd
}

// postgresFailure knows the codes of PostgreSQL, whose first two characters are a class.
func postgresFailure(code string) failure {
	switch code {
	case "40001", "40P01", // serialization_failure, deadlock_detected
		"0A000": // a cached plan of tables that changed since; nothing else here is unsupported
		return crossed
	case "23505": // unique_violation
		return taken
	case "22021": // character_not_in_repertoire: text that cannot be stored is not there
		return absent
	case "53100": // disk_full
		return full
	case "25006", // read_only_sql_transaction: it has become a replica
		"25P03", // idle_in_transaction_session_timeout
		"55P03": // lock_not_available: lock_timeout
		return away
	}
	switch code[:min(2, len(code))] {
	case "08", "53", "57": // connection, resources, shutdown or cancelled
		return away
	}
	return odd
}

// repeatable reports whether an operation did nothing and may be run again. A
// row that exists, where nobody said whose name is taken, and a row that points
// to none are what two transactions of PostgreSQL may see of one another
// instead of 40001: on SQLite they would have come one after the other.
func repeatable(err error) bool {
	var lost unbegun
	var connecting *pgconn.ConnectError
	var pg *pgconn.PgError
	switch {
	case errors.As(err, &lost) && (unreachable(err) || errors.As(err, &pg) && pg.Code == "57P01"): // admin_shutdown
		return !errors.As(err, &connecting) // there is another to be had
	case errors.As(err, &pg):
		return postgresFailure(pg.Code) == crossed || pg.Code == "23505" || pg.Code == "23503"
	}
	return false
}

// code returns SQLite's code of a failure; 0 if it is none of SQLite's.
func code(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return 0
}
