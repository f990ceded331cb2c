package api

import (
	"time"

	"golang.org/x/time/rate"

	"social-server/internal/errs"
	"social-server/internal/hub"
	"social-server/internal/protocol"
)

// open reads hello and opens the session, or ends the connection. It calls known
// once the device has said who it is, before the device hears of it.
func (c *reader) open(o hub.Opening, known func()) bool {
	opened := false
	defer func() {
		if !opened {
			_ = c.conn.ws.Close()
		}
	}()
	c.limit = helloBytes
	if err := c.conn.net.SetReadDeadline(time.Now().Add(c.server.Wire.HelloWithin)); err != nil {
		return false
	}
	code, reason := c.hello(o, known)
	opened = code == 0
	if code > 0 {
		c.conn.Close(code, reason)
		c.drain()
	}
	return opened
}

// hello reads the first frame and opens the session. A code other than 0 ends
// the connection.
func (c *reader) hello(o hub.Opening, known func()) (code int, reason string) {
	frame, code, reason := c.next()
	if code == closeTimeout {
		return protocol.CloseSignedOut, "no hello in time"
	}
	if code != 0 {
		return code, reason
	}
	hello, ok := frame.(protocol.Hello)
	if !ok {
		return protocol.CloseProtocol, "hello comes first"
	}
	if hello.Token != "" || o.User == "" {
		if err := c.server.authorise(c.ctx, hello.Token, &o); err != nil {
			return c.refusal(err)
		}
	}
	known()
	o.Conn, o.Resume = c.conn, hello.Resume
	if err := c.conn.net.SetReadDeadline(time.Time{}); err != nil {
		return closeGone, ""
	}
	session, err := c.server.Hubs.Attach(c.ctx, o)
	if err != nil {
		return c.refusal(err)
	}
	limits := c.server.Wire.Limits
	c.session, c.user, c.limit = session, o.User, limits.FrameBytes
	c.pace = rate.NewLimiter(rate.Limit(limits.FramesPerSecond), limits.FrameBurst)
	return 0, ""
}

// refusal is the close code of an error before the session (SPEC C4, C8).
func (c *reader) refusal(err error) (code int, reason string) {
	e := errs.From(err)
	switch e.Code {
	case errs.Unauthorized:
		return protocol.CloseSignedOut, "not signed in"
	case errs.Expired:
		return protocol.CloseExpired, "token expired"
	case errs.Revoked:
		return protocol.CloseRevoked, "device revoked"
	case errs.NotFound:
		return protocol.CloseNotMember, "not a member"
	case errs.QuotaExceeded:
		return protocol.CloseTooMany, "too many connections"
	case errs.Unavailable:
		return protocol.CloseRestart, "not just now"
	}
	c.server.Log.ErrorContext(c.ctx, "session failed to open", "err", err)
	return protocol.CloseFault, "fault"
}
