package account

import (
	"context"
	"sync"
	"time"

	"social-server/internal/errs"
)

// awaitEvery is how often a request that waits for the answer to an ask reads the
// store: the answer, and whether the device may still wait, may come from any node.
const awaitEvery = 500 * time.Millisecond

// errStopping sends a request to another node, or to this one later.
var errStopping error = &errs.Error{
	Code: errs.Unavailable, Message: "The server is restarting.", RetryAfter: time.Second,
}

// waits counts the requests of each device that wait for an answer.
type waits struct {
	closing chan struct{} // closed when the server stops

	mu       sync.Mutex // guards the following; nothing waits under it
	byDevice map[string]int
	closed   bool
}

func newWaits() *waits {
	return &waits{closing: make(chan struct{}), byDevice: make(map[string]int)}
}

// begin counts one more request of a device, which may have most. end must be called.
func (w *waits) begin(deviceID string, most int) (end func(), err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch n := w.byDevice[deviceID]; {
	case w.closed:
		return nil, errStopping
	case n >= most:
		return nil, errs.New(errs.QuotaExceeded, "This device waits in %d requests already.", n)
	}
	w.byDevice[deviceID]++
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.byDevice[deviceID]--; w.byDevice[deviceID] == 0 {
			delete(w.byDevice, deviceID)
		}
	}, nil
}

// close ends every wait, now and from now on.
func (w *waits) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed {
		w.closed = true
		close(w.closing)
	}
}

// StopWaiting ends every request that waits for an answer, because the server
// is stopping.
func (s *Service) StopWaiting() { s.waits.close() }

// AwaitAsk returns an ask of the device itself within awaitEvery of its answer or
// its end, and after wait at the latest. It fails once the device has lost the
// right to wait: with errs.Revoked, errs.Unauthorized or errs.Expired.
func (s *Service) AwaitAsk(ctx context.Context, who Identity, askID string, wait time.Duration) (Ask, error) {
	if wait <= 0 {
		return s.ownAsk(ctx, who, askID)
	}
	end, err := s.waits.begin(who.DeviceID, s.MaxWaits)
	if err != nil {
		return Ask{}, err
	}
	defer end()
	read := func() (Ask, error) {
		if err := s.stillIn(ctx, who); err != nil {
			return Ask{}, err
		}
		return s.ownAsk(ctx, who, askID)
	}
	ask, err := read()
	over := time.NewTimer(min(wait, ask.Expires.Sub(s.now()), who.Expires.Sub(s.now())))
	defer over.Stop()
	tick := time.NewTicker(awaitEvery)
	defer tick.Stop()
	for done := false; err == nil && ask.State == AskWaiting && !done; {
		select {
		case <-tick.C:
		case <-over.C:
			done = true
		case <-ctx.Done():
			done = true // the next read fails with it
		case <-s.waits.closing:
			return Ask{}, errStopping
		}
		ask, err = read()
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
