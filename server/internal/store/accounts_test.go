package store

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jinzhu/gorm"

	"social-server/internal/account"
	"social-server/internal/errs"
)

// nine is a time as precise as it is stored.
var nine = time.Date(2026, 11, 23, 9, 0, 0, 123e6, time.UTC)

// family is a store with one account of one device.
func family(t *testing.T, on database) *Store {
	t.Helper()
	s := on.open(t)
	a := account.Account{ID: "a_1", Email: "a@example.com", PasswordHash: "hash", CreatedAt: nine}
	must(t, s.CreateAccount(t.Context(), a, deviceOf("a_1", "d_1"), false))
	return s
}

// deviceOf returns a device whose name is its id.
func deviceOf(accountID, id string) account.Device {
	return account.Device{ID: id, AccountID: accountID, Name: id, Platform: "p", CreatedAt: nine, LastSeen: nine}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantCode(t *testing.T, what string, err error, want errs.Code) {
	t.Helper()
	if !errs.Is(err, want) {
		t.Errorf("%s = %v, want %s", what, err, want)
	}
}

// TestWhatIsStoredComesBack, in every field.
func TestWhatIsStoredComesBack(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		s, ctx := family(t, on), t.Context()
		device, owner, err := s.DeviceByName(ctx, "D_1") // in any case
		must(t, err)
		if want := deviceOf("a_1", "d_1"); device != want {
			t.Errorf("device = %+v, want %+v", device, want)
		}
		if want := (account.Account{ID: "a_1", Email: "a@example.com", PasswordHash: "hash", CreatedAt: nine}); owner != want {
			t.Errorf("account = %+v, want %+v", owner, want)
		}
		login := account.Login{ID: "l_1", DeviceID: "d_1", TokenHash: "h", PreviousHash: "g", RotatedAt: nine.Add(time.Hour), CreatedAt: nine}
		must(t, s.CreateLogin(ctx, login, "", nine))
		got, device, err := s.Login(ctx, "l_1")
		must(t, err)
		if got != login {
			t.Errorf("login = %+v, want %+v", got, login)
		}
		if device.Platform != "" { // an empty value is saved, not skipped
			t.Errorf("platform = %q, want none", device.Platform)
		}
		user := account.User{ID: "u_1", AccountID: "a_1", Username: "U", CreatedAt: nine}
		must(t, s.CreateUser(ctx, user, "d_1", 1))
		user.Joined = true
		users, err := s.Users(ctx, "a_1", "d_1")
		must(t, err)
		if !reflect.DeepEqual(users, []account.User{user}) {
			t.Errorf("users = %+v, want %+v", users, user)
		}
		members, err := s.Members(ctx, "u_1")
		must(t, err)
		if !reflect.DeepEqual(members, []account.Member{{ID: "d_1", Name: "d_1", LastSeen: nine}}) {
			t.Errorf("members = %+v", members)
		}
	})
}

// A seat says of a log-in what its access tokens stand for: whose, whether it
// still counts, and of a user whether its device has joined it.
func TestSeat(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		s, ctx := family(t, on), t.Context()
		_, err := s.Seat(ctx, "l_1", "")
		wantCode(t, "Seat", err, errs.NotFound)
		must(t, s.CreateLogin(ctx, account.Login{ID: "l_1", DeviceID: "d_1", TokenHash: "h", RotatedAt: nine, CreatedAt: nine}, "", nine))
		user := account.User{ID: "u_1", AccountID: "a_1", Username: "U", Revision: 7, CreatedAt: nine}
		must(t, s.CreateUser(ctx, user, "d_1", 1))
		want := account.Seat{DeviceID: "d_1", DeviceName: "d_1", AccountID: "a_1"}
		is := func(what, username string) {
			t.Helper()
			if got, err := s.Seat(ctx, "l_1", username); err != nil || got != want {
				t.Errorf("%s: %+v, %v, want %+v", what, got, err, want)
			}
		}
		is("no user named", "")
		is("no such user", "V")
		user.Joined = true
		want.User = user
		is("a member", "u") // in any case
		_, err = s.Leave(ctx, "u_1", "d_1")
		must(t, err)
		want.User = account.User{}
		is("of the account, but no member", "U")
		_, err = s.EndLogin(ctx, "l_1", nine)
		must(t, err)
		want.Ended = true
		is("ended", "U")
		_, err = s.RevokeDevice(ctx, "a_1", "d_1", nine)
		must(t, err)
		want.Revoked = true
		is("revoked", "U")
	})
}

