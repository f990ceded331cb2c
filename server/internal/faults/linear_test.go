package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Both checkers on the history of eight devices over real sockets, which lose
// connections and die with patches under way, while the server is killed once.
func TestLinearizable(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := newRig(t)
	proxy := r.proxy()
	var workers sync.WaitGroup
	var mu sync.Mutex // guards the following, and r.clients
	var reads []Read
	perWorker := Runs(60, 200)
	for n := range 8 {
		workers.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(n)))
			for i := range perWorker {
				if read, ok := r.oneStep(&mu, proxy, random, n, i); ok {
					mu.Lock()
					reads = append(reads, read)
					mu.Unlock()
				}
			}
		})
	}
	pause(t.Context(), 300*time.Millisecond)
	r.ok(r.Kill())
	r.start()
	workers.Wait()
	r.judge()
	patches := r.Ledger.Patches()
	began := time.Now()
	if why := CheckLinear(patches, reads, time.Minute); why != "" {
		t.Error(why)
	}
	t.Logf("%d patches %+v and %d reads, checked in %v", len(patches), r.Ledger.Tally(), len(reads), time.Since(began))
}

// oneStep is one operation of a worker: mostly a patch, sometimes a read, a cut
// or a death.
func (r *rig) oneStep(mu *sync.Mutex, proxy *Proxy, random *rand.Rand, n, i int) (Read, bool) {
	mu.Lock()
	at := slices.IndexFunc(r.clients, func(c *Client) bool { return c.ID == r.Devices[n].ID })
	var c *Client
	if at >= 0 {
		for _, other := range r.clients { // the newest
			if other.ID == r.Devices[n].ID {
				c = other
			}
		}
	} else {
		c = r.client(n, r.through(proxy))
	}
	mu.Unlock()
	switch random.IntN(20) {
	case 0, 1, 2, 3:
		return r.read(n)
	case 4:
		c.Drop()
	}
	name := key(random.IntN(10))
	p := &Patch{ID: fmt.Sprintf("%d-%d", n, i), Set: one(name, fmt.Sprintf(`"%d-%d"`, n, i))}
	switch random.IntN(5) {
	case 0:
		p.Base = map[string]uint64{name: c.State().Values[name].Revision}
	case 1:
		p.Base = map[string]uint64{name: uint64(random.IntN(5))}
	case 2:
		p.Set[name] = "null"
	}
	c.Submit(p)
	if random.IntN(30) == 0 { // the device dies; another life of it goes on
		mu.Lock()
		r.client(n, r.through(proxy))
		mu.Unlock()
		c.Close()
		return Read{}, false
	}
	timeout := time.NewTimer(patient)
	defer timeout.Stop()
	select {
	case <-p.Done:
	case <-timeout.C:
		r.Errorf("no answer to %s", p.ID)
	}
	return Read{}, false
}

// read is one GET of the settings; ok is false while the server is away.
func (r *rig) read(n int) (Read, bool) { return r.readAt(r.Context(), r.Addr(), n) }

func (g *group) readAt(ctx context.Context, addr string, n int) (Read, bool) {
	var answer struct {
		Revision uint64
		Settings map[string]map[string]json.RawMessage
		Keys     values
	}
	read := Read{Sent: time.Now()}
	err := want(ctx, addr, http.StatusOK,
		Request{Method: "GET", Path: "/users/" + g.user + "/settings", Token: g.Devices[n].Token}, &answer)
	if err != nil {
		return read, false
	}
	read.End, read.Head, read.Values = time.Now(), answer.Revision, answer.Keys.flat()
	for name, text := range flatten(answer.Settings, func(v json.RawMessage) string { return string(v) }) {
		if v, known := read.Values[name]; known {
			if v.Text = text; text == "0" {
				v.Text = "null" // reset keys show the default, which no one chose here
			}
			read.Values[name] = v
		}
	}
	return read, true
}

// The checkers find what is wrong with histories made wrong by hand.
func TestCheckersFindMistakes(t *testing.T) {
	at := func(ms int) time.Time { return time.Unix(0, 0).Add(time.Duration(ms) * time.Millisecond) }
	done := make(chan struct{})
	close(done)
	patch := func(id string, sent, end int, result Result) *Patch {
		return &Patch{ID: id, Device: "d", Set: one("set.a", `"`+id+`"`), Sent: at(sent), End: at(end), Sends: 1, Done: done, Result: result}
	}
	acked := func(revision uint64) Result { return Result{Acked: true, Revision: revision} }
	good := []*Patch{patch("a", 0, 10, acked(1)), patch("b", 20, 30, acked(2))}
	seen := func(head uint64, text string) []Read {
		return []Read{{Sent: at(40), End: at(50), Head: head, Values: map[string]Value{"set.a": {text, head}}}}
	}
	for name, tt := range map[string]struct {
		patches       []*Patch
		reads         []Read
		order, linear bool // found by checker 1, 2
	}{
		"nothing wrong":     {good, seen(2, `"b"`), false, false},
		"order turned":      {[]*Patch{patch("a", 0, 10, acked(2)), patch("b", 20, 30, acked(1))}, nil, true, true},
		"revision twice":    {[]*Patch{patch("a", 0, 10, acked(1)), patch("b", 5, 30, acked(1))}, nil, true, true},
		"lost":              {good, seen(1, `"a"`), false, true},
		"revision left out": {[]*Patch{patch("a", 0, 10, acked(2))}, nil, false, true},
		"stored twice":      {[]*Patch{patch("a", 0, 10, acked(1)), patch("a", 20, 30, acked(2))}, nil, false, true},
		"no answer, stored": {append([]*Patch{{ID: "c", Device: "d", Set: one("set.a", `"c"`), Sent: at(31), Done: make(chan struct{})}}, good...),
			seen(3, `"c"`), false, false},
	} {
		if got := CheckOrder(tt.patches); (len(got) > 0) != tt.order {
			t.Errorf("%s: checker 1 says %q", name, got)
		}
		if got := CheckLinear(tt.patches, tt.reads, time.Minute); (got != "") != tt.linear {
			t.Errorf("%s: checker 2 says %q", name, got)
		}
	}
	if why := (Floor{Acked: 10, Over: time.Second, Fired: true, InFlight: 1, Tombstone: true}).Check(50); !strings.Contains(why, "INVALID") {
		t.Errorf("ten writes a second count as a load: %q", why)
	}
}
