package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"social-server/internal/account"
	"social-server/internal/errs"
)

// log returns the events of an account as "number event detail".
func (s *Store) log(t *testing.T, accountID, event string, before int64, oldest time.Time, limit int) (lines []string) {
	t.Helper()
	events, err := s.Events(t.Context(), accountID, event, before, oldest, limit)
	must(t, err)
	for _, e := range events {
		lines = append(lines, fmt.Sprint(e.Number, " ", e.Event, " ", e.Detail))
	}
	return lines
}

// TestEventsComeBack, newest first, in pages, and to their own account only.
func TestEventsComeBack(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		s, ctx := family(t, on), t.Context()
		must(t, s.CreateAccount(ctx, account.Account{ID: "a_2", Email: "b@example.com", CreatedAt: nine}, deviceOf("a_2", "d_2"), false))
		first := account.Event{
			AccountID: "a_1", Event: "login", DeviceID: "d_1", DeviceName: "Phone", Address: "203.0.113.7", Detail: "one", At: nine,
		}
		must(t, s.Record(ctx, first, time.Time{}, 9))
		must(t, s.Record(ctx, account.Event{AccountID: "a_2", Event: "login", Detail: "other", At: nine}, time.Time{}, 9))
		must(t, s.Record(ctx, account.Event{AccountID: "a_1", Event: "join", Detail: "two", At: nine.Add(time.Hour)}, time.Time{}, 9))

		whole, err := s.Events(ctx, "a_1", "", 0, time.Time{}, 9)
		must(t, err)
		first.Number = whole[1].Number
		if len(whole) != 2 || whole[1] != first {
			t.Fatalf("Events() = %+v, want %+v last", whole, first)
		}
		tests := map[string]struct {
			got  []string
			want string
		}{
			"all":      {s.log(t, "a_1", "", 0, time.Time{}, 9), "[3 join two 1 login one]"},
			"a page":   {s.log(t, "a_1", "", 0, time.Time{}, 1), "[3 join two]"},
			"the next": {s.log(t, "a_1", "", 3, time.Time{}, 1), "[1 login one]"},
			"a kind":   {s.log(t, "a_1", "login", 0, time.Time{}, 9), "[1 login one]"},
			"too old":  {s.log(t, "a_1", "", 0, nine.Add(time.Minute), 9), "[3 join two]"},
			"another":  {s.log(t, "a_2", "", 0, time.Time{}, 9), "[2 login other]"},
			"nobody":   {s.log(t, "a_3", "", 0, time.Time{}, 9), "[]"},
		}
		for name, tt := range tests {
			if got := fmt.Sprint(tt.got); got != tt.want {
				t.Errorf("%s: %s, want %s", name, got, tt.want)
			}
		}
	})
}

// TestAuditIsBounded by age in all logs, and by number for each kind: what a
// stranger can cause pushes out nothing else.
func TestAuditIsBounded(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		s, ctx := family(t, on), t.Context()
		add := func(event string, at time.Time, oldest time.Time) {
			t.Helper()
			must(t, s.Record(ctx, account.Event{AccountID: "a_1", Event: event, At: at}, oldest, 3))
		}
		add("revoke", nine, time.Time{})
		for range 10 {
			add("login-failed", nine.Add(time.Hour), time.Time{})
		}
		if got, want := fmt.Sprint(s.log(t, "a_1", "", 0, time.Time{}, 99)),
			"[11 login-failed  10 login-failed  9 login-failed  1 revoke ]"; got != want {
			t.Errorf("kept %s, want %s", got, want)
		}
		add("login", nine.Add(2*time.Hour), nine.Add(2*time.Hour))
		if got, want := fmt.Sprint(s.log(t, "a_1", "", 0, time.Time{}, 99)), "[12 login ]"; got != want {
			t.Errorf("after a year: %s, want %s", got, want)
		}
	})
}

// TestAtomically: several methods are one transaction, which sees itself and is
// seen by others as a whole.
func TestAtomically(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		s, ctx := family(t, on), t.Context()
		broken := errors.New("broken")
		change := func(answer error) error {
			return s.Atomically(ctx, func(ctx context.Context) error {
				if _, err := s.RevokeDevice(ctx, "a_1", "d_1", nine); err != nil {
					return err
				}
				if devices, err := s.Devices(ctx, "a_1"); err != nil || len(devices) != 0 {
					t.Errorf("inside: %v, %v", devices, err)
				}
				if devices, err := s.Devices(t.Context(), "a_1"); err != nil || len(devices) != 1 {
					t.Errorf("outside, before the end: %v, %v", devices, err)
				}
				return errors.Join(s.Record(ctx, account.Event{AccountID: "a_1", Event: "revoke", At: nine}, time.Time{}, 9), answer)
			})
		}
		if err := change(broken); !errors.Is(err, broken) {
			t.Errorf("Atomically() = %v", err)
		}
		if got := s.log(t, "a_1", "", 0, time.Time{}, 9); len(got) != 0 {
			t.Errorf("undone, and logged as %v", got)
		}
		must(t, change(nil))
		if got := s.log(t, "a_1", "", 0, time.Time{}, 9); len(got) != 1 || !strings.HasSuffix(got[0], " revoke ") {
			t.Errorf("logged %q", got)
		}
		_, err := s.RevokeDevice(ctx, "a_1", "d_1", nine)
		wantCode(t, "revoke once more", err, errs.NotFound)
	})
}
