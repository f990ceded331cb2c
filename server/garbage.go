package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

// The garbage collector runs when the heap has doubled. With thousands of sessions
// each run looks at all their stacks: with 2,000 patches a second it ran more than
// once a second, took a tenth of the processor, and those who came while it ran
// waited 20 ms. So while there is much to do, more garbage may lie around; when
// there is not, the memory is given back.
const (
	garbageBusy = 400 // percent of what is in use, while it is collected busyRuns times in a look
	garbageRest = 100 // else: Go's own
	busyRuns    = 2
	restLooks   = 3 // that found nothing collected, until it is rest again
	lookEvery   = 2 * time.Second
)

// garbage decides how much garbage may lie around.
type garbage struct {
	busy  bool
	quiet int    // looks in a row that found nothing collected
	runs  uint64 // of the collector, at the last look
}

// look takes the count of the collector's runs, and reports whether busy has changed.
func (g *garbage) look(runs uint64) bool {
	made := runs - g.runs
	g.runs = runs
	if made > 0 {
		g.quiet = 0
	} else {
		g.quiet++
	}
	was := g.busy
	g.busy = made >= busyRuns || was && g.quiet < restLooks
	return g.busy != was
}

// tendGarbage looks after the garbage until the function it returns is called,
// which waits. GOGC in the environment is somebody's decision, and stays.
func tendGarbage() (stop func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	var own sync.WaitGroup
	own.Go(func() {
		tick := time.NewTicker(lookEvery)
		defer tick.Stop()
		var g garbage
		runs := []metrics.Sample{{Name: "/gc/cycles/automatic:gc-cycles"}}
		for {
			select {
			case <-tick.C:
			case <-ctx.Done():
				debug.SetGCPercent(garbageRest)
				return
			}
			metrics.Read(runs)
			switch changed := g.look(runs[0].Value.Uint64()); {
			case changed && g.busy:
				debug.SetGCPercent(garbageBusy)
			case changed:
				debug.SetGCPercent(garbageRest)
				debug.FreeOSMemory()
			}
		}
	})
	return func() {
		cancel()
		own.Wait()
	}
}
