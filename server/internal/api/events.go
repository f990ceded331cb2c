package api

import (
	"bytes"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/mux"

	"social-server/internal/errs"
	"social-server/internal/hub"
	"social-server/internal/protocol"
	"social-server/internal/settings"
)

const (
	commentEvery = 15 * time.Second // keeps proxies from closing a silent stream (SPEC H1)
	longestPoll  = 60 * time.Second // SPEC H2
)

// events serves GET /api/v1/users/{username}/events: the session as
// Server-Sent Events (WHATWG HTML, 9.2), resumed by Last-Event-ID or ?since=.
func (s *Server) events(w http.ResponseWriter, r *http.Request) error {
	token, ok := bearer(r)
	if !ok {
		return errs.New(errs.Unauthorized, "Log in to go on.")
	}
	last := r.Header.Get("Last-Event-ID")
	if last == "" {
		last = r.URL.Query().Get("since")
	}
	opening := hub.Opening{Mode: hub.OneWay, Username: mux.Vars(r)["username"], Limits: s.Wire.Limits}
	if err := resumeFrom(last, &opening); err != nil {
		return err
	}
	err := s.authorise(r.Context(), token, &opening)
	if errs.Is(err, errs.Revoked) {
		w.WriteHeader(http.StatusNoContent) // makes an EventSource stop for good (SPEC H3)
		return nil
	}
	if err != nil {
		return err
	}
	stream := newStream(w)
	if r.Method == http.MethodHead {
		stream.begin() // what a stream would begin with, and no session
		return nil
	}
	opening.Conn = stream
	session, err := s.Hubs.Attach(r.Context(), opening)
	if err != nil {
		return err
	}
	defer asSession(r.Context())()
	stream.run(r)
	stream.Hurry()
	session.Detach() // waits for its writer: nothing uses the response after this
	_ = stream.control.SetWriteDeadline(time.Time{})
	return nil
}

// resumeFrom takes over "epoch.revision"; empty is first contact.
func resumeFrom(text string, o *hub.Opening) error {
	if text == "" {
		return nil
	}
	at, ok := parseVersion(text)
	if !ok {
		return &errs.Error{Code: errs.Malformed, Field: "since", Message: "must be epoch.revision"}
	}
	o.Resume = &at
	return nil
}

// stream is the far end of a session over SSE (hub.Conn).
type stream struct {
	ended   chan struct{} // closed when the session has ended
	hurried atomic.Bool   // no write may take longer than farewell

	mu      sync.Mutex // lets one writer at the response: the session's, or the comments
	w       http.ResponseWriter
	control *http.ResponseController
	started bool
	closed  bool
	bye     bool // a bye was sent
}

func newStream(w http.ResponseWriter) *stream {
	return &stream{ended: make(chan struct{}), w: w, control: http.NewResponseController(w)}
}

// run sends comments until the session or the request has ended.
func (s *stream) run(r *http.Request) {
	tick := time.NewTicker(commentEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if s.write([]byte(":\n\n")) != nil {
				return
			}
		case <-s.ended:
			return
		case <-r.Context().Done():
			return
		}
	}
}

// Write sends each frame as one event.
func (s *stream) Write(frames []*protocol.Frame) error {
	var data []byte
	for _, f := range frames {
		data = appendEvent(data, f)
		if f.Type == "bye" {
			s.mu.Lock()
			s.bye = true
			s.mu.Unlock()
		}
	}
	return s.write(data)
}

func appendEvent(data []byte, f *protocol.Frame) []byte {
	data = append(append(append(data, "event: "...), f.Type...), '\n')
	if f.ID != "" {
		data = append(append(append(data, "id: "...), f.ID...), '\n')
	}
	return append(appendLines(data, f.Data), '\n')
}

// appendLines appends a frame as lines of data. A value keeps its white space
// (SPEC V2), and a line end in it would end the event.
func appendLines(data, frame []byte) []byte {
	for rest := frame; rest != nil; {
		line := rest
		end := bytes.IndexAny(rest, "\r\n")
		if end < 0 {
			rest = nil
		} else {
			line, rest = rest[:end], bytes.TrimPrefix(rest[end:], []byte("\r"))
			rest = bytes.TrimPrefix(rest, []byte("\n"))
		}
		data = append(append(append(data, "data: "...), line...), '\n')
	}
	return data
}

