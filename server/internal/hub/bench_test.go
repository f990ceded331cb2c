//go:build !race

package hub

import (
	"testing"
	"time"

	"social-server/internal/protocol"
	"social-server/internal/settings"
)

// deliveries is how many sessions get each change here.
const deliveries = 5

// passOn returns what happens to each change in a hub: it is applied, and every
// session takes the one frame that brings it there. The writers are kept from
// running, so that what is counted is the hub's.
func passOn() func() {
	h := &Hub{registry: &Registry{now: time.Now}}
	for range deliveries {
		s := &Session{hub: h, writing: true}
		h.sessions = append(h.sessions, s)
	}
	change := settings.Change{Entries: []settings.Entry{{
		Key: settings.Key{Block: "billing", Name: "salary"}, Value: settings.Value{Text: "3000", Device: "d_1"},
	}}}
	var frames []*protocol.Frame
	return func() {
		change.From, change.Revision = h.state.Revision, h.state.Revision+1
		change.Entries[0].Revision = change.Revision
		h.Apply(change)
		for _, s := range h.sessions {
			frames, _ = s.next(frames[:0])
			s.writing = true
		}
	}
}

// A change is encoded once, however many sessions there are; a delivery takes
// nothing more. The bounds are counts, not times: they are the same on every
// machine. Whoever lowers a count lowers the bound.
func TestAllocations(t *testing.T) {
	const most = 3
	if got := testing.AllocsPerRun(100, passOn()); got > most {
		t.Errorf("a change to %d sessions takes %v allocations, want %v at most", deliveries, got, most)
	}
}

func BenchmarkChange(b *testing.B) {
	run := passOn()
	b.ReportAllocs()
	for b.Loop() {
		run()
	}
}
