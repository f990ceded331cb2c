package faults

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// seeds are the scenarios of every run. One that finds something is added here,
// with its story.
var seeds = []struct {
	seed  uint64
	story string
}{
	{11, "Redis falls silent, then A is killed"},
	{62, "PostgreSQL crashes, and nothing passes between A and its devices"},
	{74, "A stands still while both are cut from Redis"},
	{10, "Redis is killed, and A is cut from PostgreSQL"},
	{146, "a device stops reading, and A is told to end"},
}

// chosen are the seeds to play: those of SEEDS=1,2,3 in the environment, or else
// the fixed ones and, in make soak, a hundred more.
func chosen(t *testing.T) (all []uint64) {
	for _, text := range strings.FieldsFunc(os.Getenv("SEEDS"), func(r rune) bool { return r == ',' }) {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, seed)
	}
	if len(all) > 0 {
		return all
	}
	for _, s := range seeds {
		all = append(all, s.seed)
	}
	for range Runs(0, 100) {
		all = append(all, rand.Uint64())
	}
	return all
}

// Two nodes with faults (6.4), by seed: three users, each with writers pinned to
// a node and writers that roam, devices that watch and devices that resume from
// anywhere; one or two faults; and in the end all are equal, nothing acked is
// lost, and both checkers and every validator agree with what was seen.
func TestScenarios(t *testing.T) {
	t.Parallel()
	d := newDepot(t)
	for _, seed := range chosen(t) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			for try := 1; ; try++ {
				invalid := play(t, d, seed)
				if invalid == "" || t.Failed() {
					return
				}
				t.Logf("seed %d does not count: %s", seed, invalid)
				if try == 3 {
					t.Fatal("this machine is too busy to tell anything")
				}
			}
		})
	}
}

// scenario is one run of a seed.
type scenario struct {
	*cluster
	random  *rand.Rand
	faults  []fault
	healing bool   // the faults are being ended
	stall   *Proxy // before the device that may stop reading

	lives   []*life // one per user
	workers sync.WaitGroup
	quit    context.CancelFunc // ends the workers
}

// life is what goes on at one user.
type life struct {
	*group
	checked []*Client // all but those that died or are revoked
	writers []*writer

	mu     sync.Mutex // guards the following
	reads  []Read
	probes []Frame
	wrong  []string // what the probes found
}

// play runs a seed, and returns why it does not count, if so.
func play(t *testing.T, d *depot, seed uint64) (invalid string) {
	s := &scenario{
		cluster: newCluster(t, plan{depot: d, users: len(users), env: []string{"PING_INTERVAL=300ms"}}),
		random:  rand.New(rand.NewPCG(seed, 0)),
	}
	s.choose()
	t.Cleanup(func() { // of a run that was broken off: PostgreSQL serves the next one too
		if !s.healing {
			s.ok(s.heal())
		}
	})
	s.stall = newProxy(t, s.B.Addr)
	ctx, quit := context.WithCancel(context.Background())
	s.quit = quit
	defer func() {
		quit()
		s.workers.Wait()
	}()
	for n, g := range s.groups {
		s.lives = append(s.lives, s.populate(ctx, g, seed, uint64(n)))
	}
	floor := s.fault(ctx)
	if !t.Failed() {
		s.judgeLives()
	}
	return floor.Check(50)
}

// choose picks one or two faults that do not get in each other's way.
func (s *scenario) choose() {
	order := s.random.Perm(len(catalogue))
	s.faults = []fault{catalogue[order[0]]}
	for _, n := range order[1:] {
		if s.random.IntN(2) == 0 && catalogue[n].on != s.faults[0].on {
			s.faults = append(s.faults, catalogue[n])
			break
		}
	}
	slices.SortStableFunc(s.faults, func(a, b fault) int { // a node that is to start again needs the services
		return cmp.Compare(strings.Count(a.on, "A"), strings.Count(b.on, "A"))
	})
	var names []string
	for _, f := range s.faults {
		names = append(names, f.name)
	}
	s.Logf("faults: %s", strings.Join(names, "; "))
}

