package hub

import (
	"sync"
	"testing"
	"testing/synctest"
)

// [SPEC S1] [SPEC I7] A session whose network is full is left to a goroutine of
// its own, and misses nothing; the others are written to meanwhile without one.
func TestFullNetworkDelaysNobody(t *testing.T) {
	source := newSource("d_1", "d_2")
	bubble(t, source, func(t *testing.T, r *Registry) {
		full, free := &fakeConn{}, &fakeConn{}
		defer open(t, r, "d_1", full, nil).Detach()
		defer open(t, r, "d_2", free, nil).Detach()
		synctest.Wait()
		full.take()
		free.take()
		stuck := make(chan struct{})
		full.mu.Lock()
		full.stuck = stuck
		full.mu.Unlock()
		for range 3 {
			r.Publish("u", source.commit("salary", "1", "d_2"))
			synctest.Wait()
		}
		if types, _ := free.take(); types != "change change change" || free.quick != free.writes {
			t.Errorf("the other was sent %q, in %d quick writes of %d", types, free.quick, free.writes)
		}
		if types, _ := full.take(); types != "" {
			t.Errorf("a full network took %q", types)
		}
		close(stuck)
		synctest.Wait()
		if types, _ := full.take(); types != "change change" { // the one it was full for, and one with all the rest
			t.Errorf("then it was sent %q", types)
		}
	})
}

// Whoever is woken when no goroutine writes for all any more gets one of its own.
func TestPushesEnd(t *testing.T) {
	var p pushes
	p.more.L = &p.mu
	one := &Session{}
	for range 3 * pushMost {
		if !p.add(one) {
			t.Fatal("not taken")
		}
	}
	p.close()
	if p.add(one) {
		t.Error("taken after the end")
	}
	var mu sync.Mutex
	taken := 0
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			for batch := p.take(nil); len(batch) > 0; batch = p.take(nil) {
				mu.Lock()
				taken += len(batch)
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if taken != 3*pushMost {
		t.Errorf("%d of %d were taken", taken, 3*pushMost)
	}
}
