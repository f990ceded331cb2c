package faults

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// kept are seeds that run every time. One that finds something is added here,
// with its story.
var kept = []struct {
	seed  uint64
	story string
}{
	{1, "an ordinary one, to begin with"},
}

// Many devices edit, lose their connections, go offline and come back, by seed;
// in the end all are equal, and no edit is lost or torn.
func TestConvergence(t *testing.T) {
	t.Parallel()
	seeds := []uint64{uint64(time.Now().UnixNano())}
	for _, k := range kept {
		seeds = append(seeds, k.seed)
	}
	for range Runs(0, 100) {
		seeds = append(seeds, rand.Uint64())
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { converge(t, seed) })
	}
}

func converge(t *testing.T, seed uint64) {
	r := newRig(t)
	proxy := r.proxy()
	var all []*Client
	for n := range 24 {
		if n%2 == 0 {
			all = append(all, r.client(n, r.through(proxy)))
		} else {
			all = append(all, r.client(n))
		}
	}
	r.live(all...)
	var life sync.WaitGroup
	for n, c := range all {
		life.Go(func() { r.live20(c, rand.New(rand.NewPCG(seed, uint64(n)))) })
	}
	random := rand.New(rand.NewPCG(seed, 1000))
	for range 3 {
		pause(t.Context(), time.Duration(random.IntN(100))*time.Millisecond)
		switch random.IntN(4) {
		case 0:
			proxy.Cut()
		case 1:
			proxy.CutAfter(random.Int64N(5000))
		case 2:
			proxy.Freeze()
			pause(t.Context(), 30*time.Millisecond)
			proxy.Thaw()
		case 3:
			r.ok(r.Kill())
			r.start()
		}
	}
	life.Wait()
	for _, c := range all {
		for _, p := range c.waiting() {
			r.answered(p)
		}
	}
	equal := r.converged(5*time.Second, all...)
	r.judge()
	t.Logf("seed %d: %+v, equal after %v", seed, r.Ledger.Tally(), equal)
}

// live20 is twenty steps in the life of a device.
func (r *rig) live20(c *Client, random *rand.Rand) {
	for i := range 20 {
		switch random.IntN(10) {
		case 0:
			c.Drop()
		case 1:
			c.SetOffline(true)
		case 2, 3:
			c.SetOffline(false)
		default:
			set := one(key(random.IntN(15)), fmt.Sprintf(`"%s.%d"`, c.Name, i))
			if random.IntN(4) == 0 {
				set[key(random.IntN(15))] = "null"
			}
			var base map[string]uint64
			if random.IntN(4) == 0 {
				base = make(map[string]uint64)
				for name := range set {
					base[name] = c.State().Values[name].Revision
				}
			}
			c.Patch(set, base)
		}
		pause(r.Context(), time.Duration(random.IntN(10))*time.Millisecond)
	}
	c.SetOffline(false)
}
