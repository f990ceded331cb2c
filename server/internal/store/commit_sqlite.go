package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"

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

// sqliteGroups commits groups on SQLite's writing connection. It calls the
// driver directly, because database/sql costs as much per statement as SQLite.
type sqliteGroups struct {
	db   *sql.DB
	conn driver.Conn // that the statements are prepared on

	begin, end, undo                                             *statement
	epoch                                                        *statement
	head, member, value, before, put, history, remember, advance *statement
}

// newSQLiteGroups makes sure that the statements can be prepared. The caller
// closes what it returns, with an error too.
func newSQLiteGroups(ctx context.Context, db *sql.DB) (*sqliteGroups, error) {
	s := &sqliteGroups{db: db}
	return s, s.on(ctx, func(driver.Conn) error { return nil })
}

// close ends the statements, without which their connection cannot close.
func (s *sqliteGroups) close() error { return s.release() }

// release ends the statements of the connection and forgets it. Those of a
// connection that its pool has closed, for example after an interruption, are
// gone with it: to end them again is a panic of the driver's.
func (s *sqliteGroups) release() error {
	living, ok := s.conn.(driver.Validator) // no for nil
	ok = ok && living.IsValid()
	var failures []error
	for _, place := range s.statements() {
		if ok && *place != nil {
			failures = append(failures, (*place).close())
		}
		*place = nil
	}
	s.conn = nil
	return errors.Join(failures...)
}

// statements are all of them, by their text.
func (s *sqliteGroups) statements() map[string]**statement {
	return map[string]**statement{
		"BEGIN IMMEDIATE": &s.begin, "COMMIT": &s.end, "ROLLBACK": &s.undo, "SELECT epoch FROM epoch": &s.epoch,
		sqlHead: &s.head, sqlMember: &s.member, sqlValue: &s.value, sqlBefore: &s.before,
		sqlPut: &s.put, sqlHistory: &s.history, sqlRemember: &s.remember, sqlAdvance: &s.advance,
	}
}

// on runs work on the writing connection, with the statements prepared.
func (s *sqliteGroups) on(ctx context.Context, work func(conn driver.Conn) error) error {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // gives it back
	return conn.Raw(func(plain any) error {
		one, ok := plain.(driver.Conn)
		if !ok {
			return fmt.Errorf("the driver's connection is a %T", plain)
		}
		if err := s.prepare(ctx, one); err != nil {
			return err
		}
		return work(one)
	})
}

// prepare prepares the statements on a connection, unless they are: it lives as
// long as the store, if nothing happens to it.
func (s *sqliteGroups) prepare(ctx context.Context, conn driver.Conn) error {
	if s.conn == conn {
		return nil
	}
	preparer, ok := conn.(driver.ConnPrepareContext)
	if !ok {
		return fmt.Errorf("a %T prepares nothing", conn)
	}
	for _, place := range s.statements() {
		*place = nil // they went with the connection before
	}
	s.conn = conn
	for text, place := range s.statements() {
		prepared, err := preparer.PrepareContext(ctx, text)
		if err == nil {
			*place, err = newStatement(prepared)
		}
		if err != nil {
			return errors.Join(err, s.release())
		}
	}
	return nil
}

