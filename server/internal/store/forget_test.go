package store

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"social-server/internal/errs"
	"social-server/internal/settings"
)

// [SPEC U2] Whole revisions go, oldest first, by count and by age, in steps.
func TestForget(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		s := on.open(t)
		tests := map[string]struct {
			before time.Time
			keep   int
			oldest uint64 // of what is left
		}{
			"nothing is old":               {noon, 100, 1},
			"all of them but three":        {noon, 3, 3},
			"a revision on the line stays": {noon, 2, 3},
			"as many as there are":         {noon, 5, 1},
			"by age":                       {noon.Add(2 * time.Minute), 100, 3},
			"all but the newest, by age":   {noon.Add(3 * time.Minute), 100, 4},
			"both: the later line counts":  {noon.Add(time.Minute), 1, 4},
			"everything":                   {noon.Add(time.Hour), 100, math.MaxUint64},
		}
		run := 0
		for name, tt := range tests {
			for _, most := range []int{1, 2, 100} {
				run++
				suffix := fmt.Sprint(".", run)
				t.Run(fmt.Sprint(name, " in steps of ", most), func(t *testing.T) {
					populateAs(t, s, suffix)
					fiveRecords(t, s, suffix)
					if got := overdue(t, s, "u_1"+suffix, tt.before, tt.keep); got != (tt.oldest > 1) {
						t.Errorf("overdue: %v", got)
					}
					for steps, more := 0, true; more; steps++ {
						var err error
						if more, err = s.Forget(t.Context(), "u_1"+suffix, tt.before, tt.keep, most); err != nil || steps > 9 {
							t.Fatal(steps, err)
						}
					}
					left := history(t, s, "u_1"+suffix, settings.HistoryQuery{Limit: 100}).Records
					oldest := uint64(math.MaxUint64)
					if len(left) > 0 {
						oldest = left[len(left)-1].Revision
					}
					if oldest != tt.oldest {
						t.Errorf("begins at %d, want %d", oldest, tt.oldest)
					}
					if n := len(history(t, s, "u_2"+suffix, settings.HistoryQuery{Limit: 9}).Records); n != 1 {
						t.Errorf("the other user has %d records", n)
					}
					if head, _, err := s.Changed(t.Context(), "u_1"+suffix, 0); err != nil || head.Revision != 4 || head.Keys != 2 {
						t.Errorf("the settings themselves: %+v %v", head, err)
					}
				})
			}
		}
	})
}

// overdue reports whether a user is said to be, and checks that it was looked at.
func overdue(t *testing.T, s *Store, user string, before time.Time, keep int) bool {
	t.Helper()
	users, last, err := s.Overdue(t.Context(), user[:len(user)-1], before, keep, 100_000)
	if err != nil || last < user {
		t.Errorf("looked to %s: %v", last, err)
	}
	return slices.Contains(users, user)
}

// fiveRecords makes four revisions of u_1, a minute apart, the third with two keys.
func fiveRecords(t *testing.T, s *Store, suffix string) {
	t.Helper()
	sets := []string{`"salary":1`, `"salary":2`, `"salary":3,"period":3`, `"salary":4`}
	for minute, set := range sets {
		w := write("u_1"+suffix, "d_1"+suffix, fmt.Sprint("p", minute), `{"billing":{`+set+`}}`)
		w.At = noon.Add(time.Duration(minute) * time.Minute)
		commit(t, s, w)
	}
	commit(t, s, write("u_2"+suffix, "d_2"+suffix, "other", `{"billing":{"salary":1}}`))
}

// [SPEC U2] What the history does not hold any more is refused in words; what it holds still works.
func TestRevertOfForgotten(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		s := fourRevisions(t, on)
		if _, err := s.Forget(t.Context(), "u_1", noon, 3, 100); err != nil { // leaves 3 and 4
			t.Fatal(err)
		}
		tests := map[settings.Revert]bool{
			{Revision: 2}:              false,
			{Revision: 3}:              true,
			{Revision: 1, Whole: true}: false,
			{Revision: 0, Whole: true}: false,
			{Revision: 2, Whole: true}: true,
			{Revision: 4, Whole: true}: true,
		}
		n := 0
		for r, possible := range tests {
			n++
			cur, err := s.Current(t.Context(), "u_1", settings.Patch{Revert: &r})
			if err != nil {
				t.Fatal(err)
			}
			out := settings.Decide(revert("u_1", "d_1", fmt.Sprint("r", n), r), cur, settings.DefaultLimits)
			if possible && out.Err != nil || !possible && !errs.Is(out.Err, errs.NotFound) {
				t.Errorf("%+v: %v", r, out.Err)
			}
		}
	})
}

// [SPEC P5] Answers are forgotten when they are old enough, in steps, and not before.
func TestForgetAnswers(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		s := openPopulated(t, on)
		for i := range 7 {
			w := write("u_1", "d_1", fmt.Sprint("p", i), `{"billing":{"salary":1}}`)
			w.At = noon.Add(time.Duration(i) * time.Hour)
			commit(t, s, w)
		}
		steps := 0
		for more := true; more; steps++ {
			var err error
			if more, err = s.ForgetAnswers(t.Context(), noon.Add(5*time.Hour), 2); err != nil {
				t.Fatal(err)
			}
		}
		if steps != 3 {
			t.Errorf("%d steps of 2 for 5 answers", steps)
		}
		again := commit(t, s,
			write("u_1", "d_1", "p5", `{"billing":{"salary":1}}`),
			write("u_1", "d_1", "p4", `{"billing":{"salary":1}}`))
		if !again[0].Duplicate || again[1].Duplicate {
			t.Errorf("%+v", again)
		}
	})
}

// A page of users is looked at, and only those are named who have something to forget.
func TestOverdue(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		s := fourRevisions(t, on) // six records of u_1, one of u_2
		tests := []struct {
			after      string
			most       int
			users, end string
		}{
			{"", 1, "[u_1]", "u_1"},
			{"", 2, "[u_1]", "u_2"},
			{"u_1", 2, "[]", "u_2"},
			{"u_2", 2, "[]", ""},
		}
		for _, tt := range tests {
			users, last, err := s.Overdue(t.Context(), tt.after, noon.Add(-time.Hour), 3, tt.most)
			if err != nil || fmt.Sprint(users) != tt.users || last != tt.end {
				t.Errorf("%d after %q: %v to %q, %v", tt.most, tt.after, users, last, err)
			}
		}
	})
}
