package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"time"

	"github.com/jinzhu/gorm"

	"social-server/internal/errs"
	"social-server/internal/hub"
	"social-server/internal/settings"
)

var (
	_ settings.Store = (*Store)(nil)
	_ hub.Source     = (*Store)(nil)
)

// stampLayout is how times are kept: RFC 3339, UTC, milliseconds.
const stampLayout = "2006-01-02T15:04:05.000Z"

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

// Commit decides and stores a group of writes in one transaction, in order. The
// outcomes hold once it has returned without an error: the transaction is then
// on the disk (WAL, synchronous=FULL).
func (s *Store) Commit(ctx context.Context, group []*settings.Write, limits settings.Limits) ([]settings.Outcome, error) {
	var outcomes []settings.Outcome
	err := s.inTx(ctx, func(tx *gorm.DB) error {
		g, err := s.newGroup(ctx, tx, limits)
		if err != nil {
			return err
		}
		outcomes = make([]settings.Outcome, len(group))
		for i, w := range group {
			if outcomes[i], err = g.write(w); err != nil {
				return err
			}
		}
		return g.advance()
	})
	return outcomes, err
}

// group is one transaction of several writes. What it has read or written it
// knows, so that later writes of the group see the earlier ones.
type group struct {
	ctx     context.Context
	tx      *sql.Tx
	s       *Store
	limits  settings.Limits
	epoch   string
	heads   map[string]*settings.Head
	members map[[2]string]bool
	values  map[valueID]knownValue
	answers map[[2]string]*settings.Remembered
}

type valueID struct {
	user string
	key  settings.Key
}

type knownValue struct {
	settings.Value
	ok bool // false: never set
}

func (s *Store) newGroup(ctx context.Context, tx *gorm.DB, limits settings.Limits) (*group, error) {
	plain, err := plainTx(tx)
	if err != nil {
		return nil, err
	}
	epoch, err := epochOf(tx)
	return &group{
		ctx: ctx, tx: plain, s: s, limits: limits, epoch: epoch,
		heads: make(map[string]*settings.Head), members: make(map[[2]string]bool),
		values: make(map[valueID]knownValue), answers: make(map[[2]string]*settings.Remembered),
	}, err
}

// write decides on one write and stores what it brings. The error is the
// database's; a refusal is in the outcome.
func (g *group) write(w *settings.Write) (settings.Outcome, error) {
	head, err := g.authorised(w)
	if errs.Is(err, errs.NotFound) {
		return settings.Outcome{Err: err}, nil
	}
	if err != nil {
		return settings.Outcome{}, err
	}
	before, err := g.before(w)
	if err != nil {
		return settings.Outcome{}, err
	}
	cur := settings.Current{Head: head, Before: before, Value: func(k settings.Key) (settings.Value, bool) {
		v := g.values[valueID{w.User, k}]
		return v.Value, v.ok
	}}
	if w.Patch.Revert != nil && before == nil {
		if cur.Past, err = readPast(g.ctx, g.tx, w.User, *w.Patch.Revert); err != nil {
			return settings.Outcome{}, err
		}
	}
	for _, key := range named(w.Patch, cur.Past) {
		if err := g.load(w.User, key); err != nil {
			return settings.Outcome{}, err
		}
	}
	out := settings.Decide(w, cur, g.limits)
	if out.Err != nil || out.Duplicate {
		return out, nil
	}
	return out, g.store(w, out)
}

// authorised returns the user's head if the device is still its member and has
// not been revoked: it may have been since the patch was sent.
func (g *group) authorised(w *settings.Write) (*settings.Head, error) {
	id := [2]string{w.User, w.Device}
	if _, known := g.members[id]; !known {
		var one int
		err := g.row(g.s.stmt.member, w.User, w.Device).Scan(&one)
		if err != nil && err != sql.ErrNoRows {
			return nil, err
		}
		g.members[id] = err == nil
	}
	if !g.members[id] {
		return nil, errs.New(errs.NotFound, "This device has not joined such a user.")
	}
	if head := g.heads[w.User]; head != nil && !plantStaleHead {
		return head, nil
	}
	head := &settings.Head{Epoch: g.epoch}
	if err := g.row(g.s.stmt.head, w.User).Scan(&head.Revision, &head.Keys, &head.Bytes); err != nil {
		return nil, err
	}
	g.heads[w.User] = head
	return head, nil
}

// before returns the earlier answer to the write's id; nil if there is none.
func (g *group) before(w *settings.Write) (*settings.Remembered, error) {
	if known := g.answers[[2]string{w.Device, w.Patch.ID}]; known != nil {
		return known, nil
	}
	var hash, answer string
	err := g.row(g.s.stmt.before, w.Device, w.Patch.ID).Scan(&hash, &answer)
	if err == sql.ErrNoRows {
		return nil, nil // none is not a failure here
	}
	if err != nil {
		return nil, err
	}
	known := &settings.Remembered{}
	if _, err := hex.Decode(known.Hash[:], []byte(hash)); err != nil {
		return nil, err
	}
	known.Answer, err = decodeAnswer(answer)
	return known, err
}

// load makes the current value of a key known.
func (g *group) load(user string, key settings.Key) error {
	id := valueID{user, key}
	if _, known := g.values[id]; known {
		return nil
	}
	var v knownValue
	var at string
	err := g.row(g.s.stmt.value, user, key.Block, key.Name).Scan(&v.Text, &v.Revision, &v.Device, &at)
	if err == nil {
		v.ok = true
		v.At, err = time.Parse(stampLayout, at)
	}
	if err != nil && err != sql.ErrNoRows {
		return err
	}
	g.values[id] = v
	return nil
}

