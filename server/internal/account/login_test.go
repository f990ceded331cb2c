package account_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"social-server/internal/account"
	"social-server/internal/errs"
)

// TestUnknownDeviceAndWrongPassword look alike, and both cost a hash (SEC-7).
func TestUnknownDeviceAndWrongPassword(t *testing.T) {
	w := newWorld(t)
	_, who := w.device("known", "a@example.com")
	w.device("revoked", "a@example.com")
	_, gone := w.login("revoked")
	if err := w.RevokeDevice(t.Context(), who, gone.DeviceID); err != nil {
		t.Fatal(err)
	}
	login := func(name, password string) error {
		_, err := w.Login(t.Context(), name, password, "")
		return err
	}
	want := login("known", "not the password")
	wantCode(t, "a wrong password", want, errs.Unauthorized)
	for name, password := range map[string]string{
		"unknown": password, "": password, "revoked": password, "known": "", "KNOWN": strings.Repeat("x", 2000),
	} {
		if got := login(name, password); got.Error() != want.Error() {
			t.Errorf("Login(%q) = %v, want %v", name, got, want)
		}
	}
	defer w.FillHashLine()()
	wantCode(t, "a known device", login("known", "not the password"), errs.Unavailable)
	wantCode(t, "an unknown one", login("unknown", "not the password"), errs.Unavailable)
	if wait := errs.From(login("known", password)).RetryAfter; wait <= 0 {
		t.Error("a full line does not say when to come back")
	}
}

func TestLoginNotesThePlatform(t *testing.T) {
	w := newWorld(t)
	_, who := w.device("phone", "a@example.com")
	for _, platform := range []string{"Firefox on Linux", ""} { // an empty one is saved too
		if _, err := w.Login(t.Context(), "phone", password, platform); err != nil {
			t.Fatal(err)
		}
		if d, err := w.Device(t.Context(), who, who.DeviceID); err != nil || d.Platform != platform {
			t.Errorf("platform = %q, %v, want %q", d.Platform, err, platform)
		}
	}
}

// TestHashIsRaisedAtLogin: a hash that took less than one does today is replaced.
func TestHashIsRaisedAtLogin(t *testing.T) {
	w := newWorld(t)
	w.device("phone", "a@example.com")
	hash := func() string {
		a, err := w.db.AccountByEmail(t.Context(), "a@example.com")
		if err != nil {
			t.Fatal(err)
		}
		return a.PasswordHash
	}
	if !strings.HasPrefix(hash(), "$argon2id$v=19$m=64,t=1,p=1$") {
		t.Fatalf("hash = %s", hash())
	}
	dearer := w.open(func(c *account.Config) { c.HashCost.Passes = 2 })
	if _, err := dearer.Login(t.Context(), "phone", "not the password", ""); !errs.Is(err, errs.Unauthorized) {
		t.Fatal(err)
	}
	if !strings.Contains(hash(), "t=1,") {
		t.Error("a wrong password changed the hash")
	}
	if _, err := dearer.Login(t.Context(), "phone", password, ""); err != nil {
		t.Fatal(err)
	}
	raised := hash()
	if !strings.Contains(raised, "t=2,") {
		t.Errorf("hash = %s, want it raised", raised)
	}
	w.login("phone")
	if hash() != raised {
		t.Error("a hash was lowered")
	}
}

func TestAuthenticate(t *testing.T) {
	w := newWorld(t)
	grant, who := w.device("phone", "a@example.com")
	if who.DeviceName != "phone" || !strings.HasPrefix(who.LoginID, "l_") || !who.Expires.Equal(w.clock.Now().Add(15*time.Minute)) {
		t.Errorf("identity = %+v", who)
	}
	w.clock.advance(15*time.Minute - time.Second)
	_, err := w.Authenticate(t.Context(), grant.AccessToken)
	wantCode(t, "a token in its last second", err, "")
	w.clock.advance(time.Second)
	_, err = w.Authenticate(t.Context(), grant.AccessToken)
	wantCode(t, "a token past its time", err, errs.Expired)
	for name, token := range map[string]string{"none": "", "a refresh token": grant.RefreshToken, "half of one": grant.AccessToken[:40]} {
		_, err = w.Authenticate(t.Context(), token)
		wantCode(t, name, err, errs.Unauthorized)
	}
}

