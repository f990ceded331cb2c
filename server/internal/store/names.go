package store

import (
	"context"
	"slices"
	"strings"

	"github.com/jinzhu/gorm"

	"social-server/internal/text"
)

// names is a column of names, and the column of the keys by which they are
// compared. Rows of before have their spelling of then: a name is looked for as
// it was typed first, and then by its key. So of two old rows with one key,
// which only one of them can have, each is found by its own spelling.
type names struct {
	table, column, key string
	living             string // the condition of rows whose names are taken
	keyOf              func(string) string
	folded             bool // whether the database compares the column in any case of ASCII
}

var (
	deviceNames = names{table: "devices", column: "name", key: "name_key", living: "revoked_at IS NULL", keyOf: text.Key, folded: true}
	usernames   = names{table: "users", column: "username", key: "username_key", living: "1 = 1", keyOf: text.Key, folded: true}
	emails      = names{table: "accounts", column: "email", key: "email_key", living: "1 = 1", keyOf: text.EmailKey}
)

// is returns the condition that an id is of the row with a name, whose
// arguments are those of typed.
func (n *names) is(d *dialect, id string) string {
	spelled := n.column + " = ?"
	if n.folded {
		spelled = d.named(n.column)
	}
	row := "(SELECT id FROM " + n.table + " WHERE " + n.living + " AND "
	return id + " = coalesce(" + row + spelled + "), " + row + n.key + " = ?))"
}

// typed returns the arguments of is for a name as it was typed.
func (n *names) typed(name string) (spelling, key string) {
	spelling = text.Trim(name)
	if !n.folded {
		spelling = strings.ToLower(spelling) // as it always was stored
	}
	return spelling, n.keyOf(name)
}

// of returns the key of a name, to be stored.
func (n *names) of(name string) *string {
	key := n.keyOf(name)
	return &key
}

// keysAtOnce is how many rows get their keys in one transaction.
const keysAtOnce = 500

// fillKeys gives every row its key, the oldest of those that share one: rows of
// older versions, and on PostgreSQL rows that a node of an older version made or
// renamed during an update.
func (s *Store) fillKeys(ctx context.Context) error {
	for _, n := range []*names{&emails, &deviceNames, &usernames} {
		for last := (nameRow{}); ; {
			rows, err := s.fillSome(ctx, n, last)
			if err != nil {
				return err
			}
			if len(rows) < keysAtOnce {
				break
			}
			last = rows[len(rows)-1]
		}
	}
	return nil
}

// nameRow is a row whose key is missing or may be wrong.
type nameRow struct {
	ID, Name, CreatedAt string
	Key                 *string
}

// fillSome gives keys to some rows that were made after one, and returns all rows
// that it read. On SQLite an index finds those without a key; on PostgreSQL it
// reads a whole table, beside other nodes and so without the locks of a writing
// transaction.
func (s *Store) fillSome(ctx context.Context, n *names, last nameRow) (rows []nameRow, err error) {
	wanting := n.key + " IS NULL"
	if s.dialect == &onPostgres {
		wanting = "(" + wanting + " OR " + n.key + " <> lower(" + n.column + "))"
	}
	err = s.inSnapshot(ctx, func(tx *gorm.DB) error {
		rows = nil
		return tx.Table(n.table).Select("id, "+n.column+" AS name, created_at, "+n.key+" AS key").
			Where(wanting+" AND "+n.living+" AND (created_at, id) > (?, ?)", last.CreatedAt, last.ID).
			Order("created_at, id").Limit(keysAtOnce).Scan(&rows).Error
	})
	wrong := slices.DeleteFunc(slices.Clone(rows), func(r nameRow) bool { return r.Key != nil && *r.Key == n.keyOf(r.Name) })
	if err != nil || len(wrong) == 0 {
		return rows, err
	}
	return rows, s.inTx(ctx, func(tx *gorm.DB) error {
		for _, row := range wrong {
			if err := n.fill(tx, row); err != nil {
				return err
			}
		}
		return nil
	})
}

// fill gives a row its key, or none if another row has it. A row that was
// renamed meanwhile has its key already.
func (n *names) fill(tx *gorm.DB, row nameRow) error {
	update := func(value, condition string, args ...any) error {
		return tx.Exec("UPDATE "+n.table+" SET "+n.key+" = "+value+" WHERE id = ? AND "+n.column+" = ?"+condition, args...).Error
	}
	if err := update("NULL", "", row.ID, row.Name); err != nil {
		return err
	}
	key := n.keyOf(row.Name)
	return update("?", " AND NOT EXISTS (SELECT 1 FROM "+n.table+" WHERE "+n.living+" AND "+n.key+" = ?)", key, row.ID, row.Name, key)
}