// populate connects a user's devices and lets them live.
func (s *scenario) populate(ctx context.Context, g *group, seed, n uint64) *life {
	l := &life{group: g}
	for i, how := range []func(*Options){s.at(s.A), s.at(s.B), s.roaming(0), s.roaming(1)} {
		w := &writer{life: l, device: i, how: how, random: rand.New(rand.NewPCG(seed, 100*n+uint64(i)+1))}
		w.client = g.client(i, how)
		l.writers = append(l.writers, w)
	}
	l.checked = []*Client{g.client(4, s.at(s.A)), g.client(5, s.roaming(1)), g.client(6, s.through(s.stall))}
	g.live(l.checked...)
	for _, w := range l.writers {
		g.live(w.client)
		s.workers.Go(func() { w.work(ctx, s) })
	}
	g.client(len(g.Devices)-1, s.at(s.A), func(o *Options) { o.Back = time.Second }) // may be revoked
	for i := range 2 {
		random := rand.New(rand.NewPCG(seed, 100*n+uint64(i)+50))
		s.workers.Go(func() { l.probe(ctx, s, 7+i, random) })
	}
	return l
}

// fault is the course of a scenario: warm, fault, tail, heal, and all are equal.
func (s *scenario) fault(ctx context.Context) (floor Floor) {
	begin := time.Now()
	pause(ctx, time.Second)
	s.ok(Poll(ctx, patient, "a patch is in flight", func() bool { floor.InFlight = s.inFlight(); return floor.InFlight > 0 }))
	floor.Acked, floor.Over = s.acks(), time.Since(begin)
	for _, f := range s.faults {
		s.ok(f.begin(s))
		pause(ctx, time.Duration(s.random.IntN(Runs(500, 2000)))*time.Millisecond)
	}
	floor.Fired = true
	pause(ctx, time.Duration(500+s.random.IntN(Runs(2000, 8000)))*time.Millisecond)
	pause(ctx, time.Second)
	s.ok(s.heal())
	healed := time.Now()
	s.quit()
	s.workers.Wait()
	for _, l := range s.lives {
		for _, w := range l.writers {
			l.checked = append(l.checked, w.client)
		}
		l.settled(l.checked...)
		l.put(l.writers[s.random.IntN(4)].client, key(101), `"tombstone"`)
	}
	floor.Tombstone = true
	stored := time.Since(healed)
	for _, l := range s.lives {
		l.converged(max(2*time.Second-stored, time.Second), l.checked...)
	}
	s.Logf("last writes %v after the heal, equal after %v", stored, time.Since(healed))
	return floor
}

func (s *scenario) heal() (err error) {
	s.healing = true
	last := func(f fault) bool { return f.on == "device" } // one is revoked once the servers can do it
	for _, now := range []bool{false, true} {
		for _, f := range s.faults {
			if last(f) == now {
				err = errors.Join(err, f.heal(s))
			}
		}
	}
	return err
}

func (s *scenario) inFlight() (n int) {
	for _, l := range s.lives {
		for _, c := range l.all() {
			n += c.InFlight()
		}
	}
	return n
}

func (s *scenario) acks() (n int) {
	for _, l := range s.lives {
		for _, p := range l.Ledger.Patches() {
			if p.Answered() && p.Acked {
				n++
			}
		}
	}
	return n
}

// judgeLives asks every oracle about every user.
func (s *scenario) judgeLives() {
	s.Helper()
	for n, l := range s.lives {
		rows := l.judge()
		l.none("probes (I9)", l.wrong)
		l.none("probes (I8)", CheckStream("a probe", l.probes, rows))
		if why := CheckLinear(l.Ledger.Patches(), l.reads, time.Minute); why != "" {
			l.Errorf("checker 2, user %d: %s", n, why)
		}
		s.available(l)
		l.Logf("user %d: %+v, %d reads, %d probes", n, l.Ledger.Tally(), len(l.reads), len(l.probes))
	}
}

// available holds the writer that stayed with B against the faults of A alone:
// it must hardly notice.
func (s *scenario) available(l *life) {
	for _, f := range s.faults {
		if !f.onlyA {
			return
		}
	}
	refused, acked := l.writers[1].refused, 0
	for _, p := range l.Ledger.Patches() {
		if p.Device == l.Devices[1].ID && p.Answered() && p.Acked {
			acked++
		}
	}
	if refused*99 > acked {
		l.Errorf("through the healthy node %d patches were refused, %d acked", refused, acked)
	}
}
