package account_test

import (
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"social-server/internal/account"
	"social-server/internal/errs"
)

// invite makes a code, and fails the test if that is refused.
func (w *world) invite(who account.Identity) string {
	w.t.Helper()
	code, expires, err := w.Invite(w.t.Context(), who, "A")
	if err != nil || !expires.Equal(w.clock.Now().Add(10*time.Minute)) {
		w.t.Fatalf("Invite() = %v, %v", expires, err)
	}
	return code
}

// accept tries a code, and fails the test unless the answer is the wanted one.
func (w *world) accept(what string, who account.Identity, code string, want errs.Code) {
	w.t.Helper()
	user, err := w.Accept(w.t.Context(), who, code)
	wantCode(w.t, what, err, want)
	if want == errs.Invalid && errs.From(err).Field != "code" {
		w.t.Errorf("%s: blamed %q", what, errs.From(err).Field)
	}
	if err == nil && (user.Username != "A" || !user.Joined) {
		w.t.Errorf("%s: %+v", what, user)
	}
}

// TestInvitation: a code lets one device of another account join, once, however
// it is typed (SEC-19).
func TestInvitation(t *testing.T) {
	w, anna, bob := guest(t)
	_, eve := w.device("eve", "eve@example.com")
	w.live.take()
	code := w.invite(anna)
	if !regexp.MustCompile(`^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$`).MatchString(code) {
		t.Errorf("the code is %s", code)
	}
	w.accept("another code", eve, "BCDF-GHJK", errs.Invalid)
	w.accept("the code", bob, " "+strings.ToLower(strings.ReplaceAll(code, "-", " ")), "")
	if !w.isMember(bob) {
		t.Error("who accepted is no member")
	}
	if told := w.live.take(); len(told) != 1 || !strings.HasSuffix(told[0], " bob") {
		t.Errorf("told %v", told)
	}
	w.accept("a code that was used", eve, code, errs.Invalid)
	w.wantLog("owner", anna, "invite anna A", "accept bob A")
	w.wantLog("guest", bob, "accept bob A")
	if strings.Contains(strings.Join(w.logged(anna), ""), code) {
		t.Error("the code is in the log")
	}
}

// TestInvitationEnds after ten minutes, with the next one of the same device,
// and with the membership of who made it.
func TestInvitationEnds(t *testing.T) {
	w, anna, bob := guest(t)
	_, anna2 := w.device("anna2", "anna@example.com")
	if _, err := w.Join(t.Context(), anna2, "A"); err != nil {
		t.Fatal(err)
	}
	old := w.invite(anna)
	w.clock.advance(10 * time.Minute)
	w.accept("a code that is too old", bob, old, errs.Invalid)

	first, second, others := w.invite(anna), w.invite(anna), w.invite(anna2)
	w.accept("a code that was replaced", bob, first, errs.Invalid)
	wantCode(t, "Leave", w.Leave(t.Context(), anna2, "A"), "")
	w.accept("of a device that has left", bob, others, errs.Invalid)
	if _, err := w.Join(t.Context(), anna2, "A"); err != nil {
		t.Fatal(err)
	}
	others = w.invite(anna2)
	wantCode(t, "Revoke", w.RevokeDevice(t.Context(), anna, anna2.DeviceID), "")
	w.accept("of a revoked device", bob, others, errs.Invalid)
	w.accept("the one that is left", bob, second, "")
	w.accept("by a member", anna, w.invite(anna), "")
}

// TestInvitationsAreHashed under the server's key: another key knows no code.
func TestInvitationsAreHashed(t *testing.T) {
	w, anna, bob := guest(t)
	code := w.invite(anna)
	other := w.open(func(c *account.Config) { c.Secrets = [][]byte{[]byte("another key, another key, another")} })
	_, err := other.Accept(t.Context(), bob, code)
	wantCode(t, "under another key", err, errs.Invalid)
	w.accept("under its key", bob, code, "")
}

// TestAcceptedTwiceAtOnce: one wins.
func TestAcceptedTwiceAtOnce(t *testing.T) {
	w, anna, bob := guest(t)
	_, eve := w.device("eve", "eve@example.com")
	code := w.invite(anna)
	var tries sync.WaitGroup
	answers := make([]error, 20)
	for i := range answers {
		who := []account.Identity{bob, eve}[i%2]
		tries.Go(func() { _, answers[i] = w.Accept(t.Context(), who, code) })
	}
	tries.Wait()
	won := 0
	for _, err := range answers {
		if err == nil {
			won++
		} else {
			wantCode(t, "the others", err, errs.Invalid)
		}
	}
	if won != 1 || w.isMember(bob) == w.isMember(eve) {
		t.Errorf("%d won; bob %v, eve %v", won, w.isMember(bob), w.isMember(eve))
	}
}

