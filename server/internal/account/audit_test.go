package account_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"social-server/internal/account"
	"social-server/internal/errs"
)

// logged returns the newest events of an account as "event device detail",
// oldest first.
func (w *world) logged(who account.Identity) []string {
	w.t.Helper()
	events, err := w.Audit(w.t.Context(), who, 0, 100)
	if err != nil {
		w.t.Fatal(err)
	}
	var lines []string
	for _, e := range slices.Backward(events) {
		lines = append(lines, strings.TrimSpace(e.Event+" "+e.DeviceName+" "+e.Detail))
	}
	return lines
}

// wantLog fails the test unless the account's log ends with these lines.
func (w *world) wantLog(what string, who account.Identity, want ...string) {
	w.t.Helper()
	got := w.logged(who)
	if len(got) < len(want) || !slices.Equal(got[len(got)-len(want):], want) {
		w.t.Errorf("%s: the log is\n%s\nwant at its end\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestAuditOfAnAccount: what a person does with devices is in the log, once
// each, in order, with the address it came from.
func TestAuditOfAnAccount(t *testing.T) {
	w := newWorld(t)
	_, one := w.device("one", "a@example.com")
	grant, two := w.device("two", "a@example.com")
	ctx := account.WithAddress(t.Context(), "203.0.113.7")
	do := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	_, err := w.Connect(ctx, one, "A")
	do("Connect", err)
	for range 2 { // the second changes nothing, and is not logged
		_, err = w.Join(ctx, two, "A")
		do("Join", err)
	}
	do("Rename", w.RenameDevice(ctx, one, two.DeviceID, "zwei"))
	do("Leave", w.Leave(ctx, two, "A"))
	do("Leave again", w.Leave(ctx, two, "A"))
	do("Logout", w.LogoutToken(ctx, grant.RefreshToken))
	do("Logout again", w.LogoutToken(ctx, grant.RefreshToken))
	do("Revoke", w.RevokeDevice(ctx, one, two.DeviceID))
	w.wantLog("all", one,
		"register one", "login one test", "register two", "login two test",
		"join one A", "join two A", "rename one zwei", "leave two A", "logout zwei", "revoke one zwei")
	events, err := w.Audit(ctx, one, 0, 1)
	do("Audit", err)
	if e := events[0]; e.Address != "203.0.113.7" || !e.At.Equal(w.clock.Now()) || e.DeviceID != one.DeviceID {
		t.Errorf("the last event is %+v", e)
	}
}

// TestAuditPages end, and bad ones are refused. Another account's log is empty (SEC-42).
func TestAuditPages(t *testing.T) {
	w := newWorld(t)
	_, one := w.device("one", "a@example.com")
	_, other := w.device("other", "b@example.com")
	var seen []string
	for before, pages := int64(0), 0; ; pages++ {
		page, err := w.Audit(t.Context(), one, before, 1)
		if err != nil || pages > 2 {
			t.Fatalf("page %d: %v", pages, err)
		}
		if len(page) == 0 {
			break
		}
		seen = append(seen, page[0].Event)
		before = page[0].Number
	}
	if fmt.Sprint(seen) != "[login register]" {
		t.Errorf("pages: %v", seen)
	}
	w.wantLog("another account", other, "register other", "login other test")
	for name, bad := range map[string][2]int{"before": {-1, 5}, "limit": {0, 0}, "limit over": {0, 101}} {
		_, err := w.Audit(t.Context(), one, int64(bad[0]), bad[1])
		wantCode(t, name, err, errs.Invalid)
	}
	w.clock.advance(366 * 24 * time.Hour)
	if got := w.logged(one); len(got) != 0 {
		t.Errorf("after a year: %v", got)
	}
}

// TestFailedLogins are in the log of an account that exists, and never with
// what was typed (SEC-44). The request does not wait for it (SEC-7).
func TestFailedLogins(t *testing.T) {
	w := newWorld(t)
	_, one := w.device("one", "a@example.com")
	s := w.open()
	ctx := account.WithAddress(t.Context(), "198.51.100.9")
	for _, name := range []string{"one", "nobody"} {
		_, err := s.Login(ctx, name, "canary password", "curl")
		wantCode(t, "Login as "+name, err, errs.Unauthorized)
	}
	_, err := s.Register(ctx, account.NewDevice{Name: "new", Email: "a@example.com", Password: "canary password"})
	wantCode(t, "Register", err, errs.Unauthorized)
	if err := s.Close(); err != nil { // which records what waits
		t.Fatal(err)
	}
	w.wantLog("failures", one, "login one test", "login-failed one curl", "login-failed new")
	if strings.Contains(fmt.Sprint(w.logged(one)), "canary") {
		t.Error("a password is in the log")
	}
	if events, err := w.Audit(ctx, one, 0, 1); err != nil || events[0].Address != "198.51.100.9" {
		t.Errorf("Audit() = %v, %v", events, err)
	}
	_, err = s.Login(ctx, "one", "wrong", "") // after the end nothing is recorded, and nothing breaks
	wantCode(t, "Login at a closed service", err, errs.Unauthorized)
}

// brokenLog is a store that cannot record.
type brokenLog struct{ account.Store }

var errNoLog = errors.New("no log")

func (brokenLog) Record(context.Context, account.Event, time.Time, int) error { return errNoLog }

// TestNoChangeWithoutItsLine: what cannot be recorded does not happen.
func TestNoChangeWithoutItsLine(t *testing.T) {
	w := newWorld(t)
	_, one := w.device("one", "a@example.com")
	_, two := w.device("two", "a@example.com")
	_, other := w.device("other", "b@example.com")
	user := w.connect(one, "A")
	ask, err := w.Ask(t.Context(), other, "A")
	if err != nil {
		t.Fatal(err)
	}
	code, _, err := w.Invite(t.Context(), one, "A")
	if err != nil {
		t.Fatal(err)
	}
	w.live.take()
	s, ctx := w.open(func(c *account.Config) { c.Store = brokenLog{c.Store} }), t.Context()
	changes := map[string]func() error{
		"Register": func() error {
			_, err := s.Register(ctx, account.NewDevice{Name: "three", Email: "a@example.com", Password: password})
			return err
		},
		"Login":        func() error { _, err := s.Login(ctx, "one", password, ""); return err },
		"Logout":       func() error { return s.Logout(ctx, one) },
		"Connect":      func() error { _, err := s.Connect(ctx, one, "B"); return err },
		"Join":         func() error { _, err := s.Join(ctx, two, "A"); return err },
		"Leave":        func() error { return s.Leave(ctx, one, "A") },
		"Rename":       func() error { return s.RenameDevice(ctx, one, two.DeviceID, "zwei") },
		"Revoke":       func() error { return s.RevokeDevice(ctx, one, two.DeviceID) },
		"RevokeOthers": func() error { return s.RevokeOthers(ctx, one) },
		"Remove":       func() error { return s.Remove(ctx, two, "A", one.DeviceID) },
		"Ask":          func() error { _, err := s.Ask(ctx, other, "Nobody"); return err },
		"Approve":      func() error { return s.Approve(ctx, one, "A", ask.ID, ask.Code) },
		"Deny":         func() error { return s.Deny(ctx, one, "A", ask.ID, true) },
		"Invite":       func() error { _, _, err := s.Invite(ctx, one, "A"); return err },
		"Accept":       func() error { _, err := s.Accept(ctx, other, code); return err },
	}
	for name, change := range changes {
		if err := change(); !errors.Is(err, errNoLog) {
			t.Errorf("%s = %v, want no log", name, err)
		}
	}
	if told := w.live.take(); told != nil {
		t.Errorf("told %v", told)
	}
	if members, err := w.Members(ctx, one, "A"); err != nil || len(members) != 1 {
		t.Errorf("members of %s: %v, %v", user.ID, members, err)
	}
	if devices, err := w.Devices(ctx, one); err != nil || len(devices) != 2 {
		t.Errorf("devices: %v, %v", devices, err)
	}
	if _, err := w.Accept(ctx, other, code); err != nil {
		t.Errorf("the code was used up: %v", err)
	}
}

// TestNotices: the devices of an account hear of a device that registers, of a
// log-in from a place the account does not know, of whoever joins, and of a
// copied token.
func TestNotices(t *testing.T) {
	w := newWorld(t)
	at := func(address string) context.Context { return account.WithAddress(t.Context(), address) }
	login := func(name, address, platform string) account.Grant {
		t.Helper()
		grant, err := w.Login(at(address), name, password, platform)
		if err != nil {
			t.Fatal(err)
		}
		return grant
	}
	register := func(name, email string) account.Device {
		t.Helper()
		d, err := w.Register(at("203.0.113.7"), account.NewDevice{Name: name, Email: email, Password: password, Platform: "Firefox on Linux"})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	one := register("one", "a@example.com")
	a := one.AccountID
	w.wantNotices("the first device of an account")
	register("two", "a@example.com")
	w.wantNotices("one more", a+" register two 203.0.113.7 Firefox on Linux")
	login("two", "203.0.113.200", "Firefox on Linux")
	w.wantNotices("a neighbour's address")
	login("one", "203.0.113.7", "Safari on iOS")
	w.wantNotices("another platform", a+" login one 203.0.113.7 Safari on iOS")
	login("one", "198.51.100.9", "Firefox on Linux")
	w.wantNotices("another network", a+" login one 198.51.100.9 Firefox on Linux")
	login("two", "198.51.100.1", "Firefox on Linux")
	w.wantNotices("the same place once more")
	login("two", "2001:db8::/64", "Firefox on Linux")
	w.wantNotices("another network of IPv6", a+" login two 2001:db8::/64 Firefox on Linux")
	grant := login("two", "2001:db8::/64", "Firefox on Linux")
	w.wantNotices("and again")

	who, err := w.Authenticate(t.Context(), grant.AccessToken)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Connect(at("203.0.113.7"), who, "A"); err != nil {
		t.Fatal(err)
	}
	w.wantNotices("a user", a+" join two 203.0.113.7 A")
	_, other := w.device("other", "b@example.com")
	w.live.notices = nil
	code, _, err := w.Invite(t.Context(), who, "A")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Accept(at("192.0.2.1"), other, code); err != nil {
		t.Fatal(err)
	}
	w.wantNotices("a guest", a+" join other 192.0.2.1 A")

	if _, err := w.Refresh(t.Context(), grant.RefreshToken); err != nil {
		t.Fatal(err)
	}
	w.clock.advance(time.Minute)
	_, err = w.Refresh(at("192.0.2.66"), grant.RefreshToken)
	wantCode(t, "a copied token", err, errs.Unauthorized)
	w.wantNotices("a copied token", a+" refresh-reuse two 192.0.2.66 ")
	w.wantLog("a copied token", who, "refresh-reuse two")
}

// wantNotices fails the test unless these notices were sent since the last call.
func (w *world) wantNotices(what string, want ...string) {
	w.t.Helper()
	w.live.mu.Lock()
	got := w.live.notices
	w.live.notices = nil
	w.live.mu.Unlock()
	if !slices.Equal(got, want) {
		w.t.Errorf("%s: noticed %q, want %q", what, got, want)
	}
}
