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
// quick however much there is to look at: it is enough for some 25 MiB. With a
// million users a second of it made a start take 1.05 s instead of 0.2.
const checkWithin = 50 * time.Millisecond

// checkRestWithin bounds a look that nobody waits for, at some 30 GiB. A server's
// WAL grows for as long as it lasts, since it reads one state of the database.
const checkRestWithin = time.Minute

// Inventory is what a database holds, in numbers for people.
type Inventory struct {
	Epoch     string
	Users     int
	Devices   int // those that were revoked, too
	Revisions int // of all users together
	Bytes     int64
	Foreign   string // in which object it is not as this program makes it; "" if in none
}

// String returns the numbers in a line.
func (i Inventory) String() string {
	return fmt.Sprintf("users %d, revisions %d, devices %d, bytes %d, epoch %s", i.Users, i.Revisions, i.Devices, i.Bytes, i.Epoch)
}

// Damaged says that a database was found to be damaged, and what can be done about it.
type Damaged struct {
	Path  string
	Cause error
}

// Error returns it.
func (d *Damaged) Error() string {
	return fmt.Sprintf("%s is damaged and was left as it is (%v): put a backup in its place with social-server restore FILE", d.Path, d.Cause)
}

// Unwrap returns what SQLite says of it.
func (d *Damaged) Unwrap() error { return d.Cause }

// CheckRest looks at the whole of a database that was too large for Open to do
// so, beside whatever is done with it, and tells what it found: nil, a *Damaged,
// or what kept it from seeing everything. It tells nothing once Close has begun.
// It is to be called once; told must not block.
func (s *Store) CheckRest(told func(error)) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	s.stopCheck = func() { stop(); <-done }
	go func() {
		defer close(done)
		whole, err := check(ctx, s.path, checkRestWithin)
		if err == nil && !whole {
			err = fmt.Errorf("it takes longer than %v", checkRestWithin)
		}
		if ctx.Err() == nil {
			told(err)
		}
	}()
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

// damaged makes a *Damaged of an error that means damage.
func damaged(path string, err error) error {
	var found *damage
	if c := code(err) & 0xff; c == sqlite3.SQLITE_CORRUPT || c == sqlite3.SQLITE_NOTADB || errors.As(err, &found) {
		return &Damaged{path, err}
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
