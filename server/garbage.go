package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

// The garbage collector runs when there is as much garbage as there is in use. With
// thousands of sessions each run looks at all their stacks: with 2,000 patches a
// second it ran more than once a second, took a tenth of the processor, and those
// who came while it ran waited 20 ms. So while there is much to do, more garbage may
// lie around; when there is not, the memory is given back.
const (
	garbageRest = 100       // percent of what is in use: Go's own
	garbageBusy = 400       // while it is collected busyRuns times in a look
	garbageMost = 256 << 20 // bytes; above, no more than garbageRest
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

// look takes the count of the collector's runs and the bytes in use, and returns
// how much garbage there may be, in percent of those.
func (g *garbage) look(runs, inUse uint64) int {
	made := runs - g.runs
	g.runs = runs
	if made > 0 {
		g.quiet = 0
	} else {
		g.quiet++
	}
	g.busy = made >= busyRuns || g.busy && g.quiet < restLooks
	if !g.busy {
		return garbageRest
	}
	allowed := garbageBusy * garbageMost / max(garbageMost, garbageBusy/100*inUse)
	return max(garbageRest, int(allowed)/100*100) // #nosec G115 -- at most garbageBusy; in steps, for each change stops the world
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
		defer debug.SetGCPercent(garbageRest)
		var g garbage
		seen := []metrics.Sample{{Name: "/gc/cycles/automatic:gc-cycles"}, {Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/stack:bytes"}}
		percent := garbageRest
		for {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
			metrics.Read(seen)
			was := percent
			if percent = g.look(seen[0].Value.Uint64(), seen[1].Value.Uint64()+seen[2].Value.Uint64()); percent == was {
				continue
			}
			debug.SetGCPercent(percent)
			if percent == garbageRest {
				debug.FreeOSMemory()
			}
		}
	})
	return func() {
		cancel()
		own.Wait()
	}
}
