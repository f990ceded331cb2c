// Package hub is the live half of a user: the state its devices agree on, and
// their sessions. A session is a cursor (SPEC S1): sending means bringing it
// from there to now, so that connecting, resuming, living, lagging and
// repairing are one mechanism. It knows no socket, store or relay, only the
// small interfaces Conn and Source.
package hub

import (
	"context"
	"slices"
	"sync"
	"time"

	"social-server/internal/errs"
	"social-server/internal/protocol"
	"social-server/internal/settings"
)

// Member is a device that has joined the user.
type Member struct {
	ID       string
	Name     string
	LastSeen time.Time
}

// Hub is the live half of one user.
//
// Lock discipline: mu guards everything below it, the fields of every session
// that say so, and nothing else. Nothing blocks under mu: no socket, store,
// relay or callback (SPEC I7). The registry's lock is never taken under mu.
type Hub struct {
	user     string // id
	registry *Registry
	refs     int // sessions attached or attaching; guarded by the registry's lock

	loaded  chan struct{} // closed when the first read from the store has ended
	loadErr error         // of that read; set before loaded is closed

	reading sync.Mutex // lets one read from the store through at a time; taken before mu

	mu       sync.Mutex
	state    settings.State
	sessions []*Session
	members  []*member

	heard     uint64 // highest revision anybody has told of
	stale     bool   // members changed in the store since they were read
	repairing bool   // a goroutine of the registry is reading from the store

	presence uint64 // version of members; a session's presence cursor points here
	previews []preview
	preview  uint64 // number of the newest preview

	// The change frame from a cursor to now, nil when there is none: sessions at
	// the same cursor share one encoding.
	change     *protocol.Frame
	changeFrom uint64
}

// member is one entry of the presence list.
type member struct {
	Member
	sessions int
	focus    string
	seen     uint64
	version  uint64 // of Hub.presence when it last changed
}

// preview is the newest volatile value of one session (SPEC L1).
type preview struct {
	from   *Session
	number uint64
	frame  *protocol.Frame
}

// Apply moves the hub to a stored change and wakes the sessions that lack it.
// A change that does not follow the hub's revision makes it read what is
// missing from the store (SPEC I5).
func (h *Hub) Apply(c settings.Change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if c.Revision <= h.state.Revision {
		return // told twice, or by two roads
	}
	h.heard = max(h.heard, c.Revision)
	if !h.state.Apply(c) { // also while a repair reads: what follows need not wait for it (SPEC S4)
		h.repairLocked()
		return
	}
	h.change = nil
	h.wakeAllLocked()
}

// MembersChanged makes the hub read its members from the store again, and
// tells every session of the event.
func (h *Hub) MembersChanged(event *protocol.Frame) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stale = true
	for _, s := range h.sessions {
		s.sendLocked(event)
	}
	h.repairLocked()
}

// repairLocked starts the one reader that brings the hub up to the store,
// unless it runs already: it looks again before it ends.
func (h *Hub) repairLocked() {
	if h.repairing {
		return
	}
	h.repairing = h.registry.spawn(func(ctx context.Context) { h.repair(ctx) })
}

// repair reads from the store until the hub lacks nothing it has heard of. A
// store that fails is asked again, less and less often: the hub meanwhile shows
// what it has.
func (h *Hub) repair(ctx context.Context) {
	wait := 50 * time.Millisecond
	for {
		err := h.read(ctx)
		if err == nil && h.currentOrMore() {
			return
		}
		if err == nil {
			continue
		}
		if ctx.Err() != nil || h.deleted(err) {
			return
		}
		h.registry.log.Error("hub cannot read from the store", "user", h.user, "err", err)
		select {
		case <-time.After(wait):
			wait = min(2*wait, 5*time.Second)
		case <-ctx.Done():
			return
		}
	}
}

// deleted ends the sessions of a user that is no more, and reports whether err says so.
func (h *Hub) deleted(err error) bool {
	if !errs.Is(err, errs.NotFound) {
		return false
	}
	h.endWhere(func(*Session) bool { return true }, protocol.CloseNotMember, "not a member any more")
	return true
}

// currentOrMore reports that nothing is missing, and ends the repair in the
// same step, so that no news falls between.
func (h *Hub) currentOrMore() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stale || h.heard > h.state.Revision {
		return false
	}
	h.repairing = false
	return true
}

