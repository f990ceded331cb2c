package settings

import (
	"context"
	"errors"

	"social-server/internal/errs"
)

// Record is one row of the history: what a patch made of one key.
type Record struct {
	Key
	Value
	Previous   string // what the key held before; Null if it had been reset
	Set        bool   // whether the key had been set before at all
	DeviceName string // as it is called now
	PatchID    string
}

// HistoryQuery picks a page of a user's history.
type HistoryQuery struct {
	Before uint64 // only revisions below; 0 is from the newest
	Limit  int    // about as many records: a revision is never split
	Key    *Key   // only this key
	Device string // only this device; "" is all
}

// Page is a part of a user's history, newest first, in whole revisions.
type Page struct {
	Records []Record
	Next    uint64 // Before of the next page; 0 when this is the last
}

// History returns a page of who changed what (SPEC U1).
func (s *Service) History(ctx context.Context, user string, q HistoryQuery) (Page, error) {
	return s.store.History(ctx, user, q)
}

// Revert asks for earlier values. It stands in a patch instead of Set: which
// values those are is found in the transaction that stores them, so that
// nothing can change in between (SPEC U3).
type Revert struct {
	Revision uint64
	Whole    bool // false: undo what Revision did; true: go back to the state as it was at Revision
	Partial  bool // undo what nobody changed since, and leave the rest
}

// set returns the assignments of a revert and the entries that stand in its
// way: keys changed since, which are never clobbered. Keys that the schema no
// longer has are left alone when going back, for nobody can see them.
func (r Revert) set(cur Current, schema *Schema) (set []Assignment, moved []Entry, err error) {
	if err := r.known(cur); err != nil {
		return nil, nil, err
	}
	var unfit []error
	for _, past := range cur.Past {
		now, ok := cur.Value(past.Key)
		text := past.Previous
		if !past.Set {
			text = Null
		}
		switch {
		case !r.Whole && (!ok || now.Revision != r.Revision):
			moved = append(moved, Entry{past.Key, now})
			continue
		case r.Whole && (!schema.Has(past.Key) || ok && now.Text == text):
			continue
		}
		if err := schema.Check(past.Key, text); err != nil {
			unfit = append(unfit, err)
		}
		set = append(set, Assignment{past.Key, text})
	}
	return set, moved, errors.Join(unfit...)
}

// known refuses a revision that does not exist, or whose history is gone.
func (r Revert) known(cur Current) error {
	head := cur.Head.Revision
	oldest := uint64(0) // revision that Past must reach back to; 0 is none
	switch {
	case r.Revision > head || !r.Whole && r.Revision == 0:
		return &errs.Error{Code: errs.NotFound, Field: "revision", Message: "There is no such revision."}
	case !r.Whole:
		oldest = r.Revision
	case r.Revision < head:
		oldest = r.Revision + 1
	}
	for _, past := range cur.Past {
		if past.Revision == oldest {
			return nil
		}
	}
	if oldest == 0 {
		return nil
	}
	return &errs.Error{Code: errs.NotFound, Field: "revision", Message: "The history does not go back that far any more."}
}

// Trial is what a patch would do.
type Trial struct {
	Epoch    string
	Revision uint64   // the user's, now
	Changes  []Record // keys whose value would change; of Value only the text counts
	Left     []Entry  // keys that a partial undo leaves alone
}

// Try says what a patch would do if it were applied now, and stores nothing. It
// fails as Apply would; a conflict is an error with the entries in its way.
func (s *Service) Try(ctx context.Context, user, device string, patch Patch) (Trial, Outcome, error) {
	if err := patch.Check(s.Schema, s.Limits); err != nil {
		return Trial{}, Outcome{}, err
	}
	cur, err := s.store.Current(ctx, user, patch)
	if err != nil {
		return Trial{}, Outcome{}, err
	}
	trial := Trial{Epoch: cur.Head.Epoch, Revision: cur.Head.Revision}
	out := Decide(&Write{User: user, Device: device, Patch: patch, At: s.now(), Schema: s.Schema}, cur, s.Limits)
	if out.Err != nil || out.Change == nil {
		return trial, out, out.Err
	}
	trial.Left = out.Answer.Conflict
	for _, e := range out.Change.Entries {
		old, ok := cur.Value(e.Key)
		if old.Text != e.Text && (ok || e.Text != Null) {
			trial.Changes = append(trial.Changes, Record{Key: e.Key, Value: e.Value, Previous: old.Text, Set: ok})
		}
	}
	return trial, out, nil
}
