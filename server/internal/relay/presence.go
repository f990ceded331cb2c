package relay

import (
	"slices"
	"time"

	"social-server/internal/hub"
)

// Mark says that there is something new about a user here. It never blocks.
func (r *Redis) Mark(user string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.markLocked(user, false)
}

// markLocked marks a user; always means even if nothing has changed.
func (r *Redis) markLocked(user string, always bool) {
	r.marked[user] = r.marked[user] || always
	r.moreLocked()
}

// moreLocked wakes announce.
func (r *Redis) moreLocked() {
	select {
	case r.marks <- struct{}{}:
	default: // it is known
	}
}

// again marks a user whose presence could not be told, for the next tick.
func (r *Redis) again(user string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.marked[user] = true
}

// remark marks the users of a lane, or with nil of all: the others, or Redis,
// may have forgotten what this node said.
func (r *Redis) remark(l *lane) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for user := range r.shares {
		if l == nil || r.laneOf(user) == l {
			r.markLocked(user, true)
		}
	}
}

// announce tells the others who is connected here, until the relay ends. Users
// that change often are told of once in a while; what counts is how it is then.
func (r *Redis) announce() {
	for {
		select {
		case <-r.marks:
		case <-r.ctx.Done():
			return
		}
		r.announceSome()
		timer := time.NewTimer(flushEvery)
		select {
		case <-timer.C:
		case <-r.ctx.Done():
		}
		timer.Stop()
	}
}

// announceSome announces users that are marked. Those that cannot be told of now
// stay so.
func (r *Redis) announceSome() {
	for user, always := range r.takeMarked() {
		connected, wanted := r.receiver.Here(user)
		l := r.laneOf(user)
		l.want(r.ctx, user, wanted)
		if !l.reachable() {
			r.again(user)
			continue
		}
		if r.keep(user, connected, wanted, always) {
			r.tellPresence(user, connected)
		}
	}
}

// rounds is how many rounds it takes to announce all that are marked.
func (r *Redis) rounds() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return (len(r.marked) + flushMost - 1) / flushMost
}

func (r *Redis) takeMarked() map[string]bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	some := make(map[string]bool)
	for user, always := range r.marked {
		if len(some) == flushMost {
			r.moreLocked()
			break
		}
		some[user] = always
		delete(r.marked, user)
	}
	return some
}

// keep notes what this node says of a user, and reports whether it is to be said.
func (r *Redis) keep(user string, connected []hub.Connected, wanted, always bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	last := r.shares[user]
	news := always || !slices.Equal(last.connected, connected)
	if wanted && news {
		r.shares[user] = share{connected, time.Now()}
	} else if wanted {
		r.shares[user] = last
	} else {
		delete(r.shares, user)
	}
	return news
}

// tellPresence publishes who is connected here, and keeps it for those who ask later.
func (r *Redis) tellPresence(user string, connected []hub.Connected) {
	l := r.laneOf(user)
	body, err := encode(hub.News{Kind: hub.PresenceNews, Node: r.node, Connected: connected})
	if err != nil {
		r.Log.Error("presence cannot be encoded", "err", err)
		return
	}
	o := order{lane: l, channel: l.users + user, user: user}
	o.text = r.keys.seal(o.channel, body)
	if len(connected) > 0 {
		o.kept = r.keys.seal(l.presence+user, body)
	}
	if !r.put(o) {
		r.again(user)
	}
}

// heardOf notes a sign of life of another node.
func (r *Redis) heardOf(node string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.nodes[node] = time.Now()
}

// lives reports whether a node was heard of lately. Just after a subscription
// nobody was: then it has the time that a node has to be heard of.
func (r *Redis) lives(node string, since time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.nodes[node]; !known && time.Since(since) < 6*r.Beat {
		r.nodes[node] = time.Now()
	}
	_, known := r.nodes[node]
	return known
}

// watch beats, looks for lanes that are silent and nodes that are gone, and
// writes presence again before Redis forgets it.
func (r *Redis) watch() {
	tick := time.NewTicker(r.Beat)
	defer tick.Stop()
	last := time.Now()
	for {
		for _, l := range r.lanes {
			l.probe()
		}
		select {
		case <-tick.C:
		case <-r.ctx.Done():
			return
		}
		now := time.Now()
		if now.Sub(last) > 3*r.Beat {
			r.remark(nil) // this process stood still: the others took it for gone
		}
		last = now
		for _, l := range r.lanes {
			if l.silent(now) {
				r.Count(ProbeLost)
				l.reopen(errSilent)
			}
		}
		for _, node := range r.gone(now) {
			r.receiver.Gone(node)
		}
		r.renew(now)
	}
}

// gone forgets the nodes that are silent for too long, and returns them.
func (r *Redis) gone(now time.Time) (nodes []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for node, heard := range r.nodes {
		if now.Sub(heard) > 6*r.Beat {
			delete(r.nodes, node)
			nodes = append(nodes, node)
		}
	}
	return nodes
}

// renew marks some of the users whose presence was written long ago, and wakes
// announce for those that are marked again.
func (r *Redis) renew(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.marked) > 0 {
		r.moreLocked()
	}
	some := 0
	for user, s := range r.shares {
		if some < flushMost && len(s.connected) > 0 && now.Sub(s.at) > renewAfter {
			some++
			r.markLocked(user, true)
		}
	}
}
