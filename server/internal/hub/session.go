package hub

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"social-server/internal/protocol"
	"social-server/internal/settings"
)

// Conn is the far end of a session: a WebSocket, an SSE stream, or a test.
type Conn interface {
	// Write sends frames in order and returns when they are handed to the
	// network, or with an error when the peer makes no progress (SPEC S8). One
	// goroutine calls it at a time.
	Write(frames []*protocol.Frame) error
	// Close ends the connection with a close code. After it Write fails soon.
	// It is called at most once, by the session's writer, and may take a moment.
	Close(code int, reason string)
	// Hurry bounds a Write that is under way, because the session is ending.
	// It must not block.
	Hurry()
}

// Mode says what a session is sent, and how it shows signs of life.
type Mode int

// The modes. All are cursors; they differ in what there is besides changes.
const (
	Duplex Mode = iota // a WebSocket: everything, and the device answers pings
	OneWay             // an SSE stream: everything, but nothing can come back
	Quiet              // a long-poll: changes only, and it does not count as online
)

// Opening is what a session starts from.
type Opening struct {
	Mode     Mode
	User     string // id
	Username string
	Account  string // id of the device's account
	Login    string // id of the log-in its token came from
	Device   protocol.Device
	Expires  time.Time         // of the token
	Resume   *settings.Version // nil: first contact
	Limits   protocol.Limits
	Conn     Conn
}

// Session is one live connection of a device to a user: a cursor into its
// settings, one into its presence, one into its previews, and a few control
// frames. Its writer runs only while there is something to write, so that an
// idle session costs no goroutine here.
type Session struct {
	ID      string
	Device  protocol.Device
	hub     *Hub
	conn    Conn
	quick   Quick // conn, if it is one
	account string
	login   string
	mode    Mode

	heard atomic.Int64 // UnixNano of the last frame from the device

	// Guarded by hub.mu.
	cursor   uint64
	behind   bool // it began with something to be sent
	whole    bool // the next change is the whole state, even if the cursor says otherwise
	answer   bool // the next change is sent even if it is empty (SPEC S5)
	presence uint64
	preview  uint64
	opening  *protocol.Frame // welcome, until it is taken to be written
	control  []control
	owed     time.Time // when the first change came that it was not sent yet; zero: none
	ping     bool
	pinged   time.Time // zero: no ping awaits its pong
	warned   bool      // authDue was sent
	expires  time.Time
	focus    string
	patches  int             // begun and not answered
	leaving  *protocol.Frame // bye, once it is to leave
	writing  bool
	held     bool // nothing more is sent until the store has said that it keeps its right
	holds    int  // how often it was held
	gone     bool // detached
	ending   *ending

	taken time.Time // owed, of what is being written; the writer's own

	writer sync.WaitGroup // whoever writes
}

type ending struct {
	code   int
	reason string
}

// newSession makes a session that has not been sent anything.
func newSession(h *Hub, id string, o Opening, now time.Time) *Session {
	s := &Session{ID: id, Device: o.Device, hub: h, conn: o.Conn, account: o.Account, login: o.Login, mode: o.Mode, expires: o.Expires}
	s.quick, _ = o.Conn.(Quick)
	s.heard.Store(now.UnixNano())
	return s
}

// openLocked sets the cursors and queues the opening (SPEC C5, C6).
func (s *Session) openLocked(o Opening) {
	h := s.hub
	if r := o.Resume; r != nil && r.Epoch == h.state.Epoch && r.Revision <= h.state.Revision {
		s.cursor = r.Revision
	} else {
		s.whole = o.Resume != nil
	}
	s.behind = s.whole || s.cursor < h.state.Revision
	s.preview = h.preview
	if s.mode == Quiet {
		s.wakeLocked()
		return
	}
	s.opening = protocol.Welcome{
		Session: s.ID, Device: s.Device, Username: o.Username, Epoch: h.state.Epoch, Revision: h.state.Revision,
		TokenExpires: s.expires, Limits: o.Limits,
	}.Encode()
	s.wakeLocked()
}

// wakeLocked has the session written to if there may be something to write. It
// is in one pair of hands until next says that there is nothing: Detach waits
// for these.
func (s *Session) wakeLocked() {
	if s.writing || s.gone {
		return
	}
	s.writing = true
	s.writer.Add(1)
	if s.quick == nil || !s.hub.registry.pushes.add(s) {
		go s.write(nil, false, nil)
	}
}

// write brings the session from its cursors to now, until it is there. It begins
// with frames that were taken already, or the rest of some, and the end they go before.
func (s *Session) write(frames []*protocol.Frame, rest bool, end *ending) {
	defer s.writer.Done()
	for {
		if len(frames) > 0 || rest {
			err := s.conn.Write(frames)
			if err != nil && end == nil {
				end = &ending{protocol.CloseSlow, "too slow to write"}
			}
			if err == nil {
				s.delivered()
			}
		}
		if end != nil {
			s.conn.Close(end.code, end.reason)
			return // still writing as far as wake is concerned: nothing follows a close
		}
		rest = false
		if frames, end = s.next(frames[:0]); len(frames) == 0 && end == nil {
			return
		}
	}
}

// delivered tells how long the change that was written had been waiting for that.
func (s *Session) delivered() {
	if r := s.hub.registry; r.Delivered != nil && !s.taken.IsZero() {
		r.Delivered(r.now().Sub(s.taken))
	}
}

