package account

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"testing"
	"testing/synctest"
	"time"
)

// fakeDevices is a store that keeps last-seen times only, or fails.
type fakeDevices struct {
	devices
	fail    error
	flushes int
	times   map[string]time.Time
}

func (f *fakeDevices) TouchDevices(_ context.Context, seen map[string]time.Time) error {
	f.flushes++
	if f.fail == nil {
		maps.Copy(f.times, seen)
	}
	return f.fail
}

func TestSeenIsStoredTwiceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &fakeDevices{times: map[string]time.Time{}}
		s := newSeen(store, slog.New(slog.NewTextHandler(io.Discard, nil)))
		start := time.Now()

		time.Sleep(flushEvery + time.Second) // the bubble's clock: no real wait
		synctest.Wait()
		if store.flushes != 0 {
			t.Errorf("%d flushes of nothing", store.flushes)
		}
		s.touch("d_1", start.Add(2*time.Second))
		s.touch("d_1", start.Add(time.Second)) // late: a time never moves back
		s.touch("d_2", start)
		time.Sleep(flushEvery)
		synctest.Wait()
		if store.flushes != 1 || !store.times["d_1"].Equal(start.Add(2*time.Second)) || len(store.times) != 2 {
			t.Errorf("after half a minute: %d flushes of %v", store.flushes, store.times)
		}

		store.fail = errors.New("the disk is full")
		s.touch("d_3", start)
		time.Sleep(flushEvery)
		synctest.Wait()
		s.touch("d_3", start.Add(time.Hour)) // newer than what waits
		store.fail = nil
		if err := s.close(); err != nil {
			t.Fatal(err)
		}
		if !store.times["d_3"].Equal(start.Add(time.Hour)) {
			t.Errorf("a flush that failed was forgotten: %v", store.times)
		}
		if err := s.close(); err != nil { // twice does no harm
			t.Fatal(err)
		}
	})
}