// TestZerosAreSaved: gorm would skip them in a struct.
func TestZerosAreSaved(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		s, ctx := family(t, on), t.Context()
		must(t, s.CreateUser(ctx, account.User{ID: "u_1", AccountID: "a_1", Username: "U", Revision: 7, CreatedAt: nine}, "d_1", 1))
		must(t, s.inTx(ctx, func(tx *gorm.DB) error {
			return tx.Model(&userRow{}).Where("id = ?", "u_1").Updates(map[string]any{"revision": 0}).Error
		}))
		user, err := s.User(ctx, "a_1", "d_1", "u")
		must(t, err)
		if user.Revision != 0 {
			t.Errorf("revision = %d, want 0", user.Revision)
		}
		if _, err := s.Leave(ctx, "u_1", "d_1"); err != nil {
			t.Fatal(err)
		}
		if user, err = s.User(ctx, "a_1", "d_1", "U"); err != nil || user.Joined {
			t.Errorf("user = %+v, %v, want joined false", user, err)
		}
	})
}

func TestMissingRows(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		s, ctx := family(t, on), t.Context()
		_, err := s.AccountByEmail(ctx, "b@example.com")
		wantCode(t, "AccountByEmail", err, errs.NotFound)
		_, _, err = s.DeviceByName(ctx, "d_2")
		wantCode(t, "DeviceByName", err, errs.NotFound)
		_, _, err = s.Login(ctx, "l_1")
		wantCode(t, "Login", err, errs.NotFound)
		_, err = s.User(ctx, "a_1", "d_1", "U")
		wantCode(t, "User", err, errs.NotFound)
		for _, id := range [][2]string{{"a_2", "d_1"}, {"a_1", "d_2"}} { // another's, and none
			_, err = s.RenameDevice(ctx, id[0], id[1], "new")
			wantCode(t, "RenameDevice", err, errs.NotFound)
			_, err = s.RevokeDevice(ctx, id[0], id[1], nine)
			wantCode(t, "RevokeDevice", err, errs.NotFound)
		}
		for name, list := range map[string]func() (int, error){
			"Devices": func() (int, error) { all, err := s.Devices(ctx, "a_2"); return len(all), err },
			"Users":   func() (int, error) { all, err := s.Users(ctx, "a_2", "d_2"); return len(all), err },
			"Members": func() (int, error) { all, err := s.Members(ctx, "u_2"); return len(all), err },
		} {
			if n, err := list(); n != 0 || err != nil {
				t.Errorf("%s = %d, %v, want none", name, n, err)
			}
		}
	})
}

func TestTakenNames(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		s, ctx := family(t, on), t.Context()
		other := func(email, device string) error {
			a := account.Account{ID: "a_2", Email: email, PasswordHash: "hash", CreatedAt: nine}
			d := deviceOf("a_2", "d_2")
			d.Name = device
			return s.CreateAccount(ctx, a, d, false)
		}
		tests := map[string]struct {
			err   error
			field string
		}{
			"e-mail": {other("a@example.com", "new"), "email"},
			"device": {other("b@example.com", "D_1"), "deviceName"},
			"second": {s.CreateDevice(ctx, deviceOf("a_1", "D_1"), 9), "deviceName"},
		}
		for name, tt := range tests {
			wantCode(t, name, tt.err, errs.Conflict)
			if got := errs.From(tt.err).Field; got != tt.field {
				t.Errorf("%s: blamed %q, want %q", name, got, tt.field)
			}
		}
		must(t, other("b@example.com", "new")) // nothing was left of the failures
		wantCode(t, "only one account", s.CreateAccount(ctx, account.Account{ID: "a_3", Email: "c@example.com"}, deviceOf("a_3", "d_3"), true), errs.Conflict)
		_, err := s.RenameDevice(ctx, "a_1", "d_1", "NEW")
		wantCode(t, "RenameDevice", err, errs.Conflict)
	})
}

func TestAnyAccount(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		for want, s := range map[bool]*Store{false: on.open(t), true: family(t, on)} {
			if got, err := s.AnyAccount(t.Context()); err != nil || got != want {
				t.Errorf("AnyAccount() = %v, %v, want %v", got, err, want)
			}
		}
	})
}