// TestInvitationToAFullUser is not used up.
func TestInvitationToAFullUser(t *testing.T) {
	w, anna, bob := guest(t, func(c *account.Config) { c.MaxMembers = 2 })
	_, eve := w.device("eve", "eve@example.com")
	first := w.invite(anna)
	w.accept("the last place", bob, first, "")
	second := w.invite(anna)
	w.accept("no place", eve, second, errs.QuotaExceeded)
	wantCode(t, "Leave", w.Leave(t.Context(), bob, "A"), "")
	w.accept("a place again", eve, second, "")
}

// TestRemove: owners remove any member, others only themselves; a guest that
// was removed cannot come back by itself, a device of the owner can.
func TestRemove(t *testing.T) {
	w, anna, bob := guest(t)
	_, anna2 := w.device("anna2", "anna@example.com")
	_, eve := w.device("eve", "eve@example.com")
	ctx := t.Context()
	join := func() {
		t.Helper()
		if _, err := w.Join(ctx, anna2, "A"); err != nil {
			t.Fatal(err)
		}
		w.accept("guest", bob, w.invite(anna), "")
	}
	join()
	user, err := w.Authorize(ctx, bob, "A")
	if err != nil || user.AccountID != anna.AccountID {
		t.Fatalf("Authorize() = %+v, %v", user, err)
	}
	if users, err := w.Users(ctx, bob); err != nil || len(users) != 1 || !users[0].Joined {
		t.Errorf("a guest's users: %+v, %v", users, err)
	}
	w.live.take()
	wantCode(t, "guest removes owner", w.Remove(ctx, bob, "A", anna.DeviceID), errs.Forbidden)
	wantCode(t, "stranger removes", w.Remove(ctx, eve, "A", anna.DeviceID), errs.NotFound)
	wantCode(t, "no such member", w.Remove(ctx, anna, "A", eve.DeviceID), errs.NotFound)
	wantCode(t, "no such user", w.Remove(ctx, anna, "B", bob.DeviceID), errs.NotFound)
	if told := w.live.take(); told != nil {
		t.Errorf("told %v", told)
	}
	wantCode(t, "owner removes guest", w.Remove(ctx, anna, "A", bob.DeviceID), "")
	wantCode(t, "owner removes owner", w.Remove(ctx, anna, "A", anna2.DeviceID), "")
	want := "left " + user.ID + " " + bob.DeviceID + ", left " + user.ID + " " + anna2.DeviceID
	if told := strings.Join(w.live.take(), ", "); told != want {
		t.Errorf("told %s, want %s", told, want)
	}
	_, err = w.Join(ctx, bob, "A")
	wantCode(t, "a guest comes back by itself", err, errs.NotFound)
	join()
	wantCode(t, "guest removes itself", w.Remove(ctx, bob, "A", bob.DeviceID), "")
	if w.isMember(bob) {
		t.Error("it is still a member")
	}
	w.wantLog("owner", anna, "remove anna bob, A", "remove anna anna2, A", "join anna2 A", "invite anna A", "accept bob A", "leave bob A")
}

// TestRevokeOthers locks out all devices but the one that asks, after the
// password (SEC-18).
func TestRevokeOthers(t *testing.T) {
	w, anna, bob := guest(t)
	var grants []account.Grant
	for _, name := range []string{"anna2", "anna3"} {
		w.clock.advance(time.Second) // they are revoked in the order they came
		grant, who := w.device(name, "anna@example.com")
		if _, err := w.Join(t.Context(), who, "A"); err != nil {
			t.Fatal(err)
		}
		grants = append(grants, grant)
	}
	wantCode(t, "a wrong password", w.Confirm(t.Context(), anna, "wrong"), errs.Unauthorized)
	wantCode(t, "the password", w.Confirm(t.Context(), anna, password), "")
	w.live.take()
	wantCode(t, "RevokeOthers", w.RevokeOthers(t.Context(), anna), "")
	if told := w.live.take(); len(told) != 2 {
		t.Errorf("told %v", told)
	}
	for _, grant := range grants {
		_, err := w.Authenticate(t.Context(), grant.AccessToken)
		wantCode(t, "an access token", err, errs.Revoked)
		_, err = w.Refresh(t.Context(), grant.RefreshToken)
		wantCode(t, "a refresh token", err, errs.Revoked)
	}
	wantCode(t, "once more", w.RevokeOthers(t.Context(), anna), "")
	w.wantLog("revoked", anna, "revoke anna anna2", "revoke anna anna3")
	if devices, err := w.Devices(t.Context(), bob); err != nil || len(devices) != 1 {
		t.Errorf("another account's devices: %v, %v", devices, err)
	}
}
