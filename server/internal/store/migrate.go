package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"strconv"

	"github.com/pressly/goose/v3"
)

//go:embed migrations
var migrations embed.FS

// schema is where a database's tables come from.
type schema struct {
	dialect goose.Dialect
	folder  string
	tables  string // asks how many of two of them there are
}

var (
	sqliteSchema = schema{
		goose.DialectSQLite3, "migrations/sqlite",
		"SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ('goose_db_version', 'epoch')",
	}
	postgresSchema = schema{
		goose.DialectPostgres, "migrations/postgres",
		"SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename IN ('goose_db_version', 'epoch')",
	}
)

// migrate runs the migrations that a database has not seen, each in a
// transaction of its own.
func (s schema) migrate(ctx context.Context, db *sql.DB, options ...goose.ProviderOption) error {
	return s.provide(db, func(p *goose.Provider) error {
		_, err := p.Up(ctx)
		return err
	}, options...)
}

// provide hands work what runs migrations on a database.
func (s schema) provide(db *sql.DB, work func(*goose.Provider) error, options ...goose.ProviderOption) error {
	files, err := fs.Sub(migrations, s.folder)
	if err != nil {
		return err
	}
	options = append(options, goose.WithLogger(goose.NopLogger()), goose.WithDisableGlobalRegistry(true))
	provider, err := goose.NewProvider(s.dialect, db, files, options...)
	if err != nil {
		return err
	}
	return work(provider)
}

// version returns the version of a database's tables; 0 if it has none yet. One
// that is newer than this program is an error: to it, half of what is there
// would not exist.
func (s schema) version(ctx context.Context, db *sql.DB) (version int64, err error) {
	var tables int
	if err := db.QueryRowContext(ctx, s.tables).Scan(&tables); err != nil || tables < 2 {
		return 0, err
	}
	err = db.QueryRowContext(ctx, "SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied").Scan(&version)
	if err != nil {
		return 0, err
	}
	newest, err := s.newest()
	if err == nil && version > newest {
		err = fmt.Errorf("the database is of a newer social-server (its tables are version %d, this program knows %d): start that one, or restore an older backup", version, newest)
	}
	return version, err
}

// newest returns the number of the last migration of this program.
func (s schema) newest() (int64, error) {
	files, err := fs.ReadDir(migrations, s.folder) // ordered by name
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(files[len(files)-1].Name()[:5], 10, 64)
}
