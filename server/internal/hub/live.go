package hub

import "social-server/internal/protocol"

// The methods below are what the accounts tell the live side: that a device
// was revoked, a log-in ended, a membership began or ended. They return at
// once; what they end is closed within a second (SPEC I6, A2).

// DeviceRevoked ends every session of a device, which is locked out, and tells
// the users it had joined.
func (r *Registry) DeviceRevoked(device string, users []string) {
	r.endWhere(func(s *Session) bool { return s.Device.ID == device }, protocol.CloseRevoked, "device revoked")
	for _, user := range users {
		r.memberEvent(user, "revoked", device, "")
	}
}

// LoginEnded ends the sessions that came from one log-in of a device.
func (r *Registry) LoginEnded(login, device string) {
	r.endWhere(func(s *Session) bool { return s.Device.ID == device && s.login == login },
		protocol.CloseSignedOut, "signed out")
}

// DeviceRenamed shows a device's new name to the users it has joined.
func (r *Registry) DeviceRenamed(device, name string, users []string) {
	for _, user := range users {
		r.memberEvent(user, "renamed", device, name)
	}
}

// MemberJoined lists a device that has joined a user.
func (r *Registry) MemberJoined(user, device, name string) {
	r.memberEvent(user, "joined", device, name)
}

// MemberLeft ends the sessions of a device that has left a user, and unlists it.
func (r *Registry) MemberLeft(user, device string) {
	if h := r.hub(user); h != nil {
		h.endWhere(func(s *Session) bool { return s.Device.ID == device }, protocol.CloseNotMember, "not a member any more")
		r.memberEvent(user, "left", device, "")
	}
}

// Online counts the live sessions of each device of a user.
func (r *Registry) Online(user string) map[string]int {
	online := make(map[string]int)
	h := r.hub(user)
	if h == nil {
		return online
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.sessions {
		if s.mode != Quiet {
			online[s.Device.ID]++
		}
	}
	return online
}

// memberEvent tells a user's sessions what happened to a member and reads the
// members again. Without a name it is the one the hub knows.
func (r *Registry) memberEvent(user, event, device, name string) {
	h := r.hub(user)
	if h == nil {
		return
	}
	if name == "" {
		name = h.nameOf(device)
	}
	h.MembersChanged(protocol.DeviceEvent(event, protocol.Device{ID: device, Name: name}))
}

func (h *Hub) nameOf(device string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if m := h.memberLocked(device); m != nil {
		return m.Name
	}
	return ""
}

// endWhere ends the sessions that match, on every hub.
func (r *Registry) endWhere(match func(*Session) bool, code int, reason string) {
	for _, h := range r.all() {
		h.endWhere(match, code, reason)
	}
}

func (h *Hub) endWhere(match func(*Session) bool, code int, reason string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.sessions {
		if match(s) {
			s.endLocked(code, reason)
		}
	}
}
