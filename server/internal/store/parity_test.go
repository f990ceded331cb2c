package store

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"social-server/internal/errs"
	"social-server/internal/settings"
)

// [S-PG-8] The same commands give the same answers, byte for byte, on SQLite,
// on PostgreSQL and in the pure model, and leave the same state behind.
func TestBothDatabasesAgreeWithTheModel(t *testing.T) {
	t.Parallel()
	stores := []*Store{onFile.open(t), onServer.open(t)}
	epoch := "samesame"
	for _, s := range stores {
		if _, err := s.write.ExecContext(t.Context(), "UPDATE epoch SET epoch = '"+epoch+"'"); err != nil {
			t.Fatal(err)
		}
	}
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		suffix := fmt.Sprint(".", run)
		for _, s := range stores {
			populateAs(t, s, suffix)
		}
		model := newModel(epoch)
		for range rapid.IntRange(1, 8).Draw(rt, "groups") {
			group := rapid.SliceOfN(rapid.Custom(drawCommand), 1, 6).Draw(rt, "group")
			for _, w := range group {
				w.User, w.Device = w.User+suffix, w.Device+suffix
			}
			var want []settings.Outcome
			for _, w := range group {
				want = append(want, model.write(w))
			}
			for i, s := range stores {
				for j, got := range commit(t, s, group...) {
					if !sameOutcome(got, want[j]) {
						rt.Fatalf("store %d: %+v: got %+v, want %+v", i, group[j].Patch, got, want[j])
					}
				}
			}
		}
		want := everything(t, stores[0], suffix)
		if got := everything(t, stores[1], suffix); got != want {
			rt.Fatalf("SQLite has\n%s\nPostgreSQL has\n%s", want, got)
		}
		above := rapid.Uint64Range(0, 20).Draw(rt, "above")
		for _, s := range stores {
			head, entries, err := s.Changed(t.Context(), "u_1"+suffix, above)
			if err != nil || head != *model.head || !reflect.DeepEqual(entries, model.since(above)) {
				rt.Fatalf("above %d: %+v %+v, want %+v %+v (%v)", above, head, entries, *model.head, model.since(above), err)
			}
		}
	})
}

// drawCommand draws a write as devices send them, and some that no device should.
func drawCommand(t *rapid.T) *settings.Write {
	if rapid.IntRange(0, 9).Draw(t, "kind") == 0 {
		r := settings.Revert{
			Revision: rapid.Uint64Range(0, 12).Draw(t, "revision"),
			Whole:    rapid.Bool().Draw(t, "whole"), Partial: rapid.Bool().Draw(t, "partial"),
		}
		return revert("u_1", "d_1", rapid.StringMatching(`[a-f]`).Draw(t, "id"), r)
	}
	key := rapid.SampledFrom([]string{"salary", "period", "Salary", "ключ", "\U0001f600", "a b"})
	value := rapid.SampledFrom([]string{
		`1`, `-0`, `1e400`, `0.1000`, `9007199254740993`, `null`, `""`, `"é"`, `"e\u0301"`, `"\u0000"`, `"\ud83d\ude00"`, `[1,  2]`,
		`{"b":1, "a":[null]}`, `"$1 ? ?1 %s '' \\"`, `"` + strings.Repeat("\U0001f600", 2000) + `"`, `true`,
	})
	var set []string
	for _, k := range rapid.SliceOfNDistinct(key, 0, 3, rapid.ID).Draw(t, "keys") {
		set = append(set, fmt.Sprintf("%q:%s", k, value.Draw(t, "value")))
	}
	w := write("u_1", rapid.SampledFrom([]string{"d_1", "d_2", "d_9"}).Draw(t, "device"),
		rapid.StringMatching(`[a-f]`).Draw(t, "id"), `{"billing":{`+strings.Join(set, ",")+`}}`)
	switch rapid.IntRange(0, 4).Draw(t, "condition") {
	case 0:
		w.Patch.Base = map[settings.Key]uint64{}
		for _, a := range w.Patch.Set[:min(1, len(w.Patch.Set))] {
			w.Patch.Base[a.Key] = rapid.Uint64Range(0, 10).Draw(t, "base")
		}
		w.Hash = w.Patch.Hash()
	case 1:
		w.Patch.If = []settings.Version{{Epoch: "samesame", Revision: rapid.Uint64Range(0, 10).Draw(t, "at")}}
		w.Hash = w.Patch.Hash()
	}
	return w
}

