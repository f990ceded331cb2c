package api

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/gorilla/websocket"

	"social-server/internal/errs"
	"social-server/internal/origin"
	"social-server/internal/protocol"
)

// offersOurs reports whether the client's subprotocols, if any, include ours (SPEC C1).
func offersOurs(r *http.Request) bool {
	offered := websocket.Subprotocols(r)
	return len(offered) == 0 || slices.Contains(offered, protocol.Subprotocol)
}

// webSocketVersion is the one version of the protocol that is spoken (RFC 6455).
const webSocketVersion = "13"

// speaksOurVersion refuses an upgrade to another version of WebSocket and names
// the supported one (RFC 6455, 4.4).
func speaksOurVersion(w http.ResponseWriter, r *http.Request) error {
	if !websocket.IsWebSocketUpgrade(r) || slices.Equal(r.Header.Values("Sec-WebSocket-Version"), []string{webSocketVersion}) {
		return nil
	}
	w.Header().Set("Sec-WebSocket-Version", webSocketVersion)
	return &errs.Error{Code: errs.Malformed, Field: "Sec-WebSocket-Version", Message: "must be " + webSocketVersion}
}

// allowsOrigin reports whether the request's Origin is its own or an allowed
// one: scheme, host and port (SPEC C2). Without an Origin it is not a browser's.
func (s *Server) allowsOrigin(r *http.Request) bool {
	values := r.Header.Values("Origin")
	if len(values) == 0 {
		return true
	}
	from, err := origin.Parse(values[0])
	if err != nil || len(values) > 1 {
		return false
	}
	own, err := ownOrigin(r)
	return err == nil && from == own || slices.Contains(s.origins, from)
}

// ownOrigin returns the origin at which the client reached the server.
func ownOrigin(r *http.Request) (origin.Origin, error) {
	if secure(r) {
		return origin.Of("https", r.Host)
	}
	return origin.Of("http", r.Host)
}

// allowedOrigins reads the origins of Wire.
func (s *Server) allowedOrigins() error {
	s.origins = nil
	for _, text := range s.Wire.Origins {
		allowed, err := origin.Parse(text)
		if err != nil {
			return fmt.Errorf("origin %q %w", text, err)
		}
		s.origins = append(s.origins, allowed)
	}
	return nil
}

// sameOrigin refuses a change that a page of another origin makes: the browser
// would send the refresh cookie along. A POST to a page changes nothing: the form
// is shown again.
func (s *Server) sameOrigin(next http.Handler) http.Handler {
	refuse := s.handle(func(http.ResponseWriter, *http.Request) error {
		return errs.New(errs.Forbidden, "Pages of this origin may not do this.")
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if changes(r) && isAPI(r) && !s.allowsPage(r) {
			refuse(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// changes reports whether a request's method may change something (RFC 9110, 9.2.1).
func changes(r *http.Request) bool {
	return !slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodOptions}, r.Method)
}

// allowsPage reports whether the page that sent a request may change something.
// Where a browser names no origin, as with a form of a page that sends no
// referrer, its own comparison counts: Sec-Fetch-Site, which no page can set.
func (s *Server) allowsPage(r *http.Request) bool {
	values, site := r.Header.Values("Origin"), r.Header.Get("Sec-Fetch-Site")
	if len(values) == 0 || site != "" && len(values) == 1 && values[0] == "null" {
		return slices.Contains([]string{"", "same-origin", "none"}, site)
	}
	return s.allowsOrigin(r)
}
