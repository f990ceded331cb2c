package hub

import (
	"context"
	"slices"
	"time"

	"social-server/internal/protocol"
)

// presenceDelay is the debounce of presence: changes within it are sent together.
// Without it a thousand devices that return at once would cause a million frames.
const presenceDelay = 50 * time.Millisecond

// member is one entry of the presence list. What is live of it is of this node;
// others are beside it, in Hub.elsewhere.
type member struct {
	Member
	sessions int
	focus    string
	seen     uint64 // on whichever node
	version  uint64 // of Hub.presence when it last changed
}

// node is what another node said last of who is connected to the user there.
type node struct {
	connected []Connected
	heard     uint64 // of Hub.heard, when it said so
}

// LocalPresence returns the devices connected to a user on this node, and whether
// the node has a hub of the user and needs its messages.
func (r *Registry) LocalPresence(user string) (connected []Connected, wanted bool) {
	h := r.hub(user)
	if h == nil {
		return nil, false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range h.members {
		if m.sessions > 0 {
			connected = append(connected, Connected{m.ID, m.sessions, m.focus, m.seen})
		}
	}
	return connected, true
}

// receivePresence applies the presence of another node.
func (h *Hub) receivePresence(name string, connected []Connected) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.heard++
	h.elsewhereLocked(name, connected)
}

// elsewhereLocked replaces what is known of a node, and shows what that changed.
func (h *Hub) elsewhereLocked(name string, connected []Connected) {
	before := h.elsewhere[name].connected
	if h.elsewhere == nil {
		h.elsewhere = make(map[string]node)
	}
	h.elsewhere[name] = node{connected, h.heard} // also if it is nobody: meet must not put back who was there
	for _, c := range before {
		if of(connected, c.Device) != c {
			h.touchLocked(c.Device, func(m *member) { m.LastSeen = h.registry.now() })
		}
	}
	for _, c := range connected {
		if c != of(before, c.Device) {
			h.touchLocked(c.Device, func(m *member) { m.seen, m.LastSeen = max(m.seen, c.Seen), h.registry.now() })
		}
	}
}

// of returns what a node says of a device; the zero value is nothing.
func of(connected []Connected, device string) Connected {
	for _, c := range connected {
		if c.Device == device {
			return c
		}
	}
	return Connected{}
}

// fetchRemotePresence queries the presence of the other nodes in the background.
func (r *Registry) fetchRemotePresence(user string) {
	h := r.hub(user)
	if h == nil || !r.several {
		return
	}
	h.mu.Lock()
	h.met = false
	h.mu.Unlock()
	r.spawn(h.meet)
}