// everything tells all that the API shows of the first user.
func everything(t *testing.T, s *Store, suffix string) string {
	t.Helper()
	head, entries, err := s.Changed(t.Context(), "u_1"+suffix, 0)
	if err != nil {
		t.Fatal(err)
	}
	members, err := s.HubMembers(t.Context(), "u_1"+suffix)
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("%+v\n%+v\n%+v\n", head, entries, members)
	for q := (settings.HistoryQuery{Limit: 3}); ; {
		page := history(t, s, "u_1"+suffix, q)
		text += fmt.Sprintf("%+v\n", page)
		if q.Before = page.Next; q.Before == 0 {
			return text
		}
	}
}

// Every value that may be sent comes back as it was sent, from the state, the
// history, an undo, and the answer to whoever overwrites it.
func TestHostileValues(t *testing.T) {
	values := []string{
		`0`, `-0`, `0.0`, `1E+2`, `1e-400`, `123456789012345678901234567890`, `0.1000000000000000055511151231257827`, `true`, `null`,
		`""`, `" "`, `"\t\n\r"`, `"\u0000"`, `"a\u0000b"`, `"\u001f"`, `"\/"`, `"\ud83d\ude00"`, "\"\U0001f600\"", `"é"`, `"e\u0301"`, `"İıſK"`,
		`"\ufeff"`, "\"\ufeff\"", "\"\u2028\"", `"'"`, `"''; DROP TABLE users; --"`, `"\"` + `"`, `"\\"`, `"$1$2"`, `"?"`, `"{}"`, `"NULL"`, `"\\N"`, `"\\."`,
		`{}`, `[]`, `[ ]`, `{"":""}`, `{"a":{"a":{"a":[[[]]]}}}`, `{"b":1,"a":2}`, `[1,2 , 3]`,
		`"` + strings.Repeat("x", 8190) + `"`, `"` + strings.Repeat("é", 4000) + `"`, `"` + strings.Repeat(`\u0000`, 1000) + `"`,
	}
	each(t, func(t *testing.T, on database) {
		s := openPopulated(t, on)
		for i, value := range values {
			t.Run(fmt.Sprintf("%.20s", value), func(t *testing.T) {
				key := settings.Key{Block: "user", Name: fmt.Sprint("k", i)}
				first := write("u_1", "d_1", fmt.Sprint("first", i), fmt.Sprintf(`{"user":{"k%d":%s}}`, i, value))
				revision := commit(t, s, first)[0].Answer.Revision
				over := commit(t, s, write("u_1", "d_2", fmt.Sprint("over", i), fmt.Sprintf(`{"user":{"k%d":1}}`, i)))[0]
				if o := over.Answer.Overwrote; len(o) != 1 || o[0].Text != value {
					t.Errorf("overwrote %+v", o)
				}
				again := commit(t, s, write("u_1", "d_2", fmt.Sprint("over", i), fmt.Sprintf(`{"user":{"k%d":1}}`, i)))[0]
				if !again.Duplicate || !reflect.DeepEqual(again.Answer, over.Answer) {
					t.Errorf("again: %+v", again)
				}
				if r := history(t, s, "u_1", settings.HistoryQuery{Limit: 2, Key: &key}).Records; r[1].Text != value || r[0].Previous != value {
					t.Errorf("in the history: %+v", r)
				}
				cur, err := s.Current(t.Context(), "u_1", settings.Patch{Revert: &settings.Revert{Revision: revision + 1}})
				if err != nil || len(cur.Past) != 1 || cur.Past[0].Previous != value {
					t.Errorf("looking back: %+v, %v", cur.Past, err)
				}
				commit(t, s, write("u_1", "d_1", fmt.Sprint("back", i), fmt.Sprintf(`{"user":{"k%d":%s}}`, i, value)))
				_, entries, err := s.Changed(t.Context(), "u_1", revision+1)
				if err != nil || len(entries) != 1 || entries[0].Text != value {
					t.Errorf("now: %+v, %v", entries, err)
				}
			})
		}
	})
}

