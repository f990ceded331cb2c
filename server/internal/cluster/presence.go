package cluster

import (
	"slices"
	"time"

	"social-server/internal/hub"
)

// PresenceChanged marks a user whose presence is to be published. It never blocks.
func (r *Redis) PresenceChanged(user string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.markDirtyLocked(user, false)
}

// markDirtyLocked marks a user; always means even if nothing has changed.
func (r *Redis) markDirtyLocked(user string, always bool) {
	r.dirty[user] = r.dirty[user] || always
	r.wakeLocked()
}

// wakeLocked wakes publishDirty.
func (r *Redis) wakeLocked() {
	select {
	case r.changed <- struct{}{}:
	default: // it is awake
	}
}

// markDirtyLater marks a user whose presence could not be published, for the next
// tick of watch.
func (r *Redis) markDirtyLater(user string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dirty[user] = true
}

// markAllDirty marks every user: the other nodes, or Redis, may have lost what
// this node published.
func (r *Redis) markAllDirty() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for user := range r.published {
		r.markDirtyLocked(user, true)
	}
}

// publishDirty publishes the presence of dirty users until the broker ends. A user
// that changes often is published once per flushEvery, as it is then.
func (r *Redis) publishDirty() {
	for {
		select {
		case <-r.changed:
		case <-r.ctx.Done():
			return
		}
		r.publishSome()
		timer := time.NewTimer(flushEvery)
		select {
		case <-timer.C:
		case <-r.ctx.Done():
		}
		timer.Stop()
	}
}

// publishSome publishes the presence of some dirty users. A user that cannot be
// published now stays dirty.
func (r *Redis) publishSome() {
	for user, always := range r.takeDirty() {
		connected, wanted := r.receiver.LocalPresence(user)
		r.subscription.want(r.ctx, user, wanted)
		if !r.subscription.reachable() {
			r.markDirtyLater(user)
			continue
		}
		if r.remember(user, connected, wanted, always) {
			r.publishPresence(user, connected)
		}
	}
}

// rounds returns how many rounds it takes to publish all dirty users.
func (r *Redis) rounds() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return (len(r.dirty) + flushMost - 1) / flushMost
}

func (r *Redis) takeDirty() map[string]bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	some := make(map[string]bool)
	for user, always := range r.dirty {
		if len(some) == flushMost {
			r.wakeLocked()
			break
		}
		some[user] = always
		delete(r.dirty, user)
	}
	return some
}

// remember stores what this node publishes about a user, and reports whether it
// has to be published.
func (r *Redis) remember(user string, connected []hub.Connected, wanted, always bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	last := r.published[user]
	changed := always || !slices.Equal(last.connected, connected)
	if wanted && changed {
		r.published[user] = published{connected, time.Now()}
	} else if wanted {
		r.published[user] = last
	} else {
		delete(r.published, user)
	}
	return changed
}

// publishPresence publishes the devices connected here, and stores them in Redis
// for nodes that need them later.
func (r *Redis) publishPresence(user string, connected []hub.Connected) {
	body, err := encode(hub.Message{Kind: hub.PresenceMessage, Node: r.node, Connected: connected})
	if err != nil {
		r.Log.Error("presence cannot be encoded", "err", err)
		return
	}
	o := outgoing{channel: r.userChannel(user), user: user, presence: true}
	o.text = r.keys.seal(o.channel, body)
	if len(connected) > 0 {
		o.stored = r.keys.seal(r.presenceKey(user), body)
	}
	if !r.put(o) {
		r.markDirtyLater(user)
	}
}

// nodeAlive notes a sign of life of another node.
func (r *Redis) nodeAlive(node string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.nodes[node] = time.Now()
}

// live reports whether a node has sent a message lately. A new subscription has
// received none yet: from then on each node has six heartbeats' time.
func (r *Redis) live(node string, since time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.nodes[node]; !known && time.Since(since) < 6*r.Beat {
		r.nodes[node] = time.Now()
	}
	_, known := r.nodes[node]
	return known
}

// watch publishes heartbeats, detects a silent subscription and stopped nodes, and
// stores presence again before it expires in Redis.
func (r *Redis) watch() {
	tick := time.NewTicker(r.Beat)
	defer tick.Stop()
	last := time.Now()
	for {
		r.heartbeat()
		select {
		case <-tick.C:
		case <-r.ctx.Done():
			return
		}
		now := time.Now()
		if now.Sub(last) > 3*r.Beat {
			r.markAllDirty() // this process was suspended, and the other nodes removed it
		}
		last = now
		if r.subscription.silent(now) {
			r.Count(ProbeLost)
			r.subscription.reopen(errSilent)
		}
		for _, node := range r.stopped(now) {
			r.receiver.NodeLeft(node)
		}
		r.renew(now)
	}
}

// stopped removes the nodes that were silent for too long, and returns them.
func (r *Redis) stopped(now time.Time) (nodes []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for node, last := range r.nodes {
		if now.Sub(last) > 6*r.Beat {
			delete(r.nodes, node)
			nodes = append(nodes, node)
		}
	}
	return nodes
}

// renew marks some of the users whose presence was stored long ago, and wakes
// publishDirty for those that markDirtyLater marked.
func (r *Redis) renew(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.dirty) > 0 {
		r.wakeLocked()
	}
	some := 0
	for user, p := range r.published {
		if some < flushMost && len(p.connected) > 0 && now.Sub(p.at) > renewAfter {
			some++
			r.markDirtyLocked(user, true)
		}
	}
}