func (s *sqliteGroups) commit(ctx context.Context, work func(tx groupTx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.on(ctx, func(conn driver.Conn) (err error) {
		if err := s.begin.exec(); err != nil {
			return err
		}
		tx := &sqliteGroup{ctx: ctx, conn: conn, sqliteGroups: s}
		defer func() {
			if tx.done {
				return
			}
			if undone := s.undo.exec(); undone != nil { // for example: on a full disk SQLite has undone it by itself
				err = errors.Join(driver.ErrBadConn, err, undone, s.release()) // the pool closes the connection
			}
		}()
		return work(tx)
	})
}

// sqliteGroup is one transaction.
type sqliteGroup struct {
	*sqliteGroups
	ctx  context.Context
	conn driver.Conn
	done bool // it is committed
}

func (t *sqliteGroup) load(g *group, writes []*settings.Write) error {
	if _, err := t.epoch.row(func(row []driver.Value) error { return scan(row, &g.epoch) }); err != nil {
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
	member, err := t.member.row(nil, w.User, w.Device)
	if err != nil {
		return false, err
	}
	g.members[id] = member
	if !member || g.heads[w.User] != nil {
		return member, nil
	}
	head := &groupHead{Head: settings.Head{Epoch: g.epoch}}
	g.heads[w.User] = head
	_, err = t.head.row(func(row []driver.Value) error {
		return scan(row, &head.Revision, &head.Keys, &head.Bytes)
	}, w.User)
	return true, err
}

// loadAnswer makes known the earlier answer to the write's id.
func (t *sqliteGroup) loadAnswer(g *group, w *settings.Write) error {
	id := [2]string{w.Device, w.Patch.ID}
	if _, known := g.answers[id]; known {
		return nil
	}
	var before *settings.Remembered // none is not a failure here
	_, err := t.before.row(func(row []driver.Value) (err error) {
		var hash, answer string
		if err = scan(row, &hash, &answer); err == nil {
			before, err = remembered(hash, answer)
		}
		return err
	}, w.Device, w.Patch.ID)
	g.answers[id] = before
	return err
}

// loadValue makes the current value of a key known.
func (t *sqliteGroup) loadValue(g *group, id valueID) error {
	if _, known := g.values[id]; known {
		return nil
	}
	var v knownValue
	var err error
	v.ok, err = t.value.row(func(row []driver.Value) (err error) {
		var at string
		if err = scan(row, &v.Text, &v.Revision, &v.Device, &at); err == nil {
			v.At, err = parseInstant(at)
		}
		return err
	}, id.user, id.key.Block, id.key.Name)
	g.values[id] = v
	return err
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
	queryer, ok := t.conn.(driver.QueryerContext)
	if !ok {
		return nil, fmt.Errorf("a %T asks nothing", t.conn)
	}
	asked := []driver.NamedValue{{Ordinal: 1, Value: user}, {Ordinal: 2, Value: int64(r.Revision)}} // #nosec G115 -- below 2⁵³ (SPEC V4)
	rows, err := queryer.QueryContext(t.ctx, sqlPast(r), asked)
	if err != nil {
		return nil, err
	}
	var past []settings.Record
	err = eachRow(rows, make([]driver.Value, 4), func(row []driver.Value) error {
		var one settings.Record
		err := scan(row[:2], &one.Block, &one.Name)
		one.Previous, one.Set = row[2].(string)
		past = append(past, one)
		return errors.Join(err, scan(row[3:], &past[len(past)-1].Revision))
	})
	return past, err
}

func (t *sqliteGroup) store(g *group, last bool) error {
	for i := range g.pending.changes {
		if err := t.storeChange(g, &g.pending.changes[i]); err != nil {
			return err
		}
	}
	for _, a := range g.pending.answers {
		if err := t.remember.exec(a.write.Device, a.write.Patch.ID, hex.EncodeToString(a.write.Hash[:]), a.text, formatInstant(a.write.At)); err != nil {
			return err
		}
	}
	for _, user := range g.pending.users {
		head := g.heads[user]
		if err := t.advance.exec(int64(head.Revision), int64(head.Keys), int64(head.Bytes), user); err != nil { // #nosec G115 -- one more with each patch
			return err
		}
	}
	g.stored()
	if !last {
		return nil
	}
	err := t.end.exec()
	t.done = err == nil
	return err
}

// storeChange writes a value, unless a later one of the group replaces it, and its history.
func (t *sqliteGroup) storeChange(g *group, c *pendingChange) error {
	at, revision := formatInstant(c.At), int64(c.Revision) // #nosec G115 -- one more with each patch
	if g.newest(c) {
		if err := t.put.exec(c.user, c.key.Block, c.key.Name, c.Text, revision, c.Device, at); err != nil {
			return err
		}
	}
	var previous driver.Value
	if c.old.ok {
		previous = c.old.Text
	}
	return t.history.exec(c.user, revision, c.key.Block, c.key.Name, c.Text, previous, int64(c.old.Revision), c.Device, c.patch, at) // #nosec G115 -- likewise
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
