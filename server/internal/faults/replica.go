package faults

import (
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"time"
)

// Value is what a replica knows of one key.
type Value struct {
	Text     string // JSON, byte for byte; "null" is a tombstone
	Revision uint64
}

// Frame is a change as it came: what the checkers replay afterwards.
type Frame struct {
	Epoch          string
	From, Revision uint64
	Values         map[string]Value // by "block.key"
	Fresh          bool             // answers a hello or a sync, so From is not the frame's before
	At             time.Time        // when it came
}

// Replica is one device's copy of the settings, kept by the rules of the wire
// alone, and a validator of the stream that brings it (oracle O3): every frame
// must be ordered, unique, without a gap, and continue where it was asked to.
type Replica struct {
	Epoch    string
	Revision uint64
	Values   map[string]Value

	Frames []Frame // every change, in order
	Gaps   int     // changes that began above Revision: the device missed something
	Syncs  int     // repairs asked for
	Faults []string

	expect    expectation
	synced    *uint64 // asked for with a sync: its answer may cross a change that begins there too
	announced string  // the epoch of the welcome
	regress   bool    // the state may step back: another epoch was announced
}

// expectation is what the next change may continue.
type expectation struct {
	known bool
	from  uint64 // the cursor the server holds for this connection
	fresh bool   // nothing has come since the hello
}

// maxFaults bounds what a broken stream may write.
const maxFaults = 20

func (r *Replica) fault(format string, args ...any) {
	if len(r.Faults) < maxFaults {
		r.Faults = append(r.Faults, fmt.Sprintf(format, args...))
	}
}

// Welcomed notes the opening of a connection on which the device resumed from
// what it has, or, with resumed false, said nothing about itself (SPEC C6).
func (r *Replica) Welcomed(epoch string, revision uint64, resumed bool) {
	r.announced = epoch
	r.regress = epoch != r.Epoch || r.Revision > revision
	r.expect = expectation{known: true, fresh: true}
	r.synced = nil
	if resumed && epoch == r.Epoch && r.Revision <= revision {
		r.expect.from = r.Revision
	}
	if r.Epoch != "" && epoch == r.Epoch && revision < r.Revision {
		r.fault("welcome at %s.%d, below this device's own %d: a server that lost changes keeps its epoch", epoch, revision, r.Revision)
	}
}

// Synced notes that the device asked to be brought from a revision to now.
func (r *Replica) Synced(revision uint64) {
	r.Syncs++
	r.expect.known = false
	r.synced = &revision
}

// Apply takes a change over, and reports whether the device must ask for a sync.
func (r *Replica) Apply(f Frame) (gap bool) {
	crossed := r.synced != nil && f.From == *r.synced
	r.expect.known = r.expect.known && !crossed
	f.Fresh = !r.expect.known || r.expect.fresh
	r.Frames = append(r.Frames, f)
	r.check(f)
	r.expect = expectation{known: true, from: f.Revision}
	if f.From > 0 && (f.Epoch != r.Epoch || f.From > r.Revision) {
		r.Gaps++
		return true
	}
	if f.From == 0 {
		r.Values = make(map[string]Value, len(f.Values))
	}
	r.Epoch, r.regress = f.Epoch, false
	r.Revision = f.Revision
	maps.Copy(r.Values, f.Values)
	return false
}

// check holds a change against what came before it.
func (r *Replica) check(f Frame) {
	if r.expect.known && f.From != r.expect.from {
		r.fault("change %d..%d, expected one from %d", f.From, f.Revision, r.expect.from)
	}
	if f.Revision < f.From {
		r.fault("change %d..%d runs backwards", f.From, f.Revision)
	}
	if f.Epoch == r.Epoch && f.Revision < r.Revision && !r.regress {
		r.fault("change %d..%d comes after revision %d", f.From, f.Revision, r.Revision)
	}
	for key, v := range f.Values {
		if v.Revision <= f.From || v.Revision > f.Revision {
			r.fault("change %d..%d carries %s of revision %d", f.From, f.Revision, key, v.Revision)
		}
		old, known := r.Values[key]
		if known && !f.Fresh && f.Epoch == r.Epoch && f.From > 0 && v.Revision <= old.Revision {
			r.fault("change %d..%d repeats %s of revision %d", f.From, f.Revision, key, v.Revision)
		}
	}
}

// Reached checks a frame that says everything up to a revision has been sent.
func (r *Replica) Reached(frame string, revision uint64) {
	if revision == 0 && r.Revision == 0 {
		r.Epoch = r.announced // of a user nobody has changed no change tells it
	}
	if r.expect.known && r.Revision != revision {
		r.fault("%s at revision %d, device is at %d", frame, revision, r.Revision)
	}
}

// Seal is the fingerprint a ping carries (SPEC S7).
func (r *Replica) Seal() string {
	var sum uint32
	for key, v := range r.Values {
		h := fnv.New32a()
		fmt.Fprintf(h, "%s:%d", key, v.Revision)
		sum += h.Sum32()
	}
	return fmt.Sprintf("%08x", sum)
}

// Digest is oracle O2's: equal digests mean equal settings, byte for byte.
func (r *Replica) Digest() string { return Digest(r.Epoch, r.Revision, r.Values) }

// Clone copies the state, without the frames.
func (r *Replica) Clone() Replica {
	return Replica{Epoch: r.Epoch, Revision: r.Revision, Values: maps.Clone(r.Values)}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
