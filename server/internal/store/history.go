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

// sqlPast returns the question what a revert looks back on: what a revision
// did, or each key's oldest change after it. Its arguments are the user and the
// revision.
func sqlPast(r settings.Revert) string {
	if r.Whole {
		return "SELECT block, key, previous, revision FROM (SELECT block, key, previous, revision," +
			" row_number() OVER (PARTITION BY block, key ORDER BY revision) AS nth" +
			" FROM changes WHERE user_id = ? AND revision > ?) AS after WHERE nth = 1 ORDER BY block, key"
	}
	return "SELECT block, key, previous, revision FROM changes WHERE user_id = ? AND revision = ? ORDER BY block, key"
}

// History returns a page of a user's history, newest first.
func (s *Store) History(ctx context.Context, user string, q settings.HistoryQuery) (settings.Page, error) {
	var page settings.Page
	err := s.inSnapshot(ctx, func(tx *gorm.DB) error {
		// A page ends with a revision, which may have more records than were asked for.
		for most := 2 * (q.Limit + 1); ; most *= 2 {
			text, args := historySQL(user, q, most)
			rows, err := tx.Raw(text, args...).Rows()
			if err != nil {
				return err
			}
			read := 0
			if page, read, err = readPage(rows, q.Limit); err != nil || page.Next > 0 || read < most {
				return err
			}
		}
	})
	return page, err
}

// historySQL returns the query of a page, of at most most records, and its arguments.
func historySQL(user string, q settings.HistoryQuery, most int) (string, []any) {
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
		" WHERE " + strings.Join(where, " AND ") + " ORDER BY c.revision DESC, c.block, c.key LIMIT ?", append(args, most)
}

// readPage reads whole revisions until there are limit records, or enough bytes,
// and returns how many records it read. It closes rows.
func readPage(rows *sql.Rows, limit int) (page settings.Page, read int, err error) {
	defer rows.Close()
	bytes := 0
	for ; rows.Next(); read++ {
		var r settings.Record
		var previous sql.NullString
		var at instant
		err := rows.Scan(&r.Revision, &r.Block, &r.Name, &r.Text, &previous, &r.Device, &r.DeviceName, &r.PatchID, &at)
		if err != nil {
			return page, read, err
		}
		r.Previous, r.Set, r.At = previous.String, previous.Valid, at.Time
		if n := len(page.Records); n > 0 && (n >= limit || bytes >= pageBytes) && page.Records[n-1].Revision != r.Revision {
			page.Next = page.Records[n-1].Revision
			break
		}
		bytes += len(r.Text) + len(r.Previous)
		page.Records = append(page.Records, r)
	}
	return page, read, rows.Err()
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
		if patch.Revert != nil {
			rows, err := tx.Raw(sqlPast(*patch.Revert), user, patch.Revert.Revision).Rows()
			if err != nil {
				return err
			}
			defer rows.Close()
			if cur.Past, err = readPast(rows); err != nil {
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

// records are rows of either driver.
type records interface {
	Next() bool
	Scan(into ...any) error
	Err() error
}

// readPast reads the changes that a revert looks back on: of each key, what it
// held before and at which revision that ended.
func readPast(rows records) ([]settings.Record, error) {
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

// numbered returns a text with $1, $2 … in the place of its question marks.
func numbered(text string) string {
	parts := strings.Split(text, "?")
	for i := range parts[1:] {
		parts[i] += fmt.Sprint("$", i+1)
	}
	return strings.Join(parts, "")
}
