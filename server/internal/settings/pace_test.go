package settings

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A lone patch waits for nobody, and neither do a thousand in a second; where
// they come faster, commits keep their distance.
func TestPace(t *testing.T) {
	for name, tt := range map[string]struct {
		every time.Duration // between two groups
		size  int
		most  time.Duration // what a group waits
		paced bool
	}{
		"a lone patch now and then": {10 * time.Second, 1, 0, false},
		"a thousand a second":       {time.Millisecond, 1, 0, false},
		"two thousand a second":     {500 * time.Microsecond, 1, 0, false},
		"three thousand a second":   {333 * time.Microsecond, 1, pacing / 2, true},
		"five thousand a second":    {400 * time.Microsecond, 2, pacing, true},
		"large groups":              {5 * time.Millisecond, 100, 0, false}, // they are far enough apart
	} {
		t.Run(name, func(t *testing.T) {
			var p pace
			now, waited := time.Unix(0, 0), false
			for range 3000 {
				now = now.Add(tt.every)
				wait := p.wait(now)
				if wait > tt.most {
					t.Fatalf("a group waits %v", wait)
				}
				waited = waited || wait > 0
				p.begin(now, tt.size)
			}
			if waited != tt.paced {
				t.Errorf("paced: %v", waited)
			}
			if wait := p.wait(now.Add(time.Minute)); wait > 0 {
				t.Errorf("a minute later a lone patch waits %v", wait)
			}
		})
	}
}

// instant is a store whose commits take no time.
type instant struct {
	*slowStore
	mu     sync.Mutex
	groups []time.Time
}

func (s *instant) Commit(_ context.Context, group []*Write, limits Limits) ([]Outcome, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.groups = append(s.groups, time.Now())
	return make([]Outcome, len(group)), nil
}

// The service keeps the distance, and answers all.
func TestServiceIsPaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &instant{slowStore: newSlowStore()}
		s := NewService(store, DemoSchema(), DefaultLimits, store, time.Now)
		defer s.Close()
		answered := make(chan Outcome, 5000)
		for range 5000 {
			time.Sleep(200 * time.Microsecond)
			s.Submit("u", "d", period("x"), func(o Outcome) { answered <- o })
		}
		time.Sleep(pacing)
		synctest.Wait()
		if len(answered) != 5000 {
			t.Errorf("%d answered", len(answered))
		}
		early, late := 0, 0 // while the rate is learnt, and then
		for i, at := range store.groups[1:] {
			switch since := at.Sub(store.groups[0]); {
			case at.Sub(store.groups[i]) >= pacing:
			case since < 750*time.Millisecond:
				early++
			default:
				late++
			}
		}
		if early == 0 || late > 0 || len(store.groups) < 500 {
			t.Errorf("of %d commits %d and then %d began sooner than %v after the last", len(store.groups), early, late, pacing)
		}
	})
}
