package account_test

import (
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"social-server/internal/account"
	"social-server/internal/errs"
)

const (
	oldKey = "old-key-old-key-old-key-old-key-"
	newKey = "new-key-new-key-new-key-new-key-"
)

func keys(all ...string) func(*account.Config) {
	return func(c *account.Config) {
		c.Secrets = nil
		for _, key := range all {
			c.Secrets = append(c.Secrets, []byte(key))
		}
	}
}

// TestKeyRotationUnderLoad: fifty devices use and refresh their tokens while
// the server changes its key, and while it drops the old one: nobody is logged
// out, and a token of the dropped key is worth nothing (SEC-22).
func TestKeyRotationUnderLoad(t *testing.T) {
	w := newWorld(t, keys(oldKey))
	const devices, rounds = 50, 6
	var serving atomic.Pointer[account.Service]
	serving.Store(w.Service)
	grants := make([]account.Grant, devices)
	for i := range grants {
		grants[i], _ = w.device("device "+strconv.Itoa(i), "a@example.com")
	}
	ofOldKey := grants[0].AccessToken

	// load lets every device refresh a few times; next serves from the middle on.
	load := func(next *account.Service) {
		var refreshed atomic.Int64
		var all sync.WaitGroup
		for i := range grants {
			all.Go(func() {
				for range rounds {
					var err error
					if grants[i], err = serving.Load().Refresh(t.Context(), grants[i].RefreshToken); err != nil {
						t.Errorf("device %d is logged out: %v", i, err)
						return
					}
					if refreshed.Add(1) == devices*rounds/2 {
						serving.Store(next)
					}
					if _, err := serving.Load().Authenticate(t.Context(), grants[i].AccessToken); err != nil {
						t.Errorf("device %d: %v", i, err)
					}
				}
			})
		}
		all.Wait()
	}
	both := w.open(keys(newKey, oldKey))
	load(both)
	load(both) // until every token is the new key's: in life, 15 minutes
	load(w.open(keys(newKey)))
	if told := w.live.take(); told != nil {
		t.Errorf("log-ins ended: %v", told)
	}
	_, err := serving.Load().Authenticate(t.Context(), ofOldKey)
	wantCode(t, "a token of the key that was removed", err, errs.Unauthorized)
	_, err = both.Authenticate(t.Context(), ofOldKey)
	wantCode(t, "the same while its key is a former one", err, "")
}

// TestLostAnswerAcrossARotation: the answer that was lost held a token derived
// under the old key; the server with the new one gives the very same again.
func TestLostAnswerAcrossARotation(t *testing.T) {
	w := newWorld(t, keys(oldKey))
	first, _ := w.device("phone", "a@example.com")
	lost, err := w.Refresh(t.Context(), first.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	rotated := w.open(keys(newKey, oldKey))
	again, err := rotated.Refresh(t.Context(), first.RefreshToken)
	if err != nil || again.RefreshToken != lost.RefreshToken {
		t.Fatalf("Refresh() = %v, %v, want the token that was lost", again.RefreshToken, err)
	}
	if _, err := rotated.Refresh(t.Context(), again.RefreshToken); err != nil {
		t.Error(err)
	}

	w = newWorld(t, keys(oldKey))
	first, _ = w.device("phone", "a@example.com")
	if lost, err = w.Refresh(t.Context(), first.RefreshToken); err != nil {
		t.Fatal(err)
	}
	without := w.open(keys(newKey))
	_, err = without.Refresh(t.Context(), first.RefreshToken)
	wantCode(t, "with the old key gone", err, errs.Unauthorized)
	_, err = without.Refresh(t.Context(), lost.RefreshToken)
	wantCode(t, "and the token, should it turn up", err, "")
}

// TestTwoHundredLostAnswers: each refresh is answered, the answer is lost, and
// the device asks again: it is never locked out (SEC-16).
func TestTwoHundredLostAnswers(t *testing.T) {
	w := newWorld(t)
	grant, who := w.device("phone", "a@example.com")
	for i := range 200 {
		if _, err := w.Refresh(t.Context(), grant.RefreshToken); err != nil { // nobody hears this
			t.Fatalf("refresh %d: %v", i, err)
		}
		next, err := w.Refresh(t.Context(), grant.RefreshToken)
		if err != nil {
			t.Fatalf("refresh %d, again: %v", i, err)
		}
		grant = next
	}
	if _, err := w.Authenticate(t.Context(), grant.AccessToken); err != nil {
		t.Error(err)
	}
	if told := w.live.take(); told != nil {
		t.Errorf("a false alarm: %v", told)
	}
	if logged(w, who, account.EventRefreshReuse) {
		t.Error("a false alarm in the audit log")
	}
}

// TestCopiedTokenIsLogged: the owner can see that a token was copied.
func TestCopiedTokenIsLogged(t *testing.T) {
	w := newWorld(t)
	first, who := w.device("phone", "a@example.com")
	second, err := w.Refresh(t.Context(), first.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Refresh(t.Context(), second.RefreshToken); err != nil {
		t.Fatal(err)
	}
	for range 3 { // it is news once
		_, err = w.Refresh(t.Context(), first.RefreshToken)
		wantCode(t, "the copied token", err, errs.Unauthorized)
	}
	lines, err := w.Audit(t.Context(), who, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, line := range lines {
		if line.Event == account.EventRefreshReuse && line.DeviceID == who.DeviceID && line.DeviceName == "phone" {
			count++
		}
	}
	if count != 1 {
		t.Errorf("logged %d times: %v", count, lines)
	}
}