// Groups of every shape are answered alike: order, the same key, the same id,
// several users, some refused, a revert in between.
func TestShapesOfGroups(t *testing.T) {
	set := func(device, id, text string) *settings.Write { return write("u_1", device, id, text) }
	salary := func(n int) string { return fmt.Sprintf(`{"billing":{"salary":%d}}`, n) }
	conditional := func(w *settings.Write, base uint64) *settings.Write {
		w.Patch.Base = map[settings.Key]uint64{w.Patch.Set[0].Key: base}
		w.Hash = w.Patch.Hash()
		return w
	}
	var large []*settings.Write
	for i := range 256 {
		large = append(large, set([]string{"d_1", "d_2"}[i%2], fmt.Sprint("l", i), salary(i)))
	}
	tests := map[string]struct {
		group []*settings.Write
		want  string // revision of each; d: duplicate, c: conflict, else the error's code
	}{
		"none":                       {nil, "[]"},
		"one":                        {[]*settings.Write{set("d_1", "a", salary(1))}, "[1]"},
		"one key three times":        {[]*settings.Write{set("d_1", "a", salary(1)), set("d_2", "b", salary(2)), set("d_1", "c", salary(1))}, "[1 2 3]"},
		"one id three times":         {[]*settings.Write{set("d_1", "a", salary(1)), set("d_1", "a", salary(1)), set("d_1", "a", salary(1))}, "[1 1d 1d]"},
		"one id, two bodies":         {[]*settings.Write{set("d_1", "a", salary(1)), set("d_1", "a", salary(2))}, "[1 id-reused]"},
		"one id, two devices":        {[]*settings.Write{set("d_1", "a", salary(1)), set("d_2", "a", salary(1))}, "[1 2]"},
		"two users":                  {[]*settings.Write{write("u_2", "d_2", "a", salary(1)), set("d_2", "b", salary(1)), write("u_2", "d_2", "c", salary(2))}, "[1 1 2]"},
		"one id, two users":          {[]*settings.Write{write("u_2", "d_2", "a", salary(1)), set("d_2", "a", salary(1))}, "[1 1d]"},
		"all refused":                {[]*settings.Write{set("d_9", "a", salary(1)), write("u_9", "d_1", "b", salary(1))}, "[not-found not-found]"},
		"a conflict within":          {[]*settings.Write{set("d_1", "a", salary(1)), conditional(set("d_2", "b", salary(2)), 0)}, "[1 c]"},
		"the conflict comes again":   {[]*settings.Write{set("d_1", "a", salary(1)), conditional(set("d_2", "b", salary(2)), 0), conditional(set("d_2", "b", salary(2)), 0)}, "[1 c cd]"},
		"a base that holds":          {[]*settings.Write{set("d_1", "a", salary(1)), conditional(set("d_2", "b", salary(2)), 1)}, "[1 2]"},
		"a revert of the group":      {[]*settings.Write{set("d_1", "a", salary(1)), set("d_1", "b", salary(2)), revert("u_1", "d_1", "r", settings.Revert{Revision: 2}), set("d_2", "c", salary(5))}, "[1 2 3 4]"},
		"a way back within":          {[]*settings.Write{set("d_1", "a", salary(1)), set("d_1", "b", `{"billing":{"period":2}}`), revert("u_1", "d_1", "r", settings.Revert{Whole: true}), revert("u_1", "d_1", "s", settings.Revert{Revision: 2, Whole: true})}, "[1 2 3 4]"},
		"reverts that do nothing":    {[]*settings.Write{revert("u_1", "d_1", "r", settings.Revert{Revision: 7}), revert("u_1", "d_1", "s", settings.Revert{Whole: true})}, "[not-found 0]"},
		"a revert that comes again":  {[]*settings.Write{set("d_1", "a", salary(1)), revert("u_1", "d_1", "r", settings.Revert{Revision: 1}), revert("u_1", "d_1", "r", settings.Revert{Revision: 1})}, "[1 2 2d]"},
		"a revert of nobody":         {[]*settings.Write{revert("u_9", "d_1", "r", settings.Revert{Revision: 1})}, "[not-found]"},
		"as large as they may be":    {large, ""},
		"two reverts, then the same": {[]*settings.Write{set("d_1", "a", salary(1)), revert("u_1", "d_1", "r", settings.Revert{Revision: 1}), revert("u_1", "d_1", "s", settings.Revert{Revision: 2}), set("d_1", "a", salary(1))}, "[1 2 3 1d]"},
	}
	each(t, func(t *testing.T, on database) {
		s, run := on.open(t), 0
		for name, tt := range tests {
			t.Run(name, func(t *testing.T) {
				run++
				suffix := fmt.Sprint(".", run)
				populateAs(t, s, suffix)
				group := make([]*settings.Write, len(tt.group))
				for i, w := range tt.group {
					own := *w
					own.User, own.Device = w.User+suffix, w.Device+suffix
					group[i] = &own
				}
				outcomes := commit(t, s, group...)
				var got []string
				for _, o := range outcomes {
					got = append(got, word(o))
				}
				if tt.want != "" && fmt.Sprint(got) != tt.want {
					t.Errorf("got %v, want %s", got, tt.want)
				}
				checkDense(t, s, "u_1"+suffix)
			})
		}
	})
}