func (s *stream) write(data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return http.ErrHandlerTimeout
	}
	if !s.started {
		s.startLocked()
	}
	for len(data) > 0 {
		n := min(len(data), chunk)
		if s.hurried.Load() { // else the connection sees to it that it moves
			if err := s.control.SetWriteDeadline(time.Now().Add(farewell)); err != nil {
				return err
			}
		}
		if _, err := s.w.Write(data[:n]); err != nil {
			return err
		}
		if err := s.control.Flush(); err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

// startLocked answers 200 and says when to come back, differently to each.
func (s *stream) startLocked() {
	s.started = true
	s.begin()
	retry := strconv.Itoa(1000 + rand.IntN(4000))        // #nosec G404 -- spreads reconnects; nothing to guess
	_, _ = s.w.Write([]byte("retry: " + retry + "\n\n")) // the write that follows reports a failure
}

// begin answers 200.
func (s *stream) begin() {
	h := s.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no")                 // nginx would hold events back
	h.Set("Cache-Control", "no-store, no-transform") // and so would a proxy that compresses them
	s.w.WriteHeader(http.StatusOK)
}

// Close ends the stream. An end that was not announced is told by a last bye,
// since a stream has no close codes.
func (s *stream) Close(code int, reason string) {
	s.mu.Lock()
	told := s.bye
	s.mu.Unlock()
	if !told {
		_ = s.write(appendEvent(nil, protocol.Bye(code, reason, 0))) // who is gone needs no farewell
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed = true
		close(s.ended)
	}
}

// Hurry shortens a write that is under way.
func (s *stream) Hurry() {
	s.hurried.Store(true)
	_ = s.control.SetWriteDeadline(time.Now().Add(farewell))
}

// poll answers GET …/settings?since=epoch.N&wait=S: what changed above N, as
// soon as there is something, or 304 (SPEC H2). It is a session that is sent
// one frame.
func (s *Server) poll(w http.ResponseWriter, r *http.Request) error {
	wait, err := pollWait(r)
	if err != nil {
		return err
	}
	opening := hub.Opening{Mode: hub.Quiet, Username: mux.Vars(r)["username"]}
	if err := resumeFrom(r.URL.Query().Get("since"), &opening); err != nil {
		return err
	}
	if opening.Resume == nil {
		return &errs.Error{Code: errs.Malformed, Field: "since", Message: "must be epoch.revision"}
	}
	token, _ := bearer(r)
	if err := s.authorise(r.Context(), token, &opening); err != nil {
		return err
	}
	if r.Method == http.MethodHead {
		return s.headSince(w, r, opening.User, *opening.Resume)
	}
	conn := &pollConn{first: make(chan *protocol.Frame, 1), ended: make(chan struct{})}
	opening.Conn = conn
	session, err := s.Hubs.Attach(r.Context(), opening)
	if err != nil {
		return err
	}
	defer session.Detach()
	defer asSession(r.Context())()
	return conn.answer(w, r, session.Behind(), wait, *opening.Resume)
}

// headSince answers HEAD …/settings?since=: what GET would without waiting, and
// without a session.
func (s *Server) headSince(w http.ResponseWriter, r *http.Request, user string, at settings.Version) error {
	head, _, err := s.Settings.Changed(r.Context(), user, at.Revision)
	if err != nil {
		return err
	}
	w.Header().Set("ETag", etag(head.Epoch, head.Revision))
	if head.Epoch == at.Epoch && head.Revision == at.Revision {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	return nil
}

// pollWait returns how long a request may wait. HEAD does not wait.
func pollWait(r *http.Request) (time.Duration, error) {
	text := r.URL.Query().Get("wait")
	if text == "" {
		return 0, nil
	}
	seconds, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return 0, &errs.Error{Code: errs.Malformed, Field: "wait", Message: "must be seconds, 0 to 60"}
	}
	if r.Method == http.MethodHead {
		return 0, nil
	}
	return min(time.Duration(seconds)*time.Second, longestPoll), nil
}

// pollConn takes the first frame of a session (hub.Conn).
type pollConn struct {
	first chan *protocol.Frame
	ended chan struct{}
	once  sync.Once
	code  int // why the session ended; set before ended is closed
}

// Write keeps the first frame.
func (c *pollConn) Write(frames []*protocol.Frame) error {
	select {
	case c.first <- frames[0]:
	default: // answered already: what is newer is for the next poll
	}
	return nil
}

// Close lets the request go.
func (c *pollConn) Close(code int, _ string) {
	c.once.Do(func() { c.code = code; close(c.ended) })
}

// Hurry does nothing: there is no write that could wait.
func (c *pollConn) Hurry() {}

// answer waits for the first frame. With news waiting, it comes whatever wait says.
func (c *pollConn) answer(w http.ResponseWriter, r *http.Request, news bool, wait time.Duration, at settings.Version) error {
	var timeout <-chan time.Time
	if !news {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		timeout = timer.C
	}
	select {
	case f := <-c.first:
		w.Header().Set("ETag", `"`+f.ID+`"`)
		return writeRaw(w, http.StatusOK, f.Data)
	case <-timeout:
		w.Header().Set("ETag", etag(at.Epoch, at.Revision))
		w.WriteHeader(http.StatusNotModified)
		return nil
	case <-c.ended:
		return c.reason()
	case <-r.Context().Done():
		return nil // nobody waits any more
	}
}

// reason says why the session ended before there was news.
func (c *pollConn) reason() error {
	switch c.code {
	case protocol.CloseRevoked, protocol.CloseSignedOut, protocol.CloseExpired:
		return errs.New(errs.Unauthorized, "Log in to go on.")
	case protocol.CloseNotMember:
		return errs.New(errs.NotFound, "This device has not joined such a user.")
	}
	return &errs.Error{Code: errs.Unavailable, Message: "The server is restarting.", RetryAfter: time.Second}
}
