// Package settings holds what the product exists for: the settings of a user,
// the patches that change them, and the service that stores patches in groups.
// It knows no HTTP, no SQL and no socket.
package settings

import (
	"strconv"
	"time"
)

// Key names one setting: a key within a block. Its text form, as in
// "billing.salary", is the field of errors and the input of the seal.
type Key struct{ Block, Name string }

// String returns "block.key".
func (k Key) String() string { return k.Block + "." + k.Name }

// Compare orders keys by block, then name: the order of every frame and answer.
func (k Key) Compare(other Key) int {
	switch {
	case k.Block < other.Block || k.Block == other.Block && k.Name < other.Name:
		return -1
	case k == other:
		return 0
	}
	return 1
}

// Null is the text of a tombstone: a key that was reset to its default (SPEC V3).
const Null = "null"

// Value is what a key was last set to: by whom, when, and at which revision.
type Value struct {
	Text     string // JSON, byte for byte as received (SPEC V2); Null is a tombstone
	Revision uint64
	Device   string // id
	At       time.Time
}

// Entry is a key with its value.
type Entry struct {
	Key
	Value
}

// Change is what one commit, or a read from the store, brings: the newest
// entries of every key changed after From, up to and including Revision.
type Change struct {
	Epoch          string // of the database
	From, Revision uint64
	Entries        []Entry
}

// State is the current settings of one user: every key that was ever set,
// tombstones included. The zero State is a user nobody has changed. It is not
// safe for concurrent use; a hub guards its own with its lock.
type State struct {
	Epoch    string
	Revision uint64

	// recent is ordered by revision, ascending, so that what a cursor lacks is
	// the slice's tail. Users have few keys (512 at most): a slice is smaller
	// and faster here than a map.
	recent []Entry
	seal   uint32
}

// Apply merges a change that continues the state's revision, and reports
// whether it did: a change from elsewhere leaves the state as it is.
func (s *State) Apply(c Change) bool {
	if c.From != s.Revision || c.Revision < s.Revision {
		return false
	}
	for _, e := range c.Entries {
		s.put(e)
	}
	s.Revision = c.Revision
	return true
}

// put replaces the entry's key, keeping the order by revision.
func (s *State) put(e Entry) {
	for i := range s.recent {
		if s.recent[i].Key == e.Key {
			s.seal -= sealOf(s.recent[i])
			s.recent = append(s.recent[:i], s.recent[i+1:]...)
			break
		}
	}
	s.seal += sealOf(e)
	at := len(s.recent)
	for at > 0 && s.recent[at-1].Revision > e.Revision {
		at--
	}
	s.recent = append(s.recent, Entry{})
	copy(s.recent[at+1:], s.recent[at:])
	s.recent[at] = e
}

// Since returns the entries above a revision, ordered by revision. The slice is
// the state's own: it is valid until the next Apply and must not be changed.
func (s *State) Since(revision uint64) []Entry {
	at := len(s.recent)
	for at > 0 && s.recent[at-1].Revision > revision {
		at--
	}
	return s.recent[at:]
}

// Get returns the value of a key; ok is false when it was never set.
func (s *State) Get(k Key) (v Value, ok bool) {
	for i := range s.recent {
		if s.recent[i].Key == k {
			return s.recent[i].Value, true
		}
	}
	return Value{}, false
}

// Seal returns the state's seal: equal epoch and revision must mean equal seals (SPEC S7).
func (s *State) Seal() uint32 { return s.seal }

// sealOf returns FNV-1a 32 of "block.key:revision". hash/fnv would allocate,
// and this runs for every key of every change.
func sealOf(e Entry) uint32 {
	const offset, prime = 2166136261, 16777619
	var digits [20]byte
	hash := uint32(offset)
	for _, part := range [...]string{e.Block, ".", e.Name, ":"} {
		for i := range len(part) {
			hash = (hash ^ uint32(part[i])) * prime
		}
	}
	for _, d := range strconv.AppendUint(digits[:0], e.Revision, 10) {
		hash = (hash ^ uint32(d)) * prime
	}
	return hash
}
