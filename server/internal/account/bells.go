package account

import (
	"context"
	"sync"
	"time"
)

// bells wake the devices that wait for the answer to their ask. They carry no
// answer: who is woken reads it from the store.
type bells struct {
	mu     sync.Mutex // guards the following; nothing waits under it
	byAsk  map[string]*bell
	closed bool
}

// bell is rung by closing it. It is in the map until it is rung or nobody
// listens any more.
type bell struct {
	rung      chan struct{}
	listeners int
}

func newBells() *bells { return &bells{byAsk: map[string]*bell{}} }

// mostListeners bounds the requests that wait for one answer: a device needs one.
const mostListeners = 8

// listen returns a channel that is closed when the ask is answered, when the
// server stops, or when too many listen. stop must be called.
func (b *bells) listen(askID string) (rung <-chan struct{}, stop func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	one := b.byAsk[askID]
	if one == nil {
		one = &bell{rung: make(chan struct{})}
		b.byAsk[askID] = one
	}
	if b.closed || one.listeners >= mostListeners {
		b.ringLocked(askID)
	}
	one.listeners++
	return one.rung, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if one.listeners--; one.listeners == 0 && b.byAsk[askID] == one {
			delete(b.byAsk, askID)
		}
	}
}

// ring wakes whoever listens.
func (b *bells) ring(askID string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ringLocked(askID)
}

func (b *bells) ringLocked(askID string) {
	if one := b.byAsk[askID]; one != nil {
		delete(b.byAsk, askID)
		close(one.rung)
	}
}

// close wakes everybody, now and from now on.
func (b *bells) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	for id := range b.byAsk {
		b.ringLocked(id)
	}
}

// Ring wakes the devices that wait on this node for the answer to an ask, which
// another node gave.
func (s *Service) Ring(askID string) { s.bells.ring(askID) }

// answered wakes them on every node.
func (s *Service) answered(askID string) {
	s.bells.ring(askID)
	s.Live.Answered(askID)
}

// StopWaiting lets every device go that waits for an answer, because the server
// is stopping.
func (s *Service) StopWaiting() { s.bells.close() }

// AwaitAsk returns an ask of the device itself, as soon as it is answered or
// has expired, and after wait at the latest.
func (s *Service) AwaitAsk(ctx context.Context, who Identity, askID string, wait time.Duration) (Ask, error) {
	rung, stop := s.bells.listen(askID) // before the look, so that no answer falls between
	defer stop()
	ask, err := s.ownAsk(ctx, who, askID)
	wait = min(wait, ask.Expires.Sub(s.now()))
	if err != nil || ask.State != AskWaiting || wait <= 0 {
		return ask, err
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-rung:
	case <-timer.C:
	case <-ctx.Done():
	}
	return s.ownAsk(ctx, who, askID)
}

// ownAsk returns an ask of the device that asks about it.
func (s *Service) ownAsk(ctx context.Context, who Identity, askID string) (Ask, error) {
	ask, err := s.Store.Ask(ctx, askID)
	if err != nil {
		return Ask{}, missing(err, errNoAsk)
	}
	if ask.DeviceID != who.DeviceID {
		return Ask{}, errNoAsk
	}
	if ask.State == AskWaiting && !s.now().Before(ask.Expires) {
		ask.State = AskExpired
	}
	return ask, nil
}
