package store

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"social-server/internal/account"
	"social-server/internal/errs"
)

// TestResetCodes: one per account, good until its time, gone when dropped.
func TestResetCodes(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		s, ctx := family(t, on), t.Context()
		must(t, s.PutResetCode(ctx, "a_1", "first", nine.Add(time.Minute)))
		must(t, s.PutResetCode(ctx, "a_1", "second", nine.Add(time.Minute)))
		tests := map[string]struct {
			hash string
			now  time.Time
			want errs.Code
		}{
			"the newest":     {"second", nine, ""},
			"replaced":       {"first", nine, errs.NotFound},
			"in its last ms": {"second", nine.Add(time.Minute - time.Millisecond), ""},
			"too old":        {"second", nine.Add(time.Minute), errs.NotFound},
			"none":           {"", nine, errs.NotFound},
		}
		for name, tt := range tests {
			owner, err := s.ResetCode(ctx, tt.hash, tt.now)
			switch {
			case tt.want != "":
				wantCode(t, name, err, tt.want)
			case err != nil || owner.ID != "a_1":
				t.Errorf("%s: account %q, %v", name, owner.ID, err)
			}
		}
		must(t, s.DropResetCode(ctx, "a_1"))
		must(t, s.DropResetCode(ctx, "a_1"))
		_, err := s.ResetCode(ctx, "second", nine)
		wantCode(t, "dropped", err, errs.NotFound)
		if err := s.PutResetCode(ctx, "a_none", "x", nine); err == nil {
			t.Error("a code for no account was stored")
		}
	})
}

// TestEndLogins ends those of the account that live, but one, and no other's.
func TestEndLogins(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		s, ctx := family(t, on), t.Context()
		must(t, s.CreateAccount(ctx, account.Account{ID: "a_2", Email: "b@example.com", CreatedAt: nine}, deviceOf("a_2", "d_2"), false))
		for id, device := range map[string]string{"l_1": "d_1", "l_2": "d_1", "l_3": "d_1", "l_4": "d_2"} {
			must(t, s.CreateLogin(ctx, account.Login{ID: id, DeviceID: device, TokenHash: id, RotatedAt: nine, CreatedAt: nine}, "", time.Time{}))
		}
		if _, err := s.EndLogin(ctx, "l_3", nine); err != nil {
			t.Fatal(err)
		}
		ended, err := s.EndLogins(ctx, "a_1", "l_1", nine.Add(time.Hour))
		must(t, err)
		if len(ended) != 1 || ended[0].ID != "l_2" || ended[0].DeviceID != "d_1" {
			t.Errorf("ended %v, want l_2", ended)
		}
		for id, want := range map[string]time.Time{"l_1": {}, "l_2": nine.Add(time.Hour), "l_3": nine, "l_4": {}} {
			login, _, err := s.Login(ctx, id)
			must(t, err)
			if !login.EndedAt.Equal(want) {
				t.Errorf("%s ended at %v, want %v", id, login.EndedAt, want)
			}
		}
		if ended, err = s.EndLogins(ctx, "a_1", "", nine); err != nil || len(ended) != 1 {
			t.Errorf("without an exception: %v %v", ended, err)
		}
	})
}

// TestOpenBeside a store that is open: each sees what the other stores. Without
// a database, or with one of another version, it opens nothing.
func TestOpenBeside(t *testing.T) {
	ctx, path := t.Context(), filepath.Join(t.TempDir(), "s.db")
	if _, err := OpenBeside(ctx, path); err == nil {
		t.Fatal("a database was made")
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a file was left")
	}
	server, err := Open(ctx, path)
	must(t, err)
	defer server.Close()
	beside, err := OpenBeside(ctx, path)
	must(t, err)
	must(t, beside.CreateAccount(ctx, account.Account{ID: "a_1", Email: "a@example.com", CreatedAt: nine}, deviceOf("a_1", "d_1"), false))
	if _, err := server.Account(ctx, "a_1"); err != nil {
		t.Errorf("the server: %v", err)
	}
	must(t, server.PutResetCode(ctx, "a_1", "hash", nine.Add(time.Hour)))
	if _, err := beside.ResetCode(ctx, "hash", nine); err != nil {
		t.Errorf("the command: %v", err)
	}
	must(t, beside.Close())
	if _, err := server.Account(ctx, "a_1"); err != nil {
		t.Errorf("the server, afterwards: %v", err)
	}
	if _, err := server.Account(ctx, "a_none"); !errs.Is(err, errs.NotFound) {
		t.Errorf("no such account: %v", err)
	}
	if _, err := server.write.ExecContext(ctx, "DELETE FROM goose_db_version WHERE version_id > 1"); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenBeside(ctx, path); err == nil || !strings.Contains(err.Error(), "another version") {
		t.Errorf("an older database: %v", err)
	}
}
