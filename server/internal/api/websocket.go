package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/gorilla/mux"
	"github.com/gorilla/websocket"
	"golang.org/x/time/rate"

	"social-server/internal/errs"
	"social-server/internal/hub"
	"social-server/internal/protocol"
	"social-server/internal/settings"
)

// Wire holds the numbers of a live connection (SPEC C4, E2, E4, S8).
type Wire struct {
	Origins     []string // allowed besides the server's own: scheme://host[:port]
	HelloWithin time.Duration
	WriteWithin time.Duration // without progress
	LostAfter   time.Duration // without an acknowledgement by the peer's kernel; 0: whatever the system does
	Limits      protocol.Limits
	FrameExcess int // frames over the limit, without rest, before 4004
}

const (
	helloBytes = 4 << 10 // a session that has not said hello may send no more at once (SPEC C4)
	inFlight   = 64      // patches of one session that may wait for their commit; then it is not read
	readBuffer = 512     // holds a step of a slider; what is larger is read past it
)

// unused is where the library would get buffers to write with, but it writes nothing.
var unused sync.Pool

// live serves GET /api/v1/users/{username}/ws: it upgrades to a WebSocket and
// opens the session (SPEC C). To be its reader is left to a goroutine that has
// nothing of the request: a session took 46 kB, most of it the stack that the
// request had grown, its two buffers and its headers.
func (s *Server) live(w http.ResponseWriter, r *http.Request) error {
	if !offersOurs(r) {
		return &errs.Error{Code: errs.Malformed, Field: "Sec-WebSocket-Protocol", Message: "must offer " + protocol.Subprotocol}
	}
	if err := speaksOurVersion(w, r); err != nil {
		return err
	}
	if !s.allowsOrigin(r) {
		return errs.New(errs.Forbidden, "Pages of this origin may not connect.")
	}
	if err := s.Hubs.Accepting(); err != nil {
		return err // now, so that a balancer asks the next node
	}
	opening := hub.Opening{Username: mux.Vars(r)["username"], Limits: s.Wire.Limits}
	known := func() {}
	if token, ok := bearer(r); ok {
		if err := s.authorise(r.Context(), token, &opening); err != nil {
			return err
		}
	} else {
		silent, err := s.waiting.enter(addressOf(r))
		if err != nil {
			return err
		}
		defer silent.close()
		known = silent.close
	}
	var refused error
	upgrader := websocket.Upgrader{
		ReadBufferSize: readBuffer, WriteBufferPool: &unused, // else it keeps those of the request
		Subprotocols: []string{protocol.Subprotocol},
		CheckOrigin:  func(*http.Request) bool { return true }, // done above, more strictly
		Error: func(_ http.ResponseWriter, _ *http.Request, _ int, reason error) {
			refused = &errs.Error{Code: errs.Malformed, Message: "This address speaks WebSocket.", Cause: reason}
		},
	}
	ws, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return refused // nil if the connection was taken over and then failed
	}
	note := noteOf(r.Context())
	reader := &reader{server: s, conn: newWSConn(ws, s.Wire.WriteWithin), ctx: note.context()}
	if reader.open(opening, known) {
		note.rest = reader.run
	}
	return nil
}

// authorise finds out which device a token names and whether it may see the
// user, and notes both in the opening.
func (s *Server) authorise(ctx context.Context, token string, o *hub.Opening) error {
	who, user, err := s.Accounts.Enter(ctx, token, o.Username)
	noteOf(ctx).device = who.DeviceID
	if err != nil {
		return err
	}
	o.User, o.Username = user.ID, user.Username
	o.Account, o.Login, o.Expires = who.AccountID, who.LoginID, who.Expires
	o.Device = protocol.Device{ID: who.DeviceID, Name: who.DeviceName}
	return nil
}

// reader reads the frames of one connection. It owns the session: it opens it
// on hello, and detaches it when the connection ends.
type reader struct {
	server  *Server
	conn    *wsConn
	user    string // id
	session *hub.Session
	ctx     context.Context // carries the request id

	limit   int           // bytes of one frame
	pace    *rate.Limiter // frames
	excess  *rate.Limiter // frames over the pace that are forgiven; nil: there were none
	patches chan struct{} // one token per patch in flight; nil: there was none
}

// run reads until the connection ends, whichever side ends it.
func (c *reader) run() {
	defer c.session.Detach()
	defer c.conn.ws.Close() // before Detach, so that the writer fails at once
	code, reason := c.frames()
	if code > 0 {
		c.session.End(code, reason) // so that what it was sent goes first
		c.drain()
	}
}

// drain reads until the peer has closed too, or for a moment at most.
func (c *reader) drain() {
	_ = c.conn.net.SetReadDeadline(time.Now().Add(2 * farewell))
	for {
		if _, _, err := c.conn.ws.NextReader(); err != nil {
			if closeOf(err) > 0 {
				c.conn.drop() // what comes is no frame any more
			}
			return
		}
	}
}

// frames handles frames until the connection ends. Code 0 means the peer ended it.
func (c *reader) frames() (code int, reason string) {
	for {
		frame, code, reason := c.next()
		if code == closeGone || code == closeTimeout {
			return 0, ""
		}
		if code != 0 {
			return code, reason
		}
		c.session.Heard()
		if code, reason := c.handle(frame); code != 0 {
			return code, reason
		}
	}
}

// Codes of next that are not close codes.
const (
	closeGone    = -1 // the peer has closed, or its network has
	closeTimeout = -2 // the read deadline passed
)

