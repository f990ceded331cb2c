package api

import (
	"fmt"
	"net/http"
	"net/netip"
	"testing"
)

// Fault C4: a Host or an Origin with the scheme's own port was refused. Fault E9:
// REST did not look at the scheme.
// [SPEC C2] One comparison for WebSocket and REST: scheme, host and port, with
// the scheme's own port understood.
func TestOriginIsOneAtEveryDoor(t *testing.T) {
	s := newSite(t, func(s *Server) {
		s.Proxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
		s.Wire.Origins = []string{"https://friend.example:443", "http://bücher.example"}
	})
	for _, tt := range []struct {
		proto, host, origin string
		allowed             bool
	}{
		{"https", "a.example", "https://a.example", true},
		{"https", "a.example:443", "https://a.example", true},
		{"https", "a.example", "https://a.example:443", true},
		{"https", "A.Example:443", "HTTPS://a.example", true},
		{"http", "a.example:80", "http://a.example", true},
		{"http", "a.example", "http://a.example:80", true},
		{"http", "[::1]:80", "http://[0::1]", true},
		{"https", "a.example:8443", "https://a.example:8443", true},
		{"https", "a.example:8443", "https://a.example", false},
		{"https", "a.example", "http://a.example", false},
		{"http", "a.example", "https://a.example", false},
		{"http", "a.example:443", "https://a.example", false},
		{"https", "a.example:80", "http://a.example", false},
		{"https", "a.example", "https://a.example.", false},
		{"https", "a.example", "https://friend.example", true},
		{"http", "a.example", "https://friend.example", true},
		{"https", "a.example", "http://friend.example", false},
		{"https", "a.example", "http://xn--bcher-kva.example", true},
	} {
		from := []change{
			header("Origin", tt.origin), header("X-Forwarded-Proto", tt.proto), func(r *http.Request) { r.Host = tt.host },
		}
		socket := s.ask("10.0.0.1:1", "GET", "/api/v1/users/x/ws", "", from...).Code
		rest := s.ask("10.0.0.1:1", "POST", "/api/v1/login", "{}", from...).Code
		if name := fmt.Sprint(tt); (socket != 403) != tt.allowed || (rest != 403) != tt.allowed {
			t.Errorf("%s: WebSocket %d, REST %d", name, socket, rest)
		}
	}
}
