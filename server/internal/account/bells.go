package account

import (
	"context"
	"sync"
	"time"

	"social-server/internal/errs"
)

// bells wake the requests that wait for the answer to an ask. They carry no
// answer: a request that is woken reads the store.
type bells struct {
	closing chan struct{} // closed when the server stops

	mu     sync.Mutex // guards the following; nothing waits under it
	waits  map[*waiter]struct{}
	closed bool
}

// waiter is one request that waits.
type waiter struct {
	ask, device string
	rung        chan struct{} // holds a token once there may be something new
}

func newBells() *bells {
	return &bells{closing: make(chan struct{}), waits: map[*waiter]struct{}{}}
}

// recheckEvery is how often a request that waits reads the store without being
// woken: another node may have changed it while nothing passes between the nodes.
const recheckEvery = 5 * time.Second

// errStopping sends a request to another node, or to this one later.
var errStopping error = &errs.Error{
	Code: errs.Unavailable, Message: "The server is restarting.", RetryAfter: time.Second,
}

// listen adds a request of a device, which may have most of them. stop must be called.
func (b *bells) listen(askID, deviceID string, most int) (w *waiter, stop func(), err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, nil, errStopping
	}
	n := 0
	for other := range b.waits {
		if other.device == deviceID {
			n++
		}
	}
	if n >= most {
		return nil, nil, errs.New(errs.QuotaExceeded, "This device waits in %d requests already.", most)
	}
	w = &waiter{ask: askID, device: deviceID, rung: make(chan struct{}, 1)}
	b.waits[w] = struct{}{}
	return w, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.waits, w)
	}, nil
}

// ring wakes the requests that match.
func (b *bells) ring(match func(*waiter) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for w := range b.waits {
		if !match(w) {
			continue
		}
		select {
		case w.rung <- struct{}{}:
		default: // it is woken already
		}
	}
}

func (b *bells) ringAsk(askID string) {
	b.ring(func(w *waiter) bool { return w.ask == askID })
}

func (b *bells) ringDevice(deviceID string) {
	b.ring(func(w *waiter) bool { return w.device == deviceID })
}

// close ends every wait, now and from now on.
func (b *bells) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		b.closed = true
		close(b.closing)
	}
}

// waking is a Live that also wakes the requests of a device that wait here,
// when the right that opened them may have ended.
type waking struct {
	Live
	bells *bells
}

// DeviceRevoked also wakes the device's requests.
func (w waking) DeviceRevoked(deviceID string, userIDs []string) {
	w.Live.DeviceRevoked(deviceID, userIDs)
	w.bells.ringDevice(deviceID)
}

// LoginEnded also wakes the device's requests.
func (w waking) LoginEnded(loginID, deviceID string) {
	w.Live.LoginEnded(loginID, deviceID)
	w.bells.ringDevice(deviceID)
}

// Ring wakes the devices that wait on this node for the answer to an ask, which
// another node gave.
func (s *Service) Ring(askID string) { s.bells.ringAsk(askID) }

// RingDevice wakes the requests of a device that wait on this node: another
// node has changed its log-ins, or has revoked it.
func (s *Service) RingDevice(deviceID string) { s.bells.ringDevice(deviceID) }

// answered wakes them on every node.
func (s *Service) answered(askID string) {
	s.bells.ringAsk(askID)
	s.Live.Answered(askID)
}

// StopWaiting ends every request that waits for an answer, because the server
// is stopping.
func (s *Service) StopWaiting() { s.bells.close() }

// AwaitAsk returns an ask of the device itself, as soon as it is answered or
// has expired, and after wait at the latest. It fails once the device has lost
// the right to wait: with errs.Revoked, errs.Unauthorized or errs.Expired.
func (s *Service) AwaitAsk(ctx context.Context, who Identity, askID string, wait time.Duration) (Ask, error) {
	if wait <= 0 {
		return s.ownAsk(ctx, who, askID)
	}
	w, stop, err := s.bells.listen(askID, who.DeviceID, s.MaxWaits) // before the first read, so that no answer falls between
	if err != nil {
		return Ask{}, err
	}
	defer stop()
	look := func() (Ask, error) {
		if err := s.stillIn(ctx, who); err != nil {
			return Ask{}, err
		}
		return s.ownAsk(ctx, who, askID)
	}
	ask, err := look()
	wait = min(wait, ask.Expires.Sub(s.now()), who.Expires.Sub(s.now()))
	over := time.NewTimer(wait)
	defer over.Stop()
	recheck := time.NewTicker(recheckEvery)
	defer recheck.Stop()
	for done := false; err == nil && ask.State == AskWaiting && !done; {
		select {
		case <-w.rung:
		case <-recheck.C:
		case <-over.C:
			done = true
		case <-ctx.Done():
			done = true // the next read fails with it
		case <-s.bells.closing:
			return Ask{}, errStopping
		}
		ask, err = look()
	}
	return ask, err
}

// stillIn fails as Authenticate does once what an identity rests on has ended.
func (s *Service) stillIn(ctx context.Context, who Identity) error {
	if !s.now().Before(who.Expires) {
		return errExpired
	}
	seat, err := s.Store.Seat(ctx, who.LoginID, "")
	return seatError(seat, who.DeviceID, err)
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
