// Package hub is the live half of a user: the state its devices agree on, and
// their sessions. A session is a cursor (SPEC S1): sending means bringing it
// from there to now, so that connecting, resuming, living, lagging and
// repairing are one mechanism. It knows no socket, store or Redis, only the
// small interfaces Conn, Source and Broker.
package hub

import (
	"context"
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
// broker or callback (SPEC I7). The registry's lock is never taken under mu.
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
	due      time.Time // when the sweep is to look at them; zero: the next time
	members  []*member

	behind     bool // the store may have changes that the hub lacks
	stale      bool // and members
	unreadable bool // the last read failed
	repairing  bool // a goroutine of the registry is reading from the store

	elsewhere map[string]node // by node: who is connected to the user there
	heard     uint64          // how often a node said so
	met       bool            // the other nodes were asked

	presence uint64 // version of members; a session's presence cursor points here
	flushing bool   // flushPresence is scheduled
	shown    shown  // how it was encoded last
	previews []preview
	preview  uint64 // number of the newest preview

	// The change frame from a cursor to now, nil when there is none: sessions at
	// the same cursor share one encoding.
	change     *protocol.Frame
	changeFrom uint64
}

// preview is the newest volatile value of one session (SPEC L1).
type preview struct {
	session string // id, of whichever node
	number  uint64
	frame   *protocol.Frame
}

// Apply moves the hub to a stored change and wakes the sessions that lack it.
// A change that does not follow the hub's revision makes it read what is
// missing from the store (SPEC I5).
func (h *Hub) Apply(c settings.Change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	here := c.Epoch == h.state.Epoch
	if here && c.Revision <= h.state.Revision {
		return // told twice, or by two roads
	}
	if !here || !h.state.Apply(c) { // also while a repair reads: what follows need not wait for it (SPEC S4)
		h.behind = true
		h.repairLocked()
		return
	}
	h.movedLocked()
}

// movedLocked has every session sent what the state now has.
func (h *Hub) movedLocked() {
	h.change = nil
	now := h.registry.now()
	for _, s := range h.sessions {
		if s.owed.IsZero() {
			s.owed = now
		}
		s.wakeLocked()
	}
}

// memberEvent tells every session what happened to a member, and reads the
// members from the store again. Without a name it is the one the hub knows.
func (h *Hub) memberEvent(event string, d protocol.Device) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if m := h.memberLocked(d.ID); m != nil && d.Name == "" {
		d.Name = m.Name
	}
	frame := protocol.DeviceEvent(event, d)
	for _, s := range h.sessions {
		s.sendLocked(frame)
	}
	h.stale = true
	h.repairLocked()
}

// look makes the hub read everything it shows from the store again.
func (h *Hub) look() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.behind, h.stale = true, true
	h.repairLocked()
}

// repairLocked starts the one reader that brings the hub up to the store,
// unless it runs already: it looks again before it ends.
func (h *Hub) repairLocked() {
	if h.repairing {
		return
	}
	h.repairing = h.registry.spawn(h.repair)
	if !h.repairing {
		h.unreadable = true // for the registry has ended
	}
}

// repairLast is the longest wait between two tries of a repair: answers wait for
// it, and writes are to succeed soon after the store is back (S-PG-1).
const repairLast = 500 * time.Millisecond

// repair reads from the store until the hub lacks nothing it has heard of. A
// store that fails is asked again, less and less often: the hub meanwhile shows
// what it has.
func (h *Hub) repair(ctx context.Context) {
	r := h.registry
	wait := 50 * time.Millisecond
	for first := true; ; first = false {
		missed, err := h.readInTurn(ctx)
		if missed && r.GapFound != nil {
			r.GapFound()
		}
		if err == nil && h.currentOrMore() {
			return
		}
		if err == nil {
			continue
		}
		if ctx.Err() != nil || errs.Is(err, errs.NotFound) {
			return
		}
		if first {
			r.log.Error("hub cannot read from the store", "user", h.user, "err", err)
		}
		select {
		case <-time.After(wait):
			wait = min(2*wait, repairLast)
		case <-ctx.Done():
			return
		}
	}
}

