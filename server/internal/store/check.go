package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	sqlite3 "modernc.org/sqlite/lib"
)

// checkWithin bounds the look that Open has at a database, so that a start is
// quick however much there is to look at: a second is enough for some 500 MiB.
const checkWithin = time.Second

// Inventory is what a database holds, in numbers for people.
type Inventory struct {
	Epoch     string
	Users     int
	Devices   int // those that were revoked, too
	Revisions int // of all users together
	Bytes     int64
}

// String returns the numbers in a line.
func (i Inventory) String() string {
	return fmt.Sprintf("users %d, revisions %d, devices %d, bytes %d, epoch %s", i.Users, i.Revisions, i.Devices, i.Bytes, i.Epoch)
}

// check refuses a database that is damaged or was written by a newer program.
// It reads for at most within, and reports whether that was enough to see it
// all. A file that is missing or empty is fine: it is going to be a new database.
func check(ctx context.Context, path string, within time.Duration) (whole bool, err error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	// Nothing is changed by it, not even by what closing does to a WAL.
	db, err := sql.Open("sqlite", plainDSN(path, "mode=ro"))
	if err != nil {
		return false, err
	}
	defer db.Close()
	if _, err := sqliteSchema.version(ctx, db); err != nil {
		return false, damaged(path, err)
	}
	short, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	err = integrity(short, db, "quick_check")
	if err != nil && short.Err() != nil && ctx.Err() == nil {
		return false, nil // what was read is sound
	}
	return err == nil, damaged(path, err)
}

// integrity runs one of SQLite's two checks of a whole database.
func integrity(ctx context.Context, db *sql.DB, pragma string) error {
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA "+pragma+"(1)").Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return &damage{verdict}
	}
	return nil
}

// damage is what SQLite found to be wrong with a database.
type damage struct{ verdict string }

// Error returns it.
func (d *damage) Error() string { return d.verdict }

// damaged says of an error that means damage what can be done about it.
func damaged(path string, err error) error {
	var found *damage
	if c := code(err) & 0xff; c == sqlite3.SQLITE_CORRUPT || c == sqlite3.SQLITE_NOTADB || errors.As(err, &found) {
		return fmt.Errorf("%s is damaged and was left as it is (%w): put a backup in its place with social-server restore FILE", path, err)
	}
	return err
}

// sqlInventory counts, all but the bytes.
const sqlInventory = "SELECT (SELECT epoch FROM epoch), (SELECT count(*) FROM users)," +
	" (SELECT count(*) FROM devices), (SELECT coalesce(sum(revision), 0) FROM users)"

// inventory counts what a database holds.
func inventory(ctx context.Context, db *sql.DB, path string) (Inventory, error) {
	var i Inventory
	err := db.QueryRowContext(ctx, sqlInventory).Scan(&i.Epoch, &i.Users, &i.Devices, &i.Revisions)
	if err != nil {
		return i, err
	}
	info, err := os.Stat(path)
	if err == nil {
		i.Bytes = info.Size()
	}
	return i, err
}
