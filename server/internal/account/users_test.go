package account_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"social-server/internal/account"
	"social-server/internal/errs"
)

func TestUsernames(t *testing.T) {
	w := newWorld(t)
	_, who := w.device("phone", "a@example.com")
	tests := map[string]errs.Code{
		"TestUser6": "", "ünï.code_1-2": "", "用户": "", "7": "", strings.Repeat("é", 64): "",
		"": errs.Invalid, ".": errs.Invalid, "..": errs.Invalid, ".git": errs.Invalid, "-x": errs.Invalid,
		"a b": errs.Invalid, "a/b": errs.Invalid, "a%2fb": errs.Invalid, "a?b": errs.Invalid, "a\u0000": errs.Invalid,
		"a\u202eb": errs.Invalid, strings.Repeat("a", 65): errs.Invalid, "TEST\nUSER6x": errs.Invalid, " TESTUSER6y\n": "",
	}
	for name, want := range tests {
		_, err := w.Connect(t.Context(), who, name)
		wantCode(t, fmt.Sprintf("Connect(%q)", name), err, want)
	}
	_, err := w.Connect(t.Context(), who, "testUSER6")
	wantCode(t, "a name that is taken but for its case", err, errs.Conflict)
	if e := errs.From(err); e.Field != "username" || e.Message != "This username is taken." {
		t.Errorf("blamed %q: %q", e.Field, e.Message)
	}
}

func TestConnectJoinLeave(t *testing.T) {
	w := newWorld(t)
	_, one := w.device("one", "a@example.com")
	_, two := w.device("two", "a@example.com")
	user := w.connect(one, "TestUser6")
	if !user.Joined || user.Revision != 0 || user.Online != 0 {
		t.Errorf("Connect() = %+v", user)
	}
	w.live.sessions = map[string]map[string]int{user.ID: {one.DeviceID: 2, two.DeviceID: 0}}

	seen := func(who account.Identity) string {
		users, err := w.Users(t.Context(), who)
		if err != nil {
			t.Fatal(err)
		}
		var text []string
		for _, u := range users {
			text = append(text, fmt.Sprintf("%s joined=%v online=%d", u.Username, u.Joined, u.Online))
		}
		return strings.Join(text, ", ")
	}
	if got := seen(two); got != "TestUser6 joined=false online=1" {
		t.Errorf("before joining: %s", got)
	}
	_, err := w.Authorize(t.Context(), two, "TestUser6")
	wantCode(t, "Authorize before joining", err, errs.NotFound)

	for range 2 { // a member stays one
		joined, err := w.Join(t.Context(), two, "testuser6")
		if err != nil || !joined.Joined || joined.Username != "TestUser6" || joined.Online != 1 {
			t.Fatalf("Join() = %+v, %v", joined, err)
		}
	}
	if got := seen(two); got != "TestUser6 joined=true online=1" {
		t.Errorf("after joining: %s", got)
	}
	if found, err := w.Authorize(t.Context(), two, "TESTUSER6"); err != nil || found.ID != user.ID {
		t.Errorf("Authorize() = %+v, %v", found, err)
	}
	members, err := w.Members(t.Context(), two, "TestUser6")
	if err != nil || len(members) != 2 || members[0].Name != "one" || members[0].Sessions != 2 || members[1].Sessions != 0 {
		t.Errorf("Members() = %+v, %v", members, err)
	}

	for range 2 { // who has left may leave again
		wantCode(t, "Leave", w.Leave(t.Context(), two, "TestUser6"), "")
	}
	_, err = w.Members(t.Context(), two, "TestUser6")
	wantCode(t, "Members after leaving", err, errs.NotFound)
	want := []string{
		"joined " + user.ID + " " + one.DeviceID + " one",
		"joined " + user.ID + " " + two.DeviceID + " two",
		"left " + user.ID + " " + two.DeviceID,
	}
	if told := w.live.take(); !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
}