// next takes what the session lacks, and moves its cursors. Nothing at all
// means the writer is to stop; it does so in the same step, so that no wake-up
// falls between.
func (s *Session) next(frames []*protocol.Frame) ([]*protocol.Frame, *ending) {
	h := s.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	s.taken = time.Time{}
	end := s.ending
	if s.held && end == nil {
		s.writing = false
		return frames, nil
	}
	restart := end != nil && end.code == protocol.CloseRestart
	if end == nil || restart { // the acks at a stop have their changes too (SPEC S4)
		frames = s.newsLocked(frames)
	}
	frames = s.controlLocked(frames)
	if len(s.control) > 0 && restart && !h.unreadable {
		end = nil // once the hub has read what they wait for
	}
	if len(frames) == 0 && end == nil {
		s.writing = false
	}
	return frames, end
}

// newsLocked appends, in the order of SPEC C5, everything above the cursors.
func (s *Session) newsLocked(frames []*protocol.Frame) []*protocol.Frame {
	h := s.hub
	opening := s.opening
	if opening != nil {
		frames = append(frames, opening)
		s.opening = nil
	}
	if s.cursor < h.state.Revision || s.whole || s.answer {
		frames = append(frames, h.changeFrameLocked(s.cursor))
		s.cursor, s.whole, s.answer = h.state.Revision, false, false
		s.taken, s.owed = s.owed, time.Time{}
	}
	if s.mode == Quiet {
		return frames
	}
	if s.presence < h.presence && (opening != nil || !h.flushing) {
		frames = append(frames, h.presenceFrameLocked(s.presence))
		s.presence = h.presence
	}
	if opening != nil {
		frames = append(frames, protocol.Ready(h.state.Revision))
	}
	for _, p := range h.previews {
		if p.number > s.preview && p.session != s.ID {
			frames = append(frames, p.frame)
		}
	}
	s.preview = h.preview
	if s.ping {
		frames = append(frames, protocol.Ping(h.state.Revision, h.state.Seal()))
		s.ping = false
	}
	return frames
}

func (s *Session) endLocked(code int, reason string) {
	if s.ending != nil {
		return
	}
	s.ending = &ending{code, reason}
	s.conn.Hurry()
	s.wakeLocked()
}

// End closes the session with a close code, after the frames already queued.
// No change follows, a restart's apart. The first End counts.
func (s *Session) End(code int, reason string) {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	s.endLocked(code, reason)
}

// Behind reports whether there is a change the session is to be sent, or was.
func (s *Session) Behind() bool {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	return s.behind
}

// Heard notes a sign of life from the device.
func (s *Session) Heard() { s.heard.Store(s.hub.registry.now().UnixNano()) }

// Sync brings the session from a revision to now; one the hub does not have
// means the whole state (SPEC S5).
func (s *Session) Sync(revision uint64) {
	h := s.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if revision > h.state.Revision {
		revision = 0
	}
	if told := h.registry.Resynced; told != nil && revision == 0 && h.state.Revision > 0 {
		told()
	}
	s.cursor, s.answer = revision, true
	s.wakeLocked()
}

// Renew gives the session a token that lasts longer (SPEC A1).
func (s *Session) Renew(expires time.Time) {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	s.expires, s.warned = expires, false
	s.hub.due = time.Time{}
}

// Detach removes the session from its hub and waits for its writer. Its owner,
// who reads from the connection, calls it once, after the connection is closed
// or will fail every write.
func (s *Session) Detach() {
	h := s.hub
	h.mu.Lock()
	s.gone = true
	h.sessions = slices.DeleteFunc(h.sessions, func(o *Session) bool { return o == s })
	h.previews = slices.DeleteFunc(h.previews, func(p preview) bool { return p.session == s.ID })
	focus := ""
	for _, o := range h.sessions {
		if o.Device.ID == s.Device.ID && o.focus != "" {
			focus = o.focus
		}
	}
	if s.mode != Quiet {
		h.touchLocked(s.Device.ID, func(m *member) {
			m.sessions--
			m.focus = focus
			m.LastSeen = h.registry.now()
		})
	}
	h.mu.Unlock()
	s.writer.Wait()
	h.registry.release(h)
}

// dueLocked is when sweepLocked is to look at the session next, at the latest.
func (s *Session) dueLocked() time.Time {
	r, due := s.hub.registry, s.expires
	if s.mode == Quiet || s.ending != nil {
		return due
	}
	if !s.warned {
		due = due.Add(-r.AuthDueLead)
	}
	silent := time.Unix(0, s.heard.Load()).Add(r.PingEvery)
	if !s.pinged.IsZero() {
		silent = s.pinged.Add(r.PongWithin)
	}
	if silent.Before(due) {
		return silent
	}
	return due
}

// sweepLocked looks at one session's clocks. One goroutine of the registry does
// it for all sessions, so that an idle one holds no timer.
func (s *Session) sweepLocked(now time.Time) {
	r, heard := s.hub.registry, time.Unix(0, s.heard.Load())
	switch {
	case s.ending != nil:
	case !now.Before(s.expires):
		s.endLocked(protocol.CloseExpired, "token expired")
	case s.mode == Quiet:
	case !s.warned && s.expires.Sub(now) <= r.AuthDueLead:
		s.warned = true
		s.sendLocked(protocol.AuthDue(s.expires.Sub(now)))
	case s.mode == OneWay && now.Sub(heard) >= r.PingEvery:
		s.heard.Store(now.UnixNano()) // it cannot answer; its writes fail when it is gone
		s.ping = true
		s.wakeLocked()
	case !s.pinged.IsZero() && heard.After(s.pinged):
		s.pinged = time.Time{}
	case !s.pinged.IsZero() && now.Sub(s.pinged) >= r.PongWithin:
		s.endLocked(protocol.CloseNoPong, "no pong")
	case s.mode == Duplex && s.pinged.IsZero() && now.Sub(heard) >= r.PingEvery:
		s.pinged, s.ping = now, true
		s.wakeLocked()
	}
}
