package store

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"social-server/internal/account"
	"social-server/internal/errs"
	"social-server/internal/hub"
	"social-server/internal/settings"
)

// TestHeads: the epoch, and the revisions of those who exist, however many are asked for.
func TestHeads(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		s := openPopulated(t, on)
		epoch, err := s.Epoch(t.Context())
		must(t, err)
		for i := range 3 {
			commit(t, s, write("u_1", "d_1", fmt.Sprint("p", i), `{"billing":{"salary":1}}`))
		}
		many := []string{"u_1", "u_2"}
		for i := range 2000 {
			many = append(many, fmt.Sprint("u_none_", i))
		}
		tests := map[string]struct {
			users []string
			want  map[string]uint64
		}{
			"nobody":       {nil, map[string]uint64{}},
			"none exists":  {[]string{"u_9", ""}, map[string]uint64{}},
			"one":          {[]string{"u_1"}, map[string]uint64{"u_1": 3}},
			"one twice":    {[]string{"u_1", "u_1"}, map[string]uint64{"u_1": 3}},
			"odd names":    {[]string{`u"_1`, `u_1'`, "ü", "u_2"}, map[string]uint64{"u_2": 0}},
			"two thousand": {many, map[string]uint64{"u_1": 3, "u_2": 0}},
		}
		for name, tt := range tests {
			got, revisions, err := s.Heads(t.Context(), tt.users)
			if err != nil || got != epoch || !reflect.DeepEqual(revisions, tt.want) {
				t.Errorf("%s: %q %v, %v", name, got, revisions, err)
			}
		}
	})
}

// TestStandings: what ended a seat, the worst of it, in the order of the seats.
func TestStandings(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		s, ctx := openPopulated(t, on), t.Context()
		must(t, s.CreateDevice(ctx, account.Device{ID: "d_3", AccountID: "a_1", Name: "gone", CreatedAt: noon, LastSeen: noon}, 10))
		for id, device := range map[string]string{"l_1": "d_1", "l_2": "d_2", "l_3": "d_3", "l_ended": "d_1"} {
			must(t, s.CreateLogin(ctx, account.Login{ID: id, DeviceID: device, TokenHash: id, RotatedAt: noon, CreatedAt: noon}, "", time.Time{}))
		}
		_, err := s.EndLogin(ctx, "l_ended", noon)
		must(t, err)
		_, err = s.RevokeDevice(ctx, "a_1", "d_3", noon)
		must(t, err)
		seats := []hub.Seat{
			{User: "u_1", Device: "d_1", Login: "l_1"},
			{User: "u_2", Device: "d_2", Login: "l_2"},
			{User: "u_2", Device: "d_1", Login: "l_1"},
			{User: "u_9", Device: "d_1", Login: "l_1"},
			{User: "u_1", Device: "d_1", Login: "l_ended"},
			{User: "u_2", Device: "d_1", Login: "l_ended"},
			{User: "u_1", Device: "d_1", Login: "l_2"}, // of another device
			{User: "u_1", Device: "d_1", Login: ""},
			{User: "u_1", Device: "d_3", Login: "l_3"},
			{User: "u_1", Device: "d_9", Login: "l_1"},
			{},
			{User: "u_1", Device: "d_1", Login: "l_1"},
		}
		want := []hub.Standing{
			hub.Good, hub.Good, hub.NotMember, hub.NotMember, hub.SignedOut, hub.SignedOut, hub.SignedOut, hub.SignedOut,
			hub.Revoked, hub.Revoked, hub.Revoked, hub.Good,
		}
		for range 9 { // 3072 of them
			seats, want = append(seats, seats...), append(want, want...)
		}
		got, err := s.Standings(ctx, seats)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %v…, %v", got[:min(12, len(got))], err)
		}
		if got, err := s.Standings(ctx, nil); err != nil || len(got) != 0 {
			t.Errorf("of no seats: %v, %v", got, err)
		}
	})
}

// TestNewEpoch: a new word, and all else stays.
func TestNewEpoch(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		s := openPopulated(t, on)
		old, err := s.Epoch(t.Context())
		must(t, err)
		commit(t, s, write("u_1", "d_1", "a", `{"billing":{"salary":1}}`))
		made, err := s.NewEpoch(t.Context())
		must(t, err)
		now, err := s.Epoch(t.Context())
		if err != nil || now != made || made == old || len(made) != len(old) {
			t.Errorf("was %q, made %q, is %q, %v", old, made, now, err)
		}
		out := commit(t, s, write("u_1", "d_1", "b", `{"billing":{"salary":2}}`))[0]
		if out.Epoch != made || out.Answer.Revision != 2 {
			t.Errorf("%+v", out)
		}
	})
}

