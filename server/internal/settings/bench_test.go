//go:build !race

package settings

import "testing"

// step is one of the things that happen to each change in this room.
type step struct {
	name   string
	allocs float64 // the most there may be
	run    func()
}

func steps() []step {
	schema := DemoSchema()
	patch := Patch{ID: "01JH8Z6Q4N5C", Set: []Assignment{{Key{"billing", "salary"}, "3000"}}}
	head := Head{Epoch: "k3f9", Keys: 1, Bytes: 4}
	current := Current{Head: &head, Value: func(Key) (Value, bool) { return Value{Text: "2500", Device: "d_1"}, true }}
	w := Write{User: "u_1", Device: "d_1", Patch: patch, Hash: patch.Hash(), At: now, Schema: schema}
	var state State
	change := Change{Entries: []Entry{{Key{"billing", "salary"}, Value{Text: "3000", Device: "d_1", At: now}}}}
	return []step{
		{"check a patch", 32, func() { _ = patch.Check(schema, DefaultLimits) }},
		{"hash a patch", 1, func() { patch.Hash() }},
		{"decide on a patch", 2, func() { Decide(&w, current, DefaultLimits) }},
		{"apply a change", 0, func() {
			change.From, change.Revision = state.Revision, state.Revision+1
			change.Entries[0].Revision = change.Revision
			state.Apply(change)
			state.Since(change.From)
		}},
	}
}

// What a change costs does not grow unnoticed. The bounds are counts, not
// times: they are the same on every machine. Whoever lowers a count lowers the bound.
func TestAllocations(t *testing.T) {
	for _, s := range steps() {
		if got := testing.AllocsPerRun(100, s.run); got > s.allocs {
			t.Errorf("to %s takes %v allocations, want %v at most", s.name, got, s.allocs)
		}
	}
}

func BenchmarkSteps(b *testing.B) {
	for _, s := range steps() {
		b.Run(s.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.run()
			}
		})
	}
}
