package faults

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"

	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver "pgx"
	_ "modernc.org/sqlite"             // registers the driver "sqlite"
)

// databaseFile is the server's database in DATA_DIR.
const databaseFile = "social.db"

// ChangeRow is one row of the history.
type ChangeRow struct {
	Revision      uint64
	Key           string // "block.key"
	Value         string
	Device, Patch string
}

type patchKey struct{ device, patch string }

// UserRows is what the database holds of one user, read past the product's own code.
type UserRows struct {
	Epoch    string
	Revision uint64
	Settings map[string]Value
	Changes  []ChangeRow      // ascending
	Answers  map[patchKey]int // remembered answers
}

func (u *UserRows) byPatch() map[patchKey][]ChangeRow {
	all := make(map[patchKey][]ChangeRow)
	for _, row := range u.Changes {
		id := patchKey{row.Device, row.Patch}
		all[id] = append(all[id], row)
	}
	return all
}

// Digest is oracle O2's, of the database.
func (u *UserRows) Digest() string { return Digest(u.Epoch, u.Revision, u.Settings) }

// Digest is SHA-256 over epoch, head, and every key in order with its revision,
// whether it is a tombstone, and its value's bytes.
func Digest(epoch string, revision uint64, values map[string]Value) string {
	h := sha256.New()
	part := func(s string) {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(s))))
		h.Write([]byte(s))
	}
	part(epoch)
	part(fmt.Sprint(revision))
	for _, key := range sortedKeys(values) {
		v := values[key]
		part(key)
		part(fmt.Sprint(v.Revision, v.Text == "null"))
		part(v.Text)
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}

// Database is where a server's rows are.
type Database struct{ driver, address string }

// SQLite is the database file in a server's DATA_DIR.
func SQLite(dir string) Database {
	address := url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Join(dir, databaseFile))}
	return Database{"sqlite", address.String() + "?_busy_timeout=5000"}
}

// Postgres is the database of a DATABASE_URL.
func Postgres(address string) Database { return Database{"pgx", address} }

// Open opens the database beside the server.
func (d Database) Open() (*sql.DB, error) { return sql.Open(d.driver, d.address) }

// Integrity is SQLite's own word on the file in a DATA_DIR: "ok".
func Integrity(ctx context.Context, dir string) (word string, err error) {
	db, err := SQLite(dir).Open()
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	err = db.QueryRowContext(ctx, "PRAGMA integrity_check").Scan(&word)
	return word, err
}

// snapshot is a transaction that sees one point in time. SQLite's does anyway.
var snapshot = &sql.TxOptions{Isolation: sql.LevelSerializable}

// ReadUser reads a user's rows, all at one point in time.
func (d Database) ReadUser(ctx context.Context, username string) (u *UserRows, err error) {
	db, err := d.Open()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tx, err := db.BeginTx(ctx, snapshot)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, tx.Rollback()) }()
	u = &UserRows{Settings: make(map[string]Value), Answers: make(map[patchKey]int)}
	var id string
	err = tx.QueryRowContext(ctx, "SELECT e.epoch, u.id, u.revision FROM users u, epoch e WHERE u.username = $1", username).
		Scan(&u.Epoch, &id, &u.Revision)
	if err != nil {
		return nil, err
	}
	return u, errors.Join(u.readSettings(ctx, tx, id), u.readChanges(ctx, tx, id), u.readAnswers(ctx, tx))
}

func (u *UserRows) readSettings(ctx context.Context, tx *sql.Tx, id string) error {
	const query = "SELECT block, key, value, revision FROM settings WHERE user_id = $1"
	return each(ctx, tx, query, []any{id}, func(rows *sql.Rows) error {
		var block, key string
		var v Value
		err := rows.Scan(&block, &key, &v.Text, &v.Revision)
		u.Settings[block+"."+key] = v
		return err
	})
}

func (u *UserRows) readChanges(ctx context.Context, tx *sql.Tx, id string) error {
	const query = "SELECT revision, block, key, value, device_id, patch_id FROM changes WHERE user_id = $1" +
		" ORDER BY revision, block, key"
	return each(ctx, tx, query, []any{id}, func(rows *sql.Rows) error {
		var block, key string
		var c ChangeRow
		err := rows.Scan(&c.Revision, &block, &key, &c.Value, &c.Device, &c.Patch)
		c.Key = block + "." + key
		u.Changes = append(u.Changes, c)
		return err
	})
}

func (u *UserRows) readAnswers(ctx context.Context, tx *sql.Tx) error {
	return each(ctx, tx, "SELECT device_id, patch_id FROM patches", nil, func(rows *sql.Rows) error {
		var id patchKey
		err := rows.Scan(&id.device, &id.patch)
		u.Answers[id]++
		return err
	})
}

// each runs a query and hands over its rows.
func each(ctx context.Context, tx *sql.Tx, query string, args []any, row func(*sql.Rows) error) (err error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
