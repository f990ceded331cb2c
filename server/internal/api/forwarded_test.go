package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
)

// behind is a site behind the proxies 10.0.0.0/8 and 2001:db8:f::/48.
func behind(t *testing.T) *site {
	return newSite(t, func(s *Server) {
		s.Proxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8:f::/48")}
	})
}

// ask sends a request through the whole server, without a socket.
func (s *site) ask(remote, method, path, body string, changes ...change) *httptest.ResponseRecorder {
	s.t.Helper()
	r := httptest.NewRequestWithContext(s.t.Context(), method, path, strings.NewReader(body))
	r.RemoteAddr = remote
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, f := range changes {
		f(r)
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w
}

// TestClientAddress is the socket's, or the nearest that a trusted proxy saw
// and is not one (SEC-11).
func TestClientAddress(t *testing.T) {
	s := behind(t)
	tests := map[string]struct {
		remote string
		sent   []string // X-Forwarded-For, one header each
		want   string
	}{
		"no proxy":                     {"192.0.2.1:1", nil, "192.0.2.1"},
		"a stranger's header":          {"192.0.2.1:1", []string{"198.51.100.9"}, "192.0.2.1"},
		"a proxy without a header":     {"10.0.0.1:1", nil, "10.0.0.1"},
		"one hop":                      {"10.0.0.1:1", []string{"198.51.100.9"}, "198.51.100.9"},
		"the client's own lies first":  {"10.0.0.1:1", []string{"1.1.1.1, 2.2.2.2, 198.51.100.9"}, "198.51.100.9"},
		"lies in a header of its own":  {"10.0.0.1:1", []string{"1.1.1.1", "198.51.100.9"}, "198.51.100.9"},
		"two proxies":                  {"10.0.0.1:1", []string{"198.51.100.9, 10.0.0.2"}, "198.51.100.9"},
		"a lie that names a proxy":     {"10.0.0.1:1", []string{"10.9.9.9, 198.51.100.9"}, "198.51.100.9"},
		"proxies all the way":          {"10.0.0.1:1", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		"nonsense":                     {"10.0.0.1:1", []string{"nonsense"}, "10.0.0.1"},
		"nonsense before a proxy":      {"10.0.0.1:1", []string{"nonsense, 10.0.0.2"}, "10.0.0.2"},
		"an empty header":              {"10.0.0.1:1", []string{""}, "10.0.0.1"},
		"an address with a port":       {"10.0.0.1:1", []string{"198.51.100.9:80"}, "198.51.100.9"}, // Fault C5
		"with a port, twice":           {"10.0.0.1:1", []string{"198.51.100.9:80, 10.0.0.2:4711"}, "198.51.100.9"},
		"in quotes":                    {"10.0.0.1:1", []string{`"198.51.100.9"`}, "198.51.100.9"},
		"IPv6 with a port":             {"10.0.0.1:1", []string{"[2001:db8:1:2:3::4]:80"}, "2001:db8:1:2::/64"},
		"IPv6 with a port, in quotes":  {"10.0.0.1:1", []string{`"[2001:db8:1:2:3::4]:80"`}, "2001:db8:1:2::/64"},
		"IPv6 in brackets":             {"10.0.0.1:1", []string{"[2001:db8:1:2:3::4]"}, "2001:db8:1:2::/64"},
		"a port that is none":          {"10.0.0.1:1", []string{"198.51.100.9:http"}, "10.0.0.1"},
		"an identifier":                {"10.0.0.1:1", []string{"_hidden, unknown"}, "10.0.0.1"},
		"IPv6":                         {"[2001:db8:f::1]:1", []string{"2001:db8:1:2:3::4"}, "2001:db8:1:2::/64"},
		"IPv4 in IPv6":                 {"[::ffff:10.0.0.1]:1", []string{"::ffff:198.51.100.9"}, "198.51.100.9"},
		"a socket without an address":  {"@", []string{"198.51.100.9"}, "@"},
		"the first address of another": {"11.0.0.0:1", []string{"198.51.100.9"}, "11.0.0.0"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := ""
			handler := s.forwarded(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = addressOf(r) }))
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr = tt.remote
			r.Header["X-Forwarded-For"] = tt.sent
			handler.ServeHTTP(httptest.NewRecorder(), r)
			if got != tt.want {
				t.Errorf("address %s, want %s", got, tt.want)
			}
		})
	}
}

