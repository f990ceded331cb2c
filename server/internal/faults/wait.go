package faults

import (
	"context"
	"fmt"
	"time"
)

// pollEvery is how often a condition in another process is looked at.
const pollEvery = 2 * time.Millisecond

// Poll asks cond again and again until it holds, for as long as within.
func Poll(ctx context.Context, within time.Duration, what string, cond func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for !cond() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			if cond() {
				return nil
			}
			return fmt.Errorf("not within %v: %s", within, what)
		}
	}
	return nil
}

// pause lets time pass as part of a fault, not to wait for something. It
// reports false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
