package account_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"social-server/internal/account"
	"social-server/internal/errs"
)

const better = "mule by moonlight"

// TestChangePassword: with the current one, and every other log-in of the
// account ends with it; the one that asked stays (SEC-5).
func TestChangePassword(t *testing.T) {
	w := newWorld(t)
	grant, who := w.device("laptop", "a@example.com")
	other, otherWho := w.device("phone", "a@example.com")
	again, againWho := w.login("laptop")
	stranger, _ := w.device("stranger", "b@example.com")
	w.live.take()

	for name, tt := range map[string]struct {
		current, next string
		code          errs.Code
		field         string
	}{
		"a wrong current password":   {"not it", better, errs.Unauthorized, "current"},
		"none":                       {"", better, errs.Unauthorized, "current"},
		"one of 2000 bytes":          {strings.Repeat("x", 2000), better, errs.Unauthorized, "current"},
		"a short new one":            {password, "short", errs.Invalid, "new"},
		"a new one that all try":     {password, "password1", errs.Invalid, "new"},
		"a new one that is a name":   {password, "A@example.com", errs.Invalid, "new"},
		"a new one of 300 letters":   {password, strings.Repeat("x", 300), errs.Invalid, "new"},
		"a new one, no current, bad": {"", "", errs.Unauthorized, "current"},
	} {
		err := w.ChangePassword(t.Context(), who, tt.current, tt.next)
		if e := errs.From(err); e.Code != tt.code || e.Field != tt.field {
			t.Errorf("%s: %v, want %s %s", name, err, tt.code, tt.field)
		}
	}
	if told := w.live.take(); told != nil {
		t.Errorf("told %v of what was refused", told)
	}
	if err := w.ChangePassword(t.Context(), who, password, better); err != nil {
		t.Fatal(err)
	}
	told := strings.Join(w.live.take(), "|")
	for _, ended := range []account.Identity{otherWho, againWho} {
		if !strings.Contains(told, "login ended "+ended.LoginID+" "+ended.DeviceID) {
			t.Errorf("told %s, want the end of %s", told, ended.LoginID)
		}
	}
	for name, tt := range map[string]struct {
		grant account.Grant
		code  errs.Code
	}{"the one that asked": {grant, ""}, "another device": {other, errs.Unauthorized}, "its own other log-in": {again, errs.Unauthorized}, "another account": {stranger, ""}} {
		_, err := w.Authenticate(t.Context(), tt.grant.AccessToken)
		wantCode(t, name, err, tt.code)
		_, err = w.Refresh(t.Context(), tt.grant.RefreshToken)
		wantCode(t, name+" refreshing", err, tt.code)
	}
	_, err := w.Login(t.Context(), "phone", password, "")
	wantCode(t, "the old password", err, errs.Unauthorized)
	_, err = w.Login(t.Context(), "phone", better, "")
	wantCode(t, "the new password", err, "")
	if !logged(w, who, account.EventPasswordChanged) {
		t.Error("the audit log does not have it")
	}
}

// logged reports whether the audit log of a device's account has an event.
func logged(w *world, who account.Identity, event string) bool {
	w.t.Helper()
	lines, err := w.Audit(w.t.Context(), who, 0, 100)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, line := range lines {
		if line.Event == event {
			return true
		}
	}
	return false
}

