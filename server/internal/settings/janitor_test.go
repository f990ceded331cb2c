package settings

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// fakeMemory remembers so many steps' worth, and notes what is asked of it.
type fakeMemory struct {
	users []string      // in order; all are overdue
	takes time.Duration // a step
	block chan struct{} // if set, forgetting waits for its context

	mu      sync.Mutex     // guards the following
	answers int            // steps until they are forgotten
	history map[string]int // steps, by user
	fail    error
	asked   []string
}

// step notes what is asked, and whether there is more to do of it.
func (m *fakeMemory) step(left *int, format string, args ...any) (bool, error) {
	time.Sleep(m.takes) // the bubble's clock: no real wait
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked = append(m.asked, fmt.Sprintf(format, args...))
	*left--
	return *left > 0, m.fail
}

// taken returns what was asked since the last time, and sets what fails from here.
func (m *fakeMemory) taken(fail error) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	asked := m.asked
	m.asked, m.fail = nil, fail
	return asked
}

func (m *fakeMemory) Overdue(_ context.Context, after string, _ time.Time, _, most int) (users []string, last string, err error) {
	for _, user := range m.users {
		if user > after && len(users) < min(most, 2) {
			users, last = append(users, user), user
		}
	}
	return users, last, nil
}

func (m *fakeMemory) Forget(_ context.Context, user string, before time.Time, keep, most int) (bool, error) {
	steps := m.history[user]
	more, err := m.step(&steps, "%s before %s beyond %d by %d", user, before.Format(time.DateOnly), keep, most)
	m.history[user] = steps
	return more, err
}

func (m *fakeMemory) ForgetAnswers(ctx context.Context, before time.Time, most int) (bool, error) {
	if m.block != nil {
		close(m.block)
		<-ctx.Done()
		return false, ctx.Err()
	}
	return m.step(&m.answers, "answers before %s by %d", before.Format(time.DateOnly), most)
}

var keep = Keep{Answers: 30 * 24 * time.Hour, History: 90 * 24 * time.Hour, Records: 10_000}

func newTestJanitor(m *fakeMemory, log *bytes.Buffer) *Janitor {
	return NewJanitor(m, keep, Gently, slog.New(slog.NewTextHandler(log, nil)), time.Now)
}

// [SPEC U2] [SPEC P5] A sweep, a minute after the start and then hourly, goes through answers and every user's history, step by step.
func TestJanitorSweeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &fakeMemory{answers: 2, users: []string{"a", "b", "c"}, history: map[string]int{"b": 3}}
		j := newTestJanitor(m, &bytes.Buffer{})
		time.Sleep(time.Minute - time.Second) // the bubble's clock: no real wait
		synctest.Wait()
		if got := m.taken(nil); got != nil {
			t.Errorf("while devices come back %q", got)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		answers, history := "answers before 1999-12-02 by 500", " before 1999-10-03 beyond 10000 by 500"
		want := []string{answers, answers, "a" + history, "b" + history, "b" + history, "b" + history, "c" + history}
		if got := m.taken(nil); !reflect.DeepEqual(got, want) {
			t.Errorf("asked %q, want %q", got, want)
		}
		time.Sleep(time.Hour + time.Second)
		synctest.Wait()
		if got := m.taken(nil); len(got) != 4 {
			t.Errorf("an hour later %q", got)
		}
		j.Close()
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if got := m.taken(nil); got != nil {
			t.Errorf("after Close %q", got)
		}
	})
}

// A store that fails is left alone for an hour, and the log says so once.
func TestJanitorSurvivesFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		m := &fakeMemory{answers: 5, users: []string{"a"}, history: map[string]int{}, fail: errors.New("disk full")}
		j := newTestJanitor(m, &log)
		time.Sleep(time.Minute + time.Second)
		synctest.Wait()
		if got := m.taken(nil); len(got) != 1 || strings.Count(log.String(), "disk full") != 1 {
			t.Errorf("asked %q, logged %s", got, &log)
		}
		time.Sleep(time.Hour + time.Second)
		synctest.Wait()
		j.Close()
		if got := m.taken(nil); len(got) != 5 {
			t.Errorf("it did not try again: %q", got)
		}
	})
}

// A step is followed by a rest of nineteen times its length, so that a janitor takes 5 % of anything.
func TestJanitorRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &fakeMemory{takes: 10 * time.Millisecond, users: []string{"a", "b"}, history: map[string]int{"a": 7, "b": 2}}
		j := newTestJanitor(m, &bytes.Buffer{})
		time.Sleep(time.Minute + 9*200*time.Millisecond + time.Millisecond) // 1 of answers, 7 and 2 of users; the tenth is under way
		synctest.Wait()
		if got := m.taken(nil); len(got) != 9 {
			t.Errorf("%d steps", len(got))
		}
		time.Sleep(15 * time.Millisecond)
		synctest.Wait()
		if got := m.taken(nil); len(got) != 1 {
			t.Errorf("%d steps more", len(got))
		}
		j.Close() // in the middle of a rest
	})
}

// Close ends a sweep that is under way, waits for it, and is no failure.
func TestJanitorCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		m := &fakeMemory{block: make(chan struct{})}
		j := newTestJanitor(m, &log)
		<-m.block
		j.Close()
		if log.Len() > 0 {
			t.Errorf("logged %s", &log)
		}
	})
}
