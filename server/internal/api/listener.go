package api

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"time"
)

// Listener returns l with the bounds of SPEC W2, W4 and W5: a write fails once
// the peer takes nothing, a peer that vanishes is noticed, and an address has
// only so many connections. With a configuration it speaks TLS. An http.Server
// on it needs ConnContext.
func (s *Server) Listener(l net.Listener, encrypt *tls.Config) net.Listener {
	l = &listener{Listener: l, server: s, encrypted: encrypt != nil}
	if encrypt != nil {
		return tls.NewListener(l, encrypt)
	}
	return l
}

type listener struct {
	net.Listener
	server    *Server
	encrypted bool
}

// tooMany is the whole answer to a connection over the bound of its address.
const tooMany = "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

// Accept returns the next connection whose address may have one more.
func (l *listener) Accept() (net.Conn, error) {
	for {
		accepted, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		tcp, ok := accepted.(*net.TCPConn)
		if !ok {
			return accepted, nil
		}
		place, err := l.server.connected(tcp.RemoteAddr().String())
		if err != nil {
			if !l.encrypted {
				_, _ = io.WriteString(tcp, tooMany) // fits into the empty buffer, so it does not wait
			}
			_ = tcp.Close()
			continue
		}
		noticeLoss(tcp, l.server.Wire.LostAfter)
		return &conn{TCPConn: tcp, within: l.server.Wire.WriteWithin, place: place}, nil
	}
}

// connected counts a connection from an address, unless it is a trusted proxy's:
// of these each request counts for its client.
func (s *Server) connected(remote string) (*place, error) {
	if peer, err := netip.ParseAddrPort(remote); err == nil && s.trusts(peer.Addr()) {
		return nil, nil //nolint:nilnil // it counts nowhere
	}
	return s.connections.enter(clientOfSocket(remote))
}

// perClient counts the requests of each client that come through a trusted proxy.
func (s *Server) perClient(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, proxied := r.Context().Value(secureKey{}).(bool); proxied {
			place, err := s.connections.enter(addressOf(r))
			if err != nil {
				s.fail(w, r, err)
				return
			}
			defer place.close()
			r = r.WithContext(context.WithValue(r.Context(), placeKey{}, place))
		}
		next.ServeHTTP(w, r)
	})
}

type placeKey struct{}

// ConnContext is for the http.Server on Listener.
func (s *Server) ConnContext(ctx context.Context, c net.Conn) context.Context {
	if bounded := boundedConn(c); bounded != nil {
		return context.WithValue(ctx, placeKey{}, bounded.place)
	}
	return ctx
}

// asSession has a request count for its device from now on, and not for its
// address, until the function it returns is called.
func asSession(ctx context.Context) (ended func()) {
	place, _ := ctx.Value(placeKey{}).(*place)
	place.leave()
	return place.take
}

// conn is an accepted connection. Its writes may take as long as they move.
type conn struct {
	*net.TCPConn
	within time.Duration
	place  *place // of its address

	mu    sync.Mutex // guards the following, and the order of the socket's write deadlines
	limit time.Time  // no write goes on after it; zero: none
}

// boundedConn returns the conn below a connection, or nil.
func boundedConn(c net.Conn) *conn {
	if encrypted, ok := c.(*tls.Conn); ok {
		c = encrypted.NetConn()
	}
	bounded, _ := c.(*conn)
	return bounded
}

// Write writes data, however long that takes, while the peer takes some of it.
func (c *conn) Write(data []byte) (int, error) {
	n, err := steadily(c.TCPConn, data, c.renew)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		_ = c.SetLinger(0) // the kernel need not keep what nobody takes
	}
	return n, err
}

// renew sets the deadline of a piece, and reports whether another may follow.
func (c *conn) renew() (more bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	deadline := time.Now().Add(c.within)
	more = c.limit.IsZero() || c.limit.After(deadline)
	if !more {
		deadline = c.limit
	}
	return more, c.TCPConn.SetWriteDeadline(deadline)
}

// ReadFrom copies by Write, for the sake of its deadlines.
func (c *conn) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{c}, r)
}

// SetWriteDeadline sets a deadline for all writes together.
func (c *conn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.limit = t
	return c.TCPConn.SetWriteDeadline(t)
}

// SetDeadline sets both deadlines.
func (c *conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// Close also gives the place of the address back.
func (c *conn) Close() error {
	c.place.close()
	return c.TCPConn.Close()
}

// steadily writes data in pieces. Before each, renew sets a write deadline. When
// it passes, writing goes on if the peer has taken something meanwhile and renew
// said that more may follow.
func steadily(c net.Conn, data []byte, renew func() (more bool, err error)) (written int, err error) {
	for len(data) > 0 {
		before := unacknowledged(c)
		more, err := renew()
		if err != nil {
			return written, err
		}
		n, err := c.Write(data[:min(len(data), chunk)])
		written, data = written+n, data[n:]
		moves := n > 0 || unacknowledged(c) < before
		if err != nil && !(more && moves && errors.Is(err, os.ErrDeadlineExceeded)) {
			return written, err
		}
	}
	return written, nil
}
