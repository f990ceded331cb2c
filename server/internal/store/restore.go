package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Restored is what a restore did.
type Restored struct {
	Inventory
	Kept string // where the database from before is now; "" if there was none
}

// Restore puts a backup in the place of the database at path, which no server
// may use meanwhile. The backup is checked first and gets a new epoch, so that
// devices that are ahead of it take over what it says instead of drifting away
// from it. The database from before is kept under another name. Whenever it is
// interrupted, either the old database is in place or the new one.
func Restore(ctx context.Context, path, file string, now time.Time) (Restored, error) {
	return restore(ctx, path, file, now, func(string) {})
}

// restore is Restore. It tells a test of each step that is done.
func restore(ctx context.Context, path, file string, now time.Time, done func(step string)) (result Restored, err error) {
	path, err = filepath.Abs(path)
	if err != nil {
		return result, err
	}
	if info, err := os.Stat(file + "-wal"); err == nil && info.Size() > 0 {
		return result, fmt.Errorf("%s is a database in use, not a backup: copy it with social-server backup", file)
	}
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return result, err
	}
	lock, err := takeLock(path)
	if err != nil {
		return result, err
	}
	defer lock.Close()
	part, err := os.CreateTemp(folder, ".restore-*") // mode 0600
	if err != nil {
		return result, err
	}
	defer os.Remove(part.Name()) // it has another name by now, or failed
	if err := errors.Join(copyFile(file, part), part.Close()); err != nil {
		return result, err
	}
	done("copied")
	if result.Inventory, err = renew(ctx, part.Name()); err != nil {
		return result, fmt.Errorf("%s cannot be restored: %w", file, err)
	}
	done("renewed")
	result.Kept = path + ".before-restore-" + now.UTC().Format("20060102T150405Z")
	if result.Kept, err = setAside(ctx, path, result.Kept, done); err != nil {
		return result, err
	}
	if err := os.Rename(part.Name(), path); err != nil {
		return result, err
	}
	done("in place")
	return result, syncFolder(folder)
}

// renew checks the copy of a backup, gives it a new epoch and makes it durable.
func renew(ctx context.Context, path string) (Inventory, error) {
	if _, err := verify(ctx, path, true); err != nil {
		return Inventory{}, err
	}
	db, err := sql.Open("sqlite", plainDSN(path, "_synchronous=FULL"))
	if err != nil {
		return Inventory{}, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	// One file: nothing of it may be left in a WAL that does not move with it.
	for _, statement := range []string{"PRAGMA journal_mode = DELETE", "UPDATE epoch SET epoch = '" + newEpoch() + "'"} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return Inventory{}, err
		}
	}
	return inventory(ctx, db, path)
}

// setAside keeps the database at path under the name kept, whole with what its
// WAL holds, and takes away what would be mistaken for the WAL of another one.
// The database itself also stays where it is, to be replaced in one step. It
// returns kept, or "" if there is no database.
func setAside(ctx context.Context, path, kept string, done func(step string)) (string, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		kept = ""
	}
	fold(ctx, path)
	done("folded")
	for _, suffix := range []string{"", "-wal"} { // the WAL is still there if the database is damaged
		if info, err := os.Stat(path + suffix); kept == "" || err != nil || info.Size() == 0 {
			continue
		}
		if err := duplicate(path+suffix, kept+suffix); err != nil {
			return "", err
		}
	}
	done("kept")
	for _, suffix := range []string{"-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	done("cleared")
	return kept, syncFolder(filepath.Dir(path))
}

// fold moves what the WAL of a database holds into the database. One that is
// damaged, which may be why a backup is wanted, is not touched: its WAL is kept
// beside it.
func fold(ctx context.Context, path string) {
	info, err := os.Stat(path)
	if err != nil || info.Size() == 0 {
		return
	}
	if _, err := check(ctx, path, checkRestWithin); err != nil {
		return
	}
	db, err := sql.Open("sqlite", plainDSN(path, "_synchronous=FULL"))
	if err != nil {
		return
	}
	defer db.Close()
	_, _ = db.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)") // what stays in the WAL is kept with it
}

// duplicate gives a file a second name, or a copy where files have one name only.
func duplicate(from, to string) error {
	err := os.Link(from, to)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	file, err := os.OpenFile(filepath.Clean(to), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(copyFile(from, file), file.Close())
}