// TestAuthenticateFailsClosed: without the store nobody gets in.
func TestAuthenticateFailsClosed(t *testing.T) {
	w := newWorld(t)
	grant, _ := w.device("phone", "a@example.com")
	ended, end := context.WithCancel(t.Context())
	end()
	if who, err := w.Authenticate(ended, grant.AccessToken); err == nil || errs.Is(err, errs.Unauthorized) {
		t.Errorf("Authenticate() = %+v, %v, want a failure that does not sign anybody out", who, err)
	}
}

func TestLogoutEndsTheLoginOnly(t *testing.T) {
	w := newWorld(t)
	grant, who := w.device("phone", "a@example.com")
	other, _ := w.login("phone")
	if err := w.Logout(t.Context(), who); err != nil {
		t.Fatal(err)
	}
	if told := w.live.take(); len(told) != 1 || told[0] != "login ended "+who.LoginID+" "+who.DeviceID {
		t.Errorf("told %v", told)
	}
	_, err := w.Authenticate(t.Context(), grant.AccessToken)
	wantCode(t, "the access token", err, errs.Unauthorized)
	_, err = w.Refresh(t.Context(), grant.RefreshToken)
	wantCode(t, "the refresh token", err, errs.Unauthorized)
	_, err = w.Authenticate(t.Context(), other.AccessToken)
	wantCode(t, "another log-in of the device", err, "")
	if err := w.Logout(t.Context(), who); err != nil || w.live.take() != nil {
		t.Errorf("logging out twice: %v", err)
	}
}

func TestLogoutByRefreshToken(t *testing.T) {
	w := newWorld(t)
	grant, who := w.device("phone", "a@example.com")
	for _, token := range []string{"", "nonsense", "l_x.y", who.LoginID + ".forged"} {
		wantCode(t, "logging out with "+token, w.LogoutToken(t.Context(), token), "")
	}
	if told := w.live.take(); told != nil {
		t.Errorf("told %v", told)
	}
	wantCode(t, "logging out", w.LogoutToken(t.Context(), grant.RefreshToken), "")
	_, err := w.Authenticate(t.Context(), grant.AccessToken)
	wantCode(t, "the access token", err, errs.Unauthorized)
}