// TestTouchMany devices at once, from two stores that name them in any order.
func TestTouchMany(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		s := family(t, on)
		seen := map[string]time.Time{}
		for i := range 40 {
			id := fmt.Sprint("d_x", i)
			must(t, s.CreateDevice(t.Context(), deviceOf("a_1", id), 100))
			seen[id] = nine.Add(time.Hour)
		}
		done := make(chan error)
		for range 4 {
			go func() { done <- s.TouchDevices(t.Context(), seen) }()
		}
		for range 4 {
			must(t, <-done)
		}
		all, err := s.Devices(t.Context(), "a_1")
		must(t, err)
		for _, d := range all {
			if want := !strings.HasPrefix(d.ID, "d_x"); d.LastSeen.Equal(nine) != want {
				t.Errorf("%s was seen %v", d.ID, d.LastSeen)
			}
		}
	})
}

// Names and ids that only one of the databases could take are those of nobody.
func TestHostileLookups(t *testing.T) {
	names := []string{
		"\x00", "d\x00_1", "\xff\xfe", "d_1\xc3", "d_1' OR '1'='1", `d_1\`, "d%", "d_1;", "ｄ_1", strings.Repeat("d", 100_000), "",
	}
	each(t, func(t *testing.T, on database) {
		s, ctx := family(t, on), t.Context()
		for _, name := range names {
			t.Run(fmt.Sprintf("%.20q", name), func(t *testing.T) {
				_, _, errDevice := s.DeviceByName(ctx, name)
				_, errAccount := s.Account(ctx, name)
				_, errEmail := s.AccountByEmail(ctx, name)
				_, _, errLogin := s.Login(ctx, name)
				_, errUser := s.User(ctx, "a_1", "d_1", name)
				_, errNamed := s.UserNamed(ctx, name)
				_, errAsk := s.AskOf(ctx, "d_1", name)
				_, errRedeem := s.Redeem(ctx, name, noon)
				_, errReset := s.ResetCode(ctx, name, noon)
				_, _, errChanged := s.Changed(ctx, name, 0)
				_, errCurrent := s.Current(ctx, name, settings.Patch{})
				for what, err := range map[string]error{
					"device": errDevice, "account": errAccount, "e-mail": errEmail, "login": errLogin, "user": errUser, "named": errNamed,
					"ask": errAsk, "redeem": errRedeem, "reset": errReset, "changed": errChanged, "current": errCurrent,
				} {
					wantCode(t, what, err, errs.NotFound)
				}
			})
		}
	})
}

// Names are the same in any case of letters, in any normalisation, and with or
// without characters that have no shape; letters that are not the same stay apart.
func TestNamesInAnyCase(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		s, ctx := family(t, on), t.Context()
		for i, name := range []string{"Zoë", "İ", "ß", "SS", "ǅ", "K", "_", "a b", "Ωmega", "مي\u200cم"} {
			u := account.User{ID: fmt.Sprint("u_", i), AccountID: "a_1", Username: name, CreatedAt: nine}
			must(t, s.CreateUser(ctx, u, "d_1", 100))
			d := deviceOf("a_1", fmt.Sprint("d_n", i))
			d.Name = name
			must(t, s.CreateDevice(ctx, d, 100))
		}
		for name, id := range map[string]string{
			"zoë": "0", "ZOË": "0", "zoe\u0308": "0", " ZOE\u0308\u00a0": "0", "I": "1", "ẞ": "2", "ss": "3", "ǆ": "4", "k": "5", "\u212a": "5",
			"A B": "7", "a\u00a0 b": "7", "ΩMEGA": "8", "\u2126mega": "8", "ميم": "9", "مي\u200dم": "9",
		} {
			if u, err := s.User(ctx, "a_1", "d_1", name); err != nil || u.ID != "u_"+id {
				t.Errorf("user %+q is %q, %v, want %s", name, u.ID, err, id)
			}
			if u, err := s.UserNamed(ctx, name); err != nil || u.ID != "u_"+id {
				t.Errorf("user named %+q is %q, %v, want %s", name, u.ID, err, id)
			}
			if d, _, err := s.DeviceByName(ctx, name); err != nil || d.ID != "d_n"+id {
				t.Errorf("device %+q is %q, %v, want %s", name, d.ID, err, id)
			}
			wantCode(t, "a user "+name, s.CreateUser(ctx, account.User{ID: "u_x", AccountID: "a_1", Username: name, CreatedAt: nine}, "d_1", 100), errs.Conflict)
			_, err := s.RenameDevice(ctx, "a_1", "d_1", name)
			wantCode(t, "a device "+name, err, errs.Conflict)
		}
		for _, name := range []string{"zoe", "dž", "omega", "a_b", ""} {
			_, err := s.UserNamed(ctx, name)
			wantCode(t, "a user "+name, err, errs.NotFound)
		}
		var order []string
		users, err := s.Users(ctx, "a_1", "d_1")
		must(t, err)
		for _, u := range users {
			order = append(order, u.Username)
		}
		if got := fmt.Sprint(order); got != "[_ a b K SS Zoë ß İ ǅ Ωmega مي\u200cم]" {
			t.Errorf("in the order %s", got)
		}
	})
}
