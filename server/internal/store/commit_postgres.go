package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"social-server/internal/settings"
)

// The statements of a group commit. However many writes it has, a group takes
// two round trips: one brings all it has to know, one stores all it has decided.
// Every statement takes arrays, one for each of its columns.
//
// Locks are taken in one order, users, devices, members, each by id: groups of
// several nodes, and whoever revokes a device, wait for one another but never in
// a circle. Who holds a user's row decides on that user's next revision, so that
// revisions are committed in their order. Each statement sees what was committed
// before it, that is, before the locks were given.
const (
	pgBegin  = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
	pgCommit = "COMMIT"
	pgEpoch  = "SELECT epoch FROM epoch"
	pgHeads  = "SELECT id, revision, keys, bytes FROM users WHERE id = ANY($1::text[]) ORDER BY id FOR NO KEY UPDATE"
	// A device is locked against being revoked, a membership against its end.
	pgDevices = "SELECT id FROM devices WHERE id = ANY($1::text[]) AND revoked_at IS NULL ORDER BY id FOR SHARE"
	pgMembers = "SELECT m.user_id, m.device_id FROM unnest($1::text[], $2::text[]) AS w (user_id, device_id)" +
		" JOIN members m ON m.user_id = w.user_id AND m.device_id = w.device_id FOR SHARE OF m"
	pgAnswers = "SELECT p.device_id, p.patch_id, p.body_hash, p.answer FROM unnest($1::text[], $2::text[]) AS w (device_id, patch_id)" +
		" JOIN patches p ON p.device_id = w.device_id AND p.patch_id = w.patch_id"
	pgValues = "SELECT s.user_id, s.block, s.key, s.value, s.revision, s.device_id, s.at" +
		" FROM unnest($1::text[], $2::text[], $3::text[]) AS w (user_id, block, key)" +
		" JOIN settings s ON s.user_id = w.user_id AND s.block = w.block AND s.key = w.key"

	pgPut = "INSERT INTO settings (user_id, block, key, value, revision, device_id, at)" +
		" SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[])" +
		" ON CONFLICT (user_id, block, key) DO UPDATE SET value = excluded.value, revision = excluded.revision, device_id = excluded.device_id, at = excluded.at"
	pgHistory = "INSERT INTO changes (user_id, block, key, value, revision, device_id, at, previous, previous_revision, patch_id)" +
		" SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::bigint[], $10::text[])"
	pgRemember = "INSERT INTO patches (device_id, patch_id, body_hash, answer, at)" +
		" SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])"
	pgAdvance = "UPDATE users u SET revision = w.revision, keys = w.keys, bytes = w.bytes" +
		" FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[]) AS w (id, revision, keys, bytes) WHERE u.id = w.id"
)

// groupTries bounds how often a group is tried that PostgreSQL says it rolled
// back. A connection that was lost while it committed is another matter: nobody
// knows, and only the device may ask again, under the same id.
const groupTries = 3

// rollbackWithin bounds the end of a transaction that failed.
const rollbackWithin = 500 * time.Millisecond

// postgresGroups commits groups on connections of their own.
type postgresGroups struct{ db *sql.DB }

func (p *postgresGroups) close() error { return p.db.Close() }

func (p *postgresGroups) commit(ctx context.Context, work func(tx groupTx) error) error {
	ctx, cancel := context.WithTimeout(ctx, groupPatience)
	defer cancel()
	return again(ctx, groupTries, func(ctx context.Context) error {
		conn, err := p.db.Conn(ctx)
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close() }() // gives it back
		return conn.Raw(func(driver any) error {
			std, ok := driver.(*stdlib.Conn)
			if !ok {
				return fmt.Errorf("the driver's connection is a %T", driver)
			}
			tx := &postgresGroup{ctx, std.Conn()}
			defer tx.end()
			return work(tx)
		})
	})
}

// postgresGroup is one transaction.
type postgresGroup struct {
	ctx  context.Context
	conn *pgx.Conn
}