// meet replaces what is known of the other nodes, except where one of them said
// something newer meanwhile.
func (h *Hub) meet(ctx context.Context) {
	h.mu.Lock()
	h.heard++ // what is heard from here on has a higher number
	began := h.heard
	h.mu.Unlock()
	others, err := h.registry.others(ctx, h.user)
	if err != nil {
		return // the next check asks again
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.met = true
	for name, known := range h.elsewhere {
		if _, still := others[name]; !still && known.heard <= began {
			h.elsewhereLocked(name, nil)
			delete(h.elsewhere, name)
		}
	}
	for name, connected := range others {
		if h.elsewhere[name].heard <= began {
			h.elsewhereLocked(name, connected)
		}
	}
}

// othersWithin bounds the wait for what other nodes know.
const othersWithin = 2 * time.Second

// others queries the broker, a few hubs at a time.
func (r *Registry) others(ctx context.Context, user string) (map[string][]Connected, error) {
	select {
	case r.asking <- struct{}{}:
		defer func() { <-r.asking }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	ctx, cancel := context.WithTimeout(ctx, othersWithin)
	defer cancel()
	others, err := r.broker.RemotePresence(ctx, user)
	if err != nil {
		return nil, err
	}
	return others[0], nil
}

// NodeLeft removes the presence of a node that has stopped: its devices are offline.
func (r *Registry) NodeLeft(name string) {
	for _, h := range r.all() {
		h.receivePresence(name, nil)
		h.mu.Lock()
		delete(h.elsewhere, name)
		h.mu.Unlock()
	}
}

// Online counts the live sessions of each device of each user, in the order of
// users: on all nodes, as far as their presence arrives before ctx ends.
func (r *Registry) Online(ctx context.Context, users ...string) []map[string]int {
	online := make([]map[string]int, len(users))
	var incomplete []int // indexes of users
	for i, user := range users {
		online[i] = make(map[string]int)
		if h := r.hub(user); h == nil || !h.countOnline(online[i]) {
			incomplete = append(incomplete, i)
		}
	}
	if len(incomplete) == 0 {
		return online
	}
	missing := make([]string, len(incomplete))
	for i, at := range incomplete {
		missing[i] = users[at]
	}
	others, err := r.broker.RemotePresence(ctx, missing...)
	if err != nil {
		return online // the other nodes' devices show a little later
	}
	for i, at := range incomplete {
		for _, connected := range others[i] {
			for _, c := range connected {
				online[at][c.Device] += c.Sessions
			}
		}
	}
	return online
}

// countOnline counts what the hub knows, and reports whether that is all there is.
func (h *Hub) countOnline(online map[string]int) (all bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	all = h.met || !h.registry.several
	for _, m := range h.members {
		if m.sessions > 0 {
			online[m.ID] += m.sessions
		}
	}
	for _, n := range h.elsewhere {
		for _, c := range n.connected {
			if all {
				online[c.Device] += c.Sessions
			}
		}
	}
	return all
}

// mergeMembersLocked takes over the store's list, keeping what is live.
func (h *Hub) mergeMembersLocked(list []Member) {
	version, news := h.presence+1, false
	next := make([]*member, 0, len(list))
	for _, m := range list {
		now := &member{Member: m, version: version}
		if old := h.memberLocked(m.ID); old != nil {
			now.sessions, now.focus, now.seen = old.sessions, old.focus, old.seen
			if old.LastSeen.After(m.LastSeen) {
				now.LastSeen = old.LastSeen
			}
			if old.Name == m.Name {
				now.version = old.version
			}
		}
		news = news || now.version == version
		next = append(next, now)
	}
	gone := slices.ContainsFunc(h.members, func(old *member) bool {
		return !slices.ContainsFunc(list, func(m Member) bool { return m.ID == old.ID })
	})
	h.members = next
	if news || gone {
		h.presence = version // else there is nothing to be sent
	}
	if !gone {
		return
	}
	for _, s := range h.sessions {
		s.presence = 0 // a list that lost an entry is sent whole
	}
}

// unlistedLocked returns the sessions of devices that are no members.
func (h *Hub) unlistedLocked() (sessions []*Session) {
	for _, s := range h.sessions {
		if s.ending == nil && h.memberLocked(s.Device.ID) == nil {
			sessions = append(sessions, s)
		}
	}
	return sessions
}

func (h *Hub) memberLocked(id string) *member {
	for _, m := range h.members {
		if m.ID == id {
			return m
		}
	}
	return nil
}

// touchLocked changes a member's live entry and schedules it for every session.
func (h *Hub) touchLocked(id string, change func(*member)) {
	m := h.memberLocked(id)
	if m == nil {
		return
	}
	h.presence++
	m.version = h.presence
	change(m)
	if h.flushing {
		return
	}
	h.flushing = h.registry.spawn(func(ctx context.Context) {
		select {
		case <-time.After(presenceDelay):
			h.flushPresence()
		case <-ctx.Done():
		}
	})
}

// flushPresence wakes the sessions whose presence cursor is behind.
func (h *Hub) flushPresence() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.flushing = false
	for _, s := range h.sessions {
		if s.presence < h.presence {
			s.wakeLocked()
		}
	}
}

// presenceFrameLocked encodes the members changed above a presence cursor; 0 is
// all of them. Sessions at the same cursor share one encoding.
func (h *Hub) presenceFrameLocked(above uint64) *protocol.Frame {
	if f := h.shown; f.frame != nil && f.above == above && f.presence == h.presence {
		return f.frame
	}
	var list []protocol.Presence
	for _, m := range h.members {
		if above == 0 || m.version > above {
			list = append(list, h.presenceLocked(m))
		}
	}
	f := protocol.Presences(above == 0, list)
	if above > 0 { // whole lists are for sessions that open, each of which makes a new one
		h.shown = shown{f, above, h.presence}
	}
	return f
}

// shown is a presence frame, from a presence cursor to a version of the members.
type shown struct {
	frame           *protocol.Frame
	above, presence uint64
}

// presenceLocked is a member's entry, of all nodes together.
func (h *Hub) presenceLocked(m *member) protocol.Presence {
	p := protocol.Presence{ID: m.ID, Name: m.Name, Sessions: m.sessions, LastSeen: m.LastSeen, Focus: m.focus, Seen: m.seen}
	for _, n := range h.elsewhere {
		c := of(n.connected, m.ID)
		p.Sessions += c.Sessions
		if p.Focus == "" {
			p.Focus = c.Focus
		}
	}
	return p
}