// TestRotateIsCompareAndSwap: of many with one token, one moves it.
func TestRotateIsCompareAndSwap(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		s, ctx := family(t, on), t.Context()
		must(t, s.CreateLogin(ctx, account.Login{ID: "l_1", DeviceID: "d_1", TokenHash: "0", RotatedAt: nine, CreatedAt: nine}, "", nine))
		var moved atomic.Int64
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				ok, err := s.RotateLogin(ctx, "l_1", "0", strconv.Itoa(i+1), nine.Add(time.Minute))
				if err != nil {
					t.Error(err)
				}
				if ok {
					moved.Add(1)
				}
			})
		}
		all.Wait()
		login, _, err := s.Login(ctx, "l_1")
		must(t, err)
		if moved.Load() != 1 || login.PreviousHash != "0" || !login.RotatedAt.Equal(nine.Add(time.Minute)) {
			t.Errorf("%d moved it; it is %+v", moved.Load(), login)
		}
		for _, want := range []bool{true, false} { // it ends once
			if ended, err := s.EndLogin(ctx, "l_1", nine); err != nil || ended != want {
				t.Errorf("EndLogin() = %v, %v, want %v", ended, err, want)
			}
		}
		if ok, err := s.RotateLogin(ctx, "l_1", login.TokenHash, "x", nine); err != nil || ok {
			t.Errorf("an ended log-in moved: %v, %v", ok, err)
		}
	})
}

// TestOldLoginsAreForgotten when their device logs in again.
func TestOldLoginsAreForgotten(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		s, ctx := family(t, on), t.Context()
		must(t, s.CreateDevice(ctx, deviceOf("a_1", "d_2"), 9))
		start := func(id, device string, rotated time.Time) {
			must(t, s.CreateLogin(ctx, account.Login{ID: id, DeviceID: device, TokenHash: id, RotatedAt: rotated, CreatedAt: nine}, "", nine))
		}
		start("ended", "d_1", nine)
		start("alive", "d_1", nine)
		start("idle", "d_1", nine.Add(-time.Millisecond))
		start("another's", "d_2", nine.Add(-time.Hour))
		_, err := s.EndLogin(ctx, "ended", nine)
		must(t, err)
		start("new", "d_1", nine)
		for id, want := range map[string]bool{"ended": false, "idle": false, "alive": true, "new": true, "another's": true} {
			if _, _, err := s.Login(ctx, id); (err == nil) != want {
				t.Errorf("log-in %s: %v, want it kept: %v", id, err, want)
			}
		}
	})
}

func TestReplaceHashIfItStillIs(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		s, ctx := family(t, on), t.Context()
		must(t, s.ReplaceHash(ctx, "a_1", "another", "lost"))
		must(t, s.ReplaceHash(ctx, "a_1", "hash", "raised"))
		must(t, s.ReplaceHash(ctx, "a_1", "hash", "lost"))
		if a, err := s.AccountByEmail(ctx, "a@example.com"); err != nil || a.PasswordHash != "raised" {
			t.Errorf("hash = %q, %v", a.PasswordHash, err)
		}
	})
}

func TestTouchNeverMovesBack(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		s, ctx := family(t, on), t.Context()
		for _, at := range []time.Duration{time.Hour, 0, time.Minute} {
			must(t, s.TouchDevices(ctx, map[string]time.Time{"d_1": nine.Add(at), "d_unknown": nine}))
		}
		if d, _, err := s.DeviceByName(ctx, "d_1"); err != nil || !d.LastSeen.Equal(nine.Add(time.Hour)) {
			t.Errorf("last seen %v, %v", d.LastSeen, err)
		}
	})
}