// store writes what a decided write brings: the values, the history, the answer.
func (g *group) store(w *settings.Write, out settings.Outcome) error {
	at := w.At.UTC().Format(stampLayout)
	if out.Change != nil {
		for _, e := range out.Change.Entries {
			id := valueID{w.User, e.Key}
			old := g.values[id]
			if err := g.exec(g.s.stmt.put, w.User, e.Block, e.Name, e.Text, e.Revision, w.Device, at); err != nil {
				return err
			}
			previous := sql.NullString{String: old.Text, Valid: old.ok}
			err := g.exec(g.s.stmt.history,
				w.User, e.Revision, e.Block, e.Name, e.Text, previous, old.Revision, w.Device, w.Patch.ID, at)
			if err != nil {
				return err
			}
			g.values[id] = knownValue{e.Value, true}
		}
	}
	if plantForgetIDs {
		return nil
	}
	g.answers[[2]string{w.Device, w.Patch.ID}] = &settings.Remembered{Hash: w.Hash, Answer: out.Answer}
	answer, err := encodeAnswer(out.Answer)
	if err != nil {
		return err
	}
	return g.exec(g.s.stmt.remember, w.Device, w.Patch.ID, hex.EncodeToString(w.Hash[:]), answer, at)
}

// advance writes the heads that moved.
func (g *group) advance() error {
	for user, head := range g.heads {
		if err := g.exec(g.s.stmt.advance, head.Revision, head.Keys, head.Bytes, user); err != nil {
			return err
		}
	}
	return nil
}

func (g *group) row(stmt *sql.Stmt, args ...any) *sql.Row {
	return g.tx.StmtContext(g.ctx, stmt).QueryRowContext(g.ctx, args...)
}

func (g *group) exec(stmt *sql.Stmt, args ...any) error {
	_, err := g.tx.StmtContext(g.ctx, stmt).ExecContext(g.ctx, args...)
	return err
}

// statements are the prepared statements of a group commit.
type statements struct {
	head, member, value, before, put, history, remember, advance *sql.Stmt
}

// prepare prepares them on the writing connection, which lives as long as the store.
func (s *Store) prepare(ctx context.Context) error {
	for text, stmt := range map[string]**sql.Stmt{
		sqlHead: &s.stmt.head, sqlMember: &s.stmt.member, sqlValue: &s.stmt.value, sqlBefore: &s.stmt.before,
		sqlPut: &s.stmt.put, sqlHistory: &s.stmt.history, sqlRemember: &s.stmt.remember, sqlAdvance: &s.stmt.advance,
	} {
		prepared, err := s.writeDB.PrepareContext(ctx, text)
		if err != nil {
			return err
		}
		*stmt = prepared
	}
	return nil
}

// Changed returns a user's head and its entries above a revision, both read at
// one point in time. An unknown user is errs.NotFound.
func (s *Store) Changed(ctx context.Context, user string, above uint64) (settings.Head, []settings.Entry, error) {
	var head settings.Head
	var entries []settings.Entry
	err := s.inSnapshot(ctx, func(tx *gorm.DB) (err error) {
		if head.Epoch, err = epochOf(tx); err != nil {
			return err
		}
		err = tx.Raw(sqlHead, user).Row().Scan(&head.Revision, &head.Keys, &head.Bytes)
		if err != nil || head.Revision <= above {
			return err
		}
		entries, err = entriesAbove(tx, user, above)
		return err
	})
	return head, entries, err
}

// entriesAbove reads the current values of a user set after a revision, in the
// order they were set.
func entriesAbove(tx *gorm.DB, user string, above uint64) ([]settings.Entry, error) {
	var rows []struct {
		Block, Key, Value, DeviceID, At string
		Revision                        uint64
	}
	err := tx.Raw("SELECT block, key, value, revision, device_id, at FROM settings"+
		" WHERE user_id = ? AND revision > ? ORDER BY revision, block, key", user, above).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	entries := make([]settings.Entry, len(rows))
	for i, r := range rows {
		at, err := time.Parse(stampLayout, r.At)
		if err != nil {
			return nil, err
		}
		entries[i] = settings.Entry{
			Key:   settings.Key{Block: r.Block, Name: r.Key},
			Value: settings.Value{Text: r.Value, Revision: r.Revision, Device: r.DeviceID, At: at},
		}
	}
	return entries, nil
}

// HubMembers returns the devices that have joined a user and are not revoked,
// in the order they joined.
func (s *Store) HubMembers(ctx context.Context, user string) ([]hub.Member, error) {
	var rows []struct{ ID, Name, LastSeen string }
	err := s.inSnapshot(ctx, func(tx *gorm.DB) error {
		return tx.Raw("SELECT d.id, d.name, d.last_seen FROM members m JOIN devices d ON d.id = m.device_id"+
			" WHERE m.user_id = ? AND d.revoked_at IS NULL ORDER BY m.joined_at, d.id", user).Scan(&rows).Error
	})
	if err != nil {
		return nil, err
	}
	members := make([]hub.Member, len(rows))
	for i, r := range rows {
		seen, err := time.Parse(stampLayout, r.LastSeen)
		if err != nil {
			return nil, errs.Wrap(err)
		}
		members[i] = hub.Member{ID: r.ID, Name: r.Name, LastSeen: seen}
	}
	return members, nil
}
