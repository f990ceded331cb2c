package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"social-server/internal/errs"
	"social-server/internal/protocol"
)

// [SPEC E5] A node that goes while others stay moves its sessions one by one over
// the window, each with its own time to come back. Those not told yet work on.
func TestDrain(t *testing.T) {
	source := newSource("d_1")
	synctest.Test(t, func(t *testing.T) {
		r := newTestRegistry(source)
		const n = 8
		conns, sessions := make([]*fakeConn, n), make([]*Session, n)
		for i := range n {
			conns[i] = &fakeConn{}
			sessions[i] = open(t, r, "d_1", conns[i], nil)
		}
		synctest.Wait()
		drained := make(chan error)
		go func() { drained <- r.Drain(t.Context(), 8*time.Second) }()
		synctest.Wait()
		if _, err := r.Attach(t.Context(), opening("d_1", &fakeConn{}, nil)); !errs.Is(err, errs.Unavailable) {
			t.Errorf("attached to a node that goes: %v", err)
		}
		for i := 1; i <= n; i++ {
			if left := stillOpen(conns); left != n-i {
				t.Errorf("after %d s %d sessions are open, want %d", i-1, left, n-i)
			}
			revision := work(t, r, source, sessions, conns)
			if i < n && revision == 0 {
				t.Errorf("after %d s no session works", i-1)
			}
			time.Sleep(time.Second)
			synctest.Wait()
		}
		if err := <-drained; err != nil {
			t.Error(err)
		}
		retries := make(map[int64]bool)
		for _, conn := range conns {
			retries[retryIn(t, conn)] = true
		}
		if len(retries) < n-1 { // two may be alike, once in a while
			t.Errorf("times to come back: %v", retries)
		}
		for _, s := range sessions {
			s.Detach()
		}
		if err := r.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func stillOpen(conns []*fakeConn) (n int) {
	for _, conn := range conns {
		if conn.end() == "" {
			n++
		}
	}
	return n
}

// work sends a patch on every session; those that were told refuse it, the
// others store it, and are sent it. It returns the last revision.
func work(t *testing.T, r *Registry, source *fakeSource, sessions []*Session, conns []*fakeConn) (revision uint64) {
	t.Helper()
	for i, s := range sessions {
		switch err := s.Begin(); {
		case conns[i].end() != "" && !errs.Is(err, errs.Unavailable):
			t.Errorf("a patch after bye: %v", err)
		case conns[i].end() != "":
		case err != nil:
			t.Errorf("a patch before bye: %v", err)
		default:
			change := source.commit("salary", fmt.Sprint(i), "d_1")
			r.Publish("u", change)
			answer(s, change.Revision)
			revision = change.Revision
		}
	}
	synctest.Wait()
	return revision
}

// retryIn checks a session's last words, and returns when it is to come back.
func retryIn(t *testing.T, conn *fakeConn) int64 {
	t.Helper()
	types, frames := conn.take()
	var bye struct{ RetryIn int64 }
	if err := json.Unmarshal([]byte(last(frames, "bye")), &bye); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(types, "bye") || conn.end() != "4000 restart" || bye.RetryIn < 500 || bye.RetryIn > 2500 {
		t.Errorf("sent %q, closed %q, to come back in %d ms", types, conn.end(), bye.RetryIn)
	}
	return bye.RetryIn
}

// [SPEC E5] A session that is to go answers first what it was sent before.
func TestDrainWaitsForAnswers(t *testing.T) {
	source := newSource("d_1")
	bubble(t, source, func(t *testing.T, r *Registry) {
		conn := &fakeConn{}
		s := open(t, r, "d_1", conn, nil)
		defer s.Detach()
		synctest.Wait()
		for range 2 {
			if err := s.Begin(); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Drain(t.Context(), time.Second); err != nil {
			t.Fatal(err)
		}
		if err := s.Begin(); !errs.Is(err, errs.Unavailable) {
			t.Errorf("a third patch: %v", err)
		}
		change := source.commit("salary", "1", "d_1")
		r.Publish("u", change)
		answer(s, 1)
		synctest.Wait()
		if conn.end() != "" {
			t.Error("closed before the second answer")
		}
		s.Answer(protocol.Refused("q", errs.From(errs.Field("billing.salary", "no"))), 0)
		synctest.Wait()
		if types, _ := conn.take(); !strings.HasSuffix(types, "change ack refused bye") || conn.end() != "4000 restart" {
			t.Errorf("sent %q, closed %q", types, conn.end())
		}
	})
}

// A drain that is cut short leaves the rest to Close; and one without a window, all.
func TestDrainIsCutShort(t *testing.T) {
	for _, window := range []time.Duration{0, time.Hour} {
		bubble(t, newSource("d_1"), func(t *testing.T, r *Registry) {
			conns := []*fakeConn{{}, {}}
			for _, conn := range conns {
				s := open(t, r, "d_1", conn, nil)
				go func() {
					for conn.end() == "" {
						time.Sleep(time.Millisecond)
					}
					s.Detach()
				}()
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if err := r.Drain(ctx, window); (err != nil) != (window > 0) {
				t.Errorf("drain: %v", err)
			}
			synctest.Wait()
			if left := stillOpen(conns); window == 0 && left != 2 || window > 0 && left != 1 {
				t.Errorf("window %v: %d are open", window, left)
			}
		})
	}
}
