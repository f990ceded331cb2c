package settings

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

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

// Commits keep a distance while patches keep coming, a lone patch is stored at
// once, and every patch is answered.
func TestCommitsAreBatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &lasting{slowStore: newSlowStore(), takes: 100 * time.Microsecond}
		s := NewService(store, DemoSchema(), DefaultLimits, store, time.Now)
		defer s.Close()
		answered := make(chan Outcome, 5001)
		submit := func() { s.Submit("u", "d", period("x"), func(o Outcome) { answered <- o }) }
		for range 5000 {
			time.Sleep(20 * time.Microsecond)
			submit()
		}
		time.Sleep(time.Second)
		lone := time.Now()
		submit()
		synctest.Wait()
		if last := store.groups[len(store.groups)-1]; !last.Equal(lone) {
			t.Errorf("a lone patch waited %v", last.Sub(lone))
		}
		time.Sleep(time.Second)
		if len(answered) != 5001 {
			t.Errorf("%d answered", len(answered))
		}
		for i, at := range store.groups[1:] {
			if apart := at.Sub(store.groups[i]); apart < batchInterval {
				t.Errorf("a commit began %v after the last", apart)
			}
		}
	})
}
