package account_test

import (
	"fmt"
	"testing"
)

// TestWhatCameInBetween: when a transaction is run again because of another one,
// only what the last run did is told.
func TestWhatCameInBetween(t *testing.T) {
	t.Run("a device is revoked by others", func(t *testing.T) {
		w := newWorld(t)
		_, anna := w.device("anna", "anna@example.com")
		_, second := w.device("second", "anna@example.com")
		_, third := w.device("third", "anna@example.com")
		w.live.take()
		w.between = func() {
			if _, err := w.db.RevokeDevice(t.Context(), anna.AccountID, second.DeviceID, w.clock.Now()); err != nil {
				t.Error(err)
			}
		}
		wantCode(t, "RevokeOthers", w.RevokeOthers(t.Context(), anna), "")
		if told := fmt.Sprint(w.live.take()); told != "[revoked "+third.DeviceID+" []]" {
			t.Errorf("told %s", told)
		}
	})
	t.Run("the same was asked", func(t *testing.T) {
		w, _, bob := guest(t)
		w.between = func() { w.ask(bob, "A") }
		w.ask(bob, "A")
		if told := w.live.take(); len(told) != 1 {
			t.Errorf("told %q", told)
		}
	})
	t.Run("the device joined", func(t *testing.T) {
		w, anna, _ := guest(t)
		_, second := w.device("second", "anna@example.com")
		w.between = func() {
			if _, err := w.Join(t.Context(), second, "A"); err != nil {
				t.Error(err)
			}
		}
		w.live.take()
		if _, err := w.Join(t.Context(), second, "A"); err != nil {
			t.Error(err)
		}
		if told := w.live.take(); len(told) != 1 {
			t.Errorf("told %q of a device of %s", told, anna.AccountID)
		}
	})
}
