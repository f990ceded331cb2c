package store

import (
	"context"

	"social-server/internal/errs"
	"social-server/internal/settings"
)

// committer runs the transactions of group commits on one of the databases.
type committer interface {
	// commit begins a transaction for work, which ends it with groupTx.store.
	// Work may run more than once. An error rolls back what is not committed.
	commit(ctx context.Context, work func(tx groupTx) error) error
	close() error
}

// groupTx is the transaction of a group of writes.
type groupTx interface {
	// load makes known to a group what deciding on its writes asks for. Nobody
	// else changes the users it names until the transaction has ended.
	load(g *group, writes []*settings.Write) error
	// loadValues makes the current values of further keys known.
	loadValues(g *group, ids []valueID) error
	// past reads the changes that a revert looks back on.
	past(user string, r settings.Revert) ([]settings.Record, error)
	// store writes what a group has pending; the last time, it commits.
	store(g *group, last bool) error
}

// Commit decides and stores a group of writes in one transaction, in order. The
// outcomes hold once it has returned without an error: the transaction is then
// on the disk (SQLite: WAL, synchronous=FULL; PostgreSQL: synchronous_commit=on).
func (s *Store) Commit(ctx context.Context, writes []*settings.Write, limits settings.Limits) ([]settings.Outcome, error) {
	if err := s.files.writable(); err != nil {
		return nil, err
	}
	var outcomes []settings.Outcome
	err := s.groups.commit(ctx, func(tx groupTx) (err error) {
		outcomes, err = newGroup(tx, limits).run(writes)
		return err
	})
	if err != nil {
		return nil, translate(err)
	}
	return outcomes, nil
}

// group is one transaction of several writes. It caches every row that it reads
// or changes, so that later writes of the group see the earlier ones. The changes
// are stored at the end, all at once.
type group struct {
	tx     groupTx
	limits settings.Limits

	epoch   string
	heads   map[string]*groupHead
	members map[[2]string]bool                 // by user and device; false: revoked, or not a member
	values  map[valueID]knownValue             // also keys that were never set
	answers map[[2]string]*settings.Remembered // by device and patch id; nil: none
	pending struct {
		changes []pendingChange // in order
		answers []pendingAnswer
		users   []string // whose heads moved
	}
}

// groupHead is a user's head, and whether the group has moved it since it was stored.
type groupHead struct {
	settings.Head
	moved bool
}

type valueID struct {
	user string
	key  settings.Key
}

type knownValue struct {
	settings.Value
	ok bool // false: never set
}

// pendingChange is what a write does to one key.
type pendingChange struct {
	valueID
	settings.Value
	old   knownValue
	patch string
}

// previous returns what the key held before; nil if it was never set.
func (c *pendingChange) previous() *string {
	if !c.old.ok {
		return nil
	}
	return &c.old.Text
}

// pendingAnswer is an answer to remember.
type pendingAnswer struct {
	write *settings.Write
	text  string
}

func newGroup(tx groupTx, limits settings.Limits) *group {
	return &group{
		tx: tx, limits: limits,
		heads: make(map[string]*groupHead), members: make(map[[2]string]bool),
		values: make(map[valueID]knownValue), answers: make(map[[2]string]*settings.Remembered),
	}
}

// run loads everything, decides on all writes in order, and stores everything.
func (g *group) run(writes []*settings.Write) ([]settings.Outcome, error) {
	if err := g.tx.load(g, writes); err != nil {
		return nil, err
	}
	outcomes := make([]settings.Outcome, len(writes))
	for i, w := range writes {
		var err error
		if outcomes[i], err = g.write(w); err != nil {
			return nil, err
		}
	}
	return outcomes, g.tx.store(g, true)
}

// write decides on one write. The error is the database's; a refusal is in the
// outcome. Who may write is asked here once more: the device may have been
// revoked, or have left, since the patch was sent.
func (g *group) write(w *settings.Write) (settings.Outcome, error) {
	if !g.members[[2]string{w.User, w.Device}] {
		return settings.Outcome{Err: errs.New(errs.NotFound, "This device has not joined such a user.")}, nil
	}
	head := g.heads[w.User]
	cur := settings.Current{Head: &head.Head, Before: g.answers[[2]string{w.Device, w.Patch.ID}]}
	cur.Value = func(k settings.Key) (settings.Value, bool) {
		v := g.values[valueID{w.User, k}]
		return v.Value, v.ok
	}
	if w.Patch.Revert != nil && cur.Before == nil {
		var err error
		if cur.Past, err = g.past(w); err != nil {
			return settings.Outcome{}, err
		}
	}
	out := settings.Decide(w, cur, g.limits)
	if out.Err != nil || out.Duplicate {
		return out, nil
	}
	return out, g.keep(w, out)
}

// past returns what a revert looks back on, which earlier writes of this group
// may belong to, and makes the keys it names known. Reverts are rare.
func (g *group) past(w *settings.Write) ([]settings.Record, error) {
	if err := g.tx.store(g, false); err != nil {
		return nil, err
	}
	past, err := g.tx.past(w.User, *w.Patch.Revert)
	if err != nil {
		return nil, err
	}
	var unknown []valueID
	for _, r := range past {
		id := valueID{w.User, r.Key}
		if _, known := g.values[id]; !known {
			unknown = append(unknown, id)
		}
	}
	if len(unknown) == 0 {
		return past, nil
	}
	return past, g.tx.loadValues(g, unknown)
}

// keep notes what a decided write brings: the values, the history, the answer.
func (g *group) keep(w *settings.Write, out settings.Outcome) error {
	p := &g.pending
	if out.Change != nil {
		g.move(w.User)
		for _, e := range out.Change.Entries {
			id := valueID{w.User, e.Key}
			p.changes = append(p.changes, pendingChange{id, e.Value, g.values[id], w.Patch.ID})
			g.values[id] = knownValue{e.Value, true}
		}
	}
	g.answers[[2]string{w.Device, w.Patch.ID}] = &settings.Remembered{Hash: w.Hash, Answer: out.Answer}
	text, err := encodeAnswer(out.Answer)
	p.answers = append(p.answers, pendingAnswer{w, text})
	return err
}

// newest reports whether no later write of the group changes the key again.
func (g *group) newest(c *pendingChange) bool {
	return g.values[c.valueID].Revision == c.Revision
}

// move notes that a user's head has moved.
func (g *group) move(user string) {
	if head := g.heads[user]; !head.moved {
		head.moved = true
		g.pending.users = append(g.pending.users, user)
	}
}

// stored empties what is pending.
func (g *group) stored() {
	p := &g.pending
	for _, user := range p.users {
		g.heads[user].moved = false
	}
	p.changes, p.answers, p.users = p.changes[:0], p.answers[:0], p.users[:0]
}
