package store

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"
)

// edit runs statements on the SQLite database at a path, which it makes.
func edit(t *testing.T, path string, statements ...string) {
	t.Helper()
	db, err := pool(plainDSN(path, "mode=rwc"), 1)
	must(t, err)
	defer db.Close()
	for _, statement := range statements {
		_, err := db.ExecContext(t.Context(), statement)
		must(t, err)
	}
}

// [SPEC B5] Fault E10: a backup with objects that are not ours. It is refused
// before anything of it can run, by restore and by copy.
func TestForeignObjects(t *testing.T) {
	sc := newScene(t, false)
	tests := map[string]struct {
		statements []string
		says       string
	}{
		"a trigger":        {[]string{"CREATE TRIGGER t AFTER UPDATE ON epoch BEGIN DELETE FROM users; END"}, `has the trigger "t"`},
		"a view":           {[]string{"CREATE VIEW v AS SELECT 1"}, `has the view "v"`},
		"an index":         {[]string{"CREATE INDEX i ON users (abs(revision))"}, `has the index "i"`},
		"a table":          {[]string{"CREATE TABLE x (y)"}, `has the table "x"`},
		"a virtual table":  {[]string{"CREATE VIRTUAL TABLE x USING fts5(y)"}, `has the table "x`},
		"a reserved name":  {[]string{"PRAGMA writable_schema = ON", "INSERT INTO sqlite_schema VALUES ('trigger', 'sqlite_t', 'epoch', 0, 'CREATE TRIGGER sqlite_t AFTER UPDATE ON epoch BEGIN DELETE FROM users; END')"}, `has the trigger "sqlite_t"`},
		"a name of SQLite": {[]string{"PRAGMA writable_schema = ON", "INSERT INTO sqlite_schema VALUES ('view', 'sqlite_stat1', 'sqlite_stat1', 0, 'CREATE VIEW sqlite_stat1 AS SELECT 1')"}, `has the view "sqlite_stat1"`},
		"a column":         {[]string{"ALTER TABLE users ADD COLUMN extra INT AS (abs(revision))"}, `has another table "users"`},
		"another index":    {[]string{"DROP INDEX users_account", "CREATE INDEX users_account ON users (account_id) WHERE abs(revision) > 0"}, `has another index "users_account"`},
		"a missing index":  {[]string{"DROP INDEX users_account"}, `lacks the index "users_account"`},
		"a missing table":  {[]string{"DROP TABLE reset_codes"}, `lacks the `},
		"a long name":      {[]string{`CREATE VIEW "` + strings.Repeat("v\n", 500) + `" AS SELECT 1`}, "has the view"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "backup.db")
			mustWrite(t, file, string(mustRead(t, sc.backup)))
			edit(t, file, tt.statements...)
			_, restored := Restore(t.Context(), sc.path, file, noon)
			db, copied := openToCopy(t.Context(), file)
			if copied == nil {
				must(t, db.Close())
			}
			for _, err := range []error{restored, copied} {
				if err == nil || !strings.Contains(err.Error(), tt.says) || len(err.Error()) > 500 || strings.Contains(err.Error(), "\n") {
					t.Errorf("got %v, want %q", err, tt.says)
				}
			}
			if got := digest(t, sc.path); got != sc.after {
				t.Errorf("a refused restore left %s, want %s", got, sc.after)
			}
		})
	}
}

// What anybody may do to a database does not make it foreign; a backup of one that
// is foreign is taken all the same, and says so.
func TestForeignObjectsInUse(t *testing.T) {
	sc := newScene(t, false)
	edit(t, sc.backup, "ANALYZE", "REINDEX", "VACUUM", "PRAGMA optimize")
	result, err := Restore(t.Context(), sc.path, sc.backup, noon)
	if err != nil || result.Foreign != "" {
		t.Errorf("%+v %v", result, err)
	}
	edit(t, sc.path, "CREATE INDEX mine ON changes (at)")
	openAt(t, sc.path)
	held, err := Backup(t.Context(), sc.path, filepath.Join(t.TempDir(), "backup.db"))
	if err != nil || !strings.Contains(held.Foreign, `the index "mine"`) {
		t.Errorf("%+v %v", held, err)
	}
}

// A backup of every earlier version can be restored: it is compared with a
// database of its own version.
func TestRestoreOlderVersions(t *testing.T) {
	newest, err := sqliteSchema.newest()
	must(t, err)
	for version := int64(1); version <= newest; version++ {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "backup.db")
			makeVersion(t, file, version)
			path := filepath.Join(dir, "test.db")
			if _, err := Restore(t.Context(), path, file, noon); err != nil {
				t.Fatal(err)
			}
			openAt(t, path)
		})
	}
}

func makeVersion(t *testing.T, file string, version int64) {
	t.Helper()
	db, err := sql.Open("sqlite", plainDSN(file, "mode=rwc"))
	must(t, err)
	defer db.Close()
	must(t, sqliteSchema.provide(db, func(p *goose.Provider) error {
		_, err := p.UpTo(context.Background(), version)
		return err
	}))
	must(t, startEpoch(t.Context(), db))
}

func TestPlainSQL(t *testing.T) {
	for text, want := range map[string]string{
		"CREATE  TABLE t (\n\ta TEXT, -- it's a name\n\tb)":     "CREATE TABLE t ( a TEXT, b)",
		"a /* b\n-- c */ d --":                                  "a d",
		`"--" '/*' ` + "`--`" + ` 'it''s -- no comment' -- one`: `"--" '/*' ` + "`--`" + ` 'it''s -- no comment'`,
		"'open -- ": "'open --", "/* open": "", "": "", "[--\n]": "[ ]",
	} {
		if got := plainSQL(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