func TestRefreshRotates(t *testing.T) {
	w := newWorld(t)
	first, _ := w.device("phone", "a@example.com")
	w.clock.advance(10 * time.Minute)
	second, err := w.Refresh(t.Context(), first.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	if second.RefreshToken == first.RefreshToken || second.AccessToken == first.AccessToken || second.Device.Name != "phone" {
		t.Errorf("Refresh() = %+v", second)
	}
	who, err := w.Authenticate(t.Context(), second.AccessToken)
	if err != nil || !who.Expires.Equal(w.clock.Now().Add(15*time.Minute)) {
		t.Errorf("identity = %+v, %v", who, err)
	}
	if want := w.clock.Now().Add(30 * 24 * time.Hour); !second.RefreshExpires.Equal(want) {
		t.Errorf("refresh token ends %v, want %v", second.RefreshExpires, want)
	}
}

// TestLostAnswer: the predecessor works again within the grace, and gives the
// same successor (SEC-16).
func TestLostAnswer(t *testing.T) {
	w := newWorld(t)
	first, _ := w.device("phone", "a@example.com")
	second, err := w.Refresh(t.Context(), first.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	w.clock.advance(30 * time.Second)
	again, err := w.Refresh(t.Context(), first.RefreshToken)
	if err != nil || again.RefreshToken != second.RefreshToken {
		t.Fatalf("Refresh() within the grace = %v, %v", again.RefreshToken, err)
	}
	if _, err := w.Refresh(t.Context(), again.RefreshToken); err != nil {
		t.Errorf("the successor = %v", err)
	}
}

// TestCopiedToken: a token that was used and comes again ends the log-in, for
// both who have one.
func TestCopiedToken(t *testing.T) {
	after := func(d time.Duration) func(*world, account.Grant) account.Grant {
		return func(w *world, g account.Grant) account.Grant { w.clock.advance(d); return g }
	}
	tests := map[string]func(w *world, second account.Grant) account.Grant{
		"after the grace": after(30*time.Second + time.Millisecond),
		"once the successor was used": func(w *world, second account.Grant) account.Grant {
			third, err := w.Refresh(w.t.Context(), second.RefreshToken)
			if err != nil {
				w.t.Fatal(err)
			}
			return third
		},
	}
	for name, then := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			first, who := w.device("phone", "a@example.com")
			second, err := w.Refresh(t.Context(), first.RefreshToken)
			if err != nil {
				t.Fatal(err)
			}
			newest := then(w, second)
			_, err = w.Refresh(t.Context(), first.RefreshToken)
			wantCode(t, "the copied token", err, errs.Unauthorized)
			_, err = w.Refresh(t.Context(), newest.RefreshToken)
			wantCode(t, "the newest token", err, errs.Unauthorized)
			_, err = w.Authenticate(t.Context(), newest.AccessToken)
			wantCode(t, "the newest access token", err, errs.Unauthorized)
			if told := w.live.take(); len(told) != 1 || told[0] != "login ended "+who.LoginID+" "+who.DeviceID {
				t.Errorf("told %v", told)
			}
			w.login("phone") // the owner logs in again
		})
	}
}

// TestManyRefreshesAtOnce: tabs of one browser share a token (SEC-17).
func TestManyRefreshesAtOnce(t *testing.T) {
	w := newWorld(t)
	first, _ := w.device("phone", "a@example.com")
	const tabs = 100
	successors := make(chan string, tabs)
	var all sync.WaitGroup
	for range tabs {
		all.Go(func() {
			grant, err := w.Refresh(t.Context(), first.RefreshToken)
			if err != nil {
				t.Errorf("Refresh() among many = %v", err)
			}
			successors <- grant.RefreshToken
		})
	}
	all.Wait()
	close(successors)
	one := <-successors
	for other := range successors {
		if other != one {
			t.Fatal("two successors of one token")
		}
	}
	if _, err := w.Refresh(t.Context(), one); err != nil {
		t.Errorf("the successor = %v", err)
	}
	if told := w.live.take(); told != nil {
		t.Errorf("a false alarm: %v", told)
	}
}

func TestLoginEndsByItself(t *testing.T) {
	const day = 24 * time.Hour
	w := newWorld(t)
	idle, _ := w.device("idle", "a@example.com")
	busy, _ := w.device("busy", "a@example.com")
	used := 0
	for range 5 { // 5 × 20 days: never idle for 30
		w.clock.advance(20 * day)
		if used == 1 {
			_, err := w.Refresh(t.Context(), idle.RefreshToken)
			wantCode(t, "a log-in not used for 40 days", err, errs.Unauthorized)
		}
		next, err := w.Refresh(t.Context(), busy.RefreshToken)
		if err != nil {
			wantCode(t, "a log-in past its time", err, errs.Unauthorized)
			break
		}
		busy = next
		used++
	}
	if used != 4 { // days 20, 40, 60, 80; not 100
		t.Errorf("a busy log-in was refreshed %d times in 100 days, want 4", used)
	}
}