// TestRevokedDeviceKeepsItsRow, for the history, and loses everything else.
func TestRevokedDeviceKeepsItsRow(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		s, ctx := family(t, on), t.Context()
		must(t, s.CreateLogin(ctx, account.Login{ID: "l_1", DeviceID: "d_1", TokenHash: "h", RotatedAt: nine, CreatedAt: nine}, "", nine))
		must(t, s.CreateUser(ctx, account.User{ID: "u_1", AccountID: "a_1", Username: "U", CreatedAt: nine}, "d_1", 9))
		users, err := s.RevokeDevice(ctx, "a_1", "d_1", nine.Add(time.Hour))
		if err != nil || !slices.Equal(users, []string{"u_1"}) {
			t.Fatalf("RevokeDevice() = %v, %v", users, err)
		}
		login, device, err := s.Login(ctx, "l_1")
		must(t, err)
		if !login.EndedAt.Equal(nine.Add(time.Hour)) || !device.RevokedAt.Equal(nine.Add(time.Hour)) {
			t.Errorf("login %+v of %+v", login, device)
		}
		if members, err := s.Members(ctx, "u_1"); err != nil || len(members) != 0 {
			t.Errorf("members = %v, %v", members, err)
		}
		wantCode(t, "CreateLogin", s.CreateLogin(ctx, account.Login{ID: "l_2", DeviceID: "d_1"}, "", nine), errs.Revoked)
		wantCode(t, "CreateUser", s.CreateUser(ctx, account.User{ID: "u_2", AccountID: "a_1", Username: "V", CreatedAt: nine}, "d_1", 9), errs.Revoked)
		_, err = s.Join(ctx, "u_1", "d_1", nine, 9)
		wantCode(t, "Join", err, errs.Revoked)
		_, err = s.RenameDevice(ctx, "a_1", "d_1", "new")
		wantCode(t, "RenameDevice", err, errs.NotFound)
		if all, err := s.Devices(ctx, "a_1"); err != nil || len(all) != 0 {
			t.Errorf("devices = %v, %v", all, err)
		}
	})
}

// TestQuotasHoldUnderRace: many at the limit cannot exceed it (SEC-43).
func TestQuotasHoldUnderRace(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		const limit, tries = 5, 20
		s, ctx := family(t, on), t.Context()
		must(t, s.CreateUser(ctx, account.User{ID: "u_1", AccountID: "a_1", Username: "U", CreatedAt: nine}, "d_1", limit))
		for i := range tries {
			must(t, s.CreateDevice(ctx, deviceOf("a_1", fmt.Sprintf("m_%d", i)), 100))
		}
		tests := map[string]struct {
			have int // before the race
			add  func(i int) error
		}{
			"devices": {tries + 1, func(i int) error {
				return s.CreateDevice(ctx, deviceOf("a_1", fmt.Sprintf("x_%d", i)), tries+1+limit)
			}},
			"users": {1, func(i int) error {
				name := fmt.Sprintf("u_x%d", i)
				return s.CreateUser(ctx, account.User{ID: name, AccountID: "a_1", Username: name, CreatedAt: nine}, "d_1", 1+limit)
			}},
			"members": {1, func(i int) error {
				_, err := s.Join(ctx, "u_1", fmt.Sprintf("m_%d", i), nine, 1+limit)
				return err
			}},
		}
		for name, tt := range tests {
			t.Run(name, func(t *testing.T) {
				var added atomic.Int64
				var all sync.WaitGroup
				for i := range tries {
					all.Go(func() {
						switch err := tt.add(i); {
						case err == nil:
							added.Add(1)
						case !errs.Is(err, errs.QuotaExceeded):
							t.Error(err)
						}
					})
				}
				all.Wait()
				if added.Load() != limit {
					t.Errorf("%d were added to %d, want %d", added.Load(), tt.have, limit)
				}
			})
		}
	})
}

// TestEverythingSurvivesReopening of the database.
func TestEverythingSurvivesReopening(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		path := on.place(t)
		first, err := on.at(t.Context(), path)
		must(t, err)
		must(t, first.CreateAccount(t.Context(), account.Account{ID: "a_1", Email: "a@example.com", CreatedAt: nine}, deviceOf("a_1", "d_1"), false))
		must(t, first.Close())
		if _, _, err := on.openAt(t, path).DeviceByName(t.Context(), "d_1"); err != nil {
			t.Error(err)
		}
	})
}

// TestEndedRequests get no answer and change nothing.
func TestEndedRequests(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		s := family(t, on)
		ended, end := context.WithCancel(t.Context())
		end()
		_, _, err := s.DeviceByName(ended, "d_1")
		wantCode(t, "DeviceByName", err, errs.Unavailable)
		wantCode(t, "CreateDevice", s.CreateDevice(ended, deviceOf("a_1", "d_2"), 9), errs.Unavailable)
		if _, _, err := s.DeviceByName(t.Context(), "d_2"); !errs.Is(err, errs.NotFound) {
			t.Errorf("a request that had ended stored a device: %v", err)
		}
	})
}