// end rolls back what was not committed. A connection that cannot even do that
// is closed, and its pool makes another.
func (t *postgresGroup) end() {
	if t.conn.IsClosed() || t.conn.PgConn().TxStatus() == 'I' {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.ctx), rollbackWithin)
	defer cancel()
	if _, err := t.conn.Exec(ctx, "ROLLBACK"); err != nil {
		_ = t.conn.Close(ctx) // it is of no use either way
	}
}

// send sends a batch and lets its statements take their answers.
func (t *postgresGroup) send(b *pgx.Batch) error { return t.conn.SendBatch(t.ctx, b).Close() }

func (t *postgresGroup) load(g *group, writes []*settings.Write) error {
	asked := newQuestions(writes)
	present := make(map[string]bool) // devices
	b := &pgx.Batch{}
	b.Queue(pgBegin)
	b.Queue(pgEpoch).QueryRow(func(row pgx.Row) error { return row.Scan(&g.epoch) })
	b.Queue(pgHeads, asked.users).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			var user string
			head := &groupHead{Head: settings.Head{Epoch: g.epoch}}
			if err := rows.Scan(&user, &head.Revision, &head.Keys, &head.Bytes); err != nil {
				return err
			}
			g.heads[user] = head
		}
		return rows.Err()
	})
	b.Queue(pgDevices, asked.devices).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			var device string
			if err := rows.Scan(&device); err != nil {
				return err
			}
			present[device] = true
		}
		return rows.Err()
	})
	b.Queue(pgMembers, asked.members[0], asked.members[1]).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			var id [2]string
			if err := rows.Scan(&id[0], &id[1]); err != nil {
				return err
			}
			g.members[id] = present[id[1]]
		}
		return rows.Err()
	})
	b.Queue(pgAnswers, asked.answers[0], asked.answers[1]).Query(g.readAnswers)
	b.Queue(pgValues, asked.values[0], asked.values[1], asked.values[2]).Query(g.readValues)
	if err := t.send(b); err != nil {
		return unbegun{err} // nothing is stored as yet
	}
	return nil
}

func (t *postgresGroup) loadValues(g *group, ids []valueID) error {
	var asked questions
	for _, id := range ids {
		g.values[id] = knownValue{}
		asked.value(id)
	}
	b := &pgx.Batch{}
	b.Queue(pgValues, asked.values[0], asked.values[1], asked.values[2]).Query(g.readValues)
	return t.send(b)
}

func (g *group) readAnswers(rows pgx.Rows) error {
	for rows.Next() {
		var id [2]string
		var hash, answer string
		err := rows.Scan(&id[0], &id[1], &hash, &answer)
		if err == nil {
			g.answers[id], err = remembered(hash, answer)
		}
		if err != nil {
			return err
		}
	}
	return rows.Err()
}

func (g *group) readValues(rows pgx.Rows) error {
	for rows.Next() {
		var id valueID
		v := knownValue{ok: true}
		var at string
		err := rows.Scan(&id.user, &id.key.Block, &id.key.Name, &v.Text, &v.Revision, &v.Device, &at)
		if err == nil {
			v.At, err = parseInstant(at)
		}
		if err != nil {
			return err
		}
		g.values[id] = v
	}
	return rows.Err()
}

func (t *postgresGroup) past(user string, r settings.Revert) ([]settings.Record, error) {
	var past []settings.Record
	b := &pgx.Batch{}
	b.Queue(numbered(sqlPast(r)), user, r.Revision).Query(func(rows pgx.Rows) (err error) {
		past, err = readPast(rows)
		return err
	})
	return past, t.send(b)
}

func (t *postgresGroup) store(g *group, last bool) error {
	b := &pgx.Batch{}
	queueChanges(b, g)
	queueAnswers(b, g.pending.answers)
	queueHeads(b, g)
	if last {
		b.Queue(pgCommit).Exec(func(tag pgconn.CommandTag) error {
			if tag.String() != pgCommit {
				return errors.New("PostgreSQL ended a commit with " + tag.String())
			}
			return nil
		})
	}
	if b.Len() == 0 {
		return nil
	}
	g.stored()
	return t.send(b)
}

