package api

import (
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"
)

// Fault B8: two servers on one host name, at two ports, signed each other out
// in one browser, which sends a host's cookies to every port.
func TestTwoServersOnOneHost(t *testing.T) {
	for name, listen := range map[string]func(http.Handler) *httptest.Server{
		"over TLS": httptest.NewTLSServer, "without TLS": httptest.NewServer,
	} {
		t.Run(name, func(t *testing.T) {
			browser, err := cookiejar.New(nil)
			if err != nil {
				t.Fatal(err)
			}
			one, two := newSiteOn(t, listen), newSiteOn(t, listen)
			for _, s := range []*site{one, two} {
				s.client.Jar = browser
				s.register("tab", "a@example.com")
				s.call("POST", "/api/v1/login", object("deviceName", "tab", "password", password, "session", "cookie")).want(t, "log-in", 200, "")
			}
			for _, s := range []*site{one, two, one} {
				s.call("POST", "/api/v1/refresh", "").want(t, "refresh with both logged in", 200, "")
			}
			two.call("POST", "/api/v1/logout", "").want(t, "log-out", 204, "")
			two.call("POST", "/api/v1/refresh", "").want(t, "refresh after it", 401, "unauthorized")
			one.call("POST", "/api/v1/refresh", "").want(t, "refresh at the other server", 200, "")
		})
	}
}

// Fault B8: a cookie from before the update is accepted once, under its former
// name, by the server it is of; any other leaves it alone.
func TestCookieFromBeforeTheUpdate(t *testing.T) {
	for name, tt := range map[string]struct {
		listen func(http.Handler) *httptest.Server
		former string
	}{
		"over TLS": {httptest.NewTLSServer, "__Host-refresh"}, "without TLS": {httptest.NewServer, "refresh"},
	} {
		t.Run(name, func(t *testing.T) {
			s, other := newSiteOn(t, tt.listen), newSiteOn(t, tt.listen)
			s.register("tab", "a@example.com")
			login := s.call("POST", "/api/v1/login", object("deviceName", "tab", "password", password))
			former := header("Cookie", tt.former+"="+login.text(t, "refreshToken"))

			refused := other.call("POST", "/api/v1/refresh", "", former)
			refused.want(t, "refresh at another server", 401, "unauthorized")
			guest := other.device("tab", "a@example.com")
			out := other.call("POST", "/api/v1/logout", "", former, token(guest))
			out.want(t, "log-out at another server", 204, "")
			if set := append(refused.header.Values("Set-Cookie"), out.header.Values("Set-Cookie")...); len(set) > 0 {
				t.Errorf("another server sets %q", set)
			}

			moved := s.call("POST", "/api/v1/refresh", "", former)
			moved.want(t, "refresh", 200, "")
			set := moved.header.Values("Set-Cookie")
			if len(set) != 2 || !strings.HasPrefix(set[0], tt.former+"=; ") || !strings.Contains(set[0], "Max-Age=0") || !strings.HasPrefix(set[1], tt.former+"-") {
				t.Fatalf("Set-Cookie: %q", set)
			}
			pair, _, _ := strings.Cut(set[1], ";")
			s.call("POST", "/api/v1/refresh", "", header("Cookie", pair)).want(t, "refresh with the new one", 200, "")
		})
	}
}

// A cookie's value in quotes is another spelling of the token (Fault E6).
func TestQuotedCookieIsNone(t *testing.T) {
	s := newSite(t)
	s.register("tab", "a@example.com")
	login := s.ask("192.0.2.1:1", "POST", "/api/v1/login", object("deviceName", "tab", "password", password, "session", "cookie"))
	pair, _, _ := strings.Cut(login.Header().Get("Set-Cookie"), ";")
	name, value, _ := strings.Cut(pair, "=")
	if name != "refresh" { // at the scheme's own port it is what it was
		t.Errorf("the cookie's name is %s", name)
	}
	for cookie, want := range map[string]int{name + `="` + value + `"`: 401, pair: 200} {
		if a := s.ask("192.0.2.1:1", "POST", "/api/v1/refresh", "", header("Cookie", cookie)); a.Code != want {
			t.Errorf("%s: %d, want %d", cookie, a.Code, want)
		}
	}
}
