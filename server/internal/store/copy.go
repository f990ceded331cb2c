package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"hash"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// tables are all tables, each after those that its rows point to.
var tables = []string{
	"epoch", "accounts", "devices", "logins", "users", "members", "settings", "changes", "patches",
	"audit", "asks", "blocks", "invitations", "reset_codes",
}

// CopyToPostgres copies the SQLite database at path, on which no server may run
// meanwhile, or a backup of one, into the PostgreSQL database at a URL, which
// must be empty, and makes its tables. Then every row is read from both and
// compared, byte for byte. Either all of it is there in the end or nothing. The
// epoch stays, so that devices go on where they were.
func CopyToPostgres(ctx context.Context, path, url string) (Inventory, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return Inventory{}, err
	}
	if _, err := os.Stat(path); err != nil {
		return Inventory{}, fmt.Errorf("there is no database to copy: %w", err)
	}
	lock, err := takeLock(path)
	if err != nil {
		return Inventory{}, err
	}
	defer lock.Close()
	db, err := openToCopy(ctx, path)
	if err != nil {
		return Inventory{}, err
	}
	defer db.Close()
	held, err := copyTo(ctx, db, url)
	return held, plainly(err)
}

// openToCopy opens a whole SQLite database of this version to read.
func openToCopy(ctx context.Context, path string) (*sql.DB, error) {
	if _, err := verify(ctx, path, true); err != nil {
		return nil, fmt.Errorf("%s cannot be copied: %w", path, err)
	}
	db, err := sql.Open("sqlite", plainDSN(path, "mode=ro"))
	if err != nil {
		return nil, err
	}
	version, err := sqliteSchema.version(ctx, db)
	if err == nil {
		var newest int64
		if newest, err = sqliteSchema.newest(); err == nil && version != newest {
			err = fmt.Errorf("%s is of an older version of this program: start the server with this one on it first", path)
		}
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// copyTo copies a database into an empty one.
func copyTo(ctx context.Context, from *sql.DB, url string) (held Inventory, err error) {
	if err := preparePostgres(ctx, url); err != nil {
		return held, err
	}
	cfg, err := postgresConfig(url)
	if err != nil {
		return held, err
	}
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return held, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // all is committed, or an error already
	source, err := from.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return held, err
	}
	defer func() { _ = source.Rollback() }()
	target, err := conn.Begin(ctx)
	if err != nil {
		return held, err
	}
	defer func() { _ = target.Rollback(context.WithoutCancel(ctx)) }() // after a commit it does nothing
	if err := takeEmpty(ctx, target); err != nil {
		return held, err
	}
	for _, name := range tables {
		if err := copyTable(ctx, source, target, name); err != nil {
			return held, fmt.Errorf("copy %s: %w", name, err)
		}
	}
	if _, err := target.Exec(ctx, "SELECT setval(pg_get_serial_sequence('audit', 'number'), max(number)) FROM audit"); err != nil {
		return held, err
	}
	err = target.QueryRow(ctx, sqlInventory).Scan(&held.Epoch, &held.Users, &held.Devices, &held.Revisions)
	if err != nil {
		return held, err
	}
	if err := target.Commit(ctx); err != nil {
		return held, err
	}
	_, err = conn.Exec(ctx, "ANALYZE") // so that the first queries are planned for what there is
	if err == nil {
		err = conn.QueryRow(ctx, "SELECT pg_database_size(current_database())").Scan(&held.Bytes)
	}
	return held, err
}

// takeEmpty makes sure that nobody else uses a database, and that nobody has:
// a server that was started on it has given it an epoch, and no more.
func takeEmpty(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, "SET LOCAL lock_timeout = '5s'; LOCK TABLE "+strings.Join(tables, ", ")+" IN ACCESS EXCLUSIVE MODE"); err != nil {
		return err
	}
	for _, name := range tables[1:] {
		var any bool
		if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM "+name+")").Scan(&any); err != nil {
			return err
		}
		if any {
			return fmt.Errorf("the PostgreSQL database is not empty: there are rows in %s", name)
		}
	}
	_, err := tx.Exec(ctx, "DELETE FROM epoch")
	return err
}