// read merges what the store has above the hub's revision, and the members.
func (h *Hub) read(ctx context.Context) error {
	h.reading.Lock()
	defer h.reading.Unlock()

	h.mu.Lock()
	above, epoch := h.state.Revision, h.state.Epoch
	h.stale = false
	h.mu.Unlock()

	head, entries, err := h.registry.source.Changed(ctx, h.user, above)
	restart := err == nil && above > 0 && (head.Epoch != epoch || head.Revision < above)
	if restart {
		head, entries, err = h.registry.source.Changed(ctx, h.user, 0)
	}
	var members []Member
	if err == nil {
		members, err = h.registry.source.HubMembers(ctx, h.user)
	}

	h.mu.Lock()
	defer h.mu.Unlock()
	if err != nil {
		h.stale = true
		return err
	}
	if restart {
		h.restartLocked()
	}
	h.state.Epoch = head.Epoch
	if head.Revision > h.state.Revision { // else the hub moved on while the store was read
		h.state.Apply(settings.Change{From: h.state.Revision, Revision: head.Revision, Entries: entries})
		h.change = nil
	}
	h.mergeMembersLocked(members)
	h.wakeAllLocked()
	return nil
}

// restartLocked forgets a state of another epoch: every session is brought up
// from nothing.
func (h *Hub) restartLocked() {
	h.state = settings.State{}
	h.heard = 0
	h.change = nil
	for _, s := range h.sessions {
		s.cursor, s.whole = 0, true
	}
}

// mergeMembersLocked takes over the store's list, keeping what is live.
func (h *Hub) mergeMembersLocked(list []Member) {
	h.presence++
	next := make([]*member, 0, len(list))
	for _, m := range list {
		now := &member{Member: m, version: h.presence}
		if old := h.memberLocked(m.ID); old != nil {
			now.sessions, now.focus, now.seen = old.sessions, old.focus, old.seen
			if old.LastSeen.After(m.LastSeen) {
				now.LastSeen = old.LastSeen
			}
			if old.Name == m.Name {
				now.version = old.version
			}
		}
		next = append(next, now)
	}
	gone := slices.ContainsFunc(h.members, func(old *member) bool {
		return !slices.ContainsFunc(list, func(m Member) bool { return m.ID == old.ID })
	})
	h.members = next
	if !gone {
		return
	}
	for _, s := range h.sessions {
		s.presence = 0 // a list that lost an entry is sent whole
		if h.memberLocked(s.Device.ID) == nil {
			s.endLocked(protocol.CloseNotMember, "not a member any more") // SPEC I6
		}
	}
}

func (h *Hub) memberLocked(id string) *member {
	for _, m := range h.members {
		if m.ID == id {
			return m
		}
	}
	return nil
}

// touchLocked changes a member's live entry and lets every session know.
func (h *Hub) touchLocked(id string, change func(*member)) {
	m := h.memberLocked(id)
	if m == nil {
		return
	}
	h.presence++
	m.version = h.presence
	change(m)
	h.wakeAllLocked()
}

func (h *Hub) wakeAllLocked() {
	for _, s := range h.sessions {
		s.wakeLocked()
	}
}

// changeFrameLocked encodes what a cursor lacks, once for all sessions there.
func (h *Hub) changeFrameLocked(cursor uint64) *protocol.Frame {
	if h.change == nil || h.changeFrom != cursor {
		h.change = protocol.Change(h.state.Epoch, settings.Change{
			From: cursor, Revision: h.state.Revision, Entries: h.state.Since(cursor),
		})
		h.changeFrom = cursor
	}
	return h.change
}

// presenceFrameLocked encodes the members changed above a presence cursor; 0 is all of them.
func (h *Hub) presenceFrameLocked(above uint64) *protocol.Frame {
	var list []protocol.Presence
	for _, m := range h.members {
		if above == 0 || m.version > above {
			list = append(list, protocol.Presence{
				ID: m.ID, Name: m.Name, Sessions: m.sessions, LastSeen: m.LastSeen, Focus: m.focus, Seen: m.seen,
			})
		}
	}
	return protocol.Presences(above == 0, list)
}