// Fault C5: what cannot be read is logged once, and not with every request; an
// empty header and what strangers send are not logged.
func TestUnreadableAddressIsLoggedOnce(t *testing.T) {
	s := behind(t)
	const message = "X-Forwarded-For of a trusted proxy cannot be read; its own address is used (logged once)"
	send := func(remote, value string) { s.ask(remote, "GET", "/healthz", "", header("X-Forwarded-For", value)) }
	send("192.0.2.1:1", "nonsense")
	send("10.0.0.1:1", "")
	send("10.0.0.1:1", "nonsense, 198.51.100.9")
	if all := s.log.records(t, message); len(all) > 0 {
		t.Errorf("logged %v", all)
	}
	for range 3 {
		send("10.0.0.1:1", strings.Repeat("nonsense", 100))
	}
	all := s.log.records(t, message)
	if len(all) != 1 || all[0]["proxy"] != "10.0.0.1" || all[0]["value"] != strings.Repeat("nonsense", 25) {
		t.Errorf("logged %v", all)
	}
}

// TestForgedAddressesDoNotEvadeTheLimit: a thousand of them are one guesser;
// through a proxy each client is its own (SEC-11).
func TestForgedAddressesDoNotEvadeTheLimit(t *testing.T) {
	s := newSite(t, func(s *Server) {
		s.Limits.Tries = 20
		s.Proxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	})
	guess := func(remote, forged string, i int) int {
		body := object("deviceName", "name "+strconv.Itoa(i), "password", "a guess")
		return s.ask(remote, "POST", "/api/v1/login", body, header("X-Forwarded-For", forged)).Code
	}
	looked := 0
	for i := range 1000 {
		if guess("192.0.2.1:4711", fmt.Sprintf("198.51.%d.%d", i/256, i%256), i) == 401 {
			looked++
		}
	}
	if looked != 20 {
		t.Errorf("%d of 1000 guesses with forged addresses were looked at, want 20", looked)
	}
	for i := range 40 {
		if got := guess("10.0.0.1:4711", fmt.Sprintf("203.0.113.%d", i), i); got != 401 {
			t.Fatalf("client %d behind the proxy = %d", i, got)
		}
	}
}

// TestSchemeOfAProxy: what it says decides about the cookie, HSTS and the
// origin that is the server's own; what others say does not.
func TestSchemeOfAProxy(t *testing.T) {
	s := behind(t)
	s.register("tab", "a@example.com")
	tests := map[string]struct {
		remote string
		proto  []string
		secure bool
	}{
		"https, says the proxy":     {"10.0.0.1:1", []string{"https"}, true},
		"HTTPS, in capitals":        {"10.0.0.1:1", []string{"HTTPS"}, true},
		"wss, says Traefik":         {"10.0.0.1:1", []string{"wss"}, true}, // Fault C3
		"WSS, in capitals":          {"10.0.0.1:1", []string{"WSS"}, true},
		"ws, says Traefik":          {"10.0.0.1:1", []string{"ws"}, false},
		"wss, says a stranger":      {"192.0.2.1:1", []string{"wss"}, false},
		"http, says the proxy":      {"10.0.0.1:1", []string{"http"}, false},
		"it says nothing":           {"10.0.0.1:1", nil, false},
		"the last word counts":      {"10.0.0.1:1", []string{"http, https"}, true},
		"and not the first":         {"10.0.0.1:1", []string{"https", "http"}, false},
		"https, says a stranger":    {"192.0.2.1:1", []string{"https"}, false},
		"nonsense, says the proxy":  {"10.0.0.1:1", []string{"httpsx"}, false},
		"a stranger without a word": {"192.0.2.1:1", nil, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			proto := func(r *http.Request) { r.Header["X-Forwarded-Proto"] = tt.proto }
			login := s.ask(tt.remote, "POST", "/api/v1/login",
				object("deviceName", "tab", "password", password, "session", "cookie"), proto)
			cookie := login.Header().Get("Set-Cookie")
			if got := strings.HasPrefix(cookie, "__Host-refresh=") && strings.Contains(cookie, "; Secure;"); login.Code != 200 || got != tt.secure {
				t.Errorf("%d Set-Cookie: %s, want secure %v", login.Code, cookie, tt.secure)
			}
			if got := login.Header().Get("Strict-Transport-Security") == "max-age=31536000"; got != tt.secure {
				t.Errorf("HSTS %v, want %v", got, tt.secure)
			}
			for _, origin := range []string{"https://example.com", "http://example.com"} {
				status := s.ask(tt.remote, "GET", "/api/v1/users/x/ws", "", proto, header("Origin", origin)).Code
				if own := strings.HasPrefix(origin, "https:") == tt.secure; own != (status != 403) {
					t.Errorf("from %s: %d", origin, status)
				}
			}
		})
	}
}
