package hub

import (
	"sync"
	"time"
)

// gather is how long presence waits for more of it before it is sent. When the
// devices of a user come back together, each would be told of each other one: of a
// thousand, a million times.
const gather = 50 * time.Millisecond

// shows are the hubs whose presence has changed.
type shows struct {
	mu   sync.Mutex // guards the following field; taken after Hub.mu
	hubs []*Hub
	some chan struct{} // holds a token while there may be some
}

func (p *shows) add(h *Hub) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hubs = append(p.hubs, h)
	select {
	case p.some <- struct{}{}:
	default: // it is known already
	}
}

func (p *shows) take() []*Hub {
	p.mu.Lock()
	defer p.mu.Unlock()
	hubs := p.hubs
	p.hubs = nil
	return hubs
}

// show sends presence that has gathered, until the registry ends.
func (r *Registry) show() {
	for {
		select {
		case <-r.shows.some:
		case <-r.ctx.Done():
			return
		}
		select {
		case <-time.After(gather):
		case <-r.ctx.Done():
			return
		}
		for _, h := range r.shows.take() {
			h.showPresence()
		}
	}
}

// showPresence wakes the sessions that were not sent the presence as it is.
func (h *Hub) showPresence() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.showing = false
	for _, s := range h.sessions {
		if s.presence < h.presence {
			s.wakeLocked()
		}
	}
}
