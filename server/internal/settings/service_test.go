package settings

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"social-server/internal/errs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// slowStore commits when it is told to, and counts its groups.
type slowStore struct {
	go_    chan error // one value lets one commit end
	begun  chan int   // the size of each group
	mu     sync.Mutex
	events []string
	head   Head
}

func newSlowStore() *slowStore {
	return &slowStore{go_: make(chan error), begun: make(chan int, 100)}
}

func (s *slowStore) note(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, fmt.Sprintf(format, args...))
}

func (s *slowStore) Commit(_ context.Context, group []*Write, limits Limits) ([]Outcome, error) {
	s.begun <- len(group)
	if err := <-s.go_; err != nil {
		return nil, err
	}
	outcomes := make([]Outcome, len(group))
	for i, w := range group {
		outcomes[i] = Decide(w, Current{Head: &s.head, Value: func(Key) (Value, bool) { return Value{}, false }}, limits)
		s.note("commit %s", w.Patch.ID)
	}
	return outcomes, nil
}

func (s *slowStore) Changed(context.Context, string, uint64) (Head, []Entry, error) {
	return s.head, nil, nil
}

func (s *slowStore) Current(context.Context, string, Patch) (Current, error) {
	head := s.head
	return Current{Head: &head, Value: func(Key) (Value, bool) { return Value{}, false }}, nil
}

func (s *slowStore) History(context.Context, string, HistoryQuery) (Page, error) {
	return Page{}, nil
}

func period(id string) Patch {
	return Patch{ID: id, Set: []Assignment{{Key{"billing", "period"}, "4"}}}
}

func newTestService(store *slowStore) *Service {
	return NewService(store, DemoSchema(), DefaultLimits, store, time.Now)
}

// The store of these tests is the publisher too, so that all is noted in order.
func (s *slowStore) Publish(_ string, c Change)  { s.note("publish %d", c.Revision) }
func (s *slowStore) CommitUncertain(user string) { s.note("doubt %s", user) }

// [SPEC I2] Commit, then publish, then answer.
func TestServiceOrder(t *testing.T) {
	store := newSlowStore()
	s := newTestService(store)
	defer s.Close()
	done := make(chan Outcome)
	s.Submit("u", "d", period("a"), func(o Outcome) {
		store.note("answer %d", o.Answer.Revision)
		done <- o
	})
	store.go_ <- nil
	<-done
	if got := fmt.Sprint(store.events); got != "[commit a publish 1 answer 1]" {
		t.Error(got)
	}
}

