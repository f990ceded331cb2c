package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/jinzhu/gorm"
)

// dialect is what differs between the two databases, apart from how they are
// opened (sqlite.go, postgres.go), what their failures mean (failures.go) and
// how a group of writes gets in (commit_sqlite.go, commit_postgres.go). All
// other SQL of this package is understood by both.
type dialect struct {
	orm string // what gorm calls it

	// How transactions that write, and those that read, are begun.
	writing, reading *sql.TxOptions

	// patience bounds an operation, from waiting for a connection to the end of
	// its last attempt; 0 is as long as its context.
	patience time.Duration

	folded   func(column string) string // a column of names, as names are compared and ordered
	name     string                     // ?, a name to compare with such a column
	elements string                     // the table of the elements of ?, a JSON array of arrays: its column is value
	locked   string                     // ends a query of devices d that nobody else may change until they were used
}

// named is the condition that a column holds a name, in any case.
func (d *dialect) named(column string) string { return d.folded(column) + " = " + d.name }

// open returns a gorm handle that is silent (its errors are returned) and refuses
// an update or delete without a condition.
func (d *dialect) open(ctx context.Context, db runner) (*gorm.DB, error) {
	if d.patience == 0 { // SQLite: a statement is short, and a context to watch costs it a goroutine
		ctx = context.WithoutCancel(ctx)
	}
	orm, err := gorm.Open(d.orm, bound{ctx, db})
	if err != nil {
		return nil, err
	}
	return orm.LogMode(false).BlockGlobalUpdate(true), nil
}

// runner runs statements: a transaction, or a pool of connections.
type runner interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// bound runs statements under a context, of which gorm knows nothing.
type bound struct {
	ctx context.Context
	db  runner
}

var _ gorm.SQLCommon = bound{}

// Exec runs a statement.
func (b bound) Exec(query string, args ...any) (sql.Result, error) {
	return b.db.ExecContext(b.ctx, query, args...)
}

// Prepare prepares a statement.
func (b bound) Prepare(query string) (*sql.Stmt, error) { return b.db.PrepareContext(b.ctx, query) }

// Query runs a query.
func (b bound) Query(query string, args ...any) (*sql.Rows, error) {
	return b.db.QueryContext(b.ctx, query, args...)
}

// QueryRow runs a query of one row.
func (b bound) QueryRow(query string, args ...any) *sql.Row {
	return b.db.QueryRowContext(b.ctx, query, args...)
}