// readInTurn is read for a repair: when all hubs have lost news at once, few of
// them read at a time, so that patches and new sessions find the store free.
func (h *Hub) readInTurn(ctx context.Context) (missed bool, err error) {
	select {
	case h.registry.turns <- struct{}{}:
		defer func() { <-h.registry.turns }()
		return h.read(ctx)
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// currentOrMore reports that nothing is missing, and ends the repair in the
// same step, so that no news falls between.
func (h *Hub) currentOrMore() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.behind || h.stale {
		return false
	}
	h.repairing = false
	return true
}

// read merges what the store has above the hub's revision, and the members if
// they may have changed. It reports whether there was anything above. Of a user
// that is no more it ends the sessions, and the error is errs.NotFound.
func (h *Hub) read(ctx context.Context) (missed bool, err error) {
	h.reading.Lock()
	defer h.reading.Unlock()

	h.mu.Lock()
	at := settings.Version{Epoch: h.state.Epoch, Revision: h.state.Revision}
	members := h.stale
	h.behind, h.stale = false, false
	h.mu.Unlock()

	news, err := h.fetch(ctx, at, members)
	unlisted := h.merge(news, members, err)
	if len(unlisted) > 0 {
		if failed := h.registry.judge(ctx, unlisted, NotMember); failed != nil {
			h.look()
			return news.missed, failed
		}
	}
	return news.missed, err
}

// fetched is what a read brought.
type fetched struct {
	head    settings.Head
	entries []settings.Entry
	members []Member
	restart bool // the hub's state is of another epoch, or of a future that was lost
	missed  bool // there was something above the hub's revision
}

func (h *Hub) fetch(ctx context.Context, at settings.Version, members bool) (f fetched, err error) {
	source := h.registry.source
	f.head, f.entries, err = source.Changed(ctx, h.user, at.Revision)
	f.restart = err == nil && at.Epoch != "" && (f.head.Epoch != at.Epoch || f.head.Revision < at.Revision)
	f.missed = err == nil && (f.restart || f.head.Revision > at.Revision)
	if f.restart {
		f.head, f.entries, err = source.Changed(ctx, h.user, 0)
	}
	if err == nil && members {
		f.members, err = source.HubMembers(ctx, h.user)
	}
	return f, err
}

// merge takes over what a read brought, and returns the sessions of devices that
// are no members. A read that failed is to be tried again.
func (h *Hub) merge(f fetched, members bool, err error) (unlisted []*Session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.unreadable = err != nil
	switch {
	case errs.Is(err, errs.NotFound):
		h.members = nil
		return h.unlistedLocked()
	case err != nil:
		h.behind, h.stale = true, h.stale || members
		h.wakeAllLocked()
		return nil
	}
	if f.restart {
		h.restartLocked()
	}
	h.state.Epoch = f.head.Epoch
	if f.head.Revision > h.state.Revision { // else the hub moved on while the store was read
		h.state.Apply(settings.Change{From: h.state.Revision, Revision: f.head.Revision, Entries: f.entries})
		h.movedLocked()
	}
	if members {
		h.mergeMembersLocked(f.members)
	}
	if !h.behind {
		h.releaseLocked()
	}
	unlisted = h.unlistedLocked()
	for _, s := range unlisted {
		s.holdLocked() // what was read may have been committed after it lost its right
	}
	h.wakeAllLocked()
	return unlisted
}

// restartLocked forgets a state of another epoch: every session is brought up
// from nothing.
func (h *Hub) restartLocked() {
	h.state = settings.State{}
	h.change = nil
	for _, s := range h.sessions {
		s.cursor, s.whole = 0, true
	}
	h.releaseLocked()
}

// releaseLocked lets go of the answers that wait for a revision: the store was
// read after they came, so what it has not is of another epoch.
func (h *Hub) releaseLocked() {
	for _, s := range h.sessions {
		for i := range s.control {
			s.control[i].after = min(s.control[i].after, h.state.Revision)
		}
	}
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
