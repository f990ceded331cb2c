package api

import (
	"sync"
	"time"

	"social-server/internal/errs"
)

// places count what client addresses have open, and bound it: WebSockets that
// have not said who they are (SEC-25), and connections.
type places struct {
	perAddress, inAll int    // at most; inAll 0: no bound
	words             string // to who is refused
	refused           func()

	mu        sync.Mutex // guards the following fields and those of every place; nothing waits under it
	addresses map[string]int
	all       int
}

// place is one of an address. A nil place counts nowhere.
type place struct {
	of      *places
	address string
	held    bool
	closed  bool
}

func newPlaces(perAddress, inAll int, words string, refused func()) *places {
	return &places{perAddress: perAddress, inAll: inAll, words: words, refused: refused, addresses: map[string]int{}}
}

// enter takes one more place of an address, or refuses it. The caller must call
// close at the end.
func (p *places) enter(address string) (*place, error) {
	one := &place{of: p, address: address}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.addresses[address] >= p.perAddress || p.inAll > 0 && p.all >= p.inAll {
		p.refused()
		return nil, &errs.Error{Code: errs.RateLimited, Message: p.words, RetryAfter: time.Second}
	}
	one.takeLocked()
	return one, nil
}

// leave gives the place back until take.
func (p *place) leave() {
	if p == nil {
		return
	}
	p.of.mu.Lock()
	defer p.of.mu.Unlock()
	p.leaveLocked()
}

// take counts the place again, even above the bound.
func (p *place) take() {
	if p == nil {
		return
	}
	p.of.mu.Lock()
	defer p.of.mu.Unlock()
	p.takeLocked()
}

// close gives the place back for good.
func (p *place) close() {
	if p == nil {
		return
	}
	p.of.mu.Lock()
	defer p.of.mu.Unlock()
	p.leaveLocked()
	p.closed = true
}

func (p *place) takeLocked() {
	if p.held || p.closed {
		return
	}
	p.held = true
	p.of.addresses[p.address]++
	p.of.all++
}

func (p *place) leaveLocked() {
	if !p.held {
		return
	}
	p.held = false
	p.of.all--
	if p.of.addresses[p.address]--; p.of.addresses[p.address] == 0 {
		delete(p.of.addresses, p.address)
	}
}
