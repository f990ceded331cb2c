package store

import (
	"fmt"
	"maps"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"social-server/internal/errs"
	"social-server/internal/settings"
)

var (
	salary = settings.Key{Block: "billing", Name: "salary"}
	period = settings.Key{Block: "billing", Name: "period"}
	demo   = settings.DemoSchema()
)

// revert is a write that asks for earlier values.
func revert(user, device, id string, r settings.Revert) *settings.Write {
	p := settings.Patch{ID: id, Revert: &r}
	return &settings.Write{User: user, Device: device, At: noon, Patch: p, Hash: p.Hash(), Schema: demo}
}

// texts returns the current values of a user; a reset key is none.
func texts(t testing.TB, s *Store, user string) map[settings.Key]string {
	t.Helper()
	_, entries, err := s.Changed(t.Context(), user, 0)
	if err != nil {
		t.Fatal(err)
	}
	all := map[settings.Key]string{}
	for _, e := range entries {
		if e.Text != settings.Null {
			all[e.Key] = e.Text
		}
	}
	return all
}

// lines shows a page as one line per record.
func lines(p settings.Page) (all []string) {
	for _, r := range p.Records {
		previous := "never set"
		if r.Set {
			previous = r.Previous
		}
		all = append(all, fmt.Sprintf("%d %s %s→%s by %s (%s)", r.Revision, r.Key, previous, r.Text, r.DeviceName, r.PatchID))
	}
	return all
}

func history(t testing.TB, s *Store, user string, q settings.HistoryQuery) settings.Page {
	t.Helper()
	page, err := s.History(t.Context(), user, q)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// fourRevisions gives u_1 a history of two devices and a reset.
func fourRevisions(t testing.TB, on database) *Store {
	t.Helper()
	s := openPopulated(t, on)
	commit(t, s, write("u_1", "d_1", "a", `{"billing":{"salary":1.0,"period":2}}`))
	commit(t, s, write("u_1", "d_2", "b", `{"billing":{"salary":null}}`))
	commit(t, s, write("u_1", "d_1", "c", `{"billing":{"salary":3},"user":{"email":""}}`))
	commit(t, s, write("u_1", "d_2", "d", `{"billing":{"period":4}}`), write("u_2", "d_2", "x", `{"billing":{"period":9}}`))
	return s
}

// [SPEC U1] Newest first, byte for byte, with what was there before; of this user only.
func TestHistory(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		s := fourRevisions(t, on)
		all := []string{
			"4 billing.period 2→4 by name of d_2 (d)",
			"3 billing.salary null→3 by name of d_1 (c)",
			"3 user.email never set→\"\" by name of d_1 (c)",
			"2 billing.salary 1.0→null by name of d_2 (b)",
			"1 billing.period never set→2 by name of d_1 (a)",
			"1 billing.salary never set→1.0 by name of d_1 (a)",
		}
		tests := map[string]struct {
			q    settings.HistoryQuery
			want []string
			next uint64
		}{
			"all":                          {settings.HistoryQuery{Limit: 100}, all, 0},
			"exactly all":                  {settings.HistoryQuery{Limit: 6}, all, 0},
			"a page ends with a revision":  {settings.HistoryQuery{Limit: 2}, all[:3], 3},
			"a page of one":                {settings.HistoryQuery{Limit: 1}, all[:1], 4},
			"the next page":                {settings.HistoryQuery{Limit: 2, Before: 3}, all[3:], 0},
			"before the first":             {settings.HistoryQuery{Limit: 2, Before: 1}, nil, 0},
			"why is the salary so":         {settings.HistoryQuery{Limit: 9, Key: &salary}, []string{all[1], all[3], all[5]}, 0},
			"pages of one key":             {settings.HistoryQuery{Limit: 1, Key: &salary, Before: 3}, all[3:4], 2},
			"one device":                   {settings.HistoryQuery{Limit: 9, Device: "d_2"}, []string{all[0], all[3]}, 0},
			"one device and key":           {settings.HistoryQuery{Limit: 9, Device: "d_2", Key: &period}, all[:1], 0},
			"a device that is not its own": {settings.HistoryQuery{Limit: 9, Device: "d_9"}, nil, 0},
		}
		for name, tt := range tests {
			t.Run(name, func(t *testing.T) {
				page := history(t, s, "u_1", tt.q)
				if got := lines(page); !reflect.DeepEqual(got, tt.want) || page.Next != tt.next {
					t.Errorf("got %q next %d, want %q next %d", got, page.Next, tt.want, tt.next)
				}
			})
		}
		if r := history(t, s, "u_1", settings.HistoryQuery{Limit: 1}).Records[0]; !r.At.Equal(noon) || r.Device != "d_2" {
			t.Errorf("%+v", r)
		}
	})
}

