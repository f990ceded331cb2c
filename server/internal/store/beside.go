package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// OpenBeside opens a database that a server may be serving meanwhile, for a
// command that changes a row and ends. It neither makes the database nor brings
// its tables up to date: those are the server's to do. What it stores is seen
// by the server at its next read; settings are the hubs', and must not be
// written this way.
func OpenBeside(ctx context.Context, path string) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("there is no database yet: start the server once: %w", err)
	}
	s := &Store{dialect: &onSQLite}
	if err := s.openBeside(ctx, path); err != nil {
		return nil, errors.Join(fmt.Errorf("open database: %w", err), s.Close())
	}
	return s, nil
}

func (s *Store) openBeside(ctx context.Context, path string) (err error) {
	if s.write, err = pool(dsn(path, "_txlock=immediate"), 1); err != nil {
		return err
	}
	version, err := sqliteSchema.version(ctx, s.write)
	if err != nil {
		return err
	}
	newest, err := sqliteSchema.newest()
	if err != nil {
		return err
	}
	if version != newest {
		return fmt.Errorf("%s is of another version of this program: start the server with this one first", path)
	}
	if s.read, err = pool(dsn(path, "_query_only=1"), 1); err != nil {
		return err
	}
	return s.prepareReads(ctx)
}
