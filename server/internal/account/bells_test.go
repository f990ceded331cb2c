package account_test

import (
	"context"
	"testing"
	"time"

	"social-server/internal/account"
	"social-server/internal/errs"
)

// TestWaitingIsAnsweredAtOnce, whichever way the ask ends, and not before.
func TestWaitingIsAnsweredAtOnce(t *testing.T) {
	ends := map[string]struct {
		end  func(w *world, anna account.Identity, ask account.Ask) error
		want string
	}{
		"approved": {func(w *world, anna account.Identity, ask account.Ask) error {
			return w.Approve(w.t.Context(), anna, "A", ask.ID, ask.Code)
		}, account.AskApproved},
		"denied": {func(w *world, anna account.Identity, ask account.Ask) error {
			return w.Deny(w.t.Context(), anna, "A", ask.ID, false)
		}, account.AskDenied},
		"on another node": {func(w *world, anna account.Identity, ask account.Ask) error {
			other := w.open()
			if err := other.Approve(w.t.Context(), anna, "A", ask.ID, ask.Code); err != nil {
				return err
			}
			for _, answered := range w.live.answered {
				w.Ring(answered) // as the relay would
			}
			return other.Close()
		}, account.AskApproved},
		"the server stops": {func(w *world, _ account.Identity, _ account.Ask) error {
			w.StopWaiting()
			return nil
		}, account.AskWaiting},
	}
	for name, tt := range ends {
		t.Run(name, func(t *testing.T) {
			w, anna, bob := guest(t)
			ask := w.ask(bob, "A")
			answers := make(chan account.Ask)
			const pages = 3
			for range pages {
				go func() {
					answer, err := w.AwaitAsk(t.Context(), bob, ask.ID, time.Hour)
					if err != nil {
						t.Error(err)
					}
					answers <- answer
				}()
			}
			w.Listening(ask.ID, pages)
			if err := tt.end(w, anna, ask); err != nil {
				t.Fatal(err)
			}
			for range pages {
				if got := (<-answers).State; got != tt.want {
					t.Errorf("answered %s", got)
				}
			}
			if left := w.Bells(); left != 0 {
				t.Errorf("%d bells are left", left)
			}
		})
	}
}

// TestWaitingEnds when its time is over, when the peer has gone, and at once
// when there is nothing to wait for.
func TestWaitingEnds(t *testing.T) {
	w, anna, bob := guest(t)
	ask := w.ask(bob, "A")
	if got, err := w.AwaitAsk(t.Context(), bob, ask.ID, time.Millisecond); err != nil || got.State != account.AskWaiting {
		t.Errorf("after its time: %+v, %v", got, err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := w.AwaitAsk(gone, bob, ask.ID, time.Hour)
	wantCode(t, "a peer that has gone", err, errs.Unavailable)
	wantCode(t, "Deny", w.Deny(t.Context(), anna, "A", ask.ID, false), "")
	if got, err := w.AwaitAsk(t.Context(), bob, ask.ID, time.Hour); err != nil || got.State != account.AskDenied {
		t.Errorf("answered before: %+v, %v", got, err)
	}
	again := w.ask(bob, "A")
	w.clock.advance(10 * time.Minute)
	if got, err := w.AwaitAsk(t.Context(), bob, again.ID, time.Hour); err != nil || got.State != account.AskExpired {
		t.Errorf("expired before: %+v, %v", got, err)
	}
	w.StopWaiting()
	last := w.ask(bob, "A")
	if got, err := w.AwaitAsk(t.Context(), bob, last.ID, time.Hour); err != nil || got.State != account.AskWaiting {
		t.Errorf("at a server that stops: %+v, %v", got, err)
	}
}

// TestTooManyWaitForOneAnswer: a page that opens request after request holds
// no more than eight; the others are let go with what there is.
func TestTooManyWaitForOneAnswer(t *testing.T) {
	w, _, bob := guest(t)
	ask := w.ask(bob, "A")
	answers := make(chan string)
	for range 9 {
		go func() {
			answer, err := w.AwaitAsk(t.Context(), bob, ask.ID, time.Hour)
			if err != nil {
				t.Error(err)
			}
			answers <- answer.State
		}()
	}
	for range 9 {
		if got := <-answers; got != account.AskWaiting {
			t.Errorf("let go with %s", got)
		}
	}
}