// [SPEC U1] A page is bounded in bytes too, and still whole revisions.
func TestHistoryPageIsBoundedInBytes(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		s := openPopulated(t, on)
		long := strings.Repeat("x", 8000)
		for i := range 100 {
			commit(t, s, write("u_1", "d_1", fmt.Sprint("p", i), fmt.Sprintf(`{"a":{"b":"%s","c":"%s"}}`, long, long)))
		}
		page := history(t, s, "u_1", settings.HistoryQuery{Limit: 1000})
		if n := len(page.Records); n%2 != 0 || n < 60 || n > 70 || page.Next == 0 {
			t.Errorf("%d records of 16 kB, next %d", n, page.Next)
		}
	})
}

// [SPEC U3] [SPEC U4] [SPEC U5] What an undo, and a way back, do.
func TestRevert(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		tests := map[string]struct {
			r        settings.Revert
			want     string // the current values afterwards; "" if nothing was stored
			conflict []settings.Key
			code     errs.Code
		}{
			"undo the last":                {r: settings.Revert{Revision: 4}, want: `map[billing.period:2 billing.salary:3 user.email:""]`},
			"undo what was never set":      {r: settings.Revert{Revision: 3}, want: `map[billing.period:4]`},
			"undo what changed since":      {r: settings.Revert{Revision: 2}, conflict: []settings.Key{salary}},
			"all of it changed since":      {r: settings.Revert{Revision: 1, Partial: true}, conflict: []settings.Key{period, salary}},
			"undo the future":              {r: settings.Revert{Revision: 5}, code: errs.NotFound},
			"undo nothing":                 {r: settings.Revert{}, code: errs.NotFound},
			"undo past all counting":       {r: settings.Revert{Revision: 1<<53 - 1}, code: errs.NotFound},
			"back to the first":            {r: settings.Revert{Revision: 1, Whole: true}, want: `map[billing.period:2 billing.salary:1.0]`},
			"back to the reset":            {r: settings.Revert{Revision: 2, Whole: true}, want: `map[billing.period:2]`},
			"back to nothing":              {r: settings.Revert{Whole: true}, want: `map[]`},
			"back to now":                  {r: settings.Revert{Revision: 4, Whole: true}},
			"back to the future":           {r: settings.Revert{Revision: 5, Whole: true}, code: errs.NotFound},
			"back to where little differs": {r: settings.Revert{Revision: 3, Whole: true}, want: `map[billing.period:2 billing.salary:3 user.email:""]`},
		}
		for name, tt := range tests {
			t.Run(name, func(t *testing.T) {
				s := fourRevisions(t, on)
				out := commit(t, s, revert("u_1", "d_1", "r", tt.r))[0]
				if out.Err != nil || tt.code != "" {
					if !errs.Is(out.Err, tt.code) {
						t.Fatalf("got %+v, want %s", out, tt.code)
					}
					return
				}
				if out.Answer.Refused() != (tt.conflict != nil) || (out.Change != nil) != (tt.want != "") {
					t.Fatalf("got %+v", out)
				}
				for i, e := range out.Answer.Conflict {
					if e.Key != tt.conflict[i] {
						t.Errorf("in the way: %+v, want %v", out.Answer.Conflict, tt.conflict)
					}
				}
				if got := fmt.Sprint(texts(t, s, "u_1")); tt.want != "" && got != tt.want {
					t.Errorf("got %s, want %s", got, tt.want)
				}
			})
		}
	})
}

