package settings

import (
	"testing"
	"time"

	"social-server/internal/errs"
)

var now = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// decideOn runs one write against a small user: salary=3000 at 4 by d_2, nothing else.
func decideOn(t *testing.T, w Write, head Head, before *Remembered) (Outcome, Head) {
	t.Helper()
	w.At, w.Hash = now, w.Patch.Hash()
	out := Decide(&w, Current{Head: &head, Before: before, Value: func(k Key) (Value, bool) {
		if k == (Key{"billing", "salary"}) {
			return Value{Text: "3000", Revision: 4, Device: "d_2"}, true
		}
		return Value{}, false
	}}, DefaultLimits)
	return out, head
}

var small = Head{Epoch: "k3f9", Revision: 7, Keys: 1, Bytes: 4}

// [SPEC I4] A stored patch is the next revision, and counts what it adds.
func TestDecideStores(t *testing.T) {
	set := mustSet(t, `{"billing":{"salary":10,"period":12}}`)
	out, head := decideOn(t, Write{Device: "d_1", Patch: Patch{ID: "p", Set: set}}, small, nil)
	if out.Err != nil || out.Answer.Revision != 8 || out.Epoch != "k3f9" {
		t.Fatalf("got %+v", out)
	}
	if c := out.Change; c == nil || c.From != 7 || c.Revision != 8 || len(c.Entries) != 2 || c.Entries[1].Revision != 8 {
		t.Errorf("change %+v", out.Change)
	}
	if want := (Head{"k3f9", 8, 2, 4}); head != want { // 3000 became 10, and 12 came
		t.Errorf("head %+v, want %+v", head, want)
	}
}

// [SPEC P2] overwrote names what another device had chosen, and nothing else.
func TestDecideOverwrote(t *testing.T) {
	set := mustSet(t, `{"billing":{"salary":10,"period":12}}`)
	for device, n := range map[string]int{"d_1": 1, "d_2": 0} {
		out, _ := decideOn(t, Write{Device: device, Patch: Patch{ID: "p", Set: set}}, small, nil)
		if len(out.Answer.Overwrote) != n {
			t.Errorf("%s: overwrote %+v", device, out.Answer.Overwrote)
		}
	}
}

// [SPEC P4] With base, a key above it refuses the whole patch, and says what is there now.
func TestDecideConflict(t *testing.T) {
	set := mustSet(t, `{"billing":{"salary":10,"period":12}}`)
	salary, period := Key{"billing", "salary"}, Key{"billing", "period"}
	for name, tt := range map[string]struct {
		base     map[Key]uint64
		conflict bool
	}{
		"below":               {map[Key]uint64{salary: 3}, true},
		"equal":               {map[Key]uint64{salary: 4}, false},
		"above":               {map[Key]uint64{salary: 5}, false},
		"never set, and so":   {map[Key]uint64{period: 0}, false},
		"never set, but is":   {map[Key]uint64{salary: 0}, true},
		"of a key not set":    {map[Key]uint64{{"user", "email"}: 0}, false},
		"one of two moved on": {map[Key]uint64{salary: 2, period: 0}, true},
	} {
		out, head := decideOn(t, Write{Device: "d_1", Patch: Patch{ID: "p", Set: set, Base: tt.base}}, small, nil)
		if got := len(out.Answer.Conflict) > 0; got != tt.conflict || out.Err != nil {
			t.Errorf("%s: %+v", name, out)
		}
		if tt.conflict && (head != small || out.Change != nil || out.Answer.Conflict[0].Text != "3000") {
			t.Errorf("%s: a conflict changed something, or hides the current value: %+v", name, out)
		}
	}
}

// [SPEC I3] The same id again: the first answer, or id-reused.
func TestDecideRemembers(t *testing.T) {
	p := Patch{ID: "p", Set: mustSet(t, `{"billing":{"salary":10}}`)}
	before := &Remembered{Hash: p.Hash(), Answer: Answer{Revision: 3}}
	out, head := decideOn(t, Write{Device: "d_1", Patch: p}, small, before)
	if !out.Duplicate || out.Answer.Revision != 3 || out.Change != nil || head != small {
		t.Errorf("a repeat got %+v", out)
	}
	p.Set = mustSet(t, `{"billing":{"salary":11}}`)
	if out, _ = decideOn(t, Write{Device: "d_1", Patch: p}, small, before); !errs.Is(out.Err, errs.IDReused) {
		t.Errorf("another body got %+v", out)
	}
}

// [SPEC P7] If-Match requires an exact epoch and revision, or one of several.
func TestDecideIfMatch(t *testing.T) {
	p := Patch{ID: "p", Set: mustSet(t, `{"billing":{"salary":10}}`)}
	for at, ok := range map[Version]bool{{"k3f9", 7}: true, {"k3f9", 6}: false, {"k3f9", 8}: false, {"other", 7}: false} {
		for _, list := range [][]Version{{at}, {{"elsewhere", 7}, at}} {
			p.If = list
			out, _ := decideOn(t, Write{Device: "d_1", Patch: p}, small, nil)
			if (out.Err == nil) != ok || !ok && !errs.Is(out.Err, errs.PreconditionFailed) {
				t.Errorf("%+v: %+v", list, out)
			}
		}
	}
}

// [SPEC V5] Quotas hold in the transaction; less is always accepted.
func TestDecideQuotas(t *testing.T) {
	full := Head{"k3f9", 7, DefaultLimits.UserKeys, DefaultLimits.UserBytes + 10}
	for text, ok := range map[string]bool{
		`{"billing":{"salary":10}}`:    true,  // shorter than 3000
		`{"billing":{"salary":10000}}`: false, // longer
		`{"billing":{"period":1}}`:     false, // one key more
	} {
		out, head := decideOn(t, Write{Device: "d_1", Patch: Patch{ID: "p", Set: mustSet(t, text)}}, full, nil)
		if (out.Err == nil) != ok || !ok && (!errs.Is(out.Err, errs.QuotaExceeded) || head != full) {
			t.Errorf("%s: %+v", text, out)
		}
	}
}
