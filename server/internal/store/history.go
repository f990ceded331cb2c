package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/jinzhu/gorm"

	"social-server/internal/settings"
)

// pageBytes bounds the values of one page of history, to the revision.
const pageBytes = 1 << 20

// sqlPast is what a revision did, and sqlPastAfter each key's oldest change
// after a revision: SQLite takes the columns beside min() from its row.
const (
	sqlPast      = "SELECT block, key, previous, revision FROM changes WHERE user_id = ? AND revision = ? ORDER BY block, key"
	sqlPastAfter = "SELECT block, key, previous, min(revision) FROM changes WHERE user_id = ? AND revision > ? GROUP BY block, key ORDER BY block, key"
)

// History returns a page of a user's history, newest first.
func (s *Store) History(ctx context.Context, user string, q settings.HistoryQuery) (settings.Page, error) {
	var page settings.Page
	err := s.inSnapshot(ctx, func(tx *gorm.DB) error {
		plain, err := plainTx(tx)
		if err != nil {
			return err
		}
		text, args := historySQL(user, q)
		rows, err := plain.QueryContext(ctx, text, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		page, err = readPage(rows, q.Limit)
		return err
	})
	return page, err
}

// historySQL returns the query of a page and its arguments. It has no LIMIT:
// reading stops at a revision's end.
func historySQL(user string, q settings.HistoryQuery) (string, []any) {
	where, args := []string{"c.user_id = ?"}, []any{user}
	and := func(condition string, values ...any) {
		where, args = append(where, condition), append(args, values...)
	}
	if q.Before > 0 {
		and("c.revision < ?", q.Before)
	}
	if q.Key != nil {
		and("c.block = ? AND c.key = ?", q.Key.Block, q.Key.Name)
	}
	if q.Device != "" {
		and("c.device_id = ?", q.Device)
	}
	return "SELECT c.revision, c.block, c.key, c.value, c.previous, c.device_id, coalesce(d.name, ''), c.patch_id, c.at" +
		" FROM changes c LEFT JOIN devices d ON d.id = c.device_id" +
		" WHERE " + strings.Join(where, " AND ") + " ORDER BY c.revision DESC, c.block, c.key", args
}

// readPage reads whole revisions until there are limit records, or enough bytes.
func readPage(rows *sql.Rows, limit int) (settings.Page, error) {
	var page settings.Page
	bytes := 0
	for rows.Next() {
		var r settings.Record
		var previous sql.NullString
		var at instant
		err := rows.Scan(&r.Revision, &r.Block, &r.Name, &r.Text, &previous, &r.Device, &r.DeviceName, &r.PatchID, &at)
		if err != nil {
			return page, err
		}
		r.Previous, r.Set, r.At = previous.String, previous.Valid, at.Time
		if n := len(page.Records); n > 0 && (n >= limit || bytes >= pageBytes) && page.Records[n-1].Revision != r.Revision {
			page.Next = page.Records[n-1].Revision
			break
		}
		bytes += len(r.Text) + len(r.Previous)
		page.Records = append(page.Records, r)
	}
	return page, rows.Err()
}

// Current returns what Commit would know of a patch but an earlier answer, all
// read at one point in time. An unknown user is errs.NotFound.
func (s *Store) Current(ctx context.Context, user string, patch settings.Patch) (settings.Current, error) {
	cur := settings.Current{Head: &settings.Head{}}
	err := s.inSnapshot(ctx, func(tx *gorm.DB) (err error) {
		if cur.Head.Epoch, err = epochOf(tx); err != nil {
			return err
		}
		if err := tx.Raw(sqlHead, user).Row().Scan(&cur.Head.Revision, &cur.Head.Keys, &cur.Head.Bytes); err != nil {
			return err
		}
		plain, err := plainTx(tx)
		if err != nil {
			return err
		}
		if patch.Revert != nil {
			if cur.Past, err = readPast(ctx, plain, user, *patch.Revert); err != nil {
				return err
			}
		}
		entries, err := entriesAbove(tx, user, 0)
		cur.Value = func(k settings.Key) (settings.Value, bool) {
			for _, e := range entries {
				if e.Key == k {
					return e.Value, true
				}
			}
			return settings.Value{}, false
		}
		return err
	})
	return cur, err
}

// readPast reads the changes that a revert looks back on: of each key, what it
// held before and at which revision that ended.
func readPast(ctx context.Context, tx *sql.Tx, user string, r settings.Revert) ([]settings.Record, error) {
	text := sqlPast
	if r.Whole {
		text = sqlPastAfter
	}
	rows, err := tx.QueryContext(ctx, text, user, r.Revision)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var past []settings.Record
	for rows.Next() {
		var one settings.Record
		var previous sql.NullString
		if err := rows.Scan(&one.Block, &one.Name, &previous, &one.Revision); err != nil {
			return nil, err
		}
		one.Previous, one.Set = previous.String, previous.Valid
		past = append(past, one)
	}
	return past, rows.Err()
}

// named lists the keys that deciding on a patch asks for.
func named(patch settings.Patch, past []settings.Record) []settings.Key {
	keys := make([]settings.Key, 0, len(patch.Set)+len(past))
	for _, a := range patch.Set {
		keys = append(keys, a.Key)
	}
	for _, r := range past {
		keys = append(keys, r.Key)
	}
	return keys
}

// plainTx returns the transaction under gorm's.
func plainTx(tx *gorm.DB) (*sql.Tx, error) {
	plain, ok := tx.CommonDB().(*sql.Tx)
	if !ok {
		return nil, fmt.Errorf("gorm's transaction is a %T", tx.CommonDB())
	}
	return plain, nil
}