// A lone patch does not wait; those that arrive during its commit form one group, in order.
func TestServiceGroups(t *testing.T) {
	store := newSlowStore()
	s := newTestService(store)
	defer s.Close()
	var all sync.WaitGroup
	submit := func(id string) {
		all.Add(1)
		s.Submit("u", "d", period(id), func(Outcome) { all.Done() })
	}
	submit("a")
	if n := <-store.begun; n != 1 {
		t.Fatalf("the lone patch went in a group of %d", n)
	}
	for _, id := range []string{"b", "c", "d"} {
		submit(id)
	}
	store.go_ <- nil
	if n := <-store.begun; n != 3 {
		t.Errorf("the three that waited went in a group of %d", n)
	}
	store.go_ <- nil
	all.Wait()
	want := "[commit a publish 1 commit b commit c commit d publish 2 publish 3 publish 4]"
	if got := fmt.Sprint(store.events); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A failed commit fails every patch in it and publishes nothing; but it may have
// been stored, so its users are doubted, once each. The next one is tried.
func TestServiceFailedCommit(t *testing.T) {
	store := newSlowStore()
	s := newTestService(store)
	defer s.Close()
	ends := make(chan Outcome, 3)
	submit := func(id string) { s.Submit("u", "d", period(id), func(o Outcome) { ends <- o }) }
	submit("a")
	<-store.begun
	submit("b")
	submit("c")
	store.go_ <- nil
	<-ends
	<-store.begun
	full := &errs.Error{Code: errs.StorageFull}
	store.go_ <- full
	for range 2 {
		if o := <-ends; !errors.Is(o.Err, full) {
			t.Errorf("got %+v", o)
		}
	}
	if got := fmt.Sprint(store.events); got != "[commit a publish 1 doubt u]" {
		t.Errorf("got %s", got)
	}
	submit("d")
	<-store.begun
	store.go_ <- nil
	if o := <-ends; o.Err != nil || o.Answer.Revision != 2 {
		t.Errorf("after the failure: %+v", o)
	}
}

// [S-PG-3] When the database does not answer, what waits behind the group is
// refused with it: in line for the next try it would wait as long again.
func TestServiceRefusesWhatWaits(t *testing.T) {
	store := newSlowStore()
	s := newTestService(store)
	defer s.Close()
	ends := make(chan Outcome, 3)
	submit := func(id string) { s.Submit("u", "d", period(id), func(o Outcome) { ends <- o }) }
	submit("a")
	<-store.begun
	submit("b")
	submit("c")
	away := &errs.Error{Code: errs.Unavailable}
	store.go_ <- away
	for range 3 {
		if o := <-ends; !errors.Is(o.Err, away) {
			t.Errorf("got %+v", o)
		}
	}
	if got := fmt.Sprint(store.events); got != "[doubt u]" { // of the first alone it is not known
		t.Errorf("got %s", got)
	}
	submit("d")
	<-store.begun
	store.go_ <- nil
	if o := <-ends; o.Err != nil || o.Answer.Revision != 1 {
		t.Errorf("after the failure: %+v", o)
	}
}

// A commit failed, and when the doubt was raised it may have been under way
// still. The next commit of the user comes after it, so the doubt is repeated,
// once: a repetition is published to nobody. (Found by cutting the node from
// PostgreSQL when COMMIT had left: the other node was behind until its check.)
func TestDoubtIsRepeated(t *testing.T) {
	store := newSlowStore()
	s := newTestService(store)
	defer s.Close()
	done := make(chan Outcome, 1)
	for i, err := range []error{errs.New(errs.Unavailable, "lost"), nil, nil} {
		s.Submit("u", "d", period(fmt.Sprint(i)), func(o Outcome) { done <- o })
		store.go_ <- err
		<-done
	}
	if got := fmt.Sprint(store.events); got != "[doubt u commit 1 publish 1 doubt u commit 2 publish 2]" {
		t.Errorf("events %s", got)
	}
}

// A bad patch is refused without the store, and Close stores what was handed over.
func TestServiceClose(t *testing.T) {
	store := newSlowStore()
	s := newTestService(store)
	if _, err := s.Apply(t.Context(), "u", "d", Patch{ID: "not an id"}); !errs.Is(err, errs.Invalid) {
		t.Errorf("a bad id: %v", err)
	}
	end := make(chan Outcome, 1)
	s.Submit("u", "d", period("a"), func(o Outcome) { end <- o })
	<-store.begun
	closed := make(chan struct{})
	go func() { s.Close(); close(closed) }()
	store.go_ <- nil
	<-closed
	if o := <-end; o.Err != nil {
		t.Errorf("handed over before Close: %+v", o)
	}
	if _, err := s.Apply(t.Context(), "u", "d", period("b")); !errs.Is(err, errs.Unavailable) {
		t.Errorf("after Close: %v", err)
	}
}

// A store that stands still is answered with unavailable, not with memory.
func TestServiceQueueIsBounded(t *testing.T) {
	store := newSlowStore()
	s := newTestService(store)
	var mu sync.Mutex
	refused, stored := 0, 0
	count := func(o Outcome) {
		mu.Lock()
		defer mu.Unlock()
		if errs.Is(o.Err, errs.Unavailable) {
			refused++
		} else {
			stored++
		}
	}
	s.Submit("u", "d", period("first"), count)
	<-store.begun
	for i := range queueSize + 5 {
		s.Submit("u", "d", period(fmt.Sprint("p", i)), count)
	}
	go func() {
		for range store.begun {
		}
	}()
	defer close(store.begun)
	stop := make(chan struct{})
	go func() {
		for {
			select {
			case store.go_ <- nil:
			case <-stop:
				return
			}
		}
	}()
	s.Close()
	close(stop)
	if refused != 5 || stored != queueSize+1 {
		t.Errorf("%d refused, %d stored", refused, stored)
	}
}

func TestApplyGivesUpWithItsContext(t *testing.T) {
	store := newSlowStore()
	s := newTestService(store)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-store.begun; cancel() }()
	if _, err := s.Apply(ctx, "u", "d", period("a")); err == nil {
		t.Error("no error")
	}
	store.go_ <- nil // only now: an answer there already may win over the context
	s.Close()
}
