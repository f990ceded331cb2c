package account

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// flushEvery is how often last-seen times are stored: often enough for people,
// seldom enough that a thousand busy devices cost two commits a minute.
const flushEvery = 30 * time.Second

// flushWithin bounds one flush.
const flushWithin = 5 * time.Second

// seen collects when devices were last heard of and stores it in the
// background. Its goroutine lives from newSeen to close.
type seen struct {
	store devices
	log   *slog.Logger
	stop  func()        // ends the goroutine; may be called again
	ended chan struct{} // closed by stop
	done  chan struct{} // closed by the goroutine

	mu    sync.Mutex // guards the following field; nothing waits under it
	times map[string]time.Time
}

func newSeen(store devices, log *slog.Logger) *seen {
	s := &seen{
		store: store, log: log,
		ended: make(chan struct{}), done: make(chan struct{}),
		times: map[string]time.Time{},
	}
	s.stop = sync.OnceFunc(func() { close(s.ended) })
	go s.run()
	return s
}

// touch notes a time. A device's times only move forward.
func (s *seen) touch(deviceID string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at.After(s.times[deviceID]) {
		s.times[deviceID] = at
	}
}

// run flushes until close. A flush that fails is logged here, for it has no
// caller, and its times go with the next one.
func (s *seen) run() {
	defer close(s.done)
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := s.flush(); err != nil {
				s.log.Warn("last-seen times not stored yet", "err", err)
			}
		case <-s.ended:
			return
		}
	}
}

// close stops the goroutine, waits for it and stores what is left.
func (s *seen) close() error {
	s.stop()
	<-s.done
	return s.flush()
}

// flush stores all times in one transaction.
func (s *seen) flush() error {
	s.mu.Lock()
	times := s.times
	s.times = map[string]time.Time{}
	s.mu.Unlock()
	if len(times) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), flushWithin)
	defer cancel()
	err := s.store.TouchDevices(ctx, times)
	if err != nil {
		for device, at := range times {
			s.touch(device, at)
		}
	}
	return err
}
