package hub

import (
	"slices"

	"social-server/internal/protocol"
	"social-server/internal/settings"
)

// Seen notes the revision the device has shown (SPEC S6).
func (s *Session) Seen(revision uint64) {
	s.present(func(m *member) bool {
		if revision <= m.seen || revision > s.hub.state.Revision {
			return false
		}
		m.seen = revision
		return true
	})
}

// Focus notes what is being edited on the device (SPEC L2).
func (s *Session) Focus(field string) {
	s.present(func(m *member) bool {
		if s.focus == field {
			return false
		}
		s.focus, m.focus = field, field
		return true
	})
}

// present changes the live entry of the session's device, shows it to every
// session, and has the other nodes told, unless change reports that it is as it was.
func (s *Session) present(change func(*member) bool) {
	h := s.hub
	h.mu.Lock()
	m := h.memberLocked(s.Device.ID)
	changed := m != nil && !s.gone && change(m)
	if changed {
		h.touchLocked(m.ID, func(*member) {})
	}
	h.mu.Unlock()
	if changed {
		h.registry.broker.PresenceChanged(h.user)
	}
}

// maxPreviews bounds the previews a hub keeps for sessions that are slow: those
// of other nodes' sessions do not end with them here.
const maxPreviews = 64

// Preview shows a volatile value to the user's other sessions (SPEC L1).
func (s *Session) Preview(set []settings.Assignment) {
	frame := protocol.Previewed(set, s.Device.ID)
	s.hub.registry.send(Message{Kind: FrameMessage, User: s.hub.user, Session: s.ID, Frame: frame})
}

// showPreview shows the newest preview of a session to the others here.
func (h *Hub) showPreview(session string, frame *protocol.Frame) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.preview++
	h.previews = slices.DeleteFunc(h.previews, func(p preview) bool { return p.session == session })
	if len(h.previews) >= maxPreviews {
		h.previews = slices.Delete(h.previews, 0, 1)
	}
	h.previews = append(h.previews, preview{session, h.preview, frame})
	for _, s := range h.sessions {
		if s.ID != session {
			s.wakeLocked()
		}
	}
}
