package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// load is a number of clients that write without pause, one patch at a time
// each, until they are told to stop.
type load struct {
	stop  context.CancelFunc
	done  sync.WaitGroup
	acked atomic.Int64
	begin time.Time
}

// write starts the load. Each writer sets keys of its own and one key of all.
func write(clients []*Client) *load { return paced(clients, 0) }

// paced is write with a rest after every answer.
func paced(clients []*Client, rest time.Duration) *load {
	ctx, stop := context.WithCancel(context.Background())
	l := &load{stop: stop, begin: time.Now()}
	for n, c := range clients {
		l.done.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				set := one(key(n*10+i%10), fmt.Sprintf(`"%s says %d"`, c.Name, i))
				if i%3 == 0 {
					set[key(100)] = fmt.Sprint(i)
				}
				if i%7 == 0 {
					set = one(key(n*10+i%10), "null")
				}
				p, err := c.Put(ctx, set)
				if err != nil {
					return // told to stop; the patch stays in the client's hands
				}
				if p.Acked {
					l.acked.Add(1)
				}
				pause(ctx, rest)
			}
		})
	}
	return l
}

func (l *load) end() {
	l.stop()
	l.done.Wait()
}

// S-KILL-1: kill -9 under load, again and again on the same data.
func TestKillUnderLoad(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	r := newRig(t)
	var writers, all []*Client
	for n := range 8 {
		writers = append(writers, r.client(n))
	}
	all = append(all, writers...)
	for n := 8; n < 12; n++ {
		all = append(all, r.client(n))
	}
	r.live(all...)
	runs := Runs(10, 100)
	var slowestReady, slowestEqual time.Duration
	invalid := 0
	for run := 0; run < runs+invalid && !t.Failed(); run++ {
		floor, ready, equal := r.killOnce(run, random, writers, all)
		slowestReady, slowestEqual = max(slowestReady, ready), max(slowestEqual, equal)
		if why := floor.Check(50); why != "" {
			t.Logf("run %d is repeated: %s (%+v)", run, why, floor)
			invalid++
		}
		if invalid > runs {
			t.Fatal("most runs are INVALID: this machine is too busy to tell anything")
		}
	}
	rows := r.judge()
	t.Logf("%d kills (and %d that do not count), %+v, head %d, slowest start %v, slowest convergence %v",
		runs, invalid, r.Ledger.Tally(), rows.Revision, slowestReady, slowestEqual)
}

// killOnce is one run: load, kill, look at the file, restart, converge.
func (r *rig) killOnce(run int, random *rand.Rand, writers, all []*Client) (floor Floor, ready, equal time.Duration) {
	r.Helper()
	l := write(writers)
	pause(r.Context(), 200*time.Millisecond+time.Duration(random.Int64N(int64(1800*time.Millisecond))))
	floor = Floor{Acked: int(l.acked.Load()), Over: time.Since(l.begin)}
	for _, c := range writers {
		floor.InFlight += c.InFlight()
	}
	r.ok(r.Kill())
	floor.Fired = true
	l.end()
	r.intact(run)

	begin := time.Now()
	r.start()
	ready = time.Since(begin)
	r.live(all...)
	last := r.put(writers[run%len(writers)], key(101), fmt.Sprintf(`"tombstone %d"`, run))
	floor.Tombstone = last.Acked
	for _, c := range writers { // what was unknown is known now
		for _, p := range c.waiting() {
			r.answered(p)
		}
	}
	equal = r.converged(2*time.Second, all...)
	return floor, ready, equal
}

// intact checks a copy of the files as the kill left them, before the server
// has had a chance to repair anything.
func (r *rig) intact(run int) {
	r.Helper()
	copied := filepath.Join(r.TempDir(), fmt.Sprint("run", run))
	r.ok(copyData(copied, r.Dir))
	word, err := Integrity(r.Context(), copied)
	r.ok(err)
	if word != "ok" {
		r.Errorf("run %d: integrity_check after the kill: %s", run, word)
	}
	r.ok(os.RemoveAll(copied))
}