// queueChanges stores the newest value of each key, and all of the history.
func queueChanges(b *pgx.Batch, g *group) {
	if len(g.pending.changes) == 0 {
		return
	}
	var newest, all changeColumns
	var previous []*string
	var previousRevision []int64
	var patch []string
	for i := range g.pending.changes {
		c := &g.pending.changes[i]
		if g.newest(c) {
			newest.add(c)
		}
		all.add(c)
		previous = append(previous, c.previous())
		previousRevision = append(previousRevision, int64(c.old.Revision)) // #nosec G115 -- of a bigint
		patch = append(patch, c.patch)
	}
	b.Queue(pgPut, newest.user, newest.block, newest.key, newest.value, newest.revision, newest.device, newest.at)
	b.Queue(pgHistory, all.user, all.block, all.key, all.value, all.revision, all.device, all.at, previous, previousRevision, patch)
}

// changeColumns are the columns that settings and changes share.
type changeColumns struct {
	user, block, key, value, device, at []string
	revision                            []int64
}

func (l *changeColumns) add(c *pendingChange) {
	l.user, l.block, l.key = append(l.user, c.user), append(l.block, c.key.Block), append(l.key, c.key.Name)
	l.value, l.device = append(l.value, c.Text), append(l.device, c.Device)
	l.at, l.revision = append(l.at, formatInstant(c.At)), append(l.revision, int64(c.Revision)) // #nosec G115 -- of a bigint
}

func queueAnswers(b *pgx.Batch, answers []pendingAnswer) {
	if len(answers) == 0 {
		return
	}
	var columns [5][]string
	for _, a := range answers {
		w := a.write
		for i, v := range [...]string{w.Device, w.Patch.ID, hex.EncodeToString(w.Hash[:]), a.text, formatInstant(w.At)} {
			columns[i] = append(columns[i], v)
		}
	}
	b.Queue(pgRemember, columns[0], columns[1], columns[2], columns[3], columns[4])
}

func queueHeads(b *pgx.Batch, g *group) {
	users := g.pending.users
	if len(users) == 0 {
		return
	}
	var columns [3][]int64
	for _, user := range users {
		h := g.heads[user]
		for i, v := range [...]int64{int64(h.Revision), int64(h.Keys), int64(h.Bytes)} { // #nosec G115 -- of a bigint
			columns[i] = append(columns[i], v)
		}
	}
	b.Queue(pgAdvance, users, columns[0], columns[1], columns[2])
}

// questions are what a group's first round trip asks for, in arrays.
type questions struct {
	users, devices []string
	members        [2][]string
	answers        [2][]string
	values         [3][]string
}

func newQuestions(writes []*settings.Write) questions {
	var q questions
	users, devices := make(map[string]bool), make(map[string]bool)
	members, answers := make(map[[2]string]bool), make(map[[2]string]bool)
	values := make(map[valueID]bool)
	for _, w := range writes {
		users[w.User], devices[w.Device] = true, true
		members[[2]string{w.User, w.Device}] = true
		answers[[2]string{w.Device, w.Patch.ID}] = true
		for _, a := range w.Patch.Set {
			values[valueID{w.User, a.Key}] = true
		}
	}
	q.users, q.devices = slices.Collect(maps.Keys(users)), slices.Collect(maps.Keys(devices))
	for id := range members {
		q.members[0], q.members[1] = append(q.members[0], id[0]), append(q.members[1], id[1])
	}
	for id := range answers {
		q.answers[0], q.answers[1] = append(q.answers[0], id[0]), append(q.answers[1], id[1])
	}
	for id := range values {
		q.value(id)
	}
	return q
}

func (q *questions) value(id valueID) {
	q.values[0], q.values[1] = append(q.values[0], id.user), append(q.values[1], id.key.Block)
	q.values[2] = append(q.values[2], id.key.Name)
}