// TestTwoChangesAtOnce: one wins, the other is told.
func TestTwoChangesAtOnce(t *testing.T) {
	w := newWorld(t)
	_, who := w.device("laptop", "a@example.com")
	var changed, late atomic.Int64
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			switch err := w.ChangePassword(t.Context(), who, password, better+fmt.Sprint(i)); {
			case err == nil:
				changed.Add(1)
			case errs.Is(err, errs.Conflict), errs.Is(err, errs.Unauthorized): // late, or after it
				late.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if changed.Load() != 1 || late.Load() != 7 {
		t.Errorf("%d changed it, %d were late", changed.Load(), late.Load())
	}
}

// code makes a reset code as the admin's command does.
func (w *world) code(name string) string {
	w.t.Helper()
	code, _, err := account.NewResetCode(w.t.Context(), w.db, rand.Reader, w.clock.Now(), name)
	if err != nil {
		w.t.Fatal(err)
	}
	return code
}

// TestResetCode works once, for half an hour, however it is typed, and ends
// every log-in of its account and of no other.
func TestResetCode(t *testing.T) {
	w := newWorld(t)
	grant, who := w.device("laptop", "a@example.com")
	stranger, _ := w.device("stranger", "b@example.com")
	code := w.code("LAPTOP")
	if len(code) != 19 || strings.ToUpper(code) != code { // 80 bits, 5 each, and hyphens
		t.Errorf("code %q", code)
	}
	reset := func(code, password string) error { return w.ResetPassword(t.Context(), code, password) }
	for _, bad := range []string{"", "-", "AAAA-AAAA-AAAA-AAAA", code[:18], code + "A", strings.Repeat("A", 5000)} {
		wantCode(t, "the code "+bad[:min(len(bad), 20)], reset(bad, better), errs.Unauthorized)
	}
	if err := reset(code, "short"); errs.From(err).Field != "password" || !errs.Is(err, errs.Invalid) {
		t.Errorf("a short password: %v", err)
	}
	w.live.take()
	if err := reset(" "+strings.ToLower(strings.ReplaceAll(code, "-", " ")), better); err != nil {
		t.Fatal(err)
	}
	if told := w.live.take(); len(told) != 1 || told[0] != "login ended "+who.LoginID+" "+who.DeviceID {
		t.Errorf("told %v", told)
	}
	_, err := w.Authenticate(t.Context(), grant.AccessToken)
	wantCode(t, "a log-in of before", err, errs.Unauthorized)
	_, err = w.Authenticate(t.Context(), stranger.AccessToken)
	wantCode(t, "another account's", err, "")
	wantCode(t, "the code again", reset(code, better), errs.Unauthorized)
	_, err = w.Login(t.Context(), "laptop", better, "")
	wantCode(t, "the new password", err, "")
	if !logged(w, who, account.EventPasswordReset) {
		t.Error("the audit log does not have it")
	}
}

func TestResetCodeEnds(t *testing.T) {
	w := newWorld(t)
	w.device("laptop", "a@example.com")
	first := w.code("a@EXAMPLE.com")
	second := w.code("laptop")
	wantCode(t, "the code before", w.ResetPassword(t.Context(), first, better), errs.Unauthorized)
	w.clock.advance(30*time.Minute - time.Millisecond)
	third := w.code("laptop")
	w.clock.advance(time.Millisecond)
	wantCode(t, "a code replaced and too old", w.ResetPassword(t.Context(), second, better), errs.Unauthorized)
	wantCode(t, "a new one", w.ResetPassword(t.Context(), third, better), "")

	late := w.code("laptop")
	w.clock.advance(30 * time.Minute)
	wantCode(t, "a code of half an hour ago", w.ResetPassword(t.Context(), late, better), errs.Unauthorized)

	open := w.code("laptop")
	_, who := w.loginWith("laptop", better)
	if err := w.ChangePassword(t.Context(), who, better, password); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "a code of before the change", w.ResetPassword(t.Context(), open, better), errs.Unauthorized)
}

// loginWith is login with another password.
func (w *world) loginWith(name, password string) (account.Grant, account.Identity) {
	w.t.Helper()
	grant, err := w.Login(w.t.Context(), name, password, "test")
	if err != nil {
		w.t.Fatal(err)
	}
	who, err := w.Authenticate(w.t.Context(), grant.AccessToken)
	if err != nil {
		w.t.Fatal(err)
	}
	return grant, who
}

// TestResetCodeForNobody: only names that exist get one, and never a guessable one.
func TestResetCodeForNobody(t *testing.T) {
	w := newWorld(t)
	w.device("laptop", "a@example.com")
	for _, name := range []string{"", "nobody", "b@example.com"} {
		_, _, err := account.NewResetCode(t.Context(), w.db, rand.Reader, w.clock.Now(), name)
		wantCode(t, "a code for "+name, err, errs.NotFound)
	}
	if _, _, err := account.NewResetCode(t.Context(), w.db, iotest.ErrReader(errors.New("none")), w.clock.Now(), "laptop"); err == nil {
		t.Error("a code without randomness")
	}
}

// TestOneCodeUsedAtOnce by many sets one password.
func TestOneCodeUsedAtOnce(t *testing.T) {
	w := newWorld(t)
	w.device("laptop", "a@example.com")
	code := w.code("laptop")
	var used atomic.Int64
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			switch err := w.ResetPassword(t.Context(), code, better+fmt.Sprint(i)); {
			case err == nil:
				used.Add(1)
			case !errs.Is(err, errs.Unauthorized):
				t.Error(err)
			}
		})
	}
	all.Wait()
	if used.Load() != 1 {
		t.Errorf("the code was used %d times", used.Load())
	}
}
