package api

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gorilla/websocket"

	"social-server/internal/protocol"
)

// offersOurs reports whether the client's subprotocols, if any, include ours (SPEC C1).
func offersOurs(r *http.Request) bool {
	offered := websocket.Subprotocols(r)
	return len(offered) == 0 || slices.Contains(offered, protocol.Subprotocol)
}

// allowsOrigin compares scheme, host and port with the request's own address
// and the allowed ones (SPEC C2). Without an Origin it is not a browser.
func (s *Server) allowsOrigin(r *http.Request) bool {
	values := r.Header.Values("Origin")
	if len(values) == 0 {
		return true
	}
	origin, err := url.Parse(values[0])
	if err != nil || len(values) > 1 || origin.Host == "" {
		return false
	}
	scheme := "http"
	if secure(r) {
		scheme = "https"
	}
	text := strings.ToLower(values[0])
	return text == scheme+"://"+strings.ToLower(r.Host) || slices.Contains(s.Wire.Origins, text)
}
