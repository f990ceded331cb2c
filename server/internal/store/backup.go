package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Backup writes a copy of the database at path to a new file, also while a
// server runs on it: the copy is of one moment, and holds every change that was
// acknowledged before. It is checked, durable and for its owner alone before it
// gets its name. A file that exists is never replaced.
func Backup(ctx context.Context, path, file string) (Inventory, error) {
	if _, err := os.Stat(path); err != nil {
		return Inventory{}, fmt.Errorf("there is no database to back up: %w", err)
	}
	file, err := filepath.Abs(file)
	if err != nil {
		return Inventory{}, err
	}
	if _, err := os.Lstat(file); err == nil {
		return Inventory{}, fmt.Errorf("%s exists already: a backup replaces nothing", file)
	}
	part, err := os.CreateTemp(filepath.Dir(file), ".social-backup-*") // mode 0600
	if err != nil {
		return Inventory{}, err
	}
	defer os.Remove(part.Name()) // its second name, or a backup that failed
	defer part.Close()
	if err := vacuumInto(ctx, path, part.Name()); err != nil {
		return Inventory{}, damaged(path, err)
	}
	if err := part.Sync(); err != nil {
		return Inventory{}, err
	}
	held, err := verify(ctx, part.Name(), false)
	if err != nil {
		return Inventory{}, fmt.Errorf("the copy is not good, so it was not kept: %w", err)
	}
	if err := nameOnce(part.Name(), file); err != nil {
		return Inventory{}, err
	}
	return held, syncFolder(filepath.Dir(file))
}

// vacuumInto copies a database, as it is at one moment, into an empty file.
func vacuumInto(ctx context.Context, path, file string) error {
	db, err := sql.Open("sqlite", plainDSN(path, "mode=ro"))
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, "VACUUM INTO ?", file)
	return err
}

// verify reads a whole database of ours and counts what it holds. One with
// objects that are not ours is refused if it comes from elsewhere.
func verify(ctx context.Context, path string, elsewhere bool) (Inventory, error) {
	db, err := sql.Open("sqlite", plainDSN(path, "mode=ro&_pragma=trusted_schema(0)"))
	if err != nil {
		return Inventory{}, err
	}
	defer db.Close()
	version, err := sqliteSchema.version(ctx, db)
	switch {
	case err != nil:
		return Inventory{}, err
	case version == 0:
		return Inventory{}, errors.New("it is not a database of social-server")
	}
	odd, err := foreign(ctx, db, version)
	if err == nil && odd != "" && elsewhere {
		err = errors.New("it " + odd)
	}
	if err != nil {
		return Inventory{}, err
	}
	if err := integrity(ctx, db, "integrity_check"); err != nil {
		return Inventory{}, err
	}
	held, err := inventory(ctx, db, path)
	held.Foreign = odd
	return held, err
}

// nameOnce gives a finished file a name that must be free. A link, unlike a
// rename, never replaces a file; some file systems have none.
func nameOnce(from, to string) error {
	err := os.Link(from, to)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	if _, err := os.Lstat(to); err == nil {
		return fmt.Errorf("%s exists already", to)
	}
	return os.Rename(from, to)
}

// copyFile copies a file's content to another one, durably.
func copyFile(from string, to *os.File) error {
	source, err := os.Open(filepath.Clean(from))
	if err != nil {
		return err
	}
	defer source.Close()
	if _, err := io.Copy(to, source); err != nil {
		return err
	}
	return to.Sync()
}

// syncFolder makes new and changed names in a folder survive a power cut.
func syncFolder(folder string) error {
	f, err := os.Open(filepath.Clean(folder))
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
