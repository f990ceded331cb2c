package account_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"social-server/internal/account"
	"social-server/internal/errs"
)

// guest is a world where Anna's device has the user A, and where a device of
// another account, bob@example.com, would like to join it.
func guest(t *testing.T, change ...func(*account.Config)) (w *world, anna, bob account.Identity) {
	t.Helper()
	w = newWorld(t, change...)
	_, anna = w.device("anna", "anna@example.com")
	_, bob = w.device("bob", "bob@example.com")
	w.connect(anna, "A")
	w.live.take()
	w.live.notices = nil
	return w, anna, bob
}

// ask asks to join, and fails the test if that is refused.
func (w *world) ask(who account.Identity, username string) account.Ask {
	w.t.Helper()
	ask, err := w.Ask(w.t.Context(), who, username)
	if err != nil {
		w.t.Fatalf("Ask(%s): %v", username, err)
	}
	w.Settle() // the owner's log has its line in time
	return ask
}

// state returns what the device that asked is told of its ask.
func (w *world) state(who account.Identity, ask account.Ask) string {
	w.t.Helper()
	now, err := w.AwaitAsk(w.t.Context(), who, ask.ID, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	return now.State
}

// wrong is a number that is not the ask's.
func wrong(ask account.Ask) string {
	if ask.Code == "10" {
		return "11"
	}
	return "10"
}

// isMember reports whether a device has joined A.
func (w *world) isMember(who account.Identity) bool {
	_, err := w.Authorize(w.t.Context(), who, "A")
	return err == nil
}

// TestApprove: a device of another account joins when a member types the number
// that it shows (SEC-19).
func TestApprove(t *testing.T) {
	w, anna, bob := guest(t)
	ask := w.ask(bob, "a")
	if len(ask.Code) != 2 || ask.Code[0] == '0' || ask.State != account.AskWaiting || !ask.Expires.Equal(w.clock.Now().Add(10*time.Minute)) {
		t.Errorf("Ask() = %+v", ask)
	}
	if told := w.live.take(); len(told) != 1 || !strings.HasSuffix(told[0], " bob bob@…") {
		t.Errorf("told %v", told)
	}
	waiting, err := w.Asks(t.Context(), anna, "A")
	if err != nil || len(waiting) != 1 || waiting[0].ID != ask.ID || waiting[0].DeviceName != "bob" || waiting[0].MaskedEmail() != "bob@…" {
		t.Fatalf("Asks() = %+v, %v", waiting, err)
	}
	if w.isMember(bob) || w.state(bob, ask) != account.AskWaiting {
		t.Error("who asks is let in")
	}
	wantCode(t, "Approve", w.Approve(t.Context(), anna, "A", ask.ID, ask.Code), "")
	if !w.isMember(bob) || w.state(bob, ask) != account.AskApproved {
		t.Error("who was approved is not let in")
	}
	if told := w.live.take(); len(told) != 1 || !strings.HasPrefix(told[0], "joined ") || !strings.HasSuffix(told[0], " bob") {
		t.Errorf("told %v", told)
	}
	w.wantNotices("a guest", anna.AccountID+" join bob  A")
	wantCode(t, "Approve again", w.Approve(t.Context(), anna, "A", ask.ID, ask.Code), errs.NotFound)
	if waiting, err := w.Asks(t.Context(), anna, "A"); err != nil || len(waiting) != 0 {
		t.Errorf("Asks() = %v, %v", waiting, err)
	}
	w.wantLog("owner", anna, "join anna A", "ask bob a", "approve anna bob, A")
	w.wantLog("guest", bob, "ask bob a", "join bob A")
}

// TestWrongNumbers: the third ends the ask, and no number is right after that (SEC-19).
func TestWrongNumbers(t *testing.T) {
	w, anna, bob := guest(t)
	ask := w.ask(bob, "A")
	for i := range 3 {
		if got := w.state(bob, ask); got != account.AskWaiting {
			t.Fatalf("after %d wrong numbers the ask is %s", i, got)
		}
		err := w.Approve(t.Context(), anna, "A", ask.ID, wrong(ask))
		wantCode(t, "a wrong number", err, errs.Invalid)
		if field := errs.From(err).Field; field != "code" {
			t.Errorf("blamed %q", field)
		}
	}
	wantCode(t, "the right number, too late", w.Approve(t.Context(), anna, "A", ask.ID, ask.Code), errs.NotFound)
	if w.isMember(bob) || w.state(bob, ask) != account.AskDenied {
		t.Errorf("the ask is %s", w.state(bob, ask))
	}
	if told := w.live.take(); len(told) != 2 || !strings.HasPrefix(told[1], "ask ended ") {
		t.Errorf("told %v", told)
	}
	if again := w.ask(bob, "A"); again.ID == ask.ID {
		t.Error("a new ask is the old one")
	}
	w.wantLog("owner", anna, "deny anna bob, A, wrong number", "ask bob A")
}

// TestDeny tells the device that asked. It may ask again, within its limits.
func TestDeny(t *testing.T) {
	w, anna, bob := guest(t)
	ask := w.ask(bob, "A")
	wantCode(t, "Deny", w.Deny(t.Context(), anna, "A", ask.ID, false), "")
	if got := w.state(bob, ask); got != account.AskDenied {
		t.Errorf("the ask is %s", got)
	}
	wantCode(t, "Deny again", w.Deny(t.Context(), anna, "A", ask.ID, false), errs.NotFound)
	wantCode(t, "Approve after all", w.Approve(t.Context(), anna, "A", ask.ID, ask.Code), errs.NotFound)
	w.ask(bob, "A")
	if told := w.live.take(); len(told) != 3 || !strings.HasPrefix(told[1], "ask ended ") || !strings.HasPrefix(told[2], "asked ") {
		t.Errorf("told %v", told)
	}
	w.wantLog("owner", anna, "deny anna bob, A", "ask bob A")
}

// TestBlock: all that a blocked account asks looks like waiting, and reaches
// nobody. An invitation ends it.
func TestBlock(t *testing.T) {
	w, anna, bob := guest(t)
	_, bob2 := w.device("bob2", "bob@example.com")
	ask := w.ask(bob, "A")
	w.clock.advance(time.Second)
	other := w.ask(bob2, "A")
	wantCode(t, "Deny", w.Deny(t.Context(), anna, "A", ask.ID, true), "")
	if told := w.live.take(); len(told) != 4 || !strings.HasSuffix(told[2], " bob") || !strings.HasSuffix(told[3], " bob2") {
		t.Errorf("told %v", told)
	}
	for who, one := range map[account.Identity]account.Ask{bob: ask, bob2: other} {
		if got := w.state(who, one); got != account.AskWaiting {
			t.Errorf("%s is told %s", who.DeviceName, got)
		}
		wantCode(t, "Approve", w.Approve(t.Context(), anna, "A", one.ID, one.Code), errs.NotFound)
	}
	w.clock.advance(11 * time.Minute)
	if again := w.ask(bob, "A"); again.State != account.AskWaiting || w.live.take() != nil {
		t.Error("a blocked account is heard of")
	}
	if waiting, err := w.Asks(t.Context(), anna, "A"); err != nil || len(waiting) != 0 {
		t.Errorf("Asks() = %v, %v", waiting, err)
	}
	w.wantLog("owner", anna, "ask bob A", "ask bob2 A", "block anna bob, A")

	code, _, err := w.Invite(t.Context(), anna, "A")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Accept(t.Context(), bob, code); err != nil {
		t.Fatal(err)
	}
	w.live.take()
	w.clock.advance(11 * time.Minute)
	w.ask(bob2, "A")
	if told := w.live.take(); len(told) != 1 {
		t.Errorf("after an invitation: told %v", told)
	}
}

// TestAskAgain gives the same ask, until it has expired.
func TestAskAgain(t *testing.T) {
	w, _, bob := guest(t)
	for _, name := range []string{"A", "Nobody"} {
		first := w.ask(bob, name)
		w.clock.advance(5 * time.Minute)
		if again := w.ask(bob, strings.ToLower(name)); again.ID != first.ID || again.Code != first.Code {
			t.Errorf("%s: %+v, then %+v", name, first, again)
		}
		w.clock.advance(5 * time.Minute)
		if got := w.state(bob, first); got != account.AskExpired {
			t.Errorf("%s is %s", name, got)
		}
		if again := w.ask(bob, name); again.ID == first.ID {
			t.Errorf("%s: an ask that expired came back", name)
		}
	}
	if told := w.live.take(); len(told) != 2 {
		t.Errorf("told %v", told)
	}
}

// TestAskLimits end nagging, whether the names exist or not: so many wait at
// once, so many are made in a day, and no user sees more than ten.
func TestAskLimits(t *testing.T) {
	w, anna, bob := guest(t, func(c *account.Config) { c.MaxAsksWaiting, c.MaxAsksPerDay = 2, 3 })
	_, bob2 := w.device("bob2", "bob@example.com")
	refused := func(who account.Identity, wait time.Duration) {
		t.Helper()
		_, err := w.Ask(t.Context(), who, "One.more")
		wantCode(t, "one more", err, errs.RateLimited)
		if got := errs.From(err).RetryAfter; got != wait {
			t.Errorf("come back in %v, want %v", got, wait)
		}
	}
	w.ask(bob, "A")
	w.clock.advance(time.Minute)
	w.ask(bob2, "Nobody")
	refused(bob, 9*time.Minute)
	refused(bob2, 9*time.Minute)
	w.ask(bob, "A") // which waits already
	w.clock.advance(9 * time.Minute)
	w.ask(bob, "Third")
	refused(bob, 24*time.Hour-10*time.Minute)
	w.clock.advance(24*time.Hour - 10*time.Minute)
	w.ask(bob, "One.more")

	w.live.take()
	for i := range 12 {
		_, who := w.device(fmt.Sprint("crowd", i), fmt.Sprintf("crowd%d@example.com", i))
		w.ask(who, "A")
	}
	if waiting, err := w.Asks(t.Context(), anna, "A"); err != nil || len(waiting) != 10 {
		t.Errorf("%d asks, %v", len(waiting), err)
	}
	if told := w.live.take(); len(told) != 10 {
		t.Errorf("told %d times", len(told))
	}
}

// TestAskTellsNothing: what exists, what does not, and what does not want to
// hear of the account is the same answer, and stays so (SEC-8).
func TestAskTellsNothing(t *testing.T) {
	w, anna, bob := guest(t)
	w.connect(anna, "Blocking")
	wantCode(t, "Deny", w.Deny(t.Context(), anna, "Blocking", w.ask(bob, "Blocking").ID, true), "")
	w.clock.advance(11 * time.Minute)
	var seen []string
	for _, name := range []string{"A", "Nobody", "Blocking"} {
		ask := w.ask(bob, name)
		shape := func(a account.Ask) string {
			return fmt.Sprintf("%d %d %s %d %v %v", len(a.ID), len(a.Code), a.State, a.Wrong, a.At, a.Expires)
		}
		later, err := w.AwaitAsk(t.Context(), bob, ask.ID, 0)
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, shape(ask)+" then "+shape(later))
	}
	if slices.ContainsFunc(seen, func(s string) bool { return s != seen[0] }) {
		t.Errorf("they differ:\n%s", strings.Join(seen, "\n"))
	}
	w.wantLog("who asks", bob, "ask bob A", "ask bob Nobody", "ask bob Blocking")
	_, err := w.Ask(t.Context(), bob, "no name/")
	wantCode(t, "a name that cannot exist", err, errs.Invalid)
}