// word is an outcome in short.
func word(o settings.Outcome) string {
	var text string
	switch {
	case o.Err != nil:
		return string(errs.From(o.Err).Code)
	case o.Answer.Refused():
		text = "c"
	default:
		text = fmt.Sprint(o.Answer.Revision)
	}
	if o.Duplicate {
		text += "d"
	}
	return text
}

// checkDense checks that a user's history has every revision up to its head,
// and that the newest record of each key is its value.
func checkDense(t *testing.T, s *Store, user string) {
	t.Helper()
	head, entries, err := s.Changed(t.Context(), user, 0)
	if err != nil {
		t.Fatal(err)
	}
	records := history(t, s, user, settings.HistoryQuery{Limit: 1 << 20}).Records
	next, bytes := head.Revision, 0
	newest := map[settings.Key]settings.Record{}
	for _, r := range records {
		if r.Revision != next && r.Revision != next+1 {
			t.Errorf("revision %d follows %d", r.Revision, next)
		}
		if r.Revision == next {
			next--
		}
		if _, known := newest[r.Key]; !known {
			newest[r.Key] = r
		}
	}
	for _, e := range entries {
		bytes += len(e.Text)
		if r := newest[e.Key]; r.Text != e.Text || r.Value.Revision != e.Value.Revision || r.Device != e.Device {
			t.Errorf("%s is %+v, its last record %+v", e.Key, e.Value, r)
		}
	}
	if next != 0 || head.Keys != len(entries) || head.Bytes != bytes || len(newest) != len(entries) {
		t.Errorf("head %+v of %d keys and %d bytes; the history begins above %d", head, len(entries), bytes, next)
	}
	if !slices.IsSortedFunc(entries, func(a, b settings.Entry) int { return int(a.Value.Revision) - int(b.Value.Revision) }) {
		t.Errorf("out of order: %+v", entries)
	}
}
