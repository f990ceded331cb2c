package main

import (
	"os"
	"runtime/debug"
	"testing"
	"testing/synctest"
	"time"
)

// More garbage may lie around from the look that finds the collector busy to the
// one that has found it idle for a while.
func TestGarbage(t *testing.T) {
	var g garbage
	runs := uint64(7) // before the first look, as a program that has just started
	for i, step := range []struct {
		made uint64
		busy bool
	}{
		{0, true}, // 7 of them at once
		{0, true}, {0, true}, {0, false}, {1, false}, {1, false},
		{busyRuns, true}, {0, true}, {0, true}, {1, true}, {0, true}, {0, true}, {0, false}, {0, false}, {10, true},
	} {
		runs += step.made
		was := g.busy
		if changed := g.look(runs); g.busy != step.busy || changed != (was != step.busy) {
			t.Errorf("look %d, %d runs: busy %v, changed %v", i, step.made, g.busy, changed)
		}
	}
}

// Whoever has set GOGC is obeyed; without it, it is Go's own again at the end.
func TestGarbageIsTended(t *testing.T) {
	t.Setenv("GOGC", "70")
	tendGarbage()()
	if err := os.Unsetenv("GOGC"); err != nil {
		t.Fatal(err)
	}
	before := debug.SetGCPercent(garbageRest)
	defer debug.SetGCPercent(before)
	synctest.Test(t, func(t *testing.T) {
		stop := tendGarbage()
		time.Sleep(10 * lookEvery) // the bubble's clock: no real wait
		stop()
	})
	if got := debug.SetGCPercent(garbageRest); got != garbageRest {
		t.Errorf("%d %% at the end", got)
	}
}
