package hub

import "social-server/internal/protocol"

// The methods below are what the accounts tell the live side: that a device
// was revoked, a log-in ended, a membership began or ended. They return at
// once; what they end is closed within a second (SPEC I6, A2).

// DeviceRevoked ends every session of a device; it is locked out.
func (r *Registry) DeviceRevoked(device protocol.Device) {
	event := protocol.DeviceEvent("revoked", device)
	r.each(ofDevice(device.ID), func(s *Session) { s.endLocked(protocol.CloseRevoked, "device revoked") })
	r.membersChanged(device.ID, event)
}

// LoginEnded ends the sessions that came from one log-in.
func (r *Registry) LoginEnded(login string) {
	r.each(func(s *Session) bool { return s.login == login }, func(s *Session) {
		s.endLocked(protocol.CloseSignedOut, "signed out")
	})
}

// DeviceRenamed shows a device's new name to everyone who sees it.
func (r *Registry) DeviceRenamed(device protocol.Device) {
	r.membersChanged(device.ID, protocol.DeviceEvent("renamed", device))
}

// membersChanged tells every hub that lists a device.
func (r *Registry) membersChanged(device string, event *protocol.Frame) {
	for _, h := range r.all() {
		h.mu.Lock()
		listed := h.memberLocked(device) != nil
		h.mu.Unlock()
		if listed {
			h.MembersChanged(event)
		}
	}
}

// MemberJoined lists a device that has joined a user.
func (r *Registry) MemberJoined(user string, device protocol.Device) {
	if h := r.hub(user); h != nil {
		h.MembersChanged(protocol.DeviceEvent("joined", device))
	}
}

// MemberLeft ends the sessions of a device that has left a user, and unlists it.
func (r *Registry) MemberLeft(user string, device protocol.Device) {
	h := r.hub(user)
	if h == nil {
		return
	}
	h.mu.Lock()
	for _, s := range h.sessions {
		if s.Device.ID == device.ID {
			s.endLocked(protocol.CloseNotMember, "not a member any more")
		}
	}
	h.mu.Unlock()
	h.MembersChanged(protocol.DeviceEvent("left", device))
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
		online[s.Device.ID]++
	}
	return online
}

func ofDevice(id string) func(*Session) bool {
	return func(s *Session) bool { return s.Device.ID == id }
}
