package hub

import (
	"slices"

	"social-server/internal/errs"
	"social-server/internal/protocol"
)

// control is a frame that is no news of the user.
type control struct {
	frame *protocol.Frame
	after uint64 // the revision the session must have been sent before
}

// maxControl bounds control frames to a session that does not read them. They
// are answers to its own patches, bounded by who reads them, and rare events:
// a session that lets so many wait is not alive.
const maxControl = 1024

func (s *Session) sendLocked(f *protocol.Frame) { s.queueLocked(control{frame: f}) }

func (s *Session) queueLocked(c control) {
	if s.mode == Quiet {
		return
	}
	if len(s.control) >= maxControl {
		s.endLocked(protocol.CloseSlow, "too slow to write")
		return
	}
	s.control = append(s.control, c)
	s.wakeLocked()
}

// Send queues a control frame.
func (s *Session) Send(f *protocol.Frame) {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	s.sendLocked(f)
}

// Begin takes a patch in, which Answer ends. It is refused before the opening is
// on its way (SPEC C7), which is no later than that, or a quick device could
// answer ready too soon; and once the session was told to leave.
func (s *Session) Begin() error {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	switch {
	case s.opening != nil:
		return errs.New(errs.NotReady, "Patches are accepted after ready.")
	case s.leaving != nil:
		return errRestarting
	}
	s.patches++
	return nil
}

// Answer ends a patch that Begin took in. The frame is written once the session
// was sent the revision it answers for, never before (SPEC S4). That is at once,
// unless the hub has not heard of another node's change before it: then it reads.
func (s *Session) Answer(f *protocol.Frame, revision uint64) {
	h := s.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if revision > h.state.Revision {
		h.behind = true
		h.repairLocked()
	}
	s.queueLocked(control{f, revision})
	s.patches--
	s.farewellLocked()
}

// controlLocked appends the control frames in order, up to one that answers for
// a revision the session was not sent yet: no ack precedes its change (SPEC S4).
func (s *Session) controlLocked(frames []*protocol.Frame) []*protocol.Frame {
	n := 0
	for n < len(s.control) && s.control[n].after <= s.cursor {
		frames = append(frames, s.control[n].frame)
		n++
	}
	s.control = slices.Delete(s.control, 0, n)
	return frames
}
