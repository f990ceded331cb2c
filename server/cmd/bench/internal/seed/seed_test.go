package seed

import (
	"log/slog"
	"path/filepath"
	"testing"

	"social-server/internal/account"
	"social-server/internal/store"
)

// Every device that was made has a log-in the server's own check accepts, and
// has joined its user; so it is among many strangers.
func TestFill(t *testing.T) {
	dir, secret := t.TempDir(), Secret()
	users, err := Fill(t.Context(), dir, secret, Group{"a", 2, 3}, Group{"b", 1, 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := Crowd(t.Context(), dir, 50); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), filepath.Join(dir, Database))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	accounts, err := account.New(account.Config{Store: s, Secrets: [][]byte{[]byte(secret)}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer accounts.Close()
	devices := 0
	for _, u := range append(users["a"], users["b"]...) {
		for _, d := range u.Devices {
			devices++
			who, err := accounts.Authenticate(t.Context(), d.Token)
			if err != nil || who.DeviceName != d.Name {
				t.Fatalf("%s: %+v, %v", d.Name, who, err)
			}
			if _, err := accounts.Authorize(t.Context(), who, u.Name); err != nil {
				t.Errorf("%s may not see %s: %v", d.Name, u.Name, err)
			}
		}
	}
	if devices != 7 {
		t.Errorf("%d devices, want 7", devices)
	}
	if _, entries, err := s.Changed(t.Context(), "u_s50", 0); err != nil || len(entries) != 1 {
		t.Errorf("the last stranger has %d settings, %v", len(entries), err)
	}
}
