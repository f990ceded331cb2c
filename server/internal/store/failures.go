package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/jinzhu/gorm"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"social-server/internal/errs"
)

// retryAfter is what a person is told to wait when the database is busy or full.
const retryAfter = 2 * time.Second

// translate turns a failure of the database into an error of package errs. What
// already is one passes unchanged. Codes decide, never the text of a message.
func translate(err error) error {
	var known *errs.Error
	switch {
	case err == nil, errors.As(err, &known):
		return err
	case errors.Is(err, gorm.ErrRecordNotFound), errors.Is(err, sql.ErrNoRows):
		return &errs.Error{Code: errs.NotFound, Message: "There is no such thing."}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, sql.ErrTxDone):
		return &errs.Error{Code: errs.Unavailable, Message: "The request ended before the database answered.", Cause: err}
	}
	switch code(err) & 0xff { // the low byte is the kind, the rest its detail
	case sqlite3.SQLITE_FULL:
		return &errs.Error{Code: errs.StorageFull, Message: "The server's disk is full.", Cause: err, RetryAfter: retryAfter}
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_INTERRUPT:
		return &errs.Error{Code: errs.Unavailable, Message: "The database is busy.", Cause: err, RetryAfter: retryAfter}
	}
	return errs.Wrap(err)
}

// taken reports whether a row was refused because its name or id exists.
func taken(err error) bool {
	c := code(err)
	return c == sqlite3.SQLITE_CONSTRAINT_UNIQUE || c == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
}

// code returns the driver's code of a failure; 0 if it is none of the driver's.
func code(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return 0
}