// TestAnothersUserLooksMissing to every method (SEC-42).
func TestAnothersUserLooksMissing(t *testing.T) {
	w := newWorld(t)
	_, owner := w.device("owner", "a@example.com")
	_, stranger := w.device("stranger", "b@example.com")
	w.connect(owner, "Mine")
	ctx := t.Context()
	methods := map[string]func(username string) error{
		"Join":      func(u string) error { _, err := w.Join(ctx, stranger, u); return err },
		"Leave":     func(u string) error { return w.Leave(ctx, stranger, u) },
		"Authorize": func(u string) error { _, err := w.Authorize(ctx, stranger, u); return err },
		"Members":   func(u string) error { _, err := w.Members(ctx, stranger, u); return err },
	}
	for name, call := range methods {
		others, missing := call("Mine"), call("Missing")
		wantCode(t, name, others, errs.NotFound)
		if fmt.Sprint(others) != fmt.Sprint(missing) {
			t.Errorf("%s tells them apart: %v, %v", name, others, missing)
		}
	}
	devices := map[string]func(id string) error{
		"Device":       func(id string) error { _, err := w.Device(ctx, stranger, id); return err },
		"RenameDevice": func(id string) error { return w.RenameDevice(ctx, stranger, id, "mine now") },
		"RevokeDevice": func(id string) error { return w.RevokeDevice(ctx, stranger, id) },
	}
	for name, call := range devices {
		others, missing := call(owner.DeviceID), call("d_missing")
		wantCode(t, name, others, errs.NotFound)
		if fmt.Sprint(others) != fmt.Sprint(missing) {
			t.Errorf("%s tells them apart: %v, %v", name, others, missing)
		}
	}
	if users, err := w.Users(ctx, stranger); err != nil || len(users) != 0 {
		t.Errorf("Users() of a stranger = %v, %v", users, err)
	}
	if all, err := w.Devices(ctx, stranger); err != nil || len(all) != 1 {
		t.Errorf("Devices() of a stranger = %v, %v", all, err)
	}
}

func TestQuotas(t *testing.T) {
	w := newWorld(t, func(c *account.Config) { c.MaxUsers, c.MaxMembers = 2, 2 })
	_, one := w.device("one", "a@example.com")
	_, two := w.device("two", "a@example.com")
	_, three := w.device("three", "a@example.com")
	w.connect(one, "A")
	w.connect(one, "B")
	_, err := w.Connect(t.Context(), two, "C")
	wantCode(t, "one user too many", err, errs.QuotaExceeded)
	if _, err := w.Join(t.Context(), two, "A"); err != nil {
		t.Fatal(err)
	}
	_, err = w.Join(t.Context(), three, "A")
	wantCode(t, "one member too many", err, errs.QuotaExceeded)
	_, err = w.Join(t.Context(), two, "A")
	wantCode(t, "a member of a full user", err, "")
}

func TestDevicesOfAnAccount(t *testing.T) {
	w := newWorld(t)
	_, one := w.device("one", "a@example.com")
	w.clock.advance(time.Second)
	_, two := w.device("two", "a@example.com")
	w.connect(one, "B")
	a := w.connect(one, "A")
	w.live.sessions = map[string]map[string]int{a.ID: {one.DeviceID: 1, two.DeviceID: 0}}
	devices, err := w.Devices(t.Context(), two)
	if err != nil || len(devices) != 2 {
		t.Fatalf("Devices() = %v, %v", devices, err)
	}
	first, second := devices[0], devices[1]
	if first.Name != "one" || !slices.Equal(first.Users, []string{"A", "B"}) || !first.Online || first.Current {
		t.Errorf("first = %+v", first)
	}
	if second.Name != "two" || second.Users != nil || second.Online || !second.Current {
		t.Errorf("second = %+v", second)
	}
}

func TestRename(t *testing.T) {
	w := newWorld(t)
	_, one := w.device("one", "a@example.com")
	_, two := w.device("two", "a@example.com")
	user := w.connect(one, "A")
	w.live.take()
	wantCode(t, "a bad name", w.RenameDevice(t.Context(), two, one.DeviceID, " "), errs.Invalid)
	err := w.RenameDevice(t.Context(), two, one.DeviceID, "TWO")
	wantCode(t, "a taken name", err, errs.Conflict)
	if field := errs.From(err).Field; field != "name" {
		t.Errorf("blamed %q, want name", field)
	}
	if told := w.live.take(); told != nil {
		t.Errorf("told %v", told)
	}
	wantCode(t, "another case of its own name", w.RenameDevice(t.Context(), two, one.DeviceID, "ONE"), "")
	wantCode(t, "a new name", w.RenameDevice(t.Context(), two, one.DeviceID, "uno"), "")
	if told := w.live.take(); len(told) != 2 || told[1] != fmt.Sprintf("renamed %s uno [%s]", one.DeviceID, user.ID) {
		t.Errorf("told %v", told)
	}
	w.login("uno")
}