// [SPEC U4] Of a revision that is changed in part since, nothing is undone; or, when asked for, the rest.
func TestPartialUndo(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		s := openPopulated(t, on)
		commit(t, s,
			write("u_1", "d_1", "a", `{"billing":{"salary":1,"period":2}}`),
			write("u_1", "d_1", "b", `{"billing":{"salary":5,"period":6}}`),
			write("u_1", "d_2", "c", `{"billing":{"salary":7}}`))
		whole := commit(t, s, revert("u_1", "d_1", "whole", settings.Revert{Revision: 2}))[0]
		if !whole.Answer.Refused() || whole.Answer.Conflict[0].Key != salary || whole.Answer.Conflict[0].Text != "7" {
			t.Errorf("whole: %+v", whole)
		}
		for _, again := range []bool{false, true} { // [SPEC U6] the answer is remembered with what was left
			part := commit(t, s, revert("u_1", "d_1", "part", settings.Revert{Revision: 2, Partial: true}))[0]
			if part.Answer.Revision != 4 || len(part.Answer.Conflict) != 1 || part.Answer.Conflict[0].Key != salary || part.Duplicate != again {
				t.Errorf("part, again %v: %+v", again, part)
			}
		}
		if got := fmt.Sprint(texts(t, s, "u_1")); got != "map[billing.period:2 billing.salary:7]" {
			t.Error(got)
		}
	})
}

// [SPEC U6] An undo with an id is done once, also when the change it made is what it would meet the second time.
func TestUndoIsIdempotent(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		s := fourRevisions(t, on)
		undo := settings.Revert{Revision: 4}
		first := commit(t, s, revert("u_1", "d_1", "undo", undo))[0]
		again := commit(t, s, revert("u_1", "d_1", "undo", undo))[0]
		if first.Answer.Revision != 5 || !again.Duplicate || again.Answer.Revision != 5 {
			t.Errorf("first %+v, again %+v", first, again)
		}
		other := commit(t, s, revert("u_1", "d_1", "undo", settings.Revert{Revision: 4, Whole: true}))[0]
		if !errs.Is(other.Err, errs.IDReused) {
			t.Errorf("another request under the same id: %+v", other)
		}
	})
}

// [SPEC U3] A change that comes first in the same transaction is seen, and not clobbered.
func TestUndoMeetsAChangeOfItsGroup(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		s := fourRevisions(t, on)
		outcomes := commit(t, s,
			write("u_1", "d_2", "first", `{"billing":{"period":7}}`),
			revert("u_1", "d_1", "undo", settings.Revert{Revision: 4}))
		if c := outcomes[1].Answer.Conflict; !outcomes[1].Answer.Refused() || c[0].Text != "7" || c[0].Revision != 5 {
			t.Errorf("%+v", outcomes[1])
		}
	})
}

// [SPEC U3] A value that the schema refuses by now is not put back; a key it has lost is left alone.
func TestRevertKeepsToTheSchema(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		s := openPopulated(t, on)
		commit(t, s, write("u_1", "d_1", "a", `{"billing":{"salary":20000,"period":99},"old":{"key":1}}`))
		commit(t, s, write("u_1", "d_1", "b", `{"billing":{"salary":1,"period":2},"old":{"key":2}}`))
		out := commit(t, s, revert("u_1", "d_1", "back", settings.Revert{Revision: 1, Whole: true}))[0]
		var fields []string
		for _, e := range errs.All(out.Err) {
			fields = append(fields, e.Field)
		}
		if fmt.Sprint(fields) != "[billing.period billing.salary]" {
			t.Errorf("refused for %v: %v", fields, out.Err)
		}
	})
}

