package hub

import (
	"context"

	"social-server/internal/protocol"
)

// The methods below are what the accounts tell the live side: that a device
// was revoked, a log-in ended, a membership began or ended. They return at
// once; what they end is closed within a second here, and within two on the
// other nodes, which look at the store for what they are told (SPEC I6, A2).

// DeviceRevoked ends every session of a device, which is locked out, and tells
// the users it had joined.
func (r *Registry) DeviceRevoked(device string, users []string) {
	r.endWhere(func(s *Session) bool { return s.Device.ID == device }, Revoked)
	for _, user := range users {
		r.memberEvent(user, "revoked", protocol.Device{ID: device})
	}
}

// LoginEnded ends the sessions that came from one log-in of a device.
func (r *Registry) LoginEnded(login, device string) {
	r.endWhere(func(s *Session) bool { return s.Device.ID == device && s.login == login }, SignedOut)
	r.broker.Publish(Message{Kind: ReloadMessage, Device: protocol.Device{ID: device}})
}

// DeviceRenamed shows a device's new name to the users it has joined.
func (r *Registry) DeviceRenamed(device, name string, users []string) {
	for _, user := range users {
		r.memberEvent(user, "renamed", protocol.Device{ID: device, Name: name})
	}
}

// MemberJoined lists a device that has joined a user.
func (r *Registry) MemberJoined(user, device, name string) {
	r.memberEvent(user, "joined", protocol.Device{ID: device, Name: name})
}

// MemberLeft ends the sessions of a device that has left a user, and unlists it.
func (r *Registry) MemberLeft(user, device string) {
	if h := r.hub(user); h != nil {
		h.endWhere(func(s *Session) bool { return s.Device.ID == device }, NotMember)
	}
	r.memberEvent(user, "left", protocol.Device{ID: device})
}

// memberEvent tells a user's sessions, on every node, what happened to a member.
func (r *Registry) memberEvent(user, event string, d protocol.Device) {
	if h := r.hub(user); h != nil {
		h.memberEvent(event, d)
	}
	r.broker.Publish(Message{Kind: ReloadMessage, User: user, Event: event, Device: d})
}

// judge asks the store for the standings of sessions, ends those that have lost
// theirs, and lets the others go on. Where it knows nothing worse, least holds.
func (r *Registry) judge(ctx context.Context, sessions []*Session, least Standing) error {
	seats := make([]Seat, len(sessions))
	holds := make([]int, len(sessions))
	for i, s := range sessions {
		seats[i] = Seat{User: s.hub.user, Device: s.Device.ID, Login: s.login}
		holds[i] = s.heldTimes()
	}
	standings, err := r.source.Standings(ctx, seats)
	if err != nil {
		return err
	}
	for i, s := range sessions {
		if lost := max(standings[i], least); lost != Good {
			s.End(lost.code())
		} else {
			s.letGo(holds[i])
		}
	}
	return nil
}

// holdWhere keeps everything from the sessions that match until the store was
// asked for their standings: what is committed from here on must not reach one
// that has lost its right.
func (r *Registry) holdWhere(match func(*Session) bool) {
	var held []*Session
	for _, h := range r.all() {
		h.mu.Lock()
		for _, s := range h.sessions {
			if match(s) {
				s.holdLocked()
				held = append(held, s)
			}
		}
		h.mu.Unlock()
	}
	if len(held) > 0 {
		r.spawn(func(ctx context.Context) { r.judgeOrLog(ctx, held) })
	}
}

func (s *Session) holdLocked() {
	s.held = true
	s.holds++
}

func (s *Session) heldTimes() int {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	return s.holds
}

// letGo ends a hold, unless the session was held again since it had been so many times.
func (s *Session) letGo(holds int) {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	if s.held && s.holds == holds {
		s.held = false
		s.wakeLocked()
	}
}

// code is how a session ends that has lost its standing (SPEC A2).
func (s Standing) code() (code int, reason string) {
	switch s {
	case Revoked:
		return protocol.CloseRevoked, "device revoked"
	case SignedOut:
		return protocol.CloseSignedOut, "signed out"
	case NotMember, Good:
	}
	return protocol.CloseNotMember, "not a member any more"
}

// endWhere ends the sessions that match, on every hub.
func (r *Registry) endWhere(match func(*Session) bool, lost Standing) {
	for _, h := range r.all() {
		h.endWhere(match, lost)
	}
}

func (h *Hub) endWhere(match func(*Session) bool, lost Standing) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.sessions {
		if match(s) {
			s.endLocked(lost.code())
		}
	}
}

// sessionsWhere returns the sessions that match, of every hub.
func (r *Registry) sessionsWhere(match func(*Session) bool) (sessions []*Session) {
	for _, h := range r.all() {
		h.mu.Lock()
		for _, s := range h.sessions {
			if match(s) {
				sessions = append(sessions, s)
			}
		}
		h.mu.Unlock()
	}
	return sessions
}
