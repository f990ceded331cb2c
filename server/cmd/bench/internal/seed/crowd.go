package seed

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"slices"

	_ "modernc.org/sqlite" // registers the driver "sqlite"
)

// strangers are rows like those of Fill, written in bulk: an account, a device,
// a log-in, a user and one setting each.
var strangers = []string{
	`INSERT INTO accounts SELECT 'a_s' || n, 's' || n || '@example.org', '$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA', '2026-01-01T00:00:00.000Z', 's' || n || '@example.org' FROM numbers`,
	`INSERT INTO devices (id, account_id, name, name_key, platform, created_at, last_seen) SELECT 'd_s' || n, 'a_s' || n, 'stranger.' || n, 'stranger.' || n, 'benchmark', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z' FROM numbers`,
	`INSERT INTO logins (id, device_id, token_hash, previous_hash, rotated_at, created_at) SELECT 'l_s' || n, 'd_s' || n, 'none', '', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z' FROM numbers`,
	`INSERT INTO users (id, username, username_key, account_id, revision, keys, bytes, created_at) SELECT 'u_s' || n, 'stranger-' || n, 'stranger-' || n, 'a_s' || n, 1, 1, 7, '2026-01-01T00:00:00.000Z' FROM numbers`,
	`INSERT INTO members SELECT 'u_s' || n, 'd_s' || n, '2026-01-01T00:00:00.000Z' FROM numbers`,
	`INSERT INTO settings SELECT 'u_s' || n, 'bench', 'text', '"hello"', 1, 'd_s' || n, '2026-01-01T00:00:00.000Z' FROM numbers`,
}

// Crowd adds so many users to a database that Fill has made.
func Crowd(ctx context.Context, dir string, users int) (err error) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, Database)+"?_synchronous=OFF&_cache_size=-200000")
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, "CREATE TEMP TABLE numbers (n INTEGER PRIMARY KEY); BEGIN"); err != nil {
		return err
	}
	const count = "WITH RECURSIVE up (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < ?) INSERT INTO numbers SELECT n FROM up"
	if _, err := db.ExecContext(ctx, count, users); err != nil {
		return err
	}
	for _, statement := range slices.Concat(strangers, []string{"COMMIT", "PRAGMA wal_checkpoint(TRUNCATE)"}) {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}