// [SPEC U5] What a trial knows is what the commit knows.
func TestCurrent(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		s := fourRevisions(t, on)
		cur, err := s.Current(t.Context(), "u_1", settings.Patch{Revert: &settings.Revert{Revision: 2, Whole: true}})
		if err != nil {
			t.Fatal(err)
		}
		v, ok := cur.Value(salary)
		_, unset := cur.Value(settings.Key{Block: "user", Name: "username"})
		if cur.Head.Revision != 4 || !ok || v.Text != "3" || unset || len(cur.Past) != 3 {
			t.Errorf("%+v, salary %+v %v", cur, v, ok)
		}
		if _, err := s.Current(t.Context(), "u_9", settings.Patch{}); !errs.Is(err, errs.NotFound) {
			t.Errorf("of nobody: %v", err)
		}
	})
}

// [SPEC U3] [SPEC U5] Over random histories: going back to N gives the state as
// it was at N, whatever N; undoing an undo gives what there was; and neither
// tells of itself but by one new revision.
func TestRevertsOfRandomHistories(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		s := openPopulated(t, on)
		n := 0
		do := func(w *settings.Write) settings.Outcome {
			n++
			w.Patch.ID = fmt.Sprint("p", n)
			return commit(t, s, w)[0]
		}
		rapid.Check(t, func(rt *rapid.T) {
			head, _, err := s.Changed(t.Context(), "u_1", 0)
			if err != nil {
				rt.Fatal(err)
			}
			base := head.Revision // where the runs before have left it
			states := []map[settings.Key]string{texts(t, s, "u_1")}
			var group []*settings.Write
			for i := range rapid.IntRange(1, 12).Draw(rt, "revisions") {
				n++
				group = append(group, write("u_1", "d_1", fmt.Sprint("p", n), drawSet(rt)))
				states = append(states, after(states[i], group[i].Patch.Set))
			}
			commit(t, s, group...)
			for range 2 {
				to := rapid.IntRange(0, len(states)-1).Draw(rt, "back to")
				out := do(revert("u_1", "d_1", "", settings.Revert{Revision: base + uint64(to), Whole: true}))
				if got := texts(t, s, "u_1"); out.Err != nil || !reflect.DeepEqual(got, states[to]) {
					rt.Fatalf("back to %d: %v %v, want %v", to, out.Err, got, states[to])
				}
				if out.Change != nil {
					states = append(states, states[to])
				}
				if out.Answer.Revision != base+uint64(len(states))-1 {
					rt.Fatalf("at revision %d after %d states above %d", out.Answer.Revision, len(states), base)
				}
			}
			last := len(states) - 1
			undone := do(revert("u_1", "d_1", "", settings.Revert{Revision: base + uint64(last)}))
			if got := texts(t, s, "u_1"); !reflect.DeepEqual(got, states[last-1]) {
				rt.Fatalf("undo of %d: %+v %v, want %v", last, undone, got, states[last-1])
			}
			do(revert("u_1", "d_1", "", settings.Revert{Revision: base + uint64(last) + 1}))
			if got := texts(t, s, "u_1"); !reflect.DeepEqual(got, states[last]) {
				rt.Fatalf("undo of the undo: %v, want %v", got, states[last])
			}
		})
	})
}

// after returns a state with assignments made.
func after(state map[settings.Key]string, set []settings.Assignment) map[settings.Key]string {
	next := maps.Clone(state)
	for _, a := range set {
		next[a.Key] = a.Text
	}
	maps.DeleteFunc(next, func(_ settings.Key, text string) bool { return text == settings.Null })
	return next
}

func drawSet(t *rapid.T) string {
	sets := []string{
		`{"billing":{"salary":%s}}`, `{"billing":{"period":%s}}`, `{"billing":{"salary":%[1]s,"period":%[1]s}}`,
	}
	value := rapid.SampledFrom([]string{`1`, `2`, `3.0`, `null`}).Draw(t, "value")
	return fmt.Sprintf(rapid.SampledFrom(sets).Draw(t, "set"), value)
}
