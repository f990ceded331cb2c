package store

import (
	"context"
	"database/sql"

	"github.com/jinzhu/gorm"
)

// reads are the queries of a connect: whose token it is and which user it may
// see, and what a hub begins with; and a few near to them. Each is one statement,
// prepared once, and passes by gorm: with that, and a transaction around each, a
// connect took 480 µs of CPU, and takes less than half.
type reads struct{ login, seat, user, changed, members read }

// read is a query that needs no transaction, since it is one statement.
type read struct {
	text     string
	prepared *sql.Stmt
}

const (
	sqlLogin = "SELECT l.id, l.device_id, l.token_hash, l.previous_hash, l.rotated_at, l.created_at, l.ended_at," +
		" d.id, d.account_id, d.name, d.platform, d.created_at, d.last_seen, d.revoked_at" +
		" FROM logins l JOIN devices d ON d.id = l.device_id WHERE l.id = ?"
	sqlSeat = "SELECT l.ended_at IS NOT NULL, d.id, d.name, d.account_id, d.revoked_at IS NOT NULL," +
		" u.id IS NOT NULL, coalesce(u.id, ''), coalesce(u.account_id, ''), coalesce(u.username, ''), coalesce(u.revision, 0), u.created_at" +
		" FROM logins l JOIN devices d ON d.id = l.device_id LEFT JOIN users u" +
		" ON EXISTS (SELECT 1 FROM members m WHERE m.user_id = u.id AND m.device_id = d.id) AND "
	sqlUser = "SELECT u.id, u.account_id, u.username, u.revision, u.created_at, m.device_id IS NOT NULL" +
		" FROM users u LEFT JOIN members m ON m.user_id = u.id AND m.device_id = ?" +
		" WHERE (u.account_id = ? OR m.device_id IS NOT NULL) AND "
	sqlChanged = "SELECT e.epoch, u.revision, u.keys, u.bytes, s.block, s.key, s.value, s.revision, s.device_id, s.at" +
		" FROM epoch e CROSS JOIN users u LEFT JOIN settings s ON s.user_id = u.id AND s.revision > ?" +
		" WHERE u.id = ? ORDER BY s.revision, s.block, s.key"
	sqlMembers = "SELECT d.id, d.name, d.last_seen FROM members m JOIN devices d ON d.id = m.device_id" +
		" WHERE m.user_id = ? AND d.revoked_at IS NULL ORDER BY m.joined_at, d.id"
)

// prepareReads prepares the reads. The pool closes them.
func (s *Store) prepareReads(ctx context.Context) (err error) {
	s.reads = reads{
		login: read{text: sqlLogin}, seat: read{text: sqlSeat + usernames.is(s.dialect, "u.id") + " WHERE l.id = ?"}, user: read{text: sqlUser + usernames.is(s.dialect, "u.id")},
		changed: read{text: sqlChanged}, members: read{text: sqlMembers},
	}
	for _, r := range []*read{&s.reads.login, &s.reads.seat, &s.reads.user, &s.reads.changed, &s.reads.members} {
		if s.dialect == &onPostgres {
			r.text = numbered(r.text)
		}
		if r.prepared, err = s.read.PrepareContext(ctx, r.text); err != nil {
			return err
		}
	}
	return nil
}

// ask runs a read and hands over each row. What row sets outside of itself it
// sets anew with the first row, for a read may be run again; none at all is
// absent.
func (s *Store) ask(ctx context.Context, r *read, row func(rows *sql.Rows, first bool) error, args ...any) (err error) {
	if tx, ok := ctx.Value(txKey{}).(*gorm.DB); ok {
		rows, err := tx.CommonDB().Query(r.text, args...)
		return translate(eachOf(rows, err, row))
	}
	s.deep.Do(func() { err = s.askAlone(ctx, r, row, args...) })
	return err
}

// askAlone is ask outside of a transaction.
func (s *Store) askAlone(ctx context.Context, r *read, row func(rows *sql.Rows, first bool) error, args ...any) error {
	return s.patiently(ctx, func(ctx context.Context) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if s.dialect.patience == 0 { // see dialect.open
			ctx = context.WithoutCancel(ctx)
		}
		rows, err := r.prepared.QueryContext(ctx, args...)
		if err != nil {
			err = unbegun{err} // a read has done nothing
		}
		return eachOf(rows, err, row)
	})
}

func eachOf(rows *sql.Rows, err error, row func(rows *sql.Rows, first bool) error) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	first := true
	for ; rows.Next(); first = false {
		if err := row(rows, first); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil || !first {
		return err
	}
	return sql.ErrNoRows
}