// TestForgedRefreshToken: whoever does not have a token of the log-in gets
// nothing, and a revoked device is told so only if its token is real.
func TestForgedRefreshToken(t *testing.T) {
	w := newWorld(t)
	grant, who := w.device("phone", "a@example.com")
	for _, token := range []string{"", ".", "l_x", "l_x.", ".x", "l_unknown.secret", who.LoginID + "." + strings.Repeat("x", 200)} {
		_, err := w.Refresh(t.Context(), token)
		wantCode(t, "Refresh("+token+")", err, errs.Unauthorized)
	}
	if err := w.RevokeDevice(t.Context(), who, who.DeviceID); err != nil {
		t.Fatal(err)
	}
	_, err := w.Refresh(t.Context(), grant.RefreshToken)
	wantCode(t, "a revoked device", err, errs.Revoked)
	_, err = w.Refresh(t.Context(), who.LoginID+".forged")
	wantCode(t, "one who only knows its id", err, errs.Unauthorized)
	_, err = w.Authenticate(t.Context(), grant.AccessToken)
	wantCode(t, "its access token", err, errs.Revoked)
}

// respellings are other texts that a lenient reader of base64url takes for the
// same bytes: unused bits set, line ends, padding.
func respellings(t *testing.T, token string) []string {
	t.Helper()
	cut := strings.LastIndexByte(token, '.') + 1
	last := token[cut:]
	bytes, err := base64.RawURLEncoding.DecodeString(last)
	if err != nil {
		t.Fatal(err)
	}
	all := []string{token + "=", token + "\n", token + "\r", token[:cut] + "\n" + last, token[:cut+5] + "\r\n" + token[cut+5:]}
	for _, letter := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" {
		other := last[:len(last)-1] + string(letter)
		if same, err := base64.RawURLEncoding.DecodeString(other); err == nil && other != last && slices.Equal(same, bytes) {
			all = append(all, token[:cut]+other)
		}
	}
	if len(all) != 8 { // 32 bytes leave two bits of the last letter unused
		t.Fatalf("%d other spellings of %s", len(all), token)
	}
	return all
}

// Fault E6: a token was taken in several spellings. Now it is another text that
// proves nothing: it is refused, and does not count as a copy.
func TestTokensHaveOneSpelling(t *testing.T) {
	w := newWorld(t)
	grant, _ := w.device("phone", "a@example.com")
	for _, token := range respellings(t, grant.AccessToken) {
		_, err := w.Authenticate(t.Context(), token)
		wantCode(t, fmt.Sprintf("Authenticate(%q)", token), err, errs.Unauthorized)
	}
	head, rest, _ := strings.Cut(grant.AccessToken, ".")
	for _, token := range []string{head + "\n." + rest, head + "=." + rest} {
		_, err := w.Authenticate(t.Context(), token)
		wantCode(t, fmt.Sprintf("Authenticate(%q)", token), err, errs.Unauthorized)
	}
	for _, token := range respellings(t, grant.RefreshToken) {
		_, err := w.Refresh(t.Context(), token)
		wantCode(t, fmt.Sprintf("Refresh(%q)", token), err, errs.Unauthorized)
		if err := w.LogoutToken(t.Context(), token); err != nil {
			t.Error(err)
		}
	}
	if _, err := w.Authenticate(t.Context(), grant.AccessToken); err != nil {
		t.Errorf("the access token as it was given: %v", err)
	}
	if _, err := w.Refresh(t.Context(), grant.RefreshToken); err != nil {
		t.Errorf("the refresh token as it was given: %v", err)
	}
}

// TestTokensAreNotStored: neither kind can be read from the database.
func TestTokensAreNotStored(t *testing.T) {
	w := newWorld(t)
	grant, who := w.device("phone", "a@example.com")
	login, _, err := w.db.Login(t.Context(), who.LoginID)
	if err != nil {
		t.Fatal(err)
	}
	_, secret, _ := strings.Cut(grant.RefreshToken, ".")
	if len(secret) != 43 { // 256 bits in base64
		t.Errorf("a refresh token of %d letters", len(secret))
	}
	if strings.Contains(login.TokenHash, secret) || len(login.TokenHash) != 64 {
		t.Errorf("stored: %s", login.TokenHash)
	}
}