// TestAsksAreForMembers, and an answer is for who asked (SEC-42).
func TestAsksAreForMembers(t *testing.T) {
	w, anna, bob := guest(t)
	_, anna2 := w.device("anna2", "anna@example.com")
	_, eve := w.device("eve", "eve@example.com")
	w.connect(anna, "Other")
	ask := w.ask(bob, "A")
	for _, who := range []account.Identity{anna2, bob, eve} {
		_, err := w.Asks(t.Context(), who, "A")
		wantCode(t, who.DeviceName+" lists", err, errs.NotFound)
		wantCode(t, who.DeviceName+" approves", w.Approve(t.Context(), who, "A", ask.ID, ask.Code), errs.NotFound)
		wantCode(t, who.DeviceName+" denies", w.Deny(t.Context(), who, "A", ask.ID, true), errs.NotFound)
	}
	wantCode(t, "at another user", w.Approve(t.Context(), anna, "Other", ask.ID, ask.Code), errs.NotFound)
	wantCode(t, "no such ask", w.Approve(t.Context(), anna, "A", "q_none", ask.Code), errs.NotFound)
	for _, who := range []account.Identity{anna, eve} {
		_, err := w.AwaitAsk(t.Context(), who, ask.ID, 0)
		wantCode(t, who.DeviceName+" waits", err, errs.NotFound)
	}
	wantCode(t, "the right one", w.Approve(t.Context(), anna, "A", ask.ID, ask.Code), "")
}

