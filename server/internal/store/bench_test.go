//go:build !race

package store

import (
	"fmt"
	"testing"

	"social-server/internal/settings"
)

// groups returns a step that commits groups of n patches to a new SQLite
// database, each another value of one key.
func groups(t testing.TB, n int) func() {
	s := openAt(t, t.TempDir()+"/test.db")
	populate(t, s)
	next := 0
	group := make([]*settings.Write, n)
	for i := range group {
		group[i] = write("u_1", "d_1", "", `{"billing":{"salary":3000}}`)
	}
	return func() {
		for _, w := range group {
			next++
			w.Patch.ID = fmt.Sprintf("p%09d", next)
		}
		if _, err := s.Commit(t.Context(), group, settings.DefaultLimits); err != nil {
			t.Fatal(err)
		}
	}
}

// The allocations of a stored patch stay bounded. Nearly half of them are
// the driver's, for bound values. Lower the bound when a count falls.
func TestAllocations(t *testing.T) {
	for n, most := range map[int]float64{1: 146, 16: 60, 64: 56} {
		if got := testing.AllocsPerRun(100, groups(t, n)) / float64(n); got > most {
			t.Errorf("a patch in a group of %d takes %v allocations, want %v at most", n, got, most)
		}
	}
}

func BenchmarkCommit(b *testing.B) {
	for _, n := range []int{1, 16, 64} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			step := groups(b, n)
			b.ReportAllocs()
			for b.Loop() {
				step()
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/patch")
		})
	}
}
