package hub

import (
	"context"
	"crypto/rand"
	"math/big"
	"time"

	"social-server/internal/protocol"
)

// When devices are to come back, each at a time of its own: to this server, which
// has to start again first, or to another node, which is there.
const (
	restartOver = 20 * time.Second
	moveOver    = 2 * time.Second
)

// Drain moves the sessions of this node to others: evenly over the window each
// is said bye and closed, after the patches it sent before were answered, while
// the others go on as ever (SPEC E5). No session opens any more. It returns when
// all were told, or ctx ends; a window of 0 leaves them to Close.
func (r *Registry) Drain(ctx context.Context, window time.Duration) error {
	r.refuse()
	if window <= 0 {
		return nil
	}
	sessions := r.sessionsWhere(everySession)
	began := time.Now()
	for i, s := range sessions {
		due := began.Add(window * time.Duration(i) / time.Duration(len(sessions)))
		timer := time.NewTimer(time.Until(due))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
		s.leave(moveOver)
	}
	return nil
}

// refuse makes every new session be refused.
func (r *Registry) refuse() {
	r.closing.Store(true)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.emptyLocked()
}

// leave has the session say bye and close, once the patches that it sent before
// are answered (SPEC E5).
func (s *Session) leave(over time.Duration) {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	if s.leaving == nil {
		s.leaving = protocol.Bye(protocol.CloseRestart, "restart", 500*time.Millisecond+upTo(over))
		s.farewellLocked()
	}
}

func (s *Session) farewellLocked() {
	if s.leaving != nil && s.patches == 0 && s.ending == nil {
		s.sendLocked(s.leaving)
		s.endLocked(protocol.CloseRestart, "restart")
	}
}

// Close says bye to every session that was not told yet, each with its own time
// to come back, and waits until all are gone or ctx ends (SPEC E5). No session
// opens any more.
func (r *Registry) Close(ctx context.Context) error {
	r.refuse()
	for _, s := range r.sessionsWhere(everySession) {
		s.leave(restartOver)
	}
	var err error
	select {
	case <-r.empty:
	case <-ctx.Done():
		err = ctx.Err()
	}
	r.stop()
	r.pushes.close()
	r.own.Wait()
	return err
}

// upTo is a random time below most.
func upTo(most time.Duration) time.Duration {
	n, err := rand.Int(rand.Reader, big.NewInt(int64(most)))
	if err != nil {
		return most // crypto/rand does not fail; being late is harmless
	}
	return time.Duration(n.Int64())
}
