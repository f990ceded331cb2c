package hub

import (
	"runtime"
	"sync"

	"social-server/internal/protocol"
)

// Quick is a Conn that can be written to without waiting.
type Quick interface {
	Conn
	// WriteNow hands over what the network takes at once and reports whether that
	// was everything. If not, a Write follows, of no frames, for what is left.
	WriteNow(frames []*protocol.Frame) (all bool, err error)
}

// pushes are the sessions with something to be written. A few goroutines of the
// registry write it, as far as it can be done without waiting; only a session
// whose network is full, or which ends, gets a goroutine of its own. To start
// one for every delivery took a third of what the write itself takes.
type pushes struct {
	mu     sync.Mutex // guards the following; taken after Hub.mu; nothing waits under it
	more   sync.Cond  // of mu: there are some, or no more will be
	ready  []*Session
	closed bool
}

// pushMost is how many sessions one goroutine takes at once, so that others
// help with a user of many.
const pushMost = 64

// add takes a session in, unless no more are taken.
func (p *pushes) add(s *Session) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.ready = append(p.ready, s)
	if len(p.ready) == 1 || len(p.ready)%pushMost == 0 {
		p.more.Signal()
	}
	return true
}

// take waits for sessions and moves some to batch; none means there are no more.
func (p *pushes) take(batch []*Session) []*Session {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.ready) == 0 && !p.closed {
		p.more.Wait()
	}
	n := min(len(p.ready), pushMost)
	batch = append(batch, p.ready[:n]...)
	rest := copy(p.ready, p.ready[n:])
	clear(p.ready[rest:])
	p.ready = p.ready[:rest]
	return batch
}

// close ends the goroutines, after what is ready.
func (p *pushes) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.more.Broadcast()
}

// push starts the goroutines that write.
func (r *Registry) push() {
	r.pushes.more.L = &r.pushes.mu
	for range min(runtime.GOMAXPROCS(0), 8) {
		r.own.Go(func() {
			var frames []*protocol.Frame
			batch := make([]*Session, 0, pushMost)
			for {
				if batch = r.pushes.take(batch[:0]); len(batch) == 0 {
					return
				}
				for _, s := range batch {
					frames = s.writeNow(frames)
				}
				clear(frames[:cap(frames)])
			}
		})
	}
}

// writeNow is write without waiting: where it would have to, or the session
// ends, a goroutine goes on. The frames are room to put some in.
func (s *Session) writeNow(frames []*protocol.Frame) []*protocol.Frame {
	for {
		var end *ending
		frames, end = s.next(frames[:0])
		switch {
		case end != nil:
			kept := append([]*protocol.Frame(nil), frames...)
			go s.write(kept, false, end)
			return frames
		case len(frames) == 0:
			s.writer.Done()
			return frames
		}
		all, err := s.quick.WriteNow(frames)
		if err != nil {
			go s.write(nil, false, &ending{protocol.CloseSlow, "too slow to write"})
			return frames
		}
		if !all {
			go s.write(nil, true, nil)
			return frames
		}
		s.delivered()
	}
}
