package account_test

import (
	"context"
	"testing"
	"time"

	"social-server/internal/account"
	"social-server/internal/errs"
)

// A request that waits is answered whichever way the ask ends, on any node.
func TestWaitingIsAnswered(t *testing.T) {
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
			return other.Close()
		}, account.AskApproved},
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
			w.Waiting(pages)
			if err := tt.end(w, anna, ask); err != nil {
				t.Fatal(err)
			}
			for range pages {
				if got := (<-answers).State; got != tt.want {
					t.Errorf("answered %s", got)
				}
			}
			w.Waiting(0)
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
	_, err = w.AwaitAsk(t.Context(), bob, w.ask(bob, "A").ID, time.Hour)
	wantCode(t, "at a server that stops", err, errs.Unavailable)
}

// Fault E1: a request that waits outlives the right that opened it.
// [SPEC A2] It ends with the log-in, the device or the token, also when another
// node ended them, and with the server.
func TestWaitingEndsWithItsRight(t *testing.T) {
	ends := map[string]struct {
		end  func(w *world, bob account.Identity) error
		want errs.Code
	}{
		"log-out": {func(w *world, bob account.Identity) error { return w.Logout(w.t.Context(), bob) }, errs.Unauthorized},
		"revoked": {func(w *world, bob account.Identity) error {
			return w.RevokeDevice(w.t.Context(), bob, bob.DeviceID)
		}, errs.Revoked},
		"a new password": {func(w *world, bob account.Identity) error {
			_, other := w.login(bob.DeviceName)
			return w.ChangePassword(w.t.Context(), other, password, "tide under marble")
		}, errs.Unauthorized},
		"the account is deleted": {func(w *world, bob account.Identity) error {
			return w.DeleteAccount(w.t.Context(), bob)
		}, errs.Unauthorized},
		"the token's end": {func(w *world, bob account.Identity) error {
			w.clock.advance(bob.Expires.Sub(w.clock.Now()))
			return nil
		}, errs.Expired},
		"on another node": {func(w *world, bob account.Identity) error {
			other := w.open()
			if err := other.Logout(w.t.Context(), bob); err != nil {
				return err
			}
			return other.Close()
		}, errs.Unauthorized},
		"the server stops": {func(w *world, _ account.Identity) error {
			w.StopWaiting()
			return nil
		}, errs.Unavailable},
	}
	for name, tt := range ends {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, _, bob := guest(t, func(c *account.Config) { c.AccessLife = time.Minute }) // shorter than an ask's
			ask := w.ask(bob, "A")
			failures := make(chan error)
			go func() {
				_, err := w.AwaitAsk(t.Context(), bob, ask.ID, time.Hour)
				failures <- err
			}()
			w.Waiting(1)
			if err := tt.end(w, bob); err != nil {
				t.Fatal(err)
			}
			wantCode(t, name, <-failures, tt.want)
			w.Waiting(0)
		})
	}
}

// Fault E1: [SPEC C8] a device may wait in eight requests, whatever they wait
// for; one more is refused, and each that ends makes room.
func TestTooManyWait(t *testing.T) {
	w, anna, bob := guest(t)
	w.connect(anna, "B")
	asks := []account.Ask{w.ask(bob, "A"), w.ask(bob, "B")}
	answers := make(chan string)
	for i := range 8 {
		go func() {
			answer, err := w.AwaitAsk(t.Context(), bob, asks[i%2].ID, time.Hour)
			if err != nil {
				t.Error(err)
			}
			answers <- answer.State
		}()
	}
	w.Waiting(8)
	_, err := w.AwaitAsk(t.Context(), bob, asks[0].ID, time.Hour)
	wantCode(t, "a ninth", err, errs.QuotaExceeded)
	if _, err := w.AwaitAsk(t.Context(), bob, asks[0].ID, 0); err != nil {
		t.Errorf("a ninth that does not wait: %v", err)
	}
	wantCode(t, "Deny", w.Deny(t.Context(), anna, "A", asks[0].ID, false), "")
	for range 4 {
		if got := <-answers; got != account.AskDenied {
			t.Errorf("answered %s", got)
		}
	}
	if got, err := w.AwaitAsk(t.Context(), bob, asks[1].ID, time.Millisecond); err != nil || got.State != account.AskWaiting {
		t.Errorf("after others have ended: %+v, %v", got, err)
	}
	wantCode(t, "Deny", w.Deny(t.Context(), anna, "B", asks[1].ID, false), "")
	for range 4 {
		<-answers
	}
}
