package faults

import (
	"fmt"
	"slices"
	"time"
)

// CheckOrder is checker 1: the server names its own order, the revision, so
// checking it against real time is a sort. If one patch was answered before
// another was sent for the first time, its revision is the lower one (I2); and
// no two patches share one (I4).
func CheckOrder(patches []*Patch) (wrong []string) {
	var acked []*Patch
	for _, p := range patches {
		if p.Answered() && p.Acked {
			acked = append(acked, p)
		}
	}
	slices.SortFunc(acked, func(a, b *Patch) int { return int(int64(b.Revision) - int64(a.Revision)) })
	var earliest *Patch // of those with a higher revision, the one answered first
	for i, p := range acked {
		if i > 0 && acked[i-1].Revision == p.Revision {
			wrong = append(wrong, fmt.Sprintf("patches %s and %s were both acked at revision %d", acked[i-1].ID, p.ID, p.Revision))
		}
		if earliest != nil && earliest.End.Before(p.Sent) {
			wrong = append(wrong, fmt.Sprintf("patch %s of revision %d was sent %v after revision %d was acked",
				p.ID, p.Revision, p.Sent.Sub(earliest.End).Round(time.Microsecond), earliest.Revision))
		}
		if earliest == nil || p.End.Before(earliest.End) {
			earliest = p
		}
	}
	return wrong
}
