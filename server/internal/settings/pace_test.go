package settings

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A lone patch waits for nobody, and neither does anybody while commits leave time;
// where they do not, they keep their distance.
func TestPace(t *testing.T) {
	for name, tt := range map[string]struct {
		took, rest time.Duration // each commit, and until the next one would begin
		least      time.Duration // that the last ones began apart
		most       time.Duration
	}{
		"a lone patch now and then":  {time.Millisecond, 10 * time.Second, 10*time.Second + time.Millisecond, 10*time.Second + time.Millisecond},
		"a third of the time":        {500 * time.Microsecond, time.Millisecond, 1500 * time.Microsecond, 1500 * time.Microsecond},
		"half of the time":           {100 * time.Microsecond, 100 * time.Microsecond, 200 * time.Microsecond, 300 * time.Microsecond},
		"one after the other":        {500 * time.Microsecond, 0, 900 * time.Microsecond, 1200 * time.Microsecond},
		"one after the other, heavy": {1500 * time.Microsecond, 0, pacing - time.Microsecond, pacing},
		"a slow disk":                {5 * time.Millisecond, 0, 5 * time.Millisecond, 5 * time.Millisecond}, // they are far enough apart
	} {
		t.Run(name, func(t *testing.T) {
			var p pace
			now, apart := time.Unix(0, 0), time.Duration(0)
			for range 3000 {
				began := now
				p.begin(now)
				now = now.Add(tt.took)
				p.end(now)
				now = now.Add(tt.rest)
				now = now.Add(p.wait(now))
				apart = now.Sub(began)
			}
			if apart < tt.least || apart > tt.most {
				t.Errorf("commits begin %v apart, not %v to %v", apart, tt.least, tt.most)
			}
			if wait := p.wait(now.Add(time.Minute)); wait > 0 {
				t.Errorf("a minute later a lone patch waits %v", wait)
			}
		})
	}
}

// lasting is a store whose commits take a time that does not depend on how much they store.
type lasting struct {
	*slowStore
	takes time.Duration

	mu     sync.Mutex
	groups []time.Time
}

func (s *lasting) Commit(_ context.Context, group []*Write, limits Limits) ([]Outcome, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.groups = append(s.groups, time.Now())
	time.Sleep(s.takes)
	return make([]Outcome, len(group)), nil
}

// The service keeps the distance, and answers all.
func TestServiceIsPaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &lasting{slowStore: newSlowStore(), takes: 1500 * time.Microsecond}
		s := NewService(store, DemoSchema(), DefaultLimits, store, time.Now)
		defer s.Close()
		answered := make(chan Outcome, 5000)
		for range 5000 {
			time.Sleep(200 * time.Microsecond)
			s.Submit("u", "d", period("x"), func(o Outcome) { answered <- o })
		}
		time.Sleep(2 * pacing)
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
