//go:build !race

package protocol

import (
	"testing"
	"time"

	"social-server/internal/settings"
)

var (
	benchPatch = []byte(`{"type":"patch","id":"01JH8Z6Q4N5C","set":{"billing":{"salary":3000}}}`)
	benchPong  = []byte(`{"type":"pong","seen":46}`)
	benchEntry = settings.Entry{
		Key:   settings.Key{Block: "billing", Name: "salary"},
		Value: settings.Value{Text: "3000", Revision: 47, Device: "d_1", At: time.Unix(1_790_000_000, 0)},
	}
	benchChange = settings.Change{From: 46, Revision: 47, Entries: []settings.Entry{benchEntry}}
)

// steps are what happens to each change in this room.
var steps = []struct {
	name   string
	allocs float64 // the most there may be
	run    func()
}{
	{"decode a patch", 9, func() { _, _ = Decode(benchPatch) }},
	{"decode a pong", 1, func() { _, _ = Decode(benchPong) }},
	{"encode a change", 3, func() { Change("k3f9", benchChange) }},
	{"encode an ack", 2, func() { Ack("01JH8Z6Q4N5C", settings.Answer{Revision: 47}, false) }},
}

// What a change costs does not grow unnoticed. The bounds are counts, not
// times: they are the same on every machine. Whoever lowers a count lowers the bound.
func TestAllocations(t *testing.T) {
	for _, s := range steps {
		if got := testing.AllocsPerRun(100, s.run); got > s.allocs {
			t.Errorf("to %s takes %v allocations, want %v at most", s.name, got, s.allocs)
		}
	}
}

func BenchmarkSteps(b *testing.B) {
	for _, s := range steps {
		b.Run(s.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.run()
			}
		})
	}
}
