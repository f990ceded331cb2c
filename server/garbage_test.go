package main

import (
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
		want int
	}{
		{0, garbageBusy}, // 7 of them at once
		{0, garbageBusy}, {0, garbageBusy}, {0, garbageRest}, {1, garbageRest}, {1, garbageRest},
		{busyRuns, garbageBusy}, {0, garbageBusy}, {0, garbageBusy}, {1, garbageBusy}, {0, garbageBusy}, {0, garbageBusy},
		{0, garbageRest}, {0, garbageRest}, {10, garbageBusy},
	} {
		runs += step.made
		if got := g.look(runs, 10<<20); got != step.want {
			t.Errorf("look %d, %d runs: %d %%, want %d", i, step.made, got, step.want)
		}
	}
	for inUse, want := range map[uint64]int{
		0: garbageBusy, garbageMost / 4: garbageBusy, garbageMost/4 + 1<<20: 300, garbageMost / 2: 200, garbageMost: garbageRest, 100 * garbageMost: garbageRest,
	} {
		runs += busyRuns
		if got := g.look(runs, inUse); got != want {
			t.Errorf("with %d MiB in use: %d %%, want %d", inUse>>20, got, want)
		}
	}
}

// Whoever has set GOGC is obeyed; without it, it is Go's own at the end.
func TestGarbageIsTended(t *testing.T) {
	const another = garbageBusy + 50 // percent
	for gogc, want := range map[string]int{"70": another, "": garbageRest} {
		t.Setenv("GOGC", gogc)
		before := debug.SetGCPercent(another)
		synctest.Test(t, func(t *testing.T) {
			stop := tendGarbage()
			time.Sleep(10 * lookEvery) // the bubble's clock: no real wait
			stop()
		})
		if got := debug.SetGCPercent(before); got != want {
			t.Errorf("with GOGC=%q %d %% at the end, want %d", gogc, got, want)
		}
	}
}