// inbox holds room to read a frame into: idle sessions keep none.
var inbox = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// next reads one frame; a code other than 0 says why there is none.
func (c *reader) next() (frame protocol.ClientFrame, code int, reason string) {
	kind, body, err := c.conn.ws.NextReader()
	if err != nil {
		return nil, closeOf(err), ""
	}
	if kind != websocket.TextMessage {
		return nil, protocol.CloseBinary, "text frames only"
	}
	room, _ := inbox.Get().(*bytes.Buffer)
	defer inbox.Put(room)
	room.Reset()
	if _, err := room.ReadFrom(io.LimitReader(body, int64(c.limit)+1)); err != nil {
		return nil, closeOf(err), ""
	}
	text := room.Bytes()
	if len(text) > c.limit {
		return nil, protocol.CloseTooBig, "frame too big"
	}
	if !utf8.Valid(text) {
		return nil, protocol.CloseBadUTF8, "not UTF-8"
	}
	c.server.Deep.Do(func() { frame, err = protocol.Decode(text) })
	if err != nil {
		e := errs.From(err)
		return nil, protocol.CloseProtocol, strings.TrimSpace(e.Field + " " + e.Message)
	}
	return frame, 0, ""
}

func closeOf(err error) int {
	var network net.Error
	var closed *websocket.CloseError // the end of the stream is one too: 1006
	switch {
	case errors.Is(err, websocket.ErrReadLimit):
		return protocol.CloseTooBig // a length of 2⁶³ or more
	case errors.As(err, &network) && network.Timeout():
		return closeTimeout
	case errors.As(err, &network), errors.As(err, &closed), errors.Is(err, net.ErrClosed), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return closeGone
	}
	return websocket.CloseProtocolError // no frame of RFC 6455
}

// handle does what one frame asks; a code other than 0 ends the session.
func (c *reader) handle(frame protocol.ClientFrame) (code int, reason string) {
	if !c.pace.Allow() {
		return c.tooFast(frame)
	}
	switch f := frame.(type) {
	case protocol.Patch:
		c.patch(f)
	case protocol.Preview:
		c.preview(f)
	case protocol.Focus:
		c.session.Focus(f.Field)
	case protocol.Sync:
		c.session.Sync(f.Revision)
	case protocol.Pong:
		c.session.Seen(f.Seen)
	case protocol.Auth:
		return c.auth(f)
	case protocol.Hello:
		return protocol.CloseProtocol, "hello comes once"
	}
	return 0, ""
}

// tooFast refuses a frame over the session's pace (SPEC E4).
func (c *reader) tooFast(frame protocol.ClientFrame) (code int, reason string) {
	c.server.Limits.limited(byFrames)
	if c.excess == nil {
		c.excess = rate.NewLimiter(c.pace.Limit(), c.server.Wire.FrameExcess)
	}
	if !c.excess.Allow() {
		return protocol.CloseRateLimited, "too many frames"
	}
	if f, ok := frame.(protocol.Patch); ok {
		c.session.Send(protocol.Refused(f.Patch.ID, &errs.Error{
			Code: errs.RateLimited, Message: "Too many frames at once.", RetryAfter: time.Second,
		}))
	}
	return 0, ""
}

// patch hands a patch to the settings; its answer is sent when it is durable.
func (c *reader) patch(f protocol.Patch) {
	session, id, err := c.session, f.Patch.ID, f.Err
	if err == nil {
		err = session.Begin()
	}
	if err != nil {
		session.Send(protocol.Refused(id, errs.From(err)))
		return
	}
	if c.patches == nil {
		c.patches = make(chan struct{}, inFlight)
	}
	c.patches <- struct{}{}
	c.server.Settings.Submit(c.user, session.Device.ID, f.Patch, func(o settings.Outcome) {
		session.Answer(answer(id, o), newest(o.Answer))
		c.report(id, o.Err)
		<-c.patches
	})
}

// report counts a refusal and logs what is our fault of it; the sender was told a word.
func (c *reader) report(id string, err error) {
	if err == nil {
		return
	}
	c.server.count(errs.From(err).Code)
	if e := errs.From(err); e.Cause != nil {
		c.server.Log.ErrorContext(c.ctx, "patch failed", "patch", id, "code", e.Code, "err", e.Cause)
	}
}

// answer is the frame that ends a patch.
func answer(id string, o settings.Outcome) *protocol.Frame {
	switch {
	case o.Err != nil:
		return protocol.Refused(id, errs.From(o.Err))
	case len(o.Answer.Conflict) > 0:
		return protocol.Conflict(id, o.Answer.Conflict)
	}
	return protocol.Ack(id, o.Answer, o.Duplicate)
}

// newest is the highest revision that an answer tells of.
func newest(a settings.Answer) uint64 {
	revision := a.Revision
	for _, e := range a.Conflict {
		revision = max(revision, e.Revision)
	}
	return revision
}

// preview passes a volatile value on, if it is one of the schema's (SPEC L1).
func (c *reader) preview(f protocol.Preview) {
	for _, a := range f.Set {
		if len(a.Text) > c.server.Settings.Limits.ValueBytes || !c.server.Settings.Schema.HasType(a.Key, a.Text) {
			return
		}
	}
	if len(f.Set) > 0 {
		c.session.Preview(f.Set)
	}
}

// auth renews the session with a newer token of the same device (SPEC A1).
func (c *reader) auth(f protocol.Auth) (code int, reason string) {
	who, err := c.server.Accounts.Authenticate(c.ctx, f.Token)
	if err != nil {
		return c.refusal(err)
	}
	if who.DeviceID != c.session.Device.ID {
		return protocol.CloseSignedOut, "another device's token"
	}
	c.session.Renew(who.Expires)
	return 0, ""
}
