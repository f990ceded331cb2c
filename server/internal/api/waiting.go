package api

import (
	"cmp"
	"sync"
	"time"

	"social-server/internal/errs"
)

// waiting counts the WebSockets that have not said who they are, so that
// nobody fills the server with silent ones (SEC-25).
type waiting struct {
	perAddress, inAll int
	limited           func(limiter string)

	mu        sync.Mutex // guards the following fields; nothing waits under it
	addresses map[string]int
	all       int
}

func newWaiting(l Limits) *waiting {
	return &waiting{
		perAddress: cmp.Or(l.WaitingPerAddress, 20), inAll: cmp.Or(l.Waiting, 1000),
		limited: l.limited, addresses: map[string]int{},
	}
}

// enter counts one more socket of an address, or refuses it. The caller must
// call leave when the socket has said who it is, or has ended; once is enough.
func (w *waiting) enter(address string) (leave func(), err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.addresses[address] >= w.perAddress || w.all >= w.inAll {
		w.limited(byWaiting)
		return nil, &errs.Error{Code: errs.RateLimited, Message: "Too many connections are waiting to say who they are.", RetryAfter: time.Second}
	}
	w.addresses[address]++
	w.all++
	return sync.OnceFunc(func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.all--
		if w.addresses[address]--; w.addresses[address] == 0 {
			delete(w.addresses, address)
		}
	}), nil
}
