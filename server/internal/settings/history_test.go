package settings

import (
	"testing"

	"social-server/internal/errs"
)

var salaryKey, periodKey, oldKey = Key{"billing", "salary"}, Key{"billing", "period"}, Key{"old", "key"}

// at returns what a transaction would know of a user with these values, who
// has changed as past says.
func at(revision uint64, values map[Key]Value, past ...Record) Current {
	return Current{
		Head:  &Head{Epoch: "e", Revision: revision},
		Value: func(k Key) (Value, bool) { v, ok := values[k]; return v, ok },
		Past:  past,
	}
}

func was(k Key, revision uint64, previous string) Record {
	return Record{Key: k, Value: Value{Revision: revision}, Previous: previous, Set: previous != ""}
}

func reverting(r Revert) *Write {
	return &Write{Device: "d", Patch: Patch{ID: "p", Revert: &r}, Schema: DemoSchema()}
}

// [SPEC U3] [SPEC U4] [SPEC U5] What a revert decides, without a database.
func TestDecideRevert(t *testing.T) {
	values := map[Key]Value{salaryKey: {Text: "7", Revision: 5}, periodKey: {Text: "4", Revision: 6}, oldKey: {Text: "1", Revision: 6}}
	tests := map[string]struct {
		r    Revert
		past []Record
		want string // "key=text" of what is stored
		left int    // keys in the way
		code errs.Code
	}{
		"undo":                            {Revert{Revision: 5}, []Record{was(salaryKey, 5, "3")}, "billing.salary=3 ", 0, ""},
		"undo of the first":               {Revert{Revision: 5}, []Record{was(salaryKey, 5, "")}, "billing.salary=null ", 0, ""},
		"undo of what changed since":      {Revert{Revision: 3}, []Record{was(salaryKey, 3, "3")}, "", 1, ""},
		"partial":                         {Revert{Revision: 5, Partial: true}, []Record{was(periodKey, 5, "1"), was(salaryKey, 5, "3")}, "billing.salary=3 ", 1, ""},
		"partial with no rest":            {Revert{Revision: 5, Partial: true}, []Record{was(periodKey, 5, "1")}, "", 1, ""},
		"undo of a key that is gone":      {Revert{Revision: 6}, []Record{was(oldKey, 6, "2")}, "", 0, errs.Invalid},
		"undo of a value too large":       {Revert{Revision: 5}, []Record{was(salaryKey, 5, "10001")}, "", 0, errs.Invalid},
		"forgotten":                       {Revert{Revision: 5}, nil, "", 0, errs.NotFound},
		"back":                            {Revert{Revision: 4, Whole: true}, []Record{was(salaryKey, 5, "3"), was(periodKey, 6, "")}, "billing.salary=3 billing.period=null ", 0, ""},
		"back, where some is as it was":   {Revert{Revision: 4, Whole: true}, []Record{was(salaryKey, 5, "7"), was(periodKey, 6, "1")}, "billing.period=1 ", 0, ""},
		"back, where all is as it was":    {Revert{Revision: 4, Whole: true}, []Record{was(salaryKey, 5, "7")}, "", 0, ""},
		"back leaves lost keys alone":     {Revert{Revision: 5, Whole: true}, []Record{was(periodKey, 6, "1"), was(oldKey, 6, "2")}, "billing.period=1 ", 0, ""},
		"back to what is forgotten":       {Revert{Revision: 3, Whole: true}, []Record{was(salaryKey, 5, "7")}, "", 0, errs.NotFound},
		"back to now":                     {Revert{Revision: 6, Whole: true}, nil, "", 0, ""},
		"back to the future":              {Revert{Revision: 7, Whole: true}, nil, "", 0, errs.NotFound},
		"back to what does not fit":       {Revert{Revision: 4, Whole: true}, []Record{was(salaryKey, 5, "-1")}, "", 0, errs.Invalid},
		"undo, with another as it was":    {Revert{Revision: 6}, []Record{was(periodKey, 6, "4")}, "billing.period=4 ", 0, ""},
		"undo where the key has no value": {Revert{Revision: 6}, []Record{was(Key{"user", "email"}, 6, "")}, "", 1, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			out := Decide(reverting(tt.r), at(6, values, tt.past...), DefaultLimits)
			if (out.Err != nil || tt.code != "") && !errs.Is(out.Err, tt.code) {
				t.Fatalf("%v, want %q", out.Err, tt.code)
			}
			got := ""
			if out.Change != nil {
				for _, e := range out.Change.Entries {
					got += e.Key.String() + "=" + e.Text + " "
				}
			}
			if got != tt.want || len(out.Answer.Conflict) != tt.left {
				t.Errorf("stored %q left %d, want %q %d", got, len(out.Answer.Conflict), tt.want, tt.left)
			}
			if refused := tt.left > 0 && tt.want == ""; out.Answer.Refused() != refused {
				t.Errorf("refused: %v", !refused)
			}
		})
	}
}

// [SPEC U3] What a revert puts back counts against the limits like any other value.
func TestRevertKeepsToTheLimits(t *testing.T) {
	values := map[Key]Value{salaryKey: {Text: "7", Revision: 6}}
	cur := at(6, values, was(salaryKey, 6, "3000"))
	cur.Head.Bytes = 1
	if out := Decide(reverting(Revert{Revision: 6}), cur, Limits{UserKeys: 9, UserBytes: 2}); !errs.Is(out.Err, errs.QuotaExceeded) {
		t.Errorf("%+v", out)
	}
}

// [SPEC U6] The id is tied to the request, not to what it happened to find.
func TestRevertHash(t *testing.T) {
	seen := map[[32]byte]Revert{}
	for _, r := range []Revert{{}, {Revision: 1}, {Revision: 1, Whole: true}, {Revision: 1, Partial: true}, {Revision: 11}} {
		p := Patch{ID: "x", Revert: &r}
		if other, taken := seen[p.Hash()]; taken {
			t.Errorf("%+v and %+v look alike", r, other)
		}
		seen[p.Hash()] = r
	}
}

// A trial checks like the real thing and asks the store for nothing it refuses at once.
func TestTry(t *testing.T) {
	s := newTestService(newSlowStore())
	defer s.Close()
	if _, _, err := s.Try(t.Context(), "u", "d", Patch{ID: "not an id"}); !errs.Is(err, errs.Invalid) {
		t.Errorf("a bad id: %v", err)
	}
	trial, out, err := s.Try(t.Context(), "u", "d", period("a"))
	if err != nil || out.Err != nil || len(trial.Changes) != 1 || trial.Changes[0].Set || trial.Changes[0].Text != "4" || trial.Revision != 0 {
		t.Errorf("%+v %+v %v", trial, out, err)
	}
	if head, _, _ := s.Changed(t.Context(), "u", 0); head.Revision != 0 {
		t.Errorf("it moved the user to %d", head.Revision)
	}
	if page, err := s.History(t.Context(), "u", HistoryQuery{}); err != nil || page.Records != nil {
		t.Errorf("%+v %v", page, err)
	}
}
