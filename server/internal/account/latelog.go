package account

import (
	"context"
	"sync"
	"time"
)

// Bounds of the late log: so many events may wait, each is stored within a time.
const (
	lateEvents = 256
	lateWithin = 5 * time.Second
)

// lateLog records events after the request they are of, for those whose
// recording would show: a wrong password for a device that exists must take no
// longer than one for a device that does not (SEC-7).
type lateLog struct {
	events chan Event
	done   chan struct{} // closed by the goroutine

	mu     sync.Mutex // guards the following field, and closing events
	closed bool
}

// newLateLog starts the goroutine that records; close ends it.
func newLateLog(record func(context.Context, Event) error, failed func(error)) *lateLog {
	l := &lateLog{events: make(chan Event, lateEvents), done: make(chan struct{})}
	go func() {
		defer close(l.done)
		for e := range l.events {
			ctx, cancel := context.WithTimeout(WithAddress(context.Background(), e.Address), lateWithin)
			if err := record(ctx, e); err != nil {
				failed(err)
			}
			cancel()
		}
	}()
	return l
}

// add takes an event, or drops it if too many wait: a flood is told by those
// that are recorded. It never blocks.
func (l *lateLog) add(e Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	select {
	case l.events <- e:
	default:
	}
}

// close records what waits, and returns when that is done. It may be called again.
func (l *lateLog) close() {
	l.mu.Lock()
	if !l.closed {
		l.closed = true
		close(l.events)
	}
	l.mu.Unlock()
	<-l.done
}
