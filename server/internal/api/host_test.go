package api

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"testing"
)

// Fault E4: a page whose name resolves to this machine (DNS rebinding) was
// answered as if it were the server's own.
// [SPEC C10] Which connections a host name counts for, and which names there are.
func TestHostNames(t *testing.T) {
	s := newSite(t, func(s *Server) {
		s.Proxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
		s.Hosts = Hosts{Names: []string{"nas", "xn--bcher-kva.example"}}
	})
	all := newSite(t, func(s *Server) { s.Hosts = Hosts{All: true} })
	arrive := func(at string) change {
		return func(r *http.Request) {
			*r = *r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, net.TCPAddrFromAddrPort(netip.MustParseAddrPort(at))))
		}
	}
	host := func(name string) change { return func(r *http.Request) { r.Host = name } }
	const local, private, public = "127.0.0.1:3000", "192.168.1.5:3000", "203.0.113.7:3000"
	for _, tt := range []struct {
		site     *site
		from, at string
		host     string
		want     int
	}{
		{s, "127.0.0.1:1", local, "localhost:3000", 200},
		{s, "127.0.0.1:1", local, "LOCALHOST", 200},
		{s, "127.0.0.1:1", local, "localhost.:3000", 200},
		{s, "127.0.0.1:1", local, "tab.localhost:3000", 200},
		{s, "127.0.0.1:1", local, "127.0.0.1:3000", 200},
		{s, "127.0.0.1:1", local, "[::1]:3000", 200},
		{s, "127.0.0.1:1", local, "192.168.1.5:3000", 200}, // an address cannot be made to resolve elsewhere
		{s, "127.0.0.1:1", local, "NAS:3000", 200},
		{s, "127.0.0.1:1", local, "bücher.example", 200},
		{s, "127.0.0.1:1", local, "", 200}, // HTTP/1.0
		{s, "127.0.0.1:1", local, "evil.example:3000", 421},
		{s, "127.0.0.1:1", local, "localhost.evil.example", 421},
		{s, "127.0.0.1:1", local, "evillocalhost", 421},
		{s, "127.0.0.1:1", local, "nas.evil.example", 421},
		{s, "127.0.0.1:1", local, "127.0.0.1.evil.example", 421},
		{s, "127.0.0.1:1", local, "[::1].evil.example", 421},
		{s, "127.0.0.1:1", local, "127.0.0.1:3000@evil.example", 421},
		{s, "127.0.0.1:1", "[::1]:3000", "evil.example", 421},
		{s, "127.0.0.1:1", "[::ffff:127.0.0.1]:3000", "evil.example", 421},
		{s, "10.0.0.1:1", local, "sync.example.org", 200}, // the proxy's choice
		{s, "192.168.1.9:1", private, "sync.example.org", 200},
		{s, "198.51.100.9:1", public, "sync.example.org", 200},
		{all, "192.168.1.9:1", private, "sync.example.org", 421},
		{all, "192.168.1.9:1", private, "192.168.1.5:3000", 200},
		{all, "198.51.100.9:1", public, "sync.example.org", 421},
	} {
		for _, path := range []string{"/healthz", "/api/v1/openapi.json"} {
			a := tt.site.ask(tt.from, "GET", path, "", arrive(tt.at), host(tt.host))
			if a.Code != tt.want || tt.want == 421 && a.Header().Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s at %s: %d %s, want %d", tt.host, tt.at, a.Code, a.Body, tt.want)
			}
		}
	}
	overTLS := func(r *http.Request) { r.TLS = &tls.ConnectionState{} }
	if a := all.ask("192.168.1.9:1", "GET", "/healthz", "", arrive(private), host("sync.example.org"), overTLS); a.Code != 200 {
		t.Errorf("over TLS, where the certificate counts: %d", a.Code)
	}
}
