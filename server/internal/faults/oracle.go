package faults

import (
	"fmt"
	"maps"
	"regexp"
	"sort"
	"strings"
	"time"
)

// CheckHistory holds a user's history against itself and against the live
// settings: revisions are dense from 1 to the head (I1), each is one patch of
// one device (I4), and every key has the value of its highest revision (I3).
// trimmed says that old history may be gone.
func CheckHistory(u *UserRows, trimmed bool) (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	at, by := uint64(0), patchKey{}
	if trimmed && len(u.Changes) > 0 {
		at = u.Changes[0].Revision - 1
	}
	live := make(map[string]Value)
	for _, c := range u.Changes {
		switch id := (patchKey{c.Device, c.Patch}); {
		case c.Revision == at && id != by:
			say("revision %d is of two patches: %v and %v", at, by, id)
		case c.Revision > at+1:
			say("revisions %d to %d are missing", at+1, c.Revision-1)
		default:
			by = id
		}
		at, by = c.Revision, patchKey{c.Device, c.Patch}
		live[c.Key] = Value{c.Value, c.Revision}
	}
	if at != u.Revision && len(u.Changes) > 0 {
		say("history ends at %d, head is %d", at, u.Revision)
	}
	for key, v := range live {
		if u.Settings[key] != v {
			say("%s is %+v, its last change says %+v", key, u.Settings[key], v)
		}
	}
	if !trimmed && len(live) != len(u.Settings) {
		say("%d keys have a value, %d have a history", len(u.Settings), len(live))
	}
	return wrong
}

// CheckStream replays the history and holds every change a device was sent
// against the state at its revision (I8, O3): it must carry exactly the keys
// that moved after the device's cursor, with the values they had then. So no
// patch is torn, none is skipped, and nothing was shown that is not stored (I7).
func CheckStream(name string, frames []Frame, u *UserRows) (wrong []string) {
	for _, f := range frames {
		if f.Epoch != u.Epoch {
			continue // of a life of the database that is no more
		}
		if f.Revision > u.Revision {
			wrong = append(wrong, fmt.Sprintf("%s was shown revision %d, the head is %d", name, f.Revision, u.Revision))
			continue
		}
		if told := between(u.Changes, f.From, f.Revision); !maps.Equal(told, f.Values) {
			wrong = append(wrong, fmt.Sprintf("%s was sent %d..%d as %s, the history says %s",
				name, f.From, f.Revision, show(f.Values), show(told)))
		}
		if len(wrong) > maxFaults {
			break
		}
	}
	return wrong
}

// between returns the newest value of every key changed after one revision, up
// to another. The history is ascending.
func between(changes []ChangeRow, from, to uint64) map[string]Value {
	after := func(revision uint64) int {
		return sort.Search(len(changes), func(i int) bool { return changes[i].Revision > revision })
	}
	values := make(map[string]Value)
	for _, c := range changes[min(after(from), after(to)):after(to)] {
		values[c.Key] = Value{c.Value, c.Revision}
	}
	return values
}

func show(values map[string]Value) string {
	var text strings.Builder
	for _, key := range sortedKeys(values) {
		fmt.Fprintf(&text, " %s=%.20s@%d", key, values[key].Text, values[key].Revision)
	}
	return "[" + strings.TrimSpace(text.String()) + "]"
}

var (
	dirty     = regexp.MustCompile(`panic:|fatal error:|DATA RACE|concurrent write to websocket|goroutine \d+ \[`)
	looksLike = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]+`) // a token
)

// CheckLog is oracle O5: no panic, race or dump, and none of the secrets.
func CheckLog(text string, secrets []string) (wrong []string) {
	if at := dirty.FindStringIndex(text); at != nil {
		wrong = append(wrong, "log: "+text[at[0]:min(len(text), at[0]+1500)])
	}
	for _, secret := range append(secrets, Password) {
		if secret != "" && strings.Contains(text, secret) {
			wrong = append(wrong, fmt.Sprintf("log shows a secret (%.6s…)", secret))
		}
	}
	if at := looksLike.FindString(text); at != "" {
		wrong = append(wrong, fmt.Sprintf("log shows a token (%.9s…)", at))
	}
	return wrong
}

// Floor is oracle O6: what makes a run count at all.
type Floor struct {
	Acked     int           // before the fault
	Over      time.Duration // in this time
	InFlight  int           // when the fault fired
	Fired     bool
	Tombstone bool // the last write, after everything, was stored
}

// Check returns why the run is INVALID, neither passed nor failed; "" if it counts.
func (f Floor) Check(perSecond float64) string {
	rate := float64(f.Acked) / f.Over.Seconds()
	switch {
	case !f.Fired:
		return "INVALID: the fault did not fire"
	case f.InFlight < 1:
		return "INVALID: nothing was in flight when the fault fired"
	case rate < perSecond:
		return fmt.Sprintf("INVALID: %.0f acked writes/s before the fault, %.0f are needed", rate, perSecond)
	case !f.Tombstone:
		return "INVALID: the last write was not stored"
	}
	return ""
}
