package faults

import (
	"slices"
	"sort"
	"time"
)

// Lags returns how long after its ack each patch acked from begin to end took
// to reach a device, shortest first. A patch that never did lags until now.
func Lags(patches []*Patch, frames []Frame, begin, end time.Time) []time.Duration {
	seen := make([]Frame, 0, len(frames)) // the first of every revision, ascending
	for _, f := range frames {
		if len(seen) == 0 || f.Revision > seen[len(seen)-1].Revision {
			seen = append(seen, f)
		}
	}
	var lags []time.Duration
	for _, p := range patches {
		if !p.Answered() || !p.Acked || p.End.Before(begin) || p.End.After(end) {
			continue
		}
		at := sort.Search(len(seen), func(i int) bool { return seen[i].Revision >= p.Revision })
		lag := time.Since(p.End)
		if at < len(seen) {
			lag = max(0, seen[at].At.Sub(p.End))
		}
		lags = append(lags, lag)
	}
	slices.Sort(lags)
	return lags
}

// Latencies returns how long the answers took to patches sent from begin to end, shortest first.
func Latencies(patches []*Patch, begin, end time.Time) []time.Duration {
	var all []time.Duration
	for _, p := range patches {
		if p.Answered() && !p.Sent.Before(begin) && !p.Sent.After(end) {
			all = append(all, p.End.Sub(p.Sent))
		}
	}
	slices.Sort(all)
	return all
}

// Percentile returns the value that a part of the sorted ones does not exceed; 0 of none.
func Percentile(sorted []time.Duration, part float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(part*float64(len(sorted))))]
}