// TestRevoke ends everything of a device, and nothing of another.
func TestRevoke(t *testing.T) {
	w := newWorld(t)
	grant, one := w.device("one", "a@example.com")
	_, two := w.device("two", "a@example.com")
	user := w.connect(one, "A")
	if _, err := w.Join(t.Context(), two, "A"); err != nil {
		t.Fatal(err)
	}
	w.live.take()
	wantCode(t, "Revoke", w.RevokeDevice(t.Context(), two, one.DeviceID), "")
	if told := w.live.take(); len(told) != 1 || told[0] != fmt.Sprintf("revoked %s [%s]", one.DeviceID, user.ID) {
		t.Errorf("told %v", told)
	}
	wantCode(t, "Revoke again", w.RevokeDevice(t.Context(), two, one.DeviceID), errs.NotFound)
	_, err := w.Authenticate(t.Context(), grant.AccessToken)
	wantCode(t, "its token", err, errs.Revoked)
	_, err = w.Login(t.Context(), "one", password, "")
	wantCode(t, "its password", err, errs.Unauthorized)
	members, err := w.Members(t.Context(), two, "A")
	if err != nil || len(members) != 1 || members[0].ID != two.DeviceID {
		t.Errorf("Members() = %v, %v", members, err)
	}
	// A request of the device that was let in just before finds it locked out.
	_, err = w.Join(t.Context(), one, "A")
	wantCode(t, "Join by a revoked device", err, errs.Revoked)
	_, err = w.Connect(t.Context(), one, "New")
	wantCode(t, "Connect by a revoked device", err, errs.Revoked)
}

// TestToldAfterTheCommit: when others are told of a change, it is in the
// database already.
func TestToldAfterTheCommit(t *testing.T) {
	w := newWorld(t)
	grant, one := w.device("one", "a@example.com")
	_, two := w.device("two", "a@example.com")
	ctx, looks := t.Context(), 0
	during := func(what string, change func() error, seen func() bool) {
		t.Helper()
		w.live.look = func() {
			looks++
			if !seen() {
				t.Errorf("%s was told before it was stored", what)
			}
		}
		if err := change(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	joined := func() bool { _, err := w.Authorize(ctx, one, "A"); return err == nil }
	during("Connect", func() error { _, err := w.Connect(ctx, one, "A"); return err }, joined)
	during("Leave", func() error { return w.Leave(ctx, one, "A") }, func() bool { return !joined() })
	during("Join", func() error { _, err := w.Join(ctx, one, "A"); return err }, joined)
	during("Rename", func() error { return w.RenameDevice(ctx, one, one.DeviceID, "uno") }, func() bool {
		d, err := w.Device(ctx, two, one.DeviceID)
		return err == nil && d.Name == "uno"
	})
	refused := func() bool { _, err := w.Authenticate(ctx, grant.AccessToken); return err != nil }
	during("Logout", func() error { return w.Logout(ctx, one) }, refused)
	during("Revoke", func() error { return w.RevokeDevice(ctx, two, one.DeviceID) }, refused)
	if looks != 6 {
		t.Errorf("told %d times, want 6", looks)
	}
}

// TestLastSeenIsStoredAtClose even if no flush was due.
func TestLastSeenIsStoredAtClose(t *testing.T) {
	w := newWorld(t)
	_, who := w.device("one", "a@example.com")
	s := w.open()
	w.clock.advance(time.Hour)
	s.Touch(who.DeviceID)
	s.Touch("d_unknown")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	d, err := w.Device(t.Context(), who, who.DeviceID)
	if err != nil || !d.LastSeen.Equal(w.clock.Now()) {
		t.Errorf("last seen %v, %v, want %v", d.LastSeen, err, w.clock.Now())
	}
}
