package hub

import "social-server/internal/protocol"

// Asked tells the members of a user of a device that asks to become one.
func (r *Registry) Asked(user string, device protocol.Device, ask protocol.Ask) {
	r.tell(user, protocol.Asks(device, ask))
}

// AskEnded tells the members that a device which asked was not let in. For
// them it is a device that has left (SPEC L4).
func (r *Registry) AskEnded(user string, device protocol.Device) {
	r.tell(user, protocol.DeviceEvent("left", device))
}

// Noticed tells the devices of an account what another of them did, whichever
// users they are connected to (SPEC L5).
func (r *Registry) Noticed(account string, n protocol.Notice) {
	news := News{Kind: NoticeNews, Account: account, Device: n.Device, Frame: n.Encode()}
	r.noticeHere(news)
	r.relay.Tell(news)
}

func (r *Registry) noticeHere(n News) {
	for _, h := range r.all() {
		h.send(n.Frame, func(s *Session) bool { return s.account == n.Account && s.Device.ID != n.Device.ID })
	}
}

// tell sends a frame to every session of a user, on every node.
func (r *Registry) tell(user string, frame *protocol.Frame) {
	if h := r.hub(user); h != nil {
		h.send(frame, everyone)
	}
	r.relay.Tell(News{Kind: FrameNews, User: user, Frame: frame})
}

func everyone(*Session) bool { return true }

func (h *Hub) send(frame *protocol.Frame, match func(*Session) bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.sessions {
		if match(s) {
			s.sendLocked(frame)
		}
	}
}
