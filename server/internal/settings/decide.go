package settings

import (
	"slices"
	"time"

	"social-server/internal/errs"
)

// Write is a patch on its way into the store: whose, from which device, when.
type Write struct {
	User   string // id
	Device string // id
	At     time.Time
	Patch  Patch
	Hash   [32]byte // of Patch, which the id is tied to
	Schema *Schema  // that the values of a revert must still fit
}

// Answer is what the store says of a write, remembered and returned again when
// the same patch comes again (SPEC I3).
type Answer struct {
	Revision  uint64
	Overwrote []Entry // values of other devices that this patch replaced
	Conflict  []Entry // what changed since: nothing was stored, unless a partial undo left just these
}

// Refused reports whether nothing was stored because of a conflict.
func (a *Answer) Refused() bool { return a.Revision == 0 && len(a.Conflict) > 0 }

// Outcome is the end of one write of a group: an answer or an error, and the
// change to announce when something was stored.
type Outcome struct {
	Answer    Answer
	Epoch     string // of the database
	Duplicate bool
	Change    *Change // nil unless this write made a revision
	Err       error
}

// Remembered is an earlier answer with the hash of the patch it was given to.
type Remembered struct {
	Hash   [32]byte
	Answer Answer
}

// Head is what a user's row holds besides its name.
type Head struct {
	Epoch    string
	Revision uint64
	Keys     int // rows of settings, tombstones included
	Bytes    int // of their values
}

// Current is what a writing transaction knows before it decides on a write:
// the user's head, the values the patch names (ok false: never set), the
// earlier answer to the patch's id, if any, and the past that a revert asks for.
type Current struct {
	Head   *Head
	Value  func(Key) (Value, bool)
	Before *Remembered
	Past   []Record // of an undo: what its revision did; of a way back: each key's oldest change after it
}

// Decide says what a write does to a user, without doing it: the caller stores
// outcome.Change in the same transaction that read the Current. It is pure, so
// that both databases, and the model the tests check them against, agree. On a
// stored write it moves cur.Head.
func Decide(w *Write, cur Current, limits Limits) Outcome {
	out := decide(w, cur, limits)
	out.Epoch = cur.Head.Epoch
	if out.Change != nil {
		out.Change.Epoch = cur.Head.Epoch
	}
	return out
}

func decide(w *Write, cur Current, limits Limits) Outcome {
	if cur.Before != nil {
		if cur.Before.Hash != w.Hash {
			return Outcome{Err: errs.New(errs.IDReused, "This id was used for another patch.")}
		}
		return Outcome{Answer: cur.Before.Answer, Duplicate: true}
	}
	if at := w.Patch.If; len(at) > 0 && !slices.Contains(at, Version{Epoch: cur.Head.Epoch, Revision: cur.Head.Revision}) {
		return Outcome{Err: errs.New(errs.PreconditionFailed, "The settings are at another revision.")}
	}
	if w.Patch.Revert != nil {
		return revert(w, cur, limits)
	}
	if moved := conflicts(w, cur); len(moved) > 0 {
		return Outcome{Answer: Answer{Conflict: moved}}
	}
	return store(w, w.Patch.Set, cur, limits)
}

// revert stores earlier values, unless keys changed since (SPEC U3, U4).
func revert(w *Write, cur Current, limits Limits) Outcome {
	set, moved, err := w.Patch.Revert.set(cur, w.Schema)
	switch {
	case err != nil:
		return Outcome{Err: err}
	case len(moved) > 0 && (len(set) == 0 || !w.Patch.Revert.Partial):
		return Outcome{Answer: Answer{Conflict: moved}}
	}
	out := store(w, set, cur, limits)
	out.Answer.Conflict = moved
	return out
}

// conflicts lists the current values of the keys above their base (SPEC P4).
func conflicts(w *Write, cur Current) []Entry {
	var moved []Entry
	for _, a := range w.Patch.Set {
		base, named := w.Patch.Base[a.Key]
		if !named {
			continue
		}
		if v, ok := cur.Value(a.Key); ok && v.Revision > base {
			moved = append(moved, Entry{a.Key, v})
		}
	}
	return moved
}

// store makes the change that a write without conflict brings: none if it sets
// nothing.
func store(w *Write, set []Assignment, cur Current, limits Limits) Outcome {
	if len(set) == 0 {
		return Outcome{Answer: Answer{Revision: cur.Head.Revision}}
	}
	head := *cur.Head
	head.Revision++
	out := Outcome{Answer: Answer{Revision: head.Revision}}
	change := &Change{From: cur.Head.Revision, Revision: head.Revision, Entries: make([]Entry, 0, len(set))}
	for _, a := range set {
		old, ok := cur.Value(a.Key)
		if !ok {
			head.Keys++
		}
		head.Bytes += len(a.Text) - len(old.Text)
		if ok && old.Device != w.Device {
			out.Answer.Overwrote = append(out.Answer.Overwrote, Entry{a.Key, old})
		}
		change.Entries = append(change.Entries, Entry{a.Key, Value{a.Text, head.Revision, w.Device, w.At}})
	}
	if head.Keys > limits.UserKeys {
		return Outcome{Err: errs.New(errs.QuotaExceeded, "This user has %d keys, the most there may be.", limits.UserKeys)}
	}
	if head.Bytes > limits.UserBytes && head.Bytes > cur.Head.Bytes {
		return Outcome{Err: errs.New(errs.QuotaExceeded, "The settings of one user may hold %d bytes.", limits.UserBytes)}
	}
	*cur.Head = head
	out.Change = change
	return out
}
