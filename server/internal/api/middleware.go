package api

import (
	"bufio"
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"time"

	"social-server/internal/account"
	"social-server/internal/errs"
)

// note is what is known of a request by the time it is logged. Handlers fill
// it in; it is of one request and needs no lock.
type note struct {
	id      string // also in the header X-Request-Id
	began   time.Time
	level   slog.Level
	method  string
	route   string // the path with its variables unfilled: no query, no names
	address string
	device  string
	user    string
	code    errs.Code
	status  int

	rest func() // what is to be done with a connection that was taken over, after the handler
}

// context is one of the request that keeps nothing else of it.
func (n *note) context() context.Context {
	return account.WithAddress(context.WithValue(context.Background(), noteKey{}, n), n.address)
}

type noteKey struct{}

// noteOf returns the note of a request. Outside of one it is a fresh note, so
// that callers need no check.
func noteOf(ctx context.Context) *note {
	if n, ok := ctx.Value(noteKey{}).(*note); ok {
		return n
	}
	return &note{}
}

// requestLog adds the request's id to each record logged under its context.
type requestLog struct{ slog.Handler }

// Handle adds the id.
func (l requestLog) Handle(ctx context.Context, record slog.Record) error {
	if id := noteOf(ctx).id; id != "" {
		record.AddAttrs(slog.String("request", id))
	}
	return l.Handler.Handle(ctx, record)
}

// WithAttrs keeps the id when a logger gets attributes.
func (l requestLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return requestLog{l.Handler.WithAttrs(attrs)}
}

// WithGroup keeps the id when a logger gets a group.
func (l requestLog) WithGroup(name string) slog.Handler { return requestLog{l.Handler.WithGroup(name)} }

// observe is the outermost layer. It names each request, turns a panic into one
// 500, and writes one line of access log, in which there is never a body, a
// query, a header or a token. Pages are logged at debug level.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := &note{id: rand.Text()[:16], began: time.Now(), method: r.Method, route: "none", address: addressOf(r)}
		if !isAPI(r) {
			n.level = slog.LevelDebug
		}
		r = r.WithContext(account.WithAddress(context.WithValue(r.Context(), noteKey{}, n), n.address))
		w.Header().Set("X-Request-Id", n.id)
		answer := &recorder{ResponseWriter: w}
		defer func() {
			fault := recover()
			if s.broke(r.Context(), fault) && answer.status == 0 {
				s.fail(answer, r, errs.New(errs.Internal, "Something broke on our side."))
				fault = nil
			}
			n.status = answer.status
			if n.rest != nil && fault == nil {
				s.taken.Go(func() { s.goOn(n) })
				return
			}
			s.logAccess(r.Context(), n)
			if fault != nil {
				panic(http.ErrAbortHandler) // the answer is half out: cut it off
			}
		}()
		next.ServeHTTP(answer, r)
	})
}

// goOn does what is left of a request once its connection was taken over.
func (s *Server) goOn(n *note) {
	defer func() {
		s.broke(n.context(), recover())
		s.logAccess(n.context(), n)
	}()
	n.rest()
}

// broke logs what was recovered from, if it was a panic and not an answer cut off.
func (s *Server) broke(ctx context.Context, fault any) bool {
	if fault == nil || fault == http.ErrAbortHandler {
		return false
	}
	s.Log.ErrorContext(ctx, "panic", "fault", fmt.Sprint(fault), "stack", string(debug.Stack()))
	return true
}

// logAccess writes the line of a request that has ended.
func (s *Server) logAccess(ctx context.Context, n *note) {
	s.Log.LogAttrs(ctx, n.level, "request",
		slog.String("method", n.method), slog.String("route", n.route), slog.Int("status", cmp.Or(n.status, http.StatusOK)),
		slog.Duration("took", time.Since(n.began)), slog.String("address", n.address),
		slog.String("device", n.device), slog.String("user", n.user), slog.String("code", string(n.code)))
}

// Wait returns when the connections that were taken over have ended and are
// logged, or when ctx ends. Somebody else ends them: hub.Registry.
func (s *Server) Wait(ctx context.Context) error {
	ended := make(chan struct{})
	go func() {
		s.taken.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// recorder remembers the status of an answer.
type recorder struct {
	http.ResponseWriter
	status int // 0 until the header is written
}

// WriteHeader remembers the status; the informational ones are not the answer.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && (status >= http.StatusOK || status == http.StatusSwitchingProtocols) {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write writes the header first, if that was not done.
func (r *recorder) Write(data []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(data)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// Hijack hands the connection over. The WebSocket library asks for this method
// itself and does not look behind Unwrap.
func (r *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffer, err := http.NewResponseController(r.ResponseWriter).Hijack()
	if err == nil {
		r.status = http.StatusSwitchingProtocols
		if bounded := boundedConn(conn); bounded != nil {
			bounded.place.close() // it counts as a WebSocket now
			if bounded == conn {
				conn = bounded.TCPConn // a session bounds its writes itself
			}
		}
		conn = &upgradeConn{Conn: conn}
	}
	return conn, buffer, err
}

// secured sets the headers that every answer has.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'") // the client's pages set their own
		if isAPI(r) {
			h.Set("Cache-Control", "no-store")
		}
		if len(r.TransferEncoding) > 0 {
			// There may have been a length too, which net/http does not show (RFC 9112, 6.1).
			h.Set("Connection", "close")
		}
		if secure(r) {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}