// TestTwoApprovalsAtOnce: one wins, and the other finds nothing to approve.
func TestTwoApprovalsAtOnce(t *testing.T) {
	w, anna, bob := guest(t)
	_, anna2 := w.device("anna2", "anna@example.com")
	if _, err := w.Join(t.Context(), anna2, "A"); err != nil {
		t.Fatal(err)
	}
	ask := w.ask(bob, "A")
	w.live.take()
	var approvals sync.WaitGroup
	answers := make([]error, 20)
	for i := range answers {
		who := []account.Identity{anna, anna2}[i%2]
		approvals.Go(func() { answers[i] = w.Approve(t.Context(), who, "A", ask.ID, ask.Code) })
	}
	approvals.Wait()
	won := 0
	for _, err := range answers {
		if err == nil {
			won++
		} else {
			wantCode(t, "the others", err, errs.NotFound)
		}
	}
	if told := w.live.take(); won != 1 || len(told) != 1 {
		t.Errorf("%d approvals won; told %v", won, told)
	}
}

// TestRevokedDeviceAsksNoMore: what it asked and whom it invited goes with it.
func TestRevokedDeviceAsksNoMore(t *testing.T) {
	w, anna, bob := guest(t)
	_, bob2 := w.device("bob2", "bob@example.com")
	ask := w.ask(bob, "A")
	wantCode(t, "Revoke", w.RevokeDevice(t.Context(), bob2, bob.DeviceID), "")
	wantCode(t, "Approve", w.Approve(t.Context(), anna, "A", ask.ID, ask.Code), errs.NotFound)
	_, err := w.Ask(t.Context(), bob, "A") // let in just before
	wantCode(t, "Ask", err, errs.Revoked)
}

// TestFullUserTakesNobody: the ask goes on waiting until there is room.
func TestFullUserTakesNobody(t *testing.T) {
	w, anna, bob := guest(t, func(c *account.Config) { c.MaxMembers = 1 })
	ask := w.ask(bob, "A")
	wantCode(t, "Approve", w.Approve(t.Context(), anna, "A", ask.ID, ask.Code), errs.QuotaExceeded)
	if w.isMember(bob) || w.state(bob, ask) != account.AskWaiting {
		t.Errorf("the ask is %s", w.state(bob, ask))
	}
}

// TestNumbersAreSpread over all that have two digits.
func TestNumbersAreSpread(t *testing.T) {
	w, _, bob := guest(t, func(c *account.Config) { c.MaxAsksWaiting, c.MaxAsksPerDay = math.MaxInt, math.MaxInt })
	seen := map[string]int{}
	const n = 300
	for i := range n {
		seen[w.ask(bob, fmt.Sprint("Nobody", i)).Code]++
	}
	for code, times := range seen {
		if code < "10" || code > "99" || len(code) != 2 || times > 15 {
			t.Errorf("%s came %d times of %d", code, times, n)
		}
	}
	if len(seen) < 75 {
		t.Errorf("%d different numbers", len(seen))
	}
}
