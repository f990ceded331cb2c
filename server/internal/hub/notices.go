package hub

import "social-server/internal/protocol"

// Asked tells the members of a user of a device that asks to become one.
func (r *Registry) Asked(user string, device protocol.Device, ask protocol.Ask) {
	r.send(Message{Kind: FrameMessage, User: user, Frame: protocol.Asks(device, ask)})
}

// AskEnded tells the members that a device which asked was not let in. For
// them it is a device that has left (SPEC L4).
func (r *Registry) AskEnded(user string, device protocol.Device) {
	r.send(Message{Kind: FrameMessage, User: user, Frame: protocol.DeviceEvent("left", device)})
}

// Noticed tells the devices of an account what another of them did, whichever
// users they are connected to (SPEC L5).
func (r *Registry) Noticed(account string, n protocol.Notice) {
	r.send(Message{Kind: FrameMessage, Account: account, Device: n.Device, Frame: n.Encode()})
}

func everySession(*Session) bool { return true }

func (h *Hub) send(frame *protocol.Frame, match func(*Session) bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.sessions {
		if match(s) {
			s.sendLocked(frame)
		}
	}
}
