package faults

import (
	"fmt"
	"maps"
	"math"
	"time"

	"github.com/anishathalye/porcupine"
)

// Read is one GET of a user's settings, with the time it took.
type Read struct {
	Sent, End time.Time
	Head      uint64
	Values    map[string]Value // revisions and texts of the keys ever set
}

// CheckLinear is checker 2: it searches for an order of all patches and reads
// that agrees with the model and with real time. It believes no revision of a
// patch without an answer, and never looks into the database. "" is a pass.
func CheckLinear(patches []*Patch, reads []Read, within time.Duration) string {
	var history []porcupine.Operation
	taken := make(acked)
	for _, p := range patches {
		if p.Sent.IsZero() {
			continue // it never left the device
		}
		op := porcupine.Operation{Input: p, Call: p.Sent.UnixNano(), Return: math.MaxInt64}
		if p.Answered() {
			op.Return, op.Output = p.End.UnixNano(), p.Result
			taken[p.Result.Revision] = p.Result.Acked
		}
		history = append(history, op)
	}
	for _, r := range reads {
		history = append(history, porcupine.Operation{
			Input: nil, Output: r, Call: r.Sent.UnixNano(), Return: r.End.UnixNano(),
		})
	}
	for i := range history {
		history[i].ClientId = i // one operation each: a device may have several under way
	}
	model := (&porcupine.NondeterministicModel{
		Init: func() []any { return []any{Model{}} }, Step: taken.step, Equal: equal,
		Hash: func(state any) uint64 { m, _ := state.(Model); return m.Head<<16 ^ uint64(m.remembered()) },
	}).ToModel()
	switch porcupine.CheckOperationsTimeout(model, history, within) {
	case porcupine.Ok:
		return ""
	case porcupine.Illegal:
		return fmt.Sprintf("no order of the %d operations agrees with the model", len(history))
	}
	return fmt.Sprintf("INVALID: %d operations were not checked within %v", len(history), within)
}

// acked are the revisions that acks name. A stored patch makes a revision of its
// own, so one without an answer made none of these. Without knowing that, a
// dozen of them could take the search minutes.
type acked map[uint64]bool

// step lists the states that may follow: none if the answer could not have been given.
func (taken acked) step(state, input, output any) []any {
	m, _ := state.(Model)
	p, isPatch := input.(*Patch)
	if !isPatch {
		r, _ := output.(Read)
		if r.Head == m.Head && maps.Equal(r.Values, m.Values) {
			return []any{m}
		}
		return nil
	}
	next, want := m.Patch(p)
	got, known := output.(Result)
	switch {
	case !known && (next.Head == m.Head || taken[next.Head]):
		return []any{m} // it never arrived, or as good as that: nobody was told the answer
	case !known:
		return []any{m, next} // it may never arrive
	}
	if p.Sends > 1 && got.Acked && want.Acked {
		got.Duplicate = want.Duplicate // an earlier try may have been the one stored
	}
	if got.Acked != want.Acked || got.Revision != want.Revision || got.Duplicate != want.Duplicate ||
		got.Code != want.Code || !maps.Equal(got.Current, want.Current) {
		return nil
	}
	return []any{next}
}

func equal(a, b any) bool {
	x, _ := a.(Model)
	y, _ := b.(Model)
	if x.Head != y.Head || x.remembered() != y.remembered() || !maps.Equal(x.Values, y.Values) {
		return false
	}
	for p, q := x.answers, y.answers; p != q; p, q = p.before, q.before {
		if p.id != q.id {
			return y.sameAnswers(x)
		}
	}
	return true
}

// sameAnswers compares the answers remembered, whatever their order.
func (m Model) sameAnswers(other Model) bool {
	for a := other.answers; a != nil; a = a.before {
		if b := m.answer(a.id); b == nil || b.result.Revision != a.result.Revision || b.result.Acked != a.result.Acked {
			return false
		}
	}
	return true
}
