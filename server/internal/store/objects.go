package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/pressly/goose/v3"
)

// sqlObjects lists the tables, indexes, views and triggers of a database, except the
// two tables that ANALYZE makes. The definition of goose's table is left out: it may
// change with goose's version.
const sqlObjects = "SELECT type, name, tbl_name, CASE name WHEN 'goose_db_version' THEN '' ELSE coalesce(sql, '') END" +
	" FROM sqlite_schema WHERE NOT (type = 'table' AND name IN ('sqlite_stat1', 'sqlite_stat4')) ORDER BY type DESC, name"

// object is a table, index, view or trigger.
type object struct{ kind, name, table, sql string }

// foreign describes the first object in which a database differs from a new one of
// the same version; "" means none. Triggers and indexes on expressions run by
// themselves, so a file from elsewhere is checked before anything is written to it.
func foreign(ctx context.Context, db *sql.DB, version int64) (string, error) {
	got, err := objects(ctx, db)
	if err != nil {
		return "", err
	}
	want, err := freshObjects(ctx, version)
	if err != nil {
		return "", err
	}
	named := func(all []object, o object) bool {
		return slices.ContainsFunc(all, func(other object) bool { return other.kind == o.kind && other.name == o.name })
	}
	for _, o := range got {
		switch {
		case !named(want, o):
			return fmt.Sprintf("has the %s %.100q, which is not of social-server", o.kind, o.name), nil
		case !slices.Contains(want, o):
			return fmt.Sprintf("has another %s %q than social-server", o.kind, o.name), nil
		}
	}
	for _, o := range want {
		if !named(got, o) {
			return fmt.Sprintf("lacks the %s %q", o.kind, o.name), nil
		}
	}
	return "", nil
}

// freshObjects are the objects of a new database of a version.
func freshObjects(ctx context.Context, version int64) ([]object, error) {
	db, err := pool(":memory:", 1)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	err = sqliteSchema.provide(db, func(p *goose.Provider) error {
		_, err := p.UpTo(ctx, version)
		return err
	})
	if err != nil {
		return nil, err
	}
	return objects(ctx, db)
}

// objects lists the tables, indexes, views and triggers of a database, with their
// definitions as plainSQL returns them.
func objects(ctx context.Context, db *sql.DB) (all []object, err error) {
	rows, err := db.QueryContext(ctx, sqlObjects)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var o object
		if err := rows.Scan(&o.kind, &o.name, &o.table, &o.sql); err != nil {
			return nil, err
		}
		o.sql = plainSQL(o.sql)
		all = append(all, o)
	}
	return all, rows.Err()
}

// plainSQL returns a statement without its comments, and with one space wherever
// there is white space: a comment that was reworded makes no other table.
func plainSQL(text string) string {
	var b strings.Builder
	for text != "" {
		n := 1
		switch c := text[0]; {
		case strings.HasPrefix(text, "--"):
			n = end(text, "\n", 2)
			b.WriteByte(' ')
		case strings.HasPrefix(text, "/*"):
			n = end(text, "*/", 2)
			b.WriteByte(' ')
		case strings.IndexByte("'\"`", c) >= 0:
			n = end(text, string(c), 1)
			b.WriteString(text[:n])
		default:
			b.WriteByte(c)
		}
		text = text[n:]
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// end returns how long the beginning of text is up to and with mark, which is
// looked for after skip bytes.
func end(text, mark string, skip int) int {
	if at := strings.Index(text[skip:], mark); at >= 0 {
		return skip + at + len(mark)
	}
	return len(text)
}
