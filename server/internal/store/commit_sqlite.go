package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"time"

	"social-server/internal/settings"
)

// The statements of a group commit. They are prepared once: a group runs
// several of them per patch, and they are the product's busiest path.
const (
	sqlHead     = "SELECT revision, keys, bytes FROM users WHERE id = ?"
	sqlMember   = "SELECT 1 FROM members m JOIN devices d ON d.id = m.device_id WHERE m.user_id = ? AND m.device_id = ? AND d.revoked_at IS NULL"
	sqlValue    = "SELECT value, revision, device_id, at FROM settings WHERE user_id = ? AND block = ? AND key = ?"
	sqlBefore   = "SELECT body_hash, answer FROM patches WHERE device_id = ? AND patch_id = ?"
	sqlPut      = "INSERT INTO settings (user_id, block, key, value, revision, device_id, at) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (user_id, block, key) DO UPDATE SET value = excluded.value, revision = excluded.revision, device_id = excluded.device_id, at = excluded.at"
	sqlHistory  = "INSERT INTO changes (user_id, revision, block, key, value, previous, previous_revision, device_id, patch_id, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	sqlRemember = "INSERT INTO patches (device_id, patch_id, body_hash, answer, at) VALUES (?, ?, ?, ?, ?)"
	sqlAdvance  = "UPDATE users SET revision = ?, keys = ?, bytes = ? WHERE id = ?"
)

// sqliteGroups commits groups on SQLite's writing connection.
type sqliteGroups struct {
	db                                                           *sql.DB
	head, member, value, before, put, history, remember, advance *sql.Stmt
}

// prepare prepares the statements on the writing connection, which lives as
// long as the store.
func prepare(ctx context.Context, db *sql.DB) (*sqliteGroups, error) {
	s := &sqliteGroups{db: db}
	for text, stmt := range map[string]**sql.Stmt{
		sqlHead: &s.head, sqlMember: &s.member, sqlValue: &s.value, sqlBefore: &s.before,
		sqlPut: &s.put, sqlHistory: &s.history, sqlRemember: &s.remember, sqlAdvance: &s.advance,
	} {
		prepared, err := db.PrepareContext(ctx, text)
		if err != nil {
			return nil, err
		}
		*stmt = prepared
	}
	return s, nil
}

// close does nothing: the statements end with their connection.
func (s *sqliteGroups) close() error { return nil }

func (s *sqliteGroups) commit(ctx context.Context, work func(tx groupTx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	return work(&sqliteGroup{ctx, tx, s})
}

// sqliteGroup is one transaction.
type sqliteGroup struct {
	ctx  context.Context
	tx   *sql.Tx
	stmt *sqliteGroups
}

func (t *sqliteGroup) row(stmt *sql.Stmt, args ...any) *sql.Row {
	return t.tx.StmtContext(t.ctx, stmt).QueryRowContext(t.ctx, args...)
}

func (t *sqliteGroup) exec(stmt *sql.Stmt, args ...any) error {
	_, err := t.tx.StmtContext(t.ctx, stmt).ExecContext(t.ctx, args...)
	return err
}

func (t *sqliteGroup) load(g *group, writes []*settings.Write) error {
	if err := t.tx.QueryRowContext(t.ctx, "SELECT epoch FROM epoch").Scan(&g.epoch); err != nil {
		return err
	}
	for _, w := range writes {
		member, err := t.loadMember(g, w)
		if err != nil {
			return err
		}
		if !member {
			continue
		}
		if err := t.loadAnswer(g, w); err != nil {
			return err
		}
		for _, a := range w.Patch.Set {
			if err := t.loadValue(g, valueID{w.User, a.Key}); err != nil {
				return err
			}
		}
	}
	return nil
}

// loadMember makes known whether the device of a write is a member, and if so
// the user's head.
func (t *sqliteGroup) loadMember(g *group, w *settings.Write) (bool, error) {
	id := [2]string{w.User, w.Device}
	if member, known := g.members[id]; known {
		return member, nil
	}
	var one int
	err := t.row(t.stmt.member, w.User, w.Device).Scan(&one)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return false, err
	}
	g.members[id] = err == nil
	if err != nil || g.heads[w.User] != nil {
		return err == nil, nil
	}
	head := &groupHead{Head: settings.Head{Epoch: g.epoch}}
	g.heads[w.User] = head
	return true, t.row(t.stmt.head, w.User).Scan(&head.Revision, &head.Keys, &head.Bytes)
}

// loadAnswer makes known the earlier answer to the write's id.
func (t *sqliteGroup) loadAnswer(g *group, w *settings.Write) error {
	id := [2]string{w.Device, w.Patch.ID}
	if _, known := g.answers[id]; known {
		return nil
	}
	var hash, answer string
	err := t.row(t.stmt.before, w.Device, w.Patch.ID).Scan(&hash, &answer)
	if errors.Is(err, sql.ErrNoRows) {
		g.answers[id] = nil
		return nil // none is not a failure here
	}
	if err != nil {
		return err
	}
	g.answers[id], err = remembered(hash, answer)
	return err
}

// loadValue makes the current value of a key known.
func (t *sqliteGroup) loadValue(g *group, id valueID) error {
	if _, known := g.values[id]; known {
		return nil
	}
	var v knownValue
	var at string
	err := t.row(t.stmt.value, id.user, id.key.Block, id.key.Name).Scan(&v.Text, &v.Revision, &v.Device, &at)
	if err == nil {
		v.ok = true
		v.At, err = time.Parse(stampLayout, at)
	}
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	g.values[id] = v
	return nil
}

func (t *sqliteGroup) loadValues(g *group, ids []valueID) error {
	for _, id := range ids {
		if err := t.loadValue(g, id); err != nil {
			return err
		}
	}
	return nil
}

func (t *sqliteGroup) past(user string, r settings.Revert) ([]settings.Record, error) {
	rows, err := t.tx.QueryContext(t.ctx, sqlPast(r), user, r.Revision)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	return readPast(rows)
}

func (t *sqliteGroup) store(g *group, last bool) error {
	for i := range g.pending.changes {
		c := &g.pending.changes[i]
		at := c.At.UTC().Format(stampLayout)
		if g.newest(c) {
			if err := t.exec(t.stmt.put, c.user, c.key.Block, c.key.Name, c.Text, c.Revision, c.Device, at); err != nil {
				return err
			}
		}
		if err := t.exec(t.stmt.history, c.user, c.Revision, c.key.Block, c.key.Name, c.Text, c.previous(), c.old.Revision,
			c.Device, c.patch, at); err != nil {
			return err
		}
	}
	for _, a := range g.pending.answers {
		if err := t.exec(t.stmt.remember, a.write.Device, a.write.Patch.ID, hex.EncodeToString(a.write.Hash[:]), a.text,
			a.write.At.UTC().Format(stampLayout)); err != nil {
			return err
		}
	}
	for user, head := range g.heads {
		if head.moved {
			if err := t.exec(t.stmt.advance, head.Revision, head.Keys, head.Bytes, user); err != nil {
				return err
			}
		}
	}
	g.stored()
	if last {
		return t.tx.Commit()
	}
	return nil
}

// remembered returns an answer as it was stored.
func remembered(hash, answer string) (r *settings.Remembered, err error) {
	r = &settings.Remembered{}
	if _, err := hex.Decode(r.Hash[:], []byte(hash)); err != nil {
		return nil, err
	}
	r.Answer, err = decodeAnswer(answer)
	return r, err
}
