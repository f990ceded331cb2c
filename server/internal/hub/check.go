package hub

import (
	"context"
	"time"
)

// With several nodes a hub may be told nothing and never know. So the registry
// compares what it shows with the store every few seconds: one question for the
// revisions of all its users, one for the rights of all its sessions.

const (
	checkEvery  = 4500 * time.Millisecond // ± checkSpread, so that nodes do not ask all at once;
	checkSpread = 900 * time.Millisecond  // with what follows from the answer it is within 6 s
	checkWithin = 4 * time.Second
)

// checks runs until the registry closes.
func (r *Registry) checks() {
	for {
		timer := time.NewTimer(checkEvery - checkSpread + upTo(2*checkSpread))
		select {
		case <-timer.C:
		case <-r.soon:
		case <-r.ctx.Done():
			timer.Stop()
			return
		}
		timer.Stop()
		if err := r.check(r.ctx); err != nil && r.ctx.Err() == nil {
			r.log.Warn("hubs cannot be compared with the store", "err", err)
		}
	}
}

// checkSoon has the next check made at once. It never blocks.
func (r *Registry) checkSoon() {
	select {
	case r.soon <- struct{}{}:
	default: // it is asked for already
	}
}

// check makes the hubs look that are not where the store is, and ends the
// sessions that have lost their right.
func (r *Registry) check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	if err := r.compare(ctx); err != nil {
		return err
	}
	if sessions := r.sessionsWhere(func(s *Session) bool { return s.ending == nil }); len(sessions) > 0 {
		return r.judge(ctx, sessions, Good)
	}
	return nil
}

// compare makes the hubs read whose user has another revision in the store, or
// none, or another epoch.
func (r *Registry) compare(ctx context.Context) error {
	hubs := r.all()
	if len(hubs) == 0 {
		return nil
	}
	users := make([]string, len(hubs))
	before := make([]uint64, len(hubs))
	for i, h := range hubs {
		users[i], before[i] = h.user, h.revision()
	}
	epoch, revisions, err := r.source.Heads(ctx, users)
	if err != nil {
		return err
	}
	for i, h := range hubs {
		if !h.hasMet() {
			r.fetchRemotePresence(users[i])
		}
		if stored, there := revisions[users[i]]; !there || h.differs(epoch, stored, before[i]) {
			h.look()
		}
	}
	return nil
}

func (h *Hub) hasMet() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.met
}

func (h *Hub) revision() uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.state.Revision
}

// differs reports whether the store has what the hub lacks, or lacks what the
// hub had before the store was asked.
func (h *Hub) differs(epoch string, stored, before uint64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return epoch != h.state.Epoch || stored > h.state.Revision || stored < before
}

// judgeOrLog is judge for a goroutine that has nobody to tell of an error. The
// next check asks again.
func (r *Registry) judgeOrLog(ctx context.Context, sessions []*Session) {
	if err := r.judge(ctx, sessions, Good); err != nil && ctx.Err() == nil {
		r.log.Warn("the standing of sessions is not known", "err", err)
	}
}