// copyTable copies a table, reads the copy, and compares the two.
func copyTable(ctx context.Context, from *sql.Tx, to pgx.Tx, name string) error {
	columns, question, err := readAll(ctx, from, name)
	if err != nil {
		return err
	}
	rows, err := from.QueryContext(ctx, question)
	if err != nil {
		return err
	}
	source := &copySource{Rows: rows, row: make([]any, len(columns))}
	_, err = to.CopyFrom(ctx, pgx.Identifier{name}, columns, source)
	if err := errors.Join(err, rows.Close()); err != nil {
		return err
	}
	written, err := to.Query(ctx, question)
	if err != nil {
		return err
	}
	defer written.Close()
	var copied fingerprint
	for written.Next() {
		row, err := written.Values()
		if err != nil {
			return err
		}
		copied.add(row)
	}
	if err := written.Err(); err != nil {
		return err
	}
	return source.print.compare(&copied)
}

// readAll returns the columns of a table and a question for all its rows, in
// order, that both databases understand.
func readAll(ctx context.Context, tx *sql.Tx, table string) (columns []string, question string, err error) {
	rows, err := tx.QueryContext(ctx, "SELECT name, pk FROM pragma_table_info(?) ORDER BY cid", table)
	if err != nil {
		return nil, "", err
	}
	defer rows.Close()
	keys := map[int]string{}
	for rows.Next() {
		var name string
		var place int // in the primary key, from 1
		if err := rows.Scan(&name, &place); err != nil {
			return nil, "", err
		}
		columns = append(columns, name)
		keys[place] = strconv.Quote(name)
	}
	delete(keys, 0)
	quoted := make([]string, len(columns))
	for i, name := range columns {
		quoted[i] = strconv.Quote(name)
	}
	var order []string
	for place := range len(keys) {
		order = append(order, keys[place+1])
	}
	return columns, "SELECT " + strings.Join(quoted, ", ") + " FROM " + table + " ORDER BY " + strings.Join(order, ", "), rows.Err()
}

// copySource is the rows of a table on their way, and their fingerprint.
type copySource struct {
	*sql.Rows
	row   []any
	print fingerprint
}

// Values returns the row.
func (c *copySource) Values() ([]any, error) {
	into := make([]any, len(c.row))
	for i := range c.row {
		into[i] = &c.row[i]
	}
	if err := c.Scan(into...); err != nil {
		return nil, err
	}
	c.print.add(c.row)
	return c.row, nil
}

// fingerprint is what a table holds, in the order of its key: a hash for each value
// of the key's first column, which mostly is a user.
type fingerprint struct {
	parts []part
	hash  hash.Hash // of the last part
}

type part struct {
	of   any
	rows int
	sum  [sha256.Size]byte
}

// add adds a row, whose first column is the key's.
func (f *fingerprint) add(row []any) {
	if n := len(f.parts); n == 0 || f.parts[n-1].of != row[0] {
		f.seal()
		f.parts, f.hash = append(f.parts, part{of: row[0]}), sha256.New()
	}
	f.parts[len(f.parts)-1].rows++
	for _, value := range row {
		text := fmt.Sprint(value)
		fmt.Fprintf(f.hash, "%T %d %s ", value, len(text), text) // a hash takes everything
	}
}

// seal ends the last part.
func (f *fingerprint) seal() {
	if n := len(f.parts); n > 0 {
		f.hash.Sum(f.parts[n-1].sum[:0])
	}
}

// compare says where a copy first differs.
func (f *fingerprint) compare(copied *fingerprint) error {
	f.seal()
	copied.seal()
	if len(f.parts) != len(copied.parts) {
		return fmt.Errorf("the copy holds %d of %d", len(copied.parts), len(f.parts))
	}
	for i, p := range f.parts {
		if p != copied.parts[i] {
			return fmt.Errorf("the copy differs at %v: %d rows of %d", p.of, copied.parts[i].rows, p.rows)
		}
	}
	return nil
}
